"""What is wrong with a TOML file, in words for a person: tomllib and pydantic speak to programmers."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_NOT_CLOSED: Final = "a text has no closing quote on its line"
_TOML: Final = (
    (re.compile(r"Illegal character '\\n'|Unterminated string"), _NOT_CLOSED),
    (re.compile(r"Cannot declare \('(.*?)',?\) twice"), r"the table [\1] is there twice"),
    (re.compile(r"Cannot overwrite a value"), "a key is there twice"),
    (re.compile(r"Invalid value"), "a value must be text in quotes, a number, true, false or a list"),
    (re.compile(r" \(at end of document\)"), " at the end of the file"),
)
_TYPES: Final = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": 'must be a list, like ["..."]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "too_short": "is an empty list",
}


def toml_fault(message: str) -> str:
    """What tomllib says, with its place in the file."""
    for said, words in _TOML:
        message = said.sub(words, message)
    return message


def must_be(kind: str, message: str) -> str:
    """What pydantic says of a value, by its type of error."""
    words = _TYPES.get(kind) or message.replace("Input should be", "must be").removeprefix("Value error, ")
    return re.sub(r"'([^']*)'", r"`\1`", words) if kind == "literal_error" else words


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the near one, otherwise all that are known."""
    near = get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; the known ones are: {', '.join(sorted(known))}" if known else ""
