"""File contents: the upload address, and the private download, which needs the bot's token."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from .core import Core
from .errors import ApiError
from .faults import Dropped, cut
from .state import StoredFile
from .web_api.dispatch import bearer, identify
from .web_api.files import readable


class Downloads:
    """The routes for file contents."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/upload/v1/{ticket}", self.upload)
        app.router.add_get("/files-pri/{key}/{name}", self.download)
        app.router.add_get("/files-pri/{key}/download/{name}", self.download)
        app.router.add_get("/signin", self.signin)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """POST the bytes of a getUploadURLExternal, raw or as a multipart file: 200 "OK - N"."""
        early = await self._failing("upload_url", request)
        if early is not None:
            return early
        file_id = self._core.uploads.get(request.match_info["ticket"], "")
        file = self._core.state.files.get(file_id)
        if file is None or not file.pending:
            return web.Response(status=404, text="no such upload")
        file.bytes = await _uploaded(request)
        if len(file.bytes) != file.size:
            return web.Response(status=400, text="length does not match")
        return web.Response(text=f"OK - {file.size}")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """GET url_private. Without a valid token, Slack redirects to its sign-in page."""
        early = await self._failing("download", request)
        if early is not None:
            return early
        file = self._core.state.files.get(request.match_info["key"].rpartition("-")[2])
        try:
            identify(self._core, bearer(request, {}))
        except ApiError:
            return web.Response(status=302, headers={"Location": f"{self._core.base_url}/signin"})
        if file is None or file.pending or not readable(self._core, file):
            return web.Response(status=404, text="file not found")
        if "files:read" not in self._core.seed.app.scopes:
            return web.Response(status=403, text="missing_scope")
        return attachment(file)

    async def _failing(self, name: str, request: web.Request) -> web.Response | None:
        """The answer of a configured fault, if there is one."""
        fault = self._core.faults.take(name)
        try:
            early = await fault.early() if fault is not None else None
        except Dropped:
            return cut(request)
        if early is None or fault is None:
            return None
        return web.Response(status=early[0] if early[0] != 200 else 500, text=early[1], headers=fault.headers)

    async def signin(self, _request: web.Request) -> web.StreamResponse:
        """The page that a client without a token gets."""
        return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")


def attachment(file: StoredFile) -> web.Response:
    """The content as a download that browsers don't render."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        "Content-Type": file.mimetype,
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=file.bytes, headers=headers)


async def _uploaded(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
