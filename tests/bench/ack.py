"""From a signed slash command to its ack, with the audit log row on the disk, against the least that could be done.

The least: a bare Bolt app that checks the signature and acks, plus one bare commit with synchronous FULL. All of it is
measured by turns in one run, over loopback, in HTTP mode, with the requests made by another process.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.runtime import event_loop
from bot.store.sqlite.driver import sqlite3
from tests.bench.audit_log import fill
from tests.bench.bars import Measure, percentile
from tests.crowd import SIGNING_SECRET, TEAM
from tests.station import COMMAND, Station, station

REQUESTS: Final = 600
WARM_UP: Final = 30
RATE: Final = 200
CAPABILITIES, RULES = 200, 1_000


async def run(rows: int = 20_000, *, requests: int = REQUESTS, seconds: float = 5.0) -> list[Measure]:
    """Every number of the ack. `rows` is the size of the audit log of the bot that is full; it takes about 20 s plus filling."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("empty", "full"):
            (folder / name).mkdir()
        bare = await stack.enter_async_context(_bare())
        empty = await stack.enter_async_context(station(folder / "empty"))
        full = await stack.enter_async_context(station(folder / "full", capabilities=CAPABILITIES, rules=RULES))
        await asyncio.to_thread(fill, full.store, 0, rows)
        commits = Commits(folder / "bare.db")
        load = await stack.enter_async_context(sending())
        event_loop.settle()
        times = await _by_turns(load, bare, empty, full, commits, requests)
        commits.close()
        return [*compared(times, rows), *await _under_load(load, empty, seconds)]


async def _by_turns(
    load: Load, bare: int, empty: Station, full: Station, commits: Commits, requests: int
) -> dict[str, list[float]]:
    """Seconds by what was measured, one request of each after the other, each into a bot that is at rest.

    Every order of them has its turn: what went before leaves the processor's caches warm or cold.
    """
    times: dict[str, list[float]] = {"bare": [], "commit": [], "empty": [], "full": []}
    orders = list(itertools.permutations((("bare", bare), ("empty", empty.port), ("full", full.port))))
    for number in range(requests + WARM_UP):
        kept = number >= WARM_UP
        for name, port in orders[number % len(orders)]:
            found = await load.send(port, 1)
            await empty.rest()
            await full.rest()
            times[name] += found.times if kept else []
        spent = commits.one()
        times["commit"] += [spent] if kept else []
    return times


def compared(times: dict[str, list[float]], rows: int) -> list[Measure]:
    """Medians, and what they say of each other. `times` are seconds, by turns: bare, commit, empty and full."""
    median = {name: percentile(spent, 50) for name, spent in times.items()}
    least = median["bare"] + median["commit"]
    return [
        ("a bare Bolt listener that only acks, median", median["bare"] * 1000, "ms", ""),
        ("a bare commit with synchronous FULL, median", median["commit"] * 1000, "ms", ""),
        ("a command, acked and registered, median", median["empty"] * 1000, "ms", ""),
        ("a command against a bare ack and a bare commit, medians", median["empty"] / least, "x", "< 2"),
        (
            f"with {CAPABILITIES} capabilities, {RULES:,} rules and {rows:,} rows against an empty bot, medians",
            median["full"] / median["empty"],
            "x",
            "< 1.2",
        ),
    ]


async def _under_load(load: Load, empty: Station, seconds: float) -> list[Measure]:
    """A steady rate, then as fast as it goes; every command must be acked and be in the audit log, once."""
    before = empty.store.head_sync()
    steady = await load.send(empty.port, int(RATE * seconds), rate=RATE, connections=4)
    await empty.rest()
    began = time.perf_counter()
    flood = await load.send(empty.port, int(1_000 * seconds) // 16 * 16, connections=16)
    await empty.rest()
    all_of_it = time.perf_counter() - began
    asked = len(steady.times) + len(flood.times)
    counted = requested(empty, before)
    lost = asked - counted
    return [
        (f"{RATE} a second, what follows included, median", percentile(steady.times, 50) * 1000, "ms", ""),
        (f"{RATE} a second, what follows included, p99", percentile(steady.times, 99) * 1000, "ms", "< 10"),
        ("sustained, acked and registered, 16 connections", len(flood.times) / flood.took, "commands/s", "> 1000"),
        ("the same until all of it is done", len(flood.times) / all_of_it, "commands/s", ""),
        ("sustained, p99", percentile(flood.times, 99) * 1000, "ms", ""),
        ("lost or doubled", abs(lost), "commands", "< 1"),
    ]


def requested(env: Station, head: str | None) -> int:
    """How many requests the audit log has behind `head`."""
    after = int((head or "0:").partition(":")[0])
    sql = "SELECT count(*) FROM audit WHERE seq > ? AND event = 'requested'"
    return int(env.store.database.read_sync(lambda db: db.execute(sql, [after]).fetchone()[0]))


class Found:
    """What an order came to: seconds of each request, how many were not answered with 200 or with words, how long all took."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.times: list[float] = data["times"]
        self.bad: int = data["bad"]
        self.told: int = data["told"]
        self.took: float = data["took"]


class Load:
    """The process that sends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self, port: int, count: int, *, rate: float = 0.0, connections: int = 1) -> Found:
        """Have it send `count` commands."""
        order = {
            "port": port,
            "text": COMMAND,
            "count": count,
            "rate": rate,
            "connections": connections,
        }
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:
            raise RuntimeError("the sender has no pipes")
        sink.write(json.dumps(order).encode() + b"\n")
        await sink.drain()
        found = Found(json.loads(await source.readline()))
        if found.bad:
            raise RuntimeError(f"{found.bad} of {count} commands were not answered with 200")
        return found


@asynccontextmanager
async def sending() -> AsyncIterator[Load]:
    """The process that sends, for as long as the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64_000_000,
    )
    try:
        yield Load(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    """The least: Bolt checks the signature, finds its only listener, and acks."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_user_id="U0SELF")

    async def only_ack(ack: AsyncAck) -> None:
        await ack()

    app = AsyncApp(signing_secret=SIGNING_SECRET, authorize=authorize, process_before_response=True)
    app.command("/ops")(only_ack)

    async def events(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", events)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class Commits:
    """A table without anything, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL").fetchone()
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE bare (seq INTEGER PRIMARY KEY, words TEXT)")

    def one(self) -> float:
        """Seconds of a commit of one row of 600 characters."""
        started = time.perf_counter()
        self._db.execute("INSERT INTO bare (words) VALUES (?)", ("x" * 600,))
        return time.perf_counter() - started

    def close(self) -> None:
        """Close the file."""
        self._db.close()
