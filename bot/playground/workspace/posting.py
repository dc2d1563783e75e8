"""Turns an app's content (text, blocks, metadata, files) into a message, or refuses it as Slack does."""

from __future__ import annotations

import json

from .blocks import check_blocks, fill_ids
from .core import Core
from .errors import ApiError
from .objects import file_json
from .state import Channel, Json, Message, State, StoredFile

TEXT_CUT = 40_000
METADATA_BYTES = 16_384
# Undocumented; users report it near this length of the blocks as JSON (slackapi/bolt-js issues 2509 and 2867).
BLOCKS_JSON = 13_200
UNTITLED = "This content can't be displayed."


def content(args: Json) -> Json:
    """The checked content fields of a message: text, blocks, attachments, metadata.

    Raises no_text, invalid_blocks (with the places), invalid_blocks_format, invalid_attachments,
    markdown_text_conflict, msg_too_long, invalid_metadata_format or metadata_too_large.
    """
    text, blocks, attachments = args.get("text"), args.get("blocks"), args.get("attachments")
    markdown = args.get("markdown_text")
    if markdown:
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > 12_000:
            raise ApiError("msg_too_long")
        text = markdown
    if not isinstance(text, str | int | float | None):
        raise ApiError("invalid_arguments")
    if not (text or blocks or attachments):
        raise ApiError("no_text")
    made: Json = {"text": str(text or "")[:TEXT_CUT]}
    if blocks is not None and blocks != []:
        made["blocks"] = checked_blocks(blocks)
        made["text"] = made["text"] or UNTITLED
    if attachments:
        made["attachments"] = _attachments(attachments)
    if args.get("metadata") not in (None, ""):
        made["metadata"] = metadata(args["metadata"])
    return made


def checked_blocks(blocks: object) -> list[Json]:
    """Blocks with ids filled in, or invalid_blocks with a message for each place."""
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    faults = check_blocks(blocks, "message")
    if faults:
        tables = [f for f in faults if f.message.startswith("only_one_table_allowed")]
        messages = [f.text for f in faults]
        code = "invalid_attachments" if tables and len(tables) == len(faults) else "invalid_blocks"
        details = {"messages": [f"[ERROR] {m}" for m in messages]}
        raise ApiError(code, errors=messages, response_metadata=details)
    if len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False)) > BLOCKS_JSON:
        raise ApiError("msg_blocks_too_long")
    return fill_ids(blocks)


def _attachments(attachments: object) -> list[Json]:
    if not isinstance(attachments, list) or any(not isinstance(a, dict) for a in attachments):
        raise ApiError("invalid_attachments")
    if len(attachments) > 100:
        raise ApiError("too_many_attachments")
    made = []
    for number, given in enumerate(attachments, 1):
        blocks = {"blocks": checked_blocks(given["blocks"])} if given.get("blocks") else {}
        made.append({"id": number, "fallback": "[no preview available]", **given, **blocks})
    return made


def metadata(given: object) -> Json:
    """Message metadata: `{"event_type": str, "event_payload": object}`; `{}` means none."""
    if given == {}:
        return {}
    if not isinstance(given, dict) or set(given) - {"event_type", "event_payload", "entities"}:
        raise ApiError("invalid_metadata_format")
    if not isinstance(given.get("event_type"), str) or not isinstance(given.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(given)) > METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return given


def bot_body(state: State, made: Json, thread_ts: str | None) -> Json:
    """A new message of the app: who posted it, and the content."""
    app = state.seed.app
    body: Json = {"type": "message", "user": app.bot_user_id, "bot_id": app.bot_id, "app_id": app.id}
    body |= {"ts": state.clock.next_ts(), "team": state.seed.team_id, **made}
    if body.get("metadata") == {}:
        del body["metadata"]
    body["bot_profile"] = {
        "id": app.bot_id,
        "app_id": app.id,
        "user_id": app.bot_user_id,
        "name": app.name,
        "icons": {},
        "deleted": False,
        "updated": state.started,
        "team_id": state.seed.team_id,
    }
    if thread_ts:
        body["thread_ts"] = thread_ts
    return body


def thread_for(channel: Channel, thread_ts: object) -> str | None:
    """The thread to post in: for a reply's ts, its parent; None for a deleted parent, because Slack then posts at the top level.

    Raises thread_not_found for a ts that was never a message.
    """
    if thread_ts in (None, ""):
        return None
    for message in channel.messages:
        if message.ts == thread_ts:
            if message.deleted:
                return None
            if message.ephemeral_for is not None:
                raise ApiError("cannot_reply_to_message")
            return message.thread_ts or message.ts
    raise ApiError("thread_not_found")


def post_as_app(
    core: Core,
    channel: Channel,
    made: Json,
    *,
    thread_ts: str | None = None,
    ephemeral_for: str | None = None,
    function: Json | None = None,
) -> Message:
    """Append a message of the app to a channel.

    An ephemeral one for a thread without replies is accepted and shown to nobody, as in Slack.
    """
    body = bot_body(core.state, made, thread_ts)
    if ephemeral_for:
        body["is_ephemeral"] = True
    message = Message(channel.id, body, ephemeral_for, function=function)
    if ephemeral_for and thread_ts and not core.state.replies(channel, thread_ts):
        return message
    core.state.add(message)
    core.own_message(message)
    return message


def share(core: Core, channel: Channel, files: list[StoredFile], body: Json) -> Message:
    """Put files into a channel with a message; all files become visible there."""
    for file in files:
        file.pending = False
        file.channel_id, file.thread_ts = channel.id, body.get("thread_ts")
        if channel.id not in file.channels:
            file.channels.append(channel.id)
    body["files"] = [file_json(core.state, f, core.base_url) for f in files]
    message = core.state.add(Message(channel.id, body))
    core.state.changed("files", channel.id)
    return message
