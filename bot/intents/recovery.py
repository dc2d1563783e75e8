"""After a restart, or when another replica has ended: open requests end in a recorded outcome.

A call that may have been sent is looked up. It is sent again only if it is idempotent and nobody has changed its target since.
That it happened can be told at once; that it did not, only when no other replica can be sending it anymore.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.core.audit import Event
from bot.core.card import Line, Tone, operation_key
from bot.core.command.until import ends_at
from bot.core.effects import Attempt
from bot.core.intent import Due, Form, Payload, Press
from bot.core.outcome import Done, Failed, Unknown
from bot.core.records import Filters, StoredEntry, StoredRequest
from bot.features import approvals, home, target_watch
from bot.features.access import breakglass, grant_end
from bot.features.pauses.pause import ENDINGS
from bot.features.pauses.resume import resume, show_end_again
from bot.features.replies.answer import say
from bot.intents.dispatcher import guarded, handle, is_urgent
from bot.operations import asking, cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, authorize
from bot.operations.execute import execute, look_up, target_lock
from bot.operations.next_steps import check_again
from bot.operations.reconcile import LOOK_BACK_SECONDS, changed_since, look_once
from bot.operations.restored import CODE, MAY_HAVE_RUN, may_have_run, notice_restore
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

STILL_MEANT = timedelta(minutes=5)
LOOK_ELSEWHERE: Final = 0.5  # seconds between two looks at a call of another replica
LOOK_AGAIN: Final = 5.0  # seconds between two looks for an effect
LAST: Final = 500
LAST_OF_PAUSES: Final = 100
_STORED: Final = (
    Event.GRANTED,
    Event.BREAKGLASS,
    Event.REVOKED,
    Event.REVIEWED,
    Event.ENDED,
)  # what a request was about
_TOLD_AGAIN: Final = (Event.INCIDENT_OPENED, Event.INCIDENT_CLOSED)  # with a card or a report that may be missing
_DECISIONS: Final = ("approve", "deny", "allow", "cancel", "claim", "release")
_OUTCOMES: Final = (Event.DONE, Event.FAILED, Event.RECONCILED, Event.ABANDONED)


async def recover(ctx: Context) -> int:
    """Pick up every request that was open; returns how many there were."""
    await notice_restore(ctx)
    requests = await ctx.store.claim_unfinished()
    for request in await ctx.store.sending_elsewhere():
        ctx.tasks.start(_locked_elsewhere(ctx, request), f"elsewhere {request.request_id}")
    await show_outcomes(ctx)
    await show_pauses(ctx)
    # Read first: later requests are in progress, not left over.
    await approvals.recover(ctx)
    await breakglass.recover(ctx)
    await grant_end.recover(ctx)
    await target_watch.recover(ctx)
    await home.recover(ctx)
    await asking.recover(ctx)
    _work_on(ctx, requests)
    return len(requests)


async def pick_up_requests(ctx: Context) -> None:
    """Requests that other replicas accepted for the leader, or left when they ended."""
    _work_on(ctx, await ctx.store.claim_unfinished())


def _work_on(ctx: Context, requests: Sequence[StoredRequest]) -> None:
    for request in requests:
        is_sent = request.state == "sending" and request.operation is not None
        work = partial(guarded, ctx, request.intent, partial(_work_on_one, ctx, request, is_sent=is_sent))
        if is_sent or (ctx.store.shared and is_urgent(request.intent)):
            ctx.tasks.start(work(), request.request_id)
        else:  # a flood may have left thousands
            ctx.tasks.enqueue(work, request.request_id)


async def _work_on_one(ctx: Context, request: StoredRequest, *, is_sent: bool) -> None:
    one = partial(_sent if is_sent else _not_sent, ctx, request)
    await until_stored(ctx.clock, f"request {request.request_id}", one)


async def _locked_elsewhere(ctx: Context, request: StoredRequest) -> None:
    """Hold the lock of a target while another replica, which led before, finishes its call to it."""
    if request.operation is None:
        return
    async with target_lock(ctx, request.operation):
        while any(one.request_id == request.request_id for one in await ctx.store.sending_elsewhere()):
            await ctx.clock.sleep(LOOK_ELSEWHERE)


async def _not_sent(ctx: Context, request: StoredRequest) -> None:
    """Nothing was sent: continue if the request is recent enough, otherwise show that it was dropped."""
    intent, now = request.intent, ctx.clock.now()
    if await may_have_run(ctx, request):
        entry = AuditWriter(ctx.secrets).plain(Event.ABANDONED, intent, now, code=CODE)
        await say(ctx, intent, "Given up after a restore", entries=(entry,), lines=(Line(text=MAY_HAVE_RUN),))
        return
    if request.state == "new":
        await ctx.store.begin(request.request_id, now)
    last = next(iter(await ctx.store.search(Filters(request_id=request.request_id), limit=1)), None)
    half = last is not None and (last.event, last.verb) == (
        Event.REVOKED,
        "close review",
    )  # the review comes after the end
    if (
        last is not None and last.event in _STORED and not half
    ):  # its cards are shown by now; done again it might be something else
        entry = AuditWriter(ctx.secrets).plain(Event.DONE, intent, now, verb=last.verb)
        text = "Its card in the channel shows how it stands."
        await say(
            ctx, intent, "Done just before I was restarted", entries=(entry,), tone=Tone.GOOD, lines=(Line(text=text),)
        )
        return
    if half or (last is not None and last.event in _TOLD_AGAIN):
        intent = intent.model_copy(update={"at": now, "sent_at": None})
    if isinstance(intent.payload, Due) or now - intent.at <= STILL_MEANT:
        await handle(ctx, intent)
        return
    if _decides(intent.payload):  # its vote is an entry of the request that it is about
        entry = AuditWriter(ctx.secrets).plain(
            Event.ABANDONED, intent, now, code="not_told", detail="found open after a restart"
        )
        lines = (Line(text="The card shows whether it counts. Press again if it doesn't."),)
        await say(ctx, intent, "I was restarted just after you pressed", entries=(entry,), lines=lines)
        return
    detail = "found open after a restart; nothing had been sent"
    entry = AuditWriter(ctx.secrets).plain(Event.ABANDONED, intent, now, code="not_sent", detail=detail)
    text = "Nothing was sent. Type the command again if you still want it."
    await say(ctx, intent, "Not done: I was restarted", entries=(entry,), lines=(Line(text=text),))


def _decides(payload: Payload) -> bool:
    """Whether this is a press on the card of an approval, or the form behind it."""
    return (isinstance(payload, Press) and payload.action in _DECISIONS) or (
        isinstance(payload, Form) and payload.form == approvals.DENY_FORM
    )


async def _sent(ctx: Context, request: StoredRequest) -> None:
    """The call may have been made: its outcome is unknown until it is repeated or looked up in the backend."""
    intent, operation = request.intent, request.operation
    if operation is None:
        return
    sent_at = datetime.fromisoformat(request.sent_at or request.updated_at)
    attempt = Attempt(intent, operation, sent_at=sent_at)
    lost = Unknown(code="restarted", summary="The bot stopped while it was sending this.")
    now = ctx.clock.now()
    last = await ctx.store.search(Filters(request_id=intent.request_id), limit=1)
    if not last or last[0].event is not Event.UNKNOWN:  # otherwise a leader that has ended meanwhile recorded it
        entry = AuditWriter(ctx.secrets).outcome(attempt, lost, Event.UNKNOWN, now, ctx.clock.monotonic())
        await ctx.store.append(entry)
    seconds = ctx.leadership.may_be_sending(request.silent, operation.timeout)
    until = ctx.clock.monotonic() + seconds
    # Said before anything that may take minutes: another look at the same target, or the rest of the call's timeout.
    last_look = now + timedelta(seconds=seconds + LOOK_BACK_SECONDS)
    if not isinstance(intent.payload, Due):  # the end of a pause is told on the card of the pause
        await ctx.presenter.show(cards.undecided(operation, intent, last_look, *check_again(ctx, operation)))
    if not await may_have_run(ctx, request):
        await approvals.announce(ctx, operation, sent_at)
    async with target_lock(ctx, operation):
        await _until_it_shows(ctx, attempt, until)
        if isinstance(intent.payload, Due):
            await _end_again(ctx, attempt, intent.payload, lost)
            return
        is_safe = operation.idempotent and not await may_have_run(ctx, request)
        repeatable = await _repeatable(ctx, attempt) if is_safe else None
        if repeatable is not None:
            await execute(ctx, repeatable, again=True)
        else:
            await look_up(ctx, attempt, lost)


async def _end_again(ctx: Context, attempt: Attempt, what: Due, lost: Unknown) -> None:
    """The interrupted end of a pause: sent again if that is the same as once, otherwise looked up."""
    now, pause = ctx.clock.now(), await ctx.store.pause_by_id(what.row)
    if pause is None or pause.state != "open":  # it ended otherwise, as its card says
        entry = AuditWriter(ctx.secrets).outcome(attempt, lost, Event.ABANDONED, now, ctx.clock.monotonic())
        await ctx.store.finish(attempt.intent.request_id, (entry,), now)
    elif pause.backend not in ctx.backends:
        await resume(ctx, attempt.intent, pause)
    elif attempt.operation.idempotent:
        await execute(ctx, replace(attempt, pause=pause), again=True)
    else:
        await look_up(ctx, replace(attempt, pause=pause), lost)


async def _until_it_shows(ctx: Context, attempt: Attempt, until: float) -> None:
    """Wait until the effect of the call is seen, or until no other replica can be sending it anymore."""
    operation, backend = attempt.operation, ctx.backends.get(attempt.operation.target.backend)
    while backend is not None and attempt.sent_at is not None and (left := until - ctx.clock.monotonic()) > 0:
        async with ctx.looks[backend.name]:
            back = await look_once(ctx, operation, backend, attempt.sent_at)
        if back.found is not None:
            return
        await ctx.clock.sleep(min(left, LOOK_AGAIN))


async def _repeatable(ctx: Context, attempt: Attempt) -> Attempt | None:
    """The call if it may be repeated because it is idempotent, while it is recent, the rules still allow it, and nobody has
    changed its target since. None when it is only looked up."""
    intent, operation, now = attempt.intent, attempt.operation, ctx.clock.now()
    if operation.target.backend not in ctx.backends:
        return None
    capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
    if capability is None or not capability.idempotent or now - intent.at > STILL_MEANT:
        return None
    ends = ends_at(operation, intent.at, intent.at, ctx.zone) if capability.pausable else None
    if ends is not None and ends <= now:  # the pause would be over already
        return None
    ruling = await authorize(ctx, intent, operation, capability, max_age=FRESH)
    is_last = attempt.sent_at is not None and await changed_since(ctx, operation, attempt.sent_at) is None
    return replace(attempt, ruling=ruling) if ruling.allowed and is_last else None


async def show_outcomes(ctx: Context) -> None:
    """Show the newest outcomes again whose cards still show work in progress."""
    for event in _OUTCOMES:
        for entry in await ctx.store.search(Filters(event=str(event)), limit=LAST):
            posted = await ctx.store.message(operation_key(entry.request_id))
            body = posted.body if posted is not None else None
            # Only a card that is not the last word has one of these colours and no time.
            if isinstance(body, dict) and body.get("tone") in (Tone.WORKING, Tone.UNSURE) and body.get("at") is None:
                await _show_outcome(ctx, entry)


async def show_pauses(ctx: Context) -> None:
    """Show the newest ended pauses again whose cards do not show the end; oldest first, so that the newest is shown last."""
    for event in ENDINGS:
        entries = await ctx.store.search(Filters(event=str(event)), limit=LAST_OF_PAUSES)
        for entry in reversed(entries):
            await show_end_again(ctx, entry)


async def _show_outcome(ctx: Context, entry: StoredEntry) -> None:
    request = await ctx.store.request(entry.request_id)
    if request is None or request.state != "ended" or request.operation is None:
        return
    result = _result(entry)
    card = cards.outcome(request.operation, request.intent, result, (), ctx.clock.now(), entry.rule or "")
    await ctx.presenter.show(card)


def _result(entry: StoredEntry) -> Done | Failed | Unknown:
    """The outcome, as far as its audit entry contains it."""
    summary, code = entry.detail or "", entry.code or ""
    if entry.event is Event.ABANDONED:
        return Unknown(code=code, summary=summary)
    if entry.event is Event.FAILED or (entry.event is Event.RECONCILED and code != "done"):
        return Failed(code=code, summary=summary)
    return Done(summary=summary, backend_ref=entry.backend_ref)
