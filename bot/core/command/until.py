"""`until=Mon 07:00` and similar: a local time becomes one instant, or a sentence that says why it can't."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bot.core.command.params import BadParam, HasParams, Param, ParamType, as_typed
from bot.core.errors import BadRequest

LONGEST: Final = timedelta(days=31)
_SHOWN: Final = 60  # characters of what is not a time
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(rf"([0-9]{{1,2}}) ({'|'.join(MONTHS)})(?: ([0-9]{{1,2}}:[0-9]{{2}}))?", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(?:([A-Za-z]{3,9})\s+)?([0-9]{1,2}):([0-9]{2})")
_STAMP: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
_PAST: Final = "{} is in the past; choose a later time"
_ACCEPTED: Final = "write `18:30`, `Mon 07:00` or `2026-11-23T07:00`"


def parse_until(word: str, zone: tzinfo, now: datetime) -> datetime:
    """The instant, in UTC, that `word` means in `zone` at the aware `now`; raises BadParam.

    A time of day is its next occurrence; a weekday or a day of a month (`24 Dec`) with a time likewise. `tomorrow` with a time
    is the next day. A date alone is the start of that day. A time that the clocks skip or show twice on its day is refused with
    what to write instead. The instant is after `now` and at most 31 days ahead.
    """
    text = _with_year(word.strip(), now.astimezone(zone))
    stamp = _STAMP.fullmatch(text)
    clock = _CLOCK.fullmatch(text)
    if stamp is not None:
        instant = _stamp(stamp, zone, word)
    elif clock is not None:
        instant = _next(clock, zone, now, word)
    else:
        raise BadParam(f"{as_typed(word, _SHOWN)} is not a time; {_ACCEPTED}")
    if instant <= now:
        raise BadParam(_PAST.format(in_full(instant)))
    if instant - now > LONGEST:
        raise BadParam(f"`{word}` is more than {LONGEST.days} days ahead; choose an earlier time")
    return instant


def _with_year(text: str, today: datetime) -> str:
    """`24 Dec 07:00` with the year of its next occurrence; other texts stay."""
    if (date := _DATE.fullmatch(text)) is None:
        return text
    month, day = MONTHS.index(date[2].capitalize()) + 1, int(date[1])
    year = today.year + ((month, day) < (today.month, today.day))
    return f"{year}-{month:02}-{day:02}T{date[3] or '00:00':0>5}"


def _stamp(match: re.Match[str], zone: tzinfo, word: str) -> datetime:
    day, clock, offset = match.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")
        return local.astimezone(UTC) if offset else _instant(local, zone, word)
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadParam):
            raise
        raise BadParam(f"{as_typed(word)} is not an existing date and time; {_ACCEPTED}") from None


def _next(match: re.Match[str], zone: tzinfo, now: datetime, word: str) -> datetime:
    name, hour, minute = match.groups()
    try:
        clock = time(int(hour), int(minute))
    except ValueError:
        raise BadParam(f"`{word}` is not a time of day; {_ACCEPTED}") from None
    today = now.astimezone(zone).date()
    tomorrow = name is not None and name.lower() == "tomorrow"
    ahead = 1 if tomorrow else 0 if name is None else (_weekday(name, word) - today.weekday()) % 7
    local = datetime.combine(today + timedelta(days=ahead), clock)
    if max(_both(local, zone)) <= now:
        local += timedelta(days=1 if name is None else 7)
    return _instant(local, zone, word)


def _weekday(name: str, word: str) -> int:
    folded = name.lower()
    for number, day in enumerate(_DAYS):
        if folded in {day, day[:3]}:
            return number
    raise BadParam(f"`{name}` in `{word}` is not a day of the week; write `Mon` to `Sun`")


def _both(local: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The two readings of a local time in UTC. They differ only in the hours when clocks change."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _instant(local: datetime, zone: tzinfo, word: str) -> datetime:
    first, second = _both(local, zone)
    if first == second:
        return first
    shown = f"{local:%Y-%m-%d %H:%M} in {zone}"
    if first.astimezone(zone).replace(tzinfo=None) != local:
        ahead = first.astimezone(zone)
        raise BadParam(
            f"`{word}` does not exist: {shown} is skipped when the clocks go forward; choose another time, "
            f"such as `{ahead.isoformat(timespec='minutes')}`"
        )
    earlier, later = (one.astimezone(zone).isoformat(timespec="minutes") for one in (first, second))
    raise BadParam(
        f"`{word}` is ambiguous: {shown} occurs twice when the clocks go back; write `{earlier}` or `{later}`"
    )


def in_full(instant: datetime) -> str:
    """`2026-11-29T17:00Z`: an instant as `until=` takes it, which Slack shows in the reader's time zone."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M{':%S' if instant.second else ''}}Z"


def on_clock(word: str, zone: str) -> str:
    """An instant as `until=` takes it, on the clock of that zone: `2026-11-29T18:00+01:00`. Other words stay as they are."""
    try:
        instant = datetime.fromisoformat(word)
        there = instant.astimezone(ZoneInfo(zone)) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return word
    return there.isoformat(timespec="seconds" if there.second else "minutes") if there is not None else word


def with_moments(
    declared: Sequence[Param], given: Sequence[tuple[str, str]], zone: str, asked_at: datetime, *, reader: str = ""
) -> tuple[tuple[str, str], ...]:
    """The given parameters with the instant for each time that was typed: `18:00` is another one a day later, and another one
    for a reader elsewhere. It is on the clock of the zone `reader`, where one is given, without an offset where it is the same
    moment without it. Raises BadRequest."""
    moments = {param.name for param in declared if param.type is ParamType.UNTIL}

    def fixed(name: str, word: str) -> str:
        if name not in moments or not word.strip():
            return word
        moment = parse_until(word, ZoneInfo(zone), asked_at)
        return _as_read(moment, zone, asked_at, reader) if reader else in_full(moment)

    try:
        return tuple([(name, fixed(name, word)) for name, word in given])
    except BadParam as problem:
        raise BadRequest(f"{problem}.", code="bad_parameter") from None


def _as_read(moment: datetime, zone: str, asked_at: datetime, reader: str) -> str:
    whole = on_clock(in_full(moment), reader)
    bare = whole[: -len("+01:00")]
    try:
        return bare if parse_until(bare, ZoneInfo(zone), asked_at) == moment else whole
    except BadParam:  # an hour that the clocks show twice
        return whole


def ends_at(asked: HasParams, asked_at: datetime, begins: datetime, zone: str) -> datetime | None:
    """The moment of `until=`, as it was meant when it was asked for, or of `for=`, which counts from `begins`; otherwise None.
    Raises BadRequest for a time that can't be used, such as one before `begins`."""
    lasts, until = asked.params.get("for"), asked.params.get("until")
    if lasts is not None and until is not None:
        raise BadRequest("Give `for=` or `until=`, not both.", code="bad_parameter")
    if isinstance(lasts, int):
        return begins + timedelta(seconds=lasts)
    if isinstance(until, str):
        try:
            ends = parse_until(until, ZoneInfo(zone), asked_at)
        except BadParam as problem:
            raise BadRequest(f"{problem}.", code="bad_parameter") from None
        if ends <= begins:
            raise BadRequest(f"{_PAST.format(in_full(ends))}.", code="bad_parameter")
        return ends
    return None
