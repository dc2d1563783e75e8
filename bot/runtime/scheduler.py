"""One loop for all timers: each beat finds the stored rows that are due."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.errors import Problem
from bot.core.intent import Actor, Due, Intent, Place, Receipt, Source
from bot.core.ports.services import Clock, Ids
from bot.core.ports.store import Store
from bot.core.records import Grant, Pause, PendingDecision

BEAT = 0.5
HEALTH_EVERY = 60.0
PRUNE_EVERY = 3_600.0

_log = logging.getLogger("signalbox.timers")

Submit = Callable[[Intent], Awaitable[Receipt]]
Job = Callable[[], Awaitable[object]]


class Scheduler:
    """`jobs` are (seconds between two runs, what to do): following runs, reading health, reloading the rules."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, submit: Submit, team_id: str, jobs: tuple[tuple[float, Job], ...]
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._submit = submit
        self._team_id = team_id
        self._jobs = jobs
        self._next = [0.0] * len(jobs)

    async def run(self) -> None:
        """Beat until cancelled. A beat that fails is logged, and the next one tries again."""
        while True:
            await self.beat()
            await self._clock.sleep(BEAT)

    async def beat(self) -> None:
        """Everything that is due now, once. Jobs run even when due rows can't be read."""
        for part in (self._due_rows, self._due_jobs):
            try:
                await part()
            except Problem as problem:
                _log.error("a timer failed: %s", problem.code)

    async def _due_rows(self) -> None:
        now = self._clock.now()
        ends: tuple[Pause | Grant, ...] = (*await self._store.due_pauses(now), *await self._store.due_grants(now))
        for due in ends:
            asked = await self._store.request(due.request_id)
            place = Place(team_id=self._team_id, channel_id=due.channel_id or "")
            incident = None
            if asked is not None and asked.intent.place.channel_id == place.channel_id:
                place, incident = asked.intent.place, asked.intent.incident
            what, turn = ("pause", due.until_at) if isinstance(due, Pause) else ("grant", None)
            await self._say(what, due.id, due.user_id, place, incident, now, turn)
        for pending in await self._store.due_pending(now):
            await self._ask("pending", pending, now)
        for pending in await self._store.remind_pending(now):
            await self._ask("remind", pending, now, pending.remind_at)

    async def _ask(self, what: str, pending: PendingDecision, now: datetime, turn: str | None = None) -> None:
        asked = pending.intent
        await self._say(what, pending.id, asked.actor.user_id, asked.place, asked.incident, now, turn)

    async def _say(
        self,
        what: str,
        row: str,
        user_id: str | None,
        place: Place,
        incident: str | None,
        now: datetime,
        turn: str | None = None,
    ) -> None:
        """Submit it in the thread and for the incident of the request that it follows from. `turn` distinguishes the times of
        a row that is due more than once; the same time is one request."""
        await self._submit(
            Intent(
                request_id=self._ids.request(),
                dedupe_key=f"due:{what}:{row}:{turn}" if turn else f"due:{what}:{row}",
                actor=Actor(user_id=user_id or "", team_id=self._team_id),
                place=Place(team_id=self._team_id, channel_id=place.channel_id, thread_ts=place.aside.thread_ts),
                source=Source.TIMER,
                at=now,
                payload=Due(what=what, row=row),
                incident=incident,
            )
        )

    async def _due_jobs(self) -> None:
        now = self._clock.monotonic()
        for index, (seconds, job) in enumerate(self._jobs):
            if now >= self._next[index]:
                self._next[index] = now + seconds
                await job()
