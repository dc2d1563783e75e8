"""The aiohttp server: Web API, sockets, response URLs, files and the page's JSON on one loopback port."""

from __future__ import annotations

import socket

from aiohttp import web
from aiohttp.typedefs import Handler

from .downloads import Downloads
from .page_api import PageApi
from .responding import Responder
from .socket_mode import SocketMode
from .web_api import WebApi
from .whole import Whole

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
MAX_BODY = 1024 * 1024 * 1024  # Slack's limit for a file


class Server:
    """Listens on 127.0.0.1 only and answers only requests with a loopback Host header."""

    def __init__(self, workspace: Whole, sockets: SocketMode, responder: Responder, port: int) -> None:
        self._core = workspace.core
        self._port = port
        self._runner: web.AppRunner | None = None
        self._api = WebApi(workspace.core)
        self._sockets = sockets
        self._responder = responder
        self._page = PageApi(workspace)
        self._downloads = Downloads(workspace.core)

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[_loopback_only], client_max_size=MAX_BODY)
        app.router.add_route("*", "/api/{method}", self._api.handle)
        app.router.add_get("/link/", self._sockets.handle)
        for kind in ("commands", "actions", "app"):
            app.router.add_post(f"/{kind}/{{team}}/{{number}}/{{secret}}", self._responder.handle)
        self._downloads.routes(app)
        self._page.routes(app)
        return app

    async def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port))
        port = listener.getsockname()[1]
        self._core.base_url = f"http://127.0.0.1:{port}"
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        await self._page.close()
        if self._runner is not None:
            await self._runner.cleanup()


@web.middleware
async def _loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other hosts, so that a page elsewhere can't reach the workspace through a name that points to loopback."""
    origin = request.headers.get("Origin")
    if _name(request.headers.get("Host", "")) not in LOOPBACK:
        return web.json_response({"error": "only loopback hosts are served"}, status=403)
    if origin is not None and _name(origin.partition("://")[2]) not in LOOPBACK:
        return web.json_response({"error": "only loopback origins are served"}, status=403)
    return await handler(request)


def _name(host: str) -> str:
    """A host without its port."""
    return host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
