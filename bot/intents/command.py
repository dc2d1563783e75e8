"""A command: resolved, authorized, confirmed if dangerous, approved if the rules require it, then run."""

import re
from functools import partial
from typing import Final

from bot.core.approval import Approval
from bot.core.audit import Event
from bot.core.card import Tone, approval_key
from bot.core.command.capability import Risk
from bot.core.command.parser import format_command, parse
from bot.core.command.suggest import certain_read
from bot.core.command.untargeted import small_talk
from bot.core.command.until import ends_at
from bot.core.command.vocabulary import WELCOME
from bot.core.effects import Attempt, Ruling
from bot.core.errors import BadRequest, NoSuchTarget, Problem
from bot.core.intent import Command, Doubt, Intent, ParseError, Place, Source
from bot.core.operation import Operation
from bot.core.policy.decide import Denied
from bot.features import approvals, preflight, stop_everything
from bot.features.builtins import OPEN_TO_ALL, answer
from bot.features.builtins.inventory import concerns, waits_here
from bot.features.builtins.policy import checks_itself
from bot.features.forms.launcher import unfit_buttons
from bot.features.replies import refusal
from bot.features.replies.answer import clean, say
from bot.features.replies.suggestions import commands_meant, read_meant
from bot.operations import asking, newer_run
from bot.operations.authorize import authorize, catalog_of, not_admitted
from bot.operations.backend_call import check
from bot.operations.completion import finish
from bot.operations.execute import begun, execute
from bot.operations.resolve import Resolved, resolve_seen
from bot.runtime.context import Context

_DECIDES: Final = re.compile(
    r"\b(approv\w*|allow\w*|den(y|ied)|reject\w*|declin\w*|claim|wait\w*|pending|yes|ok|okay|lgtm|go ahead)\b",
    re.IGNORECASE,
)
_VERDICT: Final = re.compile(
    r"(allow|deny|reject|decline|claim)\b", re.IGNORECASE
)  # `deny acc:shop/prices` asks for no status

_VERDICT_ON: Final = re.compile(
    r"(?:<@[^>]*>\s*)?(?:(?:yes|ok|okay|sure|please|i)[,\s]+)*(?:approve|deny|reject|decline)\s+(?P<what>\S+\s+\S.*)",
    re.IGNORECASE | re.DOTALL,
)

_TAKEN_BACK: Final = re.compile(
    r"(?:<@[^>]*>\s*)?(?:(?:no|never ?mind|please|ok|sorry)[,.!\s]+)*(?:cancel|withdraw|abort|stop|drop)"
    r"(?:\s+(?:it|this|that|my|the|request|please))*[.!\s]*",
    re.IGNORECASE,
)


async def run_misread(ctx: Context, intent: Intent, ask: ParseError) -> None:
    """Answer words that are not a command: run the read that they name without doubt, otherwise offer commands as buttons."""
    refused = None if intent.source is Source.TERMINAL else await not_admitted(ctx, intent)
    decided = refused is None and await _is_decision(ctx, intent, ask.text)
    known = refused is not None or ask.nearest or decided or stop_everything.meaning(intent)
    meant = None if known else await read_meant(ctx, intent.actor, intent.place, ask.text)
    decisions = Command(verb="approvals")
    about = refused and (_DECIDES.search(ask.text) or await _in_thread_of_a_request(ctx, intent.place))
    if refused is not None and certain_read(ask.text, ctx.catalog, ()) == "help":
        await answer(ctx, intent, Command(verb="help"))
    elif refused is not None and about and await concerns(ctx, intent, decisions, refused):
        await answer(ctx, intent, decisions)  # where nothing can be decided, such as a direct message: say where it can
    elif refused is not None:
        await refusal.unseen(ctx, intent, None, refused)
    elif decided or (meant is None and await _decides(ctx, intent, ask.text)):
        await answer(ctx, intent, decisions)
    elif friendly := small_talk(ask.text):
        await say(ctx, intent, friendly, tone=Tone.PLAIN)
    elif meant is None:
        ask = await _hidden(ctx, intent, ask.text) or ask
        if not await stop_everything.offer(ctx, intent, ask):
            await refusal.misread(ctx, intent, ask)
    else:
        await run_command(ctx, intent, meant)


async def _is_decision(ctx: Context, intent: Intent, text: str) -> bool:
    """Whether the words decide a command that they name and something waits here, as in `approve tag res: SITE=rome`:
    `agent approve` takes a target instead. Or they take back a request that waits here, in a thread that is about no run."""
    place = intent.place
    if _TAKEN_BACK.fullmatch(text.strip()) is not None and place.thread_ts is not None:
        about = await ctx.store.thread_target(place.channel_id, place.thread_ts)
        of_a_run = about is not None and about.parent is not None and not await _in_thread_of_a_request(ctx, place)
        waiting = () if of_a_run else await _theirs(ctx, intent)
        return any(place.channel_id in (one.pending.intent.place.channel_id, one.record.channel) for one in waiting)
    said = _VERDICT_ON.match(text)
    rest = said["what"].split() if said is not None else []
    names_it = ctx.catalog.canonical_verb(rest)[0] is not None or not any({":", "/"} & {*one} for one in rest)
    return bool(rest) and names_it and await waits_here(ctx, intent)


async def _theirs(ctx: Context, intent: Intent) -> list[Approval]:
    """The requests that wait and that this person can cancel or decide. A review of break-glass is none."""
    found, user = map(Approval.of, await ctx.store.pending_decisions(state="open")), intent.actor.user_id
    return [one for one in found if one is not None and user in (one.requester, *one.record.eligible)]


async def _in_thread_of_a_request(ctx: Context, place: Place) -> bool:
    """Whether this is the thread of a card that waits for a decision."""
    waiting = await ctx.store.pending_decisions(state="open") if place.thread_ts is not None else ()
    asked = [await ctx.store.message(approval_key(one.request_id)) for one in waiting]
    threads = {(card.channel_id, card.thread_ts or card.ts) for card in asked if card is not None}
    return (place.channel_id, place.thread_ts) in threads


async def _decides(ctx: Context, intent: Intent, text: str) -> bool:
    """Whether the words are about an approval and one waits here or for this person, or they are a yes or a no and this person
    can cancel or decide one: the list has the buttons to its card."""
    answers = small_talk(text) not in ("", WELCOME)
    if answers:
        return bool(await _theirs(ctx, intent))
    if not _DECIDES.match(text) or not await waits_here(ctx, intent):
        return False
    meant = await refusal.offered(ctx, intent, await commands_meant(ctx, intent.actor, intent.place, text))
    looks = _VERDICT.match(text) is not None and "".join(meant[:1]).startswith("status ")
    return looks or meant[:1] in (["approvals"], ["help"], [])


async def run_command(ctx: Context, intent: Intent, command: Command) -> None:
    """Carry out a command, wherever it comes from: typed, a button, a form."""
    with ctx.tasks.slow(asking.AFTER, partial(asking.say, ctx, intent, command), f"{intent.request_id} slow"):
        await _run(ctx, intent, command)


async def _run(ctx: Context, intent: Intent, command: Command) -> None:
    """Its reason is for people to read, so secrets in it are masked from here on; parameters keep theirs until they are sent."""
    command = command.model_copy(update={"reason": command.reason and clean(ctx, command.reason)})
    late = intent.is_late(ctx.clock.now())
    if await _is_builtin(ctx, intent, command):
        await _run_builtin(ctx, intent, command, late=late)
        return
    typed = intent.typed or format_command(command)
    try:
        resolved = await resolve_seen(ctx, intent, command)
        if isinstance(resolved, Denied):
            await _unseen(ctx, intent, command, resolved, typed)
            return
        if resolved.capability.pausable:
            ends_at(resolved.operation, intent.at, ctx.clock.now(), ctx.zone)
    except Problem as problem:
        await _unresolved(ctx, intent, command, problem, typed)
        return
    operation = resolved.operation
    ruling = await authorize(ctx, intent, operation, resolved.capability)
    if ruling.denied:
        await _deny(ctx, intent, resolved, ruling)
        return
    try:
        misfit = await check(ctx, operation)
    except Problem as problem:
        await refusal.problem(ctx, intent.model_copy(update={"payload": command}), problem, operation)
        return
    if misfit is not None:
        await finish(ctx, begun(ctx, Attempt(intent, operation, ruling)), misfit, Event.FAILED)
        return
    await _proceed(ctx, intent, command, resolved, ruling, late=late and operation.risk is not Risk.READ)


async def _unresolved(ctx: Context, intent: Intent, command: Command, problem: Problem, typed: str) -> None:
    """Answer a command that can't become an operation, unless the same waits for this person's decision: that needs no reason."""
    if await approvals.led_to_card(ctx, intent, command):
        return
    if (hidden := await _hidden(ctx, intent, typed)) is not None:
        await refusal.misread(ctx, intent, hidden)
        return
    is_known = isinstance(problem, NoSuchTarget) and problem.nearest  # by the backend, what was meant
    unclear = intent.typed and not is_known and problem.code in ("no_such_target", "wrong_target_kind")
    meant = await read_meant(ctx, intent.actor, intent.place, intent.typed) if unclear else None
    if meant is not None and meant != command:
        await _run(ctx, intent, meant)
        return
    more = unfit_buttons(ctx, intent, command, problem.code)
    await refusal.problem(ctx, intent.model_copy(update={"payload": command}), problem, more=more)


async def _deny(ctx: Context, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Deny a command, unless the same waits for this person's decision."""
    if not await approvals.led_to_card(ctx, intent, resolved.operation):
        buttons = await approvals.ask_buttons(ctx, intent, resolved, ruling)
        await refusal.denied(ctx, intent, resolved.operation, ruling, buttons)


async def _unseen(ctx: Context, intent: Intent, command: Command, denied: Denied, typed: str) -> None:
    """Deny a command whose target may not be looked up, unless the same waits for this person's decision."""
    if await approvals.led_to_card(ctx, intent, command):
        return
    hidden = None if denied.whole else await _hidden(ctx, intent, typed)
    await (refusal.misread(ctx, intent, hidden) if hidden else refusal.unseen(ctx, intent, command, denied))


async def doubted(ctx: Context, intent: Intent, doubt: Doubt) -> None:
    """Say why words are not run. Who may not know what they name is answered as for any other words, in a sentence not at all."""
    refused = await not_admitted(ctx, intent)
    hidden = await _hidden(ctx, intent, intent.typed) if refused is None and intent.typed else None
    if doubt is Doubt.IN_SENTENCE and (refused or hidden):
        await refusal.abandon(ctx, intent, doubt)
    elif refused is not None:
        await refusal.unseen(ctx, intent, None, refused)
    elif hidden is not None:
        await refusal.misread(ctx, intent, hidden)
    else:
        await refusal.set_aside(ctx, intent, doubt)


async def _hidden(ctx: Context, intent: Intent, text: str) -> ParseError | None:
    """How a text reads for a person who may not know all backends, if it is not a command then; otherwise None."""
    catalog = await catalog_of(ctx, intent.actor, intent.place)
    read = parse(text, catalog) if catalog is not ctx.catalog else None
    return read if isinstance(read, ParseError) else None


async def _run_builtin(ctx: Context, intent: Intent, command: Command, *, late: bool) -> None:
    builtin = ctx.catalog.builtin(command.verb)
    refused = None if command.verb in OPEN_TO_ALL else await not_admitted(ctx, intent)
    if refused and not (checks_itself(command, refused) or await concerns(ctx, intent, command, refused)):
        await refusal.unseen(ctx, intent, command, refused)
    elif builtin is not None and builtin.risk is not Risk.READ and late:
        await refusal.set_aside(ctx, intent, Doubt.LATE, command)
    elif command.target and (hidden := await _hidden(ctx, intent, intent.typed or format_command(command))) is not None:
        await refusal.misread(ctx, intent, hidden)
    else:
        await answer(ctx, intent, command)


async def _proceed(
    ctx: Context, intent: Intent, command: Command, resolved: Resolved, ruling: Ruling, *, late: bool
) -> None:
    """Show what is dangerous or late first, ask approvers where the rule requires it, else run it."""
    operation = resolved.operation
    again = operation.verb in newer_run.RERUNS and not intent.confirmed
    earlier = await newer_run.asked_before(ctx, intent, operation) if again else None
    newest = await newer_run.newest_instead(ctx, command, operation) if again and not earlier else ""
    changes = operation.risk is not Risk.READ and intent.source is not Source.STEP
    open_ones = await ctx.store.pending_decisions(state="open") if changes else ()
    waiting = approvals.theirs_to_decide(ctx, intent, operation, open_ones) if open_ones else None
    asks = operation.risk is Risk.DANGER or late or earlier is not None or newest or waiting is not None
    confirms = asks and not intent.confirmed
    if waiting is not None and ruling.needs_approval and await approvals.led_to_card(ctx, intent, operation):
        return
    if confirms and intent.source is Source.STEP:
        await refusal.problem(ctx, intent, _needs_a_person(operation, newest, late=late), operation)
    elif confirms:
        await preflight.ask(ctx, intent, resolved, ruling, earlier, waiting, newest)
    elif ruling.needs_approval:
        await approvals.request(ctx, intent, resolved, ruling)
        await newer_run.waits(ctx, intent)
    else:
        await execute(ctx, Attempt(intent, operation, ruling))


def _needs_a_person(operation: Operation, newest: str, *, late: bool) -> BadRequest:
    risky = f"`{operation.verb}` is dangerous" if operation.risk is Risk.DANGER else "This run was run again already"
    why = "Slack delivered this request late" if late else "The newest run did not fail" if newest else risky
    return BadRequest(
        f"{why}: a person has to check what will happen first, and a workflow can't press `Run it`.",
        "Type the command in the channel.",
        "needs_person",
    )


async def _is_builtin(ctx: Context, intent: Intent, command: Command) -> bool:
    """Whether the bot itself answers. A verb that a backend has too (`status`, `health`) needs no target there."""
    if ctx.catalog.builtin(command.verb) is None:
        return False
    if not ctx.catalog.capabilities(command.verb):
        return True
    if command.target is not None:
        backend, _, path = command.target.partition(":")
        return not path and not _is_target(ctx, command.verb, backend)
    if intent.place.thread_ts is None:
        return True
    return await ctx.store.thread_target(intent.place.channel_id, intent.place.thread_ts) is None


def _is_target(ctx: Context, verb: str, backend: str) -> bool:
    """Whether `backend:` alone is a target of that verb, as for an agent that is its own backend."""
    spec = ctx.catalog.backends.get(backend)
    if spec is None:
        return False
    kind = spec.default_target
    return not kind.example and ctx.catalog.capability(backend, verb, kind.name) is not None
