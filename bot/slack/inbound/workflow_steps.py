"""A workflow step (function_executed) -> Intent.

The author of a workflow can put any person into its inputs. So the step acts as its app, and a rule must name that app's
id. The person from the inputs is only recorded in the reason, as not verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.slack.payload import Stamp, dedupe, slack_time, text


def read(body: Mapping[str, Any], stamp: Stamp, catalog: Catalog) -> Intent | None:
    """Inputs: `command` (text), `channel` (id), `user` (id of the person who started the workflow, not verified)."""
    event = body.get("event")
    if not isinstance(event, Mapping):
        return None
    inputs = event.get("inputs")
    inputs = inputs if isinstance(inputs, Mapping) else {}
    typed = text(inputs, "command") or ""
    ask = parse(typed, catalog)
    claimed = text(inputs, "user")
    if isinstance(ask, Command) and claimed:
        ask = ask.model_copy(
            update={"reason": f"{ask.reason or 'no reason'} (workflow started by {claimed}, not verified)"}
        )
    team = text(body, "team_id") or ""
    return stamp.intent(
        ask,
        source=Source.STEP,
        actor=Actor(
            user_id=text(event, "function", "app_id") or "", team_id=team, enterprise_id=text(body, "enterprise_id")
        ),
        place=Place(team_id=team, channel_id=text(inputs, "channel") or "", chosen=True),
        dedupe_key=dedupe("step", body, text(event, "function_execution_id") or text(body, "event_id")),
        sent_at=slack_time(text(event, "event_ts")),
        step_id=text(event, "function_execution_id"),
        typed=typed,
    )
