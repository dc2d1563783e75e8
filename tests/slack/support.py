"""A bot in HTTP mode, requests that Slack would sign, and a clock that a test moves."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.app import Bot
from bot.core.card import Choice, Choices
from bot.core.command.catalog import Catalog
from bot.core.intent import Actor, FormChange, Intent, Place, Receipt
from bot.demo.run import write_config
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, Seed, Workspace
from bot.runtime.clock import SystemClock
from bot.slack.app import SlackApp
from bot.slack.http import HttpServer
from bot.slack.http_guard import DEFAULTS, Limits
from bot.slack.installation import Installation
from bot.slack.payload import Stamp
from tests.world import OPEN_POLICY, World

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SECRET = "unit-signing-not-a-secret"
FORM = "application/x-www-form-urlencoded"


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self._start = now
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        self._elapsed += seconds
        await asyncio.sleep(0)


class CountedIds:
    """Ids that count."""

    def __init__(self) -> None:
        self._count = 0

    def _next(self) -> int:
        self._count += 1
        return self._count

    def request(self) -> str:
        return f"r-{self._next():014}"

    def secret(self) -> str:
        return f"s{self._next():025}"

    def guid(self) -> str:
        return f"00000000-0000-4000-8000-{self._next():012}"


@dataclass
class Inside:
    """A front that keeps every intent; `answer` says what the person is told, `breaks` is raised instead."""

    intents: list[Intent] = field(default_factory=list)
    answer: Receipt = field(default_factory=Receipt)
    breaks: BaseException | None = None
    targets: tuple[str, ...] = ()
    changes: list[FormChange] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    catalog: Catalog = field(default_factory=lambda: Catalog({}))

    async def submit(self, intent: Intent) -> Receipt:
        if self.breaks is not None:
            raise self.breaks
        self.intents.append(intent)
        return self.answer

    async def suggest(self, actor: Actor, place: Place, typed: str, *, menu: str, token: str) -> Sequence[Choices]:
        return [Choices(choices=tuple(Choice(value=name) for name in self.targets if typed in name))]

    async def changed(self, change: FormChange) -> None:
        self.changes.append(change)


def signed(
    body: bytes, *, secret: str = SECRET, at: float | None = None, content_type: str = FORM, **more: str
) -> dict[str, str]:
    """The headers that Slack would send with this body; `at` is epoch seconds."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        **more,
    }


def command_form(text: str = "help", **changes: str) -> dict[str, str]:
    """The fields of a slash command."""
    return {
        "team_id": "T0ACME",
        "channel_id": "C0CRAWL",
        "user_id": "U0ANA",
        "command": "/ops",
        "text": text,
        "response_url": "http://127.0.0.1:1/nowhere",
        "trigger_id": "1.2.3",
        **changes,
    }


def command_body(text: str = "help", **changes: str) -> bytes:
    """A slash command as bytes."""
    return urlencode(command_form(text, **changes)).encode()


@asynccontextmanager
async def http_world(
    folder: Path, *, policy: str = OPEN_POLICY, seed: Seed = DEMO_SEED, secrets: Sequence[str] | None = None
) -> AsyncIterator[World]:
    """The world of tests/world.py, with the bot in HTTP mode and the workspace delivering signed requests to it."""
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(seed, port=0))
        planes = demo_planes(ws.clock, only=("acc",))
        for plane in planes:
            plane.speed = 20.0  # type: ignore[attr-defined]
            await stack.enter_async_context(plane)
        environ = write_config(folder, ws, planes, policy)
        keys = list(secrets or (ws.signing_secret,))
        environ |= {f"SIGNING_{number}": key for number, key in enumerate(keys)}
        written = ", ".join(f'"env:SIGNING_{number}"' for number in range(len(keys)))
        path = folder / "signalbox.toml"
        text = path.read_text().replace('mode = "socket"', f'mode = "http"\nsigning_secret = [{written}]')
        path.write_text(text.replace('app_token = "env:SLACK_APP_TOKEN"\n', ""))
        bot = Bot(config.load(path, environ), environ)
        env = World(ws, {plane.name: plane for plane in planes}, folder, environ, bot)
        try:
            await bot.start()
            ws.deliver_http(address(bot) + "/slack/events")
            yield env
        finally:
            await env.bot.close()


def address(bot: Bot) -> str:
    """Where the bot listens."""
    host, port = bot.connections.address
    return f"http://{host}:{port}"


@dataclass(frozen=True)
class Answered:
    """An HTTP answer, read whole."""

    status: int
    body: str


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str] | None = None
) -> Answered:
    """POST and read the answer."""
    async with session.post(url, data=body, headers=headers) as reply:
        return Answered(reply.status, await reply.text())


@asynccontextmanager
async def served(
    inside: Inside, *secrets: str, answers: list[tuple[Intent, str]] | None = None, limits: Limits = DEFAULTS
) -> AsyncIterator[str]:
    """The server with the real listeners, and nothing but a notebook after them."""

    async def channel_event(body: Mapping[str, Any]) -> None:
        inside.channels.append(dict(body["event"]))

    slack_app = SlackApp(
        inside,
        Stamp(SystemClock(), CountedIds()),
        command="/ops",
        installation=Installation(bot_user_id="U0BOT", team_id="T0ACME"),
        channel_event=channel_event,
        tell=lambda intent, text: answers.append((intent, text)) if answers is not None else None,
    )
    server = HttpServer(("127.0.0.1", 0), SystemClock(), ready=lambda: True, limits=limits)
    client = AsyncWebClient("xoxb-playground-not-a-secret", base_url="http://127.0.0.1:9/api/")
    server.serve_slack(slack_app.build(client), [SecretStr(secret) for secret in secrets or (SECRET,)])
    host, port = await server.start()
    try:
        yield f"http://{host}:{port}/slack/events"
    finally:
        await server.close()
