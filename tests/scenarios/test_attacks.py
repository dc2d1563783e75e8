"""Attacks and outages while ordinary people go on working: what a peer can hold is bounded, and commands are run and shown."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.slack.http_guard import MOST_CONNECTIONS
from tests.slack.support import FORM, address, http_world, post, signed
from tests.slack.test_http_strangers import held
from tests.world import OPEN_POLICY, World, shown, world

TWO_ROOMS = OPEN_POLICY.replace(
    "[administrators]",
    """\
[[channel]]
id = "C0INC"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["leads"]
[administrators]""",
)
NUMBERS = iter(range(1_000_000))


def starts(env: World) -> int:
    """The starts that reached the control plane."""
    return len([one for one in env.acc.requests if one.raw_path.endswith("/cluster/start")])


async def ordinary(env: World, *, user: str = "U0ANA", channel: str = "C0CRAWL") -> None:
    """A command is acked in time, executed, and its card is shown."""
    before, reason = starts(env), f"daily check {next(NUMBERS)}"
    await env.say(f"start acc:shop/prices -- {reason}", user=user, channel=channel)
    await env.sees(reason, user=user, channel=channel)
    await env.until(lambda: starts(env) == before + 1)


async def test_strangers_hold_little_of_the_public_port_and_commands_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Silent, half-header, half-body and dripping connections, more than the bot admits, and renewed; none outlasts its time."""
    caplog.set_level(logging.INFO)
    async with http_world(tmp_path) as env, aiohttp.ClientSession() as http:
        url = address(env.bot)
        lines = len(caplog.records)
        async with held(url, MOST_CONNECTIONS + 88) as readers, held(url, 40):
            assert env.bot.connections.http_connections <= MOST_CONNECTIONS
            await ordinary(env)
            for path, status in (("/slack/events", 401), ("/metrics", 404)):
                sent = post(http, url + path, b"EVIL", {"X-Evil": "EVIL"}) if status == 401 else http.get(url + path)
                assert (await sent).status == status
            for reader in readers:
                async with asyncio.timeout(60):
                    await _closed(reader)
        await ordinary(env)
        said = [one for one in caplog.records[lines:] if one.name == "signalbox.http"]
        assert len(said) <= 3
        assert "EVIL" not in caplog.text


async def _closed(reader: asyncio.StreamReader) -> None:
    """Until the bot closes the connection."""
    try:
        while await reader.read(1_000):
            pass
    except ConnectionError:
        return


async def test_one_busy_channel_keeps_no_other_waiting(tmp_path: Path) -> None:
    """More cards than the sender takes at once wait for a channel that Slack limits; elsewhere and in private all is shown."""
    async with world(tmp_path, policy=TWO_ROOMS, speed=60.0) as env:
        await ordinary(env, user="U0LEE", channel="C0INC")
        env.ws.faults.rate_limit("chat.postMessage", times=None, retry_after=300, channel="C0CRAWL")
        for _ in range(11):
            said = (env.say(f"start acc:shop/prices -- bulk {next(NUMBERS)}") for _ in range(10))
            await asyncio.gather(*said)
        await env.until(lambda: starts(env) == 111)
        calls = len(env.ws.calls)
        await ordinary(env, user="U0LEE", channel="C0INC")
        await env.does("whoami", "Who you are here")
        posts = [one for one in env.ws.calls[calls:] if one.args.get("channel") == "C0CRAWL"]
        assert len(posts) <= 1
        assert not [one for one in env.ana.messages("C0CRAWL") if "bulk" in shown(one)]


async def test_an_outage_of_slack_delays_cards_and_nothing_else(tmp_path: Path) -> None:
    """Everything that is asked meanwhile is executed, and shown in order afterwards."""
    async with world(tmp_path, speed=60.0) as env:
        await ordinary(env)
        env.ws.faults.fail("*", status=503)
        for number in range(10):
            await env.say(f"start acc:shop/prices -- outage {number}")
            await env.until(lambda: env.events("start").count("done") == number + 2)  # noqa: B023  each is asked after the one before
        assert starts(env) == 11
        assert not [one for one in env.ana.messages("C0CRAWL") if "outage" in shown(one)]
        env.ws.faults.clear()
        told = await env.until(lambda: _told(env) if len(_told(env)) == 10 else None, timeout=90)
        assert told == list(range(10))
        await ordinary(env)


def _told(env: World) -> list[int]:
    """The numbers of the starts whose cards are in the channel, in the order of the messages."""
    words = [shown(one).partition("outage ")[2][:1] for one in env.ana.messages("C0CRAWL")]
    return [int(word) for word in words if word]


def nonsense() -> Iterator[tuple[str, bytes]]:
    """Signed bodies that no Slack would send."""
    for body in ({"event": None}, {"event": "x"}, {"event": {"type": 5}}, {"team_id": []}, []):
        made = {"type": "event_callback", **body} if isinstance(body, dict) else body
        yield "application/json", json.dumps(made).encode()
    for actions in ("x", [], [None], [{"action_id": 1}], None):
        payload = {"type": "block_actions", "actions": actions, "user": {"id": 7}}
        yield FORM, urlencode({"payload": json.dumps(payload)}).encode()
    yield FORM, b"payload=[[[["
    yield FORM, b"\xff\xfe=%00"


async def test_signed_nonsense_is_refused_and_commands_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """None is an error of the server, leaves an entry or fills the log."""
    async with http_world(tmp_path) as env, aiohttp.ClientSession() as http:
        await ordinary(env)
        entries = len(env.audit())
        for content_type, body in nonsense():
            headers = signed(body, content_type=content_type, secret=env.ws.signing_secret)
            status = (await post(http, address(env.bot) + "/slack/events", body, headers)).status
            assert status < 500, body
        await env.quiet()
        assert len([one for one in env.audit()[entries:] if one.event == "requested"]) == 0
        assert "Traceback" not in caplog.text
        await ordinary(env)
