"""The place of a press (a message, a modal, the Home tab) and its element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .blocks import walk_elements
from .core import Core
from .errors import CannotAct
from .payloads import function_data, on_message, on_view
from .state import Json, Message
from .views import View, initial_values

Values = dict[str, dict[str, Json]]
PRESSED = {"button", "workflow_button", "icon_button", "overflow", "feedback_buttons"}


@dataclass(slots=True)
class Place:
    """A message (with its blocks as the person sees them) or a view."""

    blocks: list[Json]
    values: Values
    message: Message | None = None
    view: View | None = None

    def where(self, core: Core) -> Json:
        """The payload fields for the place of the interaction."""
        if self.view is not None:
            return on_view(self.view)
        if self.message is None:
            raise CannotAct("no such message")
        return on_message(core, self.message) | function_data(self.message)


class Places:
    """One person's places. Values entered into messages are kept here; views keep their own."""

    def __init__(self, core: Core, user_id: str) -> None:
        self._core = core
        self._user = user_id
        self._entered: dict[tuple[str, str], Values] = {}
        self._suggested: dict[str, list[Json]] = {}

    def find(self, container: object, ts: str | None = None, seen: Json | None = None) -> Place:
        """By (channel, ts), a view id, "modal" or "home". `seen` is an earlier state of the message."""
        if isinstance(container, list | tuple):
            container, ts = container
        name = str(container)
        if ts is not None:
            return self._on_message(name, ts, seen)
        view = self._view(name)
        if view is None or view.user != self._user:
            raise CannotAct(f"{self._user} has no open view {name!r}")
        return Place(view.body["blocks"], view.values, view=view)

    def _view(self, name: str) -> View | None:
        if name == "modal":
            return self._core.views.top(self._user)
        if name == "home":
            return self._core.views.homes.get(self._user)
        return self._core.views.get(name)

    def _on_message(self, channel_id: str, ts: str, seen: Json | None) -> Place:
        channel = self._core.state.channel_for(channel_id)
        message = self._core.state.find(channel_id, ts)
        if channel is None or self._user not in channel.members:
            raise CannotAct(f"{self._user} is not in {channel_id}")
        if message is None or message.ephemeral_for not in (None, self._user):
            raise CannotAct("this message is gone")
        blocks = (seen or message.body).get("blocks", [])
        values = self._entered.setdefault((channel_id, ts), {})
        for block_id, fresh in initial_values(blocks).items():
            for action_id, value in fresh.items():
                values.setdefault(block_id, {}).setdefault(action_id, value)
        return Place(blocks, values, message=message)

    def suggested(self, action_id: str, options: Sequence[Json] = ()) -> list[Json]:
        """All options suggested so far for an external menu; new ones are added."""
        known = self._suggested.setdefault(action_id, [])
        known.extend(o for o in options if o not in known)
        return known


def element(
    place: Place, action_id: str | None, block_id: str | None, kinds: set[str], value: str | None = None
) -> tuple[Json, Json]:
    """(block, element) of these types with this action_id and block_id, a button also with this value. CannotAct."""
    there = [(b, e) for b, e in walk_elements(place.blocks) if e["type"] in kinds]
    for block, found in there:
        other_button = found["type"] == "button" and value is not None and found.get("value") != value
        if action_id in (None, found["action_id"]) and block_id in (None, block["block_id"]) and not other_button:
            return block, found
    now = ", ".join(_text(e) for _, e in there) or "nothing to press"
    raise CannotAct(f"this has changed, and what you used is gone; now it has {now}")


def labelled(place: Place, label: str) -> tuple[Json, Json, str | None]:
    """(block, element, option value) of the button, or of the overflow entry, with this text."""
    there = [(b, e) for b, e in walk_elements(place.blocks) if e["type"] in PRESSED]
    for block, found in there:
        if found.get("text", {}).get("text") == label:
            return block, found, None
    for block, found in there:
        for option in found.get("options", []):
            if option["text"]["text"] == label:
                return block, found, option.get("value", label)
        for side in ("positive_button", "negative_button"):
            if found.get(side, {}).get("text", {}).get("text") == label:
                return block, found, found[side]["value"]
    raise CannotAct(f"no button {label!r}; the elements are: {_names(there)}")


def _names(there: list[tuple[Json, Json]]) -> str:
    names = [f"{e['action_id']} ({_text(e)})" for _, e in there]
    return ", ".join(names) or "none"


def _text(found: Json) -> str:
    if found["type"] == "overflow":
        return "overflow: " + ", ".join(o["text"]["text"] for o in found["options"])
    return str(found.get("text", {}).get("text", found["type"]))
