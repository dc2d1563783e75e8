"""Answers through a response_url go to named hosts only, and nowhere from there."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.slack.message_delivery import BadResponseUrl, Responder, allowed


@pytest.mark.parametrize(
    ("url", "hosts", "good"),
    [
        ("https://hooks.slack.com/commands/T/1/x", ("hooks.slack.com",), True),
        ("https://hooks.slack.com:443/commands/T/1/x", ("hooks.slack.com",), True),
        ("https://hooks.slack.com:8443/x", ("hooks.slack.com",), False),
        ("https://hooks.slack.com:8443/x", ("hooks.slack.com:8443",), True),
        ("https://hooks.slack-gov.com/x", ("hooks.slack.com",), False),
        ("https://hooks.slack-gov.com/x", ("hooks.slack.com", "hooks.slack-gov.com"), True),
        ("https://hooks.slack.com.evil.example/x", ("hooks.slack.com",), False),
        ("https://evil.example/hooks.slack.com", ("hooks.slack.com",), False),
        ("https://hooks.slack.com@evil.example/x", ("hooks.slack.com",), False),
        ("https://user:word@hooks.slack.com/x", ("hooks.slack.com",), False),
        ("https://HOOKS.SLACK.COM/x", ("hooks.slack.com",), True),
        ("http://hooks.slack.com/x", ("hooks.slack.com",), False),
        ("http://127.0.0.1:8765/x", ("127.0.0.1:8765",), True),
        ("http://127.0.0.1:8766/x", ("127.0.0.1:8765",), False),
        ("http://127.0.0.1/x", ("127.0.0.1:8765",), False),
        ("http://[::1]:8765/x", ("::1:8765",), True),
        ("http://169.254.169.254/latest", ("169.254.169.254",), False),
        ("https://hooks.slack.com:99999/x", ("hooks.slack.com",), False),
        ("ftp://hooks.slack.com/x", ("hooks.slack.com",), False),
        ("file:///etc/passwd", ("",), False),
        ("//hooks.slack.com/x", ("hooks.slack.com",), False),
        ("", ("",), False),
        ("https://hooks.slack.com/x", (), False),
    ],
)
def test_only_a_named_host_and_port_is_answered(url: str, hosts: tuple[str, ...], good: bool) -> None:
    assert allowed(url, hosts) is good


class Hooks:
    """A server with a good address, one that redirects, and a secret place."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(request.path)
        if request.path == "/moved":
            return web.Response(status=302, headers={"Location": "/inside"})
        return web.Response(status=404 if request.path == "/used" else 200)


@pytest.fixture
async def hooks() -> AsyncIterator[tuple[Hooks, str]]:
    server, app = Hooks(), web.Application()
    app.router.add_route("*", "/{path:.*}", server.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield server, "{}:{}".format(*runner.addresses[0][:2])
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def test_a_redirect_is_an_answer_and_is_not_followed(
    hooks: tuple[Hooks, str], session: aiohttp.ClientSession
) -> None:
    server, host = hooks
    responder = Responder(session, (host,))
    assert await responder.send(f"http://{host}/moved", {"text": "x"}) == 302
    assert await responder.send(f"http://{host}/used", {"text": "x"}) == 404
    assert await responder.send(f"http://{host}/good", {"text": "x"}) == 200
    assert server.got == ["/moved", "/used", "/good"]


async def test_nothing_is_sent_to_a_host_that_is_not_named(
    hooks: tuple[Hooks, str], session: aiohttp.ClientSession
) -> None:
    server, host = hooks
    with pytest.raises(BadResponseUrl):
        await Responder(session, ("hooks.slack.com",)).send(f"http://{host}/good", {"text": "x"})
    assert server.got == []
