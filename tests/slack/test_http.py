"""The HTTP server, by real requests: signed deliveries reach the bot, nothing else does, and nothing is answered with 5xx."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
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
    async with http_world(tmp_path) as env:
        receipt = await env.say("start acc:shop/prices -- by http")
        assert receipt.status == 200
        card = await env.until(lambda: next((m for m in env.ana.messages("C0CRAWL") if "Log" in labels(m)), None), 20)
        pressed = await env.ana.press_label("C0CRAWL", card["ts"], "Log")
        assert pressed.status == 200
        await env.until(lambda: env.ws.files)
        asked = await env.ana.post("C0CRAWL", "<@U0BOT> status acc:shop/prices")
        assert asked.status == 200
        await env.sees("status acc:shop/prices")
        assert env.events("start")[:3] == ["requested", "sent", "done"]


async def test_a_request_url_is_confirmed_and_an_event_sent_again_is_one_request(tmp_path: Path) -> None:
    async with http_world(tmp_path) as env:
        confirmed = await env.ws.verify_url()
        assert confirmed.status == 200
        assert "challenge" in json.dumps(confirmed.body)
        await env.ana.post("C0CRAWL", "<@U0BOT> whoami")
        await env.sees("U0ANA")
        again = await asyncio.gather(*(env.ws.redeliver() for _ in range(5)))
        assert all(receipt.status == 200 for receipt in again)
        assert env.events("whoami").count("requested") == 1


async def test_the_same_signed_bytes_a_hundred_times_are_one_request(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with http_world(tmp_path) as env:
        body = command_body("whoami")
        headers = signed(body, secret=env.ws.signing_secret)
        url = address(env.bot) + "/slack/events"
        answers = await asyncio.gather(*(post(http, url, body, headers) for _ in range(100)))
        assert {answer.status for answer in answers} == {200}
        await env.until(lambda: "done" in env.events("whoami"))
        assert env.events("whoami").count("requested") == 1


async def test_requests_signed_with_the_old_and_the_new_secret_are_taken_while_rotating(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with http_world(tmp_path, secrets=("new-not-a-secret", "playground-signing-not-a-secret")) as env:
        await env.say("whoami")
        body = command_body("whoami", trigger_id="9.9.9")
        url = address(env.bot) + "/slack/events"
        assert (await post(http, url, body, signed(body, secret="new-not-a-secret"))).status == 200
        await env.until(lambda: env.events("whoami").count("requested") == 2)
        assert (await post(http, url, body, signed(body, secret="neither"))).status == 401


async def get(url: str) -> tuple[int, str]:
    """The status and the body."""
    async with aiohttp.ClientSession() as session, session.get(url) as reply:
        return reply.status, await reply.text()


async def test_health_and_readiness_are_told_and_metrics_are_not_on_the_public_port(env: World) -> None:
    base = address(env.bot)
    assert await get(base + "/healthz") == (200, "ok\n")
    assert await get(base + "/readyz") == (200, "ready\n")
    assert (await get(base + "/metrics"))[0] == 404
    env.bot.connections.joined = False
    assert (await get(base + "/readyz"))[0] == 503
    assert (await get(base + "/slack/events"))[0] == 404
    env.bot.connections.joined = True


async def test_metrics_have_counters_and_a_histogram_of_acks_and_no_secret(tmp_path: Path) -> None:
    async with http_world(tmp_path) as env:
        await env.does("whoami", "U0ANA")
        host, port = env.bot.connections.metrics_address
        assert host == "127.0.0.1"
        status, text = await get(f"http://{host}:{port}/metrics")
        assert status == 200
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        values = dict(line.rsplit(" ", 1) for line in lines)
        assert float(values["signalbox_requests_accepted_total"]) == 1
        assert float(values['signalbox_ack_seconds_count{source="command"}']) == 1
        assert float(values['signalbox_ack_seconds_bucket{le="3.0",source="command"}']) == 1
        assert float(values["signalbox_http_connections"]) >= 1
        assert float(values["signalbox_leader"]) == 1
        assert all(name.startswith("signalbox_") for name in values)
        assert not [secret for secret in env.bot.built.secrets if secret in text]
        assert (await get(f"http://{host}:{port}/healthz"))[0] == 404


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
    (FORM, b'payload={"type":"view_submission","view":{"callback_id":"launcher","state":5}}'),
    (FORM, b'payload={"type":"view_submission","view":{"type":"modal","callback_id":"launcher","state":5}}'),
    (FORM, b'payload={"type":"view_submission","view":{"callback_id":"launcher"}}'),
    (FORM, b'payload={"type":"view_submission","view":{"type":"workflow_step","callback_id":"launcher"}}'),
    (FORM, b'payload={"type":"workflow_step_edit","callback_id":"launcher"}'),
    (
        "application/json",
        b'{"type":"event_callback","event":{"type":"workflow_step_execute","workflow_step":7},"authorizations":[]}',
    ),
    ("application/json", b'{"type":"event_callback","event":null}'),
    ("application/json", b'{"type":"event_callback"}'),
    (FORM, b"payload=%7B%22type%22:%22block_actions%22,%22actions%22:%22x%22%7D"),
    (FORM, b"payload=%7B%22type%22:%22block_actions%22,%22actions%22:[null]%7D"),
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


NONSENSE: list[Any] = [None, "x", 5, -1.5, True, [], {}, [None], ["x"], [[]], {"x": None}, "\ud83d", "\x00"]


def spoilt(node: Any) -> Iterator[Any]:
    """The payload with each of its values replaced by each sort of nonsense."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            kept = node[key]
            for other in (*NONSENSE, *spoilt(kept)):
                made = node.copy()
                made[key] = other
                yield made


PAYLOADS: list[tuple[str, dict[str, Any]]] = [
    (
        "events_api",
        {
            "type": "event_callback",
            "team_id": "T0ACME",
            "event_id": "Ev1",
            "event": {
                "type": "app_mention",
                "user": "U0ANA",
                "channel": "C0CRAWL",
                "text": "<@U0BOT> whoami",
                "ts": "1700000000.000100",
                "edited": {"user": "U0ANA", "ts": "1700000001.000100"},
                "files": [{"id": "F1"}],
                "blocks": [{"type": "rich_text", "elements": [{"type": "user", "user_id": "U0BOT"}]}],
            },
            "authorizations": [{"team_id": "T0ACME", "user_id": "U0BOT", "is_bot": True}],
        },
    ),
    (
        "events_api",
        {
            "type": "event_callback",
            "team_id": "T0ACME",
            "event": {
                "type": "function_executed",
                "function": {"app_id": "A1"},
                "inputs": {"command": "whoami", "channel": "C0CRAWL", "user": "U0ANA"},
                "function_execution_id": "Fx1",
                "event_ts": "1700000000.000100",
            },
        },
    ),
    (
        "interactive",
        {
            "type": "block_actions",
            "user": {"id": "U0ANA", "team_id": "T0ACME"},
            "team": {"id": "T0ACME"},
            "container": {"type": "message", "channel_id": "C0CRAWL", "message_ts": "1.1"},
            "channel": {"id": "C0CRAWL"},
            "message": {"ts": "1.1", "thread_ts": "1.0"},
            "actions": [{"type": "button", "action_id": "a", "block_id": "b", "value": "v", "action_ts": "1.2"}],
            "trigger_id": "1.2.3",
        },
    ),
    (
        "interactive",
        {
            "type": "view_submission",
            "user": {"id": "U0ANA", "team_id": "T0ACME"},
            "team": {"id": "T0ACME"},
            "view": {
                "id": "V1",
                "hash": "h",
                "type": "modal",
                "callback_id": "launcher",
                "private_metadata": "t",
                "blocks": [{"type": "input", "block_id": "verb"}],
                "state": {"values": {"verb": {"value": {"type": "plain_text_input", "value": "x"}}}},
            },
        },
    ),
    (
        "interactive",
        {
            "type": "message_action",
            "callback_id": "work_on_message",
            "user": {"id": "U0ANA"},
            "team": {"id": "T0ACME"},
            "channel": {"id": "C0CRAWL"},
            "message": {"ts": "1.1", "text": "x", "user": "U0LEE", "files": [{"id": "F1"}]},
            "action_ts": "1.2",
        },
    ),
]


@pytest.mark.parametrize(("kind", "payload"), PAYLOADS, ids=[str(made["type"]) for _, made in PAYLOADS])
async def test_signed_nonsense_in_any_field_is_never_an_error_of_the_server(
    http: aiohttp.ClientSession, kind: str, payload: dict[str, Any]
) -> None:
    """Each value of a real payload is replaced, one at a time; the genuine one is taken afterwards."""
    inside = Inside()
    async with served(inside) as url:

        async def answered(made: Any) -> int:
            raw = json.dumps(made)
            body = raw.encode() if kind == "events_api" else urlencode({"payload": raw}).encode()
            content_type = "application/json" if kind == "events_api" else FORM
            return (await post(http, url, body, signed(body, content_type=content_type))).status

        broken = [made for made in spoilt(payload) if await answered(made) >= 500]
        assert broken == []
        inside.intents.clear()
        assert await answered(payload) == 200
        assert len(inside.intents) == 1


async def test_a_body_above_the_cap_is_refused_before_it_is_read_whole(http: aiohttp.ClientSession) -> None:
    inside = Inside()
    async with served(inside) as url:
        body = b"x" * 1_040_000
        assert (await post(http, url, body, signed(body))).status == 413
        assert (await post(http, url, command_body(), signed(command_body()))).status == 200
    assert len(inside.intents) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (
            "application/json",
            b'{"type":"app_rate_limited","team_id":"T0ACME","minute_rate_limited":1518467820,"api_app_id":"A1"}',
        ),
        (FORM, b"ssl_check=1&token=x"),
    ],
)
async def test_messages_about_the_delivery_itself_are_acknowledged(
    http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, content_type: str, body: bytes
) -> None:
    """Slack counts anything else as a failed delivery. The log says that events were dropped."""
    inside = Inside()
    async with served(inside) as url:
        assert (await post(http, url, body, signed(body, content_type=content_type))).status == 200
    assert not inside.intents
    assert ("Slack dropped events" in caplog.text) is (content_type == "application/json")


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
