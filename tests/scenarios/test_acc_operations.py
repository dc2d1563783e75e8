"""All 31 operations of the ACC, from the words that Ana types in Slack to the bytes on the control plane's wire."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from bot.playground.planes.sequentum import Script
from tests.scenarios.acc_place import Place, filled, place, typed
from tests.scenarios.acc_table import CASES, CHECK, KEY, READS, Case
from tests.scenarios.steps import Asked, ask, do
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"


def filled_body(body: Any, at: Place) -> Any:
    """The same of a body that is no bytes."""
    return json.loads(filled(json.dumps(body), at)) if not isinstance(body, bytes) else body


class Played(NamedTuple):
    """A case, the agent that it was played on, and the request that it became."""

    case: Case
    at: Place
    asked: Asked

    @property
    def calls(self) -> list[Any]:
        """What the ACC was asked about this agent; the server check names none."""
        ids = ("/server/check",) if "server/" in self.case.path else (*self.at[1:], f"agentPath={self.at.path}")
        return [call for call in self.asked.calls if any(id_ in f"{call.raw_path}?{call.raw_query}" for id_ in ids)]


async def _play(env: World, case: Case) -> Played:
    # A mark that the job run has already is refused, so this one is on a run that failed.
    at = place(env, job=Script(end="Failure") if case.text.endswith("as=succeeded") else None)
    if f"{at}" not in filled(case.text, at):
        await do(env, f"schedules {at}")
    asked = await ask(env, filled(case.text, at))
    return Played(case, at, asked)


async def _finish(played: Played) -> None:
    if played.case.danger:
        before = await played.asked.card("Dangerous: check before you run it")
        assert before["ephemeral"]
        assert [call.method for call in played.calls if call.method != "GET"] == []
        await played.asked.press("Run it")
    await played.asked.ends()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def table(team: World) -> dict[str, Played]:
    """Every case typed one after the other, and all worked on side by side; what went wrong shows in the case's own test."""
    played = [await _play(team, case) for case in CASES]
    await asyncio.gather(*(_finish(one) for one in played), return_exceptions=True)
    return {one.case.name: one for one in played}


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_an_operation_goes_from_slack_to_the_wire_and_back(
    team: World, table: dict[str, Played], name: str
) -> None:
    """Words in, exactly one call out as the vendor's page has it, its outcome on the card and in the audit log."""
    case, at, asked = table[name]
    path = filled(case.path, at)
    calls = [call for call in table[name].calls if (call.method, call.raw_path) == (case.method, path)]
    call = next(call for call in calls if call.raw_query == filled(case.query, at))
    assert call.headers["Authorization"] == f"Bearer {team.acc.token}"
    kind, body = call.headers.get("Content-Type"), filled_body(case.body, at)
    if body is None:
        assert (call.body, kind) == (b"", None)
    else:
        assert (call.body if isinstance(body, bytes) else call.json(), kind) == (body, JSON)
    if case.method != "GET":
        changes = [(call.method, call.raw_path) for call in table[name].calls if call.method != "GET"]
        assert changes == [(case.method, path)], "a change is sent once, and nothing else is"
    events = ["requested", "done"] if case.text.startswith(READS) else ["requested", "sent", "done"]
    assert asked.events[: len(events)] == events
    done = asked.row("done")
    assert (done.user_id, done.channel_id, done.backend, done.rule) == ("U0ANA", "C0CRAWL", "acc", "C0CRAWL allow 1")
    await asked.card(*(filled(part, at) for part in case.card))


async def test_the_plane_knew_every_field(team: World, table: dict[str, Played]) -> None:
    """No body of the table had a field that the vendor's page does not name."""
    assert len(table) == len(CASES)
    assert team.acc.surprises == []


async def test_every_operation_of_the_seed_is_in_this_file() -> None:
    """The table has 30 of the 31 operations; the multipart upload, number 26, has tests of its own below."""
    assert {int(case.name.split()[0]) for case in CASES} | {26} == set(range(1, 32))


async def test_the_key_of_a_server_appears_nowhere(team: World) -> None:
    """29: the key goes to the control plane and to no message, no file, no row and no byte of the database."""
    asked = await typed(team, "health acc:server/server-2", danger=False)
    (call,) = [call for call in asked.calls if call.raw_path == "/api/server/check"]
    assert call.json() == {**CHECK, "ipAddress": "10.20.0.12", "port": 8005, "useSsl": True}
    await asked.card("Server server-2 answers")
    hidden = (KEY, team.acc.token)
    sent = json.dumps([call.args for call in team.ws.calls], default=str)
    assert [secret for secret in hidden if secret in sent] == []
    for path in team.folder.rglob("*"):
        if path.is_file() and path.name.startswith("signalbox.db"):
            content = path.read_bytes()
            assert [secret for secret in hidden if secret.encode() in content] == [], path.name
    rows = json.dumps([row.model_dump(mode="json") for row in team.audit()])
    assert [secret for secret in hidden if secret in rows] == []


async def test_the_audit_log_of_the_whole_table_verifies(team: World, table: dict[str, Played]) -> None:
    """The chain over everything that was done here is whole, and no call is without its row."""
    assert table
    assert team.bot.store.verify_sync(team.bot.store.head_sync()).ok
    done = [row for row in team.audit(event="done") if row.verb == "start"]
    starts = [
        call for call in team.acc.requests if call.raw_path.endswith("/start") and "schedule" not in call.raw_path
    ]
    assert len(done) == len(starts)
    requests = {row.request_id for row in team.audit(event="sent")}
    assert {row.request_id for row in done} <= requests
