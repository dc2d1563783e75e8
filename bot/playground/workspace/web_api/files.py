"""files.*: the upload in three steps, and a file's data (slack.md, Messages, Files)."""

from __future__ import annotations

import mimetypes
import secrets

from bot.playground.workspace.core import Core
from bot.playground.workspace.errors import ApiError
from bot.playground.workspace.objects import file_json
from bot.playground.workspace.posting import bot_body, content, share, thread_for
from bot.playground.workspace.state import Channel, Json, StoredFile

from .common import Caller, Method, joined_channel, number, required, words


def new_file(core: Core, name: str, size: int, user: str) -> StoredFile:
    """A file that nobody sees yet."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StoredFile(core.state.ids.make("F"), name, name, size, user, int(core.clock.now()), mimetype=kind)


def _upload_url(core: Core, args: Json, _caller: Caller) -> Json:
    name, size = str(required(args, "filename")), number(args, "length", 0)
    if size <= 0:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] length must be above 0"]})
    file = new_file(core, name, size, core.state.bot_user)
    core.state.files[file.id] = file
    ticket = secrets.token_urlsafe(24)
    core.uploads[ticket] = file.id
    return {"upload_url": f"{core.base_url}/upload/v1/{ticket}", "file_id": file.id}


def _complete(core: Core, args: Json, _caller: Caller) -> Json:
    """Can be called once per file; without a channel, the file stays private."""
    given = required(args, "files")
    if not isinstance(given, list) or not all(isinstance(f, dict) and f.get("id") for f in given):
        raise ApiError("invalid_arguments")
    files = [_uploaded(core, str(f["id"])) for f in given]
    channels = [joined_channel(core, c) for c in _targets(args)]
    threads = [thread_for(c, args.get("thread_ts")) for c in channels]
    if args.get("thread_ts") and len(channels) != 1:
        raise ApiError("invalid_arguments")
    for file, row in zip(files, given, strict=True):
        file.title = str(row.get("title") or file.name)
        file.pending = False
    for channel, thread_ts in zip(channels, threads, strict=True):
        _share(core, channel, files, args, thread_ts)
    return {"files": [file_json(core.state, f, core.base_url) for f in files]}


def _uploaded(core: Core, file_id: str) -> StoredFile:
    file = core.state.files.get(file_id)
    if file is None or not file.pending or len(file.bytes) != file.size:
        raise ApiError("file_not_found")
    return file


def _targets(args: Json) -> list[str]:
    if args.get("channel_id"):
        return [str(args["channel_id"])]
    targets = words(args.get("channels"))
    if len(targets) > 100:
        raise ApiError("invalid_arguments")
    return targets


def _share(core: Core, channel: Channel, files: list[StoredFile], args: Json, thread_ts: str | None) -> None:
    made: Json = {"text": ""}
    if args.get("initial_comment"):
        made = content({"text": args["initial_comment"]})
    elif args.get("blocks"):
        made = content({"blocks": args["blocks"]})
    body = bot_body(core.state, {**made, "subtype": "file_share", "upload": True}, thread_ts)
    share(core, channel, files, body)


def _info(core: Core, args: Json, _caller: Caller) -> Json:
    file = core.state.files.get(str(required(args, "file")))
    if file is None or file.pending or not readable(core, file):
        raise ApiError("file_not_found")
    paging = {"count": 0, "total": 0, "page": 1, "pages": 0}
    return {"file": file_json(core.state, file, core.base_url), "comments": [], "paging": paging}


def readable(core: Core, file: StoredFile) -> bool:
    """Whether the bot may read a file: its own, or shared in a channel that it is in."""
    shared = (core.state.channels.get(c) for c in file.channels)
    return file.user == core.state.bot_user or any(c and core.state.bot_user in c.members for c in shared)


METHODS = {
    "files.getUploadURLExternal": Method(_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(_complete, ("files:write",)),
    "files.info": Method(_info, ("files:read",)),
}
