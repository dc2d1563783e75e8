"""Acts of one person: typing, posting, pressing buttons, filling in forms, and reading."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from . import editing, person_view
from .core import Core
from .courier import Courier
from .errors import ApiError, CannotAct
from .forms import entry, locate, pick
from .modals import Modals
from .objects import file_json
from .payloads import block_actions, interaction, on_message, slash_command
from .places import PRESSED, Place, Places, element, labelled
from .posting import share
from .receipt import Receipt
from .responding import Responder
from .state import Channel, Json, Message, User
from .steps import run_step
from .suggesting import flat, suggest
from .views import STATEFUL
from .web_api.files import new_file
from .wording import escaped, plain, rich_text

T = TypeVar("T")
POLL_SECONDS = 0.01, 0.05  # at first, and after a second


class Person:
    """One person of the workspace; every act returns a Receipt. Raises CannotAct if Slack doesn't offer the act."""

    def __init__(self, core: Core, courier: Courier, responder: Responder, user_id: str) -> None:
        if user_id not in core.state.users:
            raise CannotAct(f"no user {user_id}")
        self.id = user_id
        self._core = core
        self._courier = courier
        self._responder = responder
        self._places = Places(core, user_id)
        self._modals = Modals(core, courier, self._places, user_id)

    @property
    def dm(self) -> str:
        """The id of the person's DM with the bot, opened if necessary."""
        return self._core.state.open_im(self.id).id

    def _user(self) -> User:
        user = self._core.state.users[self.id]
        if user.deleted:
            raise CannotAct(f"{self.id} is deactivated")
        return user

    def _channel(self, channel_id: str) -> Channel:
        channel = self._core.state.channel_for(channel_id)
        if channel is None or self.id not in channel.members:
            raise CannotAct(f"{self.id} is not in {channel_id}")
        return channel

    async def command(self, channel_id: str, typed: str) -> Receipt:
        """Type a whole slash command ("/ops status"). Only people of the installing team have it."""
        user, channel = self._user(), self._channel(channel_id)
        name, _, text = typed.strip().partition(" ")
        row = next((c for c in self._core.seed.app.commands if c.command == name), None)
        if row is None or user.team_id != self._core.seed.team_id:
            self._responder.whisper(channel, self.id, f"`{name}` is not a valid command.")
            return Receipt(error="invalid_command")
        state = self._core.state
        text = escaped(state, text.strip(), labels=True) if row.should_escape else plain(state, text.strip())
        payload = slash_command(self._core, user, channel, name, text)
        answer = await self._courier.send("slash_commands", payload)
        receipt = Receipt.of(answer)
        if answer.error:
            self._responder.whisper(channel, self.id, f'{name} failed with the error "{answer.error}"')
        elif isinstance(answer.body, dict):
            try:
                self._responder.answer_command(channel, self.id, typed.strip(), answer.body)
            except ApiError as refused:
                detail = tuple(refused.extra.get("errors", (refused.code,)))
                error = "invalid_command_response"
                self._responder.whisper(channel, self.id, f'{name} failed with the error "{error}"')
                return Receipt.of(answer, error=error, detail=detail)
        return receipt

    async def post(
        self,
        channel_id: str,
        text: str,
        thread_ts: str | None = None,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Receipt:
        """Write a message; a mention of the bot is an app_mention, in the bot's DM and in a group DM it is a message event."""
        user, channel = self._user(), self._channel(channel_id)
        wire = escaped(self._core.state, text, labels=False)
        body: Json = {
            "type": "message",
            "user": user.id,
            "client_msg_id": str(uuid.uuid4()),
            "text": wire,
            "team": user.team_id,
            "ts": self._core.clock.next_ts(),
        }
        if thread_ts:
            parent = self._core.state.find(channel.id, thread_ts)
            if parent is None or parent.ephemeral_for is not None:
                raise CannotAct(f"no thread {thread_ts} in {channel.id}")
            body["thread_ts"] = parent.thread_ts or parent.ts
        message = self._post(channel, body, files)
        event = self._event(channel, message, wire)
        return await self._told(event, channel, message.ts)

    def _post(self, channel: Channel, body: Json, files: Sequence[tuple[str, bytes]]) -> Message:
        if not files:
            return self._core.state.add(Message(channel.id, body))
        stored = []
        for name, data in files:
            file = new_file(self._core, name, len(data), self.id)
            file.bytes = data
            self._core.state.files[file.id] = file
            stored.append(file)
        return share(self._core, channel, stored, body | {"upload": True})

    def _event(self, channel: Channel, message: Message, wire: str) -> Json | None:
        bot = self._core.state.bot_user
        shared = {"channel": channel.id, "event_ts": message.ts, "blocks": rich_text(wire)}
        body = {k: v for k, v in message.body.items() if k != "upload"} | shared
        if channel.is_im:
            extra: Json = {"channel_type": "im"}
            return body | extra | ({"subtype": "file_share", "upload": True} if "files" in body else {})
        if channel.is_mpim and f"<@{bot}" not in wire:
            return body | {"channel_type": "mpim"}
        mentioned = f"<@{bot}>" in wire or f"<@{bot}|" in wire
        if not mentioned or bot not in channel.members:
            return None
        event = body | {"type": "app_mention"}
        if channel.is_ext_shared:
            event |= {"user_team": body["team"], "source_team": body["team"]}
        return event

    async def edit(self, channel_id: str, ts: str, text: str) -> Receipt:
        """Edit an own message: a mention of the bot is an app_mention again, in a DM it is a message_changed event."""
        self._user()
        channel = self._channel(channel_id)
        message = editing.own_message(self._core, channel, ts, self.id)
        event = editing.edit(self._core, channel, message, escaped(self._core.state, text, labels=False))
        return await self._told(event, channel, ts)

    async def delete(self, channel_id: str, ts: str) -> Receipt:
        """Delete an own message: a message_deleted event in a DM, no event in a channel."""
        self._user()
        channel = self._channel(channel_id)
        event = editing.delete(self._core, channel, editing.own_message(self._core, channel, ts, self.id))
        return await self._told(event, channel, ts)

    async def _told(self, event: Json | None, channel: Channel, ts: str) -> Receipt:
        answer = await self._courier.event(event, channel=channel.id) if event else None
        return Receipt.of(answer, ts=ts, error=None) if answer else Receipt(ts=ts)

    async def press(
        self,
        container: str,
        ts: str | None = None,
        *,
        action_id: str | None = None,
        block_id: str | None = None,
        value: str | None = None,
        seen: Json | None = None,
    ) -> Receipt:
        """Press a button, or choose an overflow entry by `value` (or its text).

        `container` is a channel with `ts`, or a view id, "modal" or "home". `seen` is a message that messages()
        returned earlier: the press of a client that hasn't drawn an update yet.
        """
        place = self._places.find(container, ts, seen)
        block, found = element(place, action_id, block_id, PRESSED, value)
        return await self._press(place, block, found, value)

    async def press_label(
        self, container: str, ts: str | None = None, label: str = "", *, seen: Json | None = None
    ) -> Receipt:
        """Press the button (or overflow entry) with this text."""
        place = self._places.find(container, ts, seen)
        block, found, value = labelled(place, label)
        return await self._press(place, block, found, value)

    async def _press(self, place: Place, block: Json, found: Json, value: str | None) -> Receipt:
        action = {k: v for k, v in found.items() if k in _CARRIED} | {"block_id": block["block_id"]}
        if found["type"] == "overflow":
            action["selected_option"] = pick(found["options"], value or "")
        if found["type"] == "feedback_buttons":
            sides = (found["positive_button"], found["negative_button"])
            side = next((s for s in sides if s["value"] == value), sides[0])
            action |= {"value": side["value"], "text": side["text"]}
        return await self._act(place, action)

    async def _act(self, place: Place, action: Json) -> Receipt:
        payload = block_actions(self._core, self._user(), place.where(self._core), action, place.values)
        return Receipt.of(await self._courier.send("interactive", payload))

    async def choose(
        self,
        container: str,
        ts: str | None = None,
        action_id: str | None = None,
        value: Any = None,
        *,
        block_id: str | None = None,
    ) -> Receipt:
        """Choose in a select, picker, radio group or checkboxes; several values as a list.

        In an input block without dispatch_action, this only fills in the field, as in Slack.
        """
        place = self._places.find(container, ts)
        block, found = element(place, action_id, block_id, set(STATEFUL))
        made = await self._entry(place, block, found, value)
        place = self._places.find(container, ts)  # a view may have been replaced while its options were asked for
        place.values[block["block_id"]][found["action_id"]] = made
        self._core.state.changed("modal" if place.view else "messages", user=self.id)
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Receipt()
        ids = {"action_id": found["action_id"], "block_id": block["block_id"]}
        extra: Json = {k: found[k] for k in ("placeholder", "confirm") if k in found}
        return await self._act(place, {**made, **ids, **extra})

    async def _entry(self, place: Place, block: Json, found: Json, value: Any) -> Json:
        if found["type"] == "file_input":
            return {"type": "file_input", "files": self._attach(value or ())}
        if "external" not in found["type"]:
            return entry(found, value)
        options: list[Json] = []
        for wanted in [value] if isinstance(value, str) else value or []:
            known = [*_chosen(place, block, found), *self._places.suggested(found["action_id"])]
            if not any(wanted in (o.get("value"), o["text"]["text"]) for o in known):
                groups = await suggest(self._core, self._courier, self._user(), place, (block, found), query=wanted)
                known = flat(groups)
            options.append(pick(known, wanted))
        return entry(found, value, options)

    async def enter(self, view_id: str, values: Mapping[str, Any]) -> None:
        """Fill in fields of a modal (by block_id, label or action_id) without submitting."""
        place = self._places.find(view_id)
        for name, value in values.items():
            block, found = locate(place.blocks, name)
            made = await self._entry(place, block, found, value)
            place = self._places.find(view_id)
            place.values[block["block_id"]][found["action_id"]] = made
        self._core.state.changed("modal", user=self.id)

    def _attach(self, files: Sequence[tuple[str, bytes]]) -> list[Json]:
        shown = []
        for name, data in files:
            file = new_file(self._core, name, len(data), self.id)
            file.bytes, file.pending = data, False
            file.channels.append(self.dm)
            self._core.state.files[file.id] = file
            shown.append(file_json(self._core.state, file, self._core.base_url))
        return shown

    async def submit(self, view_id: str = "modal", values: Mapping[str, Any] | None = None) -> Receipt:
        """Fill in and submit a modal; the receipt's errors are those of the form, by block_id."""
        await self.enter(view_id, values or {})
        return await self._modals.submit(self._user(), self._places.find(view_id))

    async def close(self, view_id: str = "modal", *, clear: bool = False) -> Receipt:
        """Close a modal with Cancel; `clear` closes the whole stack with the X."""
        return await self._modals.close(self._user(), self._places.find(view_id), clear=clear)

    async def shortcut(self, callback_id: str) -> Receipt:
        """Run a global shortcut: no channel, no response_url."""
        self._shortcut_row(callback_id, "global")
        payload = interaction(self._core, "shortcut", self._user())
        payload |= {
            "callback_id": callback_id,
            "trigger_id": self._core.triggers.make(self.id),
            "action_ts": self._core.clock.next_ts(),
        }
        return Receipt.of(await self._courier.send("interactive", payload))

    def _shortcut_row(self, callback_id: str, kind: str) -> None:
        rows = self._core.seed.app.shortcuts
        installed = self._user().team_id == self._core.seed.team_id
        if not installed or not any(r.callback_id == callback_id and r.kind == kind for r in rows):
            raise CannotAct(f"{self.id} has no {kind} shortcut {callback_id!r}")

    async def message_shortcut(self, callback_id: str, channel_id: str, ts: str) -> Receipt:
        """Run a message shortcut (message_action); not offered on ephemeral messages."""
        self._shortcut_row(callback_id, "message")
        place = self._places.find(channel_id, ts)
        if place.message is None or place.message.ephemeral_for is not None:
            raise CannotAct("message shortcuts do not appear on ephemeral messages")
        where = on_message(self._core, place.message)
        path = self._core.responses.make("app", self.id, channel_id, ts)
        payload = interaction(self._core, "message_action", self._user())
        payload |= {
            "channel": where["channel"],
            "message": where["message"],
            "message_ts": ts,
            "callback_id": callback_id,
            "trigger_id": self._core.triggers.make(self.id),
            "response_url": self._core.base_url + path,
            "action_ts": self._core.clock.next_ts(),
        }
        return Receipt.of(await self._courier.send("interactive", payload))

    async def open_home(self, tab: str = "home") -> Receipt:
        """Open the app's Home (or Messages) tab: sends app_home_opened, with the view if one is published."""
        self._user()
        event: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.dm,
            "tab": tab,
            "event_ts": self._core.clock.next_ts(),
        }
        home = self._core.views.homes.get(self.id)
        if home is not None and tab == "home":
            event["view"] = home.payload()
        answer = await self._courier.event(event)
        return Receipt.of(answer, error=None) if answer else Receipt()

    async def run_step(self, callback_id: str, inputs: Mapping[str, Any] | None = None) -> Receipt:
        """Run a workflow that has the app's step; the workspace's `steps` has the result."""
        return await run_step(self._core, self._courier, self._user(), callback_id, dict(inputs or {}))

    async def suggest(self, container: Any, action_id: str, query: str) -> list[Json]:
        """Type into an external menu and get its options; `container` also as (channel, ts)."""
        return flat(await self.suggest_groups(container, action_id, query))

    async def suggest_groups(self, container: Any, action_id: str, query: str) -> list[Json]:
        """The same with their groups: `{"label": text or None, "options": [...]}`."""
        place = self._places.find(container)
        found = element(place, action_id, None, {"external_select", "multi_external_select"})
        groups = await suggest(self._core, self._courier, self._user(), place, found, query=query)
        self._places.suggested(action_id, flat(groups))
        return groups

    def messages(self, channel_id: str, thread_ts: str | None = None) -> list[Json]:
        """The messages that the person sees now, oldest first, including their ephemeral ones."""
        return person_view.messages(self._core, self.id, channel_id, thread_ts)

    def modal(self) -> Json | None:
        return person_view.view_shown(self._core.views.top(self.id))

    def home(self) -> Json | None:
        return person_view.view_shown(self._core.views.homes.get(self.id))

    async def wait_for(self, predicate: Callable[[Person], T], timeout: float = 30.0) -> T:  # noqa: ASYNC109
        """The predicate's first truthy value; a LookupError counts as "not yet". On timeout, AssertionError with a dump."""
        time, (shortest, longest) = asyncio.get_running_loop().time, POLL_SECONDS
        began = time()
        while True:
            with suppress(LookupError):
                if value := predicate(self):
                    return value
            if (waited := time() - began) > timeout:
                raise AssertionError(f"not within {timeout} s; {person_view.dump(self._core, self.id)}")
            await asyncio.sleep(min(longest, max(shortest, waited / 20)))


_CARRIED = {"type", "action_id", "text", "value", "style", "url", "confirm", "icon"}


def _chosen(place: Place, block: Json, found: Json) -> list[Json]:
    """The options that an external menu already has."""
    held = place.values[block["block_id"]][found["action_id"]]
    one = held.get("selected_option")
    return [*held.get("selected_options", []), *([one] if one else [])]
