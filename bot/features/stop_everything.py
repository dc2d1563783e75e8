"""The emergency stop: one confirmation stops several runs. Each stop is a request of its own, with its own rules, entries and
card."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from rapidfuzz.distance import OSA

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.card import Button, Line, Tone
from bot.core.command.doubt import against
from bot.core.command.later import LATER, LATER_IN_CLAUSE
from bot.core.command.lexer import Unreadable, split, unescape
from bot.core.command.parser import ONE_TARGET, parse
from bot.core.command.vocabulary import CONDITIONS, EXPLAINING, NEGATING, REQUESTING, WONDERING
from bot.core.intent import Command, Intent, ParseError, Reply, Source
from bot.core.outcome import STARTED, Fact
from bot.core.policy.decide import Decision, Denied, NeedsApproval
from bot.core.policy.visibility import Visibility
from bot.core.records import StoredButton, stamp
from bot.core.text import capitalized, plural, utc_text
from bot.core.value import Json
from bot.features import incidents, preflight
from bot.features.forms.prospect import prospect
from bot.features.replies.answer import PRESS_AGAIN, clean, command_button, say, shown_as
from bot.features.replies.refusal import offered
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, foresee, read_situation, visibility_of
from bot.operations.followed import Run, each_run
from bot.runtime.context import Context

TAG: Final = "stop_everything1"
VERB: Final = "stop"
_LISTS: Final = {"verb": "stop everything", "risk": "read"}  # each stop that is confirmed is a request of its own
LIVES: Final = timedelta(minutes=10)
STOPS_WITHIN: Final = timedelta(minutes=5)  # of its order: a run that goes on for longer is offered again
MOST: Final = 20
NONE: Final = (
    "No run in progress was started in this channel. A run that was started elsewhere is stopped by its target's name."
)
_DID: Final = {VERB: "stop ordered", "resume": "resumed", "retry": "retried"}
_IN_A_LINE: Final = 5  # runs; Slack takes 3,000 characters, and a run that is not shown is not confirmed
# A sentence that means `stop everything`. Other words after it may make an exception or name something else.
_SAYS: Final = (
    r"(?:\b(?:stop|kill|abort|cancel|halt|terminate) (?:it |them )?(?:all|everything|every|\*)|^emergency stop"
    r"|^everything (?:must|has to|needs to|should) stop)"
    r"(?:[,.!]* (?:the|of|them|it|all|everything|that|which|is|are|still|currently|running|active|runs?|jobs?|tasks?|in|this"
    r"|channel|right|now|here|please|pls|plz|immediately|at|once|asap"
    r"|hurry|quick|quickly|fast|urgent|urgently|thanks|thx))*"
)
# Its two words as they may be misspelled, and how many slips each may have. `shop` and `step` are other words.
_SPELLED: Final = (
    (re.compile(r"(?=s)(?=.*t)(?=.*o)(?=.*p)(?!stops$).+"), "stop", 1),
    (re.compile(".{7,}"), "everything", 2),
)
_WORD: Final = re.compile(r"[^\W_]+")
_ALL: Final = re.compile(_SAYS + r"[.,:!? ]*$")
_STATES: Final = r"(?:is|are|was|has|have|does|do|did|runs?|goes|went|keeps?|hangs?|failed)"
_AND_WHY: Final = re.compile(
    rf"^(?P<order>.*?{_SAYS}?)(?: *[,.:;!?]+ | [-\u2013\u2014]+ "
    rf"| (?=(?:the )?(?!(?:that|which)\b)[^\W_]\S* {_STATES}\b))(?P<why>.+)$",
    re.IGNORECASE,
)
# A reason tells what is wrong, or how things are where it names nothing. No part of it tells what to leave out, when or where.
_WRONG: Final = re.compile(
    r"\b(?:down|outage|incident|emergency|wrong|broken?|bad|fire|burn\w*|errors?|fail\w*|crash\w*|leak\w*|loss|lost|corrupt\w*"
    r"|damag\w*|full|attack\w*|breach|hack\w*|overload\w*|slow|stuck|wild|problems?|issues?|bugs?|mistake|cant|cannot"
    r"|nothing works)\b"
)
_TELLS: Final = re.compile(rf"^(?!.*(?:\w[-_/:]\w|\d)).*\b{_STATES}\b")
_PARTS: Final = re.compile(r"[,.:;!?]+ *| [-\u2013\u2014]+ ")
_LIMITS: Final = re.compile(
    r"^(?:(?:and|but|so|or|please|yes) )*(?:only|just|minus|not|then|in|on|of|for|from|at|by|with|within|without|until|till"
    r"|before|once|spare|ignore|skip|keep|leave|let|exclude|exempt|omit|save|hold|wait|finish|start|restart|run|retry|continue"
    r"|resume)\b|\b(?:stays?|remains?|continues?|go(?:es)? on|exempt(?:ed)?|excluded|spared|untouched|needed|important|fine"
    r"|ok(?:ay)?|exceptions?|excepted|(?:not |un)affected|included|allowed|safe|done|finished|ready|only$)\b"
    r"|\b(?:should|may|must|can|will|has to|have to|needs? to) (?:still )?(?:run|stay|go|keep|finish|complete"
    r"|end|be)\b"
)
_TOLD: Final = re.compile(
    r"\b(help|let(?! us| me)|allow|permit|forbid|disallow|ask|tell|remind|yesterday|tomorrow|tonight|later|had)\b"
)
_NOBODY: Final = re.compile(r"\b(can ?not|cant|couldnt|(nothing|nobody|no one) (can|may|will|should|must))\b")


async def offer(ctx: Context, intent: Intent, ask: ParseError) -> bool:
    """List the runs that `stop everything` here, or a `stop` with several targets, can mean, with one button that stops them all.
    Without one that can be stopped, say that. False when it means one target."""
    said, reason, unclear = _said(intent, ask)
    seen, channel = await visibility_of(ctx, intent.actor, intent.place), intent.place.channel_id
    if not _means_all(said) and _means_all(_said(intent, ask, ())[0]):
        said, reason, unclear = _said(intent, ask, await _names(ctx, seen))
    targets = ask.nearest if ask.understood == VERB and ask.problem.startswith(ONE_TARGET) else ()
    if "=" in said or not (targets or _means_all(said)) or intent.source is Source.TERMINAL:  # which has no buttons
        return False
    if unclear:
        await _ask_why(ctx, intent)
        return True
    answer = AuditWriter(ctx.secrets).plain(Event.DONE, intent, ctx.clock.now(), code="listed", **_LISTS)
    entries = () if targets else (answer,)
    watches = await ctx.store.open_watches()
    followed = each_run(watches, lambda one: one.channel_id == channel and seen.target(one.target))
    since = stamp(ctx.clock.now() - STOPS_WITHIN)
    stopping = [one for one in followed if one.stop is not None and one.stop.made_at >= since and not targets]
    runs = {f"{VERB} {cards.written(one.watch.target)}": one for one in followed if one not in stopping}
    rules = await _decisions(ctx, intent, runs)
    texts = [one for one in await offered(ctx, intent, targets or [*rules]) if not isinstance(rules.get(one), Denied)]
    stops, left = texts[:MOST], len(texts) - MOST
    if (len(stops) < 2 and targets) or [await shown_as(ctx, text) for text in stops] != stops:
        await ctx.store.append(*entries)
        return False  # a button would keep a secret
    held = await all_of([_asks(ctx, intent, text, rules) for text in stops])  # at once: a control plane may be slow
    asks = {text for text, waits in zip(stops, held, strict=True) if waits}
    listed = {text: _line(runs[text]) if text in runs else f"• `{text.removeprefix(f'{VERB} ')}`" for text in stops}
    at_once = [line for text, line in listed.items() if text not in asks]
    waiting = [line for text, line in listed.items() if text in asks]
    others = (
        []
        if targets
        else [_line(one, _why_not(ctx, one, rules.get(text))) for text, one in runs.items() if text not in texts]
    )
    unlisted = [f"{len(others) - MOST} more: `{ctx.command} watches` lists them"] if len(others) > MOST else []
    rest = "\n".join([*others[:MOST], *unlisted])
    cannot = (
        *((Line(heading="These can't be stopped here", text=rest),) if others else ()),
        *_lines("These are being stopped already", [*map(_line, stopping[:MOST])]),
    )
    orders = (order for run in followed for order in run)
    people = tuple(dict.fromkeys(one.user_id for one in orders if one is not None and one.user_id))
    if not stops:
        none = (Line(text=NONE),) if not others and not stopping else ()
        title = "Nothing can be stopped here" if others else "There is nothing to stop"
        await say(ctx, intent, title, tone=Tone.PLAIN, lines=(*none, *cannot), mention=people, entries=entries)
        return True
    why = clean(ctx, reason or "")
    cancel: dict[str, Json] = {"tag": TAG, "texts": []}
    means: dict[str, Json] = {
        "tag": TAG,
        "verb": VERB,
        "texts": [*stops],
        "reason": why,
        "until": stamp(ctx.clock.now() + LIVES),
        "asks": len(waiting),
        # A task's run has no name of its own, so its command would stop whichever runs when the button is pressed.
        "runs": {
            text: run.watch.target.group for text, run in runs.items() if run.watch.target.id == run.watch.target.parent
        },
    }
    await say(
        ctx,
        intent,
        f"Stop {plural(len(stops), 'run')}?",
        entries=entries,
        tone=Tone.ASK,
        status="Dangerous: check before you run it",
        rows=(Fact(label="Why", value=why),) if why else (),
        lines=(
            *_lines("These will be stopped", at_once),
            *_lines("These will be stopped once approved", waiting),
            *((Line(text=f"{plural(left, 'more run')} not listed: ask again after these."),) if left > 0 else ()),
            *cannot,
        ),
        buttons=tuple(
            Button(
                label=label,
                action="stop_everything",
                id=ctx.ids.secret(),
                style=style,
                means=kept,
                only_user=intent.actor.user_id,
            )
            for label, style, kept in (
                (_label(len(at_once), len(waiting)), "danger" if at_once else "primary", means),
                ("Cancel", None, cancel),
            )
        ),
        footer=("Valid for 10 minutes.",),
        mention=people,
    )
    return True


def meaning(intent: Intent) -> dict[str, Json]:
    """What a text that is not a command asks for, when that is to stop everything; otherwise empty."""
    said, _, unclear = _said(intent, intent.payload) if isinstance(intent.payload, ParseError) else ("", None, False)
    all_of_it = _means_all(said) and "=" not in said and not unclear
    return {**_LISTS} if all_of_it and intent.source is not Source.TERMINAL else {}


def _said(intent: Intent, ask: ParseError, names: Collection[str] | None = None) -> tuple[str, str | None, bool]:
    """The order in small letters, empty if it can't be read; the reason, also one without `--`: `stop everything, the shop is
    down`; and whether other words follow, which may make an exception. With the names of targets, a misspelled `stop
    everything` counts too, unless a target has that name."""
    try:
        words, reason = split(unescape(intent.typed or ask.text))
    except Unreadable:
        return "", None, False
    text = " ".join(word.text for word in words)
    if names is not None:
        text = _WORD.sub(lambda word: word[0] if word[0].casefold() in names else _spelled(word[0]), text)
    said = _plain(text)
    match = None if reason is not None or against(text) or _means_all(said) else _AND_WHY.match(text)
    if match is None:
        return said, reason, False
    order, clear = _plain(match["order"]), _tells_why(_plain(match["why"]))
    return (order, match["why"], not clear) if clear or _means_all(order) else (said, None, False)


def _spelled(word: str) -> str:
    """`stop` or `everything` for a misspelling of it, otherwise the word."""
    typed = word.casefold()
    near = (meant for like, meant, slips in _SPELLED if like.fullmatch(typed) and OSA.distance(typed, meant) <= slips)
    return next(near, word)


async def _names(ctx: Context, seen: Visibility) -> set[str]:
    """Each word of the names of the targets that the person may see."""
    known = [target for backend in ctx.backends for target, _ in await ctx.target_cache.known(backend)]
    return {word for target in known if seen.target(target) for word in _WORD.findall(target.label.casefold())}


def _plain(text: str) -> str:
    return re.sub("['\u2019]", "", text.casefold())


def _tells_why(said: str) -> bool:
    """Whether it tells what is wrong, and no part of it is an exception, a condition, a time or a place."""
    limits = (_LIMITS.search, CONDITIONS.match, NEGATING.search, LATER.search, LATER_IN_CLAUSE.match)
    tells = _WRONG.search(said) or _TELLS.search(said)
    return tells is not None and not any(limit(part) for part in _PARTS.split(said) for limit in limits)


async def _ask_why(ctx: Context, intent: Intent) -> None:
    title = "`stop everything` is about every run that was started in this channel"
    status = (
        "I can't tell whether the words after it are a reason. Write a reason after `--`, or stop runs by their names:"
    )
    lines = (Line(text=f"{ctx.command} stop everything -- why", code=True),)
    await say(ctx, intent, title, status=status, lines=lines, buttons=(command_button(ctx, intent, "status"),))


def _means_all(said: str) -> bool:
    """Whether the sentence asks for it: it denies nothing, has no condition, asks and reports nothing, and gives no right."""
    said = re.sub("^(?:can|could|shall|should) we ", "please ", said)
    asks = EXPLAINING.search(said) or (said.split(" ", 1)[0] in WONDERING and not REQUESTING.search(said))
    unsaid = asks or NEGATING.search(said) or _NOBODY.search(said) or CONDITIONS.search(said)
    match = _ALL.search(said)
    return match is not None and not unsaid and _TOLD.search(said[: match.start()]) is None


def _lines(heading: str, listed: Sequence[str]) -> list[Line]:
    parts = ["\n".join(listed[first : first + _IN_A_LINE]) for first in range(0, len(listed), _IN_A_LINE)]
    return [Line(heading="" if place else heading, text=part) for place, part in enumerate(parts)]


async def _decisions(ctx: Context, intent: Intent, runs: Mapping[str, Run]) -> dict[str, Decision]:
    """What the rules say to each command for a run that can be stopped at all."""
    now, found = await read_situation(ctx, intent.actor, intent.place), dict[str, Decision]()
    for text, run in runs.items():
        target = run.watch.target
        capability = ctx.catalog.capability(target.backend, VERB, target.kind)
        if capability is not None:
            found[text] = foresee(ctx, now, capability, target)
    return found


async def _asks(ctx: Context, intent: Intent, text: str, rules: Mapping[str, Decision]) -> bool:
    """Whether the rules hold the command until others approve it."""
    if text in rules:
        return isinstance(rules[text], NeedsApproval)
    command = parse(text, ctx.catalog)
    return isinstance(command, Command) and (await prospect(ctx, intent, command)).submit == preflight.ASKS


def _label(at_once: int, waiting: int) -> str:
    """What the button does: it stops, asks for approval, or some of each."""
    if not waiting:
        return f"Stop all {at_once}" if at_once > 1 else "Stop it"
    return f"Stop {at_once}, ask for {waiting}" if at_once else preflight.ASKS


def _told(at_once: int, waiting: int, where: str) -> str:
    """What the press began, and whether its cards are in the channel or in the thread."""
    stopping = f"Stopping {plural(at_once, 'run')}" if at_once else ""
    asked = f"{'Asked' if not at_once else 'asked'} for approval to stop {plural(waiting, 'run')}" if waiting else ""
    whose = "It" if at_once + waiting == 1 else "Each"
    return f"{'; '.join(filter(None, (stopping, asked)))}. {whose} has a card in the {where}."


def _why_not(ctx: Context, run: Run, decision: Decision | None) -> str:
    """Why the run can't be stopped: a rule, a freeze, or a control plane that has no way to do it."""
    if isinstance(decision, Denied):
        return cards.rules_named(capitalized(decision.reason))
    return ctx.catalog.no_stop(run.watch.backend, run.watch.target.kind)


def _line(run: Run, why_not: str = "") -> str:
    """The run and what is known of it without asking: its last state, who started, resumed or retried it, who ordered its stop,
    and when; why it can't be stopped."""
    view, orders = run.watch.view or STARTED, {one.id: one for one in run if one is not None}
    told = (
        f"{_DID.get(str(one.verb), 'started')} by {cards.person(one.user_id)} {utc_text(one.made_at, seconds=True)}"
        for one in orders.values()
    )
    text = ", ".join((capitalized(view.state), *told))
    return f"• `{run.watch.target.label}`: {text}" + (f". {why_not}" if why_not else "")


async def confirmed(
    ctx: Context, intent: Intent, button: StoredButton, means: Mapping[str, Json], begin: Callable[[Intent], object]
) -> None:
    """Store each stop as a request of this person, then `begin` all. However often the button is pressed, each is stored once."""
    texts, why = means.get("texts"), str(means.get("reason") or "")
    if not texts:
        await say(ctx, intent, "Cancelled. Nothing was stopped.", tone=Tone.PLAIN, replace=True)
        return
    if stamp(ctx.clock.now()) >= str(means.get("until")):
        await say(ctx, intent, "This expired after 10 minutes. Type the command again.", replace=True)
        return
    if intent.is_late(ctx.clock.now()):
        await say(ctx, intent, PRESS_AGAIN)
        return
    # Once for all: each is decided by what this reads.
    await read_situation(ctx, intent.actor, intent.place, max_age=FRESH)
    begun, runs = list[Intent](), means.get("runs")
    run_of = runs if isinstance(runs, dict) else {}
    for number, text in enumerate(texts if isinstance(texts, list) else ()):
        command = parse(str(text), ctx.catalog)
        if isinstance(command, Command):
            command = command.model_copy(update={"reason": why or None, "run": run_of.get(str(text))})
        part = intent.model_copy(
            update={
                "request_id": ctx.ids.request(),
                "dedupe_key": f"{TAG}:{button.id}:{number}",
                "place": intent.place.model_copy(update={"message_ts": None}),
                "payload": command,
                "typed": f"{text} -- {why}" if why else str(text),
                "reply": Reply(),
                "confirmed": True,
            }
        )
        entry = AuditWriter(ctx.secrets).requested(part)
        stored = await ctx.store.accept(part, [entry], begun=True, incidents=incidents.keys(part.place))
        if stored:
            begun.append(part.model_copy(update={"incident": stored}) if isinstance(stored, str) else part)
    for part in begun:
        begin(part)
    asks = means.get("asks")
    waiting = min(len(begun), asks) if isinstance(asks, int) else 0
    where = "thread" if incidents.thread_of(intent.place) else "channel"
    told = _told(len(begun) - waiting, waiting, where) if begun else "This was already pressed."
    await say(ctx, intent, told, tone=Tone.PLAIN, replace=bool(begun))
