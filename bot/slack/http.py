"""The HTTP servers: /slack/events in HTTP mode, /healthz and /readyz in both modes, and /metrics at an address of its own."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.core.ports.services import Clock
from bot.slack.http_guard import DEFAULTS, MAX_BODY, Guard, Limits, QuietLog, check
from bot.slack.payload import ARRIVED, text

_log = logging.getLogger("signalbox.http")
# Bolt raises these for a signed body that is malformed, nested too deep, not an object, or in an unknown encoding.
_UNREADABLE: Final = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
# Fields that Bolt assumes to be objects.
_OBJECTS: Final = frozenset({"event", "view", "user", "team", "channel", "message", "container", "enterprise"})
_OBJECT: Final = dict | None
_NOT_OF_COMMANDS: Final = frozenset({"type", "event", "view", "actions"})
MOST_HELD: Final = 32_000_000  # bytes of all bodies that are being read
LINGERS: Final = 1.0  # seconds in which a peer may still send data that is not read


class HttpServer:
    """`ready` returns whether Slack is connected and the audit log is open."""

    def __init__(
        self, address: tuple[str, int], clock: Clock, *, ready: Callable[[], bool], limits: Limits = DEFAULTS
    ) -> None:
        self._address = address
        self._clock = clock
        self._ready = ready
        self._limits = limits
        self._quiet = QuietLog(_log, clock)
        self._guard = Guard(limits, self._quiet.note)
        self._held = 0
        self._runners: list[web.AppRunner] = []
        self._listening: list[asyncio.Server] = []
        self._app = web.Application()
        self._app.router.add_get("/healthz", self._healthz)
        self._app.router.add_get("/readyz", self._readyz)

    @property
    def connections(self) -> int:
        return len(self._guard)

    def serve_slack(self, bolt: AsyncApp, secrets: Sequence[SecretStr]) -> None:
        """Add /slack/events: verified here, then handed to Bolt."""

        async def events(request: web.Request) -> web.StreamResponse:
            ARRIVED.set(self._clock.now())
            body = bytearray()
            try:
                status = await self._read(request, body)
                if status != 200:
                    return _closing(status)
                verdict = check(request.headers, bytes(body), secrets, self._clock.now().timestamp())
                if verdict.status != 200:
                    self._quiet.note(verdict.why)
                    return web.Response(status=verdict.status)
                with self._guard.proved(request.transport):
                    return await self._dispatch(bolt, request, bytes(body))
            finally:
                self._held -= len(body)

        self._app.router.add_post("/slack/events", events)

    async def _read(self, request: web.Request, body: bytearray) -> int:
        """Read the body. Returns 200, or the status of the refusal."""
        if (request.content_length or 0) > MAX_BODY:
            return 413
        content = request.content
        try:
            if content.is_eof():  # it came with its header
                return self._keep(body, content.read_nowait())
            async with asyncio.timeout(self._limits.body):
                async for chunk in content.iter_any():
                    if (status := self._keep(body, chunk)) != 200:
                        return status
        except TimeoutError:
            self._quiet.note("body not sent in time")
            return 408
        except (web.RequestPayloadError, ConnectionError):
            return 400
        return 200

    def _keep(self, body: bytearray, chunk: bytes) -> int:
        body += chunk
        self._held += len(chunk)
        if len(body) > MAX_BODY:
            return 413
        if self._held > MOST_HELD:
            self._quiet.note("too many bodies")
            return 503
        return 200

    async def _dispatch(self, bolt: AsyncApp, request: web.Request, body: bytes) -> web.StreamResponse:
        try:
            decoded = body.decode(request.charset or "utf-8")
            parsed = AsyncBoltRequest(body=decoded, query=request.query_string, headers=dict(request.headers))
            _check_shape(parsed.body)
            if parsed.body.get("type") == "app_rate_limited":
                _log.warning("Slack dropped events of this minute: the app got more than 30,000 in an hour")
                return web.Response()
            if parsed.body.get("ssl_check") == "1":
                return web.Response()
            answer = await bolt.async_dispatch(parsed)
        except _UNREADABLE as error:
            _log.warning("refused a signed request to /slack/events: unreadable (%s)", type(error).__name__)
            return web.Response(status=400)
        return await to_aiohttp_response(answer)

    async def start(self) -> tuple[str, int]:
        """Listen. Returns the bound address (port 0 picks a free port). Raises OSError."""
        return await self._listen(self._app, self._address, self._guard)

    async def start_metrics(self, address: tuple[str, int], page: Callable[[], tuple[bytes, str]]) -> tuple[str, int]:
        """Serve /metrics there. `page` returns its body and content type. Raises OSError."""

        async def metrics(_: web.Request) -> web.Response:
            body, content_type = page()
            return web.Response(body=body, headers={"Content-Type": content_type})

        app = web.Application()
        app.router.add_get("/metrics", metrics)
        return await self._listen(app, address, Guard(Limits(connections=32), self._quiet.note))

    async def _listen(self, app: web.Application, address: tuple[str, int], guard: Guard) -> tuple[str, int]:
        """Serve an application with a guard. aiohttp's own log quotes unverified requests, so the quiet log filters it."""
        log = logging.getLogger("signalbox.http.server")
        log.filters[:] = [self._quiet]
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=log,
            keepalive_timeout=self._limits.idle,
            lingering_time=LINGERS,
            auto_decompress=False,
        )
        await runner.setup()
        self._runners.append(runner)
        server = runner.server
        if server is None:
            raise RuntimeError("setup did not make a server")
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(guard.factory(server), *address)
        self._listening.append(listening)
        host, port = listening.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def close(self) -> None:
        """Stop listening, and finish the current requests."""
        for listening in self._listening:
            listening.close()
        for runner in self._runners:
            await runner.cleanup()
        self._listening.clear()
        self._runners.clear()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n") if self._ready() else web.Response(status=503, text="not ready\n")


def _closing(status: int) -> web.Response:
    """A refusal of a body that was not read completely; it closes the connection."""
    response = web.Response(status=status)
    response.force_close()
    return response


def _check_shape(body: Mapping[str, Any]) -> None:
    """Raises ValueError for a body with fields that would break Bolt's own matchers."""
    if not all(isinstance(body[name], _OBJECT) for name in _OBJECTS & body.keys()):
        raise ValueError("a field is not an object")
    if _NOT_OF_COMMANDS.isdisjoint(body):
        return
    # Bolt reads the parts of a legacy workflow step before any listener runs.
    event, view = body.get("event") or {}, body.get("view") or {}
    legacy = "workflow_step" in (view.get("type"), body.get("type")) or body.get("type") == "workflow_step_edit"
    if legacy and not isinstance(body.get("workflow_step"), dict):
        raise ValueError("a workflow step has no description")
    if "workflow_step" in event and not isinstance(event["workflow_step"], dict):
        raise ValueError("a workflow step has no description")
    state_ok = isinstance(view.get("state"), _OBJECT)
    kind, actions = body.get("type"), body.get("actions", [])
    if (body.get("event") is not None or kind == "event_callback") and not text(body, "event", "type"):
        raise ValueError("an event has no type")
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        raise ValueError("actions are not a list of objects")
    named = {
        "block_actions": bool(actions) and all(text(action, "action_id") for action in actions),
        "block_suggestion": text(body, "action_id"),
        "view_submission": state_ok and text(body, "view", "callback_id") and text(body, "view", "type"),
        "view_closed": text(body, "view", "callback_id") and text(body, "view", "type"),
        "shortcut": text(body, "callback_id"),
        "message_action": text(body, "callback_id"),
    }
    if isinstance(kind, str) and not named.get(kind, True):
        raise ValueError("an interaction names nothing")
