"""An order for now is offered first, whatever its reason, its past or another order says of times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.command.suggest import suggest
from tests.core.command.test_suggest import CATALOG, DEMO


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("restart prices, it's been stuck since 9:15", "restart acc:shop/prices@last -- it's been stuck since 9:15"),
        ("restart prices stuck since 9:15", "restart acc:shop/prices@last"),
        ("stop load_orders, running since 9:15", "stop infa:task/load_orders -- running since 9:15"),
        ("retry friday's run of prices", "retry acc:shop/prices@failed"),
        ("retry prices from friday", "retry acc:shop/prices@failed"),
        ("start prices at the moment", "start acc:shop/prices"),
        ("start prices effective immediately", "start acc:shop/prices"),
        ("start prices right now before the meeting", "start acc:shop/prices"),
        ("stop load_orders before it breaks everything", "stop infa:task/load_orders"),
        ("start the next run of prices", "start acc:shop/prices"),
        ("stop load_orders, it runs twice a day", "stop infa:task/load_orders -- it runs twice a day"),
        ("stop load_orders, deadline is friday", "stop infa:task/load_orders -- deadline is friday"),
        (
            "stop load_orders, it has been stuck for an hour",
            "stop infa:task/load_orders -- it has been stuck for an hour",
        ),
        ("stop load_orders it hangs for 2 hours", "stop infa:task/load_orders"),
        ("stop load_orders, running for 3 hours already", "stop infa:task/load_orders -- running for 3 hours already"),
        ("kill load_orders, the last run took 3 hours", "stop infa:task/load_orders -- the last run took 3 hours"),
        ("start prices although it is paused until friday", "start acc:shop/prices"),
        (
            "resume prices now, it was paused until tomorrow",
            "schedule on acc:shop/prices -- it was paused until tomorrow",
        ),
        ("resume prices, it's paused until 18:00", "schedule on acc:shop/prices -- it's paused until 18:00"),
        ("rerun load_orders the last run took 3 hours", "start infa:task/load_orders"),
        ("stop load_orders wait a minute", "stop infa:task/load_orders"),
        ("stop load_orders for maintenance", "stop infa:task/load_orders"),
        ("start prices and pause stock until 18:00", "start acc:shop/prices"),
        ("restart prices, and pause stock for 2 hours", "restart acc:shop/prices@last"),
        ("start prices and watch it for 2 hours", "start acc:shop/prices"),
        (
            "stop load_orders, then pause prices until 18:00",
            "stop infa:task/load_orders",
        ),
    ],
)
def test_what_is_ordered_for_now_is_offered_first(typed: str, first: str) -> None:
    assert suggest(typed, CATALOG, DEMO)[0] == first


def test_from_the_beginning_is_no_later_time() -> None:
    assert CATALOG.changes(
        str(CATALOG.canonical_verb(suggest("restart prices from the beginning", CATALOG, DEMO)[0].split())[0])
    )


def test_the_end_of_a_pause_that_is_over_is_not_offered_in_a_thread() -> None:
    thread = replace(DEMO, about="acc:shop/prices", recent=("acc:shop/prices",))
    found = suggest("resume it, it was paused until 18:00", CATALOG, thread)
    assert not any(one.startswith("schedule off") for one in found), found
