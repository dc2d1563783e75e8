"""The only entry for /api/METHOD: arguments, token, scopes, faults, log, answer."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.faults import Dropped, cut
from bot.playground.workspace.state import Json

from . import auth, chat, conversations, files, functions, oauth, users, views
from .common import Caller, Method

METHODS: dict[str, Method] = {
    **auth.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **functions.METHODS,
    **oauth.METHODS,
    **users.METHODS,
    **views.METHODS,
}
# Arguments that arrive as JSON text in queries and forms.
JSON_ARGS = {"blocks", "attachments", "metadata", "message", "view", "files", "outputs"}


class WebApi:
    """The Web API of one workspace."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call; a Dropped fault cuts its connection."""
        method = request.match_info["method"]
        args = await read_args(request)
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            args["client_id"], _, args["client_secret"] = base64.b64decode(encoded).decode().partition(":")
        try:
            status, reply, headers = await self.call(method, args, bearer(request, args))
        except Dropped:
            return cut(request)
        return web.json_response(reply, status=status, headers=headers)

    async def call(self, method: str, args: Json, token: str | None) -> tuple[int, Json, dict[str, str]]:
        """(HTTP status, reply, headers) of one call, faults included; every call is logged."""
        fault = self.core.faults.take(method, args.get("channel") or args.get("channel_id"))
        if fault is not None:
            try:
                early = await fault.early()
            except Dropped:
                self.core.log(method, args, "dropped")
                raise
            if early is not None:
                self.core.log(method, args, early[1])
                return early[0], {"ok": False, "error": early[1]}, fault.headers
        pause = self.core.rates.retry_after(method, args, self.core.clock.now())
        if pause is not None:
            self.core.log(method, args, "ratelimited")
            return 429, {"ok": False, "error": "ratelimited"}, {"retry-after": str(pause)}
        error: str | None = None
        status = 200
        headers = {"x-oauth-scopes": ",".join(self.core.seed.app.scopes)}
        try:
            reply = {"ok": True, **self._run(method, args, token)}
        except ApiError as refused:
            error, status = refused.code, refused.status
            reply = {"ok": False, "error": error, **refused.extra}
            if status == 429:
                headers["retry-after"] = "1"
        row = METHODS.get(method)
        if row is not None:
            headers["x-accepted-oauth-scopes"] = ",".join(row.scopes)
        self.core.log(method, args, error)
        if fault is not None and fault.drop == "after":
            raise Dropped
        return status, reply, headers

    def _run(self, method: str, args: Json, token: str | None) -> Json:
        row = METHODS.get(method)
        if row is None:
            raise ApiError("unknown_method", req_method=method)
        if row.caller == "none":
            return row.handler(self.core, args, Caller("none"))
        caller = identify(self.core, token)
        allowed = {"any": {"bot", "app", "function"}, "bot": {"bot", "function"}, "app": {"app"}}[row.caller]
        if caller.kind not in allowed:
            raise ApiError("not_allowed_token_type")
        held = set(self.core.seed.app.scopes)
        if row.scopes and not held & set(row.scopes):
            raise ApiError("missing_scope", needed=",".join(row.scopes), provided=",".join(sorted(held)))
        given = {k: v for k, v in args.items() if k != "token"}
        return row.handler(self.core, given, caller)


def identify(core: Core, token: str | None) -> Caller:
    """The owner of the token. Raises not_authed without one, invalid_auth for an unknown one."""
    app = core.seed.app
    if not token:
        raise ApiError("not_authed")
    if oauth.used(core, token) or (token == app.bot_token and app.refresh_token is None):
        return Caller("bot")
    if token == app.app_token:
        return Caller("app")
    if token in core.function_tokens:
        return Caller("function", core.function_tokens[token])
    raise ApiError("invalid_auth")


def bearer(request: web.Request, args: Json) -> str | None:
    """The token of a request: Authorization header, else the `token` argument."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    given = args.get("token")
    return str(given) if given else None


async def read_args(request: web.Request) -> Json:
    """Query, form and JSON body merged, as SDKs send them; JSON text in known arguments is decoded."""
    args: dict[str, Any] = dict(request.query)
    kind = request.content_type
    if kind == "application/json":
        body = await request.text()
        try:
            decoded = json.loads(body) if body else {}
        except json.JSONDecodeError:
            decoded = {}
        if isinstance(decoded, dict):
            args |= {k: v for k, v in decoded.items() if v is not None}
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        args |= dict(await request.post())
    for name in JSON_ARGS & set(args):
        if isinstance(args[name], str):
            args[name] = _decoded(args[name])
    return args


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
