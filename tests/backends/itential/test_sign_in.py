"""The three ways to sign in that the vendor documents: Basic, a login token, a service account."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bot.backends.itential import PLUGIN
from bot.core.errors import BadReply, CredentialRefused
from bot.playground.planes.itential import ItentialPlane
from tests.backends.fakes import TwinClock
from tests.backends.kit import everything_logged, joined
from tests.http_client.support import always, serving


def accounts(plane: ItentialPlane) -> dict[str, dict[str, Any]]:
    user = {"username": plane.username, "password": plane.password}
    return {
        "basic": user,
        "token": {**user, "sign_in": "token"},
        "client": {"client_id": plane.client_id, "client_secret": plane.client_secret},
    }


def carried(plane: ItentialPlane) -> list[str]:
    """What each call carried, in short: the scheme of the header, or the cookie."""
    return [
        one.headers.get("Authorization", one.headers.get("Cookie", "nothing")).partition(" ")[0].partition("=")[0]
        for one in plane.requests
    ]


@pytest.mark.parametrize(("account", "calls"), [
    ("basic", [("GET", "/gateway_manager/v1/version", "Basic")]),
    ("token", [("POST", "/login", "nothing"), ("GET", "/gateway_manager/v1/version", "token")]),
    ("client", [("POST", "/oauth/token", "nothing"), ("GET", "/gateway_manager/v1/version", "Bearer")]),
])  # fmt: skip
async def test_each_account_signs_in_as_its_page_says(
    plane: ItentialPlane, clock: TwinClock, tmp_path: Path, account: str, calls: list[Any]
) -> None:
    """The first read makes these calls, and the second one signs in no more."""
    plane.accepts_basic = account == "basic"
    async with joined(PLUGIN, "itn", clock, tmp_path, base_url=plane.base_url, **accounts(plane)[account]) as itn:
        await itn.do("version itn:")
        await itn.do("version itn:")
        made = [(one.method, one.raw_path, word) for one, word in zip(plane.requests, carried(plane), strict=True)]
        assert made == [*calls, calls[-1]]
        assert (await itn.backend.health()).ok


async def test_the_bodies_of_both_sign_ins(plane: ItentialPlane, clock: TwinClock, tmp_path: Path) -> None:
    """The service account's form has three fields, the login one `user` object."""
    for account in ("client", "token"):
        async with joined(PLUGIN, "itn", clock, tmp_path, base_url=plane.base_url, **accounts(plane)[account]) as itn:
            await itn.do("version itn:")
    form, _, login, _ = plane.requests
    assert form.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(form.body.decode()) == {
        "grant_type": ["client_credentials"], "client_id": [plane.client_id], "client_secret": [plane.client_secret]
    }  # fmt: skip
    assert login.json() == {"user": {"username": plane.username, "password": plane.password}}


async def test_a_service_accounts_token_is_renewed_before_its_end(
    plane: ItentialPlane, clock: TwinClock, tmp_path: Path
) -> None:
    """One sign-in lasts 59 of the 60 minutes; no call meets a 401."""
    async with joined(PLUGIN, "itn", clock, tmp_path, base_url=plane.base_url, **accounts(plane)["client"]) as itn:
        await itn.do("version itn:")
        clock.advance(58 * 60)
        await itn.do("version itn:")
        assert [one.raw_path for one in plane.requests].count("/oauth/token") == 1
        clock.advance(90)
        await itn.do("version itn:")
    assert [one.raw_path for one in plane.requests].count("/oauth/token") == 2
    assert 401 not in [one.status for one in plane.requests]


@pytest.mark.parametrize("account", ["token", "client"])
async def test_a_token_that_the_platform_forgot_is_renewed_once(
    plane: ItentialPlane, clock: TwinClock, tmp_path: Path, account: str
) -> None:
    """A read is repeated with the new token; a run is not, and says that nothing was sent twice."""
    async with joined(PLUGIN, "itn", clock, tmp_path, base_url=plane.base_url, **accounts(plane)[account]) as itn:
        operation = await itn.operation("start itn:backup")
        plane.end_sessions()
        assert (await itn.do("version itn:")).kind == "done"
        await itn.backend.form(operation.target)
        service = f"/gateway_manager/v1/services/{operation.target.id}"
        plane.end_sessions()
        await plane.set_fault({"fault": "401_once", "match": "services/run"})
        with pytest.raises(CredentialRefused, match="did not repeat the request"):
            await itn.run(operation)
        assert plane.jobs == []
        assert (await itn.run(operation)).kind == "done"
    assert service in [one.raw_path for one in plane.requests]


@pytest.mark.parametrize(("account", "wrong"), [("token", "password"), ("client", "client_secret")])
async def test_a_refused_sign_in_says_so_without_the_secret(
    plane: ItentialPlane, clock: TwinClock, tmp_path: Path, account: str, wrong: str
) -> None:
    """Health is an answer; neither it nor the log holds the secret."""
    table = {**accounts(plane)[account], wrong: "wrong-and-not-a-secret"}
    with everything_logged() as lines:
        async with joined(PLUGIN, "itn", clock, tmp_path, base_url=plane.base_url, **table) as itn:
            health = await itn.backend.health()
            with pytest.raises(CredentialRefused):
                await itn.at("backup")
    assert not health.ok
    assert "wrong-and-not" not in repr(health) + "".join(lines)


@pytest.mark.parametrize("media_type", ["text/plain", "text/html", "application/json"])
@pytest.mark.parametrize("token", ['"t0k3n-not-a-secret"', "t0k3n-not-a-secret\n"])
async def test_a_login_token_comes_as_text_or_as_json(
    clock: TwinClock, tmp_path: Path, token: str, media_type: str
) -> None:
    """Both forms become the same cookie. Express, on which the platform runs, sends text as text/html."""
    async with serving(always(lambda: web.Response(text=token, content_type=media_type))) as server:
        table = {"base_url": server.base_url, "username": "u", "password": "p-not-a-secret", "sign_in": "token"}
        async with joined(PLUGIN, "itn", clock, tmp_path, **table) as itn:
            await itn.do("version itn:")
        assert server.seen[-1].headers["cookie"] == "token=t0k3n-not-a-secret"


async def test_an_answer_that_holds_no_token_is_named(clock: TwinClock, tmp_path: Path) -> None:
    """A reply of another form is not sent on as a cookie."""
    async with serving(always(lambda: web.json_response({"ok": True}))) as server:
        table = {"base_url": server.base_url, "username": "u", "password": "p-not-a-secret", "sign_in": "token"}
        async with joined(PLUGIN, "itn", clock, tmp_path, **table) as itn:
            with pytest.raises(BadReply, match="but sent no token"):
                await itn.outcome("version itn:")
        assert [one.path for one in server.seen] == ["/login"]


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"username": "u"},
        {"client_id": "c"},
        {"username": "u", "password": "p", "client_id": "c", "client_secret": "s"},
        {"client_id": "c", "client_secret": "s", "sign_in": "token"},
    ],
)
def test_settings_take_exactly_one_account(table: dict[str, str]) -> None:
    """None, half of one, or two are refused with what to write."""
    with pytest.raises(ValueError, match=r"write either client_id|leave it out"):
        PLUGIN.settings.model_validate(
            {"name": "itn", "kind": "itential", "base_url": "https://itn.example.com", **table}
        )


def test_settings_show_no_secret() -> None:
    """Neither the secret nor what is derived from it is in a repr."""
    secret = "c-not-a-secret"
    table = {"base_url": "https://itn.example.com", "client_id": "c", "client_secret": secret}
    shown = repr(PLUGIN.settings.model_validate({"name": "itn", "kind": "itential", **table}))
    assert secret not in shown
    assert base64.b64encode(secret.encode()).decode() not in shown
