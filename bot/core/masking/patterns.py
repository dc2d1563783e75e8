# ruff: noqa: RUF001  the notations include quotes of many languages
"""Where a line contains secrets: after names, in HTTP and command-line credentials, and in known shapes.

Pure rules for one decoded line; `views` decodes it first. Sources: security.md D44 and F8, and the corpus
in tests/core/data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

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
    always,
    any_of,
    ftp_password,
    in_brackets,
    is_name,
    no_word,
    not_plain,
    not_sentence,
    passphrase,
    quoted_password,
    random_word,
    strong,
    strong_password,
    user_and_password,
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


class _Rule(NamedTuple):
    """Finds `lead` in lower case with `value` right after it, or `value` alone without a lead. Only
    lines with one of `hints` are searched."""

    hints: tuple[str, ...]
    lead: re.Pattern[str] | None
    value: re.Pattern[str]
    secret: Check


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE) if isinstance(pattern, str) else pattern


def _rule(hints: str, lead: str, value: str | re.Pattern[str], secret: Check = always) -> _Rule:
    return _Rule(tuple(hints.split()), re.compile(lead, re.MULTILINE), _compiled(value), secret)


def _shape(hints: str, value: str) -> _Rule:
    return _Rule(tuple(hints.split()), None, re.compile(value), always)


def _after(
    starts: str,
    sign: str,
    value: str | re.Pattern[str],
    secret: Check,
    before: str | None = None,
    *,
    weak: bool = False,
) -> _Notation:
    front = re.compile(before, re.MULTILINE) if before else None
    return _Notation(starts, re.compile(sign, re.MULTILINE), _compiled(value), secret, front, weak)


_ATTRIBUTE: Final = r"[\"']?(?:value|val|content|text|data|default|secret|plaintext|current|new|old)[\"']?"
_GAP: Final = r"[ \t]{0,20}"
_UNTIL_TAG: Final = r"(?P<bare>[^<\]\r\n]{1,4000})"
_WHOLE_NAME: Final = r"[\w.:-]{0,60}$"

_BLANK: Final = " \t"
_QUOTE: Final = "\"'`”»]"
_FOR: Final = r"(?: (?:for|of) [^\s]{1,60}(?: [^\s]{1,60})?)?"

# Tried in this order. The first that finds a value after a name decides.
NOTATIONS: Final[tuple[_Notation, ...]] = (
    _after(
        _QUOTE + _BLANK + ":=",
        rf"{AFTER_NAME}{_GAP}(?:=|: ?)[ \t]{{0,60}}",
        REST_OF_LINE,
        whole_line,
        r"^[ \t]*(?:- +|export +|set +)?[\"']?[\w.$-]{0,40}$",
    ),
    _after(_BLANK + ":=", r"[ \t]{0,20}[:=][ \t]{0,20}", r"(?P<bare>[a-z]+(?: [a-z0-9]+){2,12})", passphrase),
    _after(_QUOTE + _BLANK + ":=-→⇒", SEPARATOR, VALUE, not_sentence),
    _after(" ", rf"(?: (?:for|of) [^=:\r\n]{{1,60}}| \([a-z ]{{1,20}}\))[=:]{_GAP}", VALUE, not_sentence),
    _after(_BLANK, r"[ \t]{1,60}", VALUE, not_plain, r"(?:^|[\s\"'])(?:--?|/)[\w-]{0,40}$"),
    _after(_BLANK + "(", r"(?:[ \t]{1,20}|[ \t]{0,20}\()(?=[\"'`“„‘«enb])", IN_QUOTES, quoted_password),
    _after(_QUOTE + _BLANK + "([{<", rf"{AFTER_NAME}{_GAP}(?=[(\[{{<])", IN_BRACKETS, in_brackets),
    _after(
        _BLANK + ">",
        r"(?:[ \t][^<>\r\n]{0,300})?>(?:<!\[cdata\[)?[ \t]{0,40}",
        _UNTIL_TAG,
        not_plain,
        r"<(?:[\w.-]{1,40}:)?[\w.-]{0,60}$",
    ),
    _after(
        "\"'",
        rf"[\"'][^<>{{}}\r\n]{{0,120}}?\b{_ATTRIBUTE}{_GAP}(?:=>|[:=]){_GAP}",
        VALUE,
        not_plain,
        rf"[\"']{_WHOLE_NAME}",
    ),
    _after(
        _BLANK + ",;",
        rf"{_GAP}[,; ]{_GAP}{_ATTRIBUTE}{_GAP}[:=]{_GAP}",
        VALUE,
        not_plain,
        rf"(?:name|key)[\"']?{_GAP}[:=]{_GAP}{_WHOLE_NAME}",
    ),
    _after("\"'", r"[\"'][^<>\r\n]{0,120}>[ \t]{0,20}", _UNTIL_TAG, not_plain, rf"(?:name|key|id)=[\"']{_WHOLE_NAME}"),
    _after(
        "\"'" + _BLANK + ":=",
        rf"[\"']?{_GAP}[:=]{_GAP}\{{[^{{}}\r\n]{{0,200}}?{_ATTRIBUTE}{_GAP}[:=]{_GAP}",
        VALUE,
        not_plain,
    ),
    _after(
        "\"'," + _BLANK,
        rf"[\"']?{_GAP},{_GAP}(?=[bu]?[\"'][^\"'\r\n]{{1,4000}}[\"']{_GAP}[)\]])",
        IN_QUOTES,
        not_plain,
        rf"[(\[]{_GAP}(?:[bu]?[\"']|:){_WHOLE_NAME}",
    ),
    _after(
        "\"'," + _BLANK,
        r"[\"']?(?:,|\t+|[ \t]{3,60})(?=[^,\t\r\n]{1,400}$)",
        r"(?P<bare>\S{1,400})$",
        strong,
        rf"^{_GAP}[\"']?{_WHOLE_NAME}",
    ),
    _after(
        "|│┃" + _BLANK,
        rf"{_GAP}[|│┃]{_GAP}(?=[^|│┃\r\n]{{1,400}}[|│┃]?[ \t\r]*$)",
        r"(?P<bare>[^|│┃\r\n]{1,400}?)(?=[ \t]*[|│┃]?[ \t\r]*$)",
        not_plain,
        r"^[ \t]{0,20}[|│┃][\w .-]{0,60}$",
    ),
    _after(
        " ",
        rf"[ \t][^<>\r\n]{{0,120}}?\b{_ATTRIBUTE}{_GAP}={_GAP}(?=[\"'])",
        IN_QUOTES,
        not_plain,
        r"<[\w.:-]{0,60}$",
    ),
    _after(_BLANK + ";|~,/", r"[ \t]{0,3}(?:~>|[;|~,/]|(?<=[ \t]))[ \t]{0,3}", VALUE, strong_password),
    _after(" ", r"[ \t]{1,3}(?=\S{3,100}[ \t\r]*$)", r"(?P<bare>\S{3,100})", ftp_password, r"(?:^|[>\s])$"),
    _after("\"' ", rf"[\"']?{_FOR} (?:is|was)(?: now)?:?[ \t]{{1,20}}", VALUE, strong, weak=True),
    _after(
        _BLANK,
        rf"{_FOR}(?: (?:to|as))?[ \t]{{1,20}}",
        VALUE,
        strong_password,
        r"\b(?:set|chang|reset|updat|us|with|try|enter)\w{0,6}[^\r\n:=]{0,40}$",
    ),
    _after(
        "s\"':=" + _BLANK,
        r"s?\b[\"']?[ \t]{0,3}(?:(?:is|was|[:=])[ \t]{0,3})?[\"']?",
        r"(?P<bare>[\w+/=.-]{16,4000})",
        random_word,
        weak=True,
    ),
)


_STARTS: Final = frozenset("".join(notation.starts for notation in NOTATIONS))
_NOTATIONS: Final = {
    letter: tuple(notation for notation in NOTATIONS if letter in notation.starts) for letter in _STARTS
}
_WEAK: Final = {letter: tuple(notation for notation in found if notation.weak) for letter, found in _NOTATIONS.items()}

_HEADER: Final = (
    r"(?:proxy-|x-)?authorization|(?:set-)?cookie2?|x-[a-z-]{0,40}(?:key|token|secret|signature|auth|password)"
    r"|[a-z-]{0,40}-(?:api-key|auth-token|access-token)"
)
_SHELL: Final = r"[^\r\n|;]{0,300}?[ \t]"
_SHELL_WORD: Final = r"(?P<bare>(?!\d+\b|-)[^\s|;]{2,400})"

RULES: Final[tuple[_Rule, ...]] = (
    _rule(
        "auth cookie x- -key -token",
        rf"(?<![a-z0-9-])(?:{_HEADER})[\"'`]?[ \t]{{0,60}}(?:=>|->|[:=])[ \t]{{0,60}}",
        REST_OF_LINE,
    ),
    _rule(
        "bearer basic apikey negotiate digest",
        r"\b(?:bearer|basic|apikey|negotiate|digest)[ \t]{1,60}",
        r"(?P<bare>[\w.~+/=:-]{8,8000})",
        no_word,
    ),
    _rule("://", r"://[^\s/:@\"'<>]{0,100}:(?=[^\s\"'<>/]{1,256}@)", r"(?P<bare>[^\s\"'<>/]{1,256})(?=@)"),
    _rule("://", r"://(?=[^\s/:@\"'<>]{16,256}@)", r"(?P<bare>[^\s/:@\"'<>]{16,256})(?=@)", random_word),
    _rule(
        "thin: sqlplus sqlldr expdp impdp",
        r"(?:thin:|sqlplus|sqlldr|expdp|impdp)[ \t]{0,3}(?:-\w+[ \t])?\"?[\w$#.-]{1,60}/",
        r"(?P<bare>[^\s@/\"']{1,200})(?=@|\s|\"|'|$)",
        not_plain,
    ),
    _shape("eyj", r"eyJ[\w-]{8,4000}\.[\w-]{4,8000}(?:\.[\w-]{0,4000}){0,3}"),
    _shape("akia asia aroa", r"\b(?:AKIA|ASIA|AROA)[0-9A-Z]{16}\b"),
    _shape("aiza ya29. gocspx-", r"\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,2000}|GOCSPX-[\w-]{20,60})"),
    _shape("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255})"),
    _shape("glpat- glrt- gldt-", r"\bgl(?:pat|rt|dt)-[\w.-]{16,255}"),
    _shape(
        "npm_ pypi- dckr_pat_ hf_ dop_v1_",
        r"\b(?:npm_[A-Za-z0-9]{30,255}|pypi-[\w-]{30,400}|dckr_pat_[\w-]{20,100}|hf_[A-Za-z]{30,60}|dop_v1_\w{40,80})",
    ),
    _shape(
        "hvs. hvb. .atlasv1. dapi atatt nrak- pmak- shpat_ age-secret-",
        r"\b(?:hv[sb]\.[\w-]{20,300}|\w{14}\.atlasv1\.[\w-]{30,100}|dapi[0-9a-f]{32}|ATATT[\w=-]{20,300}|NRAK-\w{20,60}"
        r"|PMAK-[\w-]{20,80}|shpat_\w{20,60}|AGE-SECRET-KEY-\w{20,80})",
    ),
    _shape("xox xapp-", r"\bx(?:ox[abcdeoprs]|app)-[\w-]{8,500}"),
    _rule("hooks.slack", r"hooks\.slack[\w.-]{0,20}/(?:services|workflows|triggers)/", r"(?P<bare>[\w/-]{8,200})"),
    _shape("sk_ pk_ rk_ sk-", r"\b(?:[spr]k_(?:live|test)_[A-Za-z0-9]{10,255}|sk-[\w-]{20,255})"),
    _shape("sg.", r"\bSG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _shape(
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.{0,16000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
    ),
    # commands
    _rule(
        "curl wget xh",
        rf"\b(?:curl|wget|xh)\b{_SHELL}(?:-\w*u|-a|--user|--auth|--proxy-user)[= ]?[\"']?[\w.@\\-]{{1,80}}:",
        r"(?P<bare>[^\s\"']{1,400})",
        user_and_password,
    ),
    _rule(
        "-u -a",
        r"[ \t](?:-u|--user|-a)(?:[ \t]{0,3}|=)[\"']?(?=[a-z])[\w.@\\-]{1,80}:(?!//)",
        r"(?P<bare>[^\s\"']{1,400})",
        user_and_password,
    ),
    _rule(
        "mysql mariadb sshpass mongo login",
        r"\b(?:(?:mysql|mariadb|mongo)\w*|sshpass"
        rf"|(?:docker|podman|oc|helm|az|nexus|cf|buildah|skopeo|argocd)\b{_SHELL}?login)\b(?:{_SHELL}|[ \t])-p[= ]?",
        _SHELL_WORD,
        not_plain,
    ),
    _rule(
        "sqlcmd bcp isql osql zip redis-cli ldap 7z",
        rf"\b(?:(?:sqlcmd|bcp|[io]sql|(?:un)?zip)\b(?:{_SHELL}|[ \t])-p|redis-cli\b(?:{_SHELL}|[ \t])-a|ldap\w+\b{_SHELL}-w"
        rf"|7z[ar]?\b{_SHELL}-p)[= ]?",
        _SHELL_WORD,
        not_plain,
    ),
    _rule(
        "-u",
        rf"\b(?:smbclient|rpcclient|net|wmic|winexe)\b{_SHELL}-u[= ]?[\w./\\-]{{1,80}}%",
        r"(?P<bare>[^\s\"']{1,400})",
    ),
    _rule("htpasswd", r"htpasswd[ \t]+-\w*b\w*[ \t]+(?:\S+[ \t]+){1,2}(?=\S+[ \t\r]*$)", r"(?P<bare>\S{1,200})"),
    _rule(
        "chpasswd sudo -stdin",
        r"echo[ \t]+(?:-\w[ \t]+)?[\"']?(?:[\w.-]{1,60}:)?(?=[^\s|]{1,200}[ \t]*\|[^\r\n]{0,80}(?:passwd|sudo -s|-stdin))",
        r"(?P<bare>[^\s|\"']{1,200})",
    ),
    _rule(
        "identified",
        r"identified[ \t]+(?:with[ \t]+\S{1,60}[ \t]+)?(?:by|as)[ \t]+(?:password[ \t]+|values[ \t]+)?",
        VALUE,
        not_plain,
    ),
    # query strings and running text
    _rule(
        "?key= &key= code= ?auth= &auth= ?sid= &sid= ?sig= &sig=",
        r"[?&](?:key|code|auth|sid|sig)=",
        r"(?P<bare>[^&\s\"'#<>]{6,4000})",
        not_plain,
    ),
)
NAME_HINTS: Final = frozenset(
    (
        "pass",
        "pwd",
        "pword",
        "secret",
        "token",
        "key",
        "cred",
        "sess",
        "sig",
        "kenn",
        "auth",
        "pw",
        "psk",
        "jwt",
        "bearer",
        "otp",
        "wacht",
        "contrase",
    )
)
_HINTS: Final = NAME_HINTS.union(*(rule.hints for rule in RULES))
# For each hint: the rules that name it or a part of it, and whether to search for names.
_RULES_OF: Final = {hint: tuple(rule for rule in RULES if any(part in hint for part in rule.hints)) for hint in _HINTS}
_NAMING: Final = frozenset(hint for hint in _HINTS if any(part in hint for part in NAME_HINTS))
# Only addresses with a name or password matter. Options overlap with other hints.
_OPTIONS: Final = ("-u", "-a")
_HINT: Final = re.compile(any_of(_HINTS.difference(("://", *_OPTIONS))) + r"|://(?=[^\s/]{0,400}@)")


def spans(line: str, lowered: str) -> Iterator[Span]:
    """The positions of the secrets of one line. `lowered` is the line in lower case, letter for letter."""
    hints = {*_HINT.findall(lowered), *(option for option in _OPTIONS if option in lowered)}
    if not _NAMING.isdisjoint(hints):
        yield from _named(line, lowered)
    for rule in {rule for hint in hints for rule in _RULES_OF[hint]}:
        yield from _ruled(rule, line, lowered)


def _named(text: str, lowered: str) -> Iterator[Span]:
    """Values after a name, in any notation."""
    over = 0
    for name in ANY_NAME.finditer(lowered):
        start, end = name.span()
        if start < over or not is_name(text, start, name[0]):
            continue
        for notation in (_WEAK if lowered.startswith("key", start) else _NOTATIONS).get(lowered[end : end + 1], ()):
            sign = notation.sign.match(lowered, end)
            if sign is None or not (
                notation.before is None or notation.before.search(lowered, max(0, start - 120), start)
            ):
                continue
            found = _value(notation.value, notation.secret, text, name[0], sign.end())
            if found is not None:
                over = found[1]
                yield found
                break


def _ruled(rule: _Rule, line: str, lowered: str) -> Iterator[Span]:
    if rule.lead is None:
        for shape in rule.value.finditer(line):
            yield shape.span()
        return
    over = 0
    for lead in rule.lead.finditer(lowered):
        if lead.end() < over:
            continue
        found = _value(rule.value, rule.secret, line, "", lead.end(), lead.start())
        if found is not None:
            over = found[1]
            yield found


def _value(value: re.Pattern[str], secret: Check, line: str, name: str, at: int, lead: int = 0) -> Span | None:
    match = value.match(line, at)
    if match is None:
        return None
    form = match.lastgroup or "bare"
    start, end = match.span(form)
    if form == "rest" and not name:
        start, end = _rest(line, lead, start, end)
    found = Found(line[start:end], form, line[max(0, start - 40) : start], line[end : end + 40], name)
    return (start, end) if end > start and secret(found) else None


def _rest(line: str, lead: int, start: int, end: int) -> Span:
    """A quoted header or header value ends with its quote; otherwise it fills the line."""
    quote = line[start] if line[start] in "\"'`" else line[lead - 1] if lead and line[lead - 1] in "\"'`" else ""
    start += line[start] == quote
    at = line.find(quote, start, end) if quote else -1
    if at <= start:
        return start, end
    return start, start + len(line[start:at].rstrip("\\"))
