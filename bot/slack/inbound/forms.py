"""A submitted modal -> Intent; a changed field of one -> FormChange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Form, FormChange, Intent, Source
from bot.render.form import read_form
from bot.slack.payload import Stamp, dedupe, interaction_actor, interaction_place, text


def read(body: Mapping[str, Any], stamp: Stamp) -> Intent:
    """`form` is the callback id, `token` the opaque id in private_metadata."""
    view = body.get("view")
    view = view if isinstance(view, Mapping) else {}
    return stamp.intent(
        _form(view),
        source=Source.MODAL,
        actor=interaction_actor(body),
        place=interaction_place(body),
        dedupe_key=dedupe("view", body, *_identity(body, view)),
        trigger_id=text(body, "trigger_id"),
    )


def changed(body: Mapping[str, Any]) -> FormChange | None:
    """A change of a live field, None for what is not in a modal."""
    view = body.get("view")
    if not isinstance(view, Mapping) or view.get("type") != "modal":
        return None
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    hashed, ts = text(view, "hash") or "", text(first, "action_ts") or ""
    return FormChange(interaction_actor(body), _form(view), text(view, "id") or "", hashed, ts)


def _form(view: Mapping[str, Any]) -> Form:
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else {}
    return Form(
        form=text(view, "callback_id") or "",
        token=text(view, "private_metadata") or "",
        values=read_form(values if isinstance(values, Mapping) else {}),
    )


def _identity(body: Mapping[str, Any], view: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The key of one state of a modal, which can be submitted once; Slack's trigger when a payload lacks an id."""
    ids = (text(view, "id"), text(view, "hash"))
    return ids if all(ids) else (text(body, "trigger_id"), *ids)
