"""kill -9 between every two steps of a start: no call without a row, never two calls, and a stated outcome after the restart."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.core.records import Filters, StoredEntry, stamp
from bot.demo.run import write_config
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.store.open import open_store
from tests.fork_server import ForkServer
from tests.waiting import held
from tests.world import OPEN_POLICY, shown

ENDS = ("done", "failed", "reconciled", "abandoned", "denied")
WITHIN = 60.0  # seconds, as promised
SCHEDULE = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"
OFF = f"schedule off acc:schedule/{SCHEDULE} for={{}}"


@dataclass
class World:
    """The outside world in this process, and the program as a process of its own."""

    ws: Workspace
    acc: Any
    folder: Path
    environ: dict[str, str]
    fork_server: ForkServer
    pid: int | None = None

    async def start(self, point: str | None = None) -> None:
        """Start the program; it kills itself at that point."""
        arguments = ["run", "--config", str(self.folder / "signalbox.toml")]
        where = {"point": point} if point else {}
        self.pid = self.fork_server.order(arguments=arguments, environ=self.environ, **where)
        await self.ws.wait_connected(1, timeout=30)

    async def dies(self) -> None:
        """Wait until it was killed."""
        assert await self._ended() == -signal.SIGKILL

    async def stop(self) -> None:
        """Stop it as a system would; before it is ready the signal simply ends it."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)
            assert await self._ended() in (0, -signal.SIGTERM)

    async def _ended(self) -> int:
        pid, self.pid = self.pid, None
        assert pid is not None
        return await self.fork_server.ended(pid)

    def rows(self) -> list[StoredEntry]:
        """The audit log, oldest first, read beside the program."""
        store = open_store(str(self.folder / "signalbox.db"))
        try:
            return list(reversed(store.search_sync(Filters(), limit=500)))
        finally:
            store.close_sync()

    def verified(self) -> bool:
        """Whether the chain is whole."""
        store = open_store(str(self.folder / "signalbox.db"))
        try:
            return store.verify_sync(store.head_sync()).ok
        finally:
            store.close_sync()

    async def until(self, condition: Any, within: float = WITHIN) -> Any:
        """Poll the audit log."""
        return await self.ws.person("U0ANA").wait_for(lambda _: condition(self.rows()), timeout=within)


@asynccontextmanager
async def workspace_and_acc(folder: Path, fork_server: ForkServer) -> AsyncIterator[World]:
    """A workspace and an ACC; the program is not started yet."""
    async with Workspace(DEMO_SEED, port=0) as ws:
        acc: Any = demo_planes(ws.clock, only=("acc",))[0]
        acc.world.speed = 60.0
        async with acc:
            ws.register_plane(acc)
            made = World(ws, acc, folder, write_config(folder, ws, (acc,), OPEN_POLICY), fork_server)
            settings = folder / "signalbox.toml"
            # Without the head of the audit log, which goes out by itself, the first message is that of the command.
            settings.write_text(re.sub(r"security_channel = .*\n", "", settings.read_text("utf-8")), "utf-8")
            try:
                yield made
            finally:
                await made.stop()


def of_request(rows: Sequence[StoredEntry], verb: str) -> list[StoredEntry]:
    """The rows of the one request of a person with that verb."""
    first = next((row for row in rows if row.event == "requested" and row.verb == verb), None)
    return [row for row in rows if first is not None and row.request_id == first.request_id]


def check_calls(env: World, rows: Sequence[StoredEntry], verb: str, ending: str) -> int:
    """Every call that changes something came after its `sent` row; how many there were."""
    calls = [call for call in env.acc.requests if call.method == "POST" and call.raw_path.endswith(ending)]
    sent = [datetime.fromisoformat(row.at).timestamp() for row in rows if row.event == "sent" and row.verb == verb]
    assert all(any(at <= call.at for at in sent) for call in calls), "a call without an earlier row"
    return len(calls)


# What the person gets is told by what had happened when the process was gone: `runs` of the plane, and the events that follow.
START_POINTS = (
    ("before:accept:1", 0),  # nothing was stored, so nothing was acked, and Slack tells the person
    ("after:accept:1", 1),
    ("before:resolve:1", 1),
    ("after:resolve:1", 1),
    ("before:sending:1", 1),
    ("after:sending:1", 0),
    ("before:start:1", 0),
    ("after:start:1", 1),
    ("before:finish:1", 1),
    ("after:finish:1", 1),
    ("after:post:1", None),  # the first message goes out beside the call
)


@pytest.mark.parametrize("point", ["after:seen:1", "before:end:1", "after:end:1"])
async def test_the_end_of_a_run_is_recorded_and_shown_after_kill_9(
    tmp_path: Path, fork_server: ForkServer, point: str
) -> None:
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start(point)
        ana = env.ws.person("U0ANA")
        await ana.command("C0CRAWL", "/ops start acc:shop/prices")
        await env.dies()
        await env.start()
        await ana.wait_for(lambda _: any("Succeeded" in shown(one) for one in ana.messages("C0CRAWL")), timeout=WITHIN)
        rows = await env.until(lambda rows: any(row.event == "ended" for row in rows) and rows)
        assert [row.event for row in of_request(rows, "start")].count("ended") == 1


@pytest.mark.parametrize(("point", "runs"), START_POINTS, ids=[point for point, _ in START_POINTS])
async def test_a_start_survives_kill_9(tmp_path: Path, fork_server: ForkServer, point: str, runs: int | None) -> None:
    """Killed at that point and started again: at most one run, each call behind its row, an outcome, a whole chain."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start(point)
        receipt = await env.ws.person("U0ANA").command("C0CRAWL", "/ops start acc:shop/prices")
        await env.dies()
        if point == "before:accept:1":
            assert not receipt.acked
            assert of_request(env.rows(), "start") == []
            return
        await env.start()
        end = await env.until(lambda rows: [row for row in of_request(rows, "start") if row.event in ENDS])
        await asyncio.sleep(0.3)
        rows = env.rows()
        mine = of_request(rows, "start")
        assert [row.event for row in mine if row.event in ENDS] == [end[0].event], "one outcome, and only one"
        calls = check_calls(env, rows, "start", "/cluster/start")
        assert calls <= 1
        assert runs in (None, calls)
        assert sum(effect.action == "start" for effect in env.acc.effects) == calls
        assert (end[0].event in ("done", "reconciled")) is (calls == 1)
        assert env.verified()
        await env.ws.person("U0ANA").wait_for(lambda ana: told(ana, mine[0].request_id))


def told(person: Any, request_id: str) -> bool:
    """Whether she sees an outcome of that request. Its card may be there twice when the process died with Slack's answer."""
    cards = [shown(message) for message in person.messages("C0CRAWL") if request_id in shown(message)]
    return any("Working on it" not in words for words in cards)


async def test_what_an_earlier_version_accepted_and_did_not_begin_is_worked_on(
    tmp_path: Path, fork_server: ForkServer
) -> None:
    """It kept accepted requests as new until it began; such a row outlives the deploy."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        now = datetime.now(UTC)
        asked = Intent(
            request_id="r-earlier",
            dedupe_key="earlier",
            actor=Actor(user_id="U0ANA", team_id="T0ACME"),
            place=Place(team_id="T0ACME", channel_id="C0CRAWL"),
            source=Source.COMMAND,
            at=now,
            payload=Command(verb="start", target="acc:shop/prices"),
        )
        row = AuditEntry(at=stamp(now), request_id="r-earlier", event=Event.REQUESTED, user_id="U0ANA", verb="start")
        store = open_store(str(env.folder / "signalbox.db"))
        assert await store.accept(asked, (row,))
        await store.close()
        await env.start()
        await env.until(lambda rows: [row for row in of_request(rows, "start") if row.event == "done"])
        assert check_calls(env, env.rows(), "start", "/cluster/start") == 1
        await env.ws.person("U0ANA").wait_for(lambda ana: told(ana, "r-earlier"))


SAFE_POINTS = ("after:sending:1", "after:switch:1")


@pytest.mark.parametrize("point", SAFE_POINTS)
async def test_a_change_that_may_be_repeated_is_finished_after_kill_9(
    tmp_path: Path, fork_server: ForkServer, point: str
) -> None:
    """Off is off, also when it is said twice: after the restart it is done, and the person is told."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start(point)
        await env.ws.person("U0ANA").command("C0CRAWL", f"/ops schedule off acc:schedule/{SCHEDULE}")
        await env.dies()
        await env.start()
        await env.until(lambda rows: [row for row in of_request(rows, "schedule off") if row.event == "reconciled"])
        rows = env.rows()
        assert env.acc.schedules[SCHEDULE].enabled is False
        assert check_calls(env, rows, "schedule off", "/off") in (1, 2)
        assert env.verified()
        request = of_request(rows, "schedule off")[0].request_id
        await env.ws.person("U0ANA").wait_for(lambda ana: told(ana, request))


PAUSE_POINTS = ("after:accept:2", "after:sending:2", "after:switch:2")


@pytest.mark.parametrize("point", PAUSE_POINTS)
async def test_a_pause_ends_although_its_end_was_killed(tmp_path: Path, fork_server: ForkServer, point: str) -> None:
    """The switch-on of a timed pause is not lost, wherever the process was gone."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start(point)
        await env.ws.person("U0ANA").command("C0CRAWL", f"/ops schedule off acc:schedule/{SCHEDULE} for=1s")
        await env.dies()
        await env.start()
        await env.until(lambda rows: [row for row in rows if row.event == "resumed"])
        assert env.acc.schedules[SCHEDULE].enabled is True
        check_calls(env, env.rows(), "schedule on", "/on")
        assert env.verified()


async def test_a_pause_that_was_killed_behind_its_call_still_has_its_end(
    tmp_path: Path, fork_server: ForkServer
) -> None:
    """Found off after the restart, it is known that it was on before, and is given back."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start("after:switch:1")
        ana = env.ws.person("U0ANA")
        await ana.command("C0CRAWL", "/ops schedules acc:shop/prices")
        await env.until(lambda rows: [row for row in of_request(rows, "schedules") if row.event == "done"])
        await ana.command("C0CRAWL", f"/ops schedule off acc:schedule/{SCHEDULE} for=1s")
        await env.dies()
        assert env.acc.schedules[SCHEDULE].enabled is False
        await env.start()
        await env.until(lambda rows: [row for row in rows if row.event == "resumed"])
        assert env.acc.schedules[SCHEDULE].enabled is True


async def test_a_pause_whose_call_nobody_knows_of_still_has_its_end(tmp_path: Path, fork_server: ForkServer) -> None:
    """Killed behind the call and started when the time was over: it is on, and the card says what is known."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start("after:switch:1")
        ana = env.ws.person("U0ANA")
        await ana.command("C0CRAWL", "/ops schedules acc:shop/prices")
        await env.until(lambda rows: [row for row in of_request(rows, "schedules") if row.event == "done"])
        await ana.command("C0CRAWL", f"/ops schedule off acc:schedule/{SCHEDULE} for=1s")
        await env.dies()
        await asyncio.sleep(1.1)
        await env.start()
        await env.until(lambda rows: [row for row in rows if row.event == "resumed"])
        assert env.acc.schedules[SCHEDULE].enabled is True
        rows = of_request(env.rows(), "schedule off")
        assert [row.event for row in rows if row.event in ENDS] == ["abandoned"]
        assert [row.code for row in rows if row.event == "paused"] == ["unknown"]
        known = ("The bot stopped while it was sending this", "This pause is over: it is on again")
        await ana.wait_for(lambda who: seen(who, rows[0].request_id, *known))


def seen(person: Any, *parts: str) -> bool:
    """Whether one message shows all parts."""
    return any(all(part in shown(message) for part in parts) for message in person.messages("C0CRAWL"))


async def test_the_card_of_a_replaced_pause_is_mended_after_kill_9(tmp_path: Path, fork_server: ForkServer) -> None:
    """Killed between the newer order's outcome and the cards: both say so after the restart."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start("after:finish:3")
        ana = env.ws.person("U0ANA")
        for typed, event in (("schedules acc:shop/prices", "done"), (OFF.format("1h"), "paused")):
            await ana.command("C0CRAWL", f"/ops {typed}")
            await env.until(lambda rows, event=event: [row for row in rows if row.event == event])
        old = of_request(env.rows(), "schedule off")[0].request_id
        await ana.wait_for(lambda who: seen(who, old, "turns on again automatically"))
        await ana.command("C0CRAWL", f"/ops {OFF.format('2h')}")
        await env.dies()
        assert not seen(ana, old, "This pause is over")
        await env.start()
        await ana.wait_for(lambda who: seen(who, old, "This pause is over: paused until"))


@pytest.mark.parametrize(("gone", "says"), [(False, "it is on again"), (True, "nothing is left to switch on")])
async def test_the_card_of_a_pause_that_ended_is_made_up_for_after_kill_9(
    tmp_path: Path, fork_server: ForkServer, gone: bool, says: str
) -> None:
    """Killed between the end of a pause and its card: the card is there after the restart, once."""
    async with workspace_and_acc(tmp_path, fork_server) as env:
        await env.start("after:finish:2")
        ana = env.ws.person("U0ANA")
        with held(env.acc, "/on"):
            await ana.command("C0CRAWL", f"/ops {OFF.format('2s')}")
            await env.until(lambda rows: [row for row in rows if row.event == "paused"])
            if gone:
                del env.acc.schedules[SCHEDULE]
        await env.dies()
        await env.start()
        await ana.wait_for(lambda who: seen(who, "The pause is over", says))
        old = of_request(env.rows(), "schedule off")[0].request_id
        assert not gone or await ana.wait_for(lambda who: seen(who, old, "This pause is over"))
