"""Texts said in other words: a verb for the words that mean it, and the reads for what is about the bot itself. Pure."""

import re
from collections.abc import Collection
from typing import Final

from bot.core.command.catalog import Catalog
from bot.core.command.lexer import DOUBLE, REASON, tight
from bot.core.command.params import BadParam, Param, ParamType
from bot.core.command.parser import format_command, parse
from bot.core.command.target_ref import quote
from bot.core.command.wording import exact_verb
from bot.core.intent import Command

_SMALL: Final = (
    r"(?: (?:\S+'s|<@[^>]+>(?: ?'s)?|the|this|that|these|those|my|our|your|its|his|her|their|all|any|every|a|an|new"
    r"|please))*"
)
_END: Final = (
    r"(?:stop|cancel|end|kill|abort|remove|delete|drop|disable|turn off|switch off|clear|retire|withdraw|take away"
    r"|get rid of)"
)
_BEGIN: Final = r"(?:start|enable|turn on|switch on|set up|begin|run)"
_EDIT: Final = r"(?:change|edit|update|set|reload|refresh|restart|lift|undo|modify|add|make)"
_TELLING: Final = r"(?:watch(?:es|ing)?|alerts?|alarms?|notifications?|pings?|monitoring|tracking|following)"
_TELL: Final = r"(?:watch|follow|track|monitor|notify|ping|tell|messag|alert|inform|send|mail)"
_QUIET: Final = rf"(?:{_END}|pause|snooze|suspend|hold|mute|silence)"
_LOUD: Final = rf"(?:{_BEGIN}|resume|restart|unpause|reactivate)"
_LIFT: Final = r"(?:end|stop|cancel|remove|clear|lift|delete|undo|drop)"
_MAY_END: Final = r"(?:can|should|may|must|could) (?:now |please )?(?:end|stop|be (?:ended|lifted|over|removed))\b"
_STATE: Final = r"(?:failed|fails|failing|takes?|took|been|was|were|is|are|hangs?|hung)"
_ALONE: Final = r"(?= *(?:$|[,.;:!?]|(?:please|pls|now|thanks|until|for|on|of|about|from|to|with|when|at|because)\b))"
_PLEASE: Final = r"(?:please |pls |can you |could you )*"
_PAUSE: Final = rf"^({_PLEASE}(?:pause|suspend|hold|schedule off)\b.*?)"
_BACK_ON: Final = (
    r"(?:[,;]| and| then)+ (?:please )?(?:resume|unpause|(?:(?:turn|switch|put) )?(?:it |them )?(?:back )?on)(?: it| them)?"
    r"(?: again)?"
)
_SOLVED: Final = r"(?:resolved|fixed|done|over|solved)"
_WEEKDAY: Final = r"(?:on )?(?:mon|tue|wed|thu|fri|sat|sun)"
_THANKS: Final = re.compile(
    r"(?<=\w)[,.!;]* (?:many )?(?:thx|thanks|thank you|ty|cheers)(?: a lot| so much| in advance| all)?[ .!]*$",
    re.IGNORECASE,
)
# One verb in place of the words of each line, after which the text says the same.
_REWORDED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), says)
    for pattern, says in (
        (rf"\b{_QUIET}{_SMALL} {_TELLING}\b(?: (?:on|of|for|about|from))?", "unwatch"),
        (rf"\b(?:turn|switch){_SMALL} {_TELLING}(?: (?:on|of|for|about) (\S+))? (?:back )?off\b", r"unwatch \1"),
        (rf"\b(?:turn|switch){_SMALL} {_TELLING}(?: (?:on|of|for|about) (\S+))? (?:back )?on\b", r"watch \1"),
        (
            r"\b(?:do not|don'?t|no longer|no)(?: (?:need|want|have))?(?: to)? (?:watch|follow|monitor)(?:ing)?\b",
            "unwatch",
        ),
        (rf"\bstop{_SMALL} (?:messages|mails)\b", "unwatch"),
        (rf"\bstop (?:to )?{_TELL}(?:ing)?(?: (?:me|us))?\b", "unwatch"),
        (rf"\b{_LOUD}{_SMALL} {_TELLING}\b(?: (?:on|of|for|about))?", "watch"),
        (r"\b(?:run|do|make|start)(?: an?| the)?(?: quick| full)? (check|status|history|logs?) (?:on|of|for)\b", r"\1"),
        (
            (
                r"\b(?:run|do|make|start)(?: an?| the| with the)?(?: quick| full)? (?:(health) check|(policy) tests?"
                r"|(doctor|health|policy|timeline|whoami|audit|check|status|history|logs?)s?)(?=\W*$)"
            ),
            r"\1\2\3",
        ),
        (r"\bgo (?:and )?(?=check\b|look\b)|\bgo (?:through|over) (?:the )?(?=logs?\b|history\b)", ""),
        (r"\bspin(?:ning)? down\b", "stop"),
        (r"\bspin (\S+) down\b", r"stop \1"),
        (r"\bw/o\b", "without"),
        (r"(?<!\S)\(?!([a-z]\w+)\)?", r"without \1"),
        (r"(?:,| but| and)+ (?:skip|omit|leave out) (?:the )?([a-z]\w*)\b", r" without \1"),
        (r"(?:,| but| and)+ leave (?:the )?([a-z]\w*) out\b", r" without \1"),
        (r"\b(month|quarter|year|week|day) end\b", r"\1-end"),
        (r"\bend to end\b", "end-to-end"),
        (r"(?<!until )(?<!till )(?<!at )(?<!from )(?<!by )\b(\d{1,2})h(\d{1,2})(?:m|min)?\b", r"\1h \2m"),
        (r"\b(?:drop|send|write|give|leave) (?:me|us) an? (?:line|note|word|message|mail|ping|shout)\b", "notify me"),
        (r"\b(?:wake|kick|buzz|call|text) me (?=when|if|once|as soon as)", "notify me "),
        (r"\b(?:remove|delete|drop|clear) (?:the |my )?stars?\b(?: (?:from|of|on|off))?", "unstar"),
        (rf"^(?:the |my |our |this |that )?pause (?:of|on|for) (\S+) {_MAY_END}", r"resume \1"),
        (rf"^(?:the |my |our |this |that )?pause {_MAY_END}|^off hold\b", "end the pause"),
        (rf"^(?:the )?(\S+?)'s? pause {_MAY_END}", r"resume \1"),
        (rf"\b{_LIFT}{_SMALL} (?:pause|hold) (?:on|of|for|from) ", "resume "),
        (rf"\b{_LIFT}{_SMALL} (?:pause|hold)\b(?! ?(?:and|,))", "end the pause"),
        (
            (
                r"^((?:please |ok,? |so )*)(?!it\b|this\b|that\b|who|what|which|why|when|where|how|no|if\b|once\b|as\b)"
                r"([^\s,]+(?: [^\s,]+){0,4}?) (?:must|should) (?:now )?be (stop|start|restart|kill|cancel)[pl]?ed\b"
            ),
            r"\1please \3 \2",
        ),
        (
            (
                r"^((?:please |ok,? |so )*)(?!it\b|this\b|that\b|who|what|which|why|when|where|how|no|if\b|once\b|as\b)"
                r"([^\s,]+(?: [^\s,]+){0,4}?) (?:must|should) (?:now )?be (paus|resum)ed\b"
            ),
            r"\1please \3e \2",
        ),
        (r"\b(mark (?:\S+ ){0,4}?(?:run|job)) (?=(?:failed|succeeded|successful|completed|done)\b)", r"\1 as "),
        (r"(?:^|(?<=[,.;] )|(?<=please )|(?<=pls )|(?<=and ))run again\b", "run it again"),
        (r"\b(?:right|straight) away\b", "now"),
        (r"\b(?:keep|have) an eye on\b", "watch"),
        (r"\b(?:non-|non |no |not in |outside )prod\b", "not in production"),
        (r"\b((?:in|on|to|for|without) )prod\b", r"\1production"),
        (r"\b(?:for|in) the (?!same|right|wrong|other|whole|new)(\w+) region\b", r"region \1"),
        (r"\btake (\S+) off hold\b", r"resume \1"),
        (r"\b(?:take|release) (?:the )?hold (?:off|on|of|from) ", "resume "),
        (r"\brelease (\S+) from hold\b|^(\S+) off hold\b", r"resume \1\2"),
        (r"\b(?:force|hard)[- ](?=stop|kill|restart)", ""),
        (r"\bre-(?=enable|start|run|try)", "re"),
        (r"\b(restart|stop|start|retry) (?:needed|anyway|required)\b", r"\1"),
        (rf"{_PAUSE}{_BACK_ON}(?: at)? (?=\d|tomorrow|noon|midnight|next|{_WEEKDAY})", r"\1 until "),
        (rf"{_PAUSE}{_BACK_ON} (?:in|after) (?=\d|an?\b|one|two|half)", r"\1 for "),
        (rf"^(inc-?\d+)(?: is)? {_SOLVED},? (?:please |pls |and )*close(?: (?:it|this))?\b", r"close \1"),
        (r"^(inc-?\d+) close\b", r"close \1"),
        (r"^close it, (inc-?\d+) is\b.*", r"close \1"),
        (r"\b(?:has|have|needs?) to be\b", "should be"),
        (r"\bno more (?:watch(?:es|ing)?|alerts?|notifications?|messages)\b", "unwatch"),
        (r"\bpause (?:end|off|over)\b", "resume"),
        (r"^((?:please |can you )*)break[- ](?:the )?glass\b(?! (?:used|was|is|has|ended|over))", r"\1breakglass"),
        (r"\b(?:stop|kill) and (?:re)?start\b", "restart"),
        (r"\b(?<!it )help (?:me |us )?to (?=[a-z])", ""),
        (r"\b(start|launch|trigger|begin) (?:an? |another |the )?(?:new )?runs? (?:of|for)\b", r"\1"),
        (r"\b(?:an?|another) new (?=run|job|attempt|try|start)", "a "),
        (r"^new (?=run|job)", ""),
        (_THANKS.pattern, ""),
        (
            r"\b(?:we|you) (?:can|could|may|should) (?:now |then )?(?=(?:close|resolve) (?:the |this |our )?inc)(?!.*\?)",
            "please ",
        ),
        (r"^(?:the )?(inc-?\d+|incident(?: \S+)?) can (?:now )?be (close|resolve)d\b", r"\2 \1"),
        (r"\btry (?:to )?(?=(?:stop|kill|cancel|pause|resume|start|restart|retry|delete)\b)", ""),
        (r"\btry (stop|start|restart|retry|kill|cancel)p?l?ing\b", r"\1"),
        (r"\bwould you mind (stop|start|restart|retry|kill|cancel)p?l?ing\b", r"please \1"),
        (r"^(?:it|this) (?:should|must) be (stop|start|restart|kill|cancel)p?l?ed\b", r"please \1 it"),
        (r"\b(?:notify|tell|ping|inform|alert|message) <@[^>]+> (?=when|if|once|as soon as)", "notify me "),
        (r"\bsend <@[^>]+> an? (?:message|ping|note) (?=when|if|once|as soon as)", "notify me "),
        (r"\b(as (?:failed|succeeded|completed|done)): (?=\S)", r"\1 -- "),
        (r"(?<=\w) :(?= \w)", ":"),
        (r"\(([A-Za-z][\w.]*=[^\s()]+)\)", r"\1"),
        (r"\bat once\b", "now"),
        (
            r"\b(?:repeat|redo) (?:the |my |your |that |this )(stop|pause|start|restart|retry|resume|delete)\b(?: of)?",
            r"\1",
        ),
        (r"\b(until|till|for)(?=\d)", r"\1 "),
        (r"\bfor (?:max\.?|at most|up to|about|around|ca\.?|roughly|another) (?=\d|an? |one |two |half )", "for "),
        (r"(?<=\w) (?:at most|max\.?) (?=\d+ ?(?:h|m|d|hours?|min))", " for "),
        (r"^better (?=[a-z]+ )(?!not\b|if\b|to\b)", "please "),
        (r"^(\S+ (?:on|off)\b(?:(?! --)[^,])*?),? (?:please|pls|plz)[ .!]*$", r"\1"),
        (r"(?:,? and|,|;)? set (\w+) to (true|false|on|off|yes|no)\b", r", \1: \2"),
        (
            r"^((?:once|as soon as|the (?:moment|minute|second)|after) (?!possible)[^,]+), (?:please |then )*([^,]+)$",
            r"\2 \1",
        ),
        (r" first(?=[,.;]|$| (?:and|then)\b)", ""),
        (r"^((?:please |ok(?:ay)?,? |now )*)first,? (?=[a-z])", r"\1"),
    )
)
_REASON_FIRST: Final = re.compile(
    r"(?:because(?: of)?|due to|since|as(?! (?:soon|long|far|per|of|usual|always)\b)|weil)"
    r" (?P<why>[^,;]{3,}?)(?:, (?:please )?| (?=please ))(?P<order>.+)$",
    re.IGNORECASE | re.DOTALL,
)
# What begins a text or a clause, where it is not about what another order starts: `start prices, tell me when it is done`.
_TELL_ME: Final = re.compile(
    r"(?:^|(?<=[,.;!] )(?!.*? (?:when|if|once|as soon as) (?:it|they|this|that)\b))"
    r"((?:(?:please|pls|and|so|can you|could you) )*)"
    r"(?:(?:tell|notify|inform|alert|ping|message) (?:me|us)|let (?:me|us) know)"
    r" (?=(?:when|if|once|as soon as)\b(?! (?:it|this|that) fail))",
    re.IGNORECASE,
)
# The same after a clause that only tells something: `prices failed twice today, tell me when it fails again`.
_THEN_TELL: Final = re.compile(
    rf"^((?:(?!\b(?:please|(?:re)?start|stop|run|retry|pause|resume)\b)[^,.;!])*\b{_STATE}\b[^,.;!]*[,.;!] "
    r"(?:(?:and|so|please) )*)"
    r"(?:tell|notify|inform|alert|ping|message) (?:me|us) (?=(?:when|if|once|as soon as)\b)",
    re.IGNORECASE,
)
# Texts about people's rights, the rules or the bot itself, and the reads that are about them.
_RIGHTS: Final = r"(?:access|rights|right(?= (?:to|on|of|for)\b)|permissions?|approvers?)"
_OVER: Final = r"(?:off|over|end|ends?|ended|stop|done|no|not|finished|closed?)"
_OURS: Final = r"(?:approvals|bot|signalbox|db|database|server|cluster|gateway)"
_RUNS: Final = r"(?:runs?|jobs?|logs?|history|messages?|cards?)"
_PARTS: Final = r"(?:queue|files?|results?|comments?|drafts?|labels?|notes?|changes?|marks?|hints?)"
_OLD: Final = r"(?: (?:last|latest|failed|old|previous|finished|\S+'s))*"
_A_VERB: Final = r"(?:start|stop|restart|retry|run|pause|delete|mark)"
_DONE: Final = r"(?:start|stop|restart|retry|run|delet|mark|pause|change|request)"
_OF_SIGNALBOX: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reads)
    for pattern, reads in (
        (rf"\b(?:{_END}|{_EDIT}|revoke|take|strip)\b{_SMALL} (?:[^\s,]+ )?{_RIGHTS}(?![\w-])", ("grants",)),
        (r"\bstop <@[^>]+> from \S+ing\b", ("grants",)),
        (
            (
                rf"\bbreak-? ?glass (?:is |mode |can be )*{_OVER}\b"
                r"|\b(?:no(?: more)?|stop|end|close|finish|leave|turn off|switch off)(?: the| with)? break-? ?glass\b"
                r"|\b(?:under|during|after|with|of) (?:the )?break-? ?glass\b"
                r"|\bemergency (?:access )?(?:is )?over\b|\bno emergency\b"
            ),
            ("grants", "approvals"),
        ),
        (rf"\b{_END}{_SMALL} (?:stop|start|restart|retry|delete|deletion|request)\b", ("approvals",)),
        (r"\b(?:disallow|forbid|prohibit|ban|stop letting|verbiete|entziehe)\b \S", ("grants",)),
        (r"\b(?:remove|drop|kick|delete|disable|block|refuse|strip|deny|stop|suspend|pause|mute) <@", ("grants",)),
        (
            (
                rf"<@[^>]+> no longer (?:needs?|may|should)\b|\btake \S.* away from <@|\btake <@.* away\b"
                rf"|\btake {_A_VERB}\b.* from <@"
                rf"|\b(?:gets|no longer needs) {_A_VERB} on\b"
            ),
            ("grants",),
        ),
        (rf"\b(?:give|grant|allow) (?:him|her|them) {_A_VERB}\b", ("help grant", "grants")),
        (r"\bmake \S+ (?:an? |the )?(?:approver|admin|administrator)\b", ("policy",)),
        (r"\bdrop (?:\S+ an? (?:line|note|word|message|mail)|the (?:idea|thought|plan))\b", ("help",)),
        (rf"\b{_BEGIN}{_SMALL} (?:freezes?|tours?|launcher|demos?)(?![\w-])|^(?:the )?launcher\W*$", ("help",)),
        (
            (
                r"\b(?:reports?|summary)\b(?: \S+){0,2} (?:of|for|on|about) (?:the |this |our )?incident\b"
                r"|\bopen (?:the |this |our )?"
                r"incident(?:'s)? (?:report|summary)\b"
                r"|^(?:show |list |which |what |see |all |the |me |are |any )*open incidents\b"
            ),
            ("timeline", "help incident"),
        ),
        (
            r"^(?:please )?(?:unwatch|mute|silence) (?:all|everything|them all)\W*$|^(?:please )?(?:remove|drop) (?:me|us)\W*$",
            ("watches",),
        ),
        (r"\b(?:remove|delete|drop|take)\b.* (?:from|off) (?:the|my|this|our) list\b", ("help",)),
        (rf"\b(?:{_END}|{_EDIT}|pause)\b{_SMALL} (?:rules?|policy|policies|freezes?)(?![\w-])", ("policy",)),
        (rf"\b(?:{_END}|{_BEGIN}|{_EDIT}|pause)\b{_SMALL} {_OURS}\b{_ALONE}", ("help",)),
        (
            rf"\b(?:delete|remove|erase|drop|destroy|retire|clear)\b{_SMALL}{_OLD} (?:{_RUNS}|{_PARTS})(?![\w-])",
            ("status",),
        ),
        (r"\b(?:remove|drop|take|delete) (?:me|us|him|her) (?:from|off)\b(?!.*\b(?:fav|star|home|list))", ("watches",)),
        (r"\brequest #?\d+\b|\b(?:revoke|withdraw|take back) (?:the|an|this|that) approval\b", ("approvals",)),
        (r"\breset (?:the |my |our )?(audit|grants?|rights|approvals?|pauses?|watch(?:es)?)\b", ("help",)),
        (
            rf"\b(?:give|grant) (?:me|us) (?:the )?{_A_VERB}(?: rights?)?(?: (?:on|for)\b|\W*$)",
            ("whoami", "help grant"),
        ),
        (rf"\b(?:i|we) (?:need|want|get|have) {_A_VERB}(?: rights?)? (?:on|for)\b", ("whoami", "help grant")),
        (
            rf"\b(?:give|grant) {_A_VERB}(?: rights?)? (?:on|for)\b.* to <@|<@[^>]+> needs? {_A_VERB} on\b",
            ("help grant", "grants"),
        ),
        (r"\brenew (?:<@[^>]+> ?'s|\S+'s|the|my|our) (?:right|grant|access)", ("grants",)),
        (rf"\b(?:{_BEGIN}|restart|set|abort|kill|shorten|extend|prolong)\b{_SMALL} pauses?(?![\w-])", ("pauses",)),
        (rf"\b(?:stop|pause|delete|remove|abort|kill|suspend)\b{_SMALL} incidents?(?![\w-])", ("timeline",)),
        (rf"\b{_BEGIN}{_SMALL} (?:audits?|reviews?)(?![\w-])", ("audit",)),
        (rf"\b{_BEGIN}{_SMALL} (?:favou?rites?|favs?)(?![\w-])", ("help",)),
        (
            rf"(?<!may )(?<!can )\bapprov(?:e|ing) (?:(?:<@[^>]+> ?'s|\S+'s|the|this|that) (?:\S+ ){{0,2}})?{_DONE}",
            ("approvals",),
        ),
        (rf"\b(?:reject|deny|decline|refuse|vote no on|veto) (?:\S+ ){{0,3}}{_DONE}", ("approvals",)),
        (r"\bask <@[^>]+> (?:to|for) approv", ("approvals",)),
        (
            (
                r"\b(?:resume|unpause|switch on|turn on) (?:what|everything|all)(?: that)?(?: \S+)? paused\b"
                r"|\b(?:resume|unpause) (?:the (?:rest|others?)|both|all)(?= *(?:$|[,.;!]|please|now))"
            ),
            ("pauses",),
        ),
        (
            r"\b(?:retry|rerun|restart) (?:what|whatever|everything that|all that) (?:has )?failed\b",
            ("timeline", "status"),
        ),
        (r"\bemergency access (?:for|to) <@|<@[^>]+> (?:\S+ )?emergency access\b", ("help breakglass", "grants")),
    )
)
_IT: Final = re.compile(r"\b(?:it|its|them|their)\b", re.IGNORECASE)
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


def reworded(text: str) -> str:
    """The text with one verb for words such as `stop the notifications of`, and a reason that comes first after the order."""
    if (first := _REASON_FIRST.match(text)) and not REASON.search(first["order"]):
        order, why = first["order"], first["why"]
        text = f"{why}, {order}" if _IT.search(order) else f"{order} -- {why}"
    end = why.start() if (why := REASON.search(text)) else len(text)
    head, reason = text[:end], text[end:]
    for pattern, says in (*_REWORDED, (_TELL_ME, r"\1watch "), (_THEN_TELL, r"\1watch ")):
        head = pattern.sub(says, head)
    return tight(head + _THANKS.sub("", reason))


def without_flags(text: str, catalog: Catalog, inputs: Collection[str]) -> str:
    """The text with `count=3` for `--count 3`, `production=false` for `production:false` and `--no-production`, and its
    `--reason "..."` as the reason. Other words right after dashes are a reason: `stop prices --too slow`. `--for 2h` becomes
    `for 2h`."""
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
    names = "|".join(param.name for param in catalog.builtins[ask.verb].params) or "(?!)"
    said = " ".join(ask.words)
    text = re.sub(rf"{_DASH}({names})(?:=| )(?=\S)", r"\1=", said)
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


def of_signalbox(text: str) -> tuple[str, ...]:
    """The reads for a text that is about rights, rules or the bot itself rather than a target."""
    return next((reads for pattern, reads in _OF_SIGNALBOX if pattern.search(text)), ())
