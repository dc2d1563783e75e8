"""The first try of a change has its effect and is answered by 503. Whatever the second try meets, the card doesn't deny that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.playground.planes.wire import Reply
from tests.world import World, shown, world

OVER = frozenset({"done", "failed", "reconciled", "abandoned"})
BUSY = {"@type": "error", "code": "B", "description": "busy"}


def answered(env: World, name: str, match: str, answers: list[Reply], patch: pytest.MonkeyPatch) -> None:
    """Answer calls to what `match` names by these: the first has its effect nevertheless. Later ones are answered as ever."""
    plane, left = env.planes[name], list(answers)
    begin = plane._do

    async def do(received: Any) -> Reply:
        if match not in f"{received.method} {received.raw_path}" or not left:
            return await begin(received)
        if len(left) == len(answers):
            await begin(received)
        return left.pop(0)

    patch.setattr(plane, "_do", do)


def reply(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode(), "application/json")


async def ended(env: World, verb: str) -> str:
    """What everybody can read when it is over."""
    await env.until(lambda: OVER & {*env.events(verb)})
    await env.quiet()
    return "\n".join(shown(message) for message in env.ana.messages("C0CRAWL"))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([reply({"error": {"code": "BUSY_01", "message": "busy"}})], id="no-status"),
        pytest.param([reply({**BUSY, "statusCode": 429})], id="429"),
        pytest.param([reply({**BUSY, "statusCode": 403})], id="403"),
        pytest.param([reply({**BUSY, "statusCode": 401}), reply({}, 400)], id="renewed-and-400"),
        pytest.param([reply(BUSY, 400)], id="http-400"),
    ],
)
async def test_a_schedule_of_informatica_that_may_be_off_is_on_again_at_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: list[Reply]
) -> None:
    """Also where Informatica refuses the second try with a success status."""
    async with world(tmp_path, only=("infa",)) as env:
        answered(env, "infa", "PATCH", [reply({}, 503), *second], monkeypatch)
        await env.say("schedule off infa:schedule/nightly for=1h -- quiet")
        assert "nothing was" not in (await ended(env, "schedule off")).casefold()
        assert await env.bot.store.open_pauses()


@pytest.mark.parametrize("status", [200, 400])
async def test_an_agent_of_prefactor_that_may_be_retired_is_not_said_to_be_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Also where Prefactor refuses the second try with a success status."""
    async with world(tmp_path, only=("pre",)) as env:
        busy = reply({"status": "error", "code": "busy", "message": "try later"}, status)
        answered(env, "pre", "/retire", [reply({}, 503), busy], monkeypatch)
        await env.say("retire pre:contract-draft -- old")
        look = await env.sees("Dangerous", "retire")
        await env.ana.press_label("C0CRAWL", look["ts"], "Run it", seen=look)
        told = await ended(env, "retire")
        assert "Another try failed: " in told
        assert "Refused" not in told


async def test_an_agent_of_resilio_whose_token_ended_meanwhile_is_paused_with_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is renewed whatever the first try met."""
    async with world(tmp_path, only=("res",)) as env:
        await env.does("status res:", "res")
        answered(env, "res", "PATCH", [reply({}, 503), reply({}, 403)], monkeypatch)
        await env.say("pause res: for=1h -- quiet")
        await ended(env, "pause")
        assert "done" in env.events("pause")


async def test_an_agent_of_resilio_that_may_be_paused_resumes_at_its_time_after_a_refusal_with_a_new_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new token doesn't undo the first try."""
    async with world(tmp_path, only=("res",)) as env:
        await env.does("status res:", "res")
        answered(env, "res", "PATCH", [reply({}, 503), reply({}, 403), reply({}, 400)], monkeypatch)
        await env.say("pause res: for=1h -- quiet")
        assert "Refused" not in await ended(env, "pause")
        assert await env.bot.store.open_pauses()


@pytest.mark.parametrize("first", [[], [reply({}, 503)]], ids=["one-try", "two-tries"])
async def test_a_lookup_of_informatica_is_a_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: list[Reply]
) -> None:
    """It is a POST that changes nothing: only its last answer counts, and the agent is found in the full list."""
    async with world(tmp_path, only=("infa",)) as env:
        missing = reply({"error": {"code": "NOT_FOUND", "message": "no such object"}}, 400)
        answered(env, "infa", "/lookup", [*first, missing], monkeypatch)
        await env.say("status infa:agent/eu-1")
        await ended(env, "status")
        assert "done" in env.events("status")


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_answer_of_informatica_with_a_success_status_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """It counts like one with its own status."""
    async with world(tmp_path, only=("infa",)) as env:
        answered(env, "infa", "PATCH", [reply({**BUSY, "statusCode": status})], monkeypatch)
        await env.say("schedule off infa:schedule/nightly -- quiet")
        await ended(env, "schedule off")
        assert "done" in env.events("schedule off")


@pytest.mark.parametrize("status", [404, 503])
async def test_a_long_error_of_informatica_in_place_of_a_log_is_not_kept_as_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async with world(tmp_path, only=("infa",)) as env:
        await env.say("start infa:task/load_orders")
        await env.until(lambda: "done" in env.events("start"))
        env.planes["infa"].clock.advance(3600)
        error = {**BUSY, "statusCode": status, "description": "The log service is busy. " * 24}
        answered(env, "infa", "/sessionLog", [reply(error)], monkeypatch)
        await env.say("logs infa:task/load_orders")
        await ended(env, "logs")
        assert not any("@type" in shown(message) for message in env.ana.messages("C0CRAWL"))
        assert ("failed" if status == 404 else "done") in env.events("logs")


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_log_of_informatica_is_read_again_after_such_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Also after one that means that the session ended."""
    async with world(tmp_path, only=("infa",)) as env:
        await env.say("start infa:task/load_orders")
        await env.until(lambda: "done" in env.events("start"))
        env.planes["infa"].clock.advance(3600)
        answered(env, "infa", "/sessionLog", [reply({**BUSY, "statusCode": status})], monkeypatch)
        await env.say("logs infa:task/load_orders")
        await ended(env, "logs")
        assert "done" in env.events("logs")
