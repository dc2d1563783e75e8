"""Files to Slack (files.getUploadURLExternal, POST, files.completeUploadExternal) and from it (files.info, url_private)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import BadRequest
from bot.core.outcome import FileOut
from bot.core.text import visible
from bot.render.text_format import one_line
from bot.slack.client import once
from bot.slack.errors import TRANSPORT, Remedy, read

MAX_INPUT: Final = 50_000_000
_CHUNK: Final = 65_536
_BYTES: Final = {"Content-Type": "application/octet-stream"}


class Uploads:
    """Streams files from disk to Slack. A file that was uploaded but not yet shared is not uploaded again."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self.client = once(client)
        self._session = session
        self._uploaded: dict[str, list[dict[str, str | None]]] = {}

    async def share(
        self, files: tuple[FileOut, ...], channel_id: str, thread_ts: str | None, comment: str, *, key: str = ""
    ) -> None:
        """Upload the files, then share them all in one call. Raises slack_sdk and aiohttp errors. A retry has the same `key`."""
        done = self._uploaded.setdefault(key, [])
        for file in files[len(done) :]:
            slot = await self.client.files_getUploadURLExternal(filename=one_line(file.name), length=file.size)
            await self._send(str(slot["upload_url"]), Path(file.path))
            done.append({"id": str(slot["file_id"]), "title": one_line(file.title)[:255]})
        try:
            await self.client.files_completeUploadExternal(
                files=done, channel_id=channel_id, thread_ts=thread_ts, initial_comment=comment or None
            )
        except SlackApiError as error:
            if read(error).remedy is Remedy.ANEW:
                self.forget(key)
            raise
        self.forget(key)

    def forget(self, key: str) -> None:
        """Make the next try upload the files again."""
        self._uploaded.pop(key, None)

    async def _send(self, url: str, path: Path) -> None:
        # The raw bytes: Slack has the name already, and a name in a header could break out of it.
        with path.open("rb") as file:
            async with self._session.post(url, data=file, headers=_BYTES, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise aiohttp.ClientError(f"Slack answered the upload with status {reply.status}")


class AttachedFile:
    """A file that a person attached; `chunks` downloads it with the client's token."""

    def __init__(self, name: str, size: int, url: str, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.size = size
        self._url = url
        self._client = client
        self._session = session

    def __repr__(self) -> str:
        return f"AttachedFile({self.name!r}, {self.size})"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, at most as many as Slack reported. Raises BadRequest when the download fails."""
        try:
            async for chunk in self._chunks():
                yield chunk
        except TRANSPORT as error:
            raise BadRequest(
                f"The download of `{self.name}` from Slack was interrupted ({type(error).__name__}). Try again."
            ) from None

    async def _chunks(self) -> AsyncIterator[bytes]:
        left = self.size
        headers = {"Authorization": f"Bearer {self._client.token}"}
        async with self._session.get(self._url, headers=headers, allow_redirects=False) as reply:
            if reply.status != 200:
                raise BadRequest(f"Slack doesn't return the file `{self.name}` ({reply.status}). Attach it again.")
            async for chunk in reply.content.iter_chunked(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise BadRequest(f"The file `{self.name}` is larger than Slack reported.")
                yield chunk


class Attachments:
    """Opens attached files that belong to the place or the person of the request."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session
        self._api_host = urlsplit(client.base_url).netloc

    async def open(self, file_id: str, channel_id: str, user_id: str) -> AttachedFile:
        """Raises BadRequest for another person's file from another channel, one that Slack doesn't store, or a large one."""
        try:
            reply = await self._client.files_info(file=file_id)
        except (SlackApiError, *TRANSPORT) as error:
            code = read(error).code
            if code in ("file_deleted", "file_not_found"):
                raise BadRequest("The attached file was deleted. Attach it again.") from None
            raise BadRequest(f"Slack doesn't return the attached file ({code}). Attach it again.") from None
        info: Mapping[str, Any] = reply["file"]
        name = visible(str(info.get("name") or "file"), "name of the attached file")
        shared = {*info.get("channels", ()), *info.get("groups", ()), *info.get("ims", ())}
        if channel_id not in shared and info.get("user") != user_id:
            raise BadRequest("You didn't share that file here. Attach it to your message.")
        if (why := _not_kept(info)) is not None:
            raise BadRequest(f"`{name}` {why}")
        size = int(info.get("size") or 0)
        if size > MAX_INPUT:
            raise BadRequest(f"`{name}` is {size:,} bytes. The limit is {MAX_INPUT:,} bytes.")
        url = str(info.get("url_private_download") or info.get("url_private") or "")
        if not self._is_slacks(urlsplit(url)):
            raise BadRequest(f"`{name}` is not stored in Slack. Upload the file itself.")
        return AttachedFile(name, size, url, self._client, self._session)

    def _is_slacks(self, url: SplitResult) -> bool:
        """Whether the bot token may be sent there: the API's own host, or a host of the same Slack (commercial or GovSlack)."""
        own = "slack-gov.com" if f".{self._api_host}".endswith(".slack-gov.com") else "slack.com"
        return url.netloc == self._api_host or (url.scheme == "https" and url.netloc.endswith(f".{own}"))


def _not_kept(info: Mapping[str, Any]) -> str | None:
    """Why Slack doesn't have the bytes of a file, or None. Sources: Slack's page of the file object, `mode` and `is_external`."""
    mode = info.get("mode")
    if mode == "tombstone":
        return "was deleted. Attach it again."
    if mode == "hidden_by_limit":
        return "is hidden by the workspace's storage limit. Attach it again."
    if mode == "external" or info.get("is_external") is True:
        return "is a link to a document outside Slack. Download it and attach the file itself."
    if mode in ("space", "canvas", "list"):
        return "is a Slack canvas or list. Export it and attach the file itself."
    return None
