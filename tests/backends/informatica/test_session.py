"""The session: shared, renewed once, and not tried again at once with a refused password."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bot.backends.informatica import PLUGIN
from bot.core.errors import BadReply, CredentialRefused
from bot.core.ports.plugin import RereadSecret
from bot.playground.planes.informatica import InformaticaPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import Joined, joined
from tests.http_client.support import always, serving

from .conftest import SERVER, paths

LOGIN = "POST /saas/public/core/v3/login"


async def test_concurrent_calls_share_one_login(infa: Joined, plane: InformaticaPlane) -> None:
    """Ten calls at once sign in once; v3 and v2 calls carry the id under their own header."""
    await asyncio.gather(*(infa.at("agent/eu-1") for _ in range(10)))
    assert paths(plane).count(LOGIN) == 1
    session = next(iter(plane.sessions))
    for one in plane.requests[1:]:
        carried = {name: one.headers[name] for name in ("INFA-SESSION-ID", "icSessionId") if name in one.headers}
        assert carried == {"INFA-SESSION-ID" if "/v3/" in one.raw_path else "icSessionId": session}


@pytest.mark.parametrize("as_200", [False, True])
async def test_a_session_that_ended_is_renewed_once(infa: Joined, plane: InformaticaPlane, as_200: bool) -> None:
    """After a 401, or the same said with 200, reads sign in once and are repeated, however many meet it."""
    agent = await infa.at("agent/eu-1")
    plane.errors_as_200 = as_200
    plane.end_sessions()
    calls = (lambda: infa.backend.state_of(agent), lambda: infa.at("agent/eu-1"))
    await asyncio.gather(*(calls[turn % 2]() for turn in range(6)))
    assert paths(plane).count(LOGIN) == 2


@pytest.mark.parametrize("as_200", [False, True])
async def test_a_change_is_not_repeated_after_a_renewal(infa: Joined, plane: InformaticaPlane, as_200: bool) -> None:
    """A stop that meets an ended session changes nothing, says so, and works when it is asked again."""
    operation = await infa.operation(f'stop infa:eu-1/"{SERVER}"')
    plane.errors_as_200 = as_200
    plane.end_sessions()
    with pytest.raises(CredentialRefused, match="signed in again, but did not repeat the request"):
        await infa.run(operation)
    assert plane.effects == []
    assert (await infa.run(operation)).kind == "done"


async def test_an_idle_session_is_renewed_before_it_is_used(
    infa: Joined, plane: InformaticaPlane, clock: TwinClock
) -> None:
    """After 28 unused minutes the next call signs in first; while it is used it lives on."""
    for _ in range(3):
        await infa.at("agent/eu-1")
        clock.advance(27 * 60)
    assert paths(plane).count(LOGIN) == 1
    clock.advance(2 * 60)
    await infa.at("agent/eu-1")
    assert paths(plane).count(LOGIN) == 2
    assert 401 not in [one.status for one in plane.requests]


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("as_200", [False, True])
async def test_a_wrong_password_is_tried_once(
    plane: InformaticaPlane, clock: TwinClock, tmp_path: Path, status: int, as_200: bool
) -> None:
    """One try, whatever the status of the refusal; health says so with the vendor's code and never the password."""
    plane.bad_login_status, plane.errors_as_200 = status, as_200
    wrong = {"login_url": plane.base_url, "username": plane.username, "password": "wrong-and-not-a-secret"}
    async with joined(PLUGIN, "infa", clock, tmp_path, **wrong) as infa:
        tries = [infa.at("agent/eu-1") for _ in range(5)]
        for refused in await asyncio.gather(*tries, return_exceptions=True):
            assert isinstance(refused, CredentialRefused)
            assert "because accounts get locked" in refused.summary
        health = await infa.backend.health()
        assert not health.ok
        assert "IDS_085" in health.summary
        assert "not retried" in health.credential
        assert "wrong-and-not" not in repr(health) + repr(infa.backend)
    assert plane.wrong_passwords == 1
    async with joined(PLUGIN, "infa", clock, tmp_path, **{**wrong, "password": plane.password}) as infa:
        plane.errors_as_200 = False
        assert (await infa.backend.health()).ok


async def test_a_users_identity_provider_signs_in(plane: InformaticaPlane, clock: TwinClock, tmp_path: Path) -> None:
    """DOC loginOAuth: `oauthToken` and `orgId`, then the session is used for v2 and v3 as any other."""
    plane.identity_tokens.add("jwt-1-not-a-secret")
    table = {"login_url": plane.base_url, "org_id": plane.org_id, "oauth_token": "jwt-1-not-a-secret"}
    async with joined(PLUGIN, "infa", clock, tmp_path, **table) as infa:
        await infa.at("agent/eu-1")
        assert (await infa.backend.health()).ok
    first = plane.requests[0]
    assert (first.method, first.raw_path) == ("POST", "/ma/api/v2/user/loginOAuth")
    assert first.json() == {"oauthToken": "jwt-1-not-a-secret", "orgId": plane.org_id}
    assert plane.sessions == {}


async def test_an_identity_providers_token_is_read_again_for_each_login(
    plane: InformaticaPlane, clock: TwinClock, tmp_path: Path
) -> None:
    """Informatica takes each token once. A stale one is refused once and named; a fresh one in the file is used by itself."""
    held = {"text": "jwt-1-not-a-secret"}
    plane.identity_tokens |= {"jwt-1-not-a-secret", "jwt-2-not-a-secret"}
    token = RereadSecret(held["text"], lambda: held["text"])
    table = {"login_url": plane.base_url, "org_id": plane.org_id, "oauth_token": token}
    async with joined(PLUGIN, "infa", clock, tmp_path, **table) as infa:
        agent = await infa.at("agent/eu-1")
        plane.end_sessions()
        for _ in range(2):
            with pytest.raises(CredentialRefused, match="accounts get locked") as refused:
                await infa.backend.state_of(agent)
        assert "new token" in refused.value.hint
        assert "jwt-1" not in refused.value.summary
        assert paths(plane).count("POST /ma/api/v2/user/loginOAuth") == 2
        held["text"] = "jwt-2-not-a-secret"
        assert await infa.backend.state_of(agent) == "active"


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"username": "u"},
        {"org_id": "o"},
        {"username": "u", "password": "p", "org_id": "o", "oauth_token": "t"},
    ],
)
def test_settings_take_exactly_one_account(table: dict[str, str]) -> None:
    """None, half of one, or two are refused with what to write."""
    with pytest.raises(ValueError, match="write either username"):
        PLUGIN.settings.model_validate(
            {"name": "infa", "kind": "informatica", "login_url": "https://dm-us.informaticacloud.com", **table}
        )


async def test_a_login_that_breaks_is_tried_again(infa: Joined, plane: InformaticaPlane) -> None:
    """Only a refusal is final: a server that broke or was away is asked again."""
    await plane.set_fault({"fault": "500", "match": "login", "times": 1})
    assert not (await infa.backend.health()).ok
    assert (await infa.backend.health()).ok


async def test_closing_logs_out(plane: InformaticaPlane, clock: TwinClock, tmp_path: Path) -> None:
    """The session does not outlive the program; without one, nobody signs in to log out."""
    good = {"login_url": plane.base_url, "username": plane.username, "password": plane.password}
    async with joined(PLUGIN, "infa", clock, tmp_path, **good):
        pass
    assert plane.requests == []
    async with joined(PLUGIN, "infa", clock, tmp_path, **good) as infa:
        health = await infa.backend.health()
        assert health.credential.startswith("signed in to Acme since ")
    assert plane.sessions == {}
    assert paths(plane)[-1] == "POST /saas/public/core/v3/logout"


@pytest.mark.parametrize(
    ("products", "path"),
    [
        ([("MDM", None), ("Integration Cloud", "/saas")], "/saas"),
        ([("MDM", "/mdm"), ("Integration Cloud", "/saas")], "/saas"),
        ([("Integration Cloud", None), ("MDM", "/saas")], "/saas"),
        ([(None, 5), ("MDM", "/saas")], "/saas"),
        ([("MDM", None)], None),
        ([], None),
    ],
)
async def test_a_product_without_an_address_does_not_block_the_sign_in(
    clock: TwinClock, tmp_path: Path, products: list[tuple[str | None, str | int | None]], path: str | None
) -> None:
    """The configured product counts; otherwise the first that has an address."""
    from aiohttp import web  # noqa: PLC0415

    def answer() -> web.Response:
        listed = [
            {"name": name, "baseApiUrl": f"{server.base_url}{at}" if isinstance(at, str) else at}
            for name, at in products
        ]
        return web.json_response({"products": listed, "userInfo": {"sessionId": "fake-session-0123456789"}})

    async with serving(always(answer)) as server:
        good = {"login_url": server.base_url, "username": "u", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", clock, tmp_path, **good) as infa:
            with pytest.raises(BadReply) as fault:
                await infa.at("agent/eu-1")
        called = [seen.path for seen in server.seen if not seen.path.endswith("/login")]
    assert called[:1] == ([f"{path}/public/core/v3/lookup"] if path else [])
    assert path or re.search("`(?:baseApiUrl|products)` can", fault.value.summary)


async def test_the_session_goes_to_no_other_domain(clock: TwinClock, tmp_path: Path) -> None:
    """A login reply that names a foreign host is refused, and nothing is sent there."""
    from aiohttp import web  # noqa: PLC0415

    reply = {
        "products": [{"name": "Integration Cloud", "baseApiUrl": "https://usw1.example.net/saas"}],
        "userInfo": {"sessionId": "fake-session-0123456789"},
    }
    async with serving(always(lambda: web.json_response(reply))) as server:
        good = {"login_url": server.base_url, "username": "u", "password": "p-not-a-secret"}
        async with joined(PLUGIN, "infa", clock, tmp_path, **good) as infa:
            with pytest.raises(BadReply, match=r"usw1\.example\.net"):
                await infa.at("agent/eu-1")
        assert [seen.path for seen in server.seen] == ["/saas/public/core/v3/login"]


def test_settings_show_no_password_and_refuse_what_cannot_be() -> None:
    """The password is in no repr; plain http to another machine and a base_url are refused."""
    table = {"name": "infa", "kind": "informatica", "username": "u", "password": "p-not-a-secret"}
    made = PLUGIN.settings.model_validate({**table, "login_url": "https://dm-us.informaticacloud.com/"})
    assert "p-not-a-secret" not in repr(made) + str(made)
    for wrong in (
        {"login_url": "http://dm-us.informaticacloud.com"},
        {"login_url": "https://a.b", "base_url": "https://a.b"},
    ):
        with pytest.raises(ValueError, match=r"plain http|leave base_url"):
            PLUGIN.settings.model_validate({**table, **wrong})
