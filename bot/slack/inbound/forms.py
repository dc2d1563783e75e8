"""A submitted modal -> Intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.intent import Form, Intent, Source
from bot.render.form import read_form
from bot.slack.payload import Stamp, dedupe, interaction_actor, interaction_place, text


def read(body: Mapping[str, Any], stamp: Stamp) -> Intent:
    """`form` is the callback id, `token` the opaque id in private_metadata."""
    view = body.get("view")
    view = view if isinstance(view, Mapping) else {}
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else {}
    return stamp.intent(
        Form(
            form=text(view, "callback_id") or "",
            token=text(view, "private_metadata") or "",
            values=read_form(values if isinstance(values, Mapping) else {}),
        ),
        source=Source.MODAL,
        actor=interaction_actor(body),
        place=interaction_place(body),
        dedupe_key=dedupe("view", body, *_identity(body, view)),
        trigger_id=text(body, "trigger_id"),
    )


def _identity(body: Mapping[str, Any], view: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The key of one state of a modal, which can be submitted once; Slack's trigger when a payload lacks an id."""
    ids = (text(view, "id"), text(view, "hash"))
    return ids if all(ids) else (text(body, "trigger_id"), *ids)
