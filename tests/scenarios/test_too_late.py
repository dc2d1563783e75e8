"""A command that Slack has given up on does not run: its person was shown an error and types it again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.own_time import stand_still
from tests.scenarios.team import CRAWL, Team, deciding
from tests.slack.support import http_world
from tests.store.samples import intent
from tests.world import OPEN_POLICY, World, labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as made:
        yield made


LOCKS = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locked(env: World) -> AsyncIterator[None]:
    """Another process holds the write lock of the store, for which the program waits here however slow the machine is."""
    await env.bot.store.database.write(lambda db: db.execute("PRAGMA busy_timeout=60000"))
    command = [sys.executable, "-c", LOCKS, env.bot.settings.store.url]
    other = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    assert await other.stdout.readline() == b"locked\n"
    yield
    await other.communicate(b"")


async def retyped_runs_once(env: World) -> None:
    """The store is locked for 4 s; the person is told before Slack gives up, waits, and types it again."""
    async with locked(env):
        receipt = await env.ana.command(CRAWL, "/ops start acc:shop/prices")
        assert receipt.acked, receipt
        assert "nothing is done" in str(receipt.body)
        await asyncio.sleep(2)
    await env.until(lambda: env.audit(event="abandoned"))
    assert [entry.code for entry in env.audit(event="abandoned")] == ["too_late"]
    await env.say("start acc:shop/prices")
    await env.until(lambda: env.audit(event="sent"))
    await env.quiet()
    assert len(env.acc.effects) == 1


async def test_a_command_that_the_store_takes_too_late_runs_once_when_it_is_retyped(team: Team) -> None:
    await retyped_runs_once(team.env)


async def test_what_was_typed_or_pressed_too_late_is_named_and_is_reported_as_not_done(team: Team) -> None:
    """A press is recorded as the command of its button, which is offered again."""
    env = team.env
    await env.does("incident open INC-42 -- checkout", "Incident INC-42")
    meant = await env.does("strat acc:shop/prices", "Did you mean this?")
    async with locked(env):
        await env.ana.press_label(CRAWL, meant["ts"], "start acc:shop/prices", seen=meant)
        await env.ana.command(CRAWL, "/ops start acc:shop/stock -- empty")
        await asyncio.sleep(2)
    late = await env.until(lambda: (rows := env.audit(event="abandoned")) and len(rows) == 2 and rows)
    assert {(row.verb, row.backend, row.target_name) for row in late} == {
        ("start", "acc", "acc:shop/prices"),
        ("start", "acc", "acc:shop/stock"),
    }
    again = await env.sees("I answered too late", "start acc:shop/prices")
    assert labels(again) == ["start acc:shop/prices"]
    report = shown(await env.does("incident close", "INC-42 is closed"))
    told = report[report.index("*What was not done*") :]
    assert "*What was done*" not in report
    assert "`start acc:shop/prices`: not done" in told
    assert "`start acc:shop/stock` (empty): not done" in told


async def test_a_clock_that_was_set_back_makes_no_ack_wait_for_longer(team: Team) -> None:
    """By an hour after the request arrived: it still waits two seconds for the store, not an hour."""
    asked = intent().model_copy(update={"at": team.now() + timedelta(hours=1)})
    async with locked(team.env), asyncio.timeout(30):
        receipt = await team.env.bot.intake.submit(asked)
    assert receipt.say is not None
    assert "did not answer in time" in receipt.say
    await team.env.until(lambda: team.env.audit(event="abandoned"))
    assert len(team.env.acc.effects) == 0


async def test_the_same_in_http_mode(tmp_path: Path) -> None:
    async with http_world(tmp_path) as env:
        await retyped_runs_once(env)


async def stood_still(env: World, text: str) -> None:
    """The program does nothing for 3 s while a command is on its way."""
    await asyncio.sleep(0.5)
    sent = asyncio.create_task(env.ana.command(CRAWL, f"/ops {text}"))
    await asyncio.sleep(0)
    stand_still(3.2)
    await sent


async def test_a_change_that_waited_while_the_program_stood_still_is_offered(team: Team) -> None:
    await stood_still(team.env, "start acc:shop/prices")
    await team.env.sees("I answered too late", "start acc:shop/prices")
    await team.env.quiet()
    assert not team.effects()


async def test_a_question_that_waited_as_long_is_answered(team: Team) -> None:
    await stood_still(team.env, "status acc:shop/prices")
    await team.env.until(lambda: "done" in team.env.events("status"))


async def test_a_mention_that_waited_as_long_runs(team: Team) -> None:
    """Slack shows no error for a message; it sends the event again, and a message is one request."""
    await asyncio.sleep(0.5)
    sent = asyncio.create_task(team.env.ana.post(CRAWL, "<@U0BOT> start acc:shop/prices"))
    await asyncio.sleep(0)
    stand_still(3.2)
    await sent
    await team.env.until(lambda: len(team.effects()) == 1)


async def test_a_form_that_came_too_late_may_be_sent_again(team: Team) -> None:
    """Slack keeps the modal open after its error, and its id and hash stay the same."""
    env = team.env
    await env.ana.shortcut("launcher")
    modal = await env.ana.wait_for(lambda person: person.modal())
    values = {"verb": "start", "target": "acc:shop/prices", "channel": CRAWL}
    async with locked(env):
        receipt = await env.ana.submit(modal["id"], values)
        assert "nothing is done" in str(receipt.errors)
        await asyncio.sleep(1)
    await env.until(lambda: env.audit(event="abandoned"))
    await env.ana.submit("modal")
    await env.until(lambda: len(team.effects()) == 1)
    await env.quiet()
    assert len(team.effects()) == 1
