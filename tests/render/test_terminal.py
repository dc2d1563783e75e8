from __future__ import annotations

import re
import unicodedata
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from bot.core.card import Button, Card, Line
from bot.core.outcome import Fact, Table
from bot.render.terminal import render_text
from bot.render.zones import in_zone

from .cards import PLACE, cards

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cards)
def test_no_control_character_reaches_the_terminal(any_card):
    """Newlines are the only control character; nothing reorders or hides what is read."""
    text = render_text(any_card)
    kinds = {unicodedata.category(char) for char in set(text.replace("\n", ""))}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_a_card_is_for_people_and_groups_and_never_for_a_channel():
    called = Card(key="k", place=PLACE, title="Denied", mention=("C0INC", "U0ANA", "S0LEADS"))
    assert render_text(called) == "Denied\nFor: U0ANA S0LEADS"
    assert render_text(called.model_copy(update={"byline": "<@U0ANA>: try"})) == "Denied\n<@U0ANA>: try\nFor: S0LEADS"
    assert render_text(called.model_copy(update={"mention": ("C0INC",)})) == "Denied"


def test_a_card_reads_well_on_a_terminal():
    card = Card(
        key="k",
        place=PLACE,
        title="status acc:shop/prices",
        status="Running",
        lines=(Line(text="All well.", heading="Summary"), Line(text="a\tb\n\x1b[2Jc", code=True)),
        facts=(Fact(label="State", value="RUNNING"), Fact(label="Rows exported", value=12)),
        table=Table(columns=("Run", "Rows"), rows=(("名前", "7"), ("b", "1200")), total=9, note="Newest first."),
        buttons=(Button(label="Stop", action="stop", id="b1"),),
    )
    assert render_text(card) == (
        "status acc:shop/prices - Running\n\n"
        "Summary\n"
        "All well.\n\n"
        "    a   b\n"
        "    <U+001B>[2Jc\n\n"
        "State          RUNNING\n"
        "Rows exported  12\n\n"
        "Run   Rows\n"
        "名前     7\n"
        "b     1200\n"
        "Showing 2 of 9.\n"
        "Newest first.\n\n"
        "In Slack: [Stop]"
    )


def test_details_are_shown_when_they_are_asked_for():
    card = Card(key="k", place=PLACE, title="t", details=(Fact(label="Request", value="r-1"),))
    assert render_text(card) == "t"
    assert render_text(card, verbose=True) == "t\n\nRequest  r-1"


def test_times_are_in_the_zone_of_the_terminal_and_name_it():
    """Log lines stay as they are."""
    text = "Paused until 2026-07-16 12:00 UTC.\n    2026-07-16 12:00 UTC start\nat 2026-12-16 12:00:07 UTC"
    assert in_zone(text, ZoneInfo("Europe/Lisbon")) == (
        "Paused until 2026-07-16 13:00 WEST.\n    2026-07-16 12:00 UTC start\nat 2026-12-16 12:00:07 WET"
    )


def test_a_time_to_type_is_printed_as_it_is_to_be_typed():
    text = "write `2026-11-01T00:00:00Z`, before 2026-07-16 12:00 UTC"
    assert in_zone(text, ZoneInfo("Europe/Lisbon")) == "write `2026-11-01T00:00:00Z`, before 2026-07-16 13:00 WEST"


def test_nothing_but_cells_is_cut():
    card = Card(
        key="k", place=PLACE, title="t", lines=(Line(text="x" * 50_000),), facts=(Fact(label="v", value="y" * 9_000),)
    )
    text = render_text(card)
    assert len(re.findall("x", text)) == 50_000
    assert len(re.findall("y", text)) == 9_000
