"""Parameters that are written as on a command line: `--count 3`, `--no-production`, `production:false`. Pure."""

import re
from collections.abc import Collection
from typing import Final

from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE
from bot.core.command.params import BadParam, Param, ParamType
from bot.core.command.parser import format_command, parse
from bot.core.command.target_ref import quote
from bot.core.command.wording import exact_verb
from bot.core.intent import Command

_DASH: Final = r"(?<!\S)(?:--|\u2013|\u2014)"  # phones turn `--` into a dash
_IN_QUOTES: Final = rf"[{''.join(DOUBLE)}](?P<quoted>[^{''.join(DOUBLE)}]+)[{''.join(DOUBLE)}](?!\S)"
_REASON_FLAG: Final = re.compile(rf"{_DASH}reason[\s=:]+(?:{_IN_QUOTES}|(?P<rest>.+)$)", re.IGNORECASE | re.DOTALL)
_END_FLAG: Final = re.compile(
    rf"{_DASH}(?=(?:for|until|till|since)\s+(?:\d|noon|midnight|tomorrow|tonight|(?:mon|tue|wed|thu|fri|sat|sun)))",
    re.IGNORECASE,
)
# `production:false`, `no-production`
_COLON: Final = re.compile(
    r"(?<![^\s(])(?P<name>[A-Za-z][\w.]*):(?P<quoted>(?!))?(?P<value>[^\s:/,;()=\"']+)(?=[\s,;).]|$)"
)
_NO: Final = re.compile(r"(?<!\S)(?:--|[\u2013\u2014])?no-(?P<name>[a-z]\w*)(?=[\s,;.]|$)")
_FLAG: Final = re.compile(
    rf"{_DASH}(?P<name>[^\W\d][\w.-]*)\s+(?:{_IN_QUOTES}|(?P<value>[^\s=]*[^\s=,.;!?]))"
    r"(?=\s*$|[,.;!?]|\s+(?:--|[\u2013\u2014]|[\w.]+=|please\b|pls\b))"
)
_SEPARATE: Final = re.compile(r"\s(?:--|\u2013|\u2014)\s")


def without_flags(text: str, catalog: Catalog, inputs: Collection[str]) -> str:
    """The text with `count=3` for `--count 3`, `production=false` for `production:false` and `--no-production`, and its
    `--reason "..."` as the reason. Other words right after dashes are a reason: `stop prices --too slow`. `--for 2h` becomes
    `for 2h`."""
    text = re.sub(rf"({_DASH}(?:no-)?)prod\b(?!-)", r"\1production", text)
    if not (re.search(rf"{_DASH}\w", text) or _COLON.search(text) or _NO.search(text)):
        return text
    separate = _SEPARATE.search(text)
    head, reason = (text[: separate.start()], text[separate.start() :]) if separate else (text, "")
    if flag := _REASON_FLAG.search(head):
        head = f"{head[: flag.start()]}{head[flag.end() :]}".rstrip()
        reason = f" -- {flag['quoted'] or flag['rest']}{reason}"
    verbs = exact_verb(head.casefold().split(), catalog)[0]
    own = [param for verb in verbs for param in catalog.params(verb)]
    every = [param for verb in catalog.verbs for param in catalog.params(verb)]
    others = [param for param in every if param.type is not ParamType.TEXT]
    names = {*inputs, *(name.rpartition(".")[2] for name in inputs)} - {param.name for param in every}

    def pair(flag: re.Match[str]) -> str:
        name, value = flag["name"], flag["quoted"] or flag["value"]
        known = name in names or any(_takes(param, name, value) for param in (*own, *others))
        return f"{name}={quote(value) if flag['quoted'] else value}" if known else flag[0]

    switches = {param.name for param in every if param.type is ParamType.BOOLEAN}
    head = _NO.sub(lambda no: f"{no['name']}=false" if no["name"] in switches else no[0], _COLON.sub(pair, head))
    return _FLAG.sub(pair, _END_FLAG.sub("", head)) + reason


def without_dashes(ask: Command, catalog: Catalog) -> Command:
    """A built-in command with `user=@ana` for `--user @ana` or `--user=@ana` among its words, and its `--reason "..."` as the
    reason; the same command without one of these."""
    own = {param.name: param for param in catalog.builtins[ask.verb].params}
    said = " ".join(ask.words)

    def pair(flag: re.Match[str]) -> str:
        name, value = flag["name"], flag["value"]
        in_words = _END_FLAG.sub("", flag[0])  # `for 1`, of `--for 1 hour`
        return f"{name}={value}" if in_words == flag[0] or _takes(own[name], name, value) else in_words

    text = re.sub(rf"{_DASH}(?P<name>{'|'.join(own) or '(?!)'})(?:=| )(?P<value>\S+)", pair, said)
    flag = _REASON_FLAG.search(text) if not ask.reason else None
    text, reason = (text[: flag.start()].rstrip(), flag["quoted"] or flag["rest"]) if flag else (text, ask.reason)
    meant = parse(f"{format_command(ask.model_copy(update={'words': (), 'reason': None}))} {text}", catalog)
    if text == said or not isinstance(meant, Command) or meant.verb != ask.verb:
        return ask
    return meant.model_copy(update={"reason": reason})


def _takes(param: Param, name: str, value: str) -> bool:
    """Whether a parameter has that name and takes the value."""
    if param.type is ParamType.MAP:
        return name.startswith(f"{param.name}.")
    if name != param.name or (param.type is ParamType.UNTIL and not any(char.isdigit() for char in value)):
        return False
    try:
        param.check([value])
    except BadParam:
        return False
    return True
