"""How the ACC, its servers and its token are, and which settings are accepted."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.backends.sequentum.settings import ends_at
from bot.core.outcome import Level, State
from tests.http_client.support import NOON

from .support import PATH, SERVER_KEY, SERVER_REPLY, TOKEN, RecordingAcc, joined, said, settings_of


def token(**claims: Any) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, claims)
    ]
    return ".".join([*parts, "bm90LWEtc2lnbmF0dXJl"])


@pytest.mark.parametrize(
    ("days", "said_"),
    [
        (30, "acc answers and accepts the token."),
        (6.5, "The token expires on 2026-11-29, in 6 days."),
        (1.5, "The token expires on 2026-11-24, in one day."),
        (-1, "The token expired on 2026-11-21."),
    ],
)
async def test_the_end_of_the_token_is_told_a_week_ahead(days: float, said_: str) -> None:
    """Its own `exp` is read without checking anything else."""
    ends = NOON + timedelta(days=days)
    async with joined(token=token(exp=int(ends.timestamp()), iss="Sequentum")) as env:
        health = await env.backend.health()
        assert (health.ok, health.summary, health.credential_ends) == (True, said_, ends)


@pytest.mark.parametrize("odd", ["opaque", "a.b.c", "..", token(), token(exp="soon"), token(exp=1e30), token(exp=None)])
async def test_any_token_is_tolerated(odd: str) -> None:
    """A token that is no JSON web token has no readable end, and that is all."""
    assert ends_at(odd) is None
    async with joined(token=odd) as env:
        assert (await env.backend.health()).ok


async def test_being_told_that_there_is_no_such_agent_is_health() -> None:
    """Without a known agent a made-up one is asked for: its 404 is a sign of life."""
    async with joined(RecordingAcc({("GET", "/api/agent"): said({}, 404)})) as env:
        assert (await env.backend.health()).ok
        assert env.acc.seen[0].query == "agentPath=signalbox/health-check"


@pytest.mark.parametrize(("status", "word"), [(401, "does not accept the credential"), (500, "internal error")])
async def test_a_sick_acc_is_not_ok(status: int, word: str) -> None:
    """A refused token and an error are told, without the token."""
    async with joined(RecordingAcc({("GET", "/api/agent"): said({"message": TOKEN}, status)})) as env:
        health = await env.backend.health()
        assert not health.ok
        assert word in health.summary
        assert TOKEN not in health.summary


async def test_a_server_is_asked_with_its_configured_key() -> None:
    """What it says is shown in words, and never its key."""
    async with joined() as env:
        done = await env.do("health", "server/crawl-1")
        facts = {fact.label: fact.value for fact in done.facts}
        assert done.summary == "Server crawl-1 answers."
        assert done.state == State(text="answers", level=Level.GOOD)
        assert facts["CPU"] == "0 % now, 2 % average, 20 % peak (limit 100 %)"
        assert (facts["Memory"], facts["Disk"]) == ("6 % now, 13 % average, 23 % peak (limit 90 %)", "C: 47 %")
        bad = {**SERVER_REPLY, "isError": True, "message": f"key {SERVER_KEY} refused"}
        env.acc.answers["POST", "/api/server/check"] = said(bad)
        done = await env.do("health", "server/crawl-1")
        assert done.summary == "Server crawl-1 has an error: key [redacted] refused."
        assert done.state == State(text="error", level=Level.BAD)
        assert SERVER_KEY not in done.model_dump_json()


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ({"memoryUsages": "95%, a:1%, p:2%"}, State(text="answers, memory at the limit", level=Level.WARN)),
        (
            {"cpuUsages": "101 %", "memoryUsages": "90%"},
            State(text="answers, CPU and memory at the limit", level=Level.WARN),
        ),
        ({"memoryUsages": "89%, a:95%, p: 99 %"}, State(text="answers", level=Level.GOOD)),
        ({"cpuUsages": None, "memoryUsages": "?", "memoryThreshold": None}, State(text="answers", level=Level.GOOD)),
    ],
)
async def test_a_server_at_its_limit_is_a_warning(reply: dict[str, object], state: State) -> None:
    """The present value counts, not the average or the peak."""
    async with joined() as env:
        env.acc.answers["POST", "/api/server/check"] = said({**SERVER_REPLY, **reply})
        done = await env.do("health", "server/crawl-1")
    assert done.state == state


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": ""},
        {"base_url": "http://acc.example.com"},
        {"token": ""},
        {"token": "two words-canary"},
        {"token": "canäry"},
        {"tokne": "canary"},
        {"schedules_on_path": "maybe"},
        {"servers": [{"name": "a b", "key": "canary", "ip_address": "10.0.0.1", "port": 8004}]},
        {"servers": [{"name": "a", "key": "canary", "ip_address": "10.0.0.1", "port": 8004}] * 2},
        {"servers": [{"name": "a", "key": "canary", "ip_address": "10.0.0.1", "port": 0}]},
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_a_secret(change: dict[str, Any]) -> None:
    """Wrong tables end at start, and their error text holds no token and no key."""
    with pytest.raises(ValidationError) as caught:
        settings_of("https://acc.example.com" if "base_url" not in change else change.pop("base_url"), **change)
    assert "canary" not in str(caught.value)
    assert "canäry" not in str(caught.value)


def test_a_copied_token_may_have_its_line_end() -> None:
    """The vendor's sample shows the token on the line after the word Bearer."""
    settings = settings_of("https://acc.example.com", token=f"Bearer \n{TOKEN}\n")
    assert settings.token.get_secret_value() == TOKEN
    assert TOKEN not in repr(settings)
    assert SERVER_KEY not in repr(settings)


async def test_nothing_of_a_backend_shows_its_secrets() -> None:
    """Neither the adapter nor what hangs on it prints a token or a key."""
    async with joined() as env:
        await env.target(PATH)
        shown = repr(env.backend) + repr(env.backend._ctx) + repr(vars(env.backend))
        assert TOKEN not in shown
        assert SERVER_KEY not in shown
