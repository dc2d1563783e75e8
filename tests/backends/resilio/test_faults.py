"""Whatever goes wrong is told apart, and the token, which travels in the query, never shows."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from aiohttp import web

from bot.backends.resilio import PLUGIN
from bot.backends.resilio.presentation import CONNECTIONS
from bot.core.errors import BadReply, Lost, Problem
from bot.core.outcome import Level, Phase, State
from tests.backends.kit import Answer, everything_logged, said
from tests.backends.problems import FAULTS, IDS, WHOLE, WHOLE_IDS

from .support import CLIENT, TOKEN, on_plane, recorded


@pytest.mark.parametrize("typed", ["tags res:", "history res:", "status res:run/543"])
@pytest.mark.parametrize(("fault", "problem"), WHOLE, ids=WHOLE_IDS)
async def test_each_fault_of_a_read_is_its_problem(fault: dict[str, Any], problem: type[Problem], typed: str) -> None:
    """What cannot be read is never an answer."""
    async with on_plane() as (plane, res):
        plane.add_transfer("A")
        plane.tags["A"] = "b"
        operation = await res.operation(typed)
        await plane.set_fault(fault)
        with pytest.raises(problem):
            await res.run(operation)


async def test_a_run_of_which_nothing_can_be_read_is_shown_as_unknown() -> None:
    """Every field of the wrong type: the run keeps its place, marked, and is no success."""
    async with on_plane() as (plane, res):
        plane.add_transfer("A")
        listed, one = await res.operation("history res:"), await res.operation("status res:run/543")
        await plane.set_fault({"fault": "wrong_types"})
        history = await res.run(listed)
        assert history.summary == "1 run, none active, none failed, 1 in an unknown state."
        assert history.table is not None
        assert history.table.note.startswith("⚠ 1 row can't be read completely: down_speed, eta, ")
        status = await res.run(one)
        assert status.view is not None
        assert status.view.phase is Phase.UNREADABLE
        assert "Not readable" in {fact.label for fact in status.facts or status.view.facts}


async def test_an_agent_older_than_4_answers_without_its_device_id() -> None:
    """What the vendor's older page shows is enough for every command."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/client"] = said({"paused": False, "server": {"addr": "mc", "state": "CONNECTED"}})
        assert (await res.do("status res:")).state == State(text=CONNECTIONS["CONNECTED"][0], level=Level.GOOD)
        for typed in ("pause res: for=5m", "resume res:", "tags res:", "tag res: A=b", "status res:run/543"):
            assert (await res.do(typed)).kind == "done"
        assert (await res.backend.health()).ok


async def test_an_agent_older_than_4_is_worked_from_its_front_door() -> None:
    """The simulated one answers as the older page shows; pausing it pauses it."""
    async with on_plane(older_than_4=True) as (plane, res):
        assert (await res.do("pause res: for=5m")).summary.startswith("The agent is paused")
        assert plane.paused
        assert (await res.target("res:")).id == "res"


@pytest.mark.parametrize(
    ("state", "level"),
    [("CONNECTED", "good"), ("CONNECTION_FAILED", "bad"), ("NOT_CONNECTED", "bad"), ("SOMETHING_NEW", "unsure")],
)
async def test_the_answer_has_the_colour_of_the_agents_connection(state: str, level: str) -> None:
    """An agent that answers and has lost its Management Console is bad news, not "Done"."""
    async with recorded() as (recorder, res):
        recorder.answers["GET /api/v3/client"] = said({**CLIENT, "server": {"state": state}})
        found = (await res.do("status res:")).state
        assert found is not None
        assert found.level == level
        assert (await res.backend.health()).ok is (level != "bad")


@pytest.mark.parametrize(("fault", "problem"), FAULTS, ids=IDS)
async def test_each_fault_of_the_token_is_its_problem(fault: dict[str, Any], problem: type[Problem]) -> None:
    """Without a token nothing else is sent."""
    async with on_plane() as (plane, res):
        await plane.set_fault(fault)
        with pytest.raises(problem):
            await res.target("res:")
        assert {request.raw_path for request in plane.requests} <= {"/api/v3/token"}


@pytest.mark.parametrize(
    ("fault", "problem"), [row for row in FAULTS if row[1] not in (BadReply, Lost)], ids=lambda value: str(value)[:20]
)
async def test_each_fault_of_a_pause_is_its_problem(fault: dict[str, Any], problem: type[Problem]) -> None:
    """A pause that was refused is not said to be one."""
    async with on_plane() as (plane, res):
        operation = await res.operation("pause res:")
        await plane.set_fault(fault)
        with pytest.raises(problem):
            await res.run(operation)
        assert not plane.paused


async def test_a_sign_in_page_is_no_success_of_a_change() -> None:
    """Any success counts for a change, but not a web page."""
    async with on_plane() as (plane, res):
        operation = await res.operation("pause res:")
        await plane.set_fault({"fault": "html", "match": "PATCH"})
        with pytest.raises(BadReply):
            await res.run(operation)


async def test_an_unheard_of_state_is_shown_as_unknown() -> None:
    """The fault of an enumeration that grew."""
    async with on_plane() as (plane, res):
        plane.add_transfer("A")
        await plane.set_fault({"fault": "unknown_enum"})
        assert (await res.do("status res:")).summary == "warehouse-7 is unknown (SOMETHING_NEW)."
        assert (await res.do("status res:run/543")).summary == "A is unknown (SOMETHING_NEW)."


def repeating(status: int) -> Answer:
    """An answer that repeats the address it was asked at."""
    return lambda request: web.json_response({"message": f"bad call {request.raw_path}"}, status=status)


async def test_the_token_shows_nowhere() -> None:
    """Not in reprs, logs at DEBUG, sentences or tracebacks, even when the agent repeats it."""
    async with recorded() as (recorder, res):
        texts = [repr(res.backend), repr(res.backend._ctx.client), repr(res.backend._ctx.client._keeper)]
        with everything_logged() as lines:
            texts.append(repr(await res.do("status res:")))
            texts.append(repr(await res.do("restart res:")))
            texts.append(repr(res.backend._ctx.client._keeper.session._current))

            for status in (400, 401, 403, 404, 500, 503):
                recorder.answers["GET /api/v3/client"] = repeating(status)
                texts.append(repr(await res.backend.health()))
                try:
                    await res.target("res:")
                except Problem as problem:
                    texts += [traceback.format_exc(), problem.summary, problem.hint]
        assert not [text for text in (*texts, *lines) if TOKEN in text]


async def test_a_token_that_cannot_be_sent_is_not_shown_either() -> None:
    """A reply to the token call that is no token."""
    async with recorded() as (recorder, res):
        for answer in ({"token": ""}, {"token": 17}, {"token": "ab\ncd-not-a-token"}, {}, {"token": "töken-of-ours"}):
            recorder.answers["GET /api/v3/token"] = said(answer)
            with pytest.raises(BadReply) as no:
                await res.target("res:")
            assert "oken-of-ours" not in str(no.value)
            assert "not-a-token" not in str(no.value)


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": ""}, {"base_url": "http://10.0.0.7:3840"}, {"refused_statuses": [200]}, {"token": "x"}],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """At start, not at the first call: plain http leads to loopback alone, and a token is fetched, never written down."""
    with pytest.raises(ValueError, match="validation error"):
        PLUGIN.settings.model_validate({"name": "res", "kind": "resilio", **wrong})


def test_the_agents_own_address_is_the_default() -> None:
    """Port 3840 of this machine, which is where a tunnel ends too."""
    settings = PLUGIN.settings.model_validate({"name": "res", "kind": "resilio"})
    assert settings.base_url == "http://127.0.0.1:3840"
