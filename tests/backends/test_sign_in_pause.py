"""A refused credential is sent once, then not for some minutes: accounts get locked after a few wrong passwords."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from aiohttp import web

from bot import plugins
from bot.core.errors import CredentialRefused
from tests.backends.kit import Joined, joined
from tests.http_client.support import FakeClock, Server, serving

WRONG: Final = "wrong-and-not-a-secret"
# Each way to sign in: kind, settings, a target, and the path that carries the credential.
WAYS: Final[dict[str, tuple[str, dict[str, Any], str, str]]] = {
    "sequentum token": ("sequentum", {"token": WRONG}, "shop/a", "/api/agent"),
    "prefactor token": ("prefactor", {"token": WRONG}, "shop", "/api/v1/agent"),
    "itential basic": ("itential", {"username": "u", "password": WRONG}, "backup", "/gateway_manager/v1/services"),
    "itential login": ("itential", {"username": "u", "password": WRONG, "sign_in": "token"}, "backup", "/login"),
    "itential client": ("itential", {"client_id": "c", "client_secret": WRONG}, "backup", "/oauth/token"),
    "informatica password": (
        "informatica", {"username": "u", "password": WRONG}, "agent/eu", "/saas/public/core/v3/login",
    ),
    "informatica token": (
        "informatica", {"org_id": "o", "oauth_token": WRONG}, "agent/eu", "/ma/api/v2/user/loginOAuth",
    ),
}  # fmt: skip


async def refuse(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"message": "wrong"}, status=401)


def settings_of(kind: str, table: dict[str, Any], server: Server) -> dict[str, Any]:
    return {"login_url" if kind == "informatica" else "base_url": server.base_url, **table}


async def refusals(backend: Joined, target: str, count: int) -> list[str]:
    """What so many look-ups of a target say."""
    said = []
    for _ in range(count):
        with pytest.raises(CredentialRefused) as no:
            await backend.at(target)
        said.append(f"{no.value.summary} {no.value.hint}")
    return said


@pytest.mark.parametrize("way", WAYS)
async def test_a_refused_credential_is_not_sent_again_for_minutes(way: str) -> None:
    """Five minutes, then ten; each answer says why, until when, and how to try again. No answer has the secret."""
    kind, table, target, path = WAYS[way]
    clock = FakeClock()
    async with (
        serving(refuse) as server,
        joined(plugins.load(kind), "one", clock, **settings_of(kind, table, server)) as backend,
    ):
        said = await refusals(backend, target, 4)
        assert [seen.path for seen in server.seen] == [path]
        assert "(401)" in said[-1]
        assert "doesn't send this credential again until 2026-11-22 12:05 UTC, because accounts get locked" in said[-1]
        assert "type `health one`" in said[-1]
        assert WRONG not in "".join(said)
        clock.advance(301)
        said = await refusals(backend, target, 2)
        assert [seen.path for seen in server.seen] == [path, path]
        assert "until 2026-11-22 12:15 UTC" in said[-1]


@pytest.mark.parametrize("way", WAYS)
async def test_calls_at_once_send_a_wrong_credential_once(way: str) -> None:
    """As after a start, when health checks, lists and commands come together."""
    kind, table, target, path = WAYS[way]

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return await refuse(request)

    async with (
        serving(slow) as server,
        joined(plugins.load(kind), "one", FakeClock(), **settings_of(kind, table, server)) as backend,
    ):
        said = await asyncio.gather(*(refusals(backend, target, 1) for _ in range(5)))
        assert len(said) == 5
        assert [seen.path for seen in server.seen] == [path]


async def test_after_an_answer_that_says_nothing_about_a_credential_one_call_tries_it_again() -> None:
    """A control plane that is just starting answers 503 first; then the password turns out to be wrong."""
    statuses = iter([503])

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return web.json_response({"message": "no"}, status=next(statuses, 401))

    async with (
        serving(slow) as server,
        joined(plugins.load("sequentum"), "one", FakeClock(), base_url=server.base_url, token=WRONG) as backend,
    ):
        await asyncio.gather(*(refusals(backend, "shop/a", 1) for _ in range(5)))
        assert len(server.seen) == 2


async def test_one_odd_refusal_of_an_accepted_credential_stops_nothing() -> None:
    """A 401 right after an accepted call may be about that call alone. The next one in a row is about the credential."""
    statuses = iter([200, 401, 200, 401, 401])

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"version": "1"}, status=next(statuses))

    table = {"username": "u", "password": WRONG}
    async with (
        serving(answer) as server,
        joined(plugins.load("itential"), "itn", base_url=server.base_url, **table) as itn,
    ):
        assert (await itn.do("version itn:")).kind == "done"
        for _ in range(2):
            with pytest.raises(CredentialRefused):
                await itn.outcome("version itn:")
            if len(server.seen) == 2:
                assert (await itn.do("version itn:")).kind == "done"
        for _ in range(3):
            with pytest.raises(CredentialRefused):
                await itn.outcome("version itn:")
        assert len(server.seen) == 5
