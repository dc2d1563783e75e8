"""Proxies and TLS, against a real forward proxy and a real TLS server with its own authority."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web
from pydantic import SecretStr

from bot.core.errors import NotSent
from bot.core.network import Proxies
from bot.core.ports.plugin import ClientCertificate
from bot.http_client.transport import Tls, open_session
from tests.http_client.proxy import forward_proxy
from tests.http_client.support import client_of

HOST = "acc.corp.example"
LEADS = "acc.corp.example", "127.0.0.1"
USER = "bot:proxy-password-not-a-secret"


class Place:
    """A TLS server for `acc.corp.example`; `pem` is its authority, `certificate` one that the authority gave to the bot."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.pem = str(folder / "authority.pem")
        self.authority.cert_pem.write_to_path(self.pem)
        issued = self.authority.issue_cert("bot@corp.example")
        issued.cert_chain_pems[0].write_to_path(str(folder / "bot.pem"))
        self.certificate = ClientCertificate(
            str(folder / "bot.pem"), SecretStr(issued.private_key_pem.bytes().decode("ascii"))
        )
        self.port = 0
        self.shown: list[object] = []

    @asynccontextmanager
    async def serving(self, *, asks: bool = False) -> AsyncIterator[Place]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(*LEADS).configure_cert(context)
        if asks:
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED

        async def answer(request: web.BaseRequest) -> web.Response:
            assert request.transport is not None
            self.shown.append(request.transport.get_extra_info("peercert"))
            return web.json_response({"well": True})

        runner = web.ServerRunner(web.Server(answer))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_call_goes_through_the_proxy_with_its_password(place: Place) -> None:
    async with place.serving(), forward_proxy({HOST: ("127.0.0.1", place.port)}, user=USER) as proxy:
        proxies = Proxies(SecretStr(proxy.secret_url))
        async with client_of(f"https://{HOST}", tls=Tls((place.pem,)), proxies=proxies) as client:
            assert (await client.call("POST", "/x")).value() == {"well": True}
            assert (await client.call("GET", "/x", idempotent=True)).value() == {"well": True}
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}


@pytest.mark.parametrize("user", [None, "bot:wrong-not-a-secret"])
async def test_what_the_proxy_refuses_was_not_sent_and_its_password_is_not_shown(
    place: Place, user: str | None
) -> None:
    async with forward_proxy(user=USER) as proxy:
        url = proxy.url if user is None else proxy.url.replace("//", f"//{user}@")
        async with client_of(f"https://{HOST}", proxies=Proxies(SecretStr(url))) as client:
            with pytest.raises(NotSent, match="the proxy refused the connection with status 407") as caught:
                await client.call("POST", "/x")
        assert "not-a-secret" not in repr(caught.value)


async def test_a_proxy_that_refuses_plain_http_is_named() -> None:
    """Its 407 looks like an answer of the server, which was never asked."""
    async with (
        forward_proxy({"itential": ("127.0.0.1", 1)}, user=USER) as proxy,
        client_of("http://itential:3000", proxies=Proxies(SecretStr(proxy.url))) as client,
    ):
        with pytest.raises(NotSent, match="the proxy refused the connection with status 407"):
            await client.call("POST", "/x")


async def test_a_proxy_that_is_down_is_named_and_nothing_was_sent() -> None:
    async with client_of(f"https://{HOST}", proxies=Proxies(SecretStr("http://127.0.0.1:9"))) as client:
        with pytest.raises(NotSent, match="the proxy can't be reached"):
            await client.call("POST", "/x")


async def test_plain_http_goes_through_a_proxy_too() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.json_response({"path": request.path})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with forward_proxy({"itential": ("127.0.0.1", runner.addresses[0][1])}) as proxy:
        environ = {"http_proxy": proxy.url, "no_proxy": "other"}
        async with client_of("http://itential:3000", proxies=Proxies(SecretStr("env"), environ=environ)) as client:
            assert (await client.call("GET", "/jobs", idempotent=True)).value() == {"path": "/jobs"}
    await runner.cleanup()
    assert proxy.asked == ["GET http://itential:3000/jobs"]


async def test_loopback_and_no_proxy_are_reached_directly(place: Place) -> None:
    async with place.serving(), forward_proxy() as proxy:
        proxies = Proxies(SecretStr("env"), environ={"HTTPS_PROXY": proxy.url})
        async with client_of(f"https://127.0.0.1:{place.port}", tls=Tls((place.pem,)), proxies=proxies) as client:
            assert (await client.call("GET", "/x")).status == 200
    assert proxy.asked == []


async def test_a_private_authority_counts_in_addition_and_an_unknown_one_is_refused(place: Place) -> None:
    async with place.serving():
        url = f"https://127.0.0.1:{place.port}"
        async with client_of(url) as client:
            with pytest.raises(NotSent, match="its certificate isn't accepted"):
                await client.call("POST", "/x")
        async with client_of(url, tls=Tls((place.pem,))) as client:
            assert (await client.call("POST", "/x")).status == 200


async def test_the_systems_store_counts_and_a_private_authority_in_addition_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL's way to name the system's store is the variable SSL_CERT_FILE."""
    (tmp_path / "system").mkdir()
    (tmp_path / "own").mkdir()
    system, own = Place(tmp_path / "system"), Place(tmp_path / "own")
    monkeypatch.setenv("SSL_CERT_FILE", system.pem)
    async with system.serving(), own.serving():
        for place, tls, taken in ((system, Tls(), True), (own, Tls(), False), (own, Tls((own.pem,)), True)):
            async with client_of(f"https://127.0.0.1:{place.port}", tls=tls) as client:
                if taken:
                    assert (await client.call("POST", "/x")).status == 200
                else:
                    with pytest.raises(NotSent, match="its certificate isn't accepted"):
                        await client.call("POST", "/x")
        async with client_of(f"https://127.0.0.1:{system.port}", tls=Tls((own.pem,))) as client:
            assert (await client.call("POST", "/x")).status == 200


async def test_a_server_that_asks_who_calls_gets_the_certificate(place: Place) -> None:
    async with place.serving(asks=True):
        url = f"https://127.0.0.1:{place.port}"
        async with client_of(url, tls=Tls((place.pem,), place.certificate)) as client:
            assert (await client.call("POST", "/x")).status == 200
        assert place.shown[0]
        async with client_of(url, tls=Tls((place.pem,))) as client:
            with pytest.raises(Exception, match=r"TLS|closed|reset"):
                await client.call("POST", "/x")
        assert len(place.shown) == 1


async def test_a_session_for_slack_follows_the_rule_websockets_included(place: Place) -> None:
    """The proxy that a caller names, as Slack's SDK does from the environment, doesn't count."""
    async with place.serving(), forward_proxy({HOST: ("127.0.0.1", place.port)}) as proxy:
        async with open_session(Proxies(SecretStr(proxy.url)), place.pem) as session:
            async with session.get(f"https://{HOST}/x") as reply:
                assert reply.status == 200
            with pytest.raises(Exception, match="Invalid response status"):
                await session.ws_connect(f"wss://{HOST}/link")
        assert set(proxy.asked) == {f"CONNECT {HOST}:443"}
        asked = len(proxy.asked)
        async with (
            open_session(Proxies(), place.pem) as session,
            session.get(f"https://127.0.0.1:{place.port}/x", proxy=proxy.url) as reply,
        ):
            assert reply.status == 200
        assert len(proxy.asked) == asked
