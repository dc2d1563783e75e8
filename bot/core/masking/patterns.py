# ruff: noqa: RUF001  the notations include quotes of many languages
"""Where a line contains secrets: after names in any notation, and where one of the `rules` finds them.

Pure rules for one decoded line; `views` decodes it first. Sources: security.md D44 and F8, and the corpus
in tests/core/data.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from bot.core.masking.rules import RULES, SHELL, Rule, compiled
from bot.core.masking.values import (
    AFTER_NAME,
    ANY_NAME,
    IN_BRACKETS,
    IN_QUOTES,
    REST_OF_LINE,
    SEPARATOR,
    VALUE,
    Check,
    Found,
    Span,
    any_of,
    argument,
    ends_its_line,
    ftp_password,
    in_brackets,
    is_name,
    not_plain,
    not_sentence,
    passphrase,
    quoted_password,
    random_word,
    strong,
    strong_password,
    whole_line,
)


class _Notation(NamedTuple):
    """How a value may follow a name: `sign` right after it, then `value`. `before` is what must precede the name.

    `starts` are the characters that may follow the name. `weak`: also applies to names like `key`.
    """

    starts: str
    sign: re.Pattern[str]
    value: re.Pattern[str]
    secret: Check
    before: re.Pattern[str] | None = None
    weak: bool = False


def _after(
    starts: str,
    sign: str,
    value: str | re.Pattern[str],
    secret: Check,
    before: str | None = None,
    *,
    weak: bool = False,
) -> _Notation:
    front = re.compile(rf"(?:{before})\Z", re.MULTILINE) if before else None
    return _Notation(starts, re.compile(sign, re.MULTILINE), compiled(value), secret, front, weak)


_ATTRIBUTE: Final = r"[\"']?(?:value|val|content|text|data|default|secret|plaintext|current|new|old)[\"']?"
_GAP: Final = r"[ \t]{0,20}"
_UNTIL_TAG: Final = r"(?P<bare>[^<\]\r\n]{1,4000})"
_WHOLE_NAME: Final = r"[\w.:#=/-]{0,60}"

_BLANK: Final = " \t"
_QUOTE: Final = "\"'`”»]}"
_OF: Final = "(?:for|of|f[üu]r|von|de|di|du|van)"
_FOR: Final = rf"(?: {_OF} [^\s]{{1,60}}(?: [^\s]{{1,60}})?)?"
_IS: Final = "(?:is|was|will be|lautet|ist|war|es|est|è|é|er|är|jest)"

# Tried in this order. The first that finds a value after a name decides.
NOTATIONS: Final[tuple[_Notation, ...]] = (
    _after(_QUOTE + _BLANK + ":=", rf"{AFTER_NAME}{_GAP}(?:=|: ?)[ \t]{{0,60}}", REST_OF_LINE, whole_line,
        r"^[ \t]*(?:- +|export +|set +)?[\"']?[\w.$-]{0,40}"),
    _after(_BLANK + ":=", r"[ \t]{0,20}[:=][ \t]{0,20}", r"(?P<bare>[a-z]+(?: [a-z0-9]+){2,12})", passphrase),
    _after(_QUOTE + _BLANK + ":=-→⇒", SEPARATOR, VALUE, not_sentence),
    _after(". ", rf"(?:[ \t]?\.){{2,80}}{_GAP}[:=]{_GAP}", VALUE, not_sentence),
    _after(" -_", rf"(?: {_OF} (?:'[^'\r\n]{{1,200}}'|[^=:\r\n]{{1,60}})| \([a-z_ ]{{1,30}}\)| \[[^\]\r\n]{{1,20}}\]"
        rf"|[ _-]files?(?: contents?))[ \t]?[=:]{_GAP}", VALUE, not_sentence),
    _after(_BLANK, r"[ \t]{1,60}", VALUE, argument, r"(?:^|[\s\"'])(?:--?|/)[\w-]{0,40}"),
    _after(_BLANK + "(", r"(?:[ \t]{1,20}|[ \t]{0,20}\()(?=[\"'`“„‘«enb])", IN_QUOTES, quoted_password),
    _after(_QUOTE + _BLANK + "([{<", rf"{AFTER_NAME}{_GAP}(?=[(\[{{<])", IN_BRACKETS, in_brackets),
    _after(_BLANK + ">", r"(?:[ \t][^<>\r\n]{0,300})?>(?:<!\[cdata\[)?[ \t]{0,40}", _UNTIL_TAG, not_plain,
        r"<(?:[\w.-]{1,40}:)?[\w.-]{0,60}"),
    _after("\"'", rf"[\"'][^<>{{}}\r\n]{{0,120}}?\b{_ATTRIBUTE}{_GAP}(?:=>|[:=]){_GAP}", VALUE, not_plain,
        rf"[\"']{_WHOLE_NAME}"),
    _after(_BLANK + ",;", rf"{_GAP}[,; ]{_GAP}{_ATTRIBUTE}{_GAP}[:=]{_GAP}", VALUE, not_plain,
        rf"(?:name|key)[\"']?{_GAP}[:=]{_GAP}{_WHOLE_NAME}"),
    _after("\"'", r"[\"'][^<>\r\n]{0,120}>[ \t]{0,20}", _UNTIL_TAG, not_plain, rf"(?:name|key|id)=[\"']{_WHOLE_NAME}"),
    _after("\"'" + _BLANK + ":=", rf"[\"']?{_GAP}[:=]{_GAP}\{{[^{{}}\r\n]{{0,200}}?{_ATTRIBUTE}{_GAP}[:=]{_GAP}", VALUE,
        not_plain),
    _after("\"'," + _BLANK, rf"[\"']?{_GAP},{_GAP}(?=[bu]?[\"'][^\"'\r\n]{{1,4000}}[\"']{_GAP}[)\]])", IN_QUOTES,
        not_plain, rf"[(\[]{_GAP}(?:[bu]?[\"']|:){_WHOLE_NAME}"),
    _after("\"'," + _BLANK, r"[\"']?(?:,|\t+|[ \t]{3,60})(?=[^,\t\r\n]{1,400}$)", r"(?P<bare>\S{1,400})$", strong,
        rf"^{_GAP}[\"']?{_WHOLE_NAME}"),
    _after("|│┃" + _BLANK, rf"{_GAP}[|│┃]{_GAP}(?=[^|│┃\r\n]{{1,400}}[|│┃]?[ \t\r]*$)",
        r"(?P<bare>[^|│┃\r\n]{1,400}?)(?=[ \t]*[|│┃]?[ \t\r]*$)", not_plain, r"^[ \t]{0,20}[|│┃][\w .-]{0,60}"),
    _after(" ", rf"[ \t][^<>\r\n]{{0,120}}?\b{_ATTRIBUTE}{_GAP}={_GAP}(?=[\"'])", IN_QUOTES, not_plain,
        r"<[\w.:-]{0,60}"),
    _after(_BLANK,
        r"[ \t](?:(?:was|is|has been|successfully)[ \t]){0,2}"
        r"(?:set|changed|reset|updated|rotated|ge[äa]ndert)[ \t](?:back[ \t])?(?:to|in|auf):?[ \t]{1,20}", VALUE, ends_its_line),
    _after("是は", r"[是は][ \t]{0,3}", VALUE, not_plain),
    _after(_BLANK, rf"{_FOR}[ \t]{_IS}:?[ \t]{{1,20}}", VALUE, ends_its_line),
    _after(_BLANK, r"[ \t]{1,20}(?:reg_(?:sz|multi_sz|expand_sz|binary)[ \t]{1,20}|51:b:)", VALUE, not_plain),
    _after("]", r"\][ \t]{1,20}", VALUE, ends_its_line, r"\[[^\[\]\r\n]{0,60}"),
    _after("]", r"\][ \t]{0,3}(?:<-|←)[ \t]{0,3}", VALUE, not_plain),
    _after(_BLANK, r"[ \t]{1,3}[-–—][ \t]{1,3}", VALUE, ends_its_line),
    _after('"', r"\";s:\d{1,6}:", IN_QUOTES, not_plain, r"s:\d{1,6}:\"[\w.-]{0,60}"),
    _after(_BLANK + ";|~,/", r"[ \t]{0,3}(?:~>|[;|~,/]|(?<=[ \t]))[ \t]{0,3}", VALUE, strong_password),
    _after(" ", r"[ \t]{1,3}(?=\S{3,100}[ \t\r]*$)", r"(?P<bare>\S{3,100})", ftp_password, r"(?:^|[>\s])"),
    _after("\"' ", rf"[\"']?{_FOR} {_IS}(?: now)?:?[ \t]{{1,20}}", VALUE, strong, weak=True),
    _after(_BLANK, rf"{_FOR}(?: (?:to|as))?[ \t]{{1,20}}", VALUE, strong_password,
        r"\b(?:set|chang|reset|updat|us|with|try|enter)\w{0,6}[^\r\n:=]{0,40}"),
    _after("s\"':=" + _BLANK, r"s?\b[\"']?[ \t]{0,3}(?:(?:is|was|[:=])[ \t]{0,3})?[\"']?",
        r"(?P<bare>[\w+/=.-]{16,4000})", random_word, weak=True),
)  # fmt: skip

_STARTS: Final = frozenset("".join(notation.starts for notation in NOTATIONS))
_NOTATIONS: Final = {
    letter: tuple(notation for notation in NOTATIONS if letter in notation.starts) for letter in _STARTS
}
_WEAK: Final = {letter: tuple(notation for notation in found if notation.weak) for letter, found in _NOTATIONS.items()}

_NAME_HINTS: Final = """
    pass pwd pword secret token key cred sess sig kenn auth pw psk jwt bearer otp wacht contrase senha
    hasło haslo clave parola senord adgangskod zugangsdat salasana heslo jelsz
    ifre κωδικ geheim connect.sid парол 密码 密碼 パスワ 비밀"""
NAME_HINTS: Final = frozenset(_NAME_HINTS.split())
_HINTS: Final = NAME_HINTS.union(*(rule.hints for rule in RULES))
# For each hint: the rules that name it or a part of it, and whether to search for names.
_RULES_OF: Final = {hint: tuple(rule for rule in RULES if any(part in hint for part in rule.hints)) for hint in _HINTS}
_NAMING: Final = frozenset(hint for hint in _HINTS if any(part in hint for part in NAME_HINTS))
# Only addresses with a name or password matter. These hints overlap with others.
_OVERLAPPING: Final = ("-u", "-a", "p:", "p=", "su", "@", "/u")
_WEAK_NAME: Final = re.compile("key(?!_?p)")
_MOST_READ: Final = 8
_HINT: Final = re.compile(any_of(_HINTS.difference(("://", *_OVERLAPPING))) + r"|://(?=[^\s/]{0,400}@)")


def spans(line: str, lowered: str) -> Iterator[Span]:
    """The positions of the secrets of one line. `lowered` is the line in lower case, letter for letter."""
    hints = {*_HINT.findall(lowered), *(hint for hint in _OVERLAPPING if hint in lowered)}
    if not _NAMING.isdisjoint(hints):
        yield from _named(line, lowered)
    for rule in {rule for hint in hints for rule in _RULES_OF[hint]}:
        yield from _ruled(rule, line, lowered)


def _named(text: str, lowered: str) -> Iterator[Span]:
    """Values after a name, in any notation.

    A rejected value is read again for each name inside it, as in `pwd;pwd;pwd;...`. When a line has cost `_MOST_READ` times its
    length, the rest of it is masked unread.
    """
    over, edge, left = 0, -1, 0
    for name in ANY_NAME.finditer(lowered):
        start, end = name.span()
        if start < over or not is_name(text, start, name[0]):
            continue
        if start > edge:
            edge = lowered.find("\n", start) % (len(text) + 1)
            left = _MOST_READ * (edge - start)
        for notation in (_WEAK if _WEAK_NAME.match(name[0]) else _NOTATIONS).get(lowered[end : end + 1], ()):
            sign = notation.sign.match(lowered, end)
            if sign is None or not (
                notation.before is None or notation.before.search(lowered, max(0, start - 120), start)
            ):
                continue
            found = _value(notation.value, notation.secret, text, name[0], sign.end())
            if found is None:
                continue
            left -= found.end - found.start
            if found.secret or left < 0:
                over = found.end if found.secret else edge
                yield found.start, over
                break


def _ruled(rule: Rule, line: str, lowered: str) -> Iterator[Span]:
    if rule.lead is None:
        for shape in rule.value.finditer(line):
            yield shape.span()
        return
    over = 0
    for lead in rule.lead.finditer(lowered):
        for at in _places(rule, lowered, lead):
            found = _value(rule.value, rule.secret, line, "", at, lead.start()) if at >= over else None
            if found is not None and found.secret:
                over = found.end
                yield found.start, over


def _places(rule: Rule, lowered: str, lead: re.Match[str]) -> Iterable[int]:
    """Where values may start: right after the lead, or after each option of a command."""
    if rule.options is None:
        return (lead.end(),)
    command = SHELL.match(lowered, lead.end())
    return (
        option.end() for option in rule.options.finditer(lowered, lead.end(), command.end() if command else lead.end())
    )


class _Read(NamedTuple):
    """A value that was read, and whether it is a secret."""

    start: int
    end: int
    secret: bool


def _value(value: re.Pattern[str], secret: Check, line: str, name: str, at: int, lead: int = 0) -> _Read | None:
    match = value.match(line, at)
    if match is None:
        return None
    form = match.lastgroup or "bare"
    start, end = match.span(form)
    if form == "rest" and not name:
        start, end = _rest(line, lead, start, end)
    found = Found(line[start:end], form, line[max(0, start - 40) : start], line[end : end + 40], name)
    return _Read(start, end, end > start and secret(found))


def _rest(line: str, lead: int, start: int, end: int) -> Span:
    """A quoted header or header value ends with its quote; otherwise it fills the line."""
    quote = line[start] if line[start] in "\"'`" else line[lead - 1 : lead]
    quote = quote if quote in "\"'`" and (quote not in line[lead:start] or line[start] == quote) else ""
    start += line[start] == quote
    at = line.find(quote, start, end) if quote else -1
    if at <= start:
        return start, end
    return start, start + len(line[start:at].rstrip("\\"))
