"""Before something dangerous: what will happen, what runs now, what came of it last. Only the asker sees it and may press."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.core.card import Button, Line, Tone
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.policy_match import risk_or_verb
from bot.core.problems import Problem
from bot.core.rows import Hold, stamp
from bot.pipeline import cards
from bot.pipeline.authorize import Ruling
from bot.pipeline.deps import Deps
from bot.pipeline.resolve import Resolved

LIVES: Final = timedelta(minutes=10)
FACTS_WITHIN: Final = 6.0
LAST_OUTCOMES: Final = 5


async def ask(deps: Deps, intent: Intent, resolved: Resolved, ruling: Ruling) -> None:
    """Hold the operation and show it to the asker with `Run it` and `Cancel`."""
    now = deps.clock.now()
    operation = resolved.operation
    hold = Hold(
        id=deps.ids.secret(),
        kind="preflight",
        request_id=intent.request_id,
        operation=operation,
        digest=ruling.digest,
        policy_version=ruling.policy.version,
        intent=intent,
        due_at=stamp(now + LIVES),
        made_at=stamp(now),
    )
    await deps.store.wait(intent.request_id, hold, (), stamp(now))
    facts = await what_is(deps, operation)
    me = intent.actor.user_id
    buttons = (
        Button(
            label="Run it",
            action="run_it",
            id=deps.ids.secret(),
            style="danger",
            means=cards.hold_means(hold.id, "run"),
            only_user=me,
        ),
        Button(
            label="Cancel",
            action="cancel",
            id=deps.ids.secret(),
            means=cards.hold_means(hold.id, "cancel"),
            only_user=me,
        ),
    )
    lines = [Line(heading="What will happen", text=resolved.row.effect or resolved.row.help)]
    if operation.reason:
        lines.append(Line(heading="Reason", text=operation.reason))
    if ruling.needs_approval:
        lines.append(Line(text="`Run it` asks the approvers; nothing is sent before they agree."))
    card = cards.private(
        intent,
        cards.title_of(operation),
        key=f"hold:{hold.id}",
        tone=Tone.ASK,
        status="Dangerous: look, then decide",
        lines=tuple(lines),
        facts=(*_exact(operation), *cards.given_facts(operation), *facts),
        buttons=buttons,
        footer=(f"request {intent.request_id}", f"digest {ruling.digest[:12]}", "good for 10 minutes"),
        at=now,
    )
    await deps.presenter.show(card, intent.reply)


def _exact(operation: Operation) -> tuple[Fact, ...]:
    """The whole id of what a title names in part."""
    target = operation.target
    return (Fact(label="Exact id", value=target.id),) if target.parent is not None else ()


async def what_is(deps: Deps, operation: Operation) -> tuple[Fact, ...]:
    """What the control plane and the register say of the target now; not answering is itself a fact."""
    said, last = await asyncio.gather(
        _read_at(deps, _from_backend(deps, operation)), _read_at(deps, _from_register(deps, operation))
    )
    return (*said, *last, *_freezes(deps, operation, deps.clock.now()))


async def _read_at(deps: Deps, reading: Awaitable[Sequence[Fact]]) -> list[Fact]:
    """The facts, each with the time at which it was read."""
    facts = await reading
    at = deps.clock.now()
    return [fact.model_copy(update={"at": at}) for fact in facts]


def _freezes(deps: Deps, operation: Operation, now: datetime) -> tuple[Fact, ...]:
    """A freeze that holds others now: whoever is excepted from it should know."""
    found = [
        f"{freeze.because or freeze.label} until {freeze.ends:%Y-%m-%d %H:%M %Z}"
        for freeze in deps.policy().policy.freezes
        if freeze.begins is not None and freeze.ends is not None and freeze.begins <= now < freeze.ends
        if any(risk_or_verb(verb, operation.verb, operation.risk, own_verb=False, wide=True) for verb in freeze.verbs)
    ]
    return (Fact(label="Freeze", value="; ".join(found) or "none", at=now),)


async def _from_backend(deps: Deps, operation: Operation) -> Sequence[Fact]:
    backend = deps.backends[operation.target.backend]
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            found = await backend.preflight(operation)
    except TimeoutError:
        return (Fact(label="Control plane", value=f"did not answer within {FACTS_WITHIN:g} s"),)
    except Problem as problem:
        return (Fact(label="Control plane", value=f"did not answer: {problem.summary}"),)
    return [Fact(label=label, value=text) for label, text in found]


async def _from_register(deps: Deps, operation: Operation) -> Sequence[Fact]:
    outcomes = await deps.store.last_outcomes(operation.target.id, LAST_OUTCOMES)
    if not outcomes:
        return (Fact(label="Last outcomes here", value="none in the register"),)
    words = "; ".join(f"{row.verb} {row.event} {row.at[:16].replace('T', ' ')}" for row in outcomes)
    return (Fact(label="Last outcomes here", value=words),)


async def state_now(deps: Deps, operation: Operation) -> str:
    """The target's state in one phrase; that it cannot be read is a state too."""
    backend = deps.backends[operation.target.backend]
    try:
        async with asyncio.timeout(FACTS_WITHIN):
            return await backend.state_of(operation.target)
    except (TimeoutError, Problem):
        return "not readable"
