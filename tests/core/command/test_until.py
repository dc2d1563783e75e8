"""A local time becomes one instant, or a sentence that says what to write instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.command.params import BadParam
from bot.core.command.until import LONGEST, parse_until

BERLIN, SANTIAGO, LORD_HOWE = (ZoneInfo(name) for name in ("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"))
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    """An instant written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "instant"),
    [
        ("18:30", "2026-11-22T17:30"),
        ("13:01", "2026-11-22T12:01"),
        ("13:00", "2026-11-23T12:00"),
        ("7:00", "2026-11-23T06:00"),
        ("Mon 07:00", "2026-11-23T06:00"),
        ("monday 07:00", "2026-11-23T06:00"),
        ("SUN 18:30", "2026-11-22T17:30"),
        ("Sun 07:00", "2026-11-29T06:00"),
        ("Sat 00:00", "2026-11-27T23:00"),
        ("tomorrow 07:00", "2026-11-23T06:00"),
        ("Tomorrow 18:30", "2026-11-23T17:30"),
        ("2026-11-23T07:00", "2026-11-23T06:00"),
        ("2026-11-23 07:00", "2026-11-23T06:00"),
        ("2026-11-23", "2026-11-22T23:00"),
        ("2026-11-23T07:00:30", "2026-11-23T06:00:30"),
        ("2026-11-23T07:00Z", "2026-11-23T07:00"),
        ("2026-11-23T07:00-03:00", "2026-11-23T10:00"),
        (" 18:30 ", "2026-11-22T17:30"),
        ("24 Nov", "2026-11-23T23:00"),
        ("1 dec 7:00", "2026-12-01T06:00"),
    ],
)
def test_a_time_is_read_in_the_zone_of_who_wrote_it(word: str, instant: str) -> None:
    """On Sunday 13:00 in Berlin; the answer is in UTC."""
    got = parse_until(word, BERLIN, SUNDAY)
    assert got == utc(instant)
    assert got.tzinfo is UTC


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("", "write `18:30`"),
        ("tomorrow", "write `18:30`"),
        ("24:00", "not a time of day"),
        ("18:60", "not a time of day"),
        ("Moon 07:00", "not a day of the week"),
        ("2026-02-30T07:00", "not an existing date and time"),
        ("2026-11", "write `18:30`"),
        ("2026-11-22", "in the past"),
        ("2026-02-30", "not an existing date and time"),
        ("2026-11-23T7:00", "write `18:30`"),
        ("2026-11-22T12:59", "in the past"),
        ("2026-11-22T13:00", "in the past"),
        ("2026-12-24T07:00", "more than 31 days"),
        ("9999-12-31T23:59", "more than 31 days"),
        ("9999-12-31T23:59-23:00", "not an existing date and time"),
        ("0001-01-01T00:00", "not an existing date and time"),
        ("\u0660\u0667:\u0660\u0660", "write `18:30`"),
    ],
)
def test_what_is_no_usable_time_is_refused_with_what_to_write(word: str, part: str) -> None:
    """Past, too far, or not a time."""
    with pytest.raises(BadParam, match=part):
        parse_until(word, BERLIN, SUNDAY)


def test_31_days_ahead_is_the_last_instant() -> None:
    """To the second."""
    last = SUNDAY + LONGEST
    assert parse_until(f"{last:%Y-%m-%dT%H:%M:%S}Z", BERLIN, SUNDAY) == last
    with pytest.raises(BadParam):
        parse_until(f"{last + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}Z", BERLIN, SUNDAY)


@pytest.mark.parametrize(
    ("zone", "now", "word", "instead"),
    [
        (BERLIN, "2026-03-28T20:00", "02:30", "2026-03-29T03:30"),
        (BERLIN, "2026-03-25T20:00", "Sun 02:00", "2026-03-29T03:00"),
        (BERLIN, "2026-03-25T20:00", "2026-03-29T02:59", "2026-03-29T03:59"),
        (SANTIAGO, "2026-09-05T20:00", "00:30", "2026-09-06T01:30"),
        (LORD_HOWE, "2026-10-03T10:00", "02:15", "2026-10-04T02:45"),
    ],
)
def test_a_time_that_the_clocks_skip_is_refused_with_another(zone: ZoneInfo, now: str, word: str, instead: str) -> None:
    """Half an hour is skipped on Lord Howe, midnight in Santiago; what is offered instead is accepted."""
    with pytest.raises(BadParam, match=r"does not exist.*choose another time") as caught:
        parse_until(word, zone, utc(now))
    assert instead in str(caught.value)
    assert parse_until(instead, zone, utc(now)) > utc(now)


@pytest.mark.parametrize(
    ("zone", "now", "word", "first", "second"),
    [
        (BERLIN, "2026-10-24T20:00", "02:30", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
        (BERLIN, "2026-10-25T00:45", "02:30", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
        (SANTIAGO, "2026-04-04T12:00", "23:30", "2026-04-04T23:30-03:00", "2026-04-04T23:30-04:00"),
        (LORD_HOWE, "2026-04-04T10:00", "01:45", "2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30"),
    ],
)
def test_a_time_that_comes_twice_is_refused_with_both_instants(
    zone: ZoneInfo, now: str, word: str, first: str, second: str
) -> None:
    """The later of them, pasted back, is accepted."""
    with pytest.raises(BadParam, match="ambiguous") as caught:
        parse_until(word, zone, utc(now))
    assert f"`{first}` or `{second}`" in str(caught.value)
    assert parse_until(second, zone, utc(now)) == datetime.fromisoformat(second)


@pytest.mark.parametrize(
    ("zone", "now", "word", "instant"),
    [
        (BERLIN, "2026-03-29T05:00", "02:30", "2026-03-30T00:30"),
        (BERLIN, "2026-10-25T05:00", "02:30", "2026-10-26T01:30"),
        (BERLIN, "2026-03-28T20:00", "03:00", "2026-03-29T01:00"),
        (BERLIN, "2026-10-24T20:00", "03:00", "2026-10-25T02:00"),
        (SANTIAGO, "2026-09-05T20:00", "01:00", "2026-09-06T04:00"),
        (LORD_HOWE, "2026-10-03T10:00", "02:30", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-04T10:00", "02:00", "2026-04-04T15:30"),
    ],
)
def test_times_beside_the_change_of_clocks_are_plain(zone: ZoneInfo, now: str, word: str, instant: str) -> None:
    """Only the hour itself is special."""
    assert parse_until(word, zone, utc(now)) == utc(instant)


@given(
    st.sampled_from([BERLIN, SANTIAGO, LORD_HOWE, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu")]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds
    st.sampled_from(["", "Mon ", "wednesday ", "Sun "]),
    st.times(),
)
def test_an_answer_is_ahead_near_and_shows_the_time_that_was_asked_for(
    zone: ZoneInfo, now: datetime, day: str, clock: object
) -> None:
    """At any moment of two years in five zones, or it is refused for the clocks' sake."""
    wanted = f"{clock:%H:%M}"
    try:
        instant = parse_until(f"{day}{wanted}", zone, now)
    except BadParam as refusal:
        assert "does not exist" in str(refusal) or "ambiguous" in str(refusal)  # noqa: PT017 -- either end is right
        return
    local = instant.astimezone(zone)
    assert now < instant <= now + timedelta(days=8)
    assert f"{local:%H:%M}" == wanted
    if day:
        assert f"{local:%a}".lower() == day[:3].lower()


@given(st.text(max_size=30))
def test_any_words_are_a_time_or_a_bad_parameter(word: str) -> None:
    """Nothing else comes out."""
    try:
        assert parse_until(word, BERLIN, SUNDAY) > SUNDAY
    except BadParam as refusal:
        assert str(refusal)  # noqa: PT017 -- either end is right
