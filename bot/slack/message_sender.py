"""What Slack should show, and the worker that makes it so. Every message is stored first and sent until it arrives.

A row says what a message should be now (`want`); the worker sends it and notes what Slack has (`have`). Several changes that
come close together become one update. Losing Slack for an hour loses no outcome and never repeats an action.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.card import Card, Delivery, FormView, HomeView, Tone
from bot.core.errors import Problem
from bot.core.intent import Reply
from bot.core.outcome import FileOut
from bot.core.ports.services import Clock
from bot.core.ports.store import MessageStore
from bot.core.records import Outgoing, StoredButton, stamp
from bot.render import block_kit
from bot.render.form import render_form
from bot.render.home import render_home
from bot.slack import message_lookup
from bot.slack.client import once
from bot.slack.errors import TRANSPORT, Remedy, SlackTrouble, read
from bot.slack.files import Uploads
from bot.slack.message_format import instead, is_question, message_of, usable, without_buttons, words_of
from bot.slack.response_url import BadResponseUrl, Responder

FIRST_PACE: Final = 0.2  # before the first update: what was quick is shown as quick
PACE: Final = 1.0  # seconds between two updates of one message; Slack allows about 50 a minute for all
BATCH: Final = 100
IDLE: Final = 1.0
LONGEST_WAIT: Final = 300.0
MOST_ATTEMPTS: Final = 200
UNTIL_INVITED: Final = timedelta(seconds=10)

_log = logging.getLogger("signalbox.outbox")
_FILES: Final = TypeAdapter(tuple[FileOut, ...])


class MessageSender:
    """The Presenter of Slack. `run` is the worker's endless loop; `fatal` is called with a code when the token is no good.

    `left` is what an earlier run had not noted as sent: any of it may be in Slack already.
    """

    def __init__(
        self,
        store: MessageStore,
        client: AsyncWebClient,
        responder: Responder,
        uploads: Uploads,
        clock: Clock,
        *,
        team_id: str,
        fatal: Callable[[str], None],
        left: Iterable[Outgoing] = (),
    ) -> None:
        self._store = store
        self._client = once(client)
        self._responder = responder
        self._uploads = uploads
        self._clock = clock
        self._team_id = team_id
        self._fatal = fatal
        self._doubtful = {row.key for row in left if row.kind == "message" and row.ts is None}
        self._wake = asyncio.Event()
        self._stopping = False
        self._between_rounds = asyncio.Lock()
        self._last: dict[str, float] = {}
        self._held: dict[str | None, float] = {}
        self._moved: dict[str, tuple[str, str]] = {}
        self.sent = 0
        self.troubles = 0

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Store what the message should be now. An app hears nothing whispered: its workflow step ends with the words instead."""
        if card.only_for is not None and not block_kit.USER_ID.fullmatch(card.only_for):
            if reply is not None and reply.step_id is not None:
                await self.step(reply.step_id, ok=card.tone in (Tone.PLAIN, Tone.GOOD), text=words_of(card))
            return
        now = self._clock.now()
        url = usable(reply, now)
        kind = "message"
        if card.only_for is not None:
            kind = ("update_response" if replace else "response") if url else "ephemeral"
        outgoing = Outgoing(
            key=card.key,
            kind=kind,
            team_id=card.place.team_id,
            channel_id=card.place.channel_id,
            thread_ts=card.place.thread_ts,
            user_id=card.only_for,
            response_url=url,
            response_until=stamp(reply.response_until) if reply and reply.response_until and url else None,
            body=card.model_dump(mode="json"),
            due_at=stamp(now),
        )
        buttons = [
            StoredButton(id=b.id, message_key=card.key, payload=b.means, only_user=b.only_user, made_at=stamp(now))
            for b in card.buttons
        ]
        await self._store.show(outgoing, buttons)
        self._wake.set()

    async def deliver(self, delivery: Delivery) -> None:
        """Store that these files are to be put under a card."""
        await self._store.show(
            Outgoing(
                key=delivery.key,
                kind="upload",
                team_id=delivery.place.team_id,
                channel_id=delivery.place.channel_id,
                thread_ts=delivery.place.thread_ts,
                files=tuple(file.model_dump(mode="json") for file in delivery.files),
                body={"under": delivery.under, "comment": delivery.comment},
                due_at=stamp(self._clock.now()),
            ),
            (),
        )
        self._wake.set()

    @staticmethod
    def files_of(rows: Iterable[Outgoing]) -> frozenset[str]:
        """Paths of the files that these rows are to upload."""
        return frozenset(file.path for row in rows for file in _FILES.validate_python(row.files))

    async def open_form(self, trigger_id: str, form: FormView) -> bool:
        """A modal cannot wait: the trigger is good for three seconds."""
        try:
            await self._client.views_open(trigger_id=trigger_id, view=render_form(form))
        except (SlackApiError, *TRANSPORT) as error:
            _log.warning("views.open: %s", read(error).code)
            return False
        return True

    async def home(self, view: HomeView) -> None:
        """Publish a Home tab; the newest wins."""
        await self._store.show(
            Outgoing(
                key=view.key,
                kind="home",
                team_id=self._team_id,
                user_id=view.user_id,
                body=view.model_dump(mode="json"),
                due_at=stamp(self._clock.now()),
            ),
            [
                StoredButton(
                    id=b.id,
                    message_key=view.key,
                    payload=b.means,
                    only_user=view.user_id,
                    made_at=stamp(self._clock.now()),
                )
                for section in view.sections
                for b in section.buttons
            ],
        )
        self._wake.set()

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """End a workflow step; a failure here is only logged, the audit log has the outcome."""
        try:
            if ok:
                await self._client.functions_completeSuccess(function_execution_id=step_id, outputs={"outcome": text})
            else:
                await self._client.functions_completeError(function_execution_id=step_id, error=text)
        except (SlackApiError, *TRANSPORT) as error:
            _log.warning("functions.complete: %s", read(error).code)

    async def run(self) -> None:
        """Send what is due, until `stop`. A store that cannot be read or written is tried again."""
        while not self._stopping:
            self._wake.clear()
            try:
                waiting = await self.flush()
            except Problem as problem:
                _log.error("the outbox waits: %s", problem.code)
                waiting = None
            if waiting is None:
                await self._sleep(IDLE)
            elif waiting > 0:
                await self._sleep(waiting)

    async def stop(self) -> None:
        """Begin no further round, and wait for the one under way: what was posted is noted before anything else is sent."""
        self._stopping = True
        self._wake.set()
        async with self._between_rounds:
            return

    async def flush(self) -> float | None:
        """Send everything that is due once; seconds until the next look, None when nothing was due."""
        async with self._between_rounds:
            return await self._round()

    async def _round(self) -> float | None:
        rows = await self._store.due_messages(self._clock.now(), BATCH)
        if not rows:
            return None
        now = self._clock.monotonic()
        ready = [row for row in rows if self._wait(row, now) <= 0]
        if not ready:
            return max(0.05, min(self._wait(row, now) for row in rows))
        lanes: dict[str | None, list[Outgoing]] = defaultdict(list)
        for row in ready:
            lanes[row.channel_id].append(row)
        await asyncio.gather(*(self._lane(lane) for lane in lanes.values()))
        return 0.0

    def _wait(self, row: Outgoing, now: float) -> float:
        """Seconds until this row may be sent: its own pace, and a channel in which Slack asked to wait."""
        pace = PACE if row.have > 1 else FIRST_PACE
        return max(self._last.get(row.key, now - pace) + pace, self._held.get(row.channel_id, now)) - now

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _lane(self, rows: Iterable[Outgoing]) -> None:
        """One channel's messages, in the order in which they were asked for; the rest waits where Slack asks to wait."""
        for row in rows:
            if len(self._last) > 5_000:
                self._last.clear()
            self._last[row.key] = self._clock.monotonic()
            try:
                await self._send(row)
                self.sent += 1
            except ValidationError:
                _log.error("message %s was stored by another version and cannot be read", row.key)
                await self._store.sent(row.key, row.want, gone=True)
            except (SlackApiError, *TRANSPORT) as error:
                self.troubles += 1
                trouble = read(error)
                if trouble.after is not None or trouble.remedy is not Remedy.RETRY:
                    self._doubtful.discard(row.key)  # Slack answered that it did not take it
                await self._mend(row, trouble)
                if trouble.after is not None:
                    self._held[row.channel_id] = self._clock.monotonic() + trouble.after
                    return

    async def _send(self, row: Outgoing) -> None:
        if row.kind == "upload":
            await self._upload(row)
        elif row.kind == "home":
            view = HomeView.model_validate(row.body)
            await self._client.views_publish(user_id=view.user_id, view=render_home(view))
            await self._store.sent(row.key, row.want)
        elif row.kind in ("response", "update_response", "ephemeral"):
            await self._send_private(row)
        else:
            await self._send_message(row, message_of(row))

    async def _send_message(self, row: Outgoing, message: dict[str, Any]) -> None:
        ts = row.ts
        if ts is None and row.key in self._doubtful:
            ts = await message_lookup.find(self._client, row)
        if ts is None:
            self._doubtful.add(row.key)
            reply = await self._client.chat_postMessage(
                channel=row.channel_id or "",
                thread_ts=row.thread_ts,
                unfurl_links=False,
                unfurl_media=False,
                metadata=message_lookup.metadata(row.key),
                **message,
            )
            ts = str(reply["ts"])
        else:
            await self._client.chat_update(channel=row.channel_id or "", ts=ts, **message)
        await self._store.sent(row.key, row.want, ts=ts)
        self._doubtful.discard(row.key)

    async def _send_private(self, row: Outgoing) -> None:
        """Through the response_url while it lives, else as an ephemeral message, else as a direct message."""
        message = message_of(row)
        if row.kind != "ephemeral" and row.response_url and (row.response_until or "") > stamp(self._clock.now()):
            over = {"replace_original": True} if row.kind == "update_response" else {"response_type": "ephemeral"}
            thread = {"thread_ts": row.thread_ts} if row.thread_ts and row.kind == "response" else {}
            try:
                status = await self._responder.send(row.response_url, {**message, **over, **thread})
            except BadResponseUrl as refused:
                status, why = 0, refused.summary
            else:
                why = f"It answered {status}."
            if status == 200:
                await self._store.sent(row.key, row.want)
                return
            _log.warning("message %s does not go through its response_url: %s", row.key, why)
        await self._whisper(row, message)

    async def _whisper(self, row: Outgoing, message: dict[str, Any]) -> None:
        try:
            await self._client.chat_postEphemeral(
                channel=row.channel_id or "", user=row.user_id or "", thread_ts=row.thread_ts, **message
            )
        except SlackApiError as error:
            if read(error).remedy is not Remedy.ELSEWHERE or not row.user_id:
                raise
            await self._client.chat_postMessage(
                channel=row.user_id, unfurl_links=False, unfurl_media=False, **without_buttons(message)
            )
        await self._store.sent(row.key, row.want)

    async def _upload(self, row: Outgoing) -> None:
        files = _FILES.validate_python(row.files)
        body = row.body if isinstance(row.body, dict) else {}
        thread = row.thread_ts or await self._ts_of(body.get("under"))
        if thread is None and body.get("under") and row.attempts < 20:
            await self._store.postpone(
                row.key, stamp(self._clock.now() + timedelta(milliseconds=300)), "card not posted yet"
            )
            return
        present = tuple(file for file in files if Path(file.path).exists())  # noqa: ASYNC240  one stat of a local file
        if present:
            await self._uploads.share(present, row.channel_id or "", thread, str(body.get("comment") or ""))
        if len(present) < len(files):
            gone = ", ".join(file.name for file in files if file not in present)
            text = f"{gone} is no longer here; ask for it again."
            await self._client.chat_postMessage(channel=row.channel_id or "", thread_ts=thread, text=text)
        await self._store.sent(row.key, row.want)
        for file in files:
            Path(file.path).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file

    async def _ts_of(self, key: object) -> str | None:
        if not isinstance(key, str):
            return None
        under = await self._store.message(key)
        return (under.thread_ts or under.ts) if under is not None else None

    async def _mend(self, row: Outgoing, trouble: SlackTrouble) -> None:
        _log.warning("message %s: %s", row.key, trouble.code)
        if trouble.remedy is Remedy.FATAL:
            self._fatal(trouble.code)
        if trouble.remedy is Remedy.ELSEWHERE and is_question(row):
            await self._store.postpone(row.key, stamp(self._clock.now() + UNTIL_INVITED), trouble.code)
            return
        if row.attempts < MOST_ATTEMPTS and await self._another_way(row, trouble):
            return
        _log.error("message %s is given up: %s", row.key, trouble.code)
        await self._store.sent(row.key, row.want)

    async def _another_way(self, row: Outgoing, trouble: SlackTrouble) -> bool:
        """Try what the trouble calls for, or put it off; False when nothing is left to try."""
        words = row.kind not in ("home", "upload")
        if trouble.remedy in (Remedy.RETRY, Remedy.FATAL):
            wait = trouble.after if trouble.after is not None else min(LONGEST_WAIT, 0.5 * 2.0 ** min(row.attempts, 10))
            await self._store.postpone(row.key, stamp(self._clock.now() + timedelta(seconds=wait)), trouble.code)
            return True
        try:
            if trouble.remedy is Remedy.PLAIN and words:
                await self._as_plain_text(row)
            elif trouble.remedy is Remedy.ELSEWHERE and row.kind == "message":
                return await self._elsewhere(row, trouble.code)
            elif trouble.remedy is Remedy.ANEW and row.kind == "message" and row.ts is not None:
                await self._send_message(row.model_copy(update={"ts": None}), message_of(row))
            else:
                return False
        except (SlackApiError, *TRANSPORT) as error:
            await self._store.postpone(row.key, stamp(self._clock.now() + timedelta(seconds=30)), read(error).code)
        return True

    async def _as_plain_text(self, row: Outgoing) -> None:
        """Slack refused the blocks: the words alone still tell the outcome."""
        message = {"text": message_of(row)["text"][:3_900], "blocks": []}
        if row.kind == "message":
            await self._send_message(row, message)
        else:
            await self._whisper(row, message)

    async def _elsewhere(self, row: Outgoing, code: str) -> bool:
        """The bot cannot write there: tell the asker in a direct message, with the reason; False when nobody asked."""
        person = next((one for one in Card.model_validate(row.body).mention if block_kit.USER_ID.fullmatch(one)), None)
        if person is None:
            return False
        message = instead(row, code)
        channel, ts = self._moved.get(row.key, (person, ""))
        if ts:
            await self._client.chat_update(channel=channel, ts=ts, **message)
        else:
            reply = await self._client.chat_postMessage(
                channel=channel, unfurl_links=False, unfurl_media=False, **message
            )
            self._moved[row.key] = (str(reply["channel"]), str(reply["ts"]))
        await self._store.sent(row.key, row.want)
        return True
