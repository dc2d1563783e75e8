"""Turns payloads of Slack into Intents, one function for each source; `mentions.py` does so for messages. No decisions here."""

from collections.abc import Mapping
from typing import Any

from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse
from bot.core.intent import Actor, Command, Form, FormChange, Intent, Open, Place, Press, Source
from bot.render.block_kit import mention
from bot.render.blocks import action_of
from bot.render.form import read_form as fields_of
from bot.slack.mentions import without_mention
from bot.slack.payload import (
    Stamp,
    command_actor,
    command_place,
    dedupe,
    event_actor,
    file_ids,
    interaction_actor,
    interaction_place,
    text,
)


def read_command(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog) -> Intent:
    """A slash command. An empty one opens the launcher; the grammar reads any other."""
    typed = text(body, "text") or ""
    ask = parse(typed, catalog) if typed.strip() else Open(what="launcher")
    return stamp.intent(
        ask,
        source=Source.COMMAND,
        actor=command_actor(body),
        place=command_place(body),
        dedupe_key=dedupe("command", body, text(body, "trigger_id")),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        typed=typed,
    )


def read_action(body: Mapping[str, Any], stamp: Stamp) -> Intent | None:
    """A pressed button or a chosen menu entry, with its value as the opaque id; None for links and type-ahead menus."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, Mapping):
        return None
    button = text(first, "value") or text(first, "selected_option", "value")
    if button is None:
        return None
    source = Source.HOME if text(body, "view", "type") == "home" else Source.BUTTON
    return stamp.intent(
        Press(action=action_of(text(first, "action_id") or ""), button=button),
        source=source,
        actor=interaction_actor(body),
        place=interaction_place(body),
        dedupe_key=dedupe("action", body, *_press_of(body, first)),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        times=(first.get("action_ts"),),
    )


def _press_of(body: Mapping[str, Any], action: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The key of one press: who pressed what, where and when (or Slack's trigger when it has no time)."""
    pressed_at = text(action, "action_ts")
    if pressed_at is None:
        return (text(body, "trigger_id"),)
    place = interaction_place(body)
    where = (place.team_id, place.channel_id, place.message_ts or text(body, "view", "id"))
    return (*where, text(body, "user", "id"), text(action, "block_id"), text(action, "action_id"), pressed_at)


def read_form(body: Mapping[str, Any], stamp: Stamp) -> Intent:
    """A submitted modal. `form` is the callback id, `token` the opaque id in private_metadata."""
    view = body.get("view")
    view = view if isinstance(view, Mapping) else {}
    return stamp.intent(
        _form(view),
        source=Source.MODAL,
        actor=interaction_actor(body),
        place=interaction_place(body),
        dedupe_key=dedupe("view", body, *_form_state(body, view)),
        trigger_id=text(body, "trigger_id"),
    )


def form_changed(body: Mapping[str, Any]) -> FormChange | None:
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
        values=fields_of(values if isinstance(values, Mapping) else {}),
    )


def _form_state(body: Mapping[str, Any], view: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The key of one state of a modal, which can be submitted once; Slack's trigger when a payload lacks an id."""
    ids = (text(view, "id"), text(view, "hash"))
    return ids if all(ids) else (text(body, "trigger_id"), *ids)


def read_home(body: Mapping[str, Any], stamp: Stamp) -> Intent | None:
    """The Home tab was opened by its owner; None for the Messages tab."""
    event = body.get("event")
    if not isinstance(event, Mapping) or event.get("tab") != "home":
        return None
    return stamp.intent(
        Open(what="home"),
        source=Source.HOME,
        actor=event_actor(body, event),
        place=Place(team_id=text(body, "team_id") or "", channel_id=text(event, "channel") or ""),
        dedupe_key=dedupe("event", body, text(body, "event_id")),
    )


def read_shortcut(body: Mapping[str, Any], stamp: Stamp, bot_user_id: str) -> Intent:
    """`launcher` from anywhere, `work_on_message` with the words and the files of a message."""
    message = body.get("message")
    message = message if isinstance(message, Mapping) else {}
    return stamp.intent(
        Open(
            what=text(body, "callback_id") or "launcher",
            text=without_mention(text(message, "text") or "", bot_user_id)[:3000],
            own=text(message, "user") == bot_user_id,
            files=file_ids(message),
        ),
        source=Source.SHORTCUT,
        actor=interaction_actor(body),
        place=_place(body, message),
        dedupe_key=dedupe("shortcut", body, text(body, "trigger_id")),
        response_url=text(body, "response_url"),
        trigger_id=text(body, "trigger_id"),
        times=(body.get("action_ts"),),
    )


def _place(body: Mapping[str, Any], message: Mapping[str, Any]) -> Place:
    place = interaction_place(body)
    ts = text(message, "ts") or text(body, "message_ts")
    return place.model_copy(update={"thread_ts": text(message, "thread_ts") or ts, "message_ts": ts})


def read_step(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog) -> Intent | None:
    """A workflow step. Inputs: `command` (text), `channel` (id), `user` (id of the person who started the workflow).

    The author of a workflow can put any person into its inputs. So the step acts as its app, and a rule must name that app's
    id. The person from the inputs is only recorded in the reason, as not verified.
    """
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    inputs = event.get("inputs")
    inputs = inputs if isinstance(inputs, Mapping) else {}
    typed = text(inputs, "command") or ""
    ask = parse(typed, catalog)
    claimed = text(inputs, "user")
    if isinstance(ask, Command) and claimed:
        by = f"started by {mention(claimed) or claimed}, not verified"
        ask = ask.model_copy(update={"reason": f"{ask.reason} ({by})" if ask.reason else by})
    team = text(body, "team_id") or ""
    return stamp.intent(
        ask,
        source=Source.STEP,
        actor=Actor(
            user_id=text(event, "function", "app_id") or "", team_id=team, enterprise_id=text(body, "enterprise_id")
        ),
        place=Place(team_id=team, channel_id=text(inputs, "channel") or "", chosen=True),
        dedupe_key=dedupe("step", body, text(event, "function_execution_id") or text(body, "event_id")),
        times=(event.get("event_ts"), body.get("event_time")),
        step_id=text(event, "function_execution_id"),
        typed=typed,
    )
