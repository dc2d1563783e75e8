"""How a replica is reached: its HTTP server and its Socket Mode connections. And which installation its tokens belong to."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot import config
from bot.core.ports.services import Clock
from bot.http_client.errors import cause_of
from bot.http_client.transport import open_session
from bot.runtime.metrics import Metrics
from bot.slack.errors import TRANSPORT, Remedy, read
from bot.slack.http import HttpServer
from bot.slack.http_guard import descriptors, limits
from bot.slack.installation import Installation, installation
from bot.slack.token_rotation import TokenRotation

ACKS_WITHIN: Final = 3.0  # seconds in which Slack waits for an ack
BETWEEN_LOOKS: Final = 0.005
QUIET_LOOKS: Final = 2  # in a row: between two of them a request may be on its way from the socket to its handler


def slack_fault(error: BaseException, token: str, api_url: str) -> str:
    """What is wrong when Slack can't be asked: the network, Slack itself, or the token. `token` names it."""
    trouble = read(error)
    if not isinstance(error, SlackApiError):
        host = urlsplit(api_url).hostname
        cause = cause_of(error)
        check = "`[network] ca_file`" if "certificate" in cause else "the network and `[network] proxy`"
        return f"can't reach {host} ({cause}); check {check}"
    if trouble.remedy is Remedy.FATAL:
        return f"Slack refuses the {token} ({trouble.code}); install the app again and copy its token"
    return f"Slack's answer can't be used ({trouble.code}); check `api_url`, and try again later"


async def installation_of(client: AsyncWebClient, app_token: str | None, rotation: TokenRotation) -> Installation:
    """What the tokens belong to. A rotated token that ended before its time is exchanged. Raises errors of slack_sdk and the
    transport."""
    await rotation.begin()
    try:
        return await installation(client, app_token)
    except SlackApiError as error:
        if read(error).code != "token_expired":
            raise
    await rotation.begin(expired=client.token)
    return await installation(client, app_token)


async def installed_as(slack: config.SlackSettings, client: AsyncWebClient, rotation: TokenRotation) -> Installation:
    """The installation that the tokens belong to. Raises ConfigProblem when they don't fit the configured workspace."""
    app_token = slack.app_token.get_secret_value() if slack.mode == "socket" and slack.app_token else None
    try:
        me = await installation_of(client, app_token, rotation)
    except (SlackApiError, *TRANSPORT) as error:
        which = "refresh token" if client.token is None else "bot token"
        raise config.ConfigProblem(f"[slack] {slack_fault(error, which, slack.api_url)}") from None
    unusable = me.unusable(slack.team)
    if unusable is not None:
        raise config.ConfigProblem(f"[slack] {unusable}")
    return me


class Connections:
    """Takes requests from Slack between `open` and `close`.

    `may_take`: whether this replica can store requests. `fatal` is called with Slack's code for a refused token.
    """

    def __init__(
        self,
        settings: config.Settings,
        clock: Clock,
        metrics: Metrics,
        *,
        may_take: Callable[[], bool],
        fatal: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._fatal = fatal
        self.joined = False
        self.sockets: list[AsyncSocketModeHandler] = []
        self._acking = Counter[AsyncSocketModeHandler]()  # requests whose ack is pending
        self._http = HttpServer(
            settings.slack.address, clock, ready=lambda: self.joined and may_take(), limits=limits(descriptors())
        )

    @property
    def http_connections(self) -> int:
        """The number of open connections to the HTTP server."""
        return self._http.connections

    async def open(self, bolt: AsyncApp, sockets: int) -> None:
        """Listen and join Slack, in Socket Mode with that many connections; raises ConfigProblem."""
        slack = self._settings.slack
        if slack.mode == "http":
            self._http.serve_slack(bolt, slack.signing_secret)
        self.address = await _bound("listen", slack.listen, self._http.start())
        if slack.metrics_address is not None:
            started = self._http.start_metrics(slack.metrics_address, self._metrics.page)
            self.metrics_address = await _bound("metrics_listen", slack.metrics_listen, started)
        if slack.mode == "socket" and slack.app_token is not None:
            for _ in range(sockets):
                await self._join(bolt, slack.app_token.get_secret_value())
        self.joined = True

    async def _join(self, bolt: AsyncApp, app_token: str) -> None:
        """One Socket Mode connection; raises ConfigProblem when Slack gives no address for one.

        The SDK's own `connect` asks for an address every ten seconds without end, whatever Slack answers.
        """
        handler = AsyncSocketModeHandler(bolt, app_token, web_client=bolt.client)
        self.sockets.append(handler)
        await handler.client.aiohttp_client_session.close()
        handler.client.aiohttp_client_session = open_session(self._settings.proxies, self._settings.ca_file)
        handler.client.proxy = None
        ask = handler.client.issue_new_wss_url

        async def address() -> str:
            try:
                return await ask()
            except SlackApiError as error:
                if read(error).remedy is Remedy.FATAL:
                    self._fatal(read(error).code)
                raise

        handler.client.issue_new_wss_url = address  # type: ignore[method-assign]
        handle = handler.handle

        async def counted(_: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            self._acking[handler] += 1
            try:
                await handle(handler.client, request)
            finally:
                self._acking[handler] -= 1

        handler.client.socket_mode_request_listeners[:] = [counted]
        try:
            handler.client.wss_uri = await address()
        except (SlackApiError, *TRANSPORT) as error:
            fault = slack_fault(error, "app token", self._settings.slack.api_url)
            raise config.ConfigProblem(f"[slack] {fault}") from None
        await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped

    async def close(self) -> None:
        """Take nothing more, and finish the requests that are being acked."""
        self.joined = False
        await self._http.close()
        for handler in self.sockets:
            await self._until_acked(handler)
            await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it untyped
        self.sockets.clear()

    async def _until_acked(self, handler: AsyncSocketModeHandler) -> None:
        """Until no request that this socket has brought waits for its ack: a closed socket can't carry it."""
        quiet = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(ACKS_WITHIN):
                while quiet < QUIET_LOOKS:
                    await self._clock.sleep(BETWEEN_LOOKS)
                    quiet = 0 if self._acking[handler] or handler.client.message_queue.qsize() else quiet + 1


async def _bound(key: str, written: str, listening: Awaitable[tuple[str, int]]) -> tuple[str, int]:
    """The address that is listened on; raises ConfigProblem."""
    try:
        return await listening
    except OSError as error:
        raise config.ConfigProblem(f"[slack] {key}: cannot listen on {written}: {error.strerror}") from None
