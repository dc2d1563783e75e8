"""Texts said in other words: a verb for the words that mean it, and the reads for what is about the bot itself. Pure."""

import re
from types import MappingProxyType
from typing import Final

from bot.core.command.lexer import REASON, tight

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
_BE_STOPPED: Final = r"(?:must|should) (?:now )?be (?:stopped|paused|muted|silenced|ended)\b"
_SHOULD_BE: Final = (
    r"^(?!.*\?\W*$)((?:please |ok,? |so )*)(?!maybe|perhaps|it\b|this\b|that\b|who|what|which|why|when|where|how|no|if\b|once\b"
    r"|as\b)([^\s,]+(?: [^\s,]+){0,4}?) (?:must|should) (?:now )?be "
)
_TICKET: Final = r"(?-i:(?!INC-)[A-Z]{3,}-\d+)"
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
        (
            rf"^(?:the |my |our )?(?:{_TELLING}|messages|mails)(?: (?:on|of|for|about) (\S+))? {_BE_STOPPED}",
            r"unwatch \1",
        ),
        (rf"^(?:the )?(\S+) {_TELLING} {_BE_STOPPED}", r"unwatch \1"),
        (rf"^{_TELLING} (?:on|of|for|about) (\S+) off\b|^(\S+) {_TELLING} off\b", r"unwatch \1\2"),
        (
            (
                r"\b(?:do not|don'?t|never|no longer) (?:(?:ping|notify|alert|tell|inform|message|mail) (?:me|us)"
                r"|want to (?:be|get) (?:notified|pinged|alerted|told|informed|messaged))\b(?: (?:about|for|of|on|when|if))?"
            ),
            "unwatch",
        ),
        (
            r"\b(?:(?:give|send) (?:me|us) )?(?:(?:an?|any|some|the|quick|latest|short) )*updates? (?:on|about|for)\b",
            "status",
        ),
        (r"\bupdate (?:me|us) (?:on|about)\b", "status"),
        (r"^(?:(?:any|an|quick|latest|please) )*updates?(?: on (?:this|it))?(?: please)?(?=\W*$)", "status"),
        (r"^(?:(?:the|any|show|me) )*(?:changes|activity) (?:on|of|in|to|for)\b", "status"),
        (r"(?:,? and|[,;]) (?:please )?let (?!me\b|us\b)(?:<@[^>]+>|[^\s,]+) know\b(?! (?:when|if|once|as soon))", ""),
        (r"\b(?:post|write|shout)(?: (?:here|something|in \S+))? (?=when|once|as soon as)", "notify me "),
        (r"(?<!for )\b(?:another|one more) (hour|minute|day|week)\b", r"for one \1"),
        (r"\bfor (?:another|one more) (hour|minute|day|week)\b", r"for one \1"),
        (r"\b(?:run|do|execute) (\S+) destroy\b", r"destroy \1"),
        (rf"^({_TICKET})[:,]? +(?:please )?((?!.* -- ).+)$", r"\2 -- \1"),
        (rf"[,;]? (?:for|ticket|see|ref\.?|per) ({_TICKET})(?=\W*$)", r" -- \1"),
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
        (r"\b(?:wake|kick|buzz|call|text|page|dm|e?mail) me (?=when|if|once|as soon as)", "notify me "),
        (r"\b(?:remove|delete|drop|clear) (?:the |my )?stars?\b(?: (?:from|of|on|off))?", "unstar"),
        (rf"^(?:the |my |our |this |that )?pause (?:of|on|for) (\S+) {_MAY_END}", r"resume \1"),
        (rf"^(?:the |my |our |this |that )?pause {_MAY_END}|^off hold\b", "end the pause"),
        (rf"^(?:the )?(\S+?)'s? pause {_MAY_END}", r"resume \1"),
        (rf"\b{_LIFT}{_SMALL} (?:pause|hold) (?:on|of|for|from) ", "resume "),
        (rf"\b{_LIFT}{_SMALL} (?:pause|hold)\b(?! ?(?:and|,))", "end the pause"),
        (rf"{_SHOULD_BE}(stop|start|restart|kill|cancel)[pl]?ed\b", r"\1please \3 \2"),
        (rf"{_SHOULD_BE}(paus|resum)ed\b", r"\1please \3e \2"),
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
        (r"\bpause (?:end|off|over)\b(?! (?:the|night|lunch|a|it|christmas|easter|new)\b)", "resume"),
        (r"^((?:please |can you )*)break[- ](?:the )?glass\b(?! (?:used|was|is|has|ended|over))", r"\1breakglass"),
        (r"\bkill and (?=(?:re)?start\b)", "stop and "),
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
        (
            r"^(?:it|this|that)(?: (?:run|job|task|one))? (?:should|must) (?:now )?be (stop|start|restart|kill|cancel)p?l?ed\b",
            r"please \1 it",
        ),
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
        (
            rf"\b(?:let|allow) (?:the team|everyone|everybody|them|him|her|people)(?: to)? {_A_VERB}\b",
            ("help grant", "grants"),
        ),
        (
            r"\b(?:delete|remove|start|stop|restart|run) (?:approvals?|requests?|rights?) (?:for|of|to|on)\b",
            ("approvals",),
        ),
        (
            (
                r"^(?:(?:the|all|any|show|me) )*(?:schedule )?(?:changes|activity|(?:re)?starts|stops|deploys|deletions|updates)"
                r"(?: here)?(?: (?:since|today|yesterday|this|so far)\b.*)?\W*$"
            ),
            ("timeline", "audit"),
        ),
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
        (r"\bwho (?:has |had )?(?:denied|refused|declined)\b", ("audit denied", "approvals")),
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
# Whole texts that ask for what a person did, and for what was reviewed: the audit log has that.
_WHO: Final = r"(?P<who><@[^>]+>|@[\w.-]+|(?!(?:every|no|any|some)(?:one|body)\b)[^\W\d_]+)"
_EVENTS: Final = MappingProxyType(
    {"approved": "approve", "rejected": "reject deny denied decline declined", "granted": "grant", "revoked": "revoke"}
)
_DID: Final = MappingProxyType(
    {form: event for event, forms in _EVENTS.items() for form in (event, *forms.split())}
    | dict.fromkeys(
        ("do", "done", "change", "changed", "start", "started", "stop", "stopped", "run", "pause", "paused"), ""
    )
)
_SPANS: Final = MappingProxyType({"": "", "today": "24h", "yesterday": "2d", "this week": "7d"})
_LATELY: Final = r"(?: (?P<when>today|yesterday|this week)| here| so far| lately| recently)*\W*$"
DONE_BY: Final = re.compile(
    rf"^(?:what|which (?:requests?|approvals?|grants?|things?))(?: all| else)? (?:did|has|have) {_WHO}"
    rf" (?P<did>{'|'.join(_DID)}){_LATELY}",
    re.IGNORECASE,
)
ENTRIES_OF: Final = re.compile(
    r"^(?:(?:please|show|list|see|give|open|get|me|us|the|all) )*(?:audit(?: log| trail)?|entries|actions)"
    rf" (?:of|for|by) {_WHO}{_LATELY}",
    re.IGNORECASE,
)
_REVIEWS: Final = re.compile(
    r"^(?:(?:please|show|list|see|give|get|me|us|the|all|what|which|are|were|past|old|last|latest|(?P<open>open|pending)) )*"
    r"break-? ?glass reviews?(?: (?P<wait>wait|are open|open|pending))?\W*$",
    re.IGNORECASE,
)
ME: Final = "@me"  # the person who asks


def of_the_audit_log(text: str) -> tuple[str, ...]:
    """The searches of the audit log for a text that asks for what a person did, who is written as a mention, `@name` or `I`, or
    for reviews of break-glass."""
    if reviews := _REVIEWS.match(text):
        reads = ("audit event=reviewed", "approvals")
        return reads[::-1] if reviews["open"] or reviews["wait"] else reads
    asked = DONE_BY.match(text) or ENTRIES_OF.match(text)
    who = ME if asked and asked["who"].casefold() in ("i", "me") else asked["who"] if asked else ""
    if asked is None or who[0] not in "<@":
        return ()
    event = _DID[asked["did"].casefold()] if asked.re is DONE_BY else ""
    since = _SPANS[(asked["when"] or "").casefold()]
    more = [f"event={event}" if event else "", f"since={since}" if since else ""]
    return (" ".join(["audit", f"user={who}", *filter(None, more)]),)


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


def of_signalbox(text: str) -> tuple[str, ...]:
    """The reads for a text that is about rights, rules or the bot itself rather than a target."""
    return next((reads for pattern, reads in _OF_SIGNALBOX if pattern.search(text)), ())
