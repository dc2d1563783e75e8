"""Signed HTTP delivery, judged by Slack's own vector, the official verifier and a Bolt server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.workspace import Workspace
from bot.playground.workspace.delivery import signature
from tests.waiting import until

Serve = Callable[[Any], Any]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves one aiohttp application or handler on a free loopback port and returns its URL."""
    runners: list[web.AppRunner] = []

    async def start(handler: Any) -> str:
        server = web.Application()
        server.router.add_post("/slack/events", handler)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}/slack/events"

    yield start
    for runner in runners:
        await runner.cleanup()


def test_the_documented_signing_vector_is_met() -> None:
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.encode()) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


async def test_the_official_verifier_accepts_every_kind(ws: Workspace, serve: Serve) -> None:
    verifier = SignatureVerifier(ws.signing_secret)
    kinds: list[tuple[bool, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.text()
        valid = verifier.is_valid_request(body, dict(request.headers))
        kinds.append((valid, request.content_type, next(iter(parse_qs(body)), "")[:7]))
        return web.Response()

    ws.deliver_http(await serve(take))
    ana = ws.person("U0ANA")
    assert (await ana.command("C0CRAWL", "/ops status")).status == 200
    await ana.shortcut("launcher")
    await ana.post("C0CRAWL", "<@U0BOT> hi")
    form = "application/x-www-form-urlencoded"
    assert [k[:2] for k in kinds] == [(True, form), (True, form), (True, "application/json")]
    assert (kinds[0][2], kinds[1][2]) == ("token", "payload")


async def test_a_bolt_server_is_worked_over_http(ws: Workspace, client: AsyncWebClient, serve: Serve) -> None:
    app = AsyncApp(client=client, signing_secret=ws.signing_secret, process_before_response=True)
    heard: list[str] = []

    async def command(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"got {command['text']}")

    async def mention(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    app.command("/ops")(command)
    app.event("app_mention")(mention)
    server = app.server(port=0, path="/slack/events")
    ws.deliver_http(await serve(server.handle_post_requests))
    ana = ws.person("U0ANA")
    assert (await ws.verify_url()).body["challenge"].startswith("challenge")
    receipt = await ana.command("C0CRAWL", "/ops a & b")
    assert (receipt.acked, receipt.status) == (True, 200)
    assert ana.messages("C0CRAWL")[0]["text"] == "got a &amp; b"
    assert (await ana.post("C0CRAWL", "<@U0BOT> hi")).acked
    assert heard == ["<@U0BOT> hi"]


async def test_a_wrong_secret_is_refused_by_bolt(ws: Workspace, client: AsyncWebClient, serve: Serve) -> None:
    app = AsyncApp(client=client, signing_secret="another-not-a-secret")
    ws.deliver_http(await serve(app.server(port=0, path="/slack/events").handle_post_requests))
    receipt = await ws.person("U0ANA").command("C0CRAWL", "/ops status")
    assert (receipt.acked, receipt.status, receipt.error) == (False, 401, "dispatch_failed")


async def test_failed_events_are_retried_with_their_reason(ws: Workspace, serve: Serve) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def fail(request: web.Request) -> web.Response:
        seen.append((request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=500)

    ws.deliver_http(await serve(fail))
    await ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> hi")
    for pause in (60, 300):
        await until(lambda pause=pause: ws.clock.waits(pause))
        ws.clock.advance(pause)
    await until(lambda: len(seen) == 4)
    assert seen == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]


async def test_x_slack_no_retry_stops_the_retries(ws: Workspace, serve: Serve) -> None:
    seen: list[str] = []

    async def fail(_request: web.Request) -> web.Response:
        seen.append("x")
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    ws.deliver_http(await serve(fail))
    await ws.person("U0ANA").post("C0CRAWL", "<@U0BOT> hi")
    ws.clock.advance(400)
    await asyncio.sleep(0.02)
    assert seen == ["x"]


async def test_a_slow_server_is_a_timeout_and_a_closed_port_a_failed_connection(ws: Workspace, serve: Serve) -> None:
    started = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        started.set()
        await asyncio.sleep(60)
        return web.Response()

    ws.deliver_http(await serve(slow))
    act = asyncio.create_task(ws.person("U0ANA").command("C0CRAWL", "/ops slow"))
    await started.wait()
    ws.clock.advance(3)
    assert (await act).error == "operation_timeout"
    ws.deliver_http("http://127.0.0.1:9/slack/events")
    assert (await ws.person("U0ANA").command("C0CRAWL", "/ops x")).error == "dispatch_failed"
    ws.deliver_http(None)
