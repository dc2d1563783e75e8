"""Answers that are messages: a slash command's ack body and POSTs to a response_url."""

from __future__ import annotations

import json

from aiohttp import web

from .core import Core
from .errors import ApiError
from .faults import Dropped, Fault, cut
from .handles import ResponseUrl
from .posting import content, post_as_app, thread_for
from .state import Channel, Json, Message


class Responder:
    """Puts responses into channels, while their response_url is valid."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST to a response_url: 200 {"ok": true}, 404 if it is unknown, used up or expired, 400 for bad content."""
        body = await request.text()
        fault = self._core.faults.take("response_url")
        try:
            given = json.loads(body)
        except json.JSONDecodeError:
            given = None
        args: Json = given if isinstance(given, dict) else {}
        try:
            if fault is not None:
                await _fail_early(fault)
            self.respond(request.path, args)
        except Dropped:
            self._core.log("response_url", args, "dropped")
            return cut(request)
        except ApiError as refused:
            self._core.log("response_url", args, refused.code)
            status = refused.status if refused.status != 200 else 400
            return web.json_response({"ok": False, "error": refused.code, **refused.extra}, status=status)
        self._core.log("response_url", args, None)
        return cut(request) if fault is not None and fault.drop == "after" else web.json_response({"ok": True})

    def respond(self, path: str, args: Json) -> None:
        """Spend one use of a response_url. Content is checked before anything is shown."""
        made = self._core.responses.use(path)
        original = self._original(made)
        if args.get("delete_original"):
            if original is not None:
                self._core.state.remove(original)
            return
        fresh = content(args)
        if args.get("replace_original") and original is not None:
            self._replace(original, fresh)
            return
        self._post(made, args, fresh)

    def _original(self, made: ResponseUrl) -> Message | None:
        """The app's message that was pressed; None for a command's response_url and for a person's message."""
        found = self._core.state.find(made.channel, made.message_ts) if made.message_ts else None
        return found if found is not None and found.body.get("bot_id") == self._core.seed.app.bot_id else None

    def _replace(self, original: Message, fresh: Json) -> None:
        for name in ("text", "blocks", "attachments", "metadata"):
            original.body.pop(name, None)
        original.body |= fresh
        if original.ephemeral_for is None:
            original.body["edited"] = {"user": self._core.state.bot_user, "ts": self._core.clock.next_ts()}
        self._core.state.changed("messages", original.channel)

    def _post(self, made: ResponseUrl, args: Json, fresh: Json) -> None:
        channel = self._core.state.channels.get(made.channel)
        if channel is None:
            raise ApiError("channel_not_found", status=404)
        shared = args.get("response_type") == "in_channel"
        thread_ts = thread_for(channel, args.get("thread_ts"))
        post_as_app(self._core, channel, fresh, thread_ts=thread_ts, ephemeral_for=None if shared else made.user)

    def answer_command(self, channel: Channel, user: str, typed: str, body: Json) -> None:
        """A slash command's ack body as a message; in_channel also shows the typed command. Raises ApiError."""
        if not any(body.get(k) for k in ("text", "blocks", "attachments")):
            return
        fresh = content(body)
        shared = body.get("response_type") == "in_channel"
        if shared:
            line = {"type": "message", "user": user, "text": typed, "ts": self._core.clock.next_ts()}
            self._core.state.add(Message(channel.id, line))
        post_as_app(self._core, channel, fresh, ephemeral_for=None if shared else user)

    def whisper(self, channel: Channel, user: str, text: str) -> None:
        """Post an ephemeral Slackbot message to one person."""
        body = {"type": "message", "user": "USLACKBOT", "text": text, "ts": self._core.clock.next_ts()}
        self._core.state.add(Message(channel.id, body | {"is_ephemeral": True}, ephemeral_for=user))


async def _fail_early(fault: Fault) -> None:
    """Raises the configured fault as ApiError or Dropped; only waits for a delay."""
    early = await fault.early()
    if early is not None:
        raise ApiError(early[1], status=early[0])
