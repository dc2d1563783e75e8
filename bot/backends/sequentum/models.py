"""The used parts of the ACC's JSON (SEED: the vendor's page "API Access"); core/vendor_json reads odd fields.

Times stay text, which `times.py` reads: a year 1 or a missing offset is common. A status that becomes a word some day is
shown as unknown. An unreadable id is empty.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, ClassVar, Final
from zoneinfo import available_timezones

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel
from tzlocal.windows_tz import tz_win, win_tz

from bot.backends.sequentum.states import JOB, RUN, named
from bot.core import vendor_json
from bot.core.outcome import Phase
from bot.core.value import Json
from bot.core.vendor_json import Id, Number, Text, Time, Whole, WireModel

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


class AccModel(WireModel):
    """Fields are written in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)


class Agent(AccModel):
    """Reply of GET api/agent. `name` is the last part of the path, in the ACC's own spelling."""

    agent_id: Id = ""
    name: Id = ""


class AnyRun(AccModel):
    """The fields that agent runs and job runs share. `run_id` is the number of the job run within the agent, 0 without one."""

    states: ClassVar[Mapping[int, tuple[str, Phase]]]
    id: Id = ""
    agent_id: Id = ""
    run_id: Whole | None = None
    start_time: Time | None = None
    end_time: Time | None = None
    status: Whole | Text | None = None

    @property
    def state(self) -> str:
        """The name of its status."""
        return named(self.states, self.status)[0]

    @property
    def phase(self) -> Phase:
        """Its phase; UNREADABLE for an undocumented status."""
        return named(self.states, self.status)[1]


class Run(AnyRun):
    """An agent run. `input_parameters` is JSON text."""

    states = RUN
    id: Id = Field(default="", alias="agentRunHistoryId")
    session_id: Text | None = None
    agent_job_schedule_id: Text | None = None
    server_ip: Text | None = None
    expected_end_time: Time | None = None
    run_time: Text | None = None
    page_load_count: Number | None = None
    errors: Number | None = None
    data_count: Number | None = None
    status_message: Text | None = None
    input_parameters: Json = None
    is_production_run: bool | None = None


class JobRun(AnyRun):
    """A job run, which has no message."""

    states = JOB
    id: Id = Field(default="", alias="agentJobHistoryId")
    total_page_load_count: Number | None = None
    total_errors: Number | None = None
    total_data_count: Number | None = None
    completed_run_count: Whole | None = None
    total_run_count: Whole | None = None


class Schedule(AccModel):
    """A schedule as it is listed. `start_time` has no offset: it is local to `time_zone_id`, a Windows zone name.

    `input_parameters` is JSON text (SEED); an object is read as well.
    """

    id: Id = Field(default="", alias="scheduleId")
    cron: Text | None = None
    cron_description: Text | None = None
    session_id: Text | None = None
    start_time: Text | None = None
    time_zone_id: Text | None = None
    next_run_time: Time | None = None
    input_parameters: Text | dict[str, Any] | None = None
    log_level: Whole | None = None
    is_windowless: bool | None = None
    error_message: Text | None = None
    schedule_status: Whole | Text | None = None
    last_run_time: Time | None = None
    is_enabled: bool | None = None


class Started(AccModel):
    """Reply of cluster/start: one id, more with performance sessions."""

    agent_run_history_ids: tuple[Id, ...] = ()


class JobStarted(AccModel):
    """Reply of job start."""

    id: Id = Field(default="", alias="agentJobHistoryId")
    job_run_id: Whole | None = None


class ServerStatus(AccModel):
    """Reply of server/check. Usages look like `6%, a:13%, p: 23 % `: now, average and peak."""

    is_error: bool | None = None
    message: Text | None = None
    cpu_usages: Text | None = None
    memory_usages: Text | None = None
    disc_usages: Text | None = None
    cpu_threshold: Number | None = None
    memory_threshold: Number | None = None
