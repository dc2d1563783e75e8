"""A campaign of hits on a cluster under load, and the checker of its histories."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from bot.core.records import Filters, StoredEntry
from bot.store.postgres.server import LocalServer
from tests.faults.killed import POINTS
from tests.faults.replicas import Cluster, Replica, cluster, outcomes
from tests.fork_server import RUNNING, ForkServer
from tests.world import shown

REPLICAS = 3
AGENTS = ("shop/prices", "shop/stock", "news/feed")
NAMED = tuple(name for name in POINTS if name not in ("switch", "accept"))
SETTLED_WITHIN = 90.0


@dataclass(frozen=True)
class Plan:
    """How often what is hit; `rate` is commands per second."""

    kills: int
    stops: int
    restarts: int
    rate: float = 5.0
    seed: int = 1


@dataclass
class Report:
    """What was done and found. `broken` lists broken promises."""

    hits: Counter[str] = field(default_factory=Counter)
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    acked: int = 0
    refused: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report for people."""
        found = [
            f"hits: {', '.join(f'{number} {name}' for name, number in sorted(self.hits.items()))}; {self.seconds:.0f} s",
            f"requests: {self.acked} acked, {self.refused} not acked; outcomes: {dict(sorted(self.ends.items()))}",
            f"calls that start a run: {self.calls}",
        ]
        for kind, times in sorted(self.takeovers.items()):
            ordered = sorted(times)
            p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            found.append(
                f"takeover after a {kind}: n {len(ordered)}, p50 {p50:.2f} s, p99 {p99:.2f} s, max {ordered[-1]:.2f} s"
            )
        return [*found, *(self.broken or ["no promise was broken"])]


@dataclass
class Campaign:
    """The parts of one run."""

    group: Cluster
    server: LocalServer
    plan: Plan
    chance: random.Random
    report: Report = field(default_factory=Report)
    typed: dict[str, bool] = field(default_factory=dict)  # the value of a start -> whether it was acked
    over: bool = False

    async def types(self) -> None:
        """Type commands until it is over, each through a replica that is ready."""
        number = 0
        pending: set[asyncio.Task[None]] = set()
        while not self.over:
            replicas = [one for one in self.group.replicas if await self.group.ready(one)]
            if replicas:
                number += 1
                self.group.through(self.chance.choice(replicas))
                task = asyncio.ensure_future(self._start(f"n{number}", AGENTS[number % len(AGENTS)]))
                pending.add(task)
                task.add_done_callback(pending.discard)
            await asyncio.sleep(1 / self.plan.rate)
        await asyncio.gather(*pending)

    async def _start(self, value: str, agent: str) -> None:
        receipt = await self.group.says(f"start acc:{agent} input.region={value}")
        taken = receipt.acked and not receipt.body
        self.typed[value] = taken
        self.report.acked += taken
        self.report.refused += not taken

    async def hits(self) -> None:
        """Everything of the plan in random order; after each hit the cluster is whole again."""
        plan = self.plan
        todo: list[Callable[[], Awaitable[None]]] = [
            *[self._kill] * plan.kills,
            *[self._stop] * plan.stops,
            *[self._restart] * plan.restarts,
        ]
        self.chance.shuffle(todo)
        for hit in todo:
            await asyncio.sleep(self.chance.uniform(0.1, 1.2))
            await hit()
            await self._whole()

    async def _kill(self) -> None:
        """The leader is gone: between two steps of its work, or at a named point that the next leader carries in it."""
        leader = await self.group.leader()
        self.report.hits["kills"] += 1
        await self._took_over("kill", leader, lambda: leader.send(signal.SIGKILL))

    async def _stop(self) -> None:
        leader = await self.group.leader()
        self.report.hits["stops"] += 1
        lease = self.group.lease
        seconds = self.chance.uniform(0.5, 3.0) * lease
        leader.send(signal.SIGSTOP)
        began = time.monotonic()
        try:
            if seconds > 1.5 * lease:
                await self._wait_for_another("stop", leader, began)
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))
        finally:
            with suppress(ProcessLookupError):  # it reached its point in the moment of the stop
                leader.send(signal.SIGCONT)

    async def _restart(self) -> None:
        self.report.hits["restarts of the database"] += 1
        await asyncio.to_thread(self.server.kill)
        await asyncio.sleep(self.chance.uniform(0.0, 1.0))
        await asyncio.to_thread(self.server.start)

    async def _took_over(self, kind: str, leader: Replica, hit: Callable[[], None]) -> None:
        began = time.monotonic()
        hit()
        await self._wait_for_another(kind, leader, began)

    async def _wait_for_another(self, kind: str, leader: Replica, began: float) -> None:
        """Measure until another replica leads."""
        while True:
            try:
                if await self.group.leader() is not leader:
                    break
            except psycopg.Error:
                pass
            self._reap()
            if not [one for one in self.group.replicas if one is not leader]:  # the others reached their points
                await self.group.start()
            await asyncio.sleep(0.01)
        self.report.takeovers.setdefault(kind, []).append(time.monotonic() - began)

    async def _whole(self) -> None:
        """Reap who is gone, and start as many; some of them carry a point at which they kill themselves as leaders."""
        group = self.group
        self._reap()
        while len(group.replicas) < REPLICAS:
            point = None
            if self.chance.random() < 0.5:
                point = (
                    f"{self.chance.choice(('before', 'after'))}:{self.chance.choice(NAMED)}:{self.chance.randint(1, 4)}"
                )
                self.report.hits["replicas with a point"] += 1
            await group.start(point)
        await group.leader()

    def _reap(self) -> None:
        for replica in list(self.group.replicas):
            if self.group.fork_server.order(ended=replica.pid) != RUNNING:
                self.group.replicas.remove(replica)

    async def settle(self) -> None:
        """Wait until every request that was stored has an outcome."""

        async def nothing_open() -> bool:
            await self._whole()
            return not await self.group.store.unfinished()

        await self.group.until(nothing_open, SETTLED_WITHIN)
        await asyncio.sleep(1.0)

    def check(self) -> None:
        """Compare what the replicas wrote with what the control plane and Slack saw."""
        group, report = self.group, self.report
        rows = every_entry(group)
        requests: dict[str, list[StoredEntry]] = {}
        for row in rows:
            if row.verb == "start" or row.request_id in requests:
                requests.setdefault(row.request_id, []).append(row)
        calls = runs_by_value(group)
        report.calls = sum(len(runs) for runs in calls.values())
        stored, claimed = set[str](), Counter[str]()
        told = words(group)
        for request_id, entries in requests.items():
            ends = outcomes(entries)
            asked = next((entry for entry in entries if entry.event == "requested"), None)
            value = value_of(asked.params) if asked is not None else ""
            stored.add(value)
            report.ends.update(ends)
            self._expect(len(ends) == 1, f"{request_id} has the outcomes {ends}")
            mine = calls.get(value, [])
            self._expect(len(mine) <= 1, f"{request_id} was sent {len(mine)} times")
            sent = [datetime.fromisoformat(entry.at).timestamp() for entry in entries if entry.event == "sent"]
            self._expect(all(any(at <= call for at in sent) for call in mine), f"{request_id}: a call before its entry")
            happened = set(ends) & {"done", "reconciled"}
            self._expect(bool(mine) or not happened, f"{request_id} is told as {ends}, but was never sent")
            self._expect(
                not mine or set(ends) & {"done", "reconciled", "abandoned"}, f"{request_id} was sent, but is {ends}"
            )
            claimed.update(entry.backend_ref for entry in entries if entry.event in happened and entry.backend_ref)
            self._expect(request_id in told, f"{request_id} has no card")
        for ref, number in claimed.items():
            self._expect(number == 1, f"{number} requests claim the run {ref}")
        for value, acked in self.typed.items():
            self._expect(not acked or value in stored, f"the acked start {value} is lost")
        self._expect(group.store.verify_sync(group.store.head_sync()).ok, "the chain is broken")

    def _expect(self, promise: object, broken: str) -> None:
        if not promise:
            self.report.broken.append(f"BROKEN: {broken}")


def every_entry(group: Cluster) -> list[StoredEntry]:
    """The whole audit log, oldest first."""
    found: list[StoredEntry] = []
    before: int | None = None
    while page := group.store.search_sync(Filters(), before_seq=before, limit=500):
        found += page
        before = page[-1].seq
    return list(reversed(found))


def value_of(text: str) -> str:
    """The value that a command gave, which tells its run apart."""
    found = re.search(r"\bn[0-9]+\b", text)
    return found.group() if found else ""


def runs_by_value(group: Cluster) -> dict[str, list[float]]:
    """When the control plane started a run, by the value that the command gave."""
    world = group.acc.world
    found: dict[str, list[float]] = {}
    for effect in group.acc.effects:
        if effect.action == "start":
            run: Any = world.runs.get(effect.ref) or world.jobs.get(effect.ref)
            found.setdefault(value_of(str(run.options.parameters)), []).append(effect.at)
    return found


def words(group: Cluster) -> str:
    """Every text that a person saw in the channel."""
    return "\n".join(shown(message) for message in group.ws.person("U0ANA").messages("C0CRAWL"))


async def campaign(folder: Path, fork_server: ForkServer, server: LocalServer, plan: Plan) -> Report:
    """Run it on a new database of that server, and check."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE faults")
    async with cluster(folder, fork_server, server.url("faults"), REPLICAS) as group:
        run = Campaign(group, server, plan, random.Random(plan.seed))
        began = time.monotonic()
        typing = asyncio.ensure_future(run.types())
        try:
            await run.hits()
        finally:
            run.over = True
            await typing
        await run.settle()
        run.check()
        run.report.seconds = time.monotonic() - began
        return run.report
