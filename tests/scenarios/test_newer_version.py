"""An older version takes over, as in a rolling upgrade: requests of a kind that only the newer one can read block nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.operations import reconcile
from tests.scenarios.steps import Asked, ask, do
from tests.scenarios.team import Team, deciding
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_pauses import FIRST
from tests.waiting import held
from tests.world import OPEN_POLICY, World


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as made:
        await do(made.env, "schedules acc:shop/prices")
        yield made


def made_newer(env: World, which: Callable[[str], bool]) -> None:
    """Let these requests, named by id, be of a kind that this version doesn't know."""
    with closing(sqlite3.connect(env.folder / "signalbox.db")) as db, db:
        for request_id, intent in db.execute("SELECT request_id, intent FROM requests").fetchall():
            if which(request_id):
                newer = json.loads(intent)
                newer["payload"]["kind"] = "later"
                db.execute("UPDATE requests SET intent = ? WHERE request_id = ?", (json.dumps(newer), request_id))


async def killed_in_a_pause(team: Team, meanwhile: str = "status acc:shop/prices") -> tuple[Asked, Asked]:
    """The control plane switches it off, and the bot is killed before the answer. The other request is made meanwhile."""
    with held(team.env.acc, "/off"):
        asked = await ask(team.env, f"schedule off acc:schedule/{FIRST} for=1h")
        await team.env.until(lambda: asked.changes)
        other = await do(team.env, meanwhile)
        await crash(team.env)
    await team.env.until(lambda: not team.env.acc.schedules[FIRST].enabled)
    return asked, other


@pytest.mark.parametrize("every", [False, True], ids=["end-of-a-pause", "every-request"])
async def test_the_program_starts_and_answers(team: Team, every: bool) -> None:
    """The newest end of a pause, or every request, is of a newer kind."""
    env = team.env
    await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    team.later(minutes=61)
    (ended,) = await env.until(lambda: env.audit(event="resumed"))
    await env.bot.close()
    made_newer(env, lambda request_id: every or request_id == ended.request_id)
    await env.start()
    await do(env, "start acc:shop/prices")
    await env.does("audit", "Audit log", user="U0ROOT")
    await env.does("timeline", "imeline")


async def test_a_pause_ends_at_its_time(team: Team) -> None:
    """The request that began it is of a newer kind."""
    env = team.env
    asked = await do(env, f"schedule off acc:schedule/{FIRST} for=1h")
    await env.bot.close()
    made_newer(env, lambda request_id: request_id == asked.request_id)
    await env.start()
    team.later(minutes=61)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_an_interrupted_pause_ends_at_its_time(team: Team) -> None:
    """A later request on the same control plane is of a newer kind."""
    env = team.env
    asked, other = await killed_in_a_pause(team, "start acc:news/feed")
    made_newer(env, lambda request_id: request_id == other.request_id)
    await env.start()
    assert await asked.ends() == "reconciled"
    team.later(minutes=61)
    await env.until(lambda: env.acc.schedules[FIRST].enabled)


async def test_an_interrupted_pause_is_not_sent_again_after_a_later_order(team: Team) -> None:
    """Someone switched it on meanwhile, with a request of a newer kind: that counts."""
    env = team.env
    asked, _ = await killed_in_a_pause(team)
    made_newer(env, lambda request_id: request_id == asked.request_id)
    await env.start()
    newer = await do(env, f"schedule on acc:schedule/{FIRST}", user="U0LEE")
    await env.bot.close()
    with closing(sqlite3.connect(env.folder / "signalbox.db")) as db, db:
        intent = db.execute("SELECT intent FROM requests WHERE request_id = ?", (asked.request_id,)).fetchone()[0]
        known = intent.replace('"kind": "later"', '"kind": "command"')
        db.execute("UPDATE requests SET intent = ? WHERE request_id = ?", (known, asked.request_id))
    made_newer(env, lambda request_id: request_id == newer.request_id)
    await env.start()
    assert await asked.ends() == "abandoned"
    assert env.acc.schedules[FIRST].enabled
