"""What waits becomes an intent when its time has come, once, also after a restart; a beat that fails is not the last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.command.capability import Risk
from bot.core.intent import Actor, Command, Due, Intent, Place, Receipt, Source
from bot.core.operation import Operation, Target
from bot.core.records import Grant, Pause, PendingDecision, stamp
from bot.runtime.scheduler import Job, Scheduler
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.store import Store
from tests.slack.support import NOON, CountedIds, HandClock

TARGET = Target(backend="acc", kind="schedule", id="7", name="nightly", scope="acc:shop/prices")


@dataclass
class Hours:
    """A store, a clock, and a front that accepts as the real one does."""

    store: Store
    clock: HandClock = field(default_factory=HandClock)
    asked: list[Intent] = field(default_factory=list)
    repeated: int = 0
    jobs: tuple[tuple[float, Job], ...] = ()

    async def submit(self, intent: Intent) -> Receipt:
        row = AuditEntry(at=stamp(intent.at), request_id=intent.request_id, event=Event.REQUESTED)
        if await self.store.accept(intent, (row,)):
            self.asked.append(intent)
        else:
            self.repeated += 1
        return Receipt()

    def timers(self, *jobs: tuple[float, Job]) -> Scheduler:
        return Scheduler(self.store, self.clock, CountedIds(), self.submit, "T0ACME", jobs)

    async def pause(self, minutes: float, id: str = "p1") -> None:
        """A schedule that is off for so long."""
        ends = stamp(NOON + timedelta(minutes=minutes))
        made = Pause(
            id=id,
            backend="acc",
            verb_back="schedule on",
            target=TARGET,
            request_id="r-off",
            user_id="U0ANA",
            channel_id="C0CRAWL",
            from_at=stamp(NOON),
            until_at=ends,
        )
        await self.begun("r-off" + id)
        await self.store.finish("r-off" + id, (), NOON, pauses=(made,))

    async def begun(self, request_id: str) -> Intent:
        made = Intent(
            request_id=request_id,
            dedupe_key=request_id,
            actor=Actor(user_id="U0ANA", team_id="T0ACME"),
            place=Place(team_id="T0ACME", channel_id="C0CRAWL"),
            source=Source.COMMAND,
            at=NOON,
            payload=Command(verb="stop", target="acc:x"),
        )
        await self.store.accept(made, ())
        return made

    async def pending(self, minutes: float, *, remind: float | None = None, id: str = "h1") -> PendingDecision:
        """An approval that somebody waits for."""
        intent = await self.begun("r-" + id)
        operation = Operation(
            request_id=intent.request_id, verb="stop", target=TARGET, risk=Risk.DANGER, idempotent=False, timeout=5.0
        )
        made = PendingDecision(
            id=id,
            kind="approval",
            request_id=intent.request_id,
            operation=operation,
            intent=intent,
            due_at=stamp(NOON + timedelta(minutes=minutes)),
            remind_at=stamp(NOON + timedelta(minutes=remind)) if remind is not None else None,
            made_at=stamp(NOON),
        )
        await self.store.begin(intent.request_id, NOON)
        await self.store.wait(intent.request_id, made, (), NOON)
        return made

    def due(self) -> list[tuple[str, str]]:
        """What was asked, in order."""
        return [(intent.payload.what, intent.payload.row) for intent in self.asked if isinstance(intent.payload, Due)]


@pytest.fixture
async def hours(tmp_path: Path) -> AsyncIterator[Hours]:
    store = open_store(str(tmp_path / "s.db"))
    made = Hours(store)
    yield made
    await made.store.close()


async def test_nothing_comes_before_its_time_and_everything_at_it(hours: Hours) -> None:
    await hours.pause(5, "p1")
    await hours.pause(10, "p2")
    await hours.pending(7)
    timers = hours.timers()
    seen = []
    for _ in range(12):
        await timers.beat()
        seen.append(len(hours.asked))
        hours.clock.advance(60)
    assert seen == [0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert hours.due() == [("pause", "p1"), ("pending", "h1"), ("pause", "p2")]


async def test_what_is_due_is_asked_in_the_name_of_whose_it_is(hours: Hours) -> None:
    await hours.pause(1)
    hours.clock.advance(61)
    await hours.timers().beat()
    (intent,) = hours.asked
    assert (intent.source, intent.actor.user_id, intent.place.channel_id) == (Source.TIMER, "U0ANA", "C0CRAWL")
    assert (intent.actor.team_id, intent.place.team_id) == ("T0ACME", "T0ACME")
    assert intent.at == hours.clock.now()


async def test_a_row_that_stays_due_is_one_request_however_often_it_is_looked_at(hours: Hours, tmp_path: Path) -> None:
    """Also by another program that was started on the same file."""
    await hours.pause(1)
    hours.clock.advance(61)
    timers = hours.timers()
    for _ in range(5):
        await timers.beat()
    await hours.store.close()
    hours.store = open_store(str(tmp_path / "s.db"))
    await hours.timers().beat()
    assert hours.due() == [("pause", "p1")]


async def test_what_came_due_while_the_program_was_down_comes_at_the_first_beat(hours: Hours) -> None:
    for number in range(50):
        await hours.pause(number / 10, f"p{number}")
    hours.clock.advance(86_400)
    await hours.timers().beat()
    assert len(hours.due()) == 50


async def test_a_second_reminder_is_a_request_of_its_own(hours: Hours) -> None:
    pending = await hours.pending(60, remind=10)
    hours.clock.advance(601)
    timers = hours.timers()
    await timers.beat()
    await timers.beat()
    assert hours.due() == [("remind", "h1")]
    await hours.store.reminded(pending, stamp(NOON + timedelta(minutes=20)))
    hours.clock.advance(601)
    await timers.beat()
    assert hours.due() == [("remind", "h1"), ("remind", "h1")]


async def test_a_grant_that_ended_is_told(hours: Hours) -> None:
    await hours.begun("r-g1")
    grant = Grant(
        id="g1",
        user_id="U0RUI",
        verbs=("start",),
        targets=("acc:*",),
        channel_id="C0INC",
        granted_by="U0ROOT",
        from_at=stamp(NOON),
        until_at=stamp(NOON + timedelta(minutes=1)),
        request_id="r-g1",
    )
    await hours.store.add_grant(grant, ())
    timers = hours.timers()
    await timers.beat()
    assert hours.due() == []
    hours.clock.advance(60)
    await timers.beat()
    assert hours.due() == [("grant", "g1")]
    assert hours.asked[0].actor.user_id == "U0RUI"


async def test_jobs_keep_their_pace(hours: Hours) -> None:
    ran: list[str] = []

    def job(name: str) -> Job:
        async def work() -> None:
            ran.append(name)

        return work

    timers = hours.timers((1.0, job("fast")), (60.0, job("slow")))
    for _ in range(121):
        await timers.beat()
        hours.clock.advance(0.5)
    assert ran.count("fast") == 61
    assert ran.count("slow") == 2


async def test_a_beat_that_fails_is_logged_and_the_next_one_does_the_work(
    hours: Hours, caplog: pytest.LogCaptureFixture
) -> None:
    await hours.pause(1)
    hours.clock.advance(61)
    working, failures = hours.submit, iter([True])

    async def submit(intent: Intent) -> Receipt:
        if next(failures, False):
            raise StoreProblem("The disk is full.", code="store_full")
        return await working(intent)

    timers = Scheduler(hours.store, hours.clock, CountedIds(), submit, "T0ACME", ())
    await timers.beat()
    assert "store_full" in caplog.text
    assert hours.due() == []
    await timers.beat()
    assert hours.due() == [("pause", "p1")]


async def test_a_store_that_cannot_be_read_holds_no_job_back_for_ever(hours: Hours) -> None:
    ran: list[Any] = []

    async def job() -> None:
        ran.append(1)

    timers = hours.timers((1.0, job))
    await hours.store.close()
    await timers.beat()
    await timers.beat()
    assert len(ran) >= 1
