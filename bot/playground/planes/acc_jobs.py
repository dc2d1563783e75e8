"""Job runs, schedules, inputs and approvals of a simulated ACC as records (seed 003)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from bot.playground.planes.acc_model import ENDED, Agent, Options, Run, RunStatus
from bot.playground.planes.acc_text import describe, minute_stamp, next_run, stamp, trimmed, zone_of


class JobStatus(IntEnum):
    """Status of a job run."""

    NEVER_RUN = 0
    IN_PROGRESS = 1
    IN_PROGRESS_WITH_FAILURE = 2
    SUCCEEDED = 3
    FAILURE = 4
    FAILED = 5


class ScheduleStatus(IntEnum):
    """Status of a schedule's last run."""

    WAITING = 0
    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3


JOB_ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILURE, JobStatus.FAILED})


@dataclass(slots=True)
class JobRun:
    """A run of an agent's job, with the agent runs that it began."""

    job_id: str
    agent: Agent
    number: int
    started: float
    runs: list[Run] = field(default_factory=list)
    marked: JobStatus | None = None

    def status(self, now: float) -> JobStatus:
        """The status that was set by hand, else the status that follows from its runs."""
        if self.marked is not None:
            return self.marked
        states = [run.status(now) for run in self.runs]
        bad = [state for state in states if state in ENDED and state is not RunStatus.SUCCEEDED]
        if any(state not in ENDED for state in states):
            return JobStatus.IN_PROGRESS_WITH_FAILURE if bad else JobStatus.IN_PROGRESS
        if RunStatus.FAILED in bad:
            return JobStatus.FAILED
        return JobStatus.FAILURE if bad else JobStatus.SUCCEEDED

    def active(self, now: float) -> bool:
        """Whether the job is still active."""
        return self.status(now) not in JOB_ENDED

    def details(self, now: float, zone: ZoneInfo) -> dict[str, object]:
        """The JobRun record with its 20 fields, without a status message."""
        ends = [run.end(now) for run in self.runs]
        done = [end for end in ends if end is not None]
        over = len(done) == len(ends)
        totals: dict[str, int] = {}
        for run in self.runs:
            for name, value in run.counters(now).items():
                key = "total" + name[0].upper() + name[1:]
                totals[key] = totals.get(key, 0) + value
        return {
            "agentJobHistoryId": self.job_id,
            "agentId": self.agent.agent_id,
            "startTime": stamp(self.started, zone),
            "endTime": stamp(max(done), zone) if over and done else None,
            **totals,
            "completedScheduleCount": int(over),
            "totalScheduleCount": 1,
            "completedRunCount": len(done),
            "totalRunCount": len(self.runs),
            "runId": self.number,
            "status": int(self.status(now)),
            "agentJobSetting": None,
        }


@dataclass(slots=True)
class Schedule:
    """A schedule of an agent's job, as written, with the status of its last run."""

    schedule_id: str
    agent: Agent
    cron: str
    start: datetime
    zone_name: str
    options: Options
    enabled: bool
    due: float | None = None
    last_job: JobRun | None = None
    error: str | None = None

    def plan(self, now: float) -> None:
        """Set the next due time; a disabled schedule has none."""
        zone = zone_of(self.zone_name)
        self.due = next_run(self.cron, self.start, zone, now) if self.enabled else None

    def status(self, now: float) -> ScheduleStatus:
        """Failed if the last start was refused, else the status of the last job run."""
        if self.error is not None:
            return ScheduleStatus.FAILED
        if self.last_job is None:
            return ScheduleStatus.WAITING
        if self.last_job.active(now):
            return ScheduleStatus.RUNNING
        good = self.last_job.status(now) is JobStatus.SUCCEEDED
        return ScheduleStatus.SUCCEEDED if good else ScheduleStatus.FAILED

    def details(self, now: float, zone: ZoneInfo) -> dict[str, object]:
        """The Schedule record with its 16 fields; `zone` is the server's."""
        job = self.last_job
        ends = [run.end(now) for run in job.runs] if job is not None else []
        done = max((end for end in ends if end is not None), default=None)
        own = zone_of(self.zone_name)
        return {
            "scheduleId": self.schedule_id,
            "agentId": self.agent.agent_id,
            "cron": self.cron,
            "cronDescription": describe(self.cron, self.start, self.zone_name),
            "sessionId": self.options.session_id or None,
            "startTime": self.start.isoformat(),
            "timeZoneId": self.zone_name,
            "nextRunTime": None if self.due is None else minute_stamp(self.due, own),
            "inputParameters": self.options.parameters or "{}",
            "logLevel": self.options.log_level,
            "isWindowless": self.options.windowless,
            "errorMessage": self.error,
            "scheduleStatus": int(self.status(now)),
            "lastRunTime": None if job is None else trimmed(job.started, zone),
            "completedTime": None if done is None else stamp(done, zone),
            "isEnabled": self.enabled,
        }


@dataclass(slots=True)
class Input:
    """An input file of an agent."""

    name: str
    content: bytes
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Approval:
    """A line of Audit > File Logs written by an approval call."""

    at: float
    agent_path: str
    approved: bool
    message: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One change that a call made: the action, the agent path and the id."""

    at: float
    action: str
    agent_path: str
    ref: str
