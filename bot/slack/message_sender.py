"""The outbox and its worker. Every message is stored first, then sent until it arrives.

A row is the desired state of a message (`want`); the worker sends it and records what Slack has (`have`). Changes in quick
succession become one update. An outage of Slack loses no outcome and repeats no action. A message that Slack refuses
permanently, or for minutes, goes to the same people another way (`message_format.elsewhere`).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from typing import Final

from pydantic import TypeAdapter
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.all_of import all_of
from bot.core.card import Button, Card, Delivery, FormView, HomeView, Tone
from bot.core.errors import Problem
from bot.core.intent import Reply
from bot.core.masking.redact import SecretList
from bot.core.outcome import FileOut
from bot.core.ports.services import Clock, FormResult
from bot.core.ports.store import MessageStore
from bot.core.records import Outgoing, StoredButton, stamp
from bot.core.value import Json, Value
from bot.render import block_kit
from bot.render.form import render_form
from bot.slack.elsewhere import Elsewhere
from bot.slack.errors import TRANSPORT, Remedy, SlackTrouble, read
from bot.slack.files import Uploads
from bot.slack.message_delivery import Again, MessageDelivery, Responder, ZoneOf, other_form
from bot.slack.message_format import Form, direct, is_open_question, usable, with_names, words_of

FIRST_PACE: Final = 0.2  # before the first update, so that a quick result appears quickly
PACE: Final = 1.0  # seconds between two updates of one message; Slack allows about 50 a minute for all
BATCH: Final = 100
EACH: Final = 10  # messages of one lane in a row, before checking for more urgent ones
IDLE: Final = 1.0
MOST_NAMED: Final = 3  # people: Slack is asked for each one that isn't known
LONGEST_HOLD: Final = 30.0  # longest wait in seconds between two tries of a lane
LONGEST_WAIT: Final = 300.0  # seconds between two tries of a message that fails while others arrive
MOST_UNKNOWN: Final = 5  # tries of a message that Slack refuses with an unknown code
MOST_UPLOADS: Final = 20  # tries of a file, about an hour
UNTIL_INVITED: Final = 10.0
OLDER_FOR: Final = 3_600.0  # seconds without newer blocks, once the workspace refused them

_log = logging.getLogger("signalbox.outbox")
NamesOf = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
_FILES: Final = TypeAdapter(tuple[FileOut, ...])


class MessageSender:
    """The Presenter for Slack. `run` is the worker's endless loop. `fatal` is called with a code when the token doesn't work."""

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
        security_channel: str | None = None,
        secrets: SecretList | None = None,
        may_send: Callable[[], bool] = lambda: True,
        zone_of: ZoneOf = lambda user: UTC,
        names: NamesOf | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._team_id = team_id
        self._fatal = fatal
        self._may_send = may_send
        self._secrets = secrets or SecretList()
        self._names = names
        self.delivery = MessageDelivery(store, client, responder, uploads, clock, zone_of)
        self._elsewhere = Elsewhere(store, self.show, self.delivery, clock, team_id, security_channel)
        self.client = self.delivery.client
        self._wake = asyncio.Event()
        self._stopping = False
        self._last: dict[str, float] = {}
        self._older_until = 0.0
        self._holds: dict[
            str, tuple[float, int]
        ] = {}  # lane -> until when, on the monotonic clock, and failures in a row
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self.sent = 0
        self.troubles = 0
        self._unmade = 0

    @property
    def lost(self) -> int:
        """How many messages reached nobody."""
        return self._unmade + self._elsewhere.lost

    def take_over(self, left: Iterable[Outgoing], stand_ins: Iterable[str] = ()) -> None:
        """Start to deliver: `left` are rows that were not recorded as sent. Any of them may be in Slack already.

        `stand_ins` are the keys of messages that stand in for others.
        """
        self._stopping = False
        self.delivery.take_over(left)
        self._elsewhere.take_over(stand_ins)

    def wake(self) -> None:
        """Look at the outbox now: another replica has stored something."""
        self._wake.set()

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Store the desired state of a message. An app can't see private answers, so its workflow step ends with the text."""
        if card.only_for is not None and not block_kit.USER_ID.fullmatch(card.only_for):
            if reply is not None and reply.step_id is not None:
                await self.step(reply.step_id, ok=card.tone in (Tone.PLAIN, Tone.GOOD), text=words_of(card))
            return
        url = usable(reply, self._clock.now())
        if card.only_for is not None and not card.place.channel_id and not url:
            card = direct(card, card.only_for)
        kind = "message"
        if card.only_for is not None:
            kind = ("update_response" if replace else "response") if url else "ephemeral"
        row = self._row(
            card.key,
            kind,
            team_id=card.place.team_id,
            channel_id=card.place.channel_id,
            thread_ts=card.place.thread_ts,
            user_id=card.only_for,
            response_url=url,
            response_until=stamp(reply.response_until) if reply and reply.response_until and url else None,
            body=await self._named(card),
        )
        await self._keep(row, card.buttons)

    async def _named(self, shown: Value) -> Json:
        """The value as it is stored: the first people that it must not notify have their names, if those are known soon."""
        body: Json = shown.model_dump(mode="json")
        unnamed = dict[str, None]()
        with_names(body, unnamed.setdefault)
        known = await self._names([*unnamed][:MOST_NAMED]) if unnamed and self._names is not None else {}
        return with_names(body, lambda person: f"@{known[person]}" if person in known else None)

    async def show_again(self, key: str) -> None:
        """Send the state that Slack should have once more."""
        if await self._store.show_again(key, self._clock.now()):
            self._wake.set()

    async def deliver(self, delivery: Delivery) -> None:
        """Store files for the thread of a card."""
        for file in delivery.files:
            await self._store.keep_file(file.path)
        row = self._row(
            delivery.key,
            "upload",
            team_id=delivery.place.team_id,
            channel_id=delivery.place.channel_id,
            thread_ts=delivery.place.thread_ts,
            files=tuple(
                self._secrets.hide_in(file.model_dump(mode="json")) | {"path": file.path} for file in delivery.files
            ),
            body=delivery.model_dump(mode="json", include={"under", "comment", "card"}),
        )
        await self._keep(row)

    async def home(self, view: HomeView) -> None:
        """Publish a Home tab; the newest wins."""
        row = self._row(view.key, "home", team_id=self._team_id, user_id=view.user_id, body=await self._named(view))
        await self._keep(row, view.buttons, view.user_id)

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """End a workflow step: through the outbox, or directly when the store fails."""
        row = self._row(f"step:{step_id}", "step", body={"id": step_id, "ok": ok, "text": text})
        try:
            await self._keep(row)
        except Problem:
            try:
                await self.delivery.end_step(row)
            except (SlackApiError, *TRANSPORT) as error:
                _log.warning("workflow step %s: %s", step_id, read(error).code)

    async def open_form(self, trigger_id: str, form: FormView) -> FormResult:
        """Open a modal at once: the trigger works for three seconds."""
        try:
            await self.client.views_open(
                trigger_id=trigger_id, view=self._secrets.hide_in(render_form(form, self._clock.now()))
            )
        except (SlackApiError, *TRANSPORT) as error:
            trouble = read(error)
            _log.warning("views.open: %s", trouble.code)
            return FormResult.LATE if "trigger" in trouble.code else FormResult.REFUSED
        return FormResult.OPENED

    async def update_form(self, view_id: str, view_hash: str, form: FormView) -> bool:
        """Replace an open modal. False when it was closed, or was replaced since `view_hash`."""
        try:
            view = self._secrets.hide_in(render_form(form, self._clock.now()))
            await self.client.views_update(view_id=view_id, hash=view_hash or None, view=view)
        except (SlackApiError, *TRANSPORT) as error:
            _log.info("views.update: %s", read(error).code)
            return False
        return True

    @staticmethod
    def files_of(rows: Iterable[Outgoing]) -> frozenset[str]:
        """Paths of the files that these rows upload."""
        return frozenset(file.path for row in rows for file in _FILES.validate_python(row.files))

    def _row(self, key: str, kind: str, **parts: object) -> Outgoing:
        row = Outgoing.model_validate({"key": key, "kind": kind, "due_at": stamp(self._clock.now()), **parts})
        return row.model_copy(update={"body": self._secrets.hide_in(row.body)})

    async def _keep(self, row: Outgoing, buttons: Sequence[Button] = (), only_user: str | None = None) -> None:
        stored = [
            StoredButton(
                id=button.id,
                message_key=row.key,
                payload=button.means,
                only_user=only_user or button.only_user,
                made_at=row.due_at,
            )
            for button in buttons
            if button.id  # a link has none
        ]
        await self._store.show(row, stored)
        self._wake.set()

    async def run(self) -> None:
        """Send due messages until `stop`. Retries a store that can't be read or written."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                try:
                    lanes, waiting = await self._due()
                except Problem as problem:
                    _log.error("the outbox waits: %s", problem.code)
                    lanes, waiting = {}, None
                if not self._stopping:  # after `stop` only `flush` sends: rows that both had read would be sent twice
                    self._start(group, lanes)
                await self._sleep(min(waiting or IDLE, IDLE))

    async def stop(self) -> None:
        """Start nothing new and wait for running sends, so that they are recorded before the last messages are sent."""
        self._stopping = True
        self._wake.set()
        await all_of(self._lanes.values())

    async def flush(self) -> float | None:
        """Send everything that is due once. Returns the seconds until the next check, None when nothing was due."""
        lanes, waiting = await self._due()
        async with asyncio.TaskGroup() as group:
            self._start(group, lanes)
        return waiting

    async def _due(self) -> tuple[dict[str, list[Outgoing]], float | None]:
        """What can be sent now, by lane, and the seconds until the next check. Busy and waiting lanes are left out."""
        now = self._clock.monotonic()
        held = {lane: until - now for lane, (until, _) in self._holds.items() if until > now}
        rows = await self._store.due_messages(self._clock.now(), BATCH, each=EACH, skip={*held, *self._lanes})
        lanes: dict[str, list[Outgoing]] = defaultdict(list)
        waits = list(held.values())
        for row in rows:
            wait = self._last.get(row.key, -PACE) + (PACE if row.have > 1 else FIRST_PACE) - now
            if wait > 0:
                waits.append(wait)
            elif row.lane not in self._lanes:
                lanes[row.lane].append(row)
        return lanes, 0.0 if lanes else max(0.05, min(waits)) if waits else None

    def _start(self, group: asyncio.TaskGroup, lanes: dict[str, list[Outgoing]]) -> None:
        for lane, ready in lanes.items():
            self._lanes[lane] = group.create_task(self._send_lane(lane, ready), name=f"lane {lane}")

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _send_lane(self, lane: str, rows: Sequence[Outgoing]) -> None:
        try:
            await self._in_turn(lane, rows)
        except Problem as problem:
            _log.error("the outbox waits: %s", problem.code)
            self._hold(lane, IDLE)
        finally:
            del self._lanes[lane]
            self._wake.set()

    async def _in_turn(self, lane: str, rows: Sequence[Outgoing]) -> None:
        """Send the messages of one lane, the oldest first. The lane waits when Slack asks for it, and while nothing arrives.

        A message that fails often doesn't block the others: when the next one arrives, only the failing one waits longer.
        """
        failed: list[Outgoing] = []
        for number, row in enumerate(rows):
            if not self._may_send():  # another replica may be sending these
                self._hold(lane, IDLE)
                return
            if len(self._last) > 5_000:
                self._last.clear()
            self._last[row.key] = self._clock.monotonic()
            trouble = await self._try(row)
            if trouble is None:
                self._holds.pop(lane, None)
                for stuck in failed:
                    await self._later(stuck, min(LONGEST_WAIT, 2.0 ** min(stuck.attempts, 10)), stuck.last_error or "")
                failed.clear()
                continue
            if trouble.remedy is Remedy.WAIT:
                await self._elsewhere.limited(rows[number:], trouble)
                self._hold(lane, trouble.after)
                return
            why = await self._elsewhere.failing(row, trouble) if trouble.remedy is Remedy.RETRY else trouble.code
            await self._store.postpone(row.key, row.due_at, why)  # keeps its place, counts the try
            if trouble.after is not None or row.attempts < 3 or failed:
                self._hold(lane, trouble.after)
                return
            failed.append(row.model_copy(update={"last_error": why}))
        if failed:
            self._hold(lane, None)

    def _hold(self, lane: str, seconds: float | None) -> None:
        failures = self._holds.get(lane, (0.0, 0))[1]
        if seconds is None:
            seconds = min(LONGEST_HOLD, 0.5 * 2.0 ** min(failures, 10))
            failures += 1
        self._holds[lane] = (self._clock.monotonic() + seconds, failures)

    async def _try(self, row: Outgoing) -> SlackTrouble | None:
        """Send one message. None when it is settled, else the problem that stops the lane."""
        plan, tried = row, set[Remedy]()
        form = Form.OLDER if self._clock.monotonic() < self._older_until else Form.FULL
        for _ in range(len(Remedy)):
            try:
                await self.delivery.send(plan, form)
            except Again as again:
                await self._later(row, again.seconds, "card not posted yet")
                return None
            except (SlackApiError, *TRANSPORT) as error:
                trouble = read(error)
            except Problem:  # of the store: nothing was recorded, so the lane waits
                raise
            except Exception as error:  # noqa: BLE001  one message that can't be made must not stop the others
                _log.error("message %s can't be made: %s", row.key, type(error).__name__)
                self._unmade += 1
                await self._store.sent(row.key, row.want)
                return None
            else:
                self._was_sent(newer_refused=form is Form.OLDER and Remedy.PLAIN in tried)
                await self._elsewhere.arrived(row)
                return None
            self.troubles += 1
            _log.warning("message %s: %s", row.key, trouble.code)
            if trouble.refused:
                self.delivery.settled(row.key)
            changed = other_form(plan, form, trouble.remedy)
            if changed is None or (trouble.remedy in tried and trouble.remedy is not Remedy.PLAIN):
                break
            plan, form = changed
            tried.add(trouble.remedy)
        return await self._settle(row, trouble)

    def _was_sent(self, *, newer_refused: bool) -> None:
        """Count it. After a workspace refused newer blocks, cards do without them for an hour."""
        self.sent += 1
        if newer_refused:
            self._older_until = self._clock.monotonic() + OLDER_FOR

    async def _settle(self, row: Outgoing, trouble: SlackTrouble) -> SlackTrouble | None:
        """Handle a definite answer of Slack. Returns the problem when the lane must wait."""
        if trouble.remedy is Remedy.FATAL:
            self._fatal(trouble.code)
        upload = row.kind == "upload"
        passing = trouble.remedy in (Remedy.RETRY, Remedy.WAIT, Remedy.FATAL) or (
            upload and trouble.remedy is Remedy.ANEW
        )
        if passing and not (upload and row.attempts >= MOST_UPLOADS):
            return trouble
        if trouble.remedy is not Remedy.OVER and (passing or row.last_error != trouble.code):
            await self._elsewhere.tell(row, trouble)
        if is_open_question(row):
            await self._later(row, UNTIL_INVITED, trouble.code)
        elif trouble.remedy is Remedy.UNKNOWN and row.attempts < MOST_UNKNOWN:
            await self._later(row, UNTIL_INVITED * 2.0 ** min(row.attempts, MOST_UNKNOWN), trouble.code)
        else:
            await self.delivery.done(row)
        return None

    async def _later(self, row: Outgoing, seconds: float, why: str) -> None:
        await self._store.postpone(row.key, stamp(self._clock.now() + timedelta(seconds=seconds)), why)
