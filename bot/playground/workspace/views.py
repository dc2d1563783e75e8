"""Modals and Home tabs: stacks of at most three views, hashes, kept input values."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from .blocks import check_view, fill_ids, walk_elements
from .errors import ApiError
from .state import Json, State

STACK_LIMIT = 3
VIEW_BYTES = 250_000
GIVEN_FIELDS = ("callback_id", "private_metadata", "external_id")


@dataclass(slots=True)
class View:
    """A view in a person's client: Slack's fields in `body`, what the person entered in `values`."""

    id: str
    user: str
    body: Json
    values: dict[str, dict[str, Json]] = field(default_factory=dict)

    def payload(self) -> Json:
        """The view as interaction payloads carry it."""
        return {**self.body, "state": {"values": {b: dict(v) for b, v in self.values.items()}}}


class Views:
    """All open modals (one stack a person) and published Home tabs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def top(self, user: str) -> View | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def get(self, view_id: object) -> View | None:
        return next((v for v in self._all() if v.id == view_id), None)

    def _all(self) -> list[View]:
        return [v for stack in self.stacks.values() for v in stack] + list(self.homes.values())

    def _by_external(self, external_id: str) -> View | None:
        return next((v for v in self._all() if v.body.get("external_id") == external_id), None)

    def open(self, user: str, given: object) -> View:
        """Open a first modal, which replaces an open one."""
        checked = self.checked(given, "modal")
        self.stacks[user] = []
        return self._append(user, checked)

    def push(self, user: str, given: object, onto: str | None) -> View:
        """Push a modal onto the stack of the view that the trigger came from."""
        stack = self.stacks.get(user, [])
        if not stack or (onto is not None and all(v.id != onto for v in stack)):
            raise ApiError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise ApiError("push_limit_reached")
        return self._append(user, self.checked(given, "modal"))

    def update(self, view: View, given: object, given_hash: str | None = None) -> View:
        """Replace a view's content; entered values stay if block_id, action_id and type stay."""
        if given_hash and given_hash != view.body["hash"]:
            raise ApiError("hash_conflict")
        checked = self.checked(given, view.body["type"], but=view)
        kept = {k: view.body[k] for k in ("root_view_id", "previous_view_id")}
        old = view.values
        view.body = self._body(view.id, checked) | kept
        view.values = initial_values(view.body["blocks"])
        for block_id, entered in old.items():
            for action_id, value in entered.items():
                now = view.values.get(block_id, {}).get(action_id)
                if now is not None and now["type"] == value["type"]:
                    view.values[block_id][action_id] = value
        self._state.changed("home" if view.body["type"] == "home" else "modal", user=view.user)
        return view

    def publish(self, user: str, given: object, given_hash: str | None = None) -> View:
        """Publish a person's Home tab."""
        home = self.homes.get(user)
        if home is not None:
            return self.update(home, given, given_hash)
        checked = self.checked(given, "home")
        view = View(self._state.ids.make("V"), user, {})
        view.body = self._body(view.id, checked)
        view.values = initial_values(view.body["blocks"])
        self.homes[user] = view
        self._state.changed("home", user=user)
        return view

    def locate(self, view_id: str | None, external_id: str | None) -> View:
        found = self.get(view_id) if view_id else self._by_external(external_id or "")
        if found is None:
            raise ApiError("not_found")
        return found

    def close(self, view: View) -> None:
        """Remove the top modal, so that the one under it shows again."""
        stack = self.stacks.get(view.user, [])
        self.stacks[view.user] = [v for v in stack if v is not view]
        self._state.changed("modal", user=view.user)

    def clear(self, user: str) -> None:
        self.stacks[user] = []
        self._state.changed("modal", user=user)

    def _append(self, user: str, checked: Json) -> View:
        stack = self.stacks.setdefault(user, [])
        view = View(self._state.ids.make("V"), user, {})
        view.body = self._body(view.id, checked)
        view.values = initial_values(view.body["blocks"])
        view.body["previous_view_id"] = stack[-1].id if stack else None
        view.body["root_view_id"] = stack[0].id if stack else view.id
        stack.append(view)
        self._state.changed("modal", user=user)
        return view

    def checked(self, given: object, kind: str, but: View | None = None) -> Json:
        """A view that Slack accepts. Raises invalid_arguments (with the places), view_too_large, duplicate_external_id."""
        faults = check_view(given, kind)
        if faults or not isinstance(given, dict):
            raise invalid_arguments([f.text for f in faults])
        if len(json.dumps(given)) > VIEW_BYTES:
            raise ApiError("view_too_large")
        external = given.get("external_id")
        twin = self._by_external(external) if external else None
        if twin is not None and twin is not but:
            raise ApiError("duplicate_external_id")
        return given

    def _body(self, view_id: str, given: Json) -> Json:
        seed = self._state.seed
        now = self._state.clock.now()
        body: Json = {
            "id": view_id,
            "team_id": seed.team_id,
            "type": given["type"],
            "blocks": fill_ids(given["blocks"]),
            **{name: given.get(name, "") for name in GIVEN_FIELDS},
            "state": {"values": {}},
            "hash": f"{now:.0f}.{secrets.token_hex(4)}",
            "title": given.get("title"),
            "clear_on_close": given.get("clear_on_close", False),
            "notify_on_close": given.get("notify_on_close", False),
            "close": given.get("close"),
            "submit": given.get("submit"),
            "previous_view_id": None,
            "root_view_id": view_id,
            "app_id": seed.app.id,
            "app_installed_team_id": seed.team_id,
            "bot_id": seed.app.bot_id,
        }
        return body


def invalid_arguments(messages: list[str]) -> ApiError:
    """The error of views.* methods for a bad view: invalid_arguments with a message for each place."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {m}" for m in messages]})


def initial_values(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """`state.values` of fresh blocks: every stateful element with its initial value or empty."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in walk_elements(blocks):
        entry = initial_entry(element)
        if entry is not None:
            values.setdefault(block["block_id"], {})[element["action_id"]] = entry
    return values


# element type -> (key of the value in state, key of the initial value in the element)
STATEFUL: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}

PLURAL = {"selected_options", "selected_users", "selected_conversations", "selected_channels", "files"}


def initial_entry(element: Json) -> Json | None:
    """One element's entry in state.values, or None for an element without a value (a button)."""
    names = STATEFUL.get(element["type"])
    if names is None:
        return None
    value_key, initial_key = names
    plural = value_key in PLURAL
    return {"type": element["type"], value_key: element.get(initial_key, [] if plural else None)}
