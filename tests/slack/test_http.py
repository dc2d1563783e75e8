"""The HTTP server, by real requests: signed deliveries reach the bot, nothing else does, and nothing is answered with 5xx."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.slack.support import (
    FORM,
    Inside,
    address,
    command_body,
    http_world,
    post,
    served,
    signed,
)
from tests.world import World, labels


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_main_job_runs_in_http_mode_end_to_end(tmp_path: Path) -> None:
    """Signed deliveries in, a card in Slack, its button pressed, a mention answered, the audit log written."""
    async with http_world(tmp_path) as here:
        receipt = await here.say("start acc:shop/prices -- by http")
        assert receipt.status == 200
        card = await here.until(lambda: next((m for m in here.ana.messages("C0CRAWL") if "Log" in labels(m)), None), 20)
        pressed = await here.ana.press_label("C0CRAWL", card["ts"], "Log")
        assert pressed.status == 200
        await here.until(lambda: here.ws.files)
        asked = await here.ana.post("C0CRAWL", "<@U0BOT> status acc:shop/prices")
        assert asked.status == 200
        await here.sees("status acc:shop/prices")
        assert here.events("start")[:3] == ["requested", "sent", "done"]


async def test_a_request_url_is_confirmed_and_an_event_sent_again_is_one_request(tmp_path: Path) -> None:
    async with http_world(tmp_path) as here:
        confirmed = await here.ws.verify_url()
        assert confirmed.status == 200
        assert "challenge" in json.dumps(confirmed.body)
        await here.ana.post("C0CRAWL", "<@U0BOT> whoami")
        await here.sees("U0ANA")
        again = await asyncio.gather(*(here.ws.redeliver() for _ in range(5)))
        assert all(receipt.status == 200 for receipt in again)
        assert here.events("whoami").count("requested") == 1


async def test_the_same_signed_bytes_a_hundred_times_are_one_request(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with http_world(tmp_path) as here:
        body = command_body("whoami")
        headers = signed(body, secret=here.ws.signing_secret)
        url = address(here.bot) + "/slack/events"
        answers = await asyncio.gather(*(post(http, url, body, headers) for _ in range(100)))
        assert {answer.status for answer in answers} == {200}
        await here.until(lambda: "done" in here.events("whoami"))
        assert here.events("whoami").count("requested") == 1


async def test_requests_signed_with_the_old_and_the_new_secret_are_taken_while_rotating(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with http_world(tmp_path, secrets=("new-not-a-secret", "playground-signing-not-a-secret")) as here:
        await here.say("whoami")
        body = command_body("whoami", trigger_id="9.9.9")
        url = address(here.bot) + "/slack/events"
        assert (await post(http, url, body, signed(body, secret="new-not-a-secret"))).status == 200
        await here.until(lambda: here.events("whoami").count("requested") == 2)
        assert (await post(http, url, body, signed(body, secret="neither"))).status == 401


async def test_health_readiness_and_metrics_are_told_without_a_secret_in_them(here: World) -> None:
    base = address(here.bot)
    await here.does("whoami", "U0ANA")
    async with aiohttp.ClientSession() as session:

        async def get(path: str) -> tuple[int, str]:
            async with session.get(base + path) as reply:
                return reply.status, await reply.text()

        assert await get("/healthz") == (200, "ok\n")
        assert await get("/readyz") == (200, "ready\n")
        status, text = await get("/metrics")
        assert status == 200
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines())
        assert float(lines["signalbox_requests_accepted_total"]) == 1
        assert all(name.startswith("signalbox_") for name in lines)
        here.bot.joined = False
        assert (await get("/readyz"))[0] == 503
        assert (await get("/slack/events"))[0] == 404
        here.bot.joined = True


SIGNED_BUT_BROKEN = [
    (FORM, b"payload=abc"),
    (FORM, b"payload="),
    (FORM, b"payload=[]"),
    (FORM, b"payload=null"),
    (FORM, b"payload=5"),
    (FORM, b"payload=%22text%22"),
    (FORM, b"payload=" + b"[" * 100_000),
    (FORM, b"payload=" + b"%7B%22a%22:" * 5_000),
    (FORM, b"payload=%7B%22n%22:" + b"9" * 5_000 + b"%7D"),
    (FORM, b"payload=%7B%7D"),
    (FORM, b"{not json"),
    (FORM, b"payload&x=1"),
    (FORM, b""),
    (FORM + "; charset=no-such", b"text=x"),
    (FORM + "; charset=utf-16", b"text=x"),
    ("application/json", b"[1]"),
    ("application/json", b"null"),
    ("application/json", b"NaN"),
    ("application/json", b"{"),
    ("application/json", b"\xff"),
    ("application/json", b"[" * 100_000),
    ("application/json", b"{}"),
    ("application/json", b'{"type":"event_callback","event":5}'),
    ("application/json", b'{"type":"event_callback","event":{"type":5},"authorizations":[]}'),
    ("text/plain", b"hello"),
    ("", b"hello"),
    (FORM, b"payload=%7B%22type%22:%22block_actions%22,%22actions%22:5,%22user%22:7,%22team%22:[]%7D"),
    (FORM, b"payload=%7B%22type%22:%22view_submission%22,%22view%22:3%7D"),
]


@pytest.mark.parametrize(("content_type", "body"), SIGNED_BUT_BROKEN, ids=range(len(SIGNED_BUT_BROKEN)))
async def test_a_signed_body_that_is_malformed_is_refused_and_never_breaks_the_server(
    http: aiohttp.ClientSession, content_type: str, body: bytes
) -> None:
    inside = Inside()
    async with served(inside) as url:
        answer = await post(http, url, body, signed(body, content_type=content_type))
    assert 400 <= answer.status < 500, answer
    assert inside.intents == []


async def test_a_body_above_the_cap_is_refused_before_it_is_read_whole(http: aiohttp.ClientSession) -> None:
    inside = Inside()
    async with served(inside) as url:
        body = b"x" * 1_040_000
        assert (await post(http, url, body, signed(body))).status == 413
        assert (await post(http, url, command_body(), signed(command_body()))).status == 200
    assert len(inside.intents) == 1


def _mutated(random_: random.Random) -> tuple[bytes, dict[str, str]]:
    """A request that is unsigned, badly signed, stale, or malformed, made from a seed."""
    payload = random_.choice(
        [
            b"payload=abc",
            b"payload=[]",
            b"ssl_check=1",
            b"[" * random_.randrange(1, 2_000),
            urlencode(
                {"payload": json.dumps({"type": random_.choice(["block_actions", "view_submission", "x", None])})}
            ).encode(),
            json.dumps({"type": "event_callback", "event": {"type": "app_mention", "text": "start"}}).encode(),
            json.dumps({"type": "url_verification", "challenge": "c"}).encode(),
            command_body(random_.choice(["start acc:shop/prices", "", "\x00", "é" * 50])),
            random_.randbytes(random_.randrange(0, 300)),
        ]
    )
    content_type = random_.choice([FORM, "application/json", "text/plain", "multipart/form-data", "x" * 40])
    headers = signed(payload, content_type=content_type)
    spoil = random_.randrange(6)
    if spoil == 0:
        del headers["X-Slack-Signature"]
    elif spoil == 1:
        del headers["X-Slack-Request-Timestamp"]
    elif spoil == 2:
        headers = signed(payload, secret="another", content_type=content_type)
    elif spoil == 3:
        headers["X-Slack-Request-Timestamp"] = random_.choice(["abc", "", "9" * 400, "-5", "0", "1e3"])
    elif spoil == 4:
        payload += b"&x=1"
    else:
        headers = signed(payload, at=1_500_000_000 + random_.randrange(1000), content_type=content_type)
    if random_.random() < 0.2:
        headers |= {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    return payload, headers


async def test_thousands_of_unsigned_requests_are_refused_and_nothing_runs(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Only 4xx, no listener, no intent; the server works on afterwards."""
    caplog.set_level(logging.CRITICAL)
    random_ = random.Random(20261122)
    inside = Inside()
    async with served(inside) as url:
        for _ in range(30):
            made = [_mutated(random_) for _ in range(100)]
            answers = await asyncio.gather(*(post(http, url, body, headers) for body, headers in made))
            assert {answer.status for answer in answers} <= {400, 401, 413}
            assert all(answer.body == "" for answer in answers)
        assert inside.intents == []
        good = command_body("help")
        assert (await post(http, url, good, signed(good))).status == 200
        assert len(inside.intents) == 1


async def test_no_part_of_a_refused_request_is_in_any_log(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary-4711-in-the-body"
    bodies = [command_body(canary), b'{"type":"' + canary.encode() + b'"', b"payload=" + canary.encode()]
    async with served(Inside()) as url:
        for body in bodies:
            for headers in ({}, signed(body, secret="wrong"), signed(body, at=5), signed(body + b"x")):
                await post(http, url, body, headers | {"X-Canary": canary})
        for body in bodies[1:]:
            await post(http, url, body, signed(body))
    ours = [record.getMessage() for record in caplog.records]
    assert ours
    assert not [line for line in ours if canary in line]


async def test_other_methods_and_paths_are_not_there(http: aiohttp.ClientSession) -> None:
    async with served(Inside()) as url:
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            async with http.request(method, url) as reply:
                assert reply.status == 405
        async with http.get(url.replace("/slack/events", "/slack/install")) as reply:
            assert reply.status == 404
