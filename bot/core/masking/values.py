# ruff: noqa: RUF001  the notations include quotes of many languages
"""The names of secrets, how their values are written, and which values are only words about a secret."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

MASK: Final = "[redacted]"
Span = tuple[int, int]

_SUFFIX: Final = r"(?:[_.-]?(?:id|key(?:[_-]base)?|value|text|hash|b64|base64|string|plain|enc|\d{1,3}))?"
_PASSWORDS: Final = (
    r"pass[ _.-]?words?", r"pass[ _.-]?phrases?", r"pass[ _.-]?codes?", "passwds?", "passwort", "pwd", "pword", "kennwort",
    "wachtwoord", "contrase[ñn]a", r"mot[ _]de[ _]passe", "senha", "has[łl]o", "пароль", "密[码碼]", "パスワード", "비밀번호",
    r"parola(?: d'ordine)?", "l[öo]senord", "adgangskode", "passord", "salasana", "heslo", "jelsz[óo]", "şifre", "sifre",
    "κωδικ[όο]ς", "zugangsdaten",
)  # fmt: skip
_KEYS: Final = tuple(
    rf"{word}[ _.-]?key(?:[_-]?id)?"
    for word in (
        "api", "access", "account", "private", "session", "cookie", "hmac", "cipher", "encryption", "signing", "master",
        "subscription", "shared[ _-]?access", "shared", "storage", "ssh", "auth", "client", "consumer", "server", "deploy",
        "licen[sc]e", "sas", "service", "agent",
    )
)  # fmt: skip
_OTHERS: Final = (
    "secret", "token", "credentials?", r"sess(?:ion)?[ _-]?id", "signature", "geheimnis", r"authtok(?!en)", r"connect\.sid",
    *(
        rf"{word}_?p(?:w|ass)(?![a-z])"
        for word in (
            "db", "root", "admin", "bind", "user", "sys", "app", "ftp", "ssh", "smtp", "mail", "ldap", "sql", "store", "key",
            "smb", "pm", "vnc", "snmp", "http", "proxy", "svc", "ora", "pg", "redis",
        )
    ),
)  # fmt: skip
# Short names count only without a letter next to them: `compass` and `author` don't, `db_pass` does.
_SHORT: Final = ("pass", "auth", "sig", "pw", "psk", "creds?", "otp", "jwt", "bearer", "keys?", "clave")


def _by_first_letter(patterns: tuple[str, ...]) -> str:
    """A pattern for any of them, grouped by the first letter, which makes the search many times faster."""
    letters = dict.fromkeys(pattern[0] for pattern in patterns)
    return "|".join(f"{a}(?:{'|'.join(p[1:] for p in patterns if p[0] == a)})" for a in letters)


PASSWORDS: Final = f"(?:{_by_first_letter(_PASSWORDS)})"
NAMES: Final = f"(?:{_by_first_letter((*_PASSWORDS, *_KEYS, *_OTHERS))}){_SUFFIX}"
ANY_NAME: Final = re.compile(
    _by_first_letter(
        tuple(f"{name}{_SUFFIX}" for name in (*_PASSWORDS, *_KEYS, *_OTHERS))
        + tuple(f"{name}{_SUFFIX}(?![a-z])" for name in _SHORT)
    )
)
_A_NAME: Final = re.compile(NAMES)
_SHORT_NAME: Final = re.compile(rf"(?:{'|'.join(_SHORT)}){_SUFFIX}")
A_PASSWORD: Final = re.compile(PASSWORDS)
AFTER_NAME: Final = r"[\"'`”»\]}]{0,3}"
SEPARATOR: Final = rf"{AFTER_NAME}[ \t]{{0,60}}(?:=>|->|→|⇒|:=|={{1,3}}|::?)(?:[ \t]|\\[ntr]){{0,60}}"
# Letters before a quote (b'', N'', @""), then a value in quotes, or one without: characters that end it are part of it only
# between letters, as in `hunt;er2`, and not where another `name=` follows.
_QUOTED: Final = (
    r"(?:(?:[bBeEfFnNrRuUxX@$]|[bB][rR]|[rR][bBf])(?=[\"']))?"
    r"(?:\"\"\"(?P<triple>[^\r\n]{1,4000}?)(?:\"\"\"|$)|\"(?P<double>(?:[^\"\\\r\n]|\\.){1,4000})"
    r"|'(?P<single>(?:[^'\\\r\n]|\\.|''){1,4000})|`(?P<tick>[^`\r\n]{1,4000})|[“„](?P<curly>[^”“\r\n]{1,4000})"
    r"|[«‹](?P<angle>[^»›\r\n]{1,4000})|‘(?P<low>[^’\r\n]{1,4000}))"
)
_BRACKETS: Final = (
    r"(?:\((?P<round>[^()\r\n]{1,400})\)|\[(?P<square>[^\[\]\r\n]{1,4000})\]|\{(?P<brace>[^{}\r\n]{1,400})\}"
    r"|<{1,2}(?P<less>[^<>\r\n]{1,400})>{1,2})"
)
_BARE: Final = (
    r"(?P<bare>(?!\\+[\"'`])(?!&(?:[a-z]{2,5}|#\w{1,6});)(?!%(?:25){0,6}(?:22|27|60))"
    r"(?:\\ (?=\S)|[^\s,;&\"'`<>(){}\[\]|]|[(\[{](?=[\w.\"'])|<(?!/)(?=\w)|[\"'`)\]}>|](?=\w)"
    r"|[,;&](?![\s\"'{\[]|[\w.-]{1,40}[ \t]{0,3}[=:]|[A-Z][\w ]{1,30}=|$)){1,4000})"
)
VALUE: Final = re.compile(f"(?:{_QUOTED}|{_BRACKETS}|{_BARE})")
IN_QUOTES: Final = re.compile(_QUOTED)
IN_BRACKETS: Final = re.compile(_BRACKETS)
REST_OF_LINE: Final = re.compile(r"(?P<rest>[^\r\n]{1,16000})")

PLAIN: Final = re.compile(
    r"(?i)(?:null|none|nil|true|false|yes|no|on|off|ok|undefined|undef|unknown|unset|not set|set|empty|missing|required|optional"
    r"|expired|expires|invalid|valid|wrong|incorrect|correct|success|successful|succeeded|failed|failure|error|denied"
    r"|accepted|rejected|refused|enabled|disabled|changed|unchanged|updated|reset|hidden|masked|encrypted|present|absent"
    r"|found|default|read|see|siehe|string|str|bool|boolean|object|array|list|please|must|should|cannot"
    r"|can't|not|is|was|has|the|an?|for|from|to|in|of|and|or|with|too|done|weak|strong|abgelaufen|falsch|richtig|(?:un)?gültig|geändert|expirée?|incorrecte?|inválid[ao]|scaduta|errata|user|n/?a|noop|pass|fail"
    r"|incorrect[ao]|incorret[ao]|obligatori[ao]|obrigatóri[ao]|requerid[ao]|caducad[ao]|requise?|sbagliat[ao]|erforderlich|leer"
    r"|verlopen|onjuist|verplicht|feil|forkert|utgånget|fel|nieprawidłowe|wymagane|必填的?|错误的?|正确的?|空的?"
    r"|-+|\d{1,3}(?:\.\d+)?|\*+|x{3,}|\.{3}|…|•+|\[?redacted\]?|\(?sensitive(?: value)?\)?|\(?known after apply\)?|filtered"
    r"|n?(?:var)?char2?(?:\(\d*\)?)?|n?text|int|integer|http/\d\.\d|chauthtok|auth|pam_\w+\(.*|[A-Za-z_]\w*(?:\.\w+)+[(\[].*|\[filtered\]|\$\{[\w.:/-]{0,200}\}?|\{\{.{0,200}|%[sdvq]|<(?:redacted|hidden|masked|secret|nil|null|none|unset|empty)>?)"
    r"[.!?:,]?"
)
_PLAIN_WORDS: Final = re.compile(
    r"(?i)(?:publickey|password|token|basic|bearer|oauth2?|ldap|saml|kerberos|sssd|pam|jwt|mtls|iam|sha\d+|md5|rsa|hs256)"
)
_ERROR_CODE: Final = re.compile(r"[A-Z]{2,20}(?:[_-](?:[A-Z]{1,20}|\d{1,5}))+|[A-Z]{1,3}\d{2,4}")
_SENTENCE: Final = re.compile(r"[ ,.][ \t]?[\"']?[a-z]+\b")
_MESSAGE: Final = re.compile(r"(?i)permission denied|terminal prompts")
_DIRECTORY: Final = re.compile(
    r"/(?:home|root|tmp|var|srv|opt|usr|etc|data|mnt|app|build|builds|work|workspace)(?:/[\w.-]+)*/?"
)
_PATH: Final = re.compile(r"[./~]|[a-z._-]+(?:/[a-z._-]+)+/?$")
_REMARK: Final = re.compile(
    r"(?i)(?:is|must|should|can(?:not|'t)?|may|needs? to|has to|does)(?: not|n't)? (?:an? )?(?:too|be|contain|have|include|match"
    r"|exceed|required|invalid|incorrect|wrong|short|long|missing|empty|blank|expired|weak|known|common)\b"
)
_PAGE: Final = re.compile(r"[\w./-]+\.(?:md|html?|txt|rst|adoc|pdf)")
_SOURCE_PLACE: Final = re.compile(
    r"[\w.$]+\.(?:java|kt|scala|py|cs|js|ts|go|rb|groovy|php|cpp|c)(?::\d+)?|Native Method|Unknown Source"
    r"|[A-Za-z_][\w.$<>]*(?:\[\])?(?: \w+)?(?:, ?[\w.$<>]+(?:\[\])?(?: \w+)?)*"
)
_STRONG: Final = re.compile(r"(?=\S*[A-Za-z])(?=\S*[\d!@#$%^&*?+~])[^\s/\\]{4,}|\S*[!@#$^&*]\S*")
_TALK: Final = re.compile(
    r"(?i)(?:scanning|rotation|authentication|reset|manager|management|stores?|encryption|mismatch|exchange|length|polic(?:y|ies)"
    r"|characters|chars|times|attempts|days|digits|deleted|removed|added|created|prompt|field|protection|strings?|changes?|again|first)[.!:]?"
)
_LINE_END: Final = re.compile(r"[ \t.!]{0,5}(?:[\r\n]|$)")
_TEST_NAME: Final = re.compile(r"(?i)test|.*(?:/|::|\.py|\.go)")
# Most lines have no hint. This pattern, which begins with rare letters, finds the others; it may match too often.
_MAYBE: Final = re.compile(
    r"ode[\"']?(?: ?[:=] ?| is | )[\"'(]?\d{3}|otp {1,3}[\"'(]?\d{3}"
    r"|\?(?:code|sid|sig)=|&(?:code|sid|sig)=|-(?:begin|[ua][ =:]|xu |un |id[ =]|-user|-from-lit|stdin)|7z"
    r"|b(?:undle |ear|asi|cp |w |bitmq|rconn|rback|rarch)"
    r"|c(?:ode=|ontrase|re(?:d|t(?<=secret))|url|onn(?:ect(?:ing)?)? [\"']?\w+/|onnect\.s|f auth|ertutil|qlsh)"
    r"|d(?:ap(?:i|p?(?<=ldap))|ckr_|is-cli|octl)|f(?:acmd|asetup|ied(?<=identified)|_(?<=hf_)|re(?<=ifre)|tp>|tp -u|tk )"
    r"|g(?:est |h[pousr]_|in(?<=login)|ithub_pat|l(?:pat|rt|dt)-|nature|ot(?<=negot)|e-secret"
    r"|angskod|angsdat|eheim|ging in|webhook/)"
    r"|k(?:ey|admin|_(?:live|test)|en(?<=token)|enn|ie(?<=cookie)|s\.sl|init)|m(?:aria|ongo|ysql|ak-|munity)"
    r"|p(?:ass|roxy|sexec|w(?![eisn])|in(?:[\"' ]{0,2}[:=]| is )|sk|k_|dp |m(?:_|cmd|rep)|at_|ypi-|[=:]| [=:]|mit)"
    r"|q(?:l |lcmd|lpl|lld|pdf|uitto)"
    r"|r(?:ak-|man |e set|eg add|ar |acad|adtest)"
    r"|s(?:ess|ap(?=control)|chtasks|igntool|u -|q[apu]_|end (?:-- )?\"|[gk][_.-]|ig(?:[=: _]|nature|[kt])|enord|tdin"
    r"|mbcl|erid=|ha(?<=[{s]sha)|er \S{1,60} \S{3,100}[ \t\r]*(?:\n|$)|er(?:name)?=[\w.\\-]{1,60}%)"
    r"|u(?:th|do |seradd|sermod|t-param|nseal|lt login|ser \S{1,60} using |gfz)|v(?:[sb]\.|1[._]|ault kv)|w(?:get|acht|ine )"
    r"|n(?:mp|et1? (?:rpc )?user |cftp)|openssl|/(?:u(?:ser)?[: ]|bot\d|webhooks/\d|\t(?:true|false)\t)"
    r"|\$(?:[15689y]|2[aby]|14|apr1)\$"
    r"|a(?:rola|lias set|lasan|d -s|ckup[ _-]code|kia|sia|roa|iza|tatt)|e(?:slo|lsz|ry[ _-]code)|yptset|<<<"
    r"|:(?:5432:|\*:|thin|//(?=[^\s/]{0,400}@)|[^\s:@/]{6,100}@\w)|κωδικ"
    r"|enha|as[łl]o|clave|арол|密[码碼]|スワ|비밀|@(?:tcp|unix)\(|@//|@orcl|:1521|urestring"
    r"|jwt|%[4-7][0-9a-f]|&#(?:x[4-7]|\d{2,3};)|\\(?:u00|x)[4-7]"  # encoded letters, which may be part of a name
    r"|x(?:-|h |ox[abcdeoprs]-|app-)|y(?:j|a29|dra)|texec|onan |tp-basic|zip |ocspx|\.logon"
)


def hinted(lowered: str) -> bool:
    """False when this lower-case text can't contain a secret. Quick, and often True without one."""
    return _MAYBE.search(lowered) is not None


def is_name(text: str, start: int, name: str) -> bool:
    """False for a short name that is only a part of a word. Capitals separate words too, as in `userPass`."""
    if not _SHORT_NAME.fullmatch(name) or start == 0 or not text[start - 1].isalpha():
        return True
    return text[start].isupper() and text[start - 1].islower()


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first, that reads each letter once: ten times faster than a plain list."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[:1], []).append(word[1:])
    ends = by_first.pop("", None)
    branches = [re.escape(first) + any_of(rests) for first, rests in sorted(by_first.items())]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if ends else ''}"


def entropy(word: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(word)
    return -sum(n / total * math.log2(n / total) for n in Counter(word).values()) if total else 0.0


def looks_random(word: str) -> bool:
    """True for words that no person would write: long, with letters and digits, and little repetition."""
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return len(word) >= 16 and mixed and entropy(word) > 2.9


class Found(NamedTuple):
    """A possible value in a line: `value` is the text to mask, `form` its notation, `name` the name before it."""

    value: str
    form: str
    before: str
    after: str
    name: str = ""

    @property
    def password(self) -> bool:
        """True when the name means a password, whose value may be any word."""
        return bool(A_PASSWORD.match(self.name))


Check = Callable[[Found], bool]


def always(found: Found) -> bool:
    """Any value."""
    return found.value.strip() != MASK


def not_plain(found: Found) -> bool:
    """Not a word about a secret, a placeholder, or a structure whose parts are checked separately."""
    value = found.value.strip(" \t\"'")
    if not value or MASK in (value, f"[{value}]") or value.startswith(MASK) or PLAIN.fullmatch(value):
        return False
    if (
        _REMARK.match(value)
        or _MESSAGE.match(value + found.after)
        or (found.name == "pwd" and _DIRECTORY.fullmatch(value))
    ):
        return False
    if value.isupper() and _A_NAME.fullmatch(value.strip("[]<>{}.,").lower()):
        return False  # what a usage text says: `--token TOKEN`
    if found.form == "brace":
        return not re.search(r"[:=]", value)
    if found.form == "square":
        return not re.search(r"[\"']?\w[\"']?\s?[:=]|^--", value) and not _REMARK.match(value.lstrip("\"' "))
    return not (found.form == "bare" and not value.strip("([{<)]}>.,;:-/\\|"))


def not_sentence(found: Found) -> bool:
    """A password is any word. Error sentences about tokens and keys (`token: unexpected end`) are not values.

    The text after `PASS:` is the name of a test.
    """
    word = found.value
    if found.password:
        return not_plain(found)
    if found.name == "pass" and found.before.endswith(("PASS: ", "PASS ")):
        return not _TEST_NAME.match(word) and not_plain(found)
    colon = not found.before.endswith(("=", "= "))
    talk = colon and found.form == "bare" and word.isalpha() and word.islower() and _SENTENCE.match(found.after)
    return not talk and not_plain(found) and not _PLAIN_WORDS.fullmatch(word) and not _PAGE.fullmatch(word)


def of_user(found: Found) -> bool:
    """The password of `credentials: bob / x`, but not in `credentials: expired / renew`."""
    words = re.split(r"[:=]", found.before.rstrip(" \t/|:"))[-1].strip(" \t\"'")
    return not PLAIN.fullmatch(words) and not_sentence(found)


def of_database(found: Found) -> bool:
    """The password of `connect bob/x`, but not in `connect admin/console`."""
    return not_plain(found) and (found.after[:1] == "@" or " as sys" in found.after.lower() or strong(found))


def no_word(found: Found) -> bool:
    """After `Bearer`: rejects plain words and parameters of a challenge."""
    value = found.value
    word = value.strip("[]<>()")
    return not (word.isalpha() and (word.islower() or word.istitle())) and not re.match(r"[a-z_]+=", value)


def random_word(found: Found) -> bool:
    """A long word that no person would write."""
    return found.name != "pass" and looks_random(found.value)


def strong(found: Found) -> bool:
    """In running text: quoted, or a word with digits or punctuation inside, but not a path, a time or a number."""
    if found.form != "bare":
        return in_brackets(found) if found.form == "round" else not_plain(found)
    return not_plain(found) and bool(_STRONG.fullmatch(found.value.rstrip(".,;:!?)"))) and not found.value[0].isdigit()


def strong_password(found: Found) -> bool:
    """Like `strong`, but only after the name of a password."""
    return found.password and strong(found)


def ftp_password(found: Found) -> bool:
    """`PASS x`, a command of FTP and POP3."""
    return found.name == "pass" and found.before.rstrip().endswith("PASS") and strong(found)


def dialog(found: Found) -> bool:
    """`USER bob x` and `LOGIN bob x` of a server's protocol, but not `user bob left`: after a prompt, or a strong word."""
    word = re.search(r"(?:^|(ftp> ?)|[>:\s])(USER|LOGIN|user)[ \t]+\S+[ \t]+\"?$", found.before)
    return word is not None and not_plain(found) and (word[1] is not None or strong(found))


def argument(found: Found) -> bool:
    """The value of an option, but not its description in a usage text: `--password   Force a prompt`."""
    return not_plain(found) and not (
        found.before.endswith("  ") and found.value.isalpha() and _SENTENCE.match(found.after)
    )


def in_field(found: Found) -> bool:
    """What a browser types into a field whose selector names a password."""
    return not_plain(found) and bool(re.search(r"(?i)pass|pwd|pw\b|secret|token|[_-]key", found.before))


def passphrase(found: Found) -> bool:
    """Several plain words after the name of a passphrase."""
    return "phrase" in found.name


def in_brackets(found: Found) -> bool:
    """`password (x)`, but not a remark in words, and not the position or arguments of a function."""
    value = found.value
    if not not_plain(found) or (found.form == "brace" and ":" in value):
        return False
    attached = found.before[-2:-1] not in " \t"
    if attached and (value.isdigit() or (value[0] in "\"'" and not found.password)):
        return False  # a process id, or the argument of a function
    if found.form == "round" and attached:
        return not _SOURCE_PLACE.fullmatch(value) or bool(re.search(r"\d", value) and "." not in value)
    if " " in value.strip():
        return any(_STRONG.fullmatch(word) for word in value.split()) and not value[0].isdigit()
    if found.password:
        return not re.fullmatch(r"(?i)again|repeat|confirm|confirmation|bcrypt|argon2|scrypt|pbkdf2|sha\d+|md5", value)
    short = found.name == "jwt" and (len(value) < 5 or not re.search(r"[a-z]\d|\d[a-z]", value)) and len(value) < 8
    if (_ERROR_CODE.fullmatch(value) and not looks_random(value)) or short:
        return False  # `bad jwt (AUTH_01)`
    return not (value.isalpha() and (value.islower() or value.istitle())) and not _PLAIN_WORDS.fullmatch(value)


def quoted_password(found: Found) -> bool:
    """`password 'x'`, but not a quoted remark of several words unless the name is written as in SQL."""
    return found.password and not_plain(found) and ("PASSWORD" in found.before or " " not in found.value)


def ends_its_line(found: Found) -> bool:
    """A password in running text: quoted, strong, or any word that ends its line."""
    ends = found.form == "bare" and bool(_LINE_END.match(found.after)) and not _TALK.fullmatch(found.value)
    return strong_password(found) or (found.password and ends and not_plain(found))


def configured(found: Found) -> bool:
    """A value in the configuration of a device, where it may be any word, but not a sentence about passwords and keys."""
    return not_plain(found) and not _TALK.fullmatch(found.value)


def whole_line(found: Found) -> bool:
    """The rest of a line that contains only the name of a password and its value."""
    first = found.value.split(None, 1)[0] if found.value.strip() else ""
    return (
        found.password
        and bool(first)
        and not PLAIN.fullmatch(first.strip(".,;:"))
        and first[0] not in "\"'`|>{[(&<!\\"
        and not re.search(r"\S[ ,;&]{1,40}[\"']?[\w.-]{2,40}[\"']?(?:=|: )|[{}\[\]<>]|,[\w.-]+=", found.value)
    )


def more_than_counts(found: Found) -> bool:
    """Cookies, but not their numbers: `cookies: {"accepted": 12}`."""
    return not re.match(
        r"[\[({]\s*(?:[\"']?\w+[\"']?\s*[:=]\s*(?:\d{1,6}|true|false|null)\s*,?\s*)*[\])}]", found.value
    )


def typed(found: Found) -> bool:
    """The password in a command, but not a path or a port."""
    return not_plain(found) and not _PATH.match(found.value)


def user_and_password(found: Found) -> bool:
    """After `-u user:`, but not in `-u 1000:1000`."""
    return found.value != MASK and not found.value.isdigit()
