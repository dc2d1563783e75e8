"""A button carries an id, never authority: which presses count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.intent import Actor, Intent, Place, Press, Source
from bot.core.records import StoredButton, stamp
from bot.intents.button import not_valid

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUTTON = StoredButton(
    id="b" * 26, message_key="op:r-1", only_user="U0ANA", made_at=stamp(NOW), channel_id="C0CRAWL", ts="1.000100"
)


def press(user: str = "U0ANA", channel: str = "C0CRAWL", ts: str = "1.000100") -> Intent:
    """A press of that person on a message."""
    return Intent(
        request_id="r-2",
        dedupe_key="action:1",
        actor=Actor(user_id=user, team_id="T0ACME"),
        place=Place(team_id="T0ACME", channel_id=channel, message_ts=ts),
        source=Source.BUTTON,
        at=NOW,
        payload=Press(action="stop", button=BUTTON.id),
    )


def test_a_known_button_on_its_own_message_counts_for_its_person() -> None:
    assert not_valid(BUTTON, press()) is None


@pytest.mark.parametrize(
    ("button", "pressed", "why_not"),
    [
        (None, press(), "not known"),
        (BUTTON.model_copy(update={"retired_at": stamp(NOW)}), press(), "was used or replaced"),
        (BUTTON, press(user="U0BOB"), "Only the requester"),
        (BUTTON, press(channel="C0OTHER"), "another channel"),
        (BUTTON, press(ts="2.000200"), "a copy of the message"),
    ],
    ids=["unknown", "used", "of another person", "in another channel", "on a copy"],
)
def test_any_other_press_is_refused_with_the_reason(button: StoredButton | None, pressed: Intent, why_not: str) -> None:
    assert why_not in (not_valid(button, pressed) or "")


@pytest.mark.parametrize("unknown", [{"only_user": None}, {"channel_id": None, "ts": None}], ids=str)
def test_what_the_store_does_not_know_of_a_button_is_not_checked(unknown: dict[str, Any]) -> None:
    """A button for everyone, and one whose message was not posted yet."""
    pressed = press(user="U0BOB") if "only_user" in unknown else press(channel="D0ANA", ts="3.000300")
    assert not_valid(BUTTON.model_copy(update=unknown), pressed) is None
