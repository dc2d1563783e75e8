"""The pre-flight of a dangerous or late command: the requester sees what will happen and what runs, then decides."""

from datetime import timedelta
from functools import partial
from typing import Final

from bot.all_of import both
from bot.core.approval import Approval, changed_binding, is_other, state_text
from bot.core.audit import Event
from bot.core.card import Button, Line, Tone, approval_key
from bot.core.command.capability import Risk
from bot.core.effects import Attempt, Ruling
from bot.core.intent import Intent, Source
from bot.core.operation import Operation
from bot.core.outcome import Fact, binding_in, facts_of
from bot.core.records import PendingDecision, StoredEntry, stamp
from bot.core.text import asked_text, sentences
from bot.features import approvals
from bot.features.replies import refusal
from bot.features.replies.answer import reply, say
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, authorize
from bot.operations.backend_call import unfit
from bot.operations.execute import execute
from bot.operations.newer_run import HEADING, said_of, waits
from bot.operations.resolve import Resolved
from bot.operations.restored import VOID, is_before_restore
from bot.operations.target_facts import UNREADABLE, at_present, find_now, what_binds, what_is
from bot.runtime.context import Context
from bot.runtime.until_stored import sure

LIVES: Final = timedelta(minutes=10)
SELDOM_READ: Final = frozenset({"Last outcomes here", "Last outcomes"})
RUNS: Final = "Run it"
ASKS: Final = "Ask for approval"


async def ask(
    ctx: Context,
    intent: Intent,
    resolved: Resolved,
    ruling: Ruling,
    earlier: StoredEntry | None = None,
    waiting: Approval | None = None,
    newest: str = "",
) -> None:
    """Store the pending decision and show it to the requester with `Run it` and `Cancel`. `earlier` is the entry of the request
    that ran the same run again already, `waiting` the same command that waits for this person's decision, and `newest` how the
    newest run stands if an older one is meant.

    A terminal has no buttons: its request ends here, and `--yes` answers in advance.
    """
    now, operation = ctx.clock.now(), await at_present(ctx, resolved.operation)
    has_buttons = intent.source is not Source.TERMINAL
    pending_id = ctx.ids.secret()
    (found, binding), (_, state) = await both(what_is(ctx, operation), find_now(ctx, operation))
    if has_buttons:
        pending = PendingDecision(
            id=pending_id,
            kind="preflight",
            request_id=intent.request_id,
            operation=operation,
            digest=ruling.digest,
            policy_version=ruling.policy.version,
            intent=intent,
            record={"asks": ruling.needs_approval, "state": state, "binding": binding},
            due_at=stamp(now + LIVES),
            made_at=stamp(now),
        )
        write = partial(ctx.store.wait, intent.request_id, pending, (), now)
        await sure(ctx.clock, f"request {intent.request_id}", write, partial(ctx.store.open_pending, pending_id))
    else:
        entry = AuditWriter(ctx.secrets).about(
            Event.ABANDONED, operation, intent, now, code="not_confirmed", policy_version=ruling.policy.version
        )
        await ctx.store.finish(intent.request_id, (entry,), now)
    # Everything was read for this answer, so no fact needs a time of its own.
    found = tuple([fact.model_copy(update={"at": None}) for fact in found])
    aside = [fact for fact in found if fact.label in SELDOM_READ or (fact.label, fact.value) == ("Freeze", "none")]
    late = asked_text(intent, now) if intent.is_late(now) else ""
    danger = (
        "Dangerous: check before you run it" if operation.risk is Risk.DANGER else "Run it only if you still want it"
    )
    already, people = approvals.who_asked(waiting, intent) if waiting is not None else ("", ())
    if already:
        already = f"{already}, and you can decide it. If you run it, the request still waits"
    status = sentences(already, late, danger) if already or late else danger
    newer = await said_of(ctx, earlier) if earlier is not None else newest
    link = (
        await approvals.link_to(ctx, approval_key(waiting.pending.request_id), "Open the request") if waiting else None
    )
    await reply(
        ctx,
        intent,
        operation.title,
        key=f"hold:{pending_id}" if has_buttons else "",
        tone=Tone.ASK,
        status=status if has_buttons else sentences(already, "Not run. Pass `--yes` to run it."),
        link=link,
        rows=(
            Fact(label="What happens", value=resolved.capability.effect or resolved.capability.help),
            *((Fact(label="Why", value=operation.reason),) if operation.reason else ()),
        ),
        lines=(Line(heading=HEADING, text=newer),) if newer else (),
        mention=(*people, *((earlier.user_id,) if earlier is not None else ())),
        facts=(*facts_of(operation.masked_words), *(fact for fact in found if fact not in aside)),
        details=(
            *aside,
            Fact(label="Exact id", value=operation.target.id),
            Fact(label="Request", value=intent.request_id),
            Fact(label="Digest", value=ruling.digest),
        ),
        buttons=_buttons(ctx, intent, pending_id, ASKS if ruling.needs_approval else RUNS) if has_buttons else (),
        footer=("Valid for 10 minutes.",) if has_buttons else (),
        at=ctx.clock.now(),
    )


def _buttons(ctx: Context, intent: Intent, pending_id: str, run: str) -> tuple[Button, ...]:
    """The button with the label `run`, and Cancel."""
    return tuple(
        Button(
            label=label,
            action=label.lower().replace(" ", "_"),
            id=ctx.ids.secret(),
            style=style,
            means=cards.pending_means(pending_id, choice),
            only_user=intent.actor.user_id,
        )
        for label, choice, style in ((run, "run", "danger" if run == RUNS else "primary"), ("Cancel", "cancel", None))
    )


async def decide(ctx: Context, intent: Intent, pending: PendingDecision, choice: str) -> None:
    """The requester pressed a button. Time, rules, person and target are checked again before anything runs."""
    operation, asked = pending.operation, pending.intent
    if operation is None or asked.actor.user_id != intent.actor.user_id:  # payloads differ in which teams they name
        await say(ctx, intent, "Only the requester can press this.")
        return
    if stamp(ctx.clock.now()) >= pending.due_at:
        await _stop(ctx, intent, pending, "This expired after 10 minutes. Type the command again.", "expired")
        return
    if await is_before_restore(ctx, pending.made_at):
        text = f"{VOID[0].upper()}{VOID[1:]}. Nothing was done."
        await _stop(ctx, intent, pending, text, "restored")
        return
    if choice == "cancel":
        await _stop(ctx, intent, pending, f"Cancelled: {operation.title}. Nothing was done.", "cancelled")
        return
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    if capability is None:
        await say(ctx, intent, "This backend no longer supports this.", replace=True)
        return
    ruling = await authorize(ctx, asked, operation, capability, max_age=FRESH)
    if ruling.denied:
        await ctx.store.end_pending(pending.id, "cancelled", intent.actor.user_id, (), ctx.clock.now())
        await refusal.denied(ctx, asked, operation, ruling)
        await say(ctx, intent, "The rules no longer allow it. Nothing was done.", replace=True)
    elif (stale := await _stale(ctx, pending, operation, ruling)) is not None:
        await _stop(ctx, intent, pending, stale, "stale")
    elif ruling.needs_approval:
        # The approval is opened before the pre-flight ends: a crash between the two loses neither.
        await approvals.request(ctx, asked, Resolved(operation, capability), ruling)
        await waits(ctx, asked)
        await ctx.store.end_pending(pending.id, "taken", intent.actor.user_id, (), ctx.clock.now())
        was_asked = await approvals.was_asked(ctx, pending.request_id)
        text = (
            f"Waiting for approval; see the card {_where(asked)}." if was_asked else "Not asked again; see the answer."
        )
        await say(ctx, intent, text, tone=Tone.PLAIN, replace=True)
    else:
        told = f"You confirmed it. Its card {_where(asked)} says how it goes."
        await say(ctx, intent, told, tone=Tone.PLAIN, replace=True)
        if await execute(ctx, Attempt(asked, operation, ruling), pending_id=pending.id) is None:
            await say(ctx, intent, "This was already pressed.", tone=Tone.PLAIN)


def _where(asked: Intent) -> str:
    return "in the thread" if asked.place.thread_ts is not None else "in the channel"


async def _stale(ctx: Context, pending: PendingDecision, operation: Operation, ruling: Ruling) -> str | None:
    """Why the button no longer does what it says, None when it does."""
    if ruling.digest != pending.digest:
        return "The rules changed since this was shown. Type the command again."
    if pending.record.get("asks") and not ruling.needs_approval:
        return f"{operation.title} no longer needs approval. Type the command again to run it."
    misfit = await unfit(ctx, operation)
    if misfit is not None:
        return f"{misfit} Nothing was done."
    if ruling.needs_approval:
        return None  # approvers see the state as it is then
    before, shown = pending.record.get("state"), binding_in(pending.record.get("binding"))
    _, now = await find_now(ctx, operation)
    found = []
    if before not in (None, UNREADABLE) and now != UNREADABLE and is_other(str(before), now):
        was, is_now = (state_text(state) or "unknown" for state in (str(before), now))
        found.append(f"The state changed from {was} to {is_now} since this was shown")
    if shown:  # none of an earlier version
        found += changed_binding(shown, await what_binds(ctx, operation))
    return sentences(*found, "Nothing was done", "Type the command again") if found else None


async def _stop(ctx: Context, intent: Intent, pending: PendingDecision, text: str, code: str) -> None:
    """End the pending decision and its request, and show why in place of the card."""
    now = ctx.clock.now()
    event = Event.EXPIRED if code == "expired" else Event.ABANDONED
    state = "expired" if code == "expired" else "cancelled"
    entry = AuditWriter(ctx.secrets).pending(event, pending, now, intent, code=code)
    if await ctx.store.end_pending(pending.id, state, intent.actor.user_id, (entry,), now):
        await ctx.store.finish(pending.request_id, (), now)
    await say(ctx, intent, text, tone=Tone.PLAIN if code == "cancelled" else Tone.WARN, replace=True)


async def expire(ctx: Context, pending: PendingDecision) -> None:
    """End a pre-flight after ten minutes. A request that approvers were asked about meanwhile continues."""
    now = ctx.clock.now()
    entry = AuditWriter(ctx.secrets).pending(Event.EXPIRED, pending, now)
    ended = await ctx.store.end_pending(pending.id, "expired", None, (entry,), now)
    if (ended or pending.state == "expired") and not await approvals.was_asked(ctx, pending.request_id):
        await ctx.store.finish(pending.request_id, (), now)
