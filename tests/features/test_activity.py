"""What was done when, as a chart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.audit import Event
from bot.core.records import StoredEntry, stamp
from bot.features.builtins.activity import activity

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("length", [timedelta(seconds=80), timedelta(minutes=9), timedelta(hours=4), timedelta(days=3)])
def test_no_two_spans_have_the_same_label(length: timedelta) -> None:
    """Otherwise Slack refuses the chart: an incident that is open for a minute has spans of seconds."""
    entry = StoredEntry(seq=1, at=stamp(NOW - length / 2), request_id="r", event=Event.DONE, hash="", prev_hash="")
    chart = activity([entry], NOW - length, NOW)
    assert chart is not None
    assert len(set(chart.labels)) == len(chart.labels) == 8


def test_without_a_start_the_chart_spans_what_it_counts_and_says_how_long_ago_that_is() -> None:
    """A night's thread that is read the next day: ten minutes, five hours ago."""
    ages = (timedelta(hours=5, minutes=10), timedelta(hours=5))
    rows = [
        StoredEntry(seq=1, at=stamp(NOW - age), request_id="r", event=Event.DONE, hash="", prev_hash="") for age in ages
    ]
    chart = activity(rows, None, NOW)
    assert chart is not None
    assert chart.labels[0] == "5 h 10 min ago"
    assert chart.labels[-1] == "5 h 1 min ago"
    assert chart.series[-1].values == (1, 0, 0, 0, 0, 0, 0, 1)
    assert len(set(chart.labels)) == 8
