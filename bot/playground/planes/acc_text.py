"""How the ACC writes times: .NET spans and offsets, Windows zone names, basic and 6-part cron.

Source: seed 003 (Run, JobRun and Schedule samples); the 4-part form is read as
`sec min hour day` counted from the start time, as backends.md section 4.2, row 12, guesses.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

TICKS = 10_000_000

WINDOWS_ZONES: dict[str, str] = {
    "UTC": "Etc/UTC",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "Romance Standard Time": "Europe/Paris",
    "Central European Standard Time": "Europe/Warsaw",
    "E. Europe Standard Time": "Europe/Chisinau",
    "FLE Standard Time": "Europe/Kiev",
    "GTB Standard Time": "Europe/Bucharest",
    "Turkey Standard Time": "Europe/Istanbul",
    "Russian Standard Time": "Europe/Moscow",
    "Egypt Standard Time": "Africa/Cairo",
    "South Africa Standard Time": "Africa/Johannesburg",
    "W. Central Africa Standard Time": "Africa/Lagos",
    "E. Africa Standard Time": "Africa/Nairobi",
    "Morocco Standard Time": "Africa/Casablanca",
    "Israel Standard Time": "Asia/Jerusalem",
    "Arab Standard Time": "Asia/Riyadh",
    "Arabian Standard Time": "Asia/Dubai",
    "Iran Standard Time": "Asia/Tehran",
    "Pakistan Standard Time": "Asia/Karachi",
    "India Standard Time": "Asia/Calcutta",
    "Sri Lanka Standard Time": "Asia/Colombo",
    "Nepal Standard Time": "Asia/Katmandu",
    "Bangladesh Standard Time": "Asia/Dhaka",
    "SE Asia Standard Time": "Asia/Bangkok",
    "China Standard Time": "Asia/Shanghai",
    "Singapore Standard Time": "Asia/Singapore",
    "Taipei Standard Time": "Asia/Taipei",
    "W. Australia Standard Time": "Australia/Perth",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Korea Standard Time": "Asia/Seoul",
    "Cen. Australia Standard Time": "Australia/Adelaide",
    "AUS Central Standard Time": "Australia/Darwin",
    "E. Australia Standard Time": "Australia/Brisbane",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Tasmania Standard Time": "Australia/Hobart",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "Alaskan Standard Time": "America/Anchorage",
    "Pacific Standard Time": "America/Los_Angeles",
    "US Mountain Standard Time": "America/Phoenix",
    "Mountain Standard Time": "America/Denver",
    "Central Standard Time": "America/Chicago",
    "Central Standard Time (Mexico)": "America/Mexico_City",
    "Canada Central Standard Time": "America/Regina",
    "Eastern Standard Time": "America/New_York",
    "SA Pacific Standard Time": "America/Bogota",
    "Atlantic Standard Time": "America/Halifax",
    "Newfoundland Standard Time": "America/St_Johns",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Argentina Standard Time": "America/Buenos_Aires",
    "Pacific SA Standard Time": "America/Santiago",
    "Azores Standard Time": "Atlantic/Azores",
}

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def span(seconds: float) -> str:
    """A .NET TimeSpan in its constant form: `00:00:08.9677836`, `1.02:03:04.0000000`."""
    ticks = max(0, round(seconds * TICKS))
    whole, fraction = divmod(ticks, TICKS)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    day = f"{days}." if days else ""
    return f"{day}{hour:02}:{minute:02}:{second:02}.{fraction:07}"


def stamp(epoch: float, zone: ZoneInfo) -> str:
    """Seven fractional digits and the zone's offset: `2019-05-21T13:52:14.3020127+10:00`."""
    whole, fraction = divmod(round(epoch * TICKS), TICKS)
    local = datetime.fromtimestamp(whole, zone).isoformat()
    return f"{local[:19]}.{fraction:07}{local[19:]}"


def trimmed(epoch: float, zone: ZoneInfo) -> str:
    """As `stamp`, without the zeros at the end of the fraction, as `lastUpdated` has it."""
    return re.sub(r"\.?0+(?=[+-]\d\d:\d\d$)", "", stamp(epoch, zone))


def minute_stamp(epoch: float, zone: ZoneInfo) -> str:
    """No fraction, but an offset: `2019-05-30T15:36:00+10:00`."""
    return datetime.fromtimestamp(round(epoch), zone).isoformat()


def log_name(agent: str, epoch: float, zone: ZoneInfo) -> str:
    """The log file of a run, with its 12-hour clock: `quick-2019_05_21-01_52_14.log`."""
    local = datetime.fromtimestamp(epoch, zone)
    return f"{agent}-{local.strftime('%Y_%m_%d-%I_%M_%S')}.log"


def zone_of(windows_name: str) -> ZoneInfo:
    """The zone of a Windows name; raises ValueError for any other name."""
    iana = WINDOWS_ZONES.get(windows_name)
    if iana is None:
        raise ValueError(f"The time zone ID '{windows_name}' was not found on the local computer.")
    return ZoneInfo(iana)


def local_start(text: str) -> datetime:
    """A start time without zone; raises ValueError unless it is `yyyy-MM-ddTHH:mm:ss`."""
    if _WRITTEN.fullmatch(text) is None:
        raise ValueError("startTime must be in the format yyyy-MM-ddTHH:mm:ss.")
    return datetime.fromisoformat(text)


def next_run(cron: str, start: datetime, zone: ZoneInfo, now: float) -> float:
    """Epoch seconds of the first run after `now`, not before `start`.

    Raises ValueError for a cron that is neither basic (4 parts) nor 6-part.
    """
    parts = cron.split()
    if len(parts) == 4:
        return _next_basic(_interval(parts), start, zone, now)
    if len(parts) in {6, 7}:
        return _next_cron(_fields(parts[:6]), start, zone, now)
    raise ValueError(f"The cron expression '{cron}' is not valid.")


def describe(cron: str, start: datetime, windows_zone: str) -> str:
    """`Runs every day at 3:36:00 PM (AET).` for whole days, else the interval in words."""
    parts = cron.split()
    if len(parts) != 4:
        return f"Runs by the cron expression {cron} ({abbreviation(windows_zone)})."
    seconds = _interval(parts)
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    count = seconds // size
    every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    hour = start.hour % 12 or 12
    clock = f"{hour}:{start:%M:%S} {'AM' if start.hour < 12 else 'PM'}"
    at = f" at {clock}" if unit == "day" else ""
    return f"Runs {every}{at} ({abbreviation(windows_zone)})."


def abbreviation(windows_zone: str) -> str:
    """The initials, as the sample's AET for AUS Eastern Standard Time."""
    words = [word for word in re.findall(r"[A-Za-z]+", windows_zone) if word != "Standard"]
    return windows_zone if len(words) == 1 else "".join(word[0] for word in words).upper()


def _interval(parts: list[str]) -> int:
    try:
        second, minute, hour, day = (int(part) for part in parts)
    except ValueError:
        raise ValueError(f"The cron expression '{' '.join(parts)}' is not valid.") from None
    seconds = second + 60 * minute + 3_600 * hour + 86_400 * day
    if seconds <= 0 or min(second, minute, hour, day) < 0:
        raise ValueError("The schedule interval must be greater than zero.")
    return seconds


def _next_basic(seconds: int, start: datetime, zone: ZoneInfo, now: float) -> float:
    first = start.replace(tzinfo=zone).timestamp()
    if first > now:
        return first
    if seconds % 86_400:
        return first + ((now - first) // seconds + 1) * seconds
    # Whole days keep the clock on the wall over a change of summer time.
    step = timedelta(days=seconds // 86_400)
    due = start + step * max(0, int((now - first) // seconds) - 1)
    while due.replace(tzinfo=zone).timestamp() <= now:
        due += step
    return due.replace(tzinfo=zone).timestamp()


def _fields(parts: list[str]) -> list[set[int]]:
    return [_field(part, *bounds) for part, bounds in zip(parts, _RANGES, strict=True)]


def _field(part: str, low: int, high: int) -> set[int]:
    chosen: set[int] = set()
    for piece in part.split(","):
        found = re.fullmatch(r"(\*|\?|\d+(?:-\d+)?)(?:/(\d+))?", piece)
        if found is None:
            raise ValueError(f"The cron field '{part}' is not valid.")
        body, step = found[1], int(found[2] or 1)
        ends = [int(end) for end in re.findall(r"\d+", body)]
        first = ends[0] if ends else low
        last = ends[-1] if len(ends) == 2 or (ends and found[2] is None) else high
        if step < 1 or first < low or last > high or first > last:
            raise ValueError(f"The cron field '{part}' is not valid.")
        chosen |= set(range(first, last + 1, step))
    return chosen


def _next_cron(fields: list[set[int]], start: datetime, zone: ZoneInfo, now: float) -> float:
    seconds, minutes, hours, days, months, weekdays = fields
    local = datetime.fromtimestamp(now, UTC).astimezone(zone).replace(tzinfo=None)
    after = max(local, start - timedelta(seconds=1))
    for offset in range(366 * 4):
        day = (after + timedelta(days=offset)).replace(hour=0, minute=0, second=0, microsecond=0)
        # Sunday is 0 in cron and 6 in Python.
        if day.day not in days or day.month not in months:
            continue
        if (day.weekday() + 1) % 7 not in weekdays:
            continue
        for hour in sorted(hours):
            if day + timedelta(hours=hour + 1) <= after:
                continue
            for minute in sorted(minutes):
                for second in sorted(seconds):
                    due = day + timedelta(hours=hour, minutes=minute, seconds=second)
                    if due > after:
                        return due.replace(tzinfo=zone).timestamp()
    raise ValueError("The cron expression never comes due.")
