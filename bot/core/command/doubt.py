"""What a sentence says against the change that it names: then a read is offered, or the read before the change. Pure.

A button is pressed without much reading. So a change is offered for a plain order alone, and never for what a text leaves out
("everything except prices"), takes back ("stop it, never mind"), reports ("the restart failed") or asks of someone else.
"""

import re
from typing import Final

from bot.core.command.builtins import ALIASES
from bot.core.command.catalog import Catalog
from bot.core.command.lexer import REASON, tight
from bot.core.command.parser import parse
from bot.core.command.ranking import MOST, parts_of
from bot.core.command.vocabulary import CONDITIONS, SYNONYMS
from bot.core.command.wording import worded
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
_ALONE: Final = r"(?= *(?:$|[,.;:!?]|(?:please|pls|now|thanks|until|for|on|of|about|from|to|with|when|at|because)\b))"
# One verb in place of the words of each line, after which the text says the same.
_REWORDED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), says)
    for pattern, says in (
        (rf"\b{_END}{_SMALL} {_TELLING}\b(?: (?:on|of|for|about|from))?", "unwatch"),
        (rf"\bstop{_SMALL} (?:messages|mails)\b", "unwatch"),
        (rf"\bstop (?:to )?{_TELL}(?:ing)?(?: (?:me|us))?\b", "unwatch"),
        (rf"\b{_BEGIN}{_SMALL} {_TELLING}\b(?: (?:on|of|for|about))?", "watch"),
        (r"\b(?:run|do|make|start)(?: an?| the)? (check|status|history|logs?) (?:on|of|for)\b", r"\1"),
        (r"\b(?:run|do|make|start)(?: an?| the) (check|status|history|logs?)(?=\W*$)", r"\1"),
        (r"\b(?:has|have|needs?) to be\b", "should be"),
        (r"\bno more (?:watch(?:es|ing)?|alerts?|notifications?|messages)\b", "unwatch"),
        (r"\bpause (?:end|off|over)\b", "resume"),
        (r"^((?:please |can you )*)break[- ](?:the )?glass\b(?! (?:used|was|is|has|ended|over))", r"\1breakglass"),
        (r"\b(?:stop|kill) and (?:re)?start\b", "restart"),
        (r"\b(?<!it )help (?:me |us )?to (?=[a-z])", ""),
        (r"\b(start|launch|trigger|begin) (?:an? |another |the )?(?:new )?runs? (?:of|for)\b", r"\1"),
        (r"\b(?:an?|another) new (?=run|job|attempt|try|start)", "a "),
        (r"^new (?=run|job)", ""),
        (
            r"(?<=\w)[,.!;]* (?:many )?(?:thx|thanks|thank you|ty|cheers)(?: a lot| so much| in advance| all)?[ .!]*$",
            "",
        ),
        (
            r"\b(?:we|you) (?:can|could|may|should) (?:now |then )?(?=(?:close|resolve) (?:the |this |our )?inc)(?!.*\?)",
            "please ",
        ),
        (r"^(?:the )?(inc-?\d+|incident(?: \S+)?) can (?:now )?be (close|resolve)d\b", r"\2 \1"),
        (r"\btry (?:to )?(?=(?:stop|kill|cancel|pause|resume|start|restart|retry|delete)\b)", ""),
        (r"\btry (stop|start|restart|retry|kill|cancel)p?l?ing\b", r"\1"),
        (r"\b(?:notify|tell|ping|inform|alert|message) <@[^>]+> (?=when|if|once|as soon as)", "notify me "),
        (r"\b(as (?:failed|succeeded|completed|done)): (?=\S)", r"\1 -- "),
        (r"(?<=\w) :(?= \w)", ":"),
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
        (r" first(?=[,.;]|$| (?:and|then)\b)", ""),
        (r"^((?:please |ok(?:ay)?,? |now )*)first,? (?=[a-z])", r"\1"),
    )
)
_REASON_FIRST: Final = re.compile(
    r"(?:because(?: of)?|due to|since|as|weil) (?P<why>[^,;]{3,}?)(?:, (?:please )?| (?=please ))(?P<order>.+)$",
    re.IGNORECASE | re.DOTALL,
)
# Texts about people's rights, the rules or the bot itself, and the reads that are about them.
_RIGHTS: Final = r"(?:access|rights|right(?= (?:to|on|of|for)\b)|permissions?|approvers?)"
_OVER: Final = r"(?:off|over|end|ends?|ended|stop|done|no|not|finished|closed?)"
_OURS: Final = r"(?:approvals|bot|signalbox|db|database|server|cluster|gateway)"
_RUNS: Final = r"(?:runs?|jobs?|logs?|history|messages?|cards?)"
_DONE: Final = r"(?:start|stop|restart|retry|run|delet|mark|pause|change|request)"
_OF_SIGNALBOX: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reads)
    for pattern, reads in (
        (rf"\b(?:{_END}|{_EDIT}|revoke|take|strip)\b{_SMALL} (?:[^\s,]+ )?{_RIGHTS}\b", ("grants",)),
        (r"\bstop <@[^>]+> from \S+ing\b", ("grants",)),
        (
            (
                rf"\bbreak-? ?glass\b.*\b{_OVER}\b|\b{_OVER}\b.* break-? ?glass\b"
                r"|\bemergency (?:access )?(?:is )?over\b|\bno emergency\b"
            ),
            ("grants", "approvals"),
        ),
        (rf"\b{_END}{_SMALL} (?:stop|start|restart|retry|delete|deletion|request)\b", ("approvals",)),
        (r"\b(?:disallow|forbid|prohibit|ban|stop letting|verbiete|entziehe)\b \S", ("grants",)),
        (r"\b(?:remove|drop|kick|delete|disable|block|refuse|strip|deny|stop) <@", ("grants",)),
        (r"<@[^>]+> no longer (?:needs?|may|should)\b|\btake \S.* away from <@|\btake <@.* away\b", ("grants",)),
        (r"\b(?:remove|delete|drop|take)\b.* (?:from|off) (?:the|my|this|our) list\b", ("help",)),
        (rf"\b(?:{_END}|{_EDIT}|pause)\b{_SMALL} (?:rules?|policy|policies|freezes?)\b", ("policy",)),
        (rf"\b(?:{_END}|{_BEGIN}|{_EDIT}|pause)\b{_SMALL} {_OURS}\b{_ALONE}", ("help",)),
        (rf"\b(?:delete|remove|erase|drop|destroy|retire)\b{_SMALL} {_RUNS}\b", ("status",)),
        (rf"\b(?:{_BEGIN}|restart|set|abort|kill|shorten|extend|prolong)\b{_SMALL} pauses?\b", ("pauses",)),
        (rf"\b(?:stop|pause|delete|remove|abort|kill|suspend)\b{_SMALL} incidents?\b", ("timeline",)),
        (rf"\b{_BEGIN}{_SMALL} (?:audits?|reviews?)\b", ("audit",)),
        (rf"\b{_BEGIN}{_SMALL} (?:favou?rites?|favs?)\b", ("help",)),
        (
            rf"(?<!may )(?<!can )\bapprov(?:e|ing) (?:(?:<@[^>]+> ?'s|\S+'s|the|this|that) (?:\S+ ){{0,2}})?{_DONE}",
            ("approvals",),
        ),
        (rf"\b(?:reject|deny|decline|refuse|vote no on|veto) (?:\S+ ){{0,3}}{_DONE}", ("approvals",)),
        (r"\bask <@[^>]+> (?:to|for) approv", ("approvals",)),
        (r"\b(?:resume|unpause|switch on|turn on) (?:what|everything that|all that) (?:was|is) paused\b", ("pauses",)),
        (
            r"\b(?:retry|rerun|restart) (?:what|whatever|everything that|all that) (?:has )?failed\b",
            ("timeline", "status"),
        ),
        (r"\bemergency access (?:for|to) <@|<@[^>]+> (?:\S+ )?emergency access\b", ("help breakglass", "grants")),
    )
)
_ACTS: Final = (
    r"(?:(?:re)?start(?:ing|ed)?|re-?run(?:ning)?|retry(?:ing)?|stop(?:ping)?|kill(?:ing)?|delet(?:e|ing)|paus(?:e|ing)"
    r"|resum(?:e|ing)|cancell?(?:ing)?|try|touch(?:ing)?|interrupt(?:ing)?|disabl(?:e|ing)|remov(?:e|ing)|reboot"
    r"|clear(?:ing)?)"
)
_NOT_IT: Final = (
    r"(?!(?:it|that|which|who|what|he|she|they|we|you|i|the|because|since|as|so|if|when|and|but|then|while)\b)"
)
_NO_REPORT: Final = "".join(
    f"(?<!{one} )" for one in ("did", "was", "were", "is", "has", "have", "will", "does", "could")
)
_TIME: Final = r"(?:s|m|h|secs?|seconds?|mins?|minutes?|hours?|moment|days?|time)"
# Anywhere in a text without its reason: then it offers no change.
_AGAINST: Final = re.compile(
    # It leaves something out.
    r"\b(?:except(?:ing)?|excluding|beside[s]|apart from|aside from|other than|au(?:ß|ss)er|sauf|salvo)\b"
    r"|\b(?:all|every|everything|any|anything|alles|tout)\b(?: \S+){0,3},? (?:but|not)\b"
    # It takes something back.
    r"|\b(?:never ?mind|nvm|kidding|not (?:yet|now)|i mea(?:n|nt)|(?:scrap|scratch|forget) (?:that|it)|i think not|or not)\b"
    r"|[?.,;!\u2026-]+ *(?:oh |ah |sorry,? |actually,? )*(?:no|nope|nah|wait)"
    r"(?= *$|[,.!?]| (?:way|thanks|do not|don'?t|wait|leave|sorry|cancel|stop|not)\b)"
    r"|\bactually,? (?:no|not|don'?t|leave|keep)\b|[.;] *actually\b"
    # It reports or forbids something, or asks to wait.
    rf"|\b(?:{_ACTS}|run|deploy) (?:has |had )?(?:failed|fails|done|finished|worked|works|crashed|ended|ok|helps|helped)"
    r"(?= *(?:$|[,.;!?]|(?:again|for|on)\b))"
    rf"|\b(?:don'?t|do not|never|no need to|without) (?:\S+ )?{_ACTS}\b|{_NO_REPORT}\bnot (?:to |be |just )*{_ACTS}\b"
    r"|\bn(?:e |')\S+ (?:pas|plus|jamais)\b"
    r"|\bstop (?:block|touch|break|kill|retry|restart|start|runn|stopp)ing\b|\bstop to (?:re)?(?:start|run|try)\b"
    r"|\bnot \S+,? but\b(?! not)|^(?:please )?not \S+,"
    r"|^(?:ok(?:ay)?,? |please,? )?(?:hold|hang) on\b(?! to)|^shut up\b|^(?:be )?quiet\b"
    r"|\bhold off (?:on |with )?(?:the |it\b|that\b|this\b|(?:re)?(?:try|start|run)|doing|running)"
    rf"|\bgive \S+ (?:another|some|a few|\d+) (?:\d+ |few |more )*{_TIME}\b"
    r"|\b(?:let|leave) (?!me\b|us\b|<@|@)\S+(?: to)? (?:run(?:ning)?|finish|be|alone|continue|go)\b(?! (?:again|now)\b)"
    r"|\bstop \S+ from \S+ing\b|\b(?:(?<!@)nobody|no one|rather not|no (?:re)?(?:start|try|run)s?)\b"
    r"|^(?:please |can you )*check\b"
    r"|\blet (?:anyone|anybody|everyone|everybody)\b|^(?:please )?proceed\W*$"
    rf"|\b(?:i|we) (?:can'?t|cannot|won'?t|couldn'?t) (?:\S+ )?(?:{_ACTS}|approve)\b"
    r"|\b(?:keep|leave) \S+(?: \S+)? (?:paused|off|on|running|open)\b(?!.*\b(?:until|till|for)\b)"
    # What begins like an order is what something is told of: `delete cluster_2 was a mistake`.
    rf"|^(?:please )?(?:the |my |your )?(?:{_ACTS}|run|schedule off|schedule on)(?: of)?(?: the)?(?: {_NOT_IT}[^\s,;.:]+){{1,4}}?"
    r" (?:was|were|is (?:wrong|not|denied|rejected|allowed|forbidden|a mistake)|hangs|takes|took|says|said|gives|gave"
    r"|does|did|doesn'?t|didn'?t|isn'?t|wasn'?t|denied|rejected|expired)\b(?! (?:what|as)\b)"
    # It tells a state.
    r"|^(?:hi |hello |ok |oh )?(?:the )?[^\s,]+(?: [^\s,]+){0,3} (?:is|are|was|were|isn'?t)"
    r" (?:already |still |now |back )?(?:on|off)(?: again)?[.!]*$"
    r"|\b(?:on|off) since\b"
    # One thing is to be on, and another one off.
    r"|\b(on|off),? and (?!again|back|on again|off again)\S+(?: \S+)? (?!\1)(?:on|off)\b",
    re.IGNORECASE,
)
# Then the read comes before the change: someone else does it, a condition, or more than one target.
_LOOK: Final = re.compile(
    r"<@[^>]+>"
    r"|\b(?:once|as soon as|the (?:minute|moment|second) (?=\S)|pending|subject to|only (?:with|if|when|after))\b"
    r"(?! (?:a|per|every|more|again|you|possible)\b)"
    r"|\bboth\b|\bsame for\b|\bstop \S+,? (?:and |then )*(?:re)?start (?:it|them|that)\b",
    re.IGNORECASE,
)
# A question, which no change answers.
_ASKS: Final = re.compile(
    r"^(?:(?:hi|hello|hey|ok|so|and|please)\W+)*(?:will (?!you\b)\S|would it (?:help|matter|change)|must (?:i|we)\b|what did"
    r"|who|whose|why|which|(?:until|since|till) when|how (?:long|often|many|much)"
    r"|where|when\b.*\?\s*$)",
    re.IGNORECASE | re.DOTALL,
)
# A report, in which `again` orders nothing.
_AGAIN: Final = re.compile(
    r"\b(?:stuck|down|up|good|bad|broken|slow|failed|failing|ok|fine|not|go|works?|runs?|dead|late|hanging|hung|errors?"
    r"|oh no,?) again\b",
    re.IGNORECASE,
)
# Something of the order is not to be done: `but don't deliver the data`.
_LEAVES_OUT: Final = re.compile(
    r"(?:[,.;]|\bbut|\band) *(?:please )?(?:don'?t|do not|never) \w|\bwithout \w+ing\b|\boff and (?:back )?on\b"
    r"|\bdry[- ]?run\b|\btest[- ](?:run|mode)\b|\b(?:as|in) (?:a )?test\b|\bnot for \w"
    r"|\b(?:in|for|with) \S+ not \w",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(r"\b(?:until|till|for \d+(?: runs?| times)?|longer|during (?:my|the))\b", re.IGNORECASE)
_NOT_TOLD: Final = "".join(
    f"(?<!{one} )" for one in ("hangs", "hanging", "runs", "running", "stuck", "down", "slow", "off")
)
_FOR_A_TIME: Final = re.compile(rf"\b(?:until|till|{_NOT_TOLD}for (?:\d+|an?|one|two|half) ?{_TIME})\b", re.IGNORECASE)
_WAITS: Final = re.compile(
    r"\b(?:stop|kill|cancel|delete|deletion)(?: of \S+)? (?:didn'?t|did not|expired|failed|was)\b"
    r"|\b(?:wait|hold on|says?|said|told|wrote|recommends?|suggests?|asked|wants?|ask|check with"
    r"|let \S+ (?:finish|run|end|complete)|give \S+ (?:another|some|a few|\d+))\b",
    re.IGNORECASE,
)
_ENDS: Final = re.compile(r" (?:until|for)=")
_A_RIGHT: Final = frozenset({"run", "see", "view", "look", "read", "turn", "switch", "use"})
_LIMITED: Final = re.compile(
    r"\b(?:only (?:with|if|when|after|once|by|in)|all|any|every|once|with my|before)\b", re.IGNORECASE
)
_IT: Final = re.compile(
    r"(?i)\b(?:it|them|(?:this|that)(?! (?:week|month|day|evening|afternoon|morning|night|weekend|year)))\b"
)
_AND: Final = re.compile(r"\b(?:and|but|or|then) (?:not |also |to )?(\w+)", re.IGNORECASE)
_A_VERB_OF: Final = re.compile(r"^(\w+) of (?=\S)")


def right(what: str, catalog: Catalog, *, about: str) -> str:
    """What a person is to be allowed, without the noun: `stop prices` for `stop of prices`. Empty if that is not a right, or one
    to something that is only said elsewhere: `it`, outside of a thread."""
    words = parts_of(what)
    verbs = (catalog.verbs | SYNONYMS.keys() | ALIASES.keys() | _A_RIGHT) - {"help"}
    unsaid = not about and _IT.search(what) is not None
    second = any(match[1].casefold() in verbs for match in _AND.finditer(what))  # `start but not stop prices`
    verb = worded(words[:1], catalog).said  # also a misspelled one
    limited = _LIMITED.search(what) or CONDITIONS.search(what)  # `only with my approval`, `if I'm away`
    doubts = against(what) or unsaid or second or limited
    return "" if doubts or verbs.isdisjoint(verb) else _A_VERB_OF.sub(r"\1 ", what)


def reworded(text: str) -> str:
    """The text with one verb for words such as `stop the notifications of`, and a reason that comes first after the order."""
    if (first := _REASON_FIRST.match(text)) and not REASON.search(first["order"]):
        order, why = first["order"], first["why"]
        text = f"{why}, {order}" if _IT.search(order) else f"{order} -- {why}"
    for pattern, says in _REWORDED:
        text = pattern.sub(says, text)
    return tight(text)


def of_signalbox(text: str) -> tuple[str, ...]:
    """The reads for a text that is about rights, rules or the bot itself rather than a target."""
    return next((reads for pattern, reads in _OF_SIGNALBOX if pattern.search(text)), ())


def against(text: str) -> bool:
    """Whether a text may be against the change that it names, or leaves out what it names."""
    return _AGAINST.search(text) is not None


def certain(
    commands: tuple[str, ...], text: str, order: str, before: str, catalog: Catalog, *, soon: bool = False
) -> tuple[str, ...]:
    """The commands for an order in a text, without the changes that the text may be against, or after the read that the order,
    or what is said before it, may want first: of a change now, or by this person, it may not speak. `soon`: it comes after
    something that happens at a later time."""
    acts = [one for one in commands if catalog.changes(catalog.canonical_verb(one.split())[0] or "")]
    grants = bool(acts) and acts[0].startswith("grant ")
    command = parse(acts[0], catalog) if acts else None
    target = command.target if isinstance(command, Command) else None
    looks = (f"status {target}",) if target else ("grants" if grants else "help",)
    asks = _ASKS.match(text) is not None and commands[:1] != () and commands[0].split()[0] not in ("help", "why")
    reports = _AGAIN.search(order) is not None and not "".join(acts[:1]).startswith("incident ")
    if acts and (asks or reports or against(text)):
        return tuple(one for one in commands if one not in acts) or looks
    pauses = acts != [] and acts[0].startswith(("pause ", "schedule off "))
    ends = _UNTIL if pauses else _FOR_A_TIME
    no_end = acts != [] and ends.search(order) is not None and not _ENDS.search(acts[0])  # it would be without one
    first = (
        target
        and not grants
        and commands[0] in acts
        and (soon or no_end or _LOOK.search(order) or _LEAVES_OUT.search(text) or _WAITS.search(before))
    )
    return tuple(dict.fromkeys((*looks, *commands)))[:MOST] if first else commands
