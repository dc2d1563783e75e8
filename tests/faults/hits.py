"""A campaign of hits on a cluster under load."""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bot.core.card import approval_key
from bot.store.errors import StoreProblem
from bot.store.postgres.server import LocalServer
from tests.faults.checker import Findings, Told, check, is_settled
from tests.faults.killed import POINTS, TAKEOVER
from tests.faults.link import FROM, TO
from tests.faults.replicas import Cluster, Replica, cluster
from tests.faults.standby import Pair
from tests.faults.voters import CHANNEL, GUARDED, PEOPLE, POLICY, Voters
from tests.fork_server import ForkServer

REPLICAS = 3
AGENTS = ("shop/prices", "shop/stock", GUARDED)
NAMED = tuple(name for name in POINTS if name not in ("switch", "accept", "hand over"))
SETTLED_WITHIN = 90.0
SHOWN_WITHIN = 600.0  # Slack takes about one message per second and channel
CALM = 0.7  # the share of hits before which most requests end
CALM_WITHIN = 20.0
FEW_OPEN = 5
_TICK = 0.1  # seconds
LEADS_WITHIN = 5.0  # leases, with the start of a new replica when all others are gone
_STATE = """
    SELECT 'leader: ' || epoch || ' ' || replica FROM leaders
    UNION ALL SELECT 'replica: ' || concat_ws(' ', epoch, name, state, clock_timestamp() - beat_at) FROM replicas
        WHERE state = 'live' OR epoch IN (SELECT epoch FROM leaders)
    UNION ALL SELECT 'session: ' || concat_ws(' ', pid, application_name, state, clock_timestamp() - state_change, wait_event,
        pg_blocking_pids(pid)::text, left(query, 80)) FROM pg_stat_activity WHERE datname = current_database()"""


@dataclass(frozen=True)
class Plan:
    """How often what is hit; `rate` is commands per second; `clock` is by how many seconds the clock of one replica is wrong."""

    kills: int = 0
    stops: int = 0
    restarts: int = 0
    cuts: int = 0
    failovers: int = 0
    rate: float = 5.0
    seed: int = 1
    clock: float = 0.0


@dataclass
class Report:
    """What was done and found."""

    hits: Counter[str] = field(default_factory=Counter)
    takeovers: dict[str, list[float]] = field(default_factory=dict)
    acked: int = 0
    refused: int = 0
    presses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    silences: list[str] = field(default_factory=list)  # in which nobody led for too long
    held_up: float = 0.0  # seconds for which the campaign itself, with Slack and the control plane, did nothing
    found: Findings = field(default_factory=Findings)

    def lines(self) -> list[str]:
        """The report for people."""
        lines = [
            f"hits: {', '.join(f'{number} {name}' for name, number in sorted(self.hits.items()))}; {self.seconds:.0f} s",
            f"requests: {self.acked} acked, {self.refused} not acked; outcomes: {dict(sorted(self.found.ends.items()))}",
            f"presses: {dict(sorted(self.presses.items()))} acked; decisions: {dict(sorted(self.found.decisions.items()))}",
            f"calls that start a run: {self.found.calls}; requests with a second card: {self.found.twice}",
            f"the campaign itself was held up for {self.held_up:.1f} s at most",
        ]
        lines += [f"takeover after a {kind}: {figures(times)}" for kind, times in sorted(self.takeovers.items())]
        return [*lines, *(self.broken or ["no promise was broken"])]

    @property
    def broken(self) -> list[str]:
        """The broken promises."""
        return self.silences + self.found.broken


def figures(times: list[float]) -> str:
    """Number, median, 99th percentile and the longest of some seconds, from which those of several runs can be combined."""
    ordered = sorted(times)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    longest = ", ".join(f"{one:.3f}" for one in reversed(ordered[-5:]))
    return f"n {len(ordered)}, p50 {p50:.3f} s, p99 {p99:.3f} s, longest {longest} s"


@dataclass
class Campaign:
    """The parts of one run."""

    group: Cluster
    server: LocalServer | Pair
    plan: Plan
    chance: random.Random
    report: Report = field(default_factory=Report)
    typed: dict[str, Told] = field(default_factory=dict)  # by the value of the start
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
        answer = Told.of(receipt)
        self.typed[value] = answer
        self.report.acked += answer is Told.TAKEN
        self.report.refused += answer is not Told.TAKEN

    async def watches_itself(self) -> None:
        """Note how late this process is at worst: what it measures is late by as much."""
        while True:
            due = time.monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self.report.held_up = max(self.report.held_up, time.monotonic() - due)

    async def hits(self) -> None:
        """Everything of the plan in random order; after each hit the cluster is whole again."""
        plan = self.plan
        todo: list[Callable[[], Awaitable[None]]] = [
            *[self._kill] * plan.kills,
            *[self._stop] * plan.stops,
            *[self._restart] * plan.restarts,
            *[self._cut] * plan.cuts,
            *[self._fail_over] * plan.failovers,
        ]
        self.chance.shuffle(todo)
        for number, hit in enumerate(todo, 1):
            await asyncio.sleep(self.chance.uniform(0.1, 1.2))
            if self.chance.random() < CALM:
                await self._works()
            await hit()
            await self._whole()
            if number % 25 == 0:
                print(f"{number} of {len(todo)} hits, {len(self.typed)} requests", file=sys.stderr)  # noqa: T201  progress

    async def _works(self) -> None:
        """Let most requests end: leaders that never live long enough to work prove nothing. The database may be restarting."""
        with suppress(TimeoutError, StoreProblem):
            async with asyncio.timeout(CALM_WITHIN):
                while len(await self.group.store.unfinished()) > FEW_OPEN:
                    await self._whole()
                    await asyncio.sleep(0.1)

    async def _kill(self) -> None:
        """The leader is gone: between two steps of its work, or at a named point that the next leader carries in it."""
        leader = await self.group.leader()
        self.report.hits["kills"] += 1
        began = time.monotonic()
        leader.send(signal.SIGKILL)
        await self._wait_for_another("kill", leader, began)

    async def _stop(self) -> None:
        leader = await self.group.leader()
        self.report.hits["stops"] += 1
        seconds = self.chance.uniform(0.5, 3.0) * self.group.lease
        leader.send(signal.SIGSTOP)
        try:
            await self._without(leader, "stop", seconds)
        finally:
            with suppress(ProcessLookupError):  # it reached its point in the moment of the stop
                leader.send(signal.SIGCONT)

    async def _without(self, leader: Replica, kind: str, seconds: float) -> None:
        """Wait that long; when it is long enough, another replica must lead meanwhile."""
        began = time.monotonic()
        if seconds > 1.5 * self.group.lease:
            await self._wait_for_another(kind, leader, began)
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))

    async def _restart(self) -> None:
        self.report.hits["restarts of the database"] += 1
        await asyncio.to_thread(self.server.kill)
        await asyncio.sleep(self.chance.uniform(0.0, 1.0))
        await asyncio.to_thread(self.server.restart if isinstance(self.server, Pair) else self.server.start)

    async def _cut(self) -> None:
        """The network between one replica and the database: reset, slow, or deaf in one direction or both."""
        leader = await self.group.leader()
        hit = leader if self.chance.random() < 0.7 else self.chance.choice(self.group.replicas)
        kind = self.chance.choice(("reset", "slow", "deaf to", "deaf from", "deaf"))
        seconds = self.chance.uniform(0.5, 3.0) * self.group.lease
        self.report.hits[f"network {kind}"] += 1
        if kind == "slow":
            seconds = min(seconds, 1.4 * self.group.lease)  # slow answers are answers: it may go on leading
        slow = self.chance.uniform(0.02, 0.5)
        for link in hit.links:
            if kind == "reset":
                link.cut()
            elif kind == "slow":
                link.delay = slow
            else:
                link.swallowed = frozenset({"deaf to": (TO,), "deaf from": (FROM,), "deaf": (TO, FROM)}[kind])
        if hit is leader:
            await self._without(leader, "cut", seconds)
        else:
            await asyncio.sleep(seconds)
        for link in hit.links:
            link.heal()

    async def _fail_over(self) -> None:
        """The standby becomes the primary. The old primary is gone, or out of reach of all replicas, or of all but one."""
        pair, group = self.server, self.group
        assert isinstance(pair, Pair)
        kind = self.chance.choice(("killed", "out of reach", "split"))
        alone = self.chance.random() < 0.7
        self.report.hits[f"failovers, old primary {kind}"] += 1
        old = pair.socket_folders.index(pair.primary.folder)
        links = [replica.links[old] for replica in group.replicas]
        began = time.monotonic()
        if kind == "killed":
            await asyncio.to_thread(pair.kill)
        else:
            for link in links if kind == "out of reach" else links[1:]:
                link.swallowed = frozenset((TO, FROM))
        await asyncio.to_thread(pair.promote, alone=alone)
        group.moved(pair.primary.url("faults"))
        if kind == "split":  # one replica still reaches the old primary, where no commit ends
            await asyncio.sleep(self.chance.uniform(0.5, 2.0) * group.lease)
        await asyncio.to_thread(pair.repair)
        for link in links:
            link.heal()
        await self._wait_until_taken(began)

    async def _wait_until_taken(self, began: float) -> None:
        """Measure until requests are taken again."""
        await self._whole()
        await self.group.until(self._takes, SETTLED_WITHIN)
        self.report.takeovers.setdefault("failover", []).append(time.monotonic() - began)

    async def _takes(self) -> bool:
        return any([await self.group.ready(replica) for replica in self.group.replicas])

    async def _wait_for_another(self, kind: str, leader: Replica, began: float) -> None:
        """Measure until another replica leads."""
        is_told = False
        while True:
            with suppress(psycopg.Error):
                if await self.group.leading() not in (None, leader):
                    break
            if not is_told and time.monotonic() - began > LEADS_WITHIN * self.group.lease:
                is_told = True
                self.report.silences.append(f"BROKEN: nobody leads long after a {kind}")
                print(await self._evidence(), file=sys.stderr)  # noqa: T201  what the report can't hold
            await self.group.reap()
            if not [one for one in self.group.replicas if one is not leader]:  # the others reached their points
                await self.group.start()
            await asyncio.sleep(0.01)
        self.report.takeovers.setdefault(kind, []).append(time.monotonic() - began)

    async def _evidence(self) -> str:
        """What the database and the replicas say."""
        lines = [f"hits so far: {dict(self.report.hits)}; held up {self.report.held_up:.1f} s at most"]
        with suppress(psycopg.Error):
            async with await psycopg.AsyncConnection.connect(self.group.database, autocommit=True) as connection:
                await connection.execute("SET search_path TO signalbox")
                lines += [line for (line,) in await (await connection.execute(_STATE)).fetchall()]
        for replica in self.group.replicas:
            log = (self.group.folder / f"{replica.name}.log").read_text("utf-8", "replace")
            lines += [f"-- {replica.name} {replica.pid}", log[-3000:]]
        return "\n".join(lines)

    async def _undecided(self) -> str:
        """What waits for a decision, and whether people see the card that it should have."""
        store, lines = self.group.store, list[str]()
        for pending in [*await store.pending_decisions("open"), *await store.pending_decisions("approved")]:
            card = await store.message(approval_key(pending.request_id))
            shown = [one for one in self.group.ws.person(PEOPLE[0]).messages(CHANNEL) if card and one["ts"] == card.ts]
            buttons = (
                [button["id"][:6] for button in card.body["buttons"]] if card and isinstance(card.body, dict) else ""
            )
            values = [value[:6] for one in shown for value in re.findall(r'"value": "([^"]+)', json.dumps(one))]
            lines += [f"{pending.id} is {pending.state}; its card {card and card.model_dump(exclude={'body'})}"]
            lines += [f"  buttons {buttons}, people see {values}"]
        return "\n".join(lines)

    async def _whole(self) -> None:
        """Start as many replicas as are gone, until one leads."""
        await self._fill()
        async with asyncio.timeout(SETTLED_WITHIN):
            while await self.group.leading() is None:
                await self._fill()
                await asyncio.sleep(0.05)

    async def _fill(self) -> None:
        """Some of the new replicas carry a point at which they kill themselves as leaders."""
        group, chance = self.group, self.chance
        await group.reap()
        while len(group.replicas) < REPLICAS:
            point, clock = None, 0.0
            if chance.random() < 0.5:
                steps, most = (TAKEOVER, 1) if chance.random() < 0.5 else (NAMED, 4)
                point = f"{chance.choice(('before', 'after'))}:{chance.choice(tuple(steps))}:{chance.randint(1, most)}"
                self.report.hits["replicas with a point"] += 1
            if self.plan.clock and not any(replica.clock for replica in group.replicas):
                clock = chance.choice((-1, 1)) * chance.uniform(1.0, self.plan.clock)
                self.report.hits["replicas with a wrong clock"] += 1
            await group.start(point, clock)  # it may take over at once, and then reach its point before it is ready

    async def settle(self) -> None:
        """Wait until every request that was stored has an outcome, and every card shows it."""

        async def nothing_open() -> bool:
            await self._whole()
            return not await self.group.store.unfinished()

        async def all_decided() -> bool:
            await self._whole()
            store = self.group.store
            return not [*await store.pending_decisions("open"), *await store.pending_decisions("approved")]

        async def all_shown() -> bool:
            await self._whole()
            return await self.group.store.next_due() is None and is_settled(self.group)

        with suppress(TimeoutError, StoreProblem):  # then the checker finds what is missing
            await self.group.until(nothing_open, SETTLED_WITHIN)
            try:
                await self.group.until(all_decided, SHOWN_WITHIN, every=0.5)
            except TimeoutError:
                print(await self._undecided(), file=sys.stderr)  # noqa: T201  what the report can't hold
                raise
            await self.group.until(nothing_open, SETTLED_WITHIN)
            await self.group.until(all_shown, SHOWN_WITHIN, every=1.0)  # reads every message
        await asyncio.sleep(1.0)


async def campaign(folder: Path, fork_server: ForkServer, server: LocalServer | Pair, plan: Plan) -> Report:
    """Run it on a new database of that server, and check."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE faults")
    servers = server.socket_folders if isinstance(server, Pair) else (server.folder,) if plan.cuts else ()
    url = server.url("faults")
    async with cluster(folder, fork_server, url, REPLICAS, servers=servers, policy=POLICY) as group:
        run = Campaign(group, server, plan, random.Random(plan.seed))
        voters = Voters(group, random.Random(plan.seed))
        began = time.monotonic()
        typing, voting = asyncio.ensure_future(run.types()), asyncio.ensure_future(voters.run())
        watching = asyncio.ensure_future(run.watches_itself())
        try:
            await run.hits()
        except TimeoutError:
            print(await run._evidence(), file=sys.stderr)  # noqa: T201  what the report can't hold
            raise
        finally:
            run.over = True
            await typing
        await run.settle()
        voters.over = True
        await voting
        watching.cancel()
        run.report.presses = voters.acked
        run.report.found = check(group, run.typed, voters.recorded())
        run.report.seconds = time.monotonic() - began
        return run.report
