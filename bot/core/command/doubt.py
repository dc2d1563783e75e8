"""What a sentence says against the change that it names: then a read is offered, or the read before the change. Pure.

A button is pressed without much reading. So a change is offered for a plain order alone, and never for what a text leaves out
("everything except prices"), takes back ("stop it, never mind"), reports ("the restart failed") or asks of someone else.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.core.command.builtins import ALIASES
from bot.core.command.catalog import Catalog
from bot.core.command.later import MONTH
from bot.core.command.parser import parse
from bot.core.command.phrases import TOKEN
from bot.core.command.ranking import EDGES, MOST, Known, forms_of, parts_of
from bot.core.command.untargeted import MENTION
from bot.core.command.vocabulary import CONDITIONS, GLUE, SYNONYMS
from bot.core.command.wording import worded
from bot.core.intent import Command

_ACTS: Final = (
    r"(?:(?:re)?start(?:ing|ed)?|re-?run(?:ning)?|retry(?:ing)?|stop(?:ping)?|kill(?:ing)?|delet(?:e|ing)|paus(?:e|ing)"
    r"|resum(?:e|ing)|cancell?(?:ing)?|try|touch(?:ing)?|interrupt(?:ing)?|disabl(?:e|ing)|remov(?:e|ing)|reboot"
    r"|clear(?:ing)?)"
)
_NOT_IT: Final = (
    r"(?!-|(?:it|that|which|who|what|he|she|they|we|you|i|the|because|since|as|so|if|when|and|but|then|while|until|till|once"
    r"|after|before|unless|although)\b)"
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
    rf"|\b(?:{_ACTS}|(?<!last )(?<!previous )(?<!the )(?<!its )run|deploy)"
    r" (?:has |had )?(?:failed|fails|done|finished|worked|works|crashed|ended|ok|helps|helped)"
    r"(?= *(?:$|[,.;!?]|(?:again|for|on)\b))"
    rf"|\b(?:don'?t|do not|never|no need to|without) (?:\S+ )?{_ACTS}\b|{_NO_REPORT}\bnot (?:to |be |just )*{_ACTS}\b"
    r"|\bn(?:e |')\S+ (?:pas|plus|jamais)\b"
    r"|\bstop (?:block|touch|break|kill|retry|restart|start|runn|stopp)ing\b|\bstop to (?:re)?(?:start|run|try)\b"
    r"|\bnot \S+,? but\b(?! not)|^(?:please )?not \S+,"
    r"|^(?:ok(?:ay)?,? |please,? )?(?:hold|hang) on\b(?! to)|^shut up\b|^(?:be )?quiet\b"
    r"|\bhold off (?:on |with )?(?:the |it\b|that\b|this\b|(?:re)?(?:try|start|run)|doing|running)"
    rf"|\bgive \S+ (?:another|some|a few|\d+) (?:\d+ |few |more )*{_TIME}\b"
    r"|\b(?:let|leave) (?!me\b|us\b|<@|@)(?:(?:the|this) )?\S+(?: to)? (?:run(?:ning)?|finish|end|be|alone|continue|go)\b"
    r"(?! (?:again|now)\b)"
    r"|\bstop \S+ from \S+ing\b|(?<!@)\b(?:nobody|no one) (?:should|must|may|shall|can|will|(?:re)?starts?|stops?)\b"
    r"|\b(?:rather not|undo(?= *(?:$|[,.;!?]|(?:that|it|this|please)\b))|drop (?:it|this|that))\b"
    r"|\b(?:must(?:n'?t| not) be|should (?:not|never) be|never be)\b"
    r"|\bno (?:re)?(?:start|try|run)s?\b"
    r"|^(?:please |can you )*check\b"
    r"|\blet (?:anyone|anybody|everyone|everybody)\b|^(?:please )?proceed\W*$"
    rf"|\b(?:i|we) (?:can'?t|cannot|won'?t|couldn'?t) (?:\S+ )?(?:{_ACTS}|approve)\b"
    r"|\b(?:keep|leave) \S+(?: \S+)? (?:paused|off|on|running|open)\b(?!.*\b(?:until|till|for)\b)"
    # What begins like an order is what something is told of: `delete cluster_2 was a mistake`.
    rf"|^(?:please )?(?:the |my |your )?(?:{_ACTS}|run|schedule off|schedule on)(?: of)?(?: the)?(?: {_NOT_IT}[^\s,;.:]+){{1,4}}?"
    r" (?:(?:worked|works|failed|fails|finished|helped)(?= *(?:$|[,.;!?]|(?:again|for|on|at|because|yesterday)\b))|was|were"
    r"|is (?:done|ok|wrong|not|denied|rejected|allowed|forbidden|a mistake)|hangs|takes|took|says|said|gives|gave"
    r"|does|did|doesn'?t|didn'?t|isn'?t|wasn'?t|denied|rejected|expired)\b(?! (?:what|as)\b)"
    # It tells a state.
    r"|\bon hold (?:since|by)\b|^(?:\S+ (?:is|was) (?:still |already )?)?on hold\W*$|\bgo easy\b|\bhands off\b"
    r"|^(?:hi |hello |ok |oh )?(?:the )?[^\s,]+(?: [^\s,]+){0,3} (?:is|are|was|were|isn'?t)"
    r" (?:already |still |now |back )?(?:on|off)(?: again)?[.!]*$"
    r"|\b(?:on|off) since\b"
    # One thing is to be on, and another one off.
    r"|\b(on|off),? and (?!again|back|on again|off again)\S+(?: \S+)? (?!\1)(?:on|off)\b",
    re.IGNORECASE,
)
_GREETING: Final = re.compile(
    r"^(?:(?:thanks?|thank you|ok(?:ay)?|great|super|cool|nice|perfect|hi|hello|hey|well|so)\b[,.! ]*)+", re.IGNORECASE
)
# Then the read comes before the change: someone else does it, a condition, or more than one target.
_LOOK: Final = re.compile(
    r"<@[^>]+>"
    r"|^(?:(?:please|the|show|me) )*(?:(?:re)?start|stop|pause|run|retry|delete|resume)"
    r" (?:status|histor(?:y|ies)|times?|list|requests?|approvals?|rights?|logs?|durations?|errors?)\b|\byesterday'?s\b"
    r"|\brun (?:#|no\.? ?)?\d+\b|\b(?:first|third|yesterday'?s?|last night'?s|\d+ ?[ap]m) run\b|\bruns? (?:of \S+ )?from\b"
    r"|\b(?:once|as soon as|the (?:minute|moment|second) (?=\S)|pending|subject to|only (?:with|if|when|after))\b"
    r"(?! (?:a|per|every|more|again|you|possible)\b)"
    r"|\bmark (?:this|that|it)\b|\bboth\b|\bsame for\b|\bstop \S+,? (?:and |then )*(?:re)?start (?:it|them|that)\b"
    r"|\bstop,? (?:and |then )+(?:re)?start\b",
    re.IGNORECASE,
)
# A question, which no change answers.
_ASKS: Final = re.compile(
    r"^(?:(?:hi|hello|hey|ok|so|and|please)\W+)*"
    r"(?:(?:is|are|was|were|has|did|does) (?!it (?:ok|okay|possible|safe|fine|allowed)\b|there\b|any)\S"
    r"(?!.*\b(?:please|pls|you)\b)"
    r"|will (?!you\b)\S|would it (?:help|matter|change)|must (?:i|we)\b|what did"
    r"|who|whose|why|which|(?:until|since|till) when|how (?:long|often|many|much)"
    r"|where|when\b.*\?\s*$)",
    re.IGNORECASE | re.DOTALL,
)
# A report, in which `again` orders nothing.
_AGAIN: Final = re.compile(
    r"\b(?:stuck|down|up|good|bad|broken|slow|failed|failing|ok|fine|not|go|works?|runs?|dead|late|hanging|hung|errors?"
    r"|oh no,?) again\b(?!.*\b(?:re)?(?:try|start|run)\b)"
    r"|^(?!.*\b(?:re)?(?:try|start|run)\b).*\bagain (?:an? |in )?(?:stuck|down|bad|broken|slow|failed|failing|ok|fine|red|green"
    r"|hangs?|hanging|hung|errors?|dead|late)\b",
    re.IGNORECASE,
)
# Something of the order is not to be done: `but don't deliver the data`.
_LEAVES_OUT: Final = re.compile(
    r"(?:[,.;]|\bbut|\band) *(?:please )?(?:don'?t|do not|never) \w|\bwithout \w+ing\b|\boff and (?:back )?on\b"
    r"|\bdry[- ]?run\b|\btest[- ](?:run|mode)\b|\b(?:as|in) (?:a )?test\b|\bnot for \w"
    r"|\b(?:in|for|with) \S+ not \w|(?<=\s)-[a-z]\w+|\bbut only\b|\btest only\b|\(test\)"
    # A second thought, or someone who is to be asked before.
    r"|(?:[,.;\u2026]+|\bor) *(?:no,? (?=\d)|(?:sorry|oops|better|rather|make (?:that|it)),? "
    r"(?!for\b|about\b|to\b|i\b|we\b|my\b|it\b))\S|\bonly (?:if|when|with|after)\b"
    r"|(?:\.{2,}|\u2026) *\d|\bnot until\b"
    r"|(?:\bbut|,|\band) (?:first )?(?:ask|check with|wait for|talk to)\b",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(
    r"\b(?:until|till|for \d+(?: runs?| times)?|for (?:the )?(?:next )?\S+ runs|longer|during (?:my|the)|through"
    r"|(?:all|this|whole) (?:day|week|night|weekend|month)|rest of|over (?:the|night|lunch)"
    r"|(?:a few|some|several|a couple(?: of)?) \w+|today|tonight|tomorrow|on \w+day|mon-|\d\d:\d\d ?[-\u2013])\b",
    re.IGNORECASE,
)
_NOT_TOLD: Final = "".join(
    f"(?<!{one} )"
    for one in ("hangs", "hanging", "runs", "running", "stuck", "down", "slow", "broken", "was off", "is off")
)
_FOR_A_TIME: Final = re.compile(rf"\b(?:until|till|{_NOT_TOLD}for (?:\d+|an?|one|two|half) ?{_TIME})\b", re.IGNORECASE)
_SO_FAR: Final = re.compile(r"\b(?:(?:has|have|had) been|(?:broken|failing|stuck|hanging|slow) for)\b", re.IGNORECASE)
_AN_END: Final = re.compile(
    r"\b(?:until|till)\b|\bfor \d|\bends? (?:at )?\d|@ ?\d|\s\d+/\d+ |\s\d{2,}\W*$|\d ?[ap]m\b", re.IGNORECASE
)
_WAITS: Final = re.compile(
    r"\b(?:stop|kill|cancel|delete|deletion)(?: of \S+)? (?:didn'?t|did not|expired|failed|was)\b"
    r"|\b(?:wait|hold on|says?|said|told|wrote|recommends?|suggests?|asked|wants?|ask|check with"
    r"|let \S+ (?:finish|run|end|complete)|give \S+ (?:another|some|a few|\d+))\b",
    re.IGNORECASE,
)
_STOPPED: Final = re.compile(
    r"(?<!not )(?<!n't )\b(?:stop|kill)(?: it)?(?:,| and| then)*\W*$", re.IGNORECASE
)  # before `and start it`
_ENDS: Final = re.compile(r" (?:until|for)=")
_A_RIGHT: Final = frozenset({"run", "see", "view", "look", "read", "turn", "switch", "use"})
_LIMITED: Final = re.compile(
    r"\b(?:while|during|one time|everything|only (?:with|if|when|after|once|by|in)|all|any|every|once|with my|before)\b",
    re.IGNORECASE,
)
# An order without what tells why after it, also without a comma: `stop load_orders it hangs`, `pause prices for maintenance`.
_NO_WHY: Final = re.compile(r"^(\S+ \S+.*?)(?: - |: | (?:because|since|it'?s?)\b).*", re.IGNORECASE | re.DOTALL)
_NO_PURPOSE: Final = re.compile(
    r"^((?:pause|suspend|hold|snooze|stop|turn|switch|schedule)\b.*?) (?:for|during|between|until|till) .*",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(r"[a-z]{3,}[-_]\d+")
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


def against(text: str) -> bool:
    """Whether a text may be against the change that it names, or leaves out what it names."""
    return _AGAINST.search(_GREETING.sub("", text)) is not None


def all_told(order: str, command: str, inputs: Collection[str], targets: Sequence[Known], catalog: Catalog) -> bool:
    """Whether each word of an order means something that the bot knows, is of a name, or is of the command that is offered."""
    text = MENTION.sub(" ", _NO_PURPOSE.sub(r"\1", _NO_WHY.sub(r"\1", order)))
    words = [re.sub("['\u2019]", "", token.strip(EDGES)) for token in TOKEN.findall(text)]
    said = worded([word for word in words if word and not {":", "/", "=", "@"} & {*word}], catalog)
    known = said.known | said.parts | GLUE | {*inputs, *parts_of(command)}
    known |= {"without", "switched", "outside", "non"} if "=false" in command else set()  # `without production`
    heard = [said.typed[at].casefold() if at in said.guessed else word for at, word in enumerate(said.said)]
    parts = {part for word in heard if word not in known for part in parts_of(word)} - known
    own = {word for target in targets for word in target.name.casefold().replace("/", " ").split()}
    other = any(_NUMBERED.fullmatch(word) and word not in own for word in map(str.casefold, words))  # `server-2`
    left = [part for part in parts if part.isalpha() and not re.match(MONTH, part)]
    names = frozenset[str]().union(*(forms_of(target.name) for target in targets)) if left else ()
    return not other and all(
        process.extractOne(one, names, scorer=OSA.normalized_similarity, score_cutoff=0.7 if len(one) > 4 else 0.79)
        for one in left
    )


def certain(
    commands: tuple[str, ...],
    text: str,
    order: str,
    before: str,
    catalog: Catalog,
    *,
    soon: bool = False,
    more: bool = False,
) -> tuple[str, ...]:
    """The commands for an order in a text, without the changes that the text may be against, or after the read that the order,
    or what is said before it, may want first: of a change now, or by this person, it may not speak. `soon`: it comes after
    something that happens at a later time. `more`: it says more than the commands do."""
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
    lasting = ends.search(order) or (
        _AN_END.search(text.partition(" -- ")[0]) if pauses and not _SO_FAR.search(text) else None
    )
    no_end = acts != [] and lasting is not None and not _ENDS.search(acts[0])  # it would be without one
    first = (
        target
        and not grants
        and commands[0] in acts
        and (
            soon
            or more
            or no_end
            or _LOOK.search(order)
            or _LEAVES_OUT.search(text)
            or _WAITS.search(before)
            or _STOPPED.search(before)
        )
    )
    return tuple(dict.fromkeys((*looks, *commands)))[:MOST] if first else commands
