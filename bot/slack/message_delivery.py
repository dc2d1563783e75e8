"""One stored message to Slack: the call that its kind asks for. Errors of slack_sdk and of the transport pass through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from pydantic import TypeAdapter
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import Card, HomeView
from bot.core.errors import Problem
from bot.core.network import is_loopback
from bot.core.outcome import FileOut
from bot.core.ports.services import Clock
from bot.core.ports.store import MessageStore
from bot.core.records import PRIVATE, Outgoing
from bot.render import block_kit
from bot.render.card import render_comment
from bot.render.home import render_home
from bot.render.text_format import shown
from bot.render.zones import in_zone
from bot.slack.client import once
from bot.slack.errors import TRANSPORT, Remedy, read
from bot.slack.files import Uploads
from bot.slack.message_format import Form, answers_by_url, message_of, next_form, too_large

CARD_FIRST: Final = 20  # looks for the card of a file, 0.3 s apart
_FILES: Final = TypeAdapter(tuple[FileOut, ...])
ZoneOf = Callable[[str | None], tzinfo]
"""The time zone of a person, or the configured one for None and for a person who is not known."""
_QUIET: Final[dict[str, Any]] = {"unfurl_links": False, "unfurl_media": False}
_log = logging.getLogger("signalbox.outbox")
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
EVENT: Final = "signalbox_card"
_LOOKED_AT: Final = 30
_ASKED: Final = 5
_REPAIR_EVERY: Final = 10.0  # seconds between two tries while Slack doesn't answer


def other_form(row: Outgoing, form: Form, remedy: Remedy) -> tuple[Outgoing, Form] | None:
    """The form of the message that the same place may accept; None when only another place is left."""
    if remedy is Remedy.UNTHREAD:
        body = {**row.body, "under": None} if row.kind == "upload" and isinstance(row.body, dict) else row.body
        return row.model_copy(update={"thread_ts": None, "body": body}), form
    last_way = "@" in row.key and remedy in (Remedy.REFUSED, Remedy.UNKNOWN)
    if row.ts is not None and (remedy is Remedy.ANEW or last_way):
        return row.model_copy(update={"ts": None}), form
    simpler = remedy is Remedy.PLAIN and form is not Form.TEXT and row.kind not in ("upload", "step")
    return (row, next_form(row, form)) if simpler else None


class Again(Exception):
    """The message can't be sent yet: try again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class MessageDelivery:
    """Sends rows of the outbox. Remembers calls that nothing was recorded of, which may be in Slack already."""

    def __init__(
        self,
        store: MessageStore,
        client: AsyncWebClient,
        responder: Responder,
        uploads: Uploads,
        clock: Clock,
        zone_of: ZoneOf,
    ) -> None:
        self._store = store
        self.client = once(client)
        self._responder = responder
        self._uploads = uploads
        self._clock = clock
        self._zone_of = zone_of
        self._doubtful: dict[str, str | None] = {}  # calls that may be in Slack, unrecorded: `ts` of an update
        self._late: dict[str, str | None] = {}  # those of a time when this replica led
        self._repair_at = 0.0  # on the monotonic clock
        self._direct: dict[str, str] = {}

    def give_up(self) -> None:
        """Another replica leads: what this one sent last may arrive in Slack after a newer state. See `repair`."""
        self._late = self._doubtful | self._late
        self._doubtful.clear()

    async def repair(self) -> None:
        """Have the newest state of these messages sent again, and delete a second post. Raises Problem of the store; what is
        left is for the next call. While Slack doesn't answer or limits calls, asks it no more often than it wants. A message
        that was withdrawn meanwhile is deleted."""
        for key, updated in tuple(self._late.items()) if self._clock.monotonic() >= self._repair_at else ():
            row = await self._store.message(key)
            if row is not None and row.kind == "message" and row.ts is None and row.have < row.want:
                continue  # the other replica has not posted it yet
            withdrawn = row is not None and isinstance(row.body, dict) and bool(row.body.get("withdrawn"))
            if row is not None and row.kind == "message" and (row.ts is not None or withdrawn) and updated is None:
                try:
                    await self._delete_copies(row)
                except (SlackApiError, *TRANSPORT) as error:
                    trouble = read(error)
                    if trouble.remedy in (Remedy.RETRY, Remedy.WAIT):
                        self._late[key] = self._late.pop(key)  # the next call begins with another one
                        self._repair_at = self._clock.monotonic() + (trouble.after or _REPAIR_EVERY)
                        return
                    _log.warning("message %s may be there twice: %s", key, trouble.code)
            await self._store.show_again(key, self._clock.now())
            self._late.pop(key, None)

    async def _delete_copies(self, row: Outgoing) -> None:
        channel = await self._channel(row.channel_id or "")
        for ts in await _posted(self.client, row.model_copy(update={"channel_id": channel})):
            if ts != row.ts:
                await self.client.chat_delete(channel=channel, ts=ts)

    def take_over(self, left: Iterable[Outgoing]) -> None:
        """Look for these messages in Slack before they are posted: an earlier post may have no recorded answer."""
        self._doubtful = {row.key: None for row in left if row.kind == "message" and row.ts is None}

    async def send(self, row: Outgoing, form: Form = Form.FULL) -> None:
        """Send it in that form and record it as sent. Raises Again, ValidationError for a row of another version, and
        errors of slack_sdk and the transport."""
        if row.kind == "upload":
            await self._upload(row)
        elif row.kind == "home":
            view = HomeView.stored(row.body)
            view = too_large(view) if form is Form.TEXT else view
            self._doubtful[row.key] = None
            await self.client.views_publish(user_id=view.user_id, view=render_home(view, self._clock.now()))
            await self._store.sent(row.key, row.want)
            self._doubtful.pop(row.key, None)
        elif row.kind == "step":
            await self.end_step(row)
            await self._store.sent(row.key, row.want)
        elif row.kind in PRIVATE:
            await self._send_private(row, message_of(row, self._clock.now(), form, self._zone_of(row.user_id)))
        else:
            await self._send_message(row, message_of(row, self._clock.now(), form, self._zone_of(row.user_id)))

    async def done(self, row: Outgoing) -> None:
        """Record that this state is sent, and delete its files."""
        await self._store.sent(row.key, row.want)
        self._uploads.forget(row.key)
        for file in _FILES.validate_python(row.files):
            Path(file.path).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file
            await self._store.drop_file(file.path)

    def settled(self, key: str) -> None:
        """Forget an unanswered call, because Slack refused it."""
        self._doubtful.pop(key, None)

    async def end_step(self, row: Outgoing) -> None:
        body: Any = row.body
        step, outcome = (
            body["id"],
            in_zone(block_kit.unmentioned(shown(body["text"])), self._zone_of(None)).replace("`", ""),
        )
        if body["ok"]:
            await self.client.functions_completeSuccess(function_execution_id=step, outputs={"outcome": outcome})
        else:
            await self.client.functions_completeError(function_execution_id=step, error=outcome)

    async def _send_message(self, row: Outgoing, message: dict[str, Any]) -> None:
        channel = await self._channel(row.channel_id or "")
        ts = row.ts
        if ts is None and row.key in self._doubtful:
            ts = await find(self.client, row.model_copy(update={"channel_id": channel}))
        body = row.body if isinstance(row.body, dict) else {}
        if ts is None and (body.get("corrects") or body.get("withdrawn")):
            await self._store.sent(row.key, row.want)
            return
        if ts is not None and body.get("withdrawn"):
            try:
                await self.client.chat_delete(channel=channel, ts=ts)
            except SlackApiError as error:
                if read(error).remedy is not Remedy.REFUSED:
                    raise
                await self.client.chat_update(channel=channel, ts=ts, text="Answered", blocks=[])
            await self._store.sent(row.key, row.want, gone=True)
            self._doubtful.pop(row.key, None)
            return
        self._doubtful[row.key] = ts
        if ts is None:
            reply = await self.client.chat_postMessage(
                channel=channel, thread_ts=row.thread_ts, metadata=metadata(row.key), **_QUIET, **message
            )
            ts = reply.get("ts")
        else:
            await self.client.chat_update(channel=channel, ts=ts, **message)
        await self._store.sent(row.key, row.want, ts=ts)
        if ts:
            self._doubtful.pop(row.key, None)

    async def _channel(self, name: str) -> str:
        """The id to post to: for a person the id of the direct message, which chat.update needs."""
        if not block_kit.USER_ID.fullmatch(name):
            return name
        if name not in self._direct:
            reply = await self.client.conversations_open(users=name)
            opened = reply.get("channel")
            self._direct[name] = str(opened.get("id") or name) if isinstance(opened, Mapping) else name
        return self._direct[name]

    async def _send_private(self, row: Outgoing, message: dict[str, Any]) -> None:
        """Through the response_url while it works, else as an ephemeral message."""
        if answers_by_url(row, self._clock.now()):
            over = {"replace_original": True} if row.kind == "update_response" else {"response_type": "ephemeral"}
            thread = {"thread_ts": row.thread_ts} if row.thread_ts and row.kind == "response" else {}
            try:
                status = await self._responder.send(row.response_url or "", {**message, **over, **thread})
            except BadResponseUrl as refused:
                status, why = 0, refused.summary
            else:
                why = f"It answered {status}."
            if status == 200:
                await self._store.sent(row.key, row.want)
                return
            _log.warning("message %s does not go through its response_url: %s", row.key, why)
        await self.client.chat_postEphemeral(
            channel=row.channel_id or "", user=row.user_id or "", thread_ts=row.thread_ts, **message
        )
        await self._store.sent(row.key, row.want)

    async def _upload(self, row: Outgoing) -> None:
        files = _FILES.validate_python(row.files)
        body = row.body if isinstance(row.body, dict) else {}
        under = await self.under(row)
        thread = row.thread_ts or (under.thread_ts or under.ts if under is not None else None)
        if thread is None and body.get("under") and row.attempts < CARD_FIRST:
            raise Again(0.3)
        places = [(file, await self._store.fetch_file(file.path)) for file in files]
        present = tuple(file.model_copy(update={"path": here}) for file, here in places if here is not None)
        if present:
            words = render_comment(Card.stored(body["card"])) if body.get("card") else ""
            comment = "\n".join(text for text in (words, str(body.get("comment") or "")) if text)
            await self._uploads.share(present, row.channel_id or "", thread, comment, key=row.key)
        if len(present) < len(files):
            gone = ", ".join(file.name for file, here in places if here is None)
            text = f"{gone} is no longer available. Run the command again."
            await self.client.chat_postMessage(channel=row.channel_id or "", thread_ts=thread, text=text)
        await self.done(row)
        for file in present:  # a copy of another replica's file
            Path(file.path).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file

    async def under(self, row: Outgoing) -> Outgoing | None:
        """The card of a row of files."""
        key = row.body.get("under") if isinstance(row.body, dict) else None
        return await self._store.message(key) if isinstance(key, str) else None


class BadResponseUrl(Problem):
    """Answers must not go to this address."""

    code = "response_url"


def allowed(url: str, hosts: Sequence[str]) -> bool:
    """Whether it is https (or http to loopback) to one of `hosts`, each HOST or HOST:PORT."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.scheme not in ("https", "http"):
        return False
    if parts.scheme == "http" and not is_loopback(host):
        return False
    default = 443 if parts.scheme == "https" else 80
    try:
        port = parts.port or default
    except ValueError:
        return False
    named = {f"{host}:{port}"} | ({host} if port == default else set())
    return not named.isdisjoint(hosts)


class Responder:
    """Sends to response_urls with one session."""

    def __init__(self, session: aiohttp.ClientSession, hosts: Sequence[str]) -> None:
        self._session = session
        self._hosts = tuple(hosts)

    async def send(self, url: str, message: Mapping[str, Any]) -> int:
        """The HTTP status of the answer; raises BadResponseUrl before anything is sent to a wrong host."""
        if not allowed(url, self._hosts):
            raise BadResponseUrl("The response_url is not on a host named in slack.response_hosts.")
        async with self._session.post(url, json=message, allow_redirects=False, timeout=_TIMEOUT) as reply:
            await reply.content.read(2_000)
            return reply.status


def metadata(key: str) -> dict[str, Any]:
    """The arguments of chat.postMessage that make a message findable."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


async def find(client: AsyncWebClient, row: Outgoing) -> str | None:
    """The `ts` of the newest message with this row's key among the newest of its channel or thread, or None.

    Raises the error of Slack or the transport for an unreadable history, a few times. After that, or without permission to
    read it, returns None: showing a card twice is better than losing an outcome.
    """
    try:
        return next(iter(await _posted(client, row)), None)
    except (SlackApiError, *TRANSPORT) as error:
        if read(error).remedy is Remedy.RETRY and row.attempts < _ASKED:
            raise
        return None


async def _posted(client: AsyncWebClient, row: Outgoing) -> Sequence[str]:
    """The `ts` of each message with this row's key."""
    channel = row.channel_id or ""
    if row.thread_ts is None:
        reply = await client.conversations_history(channel=channel, limit=_LOOKED_AT, include_all_metadata=True)
    else:
        reply = await client.conversations_replies(
            channel=channel, ts=row.thread_ts, limit=200, include_all_metadata=True
        )
    messages = reply.get("messages")
    found = [one for one in messages if isinstance(one, Mapping)] if isinstance(messages, list) else []
    return [str(one.get("ts")) for one in found if key_of(one) == row.key]


def key_of(message: Mapping[str, Any]) -> object:
    """The key of the card that a message shows; None when it shows none."""
    found = message.get("metadata")
    payload = found.get("event_payload") if isinstance(found, Mapping) and found.get("event_type") == EVENT else None
    return payload.get("key") if isinstance(payload, Mapping) else None
