"""Every word that means something to the bot."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from bot.core.command.builtins import ALIASES
from bot.core.command.vocabulary import (
    CALLED,
    EXPLAINING,
    FILLERS,
    GREETINGS,
    NEGATING,
    NUMBERS,
    ORDERING,
    ORDINARY,
    PHRASES,
    QUESTIONS,
    SECOND_WORDS,
    SYNONYMS,
    TIMES,
    WONDERING,
)

_WORD: Final = re.compile(r"(?<!\\)[a-z]{2,}")


class Lexicon(NamedTuple):
    """The words, in a fixed order, and by their sorted letters."""

    words: frozenset[str]
    ordered: Sequence[str]
    exchanged: Mapping[str, Sequence[str]]


@lru_cache(maxsize=8)
def lexicon_of(verbs: frozenset[str], backends: frozenset[str]) -> Lexicon:
    """The lexicon of these verbs and names of backends."""
    texts = (
        *verbs,
        *ALIASES,
        *SYNONYMS,
        *(phrase for phrase, _ in PHRASES),
        *(pattern.pattern for pattern in (NEGATING, EXPLAINING, *(asking for asking, _ in QUESTIONS))),
    )
    sets = (
        *CALLED.values(),
        *SECOND_WORDS.values(),
        *SECOND_WORDS,
        FILLERS,
        GREETINGS,
        ORDERING,
        ORDINARY,
        WONDERING,
        NUMBERS,
        TIMES,
    )
    words = frozenset(word for text in texts for word in _WORD.findall(text)).union(backends, *sets)
    exchanged: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        exchanged["".join(sorted(word))].append(word)
    return Lexicon(words, sorted(words), dict(exchanged))
