"""The HTTP server: /slack/events in HTTP mode; /healthz, /readyz and /metrics in both modes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.core.ports.services import Clock
from bot.slack.payload import ARRIVED
from bot.slack.signature import MAX_BODY, check

_log = logging.getLogger("signalbox.http")
# What Bolt's parser raises on a signed body that is malformed, nested too deep, no object, or in no known encoding.
_UNREADABLE: Final = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
# Fields that Bolt takes for objects without looking.
_OBJECTS: Final = ("event", "view", "user", "team", "channel", "message", "container", "enterprise")


class HttpServer:
    """`ready` tells whether Slack is joined and the audit log open; `metrics` are numbers by name."""

    def __init__(
        self,
        address: tuple[str, int],
        clock: Clock,
        *,
        ready: Callable[[], bool],
        metrics: Callable[[], Mapping[str, float]],
    ) -> None:
        self._address = address
        self._clock = clock
        self._ready = ready
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self._app = web.Application(client_max_size=MAX_BODY)
        self._app.router.add_get("/healthz", self._healthz)
        self._app.router.add_get("/readyz", self._readyz)
        self._app.router.add_get("/metrics", self._metrics_page)

    def serve_slack(self, bolt: AsyncApp, secrets: Sequence[SecretStr]) -> None:
        """Add /slack/events: verified here, then handed to Bolt."""

        async def events(request: web.Request) -> web.StreamResponse:
            ARRIVED.set(self._clock.now())
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                return web.Response(status=413)
            verdict = check(request.headers, body, secrets, self._clock.now().timestamp())
            if verdict.status != 200:
                _log.warning("refused a request to /slack/events: %s", verdict.why)
                return web.Response(status=verdict.status)
            try:
                parsed = await to_bolt_request(request)
                _check_shape(parsed.body)
            except _UNREADABLE as error:
                _log.warning("refused a request to /slack/events: unreadable (%s)", type(error).__name__)
                return web.Response(status=400)
            return await to_aiohttp_response(await bolt.async_dispatch(parsed))

        self._app.router.add_post("/slack/events", events)

    async def start(self) -> tuple[str, int]:
        """Listen; the address that was bound (port 0 picks a free one)."""
        self._runner = web.AppRunner(self._app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, *self._address)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return str(host), int(port)

    async def close(self) -> None:
        """Stop listening; requests under way are finished."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n") if self._ready() else web.Response(status=503, text="not ready\n")

    async def _metrics_page(self, _: web.Request) -> web.Response:
        lines = [f"signalbox_{name} {value:g}" for name, value in sorted(self._metrics().items())]
        return web.Response(text="\n".join(lines) + "\n")


def _check_shape(body: Mapping[str, Any]) -> None:
    """Raises ValueError for a body in whose fields Bolt's own matchers would break."""
    if any(not isinstance(body.get(name, {}), dict | None) for name in _OBJECTS):
        raise ValueError("a field is no object")
    event = body.get("event")
    if event is not None and not isinstance(event.get("type"), str):
        raise ValueError("an event has no type")
