"""Files to Slack (files.getUploadURLExternal, POST, files.completeUploadExternal) and from it (files.info, url_private)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import BadRequest
from bot.core.outcome import FileOut
from bot.slack.client import once
from bot.slack.errors import TRANSPORT, read

MAX_INPUT: Final = 50_000_000
_CHUNK: Final = 65_536
_BYTES: Final = {"Content-Type": "application/octet-stream"}


class Uploads:
    """Streams files from disk to Slack."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client = once(client)
        self._session = session

    async def share(self, files: tuple[FileOut, ...], channel_id: str, thread_ts: str | None, comment: str) -> None:
        """Upload and share all files at once; slack_sdk and aiohttp errors pass through."""
        done = []
        for file in files:
            slot = await self._client.files_getUploadURLExternal(filename=file.name, length=file.size)
            await self._send(str(slot["upload_url"]), Path(file.path))
            done.append({"id": slot["file_id"], "title": file.title[:255]})
        await self._client.files_completeUploadExternal(
            files=done, channel_id=channel_id, thread_ts=thread_ts, initial_comment=comment or None
        )

    async def _send(self, url: str, path: Path) -> None:
        # The raw bytes: Slack was told the name already, and a name in a header could break out of it.
        with path.open("rb") as file:
            async with self._session.post(url, data=file, headers=_BYTES, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise aiohttp.ClientError(f"the upload was answered with {reply.status}")


class AttachedFile:
    """A file that somebody attached; `chunks` downloads it with the bot's token."""

    def __init__(self, name: str, size: int, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.size = size
        self._url = url
        self._token = token
        self._session = session

    def __repr__(self) -> str:
        return f"AttachedFile({self.name!r}, {self.size})"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, at most as many as Slack said; raises BadRequest when they do not come."""
        try:
            async for chunk in self._chunks():
                yield chunk
        except TRANSPORT as error:
            raise BadRequest(f"Slack stopped handing out the file `{self.name}` ({type(error).__name__}).") from None

    async def _chunks(self) -> AsyncIterator[bytes]:
        left = self.size
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(self._url, headers=headers, allow_redirects=False) as reply:
            if reply.status != 200:
                raise BadRequest(f"Slack did not hand out the file `{self.name}` ({reply.status}).")
            async for chunk in reply.content.iter_chunked(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise BadRequest(f"The file `{self.name}` is larger than Slack said.")
                yield chunk


class Attachments:
    """Opens attached files, if they belong to the place or the person of the request."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, token: str, api_url: str) -> None:
        self._client = client
        self._session = session
        self._token = token
        self._api_host = urlsplit(api_url).netloc

    async def open(self, file_id: str, channel_id: str, user_id: str) -> AttachedFile:
        """Raises BadRequest for a file of somebody else in another channel, of another host, or too large."""
        try:
            reply = await self._client.files_info(file=file_id)
        except (SlackApiError, *TRANSPORT) as error:
            raise BadRequest(
                f"Slack does not hand out the attached file ({read(error).code}); attach it again."
            ) from None
        info: Mapping[str, Any] = reply["file"]
        shared = {*info.get("channels", ()), *info.get("groups", ()), *info.get("ims", ())}
        if channel_id not in shared and info.get("user") != user_id:
            raise BadRequest("That file was not shared here by you.")
        size = int(info.get("size") or 0)
        if size > MAX_INPUT:
            raise BadRequest(f"The file is {size:,} bytes; at most {MAX_INPUT:,} are taken.")
        url = str(info.get("url_private_download") or info.get("url_private") or "")
        host = urlsplit(url)
        if host.netloc != self._api_host and not (
            host.scheme == "https" and (host.hostname or "").endswith(".slack.com")
        ):
            raise BadRequest("Slack named an address for the file that is not Slack's.")
        return AttachedFile(str(info.get("name") or "file"), size, url, self._token, self._session)
