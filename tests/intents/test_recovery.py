"""What a leader does about the requests that the one before left."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.core.operation import Operation, Target
from bot.core.outcome import LookBack
from bot.intents.recovery import recover
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import LOOKS_AT_ONCE
from tests.proof.harness import Program
from tests.proof.outside import HOME, ROOM, START, Outside, OutsideBackend

LEFT = 12
LAMP = Target(backend="box", kind="lamp", id="7", name="lamp", scope="box:lamp")


class Watched(OutsideBackend):
    """Counts how many look-ups it answers at once."""

    now = most = answered = 0

    async def look_back(
        self, operation: Operation, sent_at: datetime, claimed: Collection[str] = frozenset()
    ) -> LookBack:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(20):  # the others come meanwhile, if they may
            await asyncio.sleep(0)
        self.now -= 1
        self.answered += 1
        return LookBack(evidence="A lamp keeps no record.")


async def test_many_lost_calls_are_looked_up_a_few_at_once() -> None:
    """Otherwise they take all connections to the control plane, and those that wait too long are told as unanswered."""
    team = Program(Outside({}, {}, ""))
    backend = Watched(team.outside, team.gate)
    team.ctx.backends["box"] = backend  # type: ignore[index]
    for number in range(LEFT):
        await _is_sending(team, f"r{number}")
    assert await recover(team.ctx) == LEFT
    await team.settle()
    assert (backend.answered, backend.most) == (LEFT, LOOKS_AT_ONCE)
    assert len(team.rows("SELECT 1 FROM audit WHERE event = 'abandoned'")) == LEFT
    team.close()


async def _is_sending(team: Program, name: str) -> None:
    intent = Intent(
        request_id=name,
        dedupe_key=name,
        actor=Actor(user_id="U0ANA", team_id=HOME),
        place=Place(team_id=HOME, channel_id=ROOM),
        source=Source.COMMAND,
        at=START,
        payload=Command(verb="start", target="box:lamp"),
    )
    operation = Operation(request_id=name, verb="start", target=LAMP, risk=Risk.CHANGE, idempotent=False, timeout=30.0)
    await team.store.accept(intent, (), begun=True)
    entry = AuditWriter().about(Event.SENT, operation, intent, START)
    assert await team.store.sending(name, operation, entry, START)
