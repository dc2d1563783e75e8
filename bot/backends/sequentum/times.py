"""How the ACC writes times: 7-digit fractions with an offset, .NET spans, and Windows names of time zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bot.backends.sequentum.zones import IANA_TO_WINDOWS, WINDOWS_TO_IANA

_SPAN: Final = re.compile(r"(-)?(?:(\d{1,8})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")
START_FORMAT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


def moment(text: str | None) -> datetime | None:
    """An aware time; None for nothing, for what is no time, and for .NET's year 1, which means never."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year < 1900:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
    """The Windows name of a zone given by either name, and whether it is one that we know."""
    folded = name.strip().casefold()
    for windows in WINDOWS_TO_IANA:
        if windows.casefold() == folded:
            return windows, True
    for iana, windows in IANA_TO_WINDOWS.items():
        if iana.casefold() == folded:
            return windows, True
    return name.strip(), False


def is_iana(name: str) -> bool:
    """Whether the tz database has a zone of that name, also one that has no Windows name here."""
    return name in available_timezones()


def near_zones(name: str) -> list[str]:
    """Names of zones, Windows or IANA, that look like this one, the nearest first; three at most."""
    names = {known.casefold(): known for known in (*IANA_TO_WINDOWS, *WINDOWS_TO_IANA)}
    return [names[found] for found in get_close_matches(name.strip().casefold(), names, n=3, cutoff=0.6)]


def zone_of(windows: str | None) -> tzinfo | None:
    """The zone behind a Windows name, None when it is not in the table."""
    iana = WINDOWS_TO_IANA.get(windows or "")
    return ZoneInfo(iana) if iana else None


def exact_text(when: datetime | None) -> str:
    """`2026-11-22 02:23:07 UTC`, or a dash: where seconds tell two things apart."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if when else "-"


def local_text(when: datetime | None, windows: str | None) -> str:
    """The time on the clocks of that zone, or with its own offset when the zone is unknown: `2026-11-23 07:00 +01:00`."""
    if when is None:
        return "-"
    zone = zone_of(windows)
    return (when.astimezone(zone) if zone else when).isoformat(" ", "minutes").replace("+", " +")
