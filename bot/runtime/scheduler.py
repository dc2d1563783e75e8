"""One loop for all timers: each beat finds the stored rows that are due."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.errors import Problem
from bot.core.intent import Actor, Due, Intent, Place, Receipt, Source
from bot.core.ports.services import Clock, Ids
from bot.core.ports.store import Store

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
        for pause in await self._store.due_pauses(now):
            await self._say("pause", pause.id, pause.user_id, pause.channel_id, now, pause.until_at)
        for pending in await self._store.due_pending(now):
            await self._say("pending", pending.id, pending.intent.actor.user_id, pending.intent.place.channel_id, now)
        for pending in await self._store.remind_pending(now):
            await self._say(
                "remind",
                pending.id,
                pending.intent.actor.user_id,
                pending.intent.place.channel_id,
                now,
                pending.remind_at,
            )
        for grant in await self._store.due_grants(now):
            await self._say("grant", grant.id, grant.user_id, grant.channel_id, now)

    async def _say(
        self, what: str, row: str, user_id: str | None, channel_id: str | None, now: datetime, turn: str | None = None
    ) -> None:
        """`turn` distinguishes the times of a row that is due more than once; the same time is one request."""
        await self._submit(
            Intent(
                request_id=self._ids.request(),
                dedupe_key=f"due:{what}:{row}:{turn}" if turn else f"due:{what}:{row}",
                actor=Actor(user_id=user_id or "", team_id=self._team_id),
                place=Place(team_id=self._team_id, channel_id=channel_id or ""),
                source=Source.TIMER,
                at=now,
                payload=Due(what=what, row=row),
            )
        )

    async def _due_jobs(self) -> None:
        now = self._clock.monotonic()
        for index, (seconds, job) in enumerate(self._jobs):
            if now >= self._next[index]:
                self._next[index] = now + seconds
                await job()
