"""Token rotation: exchanges a bot token, which is valid for 12 hours, in time for the next one.

Sources: Slack's pages "Using token rotation" and oauth.v2.access. An exchange returns a new token and a new refresh token. The
old refresh token works until the new token is used, so an exchange whose answer is lost can be repeated. That is why the new
tokens are stored before they are used. They are only in the store, under one key that nothing else reads.
"""

import asyncio
import hashlib
import json
import logging
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.masking.redact import SecretList
from bot.core.ports.services import Clock
from bot.core.ports.store import Store
from bot.core.records import stamp
from bot.core.value import Json
from bot.slack.errors import TRANSPORT, SlackTrouble, read

KEY: Final = "slack:tokens"
TURN: Final = "slack:tokens:exchange"
RENEW_BEFORE: Final = timedelta(hours=4)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20)
_USABLE: Final = timedelta(minutes=5)
_TURN: Final = timedelta(seconds=30)  # longer than an exchange
_LOOK: Final = 0.2  # seconds between two looks whether another replica has the new token

_log = logging.getLogger("signalbox.slack")


class RotationKeys(NamedTuple):
    """What an exchange needs. `refresh_token` is the first one, from the installation; later ones are in the store."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


class _Tokens(NamedTuple):
    access: str
    refresh: str
    ends: datetime


class TokenRotation:
    """Keeps the token of its clients valid. Without `keys` the token never changes, and this does nothing."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keys: RotationKeys | None,
        *clients: AsyncWebClient,
        secrets: SecretList | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._clients = list(clients)
        self._secrets = secrets or SecretList()
        self._one_at_a_time = asyncio.Lock()

    def follow(self, *clients: AsyncWebClient) -> None:
        """Also update the token of these clients."""
        self._clients += clients

    async def begin(self, *, expired: str | None = None) -> None:
        """Give the clients a valid token, another one than `expired`. Raises errors of slack_sdk and the transport."""
        if self._keys is not None:
            await self._renew(self._keys, _USABLE, expired)

    async def keep_fresh(self, *, expired: bool = False) -> SlackTrouble | None:
        """Exchange a token that expires within four hours, or that Slack reported as expired.

        Returns the problem when Slack refuses. Temporary problems are only logged.
        """
        if self._keys is None:
            return None
        try:
            await self._renew(self._keys, RENEW_BEFORE, self._clients[0].token if expired else None)
        except (SlackApiError, *TRANSPORT) as error:
            trouble = read(error)
            _log.error("the bot token is not renewed: %s", trouble.code)
            return trouble if trouble.refused else None
        return None

    async def _renew(self, keys: RotationKeys, margin: timedelta, expired: str | None = None) -> None:
        origin = hashlib.sha256(keys.refresh_token.get_secret_value().encode()).hexdigest()
        async with self._one_at_a_time:
            while True:
                now = self._clock.now()
                kept = _kept(await self._store.value(KEY), origin)
                if kept is not None and kept.ends - now > margin and kept.access != expired:
                    break
                if await self._store.take_turn(TURN, now, now - _TURN):
                    if _kept(await self._store.value(KEY), origin) == kept:
                        kept = await self._exchanged(keys, origin, kept)
                        break
                    await self._store.set_value(TURN, None, "")  # another replica was faster
                await self._clock.sleep(_LOOK)  # another replica exchanges it
            self._secrets.add(kept.access, kept.refresh)
            for client in self._clients:
                client.token = kept.access

    async def _exchanged(self, keys: RotationKeys, origin: str, kept: _Tokens | None) -> _Tokens:
        """New tokens, stored. Two exchanges of one refresh token at once would end the token of one of them."""
        try:
            new = await self._exchange(keys, kept.refresh if kept else keys.refresh_token.get_secret_value())
            value: Json = {"access": new.access, "refresh": new.refresh, "ends": stamp(new.ends), "origin": origin}
            await self._store.set_value(KEY, value, self._clock.now())
        finally:
            await self._store.set_value(TURN, None, "")
        return new

    async def _exchange(self, keys: RotationKeys, refresh_token: str) -> _Tokens:
        # Not through slack_sdk, which logs what it sends and receives at DEBUG.
        client = self._clients[0]
        if client.session is None:
            raise SlackClientError("the client has no session")
        url = f"{client.base_url}oauth.v2.access"
        secret = aiohttp.encode_basic_auth(keys.client_id, keys.client_secret.get_secret_value())
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        async with client.session.post(
            url,
            data=form,
            headers={"Authorization": secret},
            proxy=client.proxy,
            allow_redirects=False,
            timeout=_TIMEOUT,
        ) as answer:
            data, status, headers = await _document(answer), answer.status, dict(answer.headers)
        reply = AsyncSlackResponse(
            client=client, http_verb="POST", api_url=url, req_args={}, data=data, headers=headers, status_code=status
        )
        reply.validate()  # type: ignore[no-untyped-call]  # slack_sdk leaves it untyped
        access, refresh, seconds = (reply.get(name) for name in ("access_token", "refresh_token", "expires_in"))
        if not (isinstance(access, str) and isinstance(refresh, str) and isinstance(seconds, int)):
            raise SlackClientError("the reply of oauth.v2.access has no tokens")
        return _Tokens(access, refresh, self._clock.now() + timedelta(seconds=seconds))


async def _document(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """The JSON object of a reply; empty for anything else."""
    try:
        data = json.loads(await answer.read())
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _kept(value: Json, origin: str) -> _Tokens | None:
    """The stored tokens; None without any, or when they belong to an earlier installation."""
    if not isinstance(value, dict) or value.get("origin") != origin:
        return None
    return _Tokens(str(value["access"]), str(value["refresh"]), datetime.fromisoformat(str(value["ends"])))
