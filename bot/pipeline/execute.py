"""The call: registered before it, registered after it, and never sent twice when nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from bot.core.capability import Risk
from bot.core.card import Delivery
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, LookBack, Refused, Unknown
from bot.core.ports import Backend
from bot.core.problems import (
    Ambiguous,
    BadReply,
    BadRequest,
    CallProblem,
    CredentialRefused,
    Lost,
    NoSuchTarget,
    NotSent,
    Problem,
    RateLimited,
    Redirected,
    Rejected,
    ServerError,
)
from bot.core.register import Event, Row
from bot.core.rows import Watch, stamp
from bot.core.wording import sentences
from bot.pipeline import cards
from bot.pipeline.authorize import Ruling, ages
from bot.pipeline.buttons import buttons_for
from bot.pipeline.call import OneCall
from bot.pipeline.deps import Deps
from bot.pipeline.filling import fill_buttons
from bot.pipeline.pauses import Settled, ends_at, note_was_on, settle, show_over
from bot.pipeline.record import Scribe

AnyOutcome = Done | Refused | Failed | Unknown

EVENTS = {"done": Event.DONE, "refused": Event.FAILED, "failed": Event.FAILED, "unknown": Event.UNKNOWN}
LOOK_BACK_SECONDS = 30.0  # for all looks together
LOOKING = "No usable answer came, and it is not sent again; looking whether it took effect"
LOOK_AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0)  # seconds between one look and the next, while a later one may tell more


async def execute(
    deps: Deps,
    intent: Intent,
    operation: Operation,
    ruling: Ruling,
    *,
    hold_id: str | None = None,
    approved_by: str = "",
    taken: Callable[[], Awaitable[None]] | None = None,
) -> AnyOutcome | None:
    """Run an operation that is allowed. None when somebody else already took it. The card is shown at the end.

    Whoever calls it holds the turn of what the operation switches, see `pauses.turn_of`. `taken` is called once the operation
    is ours and before its call: from here on nobody can cancel it.
    """
    scribe = Scribe(deps.secrets)
    columns = {**_ruled(ruling), "approval_id": hold_id if approved_by else None}
    started = deps.clock.monotonic()
    if not await _mark_sent(deps, scribe, intent, operation, ruling, columns, hold_id):
        return None
    if taken is not None:
        await taken()
    if operation.risk is not Risk.READ:
        await deps.presenter.show(cards.working(operation, intent, "Working on it"))
    sent_at = deps.clock.now()
    backend = deps.backends[operation.target.backend]
    result = await call(deps, intent, operation, backend)
    event = EVENTS[result.kind]
    if isinstance(result, Unknown):
        await deps.store.append(_row(scribe, deps, intent, operation, result, columns, started))
        result = await read_back(deps, intent, operation, backend, sent_at, result)
        event = _after_unknown(result)
    await finish(
        deps, scribe, intent, operation, result, columns, started, event=event, rule=columns["rule"], sent_at=sent_at
    )
    return result


def _ruled(ruling: Ruling) -> dict[str, Any]:
    """The columns of the register that tell by what it was allowed."""
    rule = getattr(ruling.decision, "rule", "")
    return {"rule": rule, "policy_version": ruling.policy.version, "digest": ruling.digest}


async def against(deps: Deps, operation: Operation) -> Refused | None:
    """What the target has against it, as the call itself would answer; raises Problem where nobody can tell."""
    try:
        with deps.drain.outside():
            return await deps.backends[operation.target.backend].check(operation)
    except Problem as problem:
        found = outcome_of(problem, operation)
        if isinstance(found, Refused):
            return found
        raise


async def refuse_unsent(deps: Deps, intent: Intent, operation: Operation, ruling: Ruling, refused: Refused) -> None:
    """End it without a call, with the answer that the call would have had."""
    scribe, columns, now = Scribe(deps.secrets), _ruled(ruling), deps.clock.monotonic()
    rule = columns["rule"]
    await finish(deps, scribe, intent, operation, refused, columns, now, event=Event.FAILED, rule=rule)


async def _mark_sent(
    deps: Deps,
    scribe: Scribe,
    intent: Intent,
    operation: Operation,
    ruling: Ruling,
    columns: dict[str, Any],
    hold_id: str | None,
) -> bool:
    """The row before the call. A read that nobody had to decide about writes only its outcome."""
    if operation.risk is Risk.READ and hold_id is None:
        return True
    now = deps.clock.now()
    approved = f"approved by {', '.join(operation.approved_by)}; " if operation.approved_by else ""
    row = scribe.about(Event.SENT, operation, intent, now, detail=approved + ages(ruling), **columns)
    return await deps.store.sending(operation.request_id, operation, row, stamp(now), hold_id=hold_id)


async def call(deps: Deps, intent: Intent, operation: Operation, backend: Backend) -> AnyOutcome:
    """One call under its deadline; whatever goes wrong is an outcome."""

    async def tell(text: str) -> None:
        await deps.presenter.show(cards.working(operation, intent, text))

    async def note(targets: Sequence[Target]) -> None:
        await note_was_on(deps, operation.request_id, targets)

    channel, user = intent.place.channel_id, intent.actor.user_id
    try:
        ends = ends_at(operation, deps.clock.now(), deps.zone)
        parts = OneCall(deps.clock, deps.ids, deps.spool, deps.files, channel, user, tell, note, ends)
        with deps.drain.outside():
            async with asyncio.timeout(operation.deadline):
                return await backend.run(operation, parts)
    except TimeoutError:
        return outcome_of(Lost(f"No answer within {operation.deadline:g} s.", code="deadline"), operation)
    except Problem as problem:
        return outcome_of(problem, operation)


def outcome_of(problem: Problem, operation: Operation) -> AnyOutcome:
    """What a problem means for this operation: the one place that decides between refused, failed and unknown."""
    code, summary, hint = problem.code, problem.summary, problem.hint
    if isinstance(problem, NotSent):
        return Failed(code=code, summary=summary, hint=hint, sent=False)
    if isinstance(problem, CredentialRefused | RateLimited):
        return Failed(
            code=code, summary=summary, hint=hint or "It was turned away before anything was done; ask again later."
        )
    if isinstance(problem, Rejected | NoSuchTarget | BadRequest | Ambiguous):
        return Refused(code=code, summary=summary, hint=hint)
    if operation.risk is not Risk.READ:
        if isinstance(problem, Lost) and operation.repeat_safe:
            return Unknown(
                code=code, summary=summary, hint=hint or "It ends in the same state when you ask for it again."
            )
        if isinstance(problem, Lost | BadReply | ServerError) and not operation.repeat_safe:
            return Unknown(code=code, summary=summary, hint=hint)
    return Failed(code=code, summary=summary, hint=hint, sent=isinstance(problem, CallProblem))


async def read_back(
    deps: Deps, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime, result: Unknown
) -> AnyOutcome:
    """Ask the backend whether it happened. What it cannot tell stays unknown; how it was found stays on the run's card."""
    back = await _looks(deps, intent, operation, backend, sent_at)
    after = after_look_back(result, back)
    if back.found is not None and back.found.run is not None:
        await deps.store.set_fact(cards.note_key(operation.request_id), lost_but(back), stamp(deps.clock.now()))
    return after


async def _looks(deps: Deps, intent: Intent, operation: Operation, backend: Backend, sent_at: datetime) -> LookBack:
    """The backend's answer to `did it happen`, asked again for a while when that may help: what was queued may begin yet."""
    back = LookBack(evidence="The control plane did not answer when it was asked again.")
    try:
        async with asyncio.timeout(LOOK_BACK_SECONDS):
            back = await _look(operation, backend, sent_at)
            for pause in LOOK_AGAIN_AFTER if back.again else ():
                await deps.presenter.show(cards.working(operation, intent, LOOKING))
                await deps.clock.sleep(pause)
                back = await _look(operation, backend, sent_at)
                if not back.again:
                    break
    except TimeoutError:
        return back
    return back


async def _look(operation: Operation, backend: Backend, sent_at: datetime) -> LookBack:
    """One look; a backend that does not answer cannot tell."""
    try:
        return await backend.look_back(operation, sent_at)
    except Problem as problem:
        again = isinstance(problem, CallProblem) and not isinstance(problem, Rejected)
        return LookBack(evidence=sentences(f"The control plane could not be asked: {problem.summary}"), again=again)


def lost_but(back: LookBack) -> str:
    """What is known of a call whose answer never came."""
    return sentences("The answer was lost", back.evidence)


def after_look_back(result: Unknown, back: LookBack) -> AnyOutcome:
    """Found: done after all. Absent after an answer that was no success: failed. Else it stays unknown, with what was seen."""
    if back.found is not None:
        return back.found.model_copy(update={"summary": sentences(back.found.summary, lost_but(back))})
    summary = sentences(result.summary, back.evidence)
    if back.absent and result.code in (ServerError.code, Redirected.code):
        return Failed(code=result.code, summary=summary, hint=result.hint)
    hint = sentences(back.hint, result.hint) or "Look at the control plane before you start it again."
    return result.model_copy(update={"summary": summary, "hint": hint})


def _after_unknown(result: AnyOutcome) -> Event:
    return Event.ABANDONED if isinstance(result, Unknown) else Event.RECONCILED


def _row(
    scribe: Scribe,
    deps: Deps,
    intent: Intent,
    operation: Operation,
    result: AnyOutcome,
    columns: dict[str, Any],
    started: float,
    event: Event | None = None,
) -> Row:
    extra: dict[str, Any] = {}
    if isinstance(result, Done):
        extra["backend_ref"] = result.backend_ref
        extra["code"] = "done" if event is Event.RECONCILED else None
    else:
        extra["code"] = result.code
    return scribe.about(
        event or EVENTS[result.kind],
        operation,
        intent,
        deps.clock.now(),
        detail=result.summary,
        duration_ms=round((deps.clock.monotonic() - started) * 1000),
        **extra,
        **columns,
    )


async def finish(
    deps: Deps,
    scribe: Scribe,
    intent: Intent,
    operation: Operation,
    result: AnyOutcome,
    columns: dict[str, Any],
    started: float,
    *,
    event: Event,
    rule: str = "",
    sent_at: datetime | None = None,
) -> None:
    """Write the outcome, start the watch and the pause, then show the card and hand over the files."""
    now = deps.clock.now()
    settled = await settle(deps, intent, operation, result, now, sent_at=sent_at)
    await deps.store.finish(
        operation.request_id,
        (_row(scribe, deps, intent, operation, result, columns, started, event), *settled.rows),
        stamp(now),
        watch=watch_of(deps, intent, operation, result),
        pauses=settled.opened,
        over=settled.over,
        over_state=settled.state,
        run=_run(result, operation),
    )
    await _show(deps, intent, operation, result, rule, settled)
    await show_over(deps, intent, operation, settled)


def _run(result: AnyOutcome, operation: Operation) -> Target | None:
    """What a verb said in the card's thread means."""
    if not isinstance(result, Done):
        return None
    return result.run or operation.target


def watch_of(deps: Deps, intent: Intent, operation: Operation, result: AnyOutcome) -> Watch | None:
    """The row that follows what was started, None when there is nothing to follow."""
    if not isinstance(result, Done) or result.run is None or not operation.starts_run:
        return None
    now = stamp(deps.clock.now())
    return Watch(
        id=deps.ids.secret(),
        request_id=operation.request_id,
        backend=result.run.backend,
        group_key=result.run.group or result.run.id,
        target=result.run,
        message_key=cards.key_of(operation.request_id),
        channel_id=intent.place.channel_id,
        user_id=intent.actor.user_id,
        view=result.view,
        due_at=now,
        made_at=now,
    )


async def _show(
    deps: Deps, intent: Intent, operation: Operation, result: AnyOutcome, rule: str, settled: Settled
) -> None:
    about = result.run if isinstance(result, Done) and result.run is not None else operation.target
    buttons = await buttons_for(
        deps, intent, operation, result.next, about=about, refresh=_refreshes(operation, result)
    )
    if isinstance(result, Refused):
        buttons += await fill_buttons(deps, intent, operation, result.code)
    card = cards.outcome(operation, intent, result, buttons, deps.clock.now(), rule)
    await deps.presenter.show(settled.on(card), intent.reply)
    if intent.reply.step_id is not None:
        await deps.presenter.step(intent.reply.step_id, ok=isinstance(result, Done), text=result.summary)
    if isinstance(result, Done) and result.files:
        await deliver(deps, intent, operation, result)


def _refreshes(operation: Operation, result: AnyOutcome) -> bool:
    return isinstance(result, Done) and (result.run is not None or operation.verb == "status")


async def deliver(deps: Deps, intent: Intent, operation: Operation, result: Done) -> None:
    """Put the files into the thread of the card."""
    masked = sum(file.redactions for file in result.files)
    comment = f"{masked} secret{'s' if masked != 1 else ''} masked." if masked else ""
    await deps.presenter.deliver(
        Delivery(
            key=f"file:{operation.request_id}",
            place=cards.place_of(intent),
            under=cards.key_of(operation.request_id),
            files=result.files,
            comment=comment,
        )
    )
