"""Times as .NET prints them, and due times of basic and 6-part cron."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.playground.planes.acc_text import WINDOWS_ZONES, describe, next_run, span, trimmed

SYDNEY = ZoneInfo("Australia/Sydney")


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8.9677836, "00:00:08.9677836"),
        (0, "00:00:00.0000000"),
        (86_400, "1.00:00:00.0000000"),
    ],
)
def test_span_is_a_constant_timespan(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_last_updated_drops_zeros_at_the_end() -> None:
    at = epoch("2019-05-21T13:52:23.656843+10:00")
    assert trimmed(at, SYDNEY).startswith("2019-05-21T13:52:23.65684")
    assert trimmed(epoch("2019-05-21T13:52:20+10:00"), SYDNEY) == "2019-05-21T13:52:20+10:00"


def test_description_is_the_sample_of_the_page() -> None:
    start = datetime.fromisoformat("2019-05-30T15:36:00")
    text = describe("0 0 0 1", start, "AUS Eastern Standard Time")
    assert text == "Runs every day at 3:36:00 PM (AET)."


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("0 0 0 1", "2019-05-29T00:00:00+10:00", "2019-05-30T15:36:00+10:00"),
        ("0 0 0 1", "2019-05-30T15:36:00+10:00", "2019-05-31T15:36:00+10:00"),
        # Summer time begins on 6 October 2019: the clock on the wall stays.
        ("0 0 0 1", "2019-10-06T12:00:00+11:00", "2019-10-06T15:36:00+11:00"),
        ("0 30 0 0", "2019-05-30T15:36:01+10:00", "2019-05-30T16:06:00+10:00"),
        ("0 0 6 * * 1-5", "2019-05-31T06:00:00+10:00", "2019-06-03T06:00:00+10:00"),
        ("0 */20 * * * ?", "2019-05-31T06:01:00+10:00", "2019-05-31T06:20:00+10:00"),
    ],
)
def test_next_run_is_in_the_schedules_zone(cron: str, now: str, due: str) -> None:
    start = datetime.fromisoformat("2019-05-30T15:36:00")
    found = next_run(cron, start, SYDNEY, epoch(now))
    assert datetime.fromtimestamp(found, UTC) == datetime.fromtimestamp(epoch(due), UTC)


def test_every_windows_zone_is_known_to_the_time_zone_data() -> None:
    assert all(ZoneInfo(name).key == name for name in WINDOWS_ZONES.values())
