"""A bot token that lives for 12 hours is exchanged in time, survives restarts, and is never shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.app import Bot
from bot.cli.check import check
from bot.demo.run import write_config
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.runtime.clock import SystemClock
from bot.slack.errors import read
from bot.slack.token_rotation import KEY, RotationKeys, TokenRotation
from bot.store.open import open_store
from bot.store.store import Store
from tests.slack.support import HandClock
from tests.world import OPEN_POLICY, World

FIRST = "xoxe-first-not-a-secret"
ROTATING = DEMO_SEED.with_app(refresh_token=FIRST)


@dataclass
class Rotating:
    """A workspace whose app rotates its tokens, and a client."""

    ws: Workspace
    clock: HandClock
    store: Store
    session: aiohttp.ClientSession

    def client(self) -> AsyncWebClient:
        return AsyncWebClient(base_url=self.ws.api_url, session=self.session)

    def rotation(self, client: AsyncWebClient, *, secret: str = "", first: str = FIRST) -> TokenRotation:
        app = self.ws.core.seed.app
        keys = RotationKeys(app.client_id, SecretStr(secret or app.client_secret), SecretStr(first))
        return TokenRotation(self.store, self.clock, keys, client)

    def later(self, hours: float) -> None:
        self.clock.advance(hours * 3600)
        self.ws.clock.advance(hours * 3600)

    def exchanges(self) -> int:
        return len([call for call in self.ws.calls if call.method == "oauth.v2.access" and call.ok])


@pytest.fixture
async def rotating(tmp_path: Path) -> AsyncIterator[Rotating]:
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(ROTATING))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        store = open_store(str(tmp_path / "s.db"))
        yield Rotating(ws, HandClock(), store, session)
        await store.close()


async def test_the_token_is_exchanged_at_the_start_and_long_before_its_end(rotating: Rotating) -> None:
    client = rotating.client()
    rotation = rotating.rotation(client)
    await rotation.begin()
    for hour in range(48):
        assert (await client.auth_test())["ok"], hour
        assert await rotation.keep_fresh() is None
        rotating.later(1)
    assert 5 <= rotating.exchanges() <= 8


async def test_a_restart_uses_the_stored_token(rotating: Rotating) -> None:
    await rotating.rotation(rotating.client()).begin()
    client = rotating.client()
    await rotating.rotation(client).begin()
    assert (await client.auth_test())["ok"]
    assert rotating.exchanges() == 1


async def test_a_long_stop_is_survived_with_the_stored_refresh_token(rotating: Rotating) -> None:
    client = rotating.client()
    await rotating.rotation(client).begin()
    await client.auth_test()
    rotating.later(72)
    client = rotating.client()
    await rotating.rotation(client).begin()
    assert (await client.auth_test())["ok"]


async def test_every_client_that_follows_gets_the_token(rotating: Rotating) -> None:
    first, second = rotating.client(), rotating.client()
    rotation = rotating.rotation(first)
    rotation.follow(second)
    await rotation.begin()
    assert first.token == second.token is not None


async def test_an_exchange_whose_answer_is_lost_is_made_again(rotating: Rotating) -> None:
    rotating.ws.faults.fail("oauth.v2.access", drop="after", times=2)
    client = rotating.client()
    client.retry_handlers = []
    rotation = rotating.rotation(client)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await rotation.begin()
    await rotation.begin()
    assert (await client.auth_test())["ok"]


async def test_what_slack_refuses_is_said_and_what_may_pass_is_tried_again(rotating: Rotating) -> None:
    client = rotating.client()
    rotation = rotating.rotation(client)
    await rotation.begin()
    rotating.later(9)
    rotating.ws.faults.fail("oauth.v2.access", status=503, times=1)
    assert await rotation.keep_fresh() is None
    rotating.ws.faults.fail("oauth.v2.access", error="invalid_refresh_token", times=1)
    trouble = await rotation.keep_fresh()
    assert trouble is not None
    assert trouble.code == "invalid_refresh_token"
    assert await rotation.keep_fresh() is None
    assert rotating.exchanges() == 2


async def test_a_new_installation_counts_from_its_own_refresh_token(rotating: Rotating) -> None:
    await rotating.rotation(rotating.client()).begin()
    rotating.ws.core.rotating.refresh = {"xoxe-second-not-a-secret"}
    client = rotating.client()
    await rotating.rotation(client, first="xoxe-second-not-a-secret").begin()
    assert rotating.exchanges() == 2


async def test_a_wrong_client_secret_is_told(rotating: Rotating) -> None:
    with pytest.raises(SlackApiError) as raised:
        await rotating.rotation(rotating.client(), secret="wrong").begin()
    assert read(raised.value).code == "bad_client_secret"


async def test_a_token_that_slack_calls_expired_is_exchanged_at_once(rotating: Rotating) -> None:
    client = rotating.client()
    rotation = rotating.rotation(client)
    await rotation.begin()
    before = client.token
    assert await rotation.keep_fresh(expired=True) is None
    assert client.token != before


def rotating_config(folder: Path, ws: Workspace) -> tuple[config.Settings, dict[str, str]]:
    """The configuration of a bot whose tokens rotate."""
    environ = write_config(folder, ws, (), OPEN_POLICY)
    environ |= {"CLIENT_SECRET": ws.core.seed.app.client_secret, "REFRESH_TOKEN": FIRST}
    path = folder / "signalbox.toml"
    keys = f'client_id = "{ws.core.seed.app.client_id}"\nclient_secret = "env:CLIENT_SECRET"\n'
    text = path.read_text().replace(
        'bot_token = "env:SLACK_BOT_TOKEN"\n', keys + 'refresh_token = "env:REFRESH_TOKEN"\n'
    )
    path.write_text(text)
    return config.load(path, environ), environ


@asynccontextmanager
async def rotating_bot(folder: Path) -> AsyncIterator[World]:
    """The whole program with rotating tokens."""
    async with Workspace(ROTATING, port=0) as ws:
        settings, environ = rotating_config(folder, ws)
        env = World(ws, {}, folder, environ, Bot(settings, environ))
        try:
            await env.bot.start()
            yield env
        finally:
            await env.bot.close()


async def test_the_program_goes_on_when_its_token_expires(tmp_path: Path) -> None:
    """Slack says `token_expired` in the middle of everything: exchanged, shown, nothing lost, nothing stopped."""
    async with rotating_bot(tmp_path) as env:
        await env.does("whoami", "U0ANA")
        env.ws.clock.advance(13 * 3600)
        await env.ana.post("C0CRAWL", "<@U0BOT> whoami")
        await env.until(lambda: env.ws.core.rotating.count == 2, timeout=30)
        await env.ana.wait_for(lambda person: len([m for m in person.messages("C0CRAWL") if m["ephemeral"]]) == 2)
        await env.does("help", "What you can do here")
        assert not env.bot.stopping.is_set()


async def test_a_start_whose_stored_token_has_ended_exchanges_it(tmp_path: Path) -> None:
    """Slack ends it before its time, or its clock is ahead: the bot and `check` go on with the next token."""
    async with rotating_bot(tmp_path) as env:
        await env.bot.close()
        env.ws.clock.advance(13 * 3600)
        await env.start()
        assert env.ws.core.rotating.count == 2
        await env.does("whoami", "U0ANA")
        await env.bot.close()
        env.ws.clock.advance(13 * 3600)
        lines: list[str] = []
        await check(env.folder / "signalbox.toml", env.environ, lines.append)
        assert any(line.startswith("ok    Slack: ") for line in lines), lines
        assert env.ws.core.rotating.count == 3
        await env.start()


async def test_tokens_are_in_the_store_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the audit log, not in a message, not in the log, not in a repr."""
    caplog.set_level(logging.DEBUG)
    async with rotating_bot(tmp_path) as env:
        await env.does("whoami", "U0ANA")
        kept = await env.bot.store.value(KEY)
        assert isinstance(kept, dict)
        secrets = [str(kept["access"]), str(kept["refresh"]), FIRST]
        rows = str(env.audit())
        messages = await env.bot.store.database.read(lambda db: str(db.execute("SELECT * FROM messages").fetchall()))
        shown = rows + messages + caplog.text + repr(env.bot.settings)
        assert [secret for secret in secrets if secret in shown] == []


async def test_check_uses_the_running_programs_token(tmp_path: Path) -> None:
    async with rotating_bot(tmp_path) as env:
        lines: list[str] = []
        await check(env.folder / "signalbox.toml", env.environ, lines.append)
        assert env.ws.core.rotating.count == 1
        assert "ok    scopes: everything that the manifest asks for" in lines or any("scopes" in line for line in lines)


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "refresh_token"])
def test_rotation_needs_all_of_its_keys(missing: str) -> None:
    given = {
        "team": "T0ACME",
        "app_token": "xapp-not-a-secret",
        "client_id": "1.2",
        "client_secret": "s",
        "refresh_token": "r",
    }
    del given[missing]
    with pytest.raises(ValueError, match="client_id, client_secret and refresh_token"):
        config.SlackSettings.model_validate(given)
    with pytest.raises(ValueError, match="bot_token is missing"):
        config.SlackSettings.model_validate({"team": "T0ACME", "app_token": "xapp-not-a-secret"})


async def test_replicas_that_start_at_once_exchange_the_token_once(rotating: Rotating) -> None:
    """A second exchange of the same refresh token could end the token that the first one got."""
    clients = [rotating.client() for _ in range(3)]
    rotations = [rotating.rotation(client) for client in clients]
    for rotation in rotations:
        rotation._clock = SystemClock()
    await asyncio.gather(*(rotation.begin() for rotation in rotations))
    assert rotating.exchanges() == 1
    assert len({client.token for client in clients}) == 1


async def test_an_exchange_that_slack_refuses_lets_the_next_replica_try_at_once(rotating: Rotating) -> None:
    rotating.ws.faults.fail("oauth.v2.access", error="internal_error", times=1)
    with pytest.raises(SlackApiError):
        await rotating.rotation(rotating.client()).begin()
    await rotating.rotation(rotating.client()).begin()
    assert rotating.exchanges() == 1
    assert rotating.clock.monotonic() == 0
