"""Which requests skip the queue: those that a person or Slack can't wait for, and those that stop something."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.intent import Actor, Command, Due, Form, Intent, Open, ParseError, Payload, Place, Press, Source
from bot.intents.dispatcher import URGENT_VERBS, ends_things, is_urgent


def request(payload: Payload) -> Intent:
    """A request with that payload."""
    return Intent(
        request_id="r-1",
        dedupe_key="1",
        actor=Actor(user_id="U0ANA", team_id="T0ACME"),
        place=Place(team_id="T0ACME", channel_id="C0CRAWL"),
        source=Source.COMMAND,
        at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
        payload=payload,
    )


@pytest.mark.parametrize("verb", sorted(URGENT_VERBS))
def test_a_command_that_stops_something_is_urgent(verb: str) -> None:
    intent = request(Command(verb=verb, target="acc:shop/prices"))
    assert ends_things(intent)
    assert is_urgent(intent)


@pytest.mark.parametrize(
    "payload",
    [
        Press(action="approve", button="b" * 26),
        Form(form="deny", token="t" * 26),
        Open(what="launcher"),
        Due(what="pause", row="p-1"),
    ],
    ids=lambda payload: payload.kind,
)
def test_decisions_modals_and_timers_are_urgent_but_stop_nothing(payload: Payload) -> None:
    """A modal's trigger works for three seconds."""
    assert is_urgent(request(payload))
    assert not ends_things(request(payload))


@pytest.mark.parametrize(
    "payload", [Command(verb="start", target="acc:shop/prices"), ParseError(text="strat", problem="not a verb")]
)
def test_other_commands_wait_their_turn(payload: Payload) -> None:
    assert not is_urgent(request(payload))
