"""How the ACC writes times: 7-digit fractions with an offset, .NET spans, and Windows names of time zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Final
from zoneinfo import available_timezones

from tzlocal.windows_tz import tz_win, win_tz

from bot.core import vendor_json

_SPAN: Final = re.compile(r"(-)?(?:(\d{1,8})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")
START_FORMAT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


def moment(text: str | None) -> datetime | None:
    """An aware time; None for a missing or invalid time, and for .NET's years 1 and 9999, which mean never."""
    found = vendor_json.moment(text)
    return found if found is not None and 1900 <= found.year < 9999 else None


def span(text: str | None) -> timedelta | None:
    """A .NET TimeSpan: `00:00:08.9677836`, `1.02:03:04`; fractions beyond a microsecond are cut."""
    match = _SPAN.fullmatch((text or "").strip())
    if match is None:
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()
    micros = int(((fraction or "") + "000000")[:6])
    length = timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=micros
    )
    return -length if sign else length


def windows_zone(name: str) -> tuple[str, bool]:
    """The Windows name of a zone given by its Windows or IANA name, and whether the zone is known."""
    folded = name.strip().casefold()
    known = {zone.casefold(): zone for zone in win_tz} | {iana.casefold(): zone for iana, zone in tz_win.items()}
    return (known[folded], True) if folded in known else (name.strip(), False)


def is_iana(name: str) -> bool:
    """Whether the tz database has a zone with that name, even one without a Windows name."""
    return name in available_timezones()


def near_zones(name: str) -> list[str]:
    """Up to three similar zone names, Windows or IANA, nearest first."""
    names = {known.casefold(): known for known in (*tz_win, *win_tz)}
    return [names[found] for found in get_close_matches(name.strip().casefold(), names, n=3, cutoff=0.6)]


def exact_text(when: datetime | None) -> str:
    """`2026-11-22 02:23:07 UTC`, or a dash: for times that differ only in seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if when else "-"
