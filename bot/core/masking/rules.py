"""Where a line contains secrets without a name and a sign: HTTP credentials, commands, device configuration, known shapes."""

import re
from typing import Final, NamedTuple

from bot.core.masking.values import (
    IN_QUOTES,
    NAMES,
    PASSWORDS,
    REST_OF_LINE,
    VALUE,
    Check,
    always,
    configured,
    dialog,
    in_field,
    more_than_counts,
    no_word,
    not_plain,
    of_database,
    of_user,
    random_word,
    strong,
    typed,
    user_and_password,
)


class Rule(NamedTuple):
    """Finds `lead` in lower case with `value` right after it, or `value` alone without a lead. With `options`, the lead is
    a command, and the value is after each of its options. Only lines with one of `hints` are searched."""

    hints: tuple[str, ...]
    lead: re.Pattern[str] | None
    value: re.Pattern[str]
    secret: Check
    options: re.Pattern[str] | None = None


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """The pattern, in which `^` and `$` stand for the ends of a line."""
    return re.compile(pattern, re.MULTILINE) if isinstance(pattern, str) else pattern


def _rule(
    hints: str, lead: str, value: str | re.Pattern[str], secret: Check = always, options: str | None = None
) -> Rule:
    more = re.compile(options) if options else None
    return Rule(tuple(hints.split()), re.compile(lead, re.MULTILINE), compiled(value), secret, more)


def _shape(hints: str, value: str) -> Rule:
    return Rule(tuple(hints.split()), None, re.compile(value), always)


_HEADER: Final = (
    r"(?:proxy-|x-)?authorization|(?:set-)?cookie2?|x-[a-z-]{0,40}(?:key|token|secret|signature|auth|password)"
    r"|[a-z-]{0,40}-(?:api-key|auth-token|access-token)"
)
# A command up to its end, and a word of a shell.
SHELL: Final = re.compile(r"[^\r\n|;]{0,300}")
_SHELL_WORD: Final = re.compile(
    r"\"(?P<double>[^\"\r\n]{1,400})\"|'(?P<single>[^'\r\n]{1,400})'|[\"']?(?P<bare>(?!\d+\b|-)[^\s|;]{2,400})"
)
# The type of a value on a device, and a value that ends a command or is followed by an option.
_TYPE: Final = r"(?:(?:\d{1,3}|md5|(?:hmac-)?sha[\w-]{0,8}|ascii|hex|enc|encrypted|clear|plaintext|hash)[ \t]+){0,4}"
_DEVICE_VALUE: Final = (
    r"[\"']?(?P<bare>(?![=:|>-])[^\s\"',;]{2,400})"
    r"(?=[\"',;\]})]{0,4}[ \t\r]*$|[\"'],|[ \t]+(?:level|address|hostname|encrypted|role|privilege|timeout|\d{1,2}[ \t\r]*$))"
)

# The name of a field or selector, and commands that read a password from their input.
_FIELD: Final = rf"(?:{NAMES}|(?<![a-z])(?:pass|pw)(?![a-z]))"
_READERS: Final = (
    r"(?:\b(?:ch?passwd|smbpasswd|kinit|cryptsetup|vault[ \t]+login|read[ \t]+-s)\b|passwd|\bsu[ \t]+-|sudo[ \t]+-s\b|-stdin\b"
    r"|[ \t:=]stdin\b"
    r"|--with-token|passphrase-fd|--password(?:[ =]-|(?=[ \t]+<))|\bsecrets?\b[^|\r\n]{1,60}?-(?![\w-])|data-file=-)"
)

RULES: Final[tuple[Rule, ...]] = (
    _rule("auth cookie x- -key -token", rf"(?<![a-z0-9-])(?:{_HEADER})[\"'`]?[ \t]{{0,60}}(?:=>|->|[:=])[ \t]{{0,60}}",
        REST_OF_LINE),
    _rule("bearer basic apikey negotiate digest", r"\b(?:bearer|basic|apikey|negotiate|digest)[ \t]{1,60}",
        r"(?P<bare>[\w.~+/=:-]{8,8000})", no_word),
    _rule("://", r"://[^\s/:@\"'<>]{0,100}:(?=[^\s\"'<>/]{1,256}@)", r"(?P<bare>[^\s\"'<>/]{1,256})(?=@)"),
    _rule("://", r"://(?=[^\s/:@\"'<>]{16,256}@)", r"(?P<bare>[^\s/:@\"'<>]{16,256})(?=@)", random_word),
    _rule("://", r"https?://(?=[^\s/:@\"'<>]{8,256}@)", r"(?P<bare>[^\s/:@\"'<>]{8,256})(?=@)", strong),
    _rule("thin: sqlplus sqlldr expdp impdp",
        r"(?:thin:|sqlplus|sqlldr|expdp|impdp)[ \t]{0,3}(?:-\w+[ \t])?\"?[\w$#.-]{1,60}/",
        r"(?P<bare>[^\s@/\"']{1,200})(?=@|\s|\"|'|$)", not_plain),
    _rule("@tcp( @unix(", r"(?:^|(?<=[\s\"'`=]))[\w.-]{1,60}:(?=[^\s\"'`]{1,200}@(?:tcp|unix)\()",
        r"(?P<bare>[^\s\"'`]{1,200})(?=@(?:tcp|unix)\()"),
    _rule("@// @orcl :1521",
        r"(?:^|(?<=[\s\"'`=]))[a-z][\w$#]{0,60}/(?=[^\s@/\"'`]{1,200}@(?://[\w.-]{1,100}[:/]|orcl|[\w.-]{1,100}:1521))",
        r"(?P<bare>[^\s@/\"'`]{1,200})(?=@)"),
    _rule("pass secret token key senha",
        r"\b(?:value|val|content|data|default)[\"']?[ \t]{0,20}[:=][ \t]{0,20}"
        rf"(?=([\"'])[^\"'\r\n]{{1,400}}\1[^{{}}\r\n]{{0,120}}?\b(?:name|key|id|field)"
        rf"[\"']?[ \t]{{0,20}}[:=][ \t]{{0,20}}[\"'][\w.-]{{0,40}}{NAMES}[\"'])", IN_QUOTES, not_plain),
    # A change in a plan: the new value, whether or not the old one is hidden.
    _rule("pass pwd secret token key cred",
        rf"{NAMES}[\"']?[ \t]{{0,60}}[:=][ \t]{{0,20}}(?:\"[^\"\r\n]{{0,400}}\"|\([^()\r\n]{{1,60}}\)|[^\s\"(]{{1,400}})"
        r"[ \t]{1,20}(?:->|=>|→)[ \t]{1,20}", VALUE, not_plain),
    _rule("pass pwd secret token key cred", rf"{NAMES}[\"']?\]?[ \t]{{0,20}}(?:=>|[:=])[ \t]{{0,20}}"
        r"(?:!{1,2}[\w:-]{1,40}|&\w{1,40}|string\(\d{1,6}\))[ \t]{1,20}",
        VALUE, not_plain),
    _rule("pass pwd secret token key",
        rf"\b(?:configure|config)[ \t]{{1,20}}set[ \t]{{1,20}}(?:--?\w+[ \t]+){{0,3}}[\w.:/-]{{0,100}}?{NAMES}[ \t]{{1,20}}",
        _SHELL_WORD, not_plain),
    _rule("auth login cred",
        r"(?:\blogin|(?<=\w{3})auth|credentials?)(?:\]::new)? ?\([ \t]{0,5}(?:\w{1,30}=)?[\"'][^\"'\r\n]{1,100}[\"'],[ \t]{0,5}"
        r"(?:\w{1,30}=)?(?=[\"'])", IN_QUOTES, not_plain),
    _rule("pass", rf"\bset_?{PASSWORDS}\([ \t]?[\"'][^\"'\r\n]{{1,100}}[\"'],[ \t]?", IN_QUOTES, not_plain),
    _rule("insert",
        rf"\binsert[ \t]+into\b[^()\r\n]{{1,100}}\([^()\r\n]{{0,1000}}?{_FIELD}[^()\r\n]{{0,1000}}\)[ \t]*values[ \t]*\(",
        r"(?P<bare>[^()\r\n]{1,4000})", not_plain),
    _rule("auth", r"\bauth(?:enticate)?[ \t]+(?:plain|login|xoauth2|oauthbearer|cram-md5)[ \t]+",
        r"(?!XOAUTH|OAUTH|CRAM|DIGEST|NTLM|GSSAPI|SCRAM|EXTERNAL)(?P<bare>(?=[A-Z+/]*[a-z0-9])[A-Za-z0-9+/]{4,4000}={0,2})",
        no_word),
    # A browser that fills a form: `sendKeys(By.id('password'), 'hunter22')`, `Fill "Password" with "hunter22"`.
    _rule("pass pwd secret token key pin",
        rf"\b(?:send_?keys|fill|type|enter|input|set_?(?:value|text))\w{{0,20}}[^\r\n\"']{{0,40}}[\"'][^\"'\r\n]{{0,60}}?{_FIELD}"
        r"[^\"'\r\n]{0,20}[\"']\]?\)?,?[ \t]{0,3}(?:(?:with|as|to|value|text|=)[ \t:]{1,3})?(?=[\"'])", IN_QUOTES, not_plain),
    # A browser whose commands have a selector or a field first (`type #pass hunter22`), or the text.
    _rule("pass pwd pw secret token key pin",
        rf"\b(?:send_?keys|fill|typ(?:e|ing)|enter|input|set[ _]?value)\b[^\r\n]{{0,80}}?(?:[#=\[][^\s\[\]]{{0,40}}?{_FIELD}"
        rf"[^\s\[\]]{{0,20}}\]?|[ \t]{PASSWORDS})(?:[ \t](?:to|with)[ \t]|[ \t]{{1,8}}|[ \t]{{0,3}}\|[ \t]{{0,3}})[\"']?",
        r"(?P<bare>[^\s\"'|]{2,400})(?=[\"']?[ \t|]{0,8}[\r]?$)", configured),
    _rule(".fill( .type( .val( .sendkeys( .send_keys( .set", r"\.(?:fill|type|val|send_?keys|set_?\w{1,9})\(", IN_QUOTES,
        in_field),
    _rule("pass pwd pw",
        r"\b(?:send|fill|typ(?:e|ing)|enter|input|set)\w{0,8}[ \t](?:text[ \t])?[\"']?"
        rf"(?=[^\s\"']{{4,200}}[\"']?[ \t](?:in|into|to|on)[ \t][^\r\n]{{0,30}}?{_FIELD})", r"(?P<bare>[^\s\"']{4,200})", strong),
    _rule("pass", r"\bsend[ \t]+[\"'](?=[^\"'\r\n]{2,200}[\"'][ \t]+after[ \t]+password)", r"(?P<bare>[^\"'\r\n\\]{2,200})"),
    _rule("send", r"\bsend[ \t]+(?:--[ \t]+)?\"", r"(?P<bare>[^\s\"\\]{4,200})(?=\\[rn]\")", strong),
    # A dialog with a server: `USER bob hunter22`, `a1 LOGIN "bob" "hunter22"`, `<<< PASS hunter22`, `AUTH hunter22`.
    _rule("user", r"user[ \t]+[^\s:=]{1,60}[ \t]+", r"(?P<bare>[^\s:=,]{3,100})(?=[ \t\r]*$)", dialog),
    _rule("login", r"login[ \t]+\"?[^\s\":=]{1,60}\"?[ \t]+", r"\"?(?P<bare>[^\s\",:=]{3,100})(?=\"?[ \t\r]*$)", dialog),
    _rule("pass", r"[<>-]{1,4}[ \t](?:quote[ \t]+)?pass[ \t]+", r"(?P<bare>\S{3,100})(?=[ \t\r]*$)", not_plain),
    _rule("auth", r"(?:^|[>\"])[ \t]?auth\"?[ \t]+(?:\d\)[ \t]|\w+[ \t]+)?\"?",
        r"(?P<bare>(?!\S+\.so\b)[^\s\"]{3,200})(?=\"?[ \t\r]*$)", strong),
    # What a command reads from its input: `echo hunter22 | sudo -S ls`, `kinit bot <<< hunter22`.
    _rule("passwd su sudo stdin kinit cryptsetup login with-token passphrase -password secret",
        r"(?:\b(?:echo(?:[ \t]+-\w+)*|write-output|yes|printf(?:[ \t]+[\"']%s[^\"'\r\n]{0,4}[\"'])?)[ \t]+"
        r"|<<<[ \t]?)[\"']?(?:[\w.-]{1,60}:)?"
        rf"(?=[^|\r\n]{{1,200}}\|[^\r\n]{{0,80}}?{_READERS})", r"(?P<bare>[^\s|\"']{2,200})", not_plain),
    _rule("<<<", rf"{_READERS}[^|\r\n]{{0,80}}?[^<]<<<[ \t]?(?=[^<\s])", r"[\"']?(?P<bare>[^\s|\"']{2,200})", not_plain),
    # A user's name and password: `credentials: bob / hunter22`.
    _rule("cred login",
        r"\b(?:credentials?|creds?|logins?)[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?[^\s/|:,;\"'=]{1,60}[ \t]{1,3}[/|:][ \t]{1,3}",
        r"(?P<bare>[^\s\"',;]{2,200})", of_user),
    _rule("login logging", r"\blog(?:in|ging[ \t]in)(?:[ \t](?:attempt|as|with|for))*[ \t]+"
        r"(?:[\[(\"']?[a-z][\w.@-]{0,60}:|[\[(\"'][a-z][\w.@-]{0,60}/"
        r"|[a-z][\w.@-]{0,60}/(?=\S+[ \t](?:succeeded|failed)))",
        r"(?P<bare>[^\s\"',;/:\])]{4,200})", strong),
    _rule("cred", r"\bcred(?:ential)?s?[ \t]+[a-z][\w.@-]{1,60}[ \t/:]", r"(?P<bare>[^\s\"',;/:]{4,200})", strong),
    _rule("token key",
        r"\b(?:(?:us(?:e|ing)|with)[ \t]+(?:\w{1,20}[ _-])?|(?:bootstrap|join|enroll?ment|registration)[ _-])"
        r"(?:token|(?:api|access|secret|private)[ _-]?key)[ \t]+",
        r"(?P<bare>[^\s\"',;/:]{6,200})", strong),
    _rule("api_key apikey access-token _auth", r"(?:\bapi_?key|\baccess[_-]token|\b_auth(?:token)?)[ \t]+",
        r"(?P<bare>[^\s\"',;/:]{6,200})", strong),
    _rule("pass",
        r"\b(?:user(?:name)?|log[io]n|log[ \t]in|sign[ \t]in|account|uid|connect(?:ing|ed)?|auth(?:enticat\w{1,4})?)"
        r"(?:[ \t]+(?:as|with|to|user)){0,2}[ \t]+[^\s,;:=]{1,60}[ \t,]{1,3}(?:and[ \t])?pass[ \t]+",
        r"(?P<bare>[^\s\"',;]{4,200})", strong),
    # Numbers that a person types to log in. Other codes, such as an exit code, have another word before them.
    _rule("pin code",
        r"(?<![a-z0-9])(?:pin(?:[ _-]?(?:code|number))?|(?:one[ _-]?time|otp|verification|security|authentication|login|sms"
        r"|[2m]fa|two[ _-]?factor|confirmation)[ _-]?(?:pin|code))[\"']?(?:[ \t]{0,20}[:=][ \t]{0,20}|[ \t](?:is|was)[ \t])"
        r"[\"']?", r"(?P<bare>\d{3}[ -]\d{3}|\d{4,10})(?![\w-]|[.]\d)"),
    _rule("otp code",
        r"(?<![a-z0-9])(?:t?otp|passcode|(?:one[ _-]?time|verification|security|sms|[2m]fa|two[ _-]?factor|confirmation)"
        r"[ _-]?(?:pass)?code)[ \t]{1,3}[\"'(]?", r"(?P<bare>\d{3}[ -]\d{3}|\d{6,8})(?![\w-]|[.]\d)"),
    _shape("eyj", r"eyJ[\w-]{8,4000}\.[\w-]{4,8000}(?:\.[\w-]{0,4000}){0,3}"),
    _shape("akia asia aroa", r"\b(?:AKIA|ASIA|AROA)[0-9A-Z]{16}\b"),
    _shape("aiza ya29. gocspx-", r"\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,2000}|GOCSPX-[\w-]{20,60})"),
    _shape("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255})"),
    _shape("glpat- glrt- gldt-", r"\bgl(?:pat|rt|dt)-[\w.-]{16,255}"),
    _shape("npm_ pypi- dckr_pat_ hf_ dop_v1_ sqp_ squ_ sqa_",
        r"\b(?:npm_[A-Za-z0-9]{30,255}|sq[apu]_[0-9a-f]{40}|pypi-[\w-]{30,400}|dckr_pat_[\w-]{20,100}|hf_[A-Za-z]{30,60}|dop_v1_\w{40,80})"),
    _shape("hvs. hvb. .atlasv1. dapi atatt nrak- pmak- shpat_ age-secret-",
        r"\b(?:hv[sb]\.[\w-]{20,300}|\w{14}\.atlasv1\.[\w-]{30,100}|dapi[0-9a-f]{32}|ATATT[\w=-]{20,300}|NRAK-\w{20,60}"
        r"|PMAK-[\w-]{20,80}|shpat_\w{20,60}|AGE-SECRET-KEY-\w{20,80})"),
    _shape("xox xapp-", r"\bx(?:ox[abcdeoprs]|app)-[\w-]{8,500}"),
    _rule("hooks.slack api.telegram /webhooks/ /incomingwebhook/",
        r"hooks\.slack[\w.-]{0,20}/(?:services|workflows|triggers)/|api\.telegram\.org/bot\d{1,20}:|/api/webhooks/\d{1,30}/"
        r"|/incomingwebhook/", r"(?P<bare>[\w/-]{8,200})"),
    _shape("sk_ pk_ rk_ sk-", r"\b(?:[spr]k_(?:live|test)_[A-Za-z0-9]{10,255}|sk-[\w-]{20,255})"),
    _shape("sg.", r"\bSG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _shape("-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.{0,16000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"),
    # commands
    _rule("curl wget xh", r"\b(?:curl|wget|xh)\b", r"(?P<bare>[^\s\"']{1,400})", user_and_password,
        r"[ \t](?:-\w*u|-a|--user|--auth|--proxy-user)[= ]?[\"']?[\w.@\\-]{1,80}:"),
    _rule("curl", r"\bcurl\b", r"(?P<bare>[^\s\"']{2,4000})", always,
        r"[ \t](?:(?:-b|--cookie)[ =]?[\"']?[\w.-]{1,60}=|(?:-e|--cert|--proxy-cert)[ =]?[\"']?[\w./-]{1,200}:(?!//))"),
    _rule("-u -a", r"[ \t](?:-u|--user|-a)(?:[ \t]{0,3}|=)[\"']?(?=[a-z])[\w.@\\-]{1,80}:(?!//)",
        r"(?P<bare>[^\s\"']{1,400})", user_and_password),
    _rule("mysql mariadb sshpass mongo login sqlcmd bcp isql osql zip psexec ipmitool racadm ncftp mosquitto twine rar 7z"
        " cqlsh pmcmd certutil useradd usermod hydra conan",
        r"\b(?:(?:mysql|mariadb|mongo|psexec|ncftp|mosquitto_)\w*|sshpass|login|sqlcmd|bcp|[io]sql|(?:un)?zip|ipmitool|racadm"
        r"|twine|rar|7z[ar]?|cqlsh|pmcmd|certutil|user(?:add|mod)|hydra|conan)\b", _SHELL_WORD, not_plain, r"[ \t]-h?p[= ]?"),
    _rule("redis-cli snmp", r"(?<![a-z])(?:redis-cli|snmp\w*)\b", _SHELL_WORD, not_plain,
        r"[ \t]-[acx][ \t]+(?!(?:md5|sha|3?des|aes))"),
    _rule("ldap vsql kadmin generic-password", r"\b(?:ldap\w+|vsql|kadmin|security)\b", _SHELL_WORD, not_plain, r"[ \t]-w[= ]?"),
    _rule("ldappasswd", r"\bldappasswd\b", _SHELL_WORD, not_plain, r"[ \t]-[as][= ]?"),
    _rule("openssl ssh-keygen doctl gh schtasks signtool dtexec keyvault put-parameter",
        r"\b(?:openssl|ssh-keygen|doctl|gh[ \t]+secret|schtasks|signtool|dtexec|keyvault|put-parameter)\b",
        _SHELL_WORD, not_plain, r"[ \t](?:-[knb]|/(?:r?p|de)|--body|--value|(?<=doctl auth init )-t)[= ][ \t]*"),
    _rule("pmrep infacmd infasetup", r"\b(?:pmrep|infacmd|infasetup)\b", _SHELL_WORD, not_plain, r"[ \t]-(?:x|pd|dp)[ \t]+"),
    _rule("vault --from-literal", r"\bvault[ \t]+kv[ \t]+(?:put|patch)\b|(?=[ \t]--from-literal)", _SHELL_WORD, not_plain,
        r"[ \t](?:--from-literal[= ])?[\"']?\w[\w.-]{0,60}=(?!@)"),
    _rule("-u", r"\b(?:smbclient|rpcclient|net|wmic|winexe)\b", r"(?P<bare>[^\s\"']{1,400})", always,
        r"[ \t]-u[= ]?[\w./\\-]{1,80}%"),
    _rule("/user:", r"\bnet1?(?:\.exe)?[ \t]+use\b", _SHELL_WORD, not_plain,
        r"[ \t](?:\\\\\S{1,200}[ \t]+(?=[\"']?[^\s/]\S{0,200}[ \t]+/user:)|/user:\S{1,100}[ \t]+(?!/))"),
    _rule("/user:", r"\brunas\b", r"(?P<bare>(?![\"'/])\S{4,200})", strong, r"[ \t]/user:\S{1,100}[ \t]+"),
    # Any command with the options of a user and a password, in this order or the other: `-u bob -p x`, `/p:x /u:bob`.
    _rule("-u /u -xu -id", r"[ \t](?:(?<!sudo[ \t])--?|/)(?:x?un?|id|us(?:e?r|ername))(?:[:=]|[ \t]+)\S{1,80}", _SHELL_WORD,
        typed, r"[ \t](?:--?|/)x?p[adw]?(?:[:=]|[ \t]+)"),
    _rule("-u /u -xu", r"[ \t](?:--?|/)x?p[dw]?(?:[:=]|[ \t]+)"
        r"(?=\S{2,200}[^\r\n|;]{0,80}?[ \t](?:--?|/)(?:x?un?|us(?:e?r|ername))[:= ])", _SHELL_WORD, typed),
    _rule("p: p=",
        r"(?<![\w-])u(?:n|sr|ser)?[ \t]?[:=][ \t]?[\"']?[^\s\"',;&:=]{1,60}[\"']?[ \t,;/&]{1,3}p[ \t]?[:=][ \t]?", VALUE,
        not_plain),
    _rule("user",
        r"net1?(?<![a-z.]net)(?<![a-z.]net1)[ \t]+(?:rpc[ \t]+)?user[ \t]+(?:add[ \t]+)?[^\s/]\S{0,60}[ \t]+(?!/)",
        _SHELL_WORD, strong),
    _rule("reg", r"\breg[ \t]+add\b", _SHELL_WORD, not_plain,
        rf"[ \t]/v[ \t]+[\"']?[\w.-]{{0,40}}?{_FIELD}[\"']?[ \t]+(?:[^\r\n|;]{{0,80}}?[ \t])?/d[ \t]+"),
    _rule("login", r"\bsp_addlogin\b", IN_QUOTES, not_plain, r",[ \t]{0,5}(?=n?')"),
    _rule("pass", r"\bsp_password\b", IN_QUOTES, not_plain, r"[ \t,](?=n?')"),
    # Commands with a password at a fixed place, or after a letter that means one only there.
    _rule("lftp open brconnect brbackup brarchive", r"\b(?:lftp|open|br[a-z]{4,7})\b[^\r\n]{0,60}?[ \t]-u[ \t]?[\w.@-]{1,60}[,/]",
        r"(?P<bare>[^\s\"']{2,200})"),
    _rule("conn userid= .logon",
        r"\b(?:conn(?:ect(?:ing)?)?|userid=)[ \t]{0,3}[\"']?[a-z][\w$#]{0,60}/|\.logon[ \t]+[\w./-]{1,60},",
        r"\"?(?P<bare>[^\s@/\"';]{2,200})(?=\"?@\S|[ \t]+(?:as[ \t]+sys|\w+=)|[\"';]?[ \t\r]*$)", of_database),
    _rule("rman", r"\brman\b", r"(?P<bare>[^\s@/\"';]{2,200})", not_plain,
        r"[ \t](?:target|catalog|auxiliary)[ \t]{0,3}=?[\"']?[a-z][\w$#]{0,60}/"),
    # `bob:x@host` in a command. Alone, it may be a target: `acc-prod:nightly2@eu`.
    _rule("@ bundle",
        r"\bbundle[ \t]+config\b[^\r\n]{0,80}?[ \t][\w.-]{1,40}:"
        r"|(?<=[ \t/:\"'=])(?!mailto|sips?:|to:|from:|e?mail|user|npm:)[a-z][\w.-]{0,40}:(?=[^\s:@/\"']{6,100}@(?!sha)[\w.-])",
        r"(?P<bare>[^\s:@/\"']{6,100})(?=@|[ \t\r]*$)", strong),
    _rule("using smbclient",
        r"\bconnect[ \t]+to[ \t]+\S{1,60}[ \t]+user[ \t]+\S{1,60}[ \t]+using[ \t]+|\bsmbclient[ \t]+//\S{1,200}[ \t]+(?!-)",
        _SHELL_WORD, not_plain),
    _rule("requirepass masterauth bindpw rootpw", r"(?:^[ \t]*|\bset[ \t]+)(?:requirepass|masterauth|bindpw|rootpw)[ \t]+", VALUE,
        not_plain),
    _rule("login", r"\b(?:machine[ \t]+\S{1,100}|default)[ \t]+login[ \t]+\S{1,100}[ \t]+password[ \t]+", r"(?P<bare>\S{1,200})"),
    _rule("proxy", r"prox(?:y|ies)[\w\"']{0,20}[ \t]{0,3}[:=]?[ \t]{0,3}[\"']?(?:https?://)?[\w.-]{1,100}:\d{2,5}:[^\s:]{1,60}:",
        r"(?P<bare>[^\s\"',;:]{2,200})", strong),
    _rule(":5432: :*:", r"^[\w.*-]{1,100}:(?:5432|\*):[^\s:]{1,60}:[^\s:]{1,60}:", r"(?P<bare>\S{2,200})(?=[ \t\r]*(?:#|$))"),
    _rule("rabbitmqctl pdftk bw login unlock vault pass auth token radtest sapcontrol hdbuserstore alias http-basic",
        r"\b(?:rabbitmqctl[ \t]+(?:add_user|change_password)[ \t]+\S{1,60}|pdftk\b[^\r\n]{1,200}?(?:user|owner)_pw"
        r"|bw[ \t]+(?:login[ \t]+\S{1,60}|unlock)|vault[ \t]+operator[ \t]+unseal|(?:vault|cargo)[ \t]+login"
        r"|config[ \t][^\r\n]{0,40}?http-basic\.\S{1,100}[ \t]+\S{1,60}|wpa_passphrase[ \t]+\S{1,60}"
        r"|cf[ \t]+auth[ \t]+\S{1,60}|(?:activate-refresh-token|set-agent-token|radtest)[ \t]+\S{1,60}"
        r"|sapcontrol\b[^\r\n]{0,60}?[ \t]-user[ \t]+\S{1,60}"
        r"|\b(?:hdbuserstore[ \t]+(?:-i[ \t]+)?|alias[ \t]+)set(?:[ \t]+\S{1,200}){3})[ \t]+",
        r"(?P<bare>(?!-)[^\s|;]{2,400})", no_word),
    _rule("unseal", r"\bunseal key(?: \d)?:[ \t]+", r"(?P<bare>\S{8,200})"),
    _rule("qpdf", r"\bqpdf\b[^\r\n]{0,100}?--encrypt[ \t]+", r"(?P<bare>\S{2,100}[ \t]+\S{2,100})"),
    _rule("user= username=", r"\buser(?:name)?=[\w.\\-]{1,60}%", r"(?P<bare>(?![0-9a-f]{2})[^\s,\"']{2,200})", strong),
    _rule("--arg git variable session:",
        rf"(?:--arg|\bgit[ \t]+config|\bvariable[ \t]+set|\bset[ \t]+session:)[ \t]*"
        rf"(?:--?\w+[ \t]+){{0,4}}[\w.:/-]{{0,60}}?{_FIELD}[ \t]+",
        _SHELL_WORD, not_plain),
    _rule("community",
        r"\b(?:snmp[ \t_-]+community\}?|community[ \t]+string)(?:[ \t]{0,3}[:=][ \t]{0,3}|[ \t]+(?:is[ \t]+)?)[\"']?",
        r"(?P<bare>[^\s\"',;]{2,200})", configured),
    _rule("recovery backup",
        r"\b(?:recovery|backup)[ _-]codes?[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"'\[]?", r"(?P<bare>[\w-]{6,40})", no_word),
    _rule("pass", rf"\bcontents?[ \t]of[ \t](?:the[ \t])?{PASSWORDS}[ _-]file\S{{0,100}}?[ \t]?[:=][ \t]{{0,20}}",
        VALUE, not_plain),
    _rule("true false", r"\t(?:true|false)\t\d{1,12}\t[^\t\r\n]{1,100}\t", r"(?P<bare>[^\t\r\n]{4,4000})(?=[ \t\r]*$)"),
    _rule("pass",
        r"pass\w{0,20}(?:c(?:omman|m)d|eval)[\"']?(?:[ \t]{0,3}[:=])?[ \t]{0,3}[\"']?(?:echo|printf)(?:[ \t]-\w)?[ \t]+",
        _SHELL_WORD),
    _rule("cookies", r"\bcookies[\"']?[ \t]{0,3}[:=][ \t]{0,3}(?=[\[({])", REST_OF_LINE, more_than_counts),
    _rule("securestring", r"convertto-securestring[ \t]+(?:-(?:string|asplaintext|force)[ \t]+){0,3}(?![$(@-])", VALUE,
        not_plain),
    _rule("htpasswd", r"htpasswd[ \t]+-\w*b\w*[ \t]+(?:\S+[ \t]+){1,2}(?=\S+[ \t\r]*$)", r"(?P<bare>\S{1,200})"),
    _rule("identified", r"identified[ \t]+(?:with[ \t]+\S{1,60}[ \t]+)?(?:by|as)[ \t]+(?:password[ \t]+|values[ \t]+)?",
        VALUE, not_plain),
    # configuration of network devices: the type of the encoding is a number before the value
    _shape("$apr1$ {sha {ssha", r"\$apr1\$[\w./$]{8,200}|\{S?SHA\d{0,3}\}[\w+/=]{16,200}"),
    _shape("$1$ $2a$ $2b$ $2y$ $5$ $6$ $8$ $9$ $14$ $y$", r"\$(?:1|2[aby]|5|6|8|9|14|y)\$[\w./$+=-]{8,300}"),
    _rule("pass secret key",
        r"\b(?:password|passwd|secret|key(?:-string)?|md5)[ \t]+"
        r"(?:7[ \t]+(?=[0-9a-f]{4,200}\b)|[0689][ \t]+(?=\S{3,200}[\"']?[ \t\r]*$))", _DEVICE_VALUE, configured),
    _rule("pass secret",
        r"(?:\b|^(?=[ \t]))(?:username[ \t]+(?!and\b|or\b|with\b)[^\s:=,]{1,60}[ \t]+(?:[\w-]{1,20}[ \t]+[\w-]{1,30}[ \t]+){0,3}?"
        r"|enable[ \t]+(?:algorithm-type[ \t]+\S{1,20}[ \t]+)?"
        r"|(?:neighbor|peer)[ \t]+\S{1,60}[ \t]+|ip[ \t]+(?:ftp|http[ \t]+client)[ \t]+"
        r"|ppp[ \t]+(?:chap|pap)[ \t]+(?:sent-username[ \t]+\S{1,60}[ \t]+)?"
        r"|set[ \t]+|^[ \t]{1,8})"
        rf"(?:password|passwd|psksecret|secret)[ \t]+{_TYPE}", _DEVICE_VALUE, configured),
    _rule("key secret",
        r"(?:\b|^(?=[ \t]))(?:(?:tacacs|radius|server-private|aaa)[\w-]{0,20}(?:[ \t]+[^\s:=]{1,60}){0,8}?[ \t]+(?:key|secret)"
        r"|isakmp[ \t]+key"
        r"|^[ \t]{1,8}key|(?<![\w-])(?:key-string|(?:pre-shared|authentication|message-digest)-key))"
        rf"[ \t]+(?:(?:local|remote|address[ \t]+\S{{1,60}}(?:[ \t]+[\d.]{{7,15}})?[ \t]+key)[ \t]+)?{_TYPE}",
        _DEVICE_VALUE, configured),
    _rule("psk", rf"\bwpa-psk[ \t]+{_TYPE}", _DEVICE_VALUE, configured),
    _rule("snmp",
        r"\b(?:snmp[\w-]{0,20}[ \t]+(?:[\w.-]{1,60}[ \t]+){0,3}?community[ \t]+(?:\d[ \t]+)?"
        r"|snmp-server[ \t]+host[ \t]+\S{1,60}[ \t]+"
        r"(?:(?:traps?|informs?|version|[123]c?|(?:no)?auth|priv|vrf[ \t]+\S{1,60})[ \t]+){0,6}"
        r"|(?:auth|priv)[ \t]+(?:(?:md5|sha[\d-]{0,4}|3?des|aes)[ \t]+(?:\d{3}[ \t]+)?|(?=0x)))",
        r"[\"']?(?P<bare>[^\s\"',;]{2,200})", configured),
    # query strings and running text
    _rule("?key= &key= code= ?auth= &auth= ?sid= &sid= ?sig= &sig=", r"[?&](?:key|code|auth|sid|sig)=",
        r"(?P<bare>[^&\s\"'#<>]{6,4000})", not_plain),
)  # fmt: skip
