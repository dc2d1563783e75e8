"""Agents and agent runs of a simulated ACC, and how each is written as JSON (seed 003)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal
from zoneinfo import ZoneInfo

from bot.playground.planes.acc_text import log_name, span, stamp, trimmed

_BACKUP_KEPT = 30 * 86_400


class RunStatus(IntEnum):
    """Status of an agent run."""

    NEVER_RUN = 0
    STARTING = 1
    RUNNING = 2
    DELIVERY = 3
    SUCCEEDED = 4
    FAILED = 5
    STOPPED = 6
    FAILURE = 7


ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.STOPPED, RunStatus.FAILURE})
End = Literal["Succeeded", "Failed", "Stopped", "Failure", "Never"]

_PLAIN_MESSAGES = {
    RunStatus.STARTING: "Starting",
    RunStatus.RUNNING: "Extracting data",
    RunStatus.DELIVERY: "Exporting data",
    RunStatus.SUCCEEDED: "Completed",
    RunStatus.FAILED: "Failed",
    RunStatus.STOPPED: "Stopped",
    RunStatus.FAILURE: "Completed with errors",
}


@dataclass(frozen=True, slots=True)
class Script:
    """The script of an agent's run: seconds per phase, the end, and the final counters.

    A run that does not succeed ends after `running`, without delivery; `Never` doesn't end.
    """

    starting: float = 1.0
    running: float = 9.0
    delivery: float = 2.0
    end: End = "Succeeded"
    message: str | None = None
    pages: int = 40
    rows: int = 120
    downloads: int = 0
    errors: int = 0
    log_lines: tuple[str, ...] = ()


@dataclass(slots=True)
class Agent:
    """An agent of the repository.

    The nth run follows `scripts[n]`, and later ones the last script. `sessions` is how many
    performance sessions it may have (0: it supports none). `log_bytes` pads its logs.
    """

    agent_id: str
    path: str
    directory_id: str
    description: str | None = None
    scripts: tuple[Script, ...] = (Script(),)
    approved: bool = True
    sessions: int = 0
    job_runs: int = 1
    backup: bool = False
    data_files: tuple[str, ...] = ("data.csv",)
    server_ip: str = "10.20.0.11"
    log_bytes: int = 0
    runs_begun: int = 0
    jobs_begun: int = 0

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def next_script(self) -> Script:
        """The script of the next run."""
        script = self.scripts[min(self.runs_begun, len(self.scripts) - 1)]
        self.runs_begun += 1
        return script

    def details(self) -> dict[str, object]:
        """Reply of the agent lookup."""
        return {
            "agentId": self.agent_id,
            "name": self.name,
            "directoryId": self.directory_id,
            "description": self.description,
        }


@dataclass(frozen=True, slots=True)
class Options:
    """The parameters of a start."""

    session_id: str = ""
    log_level: int = 1
    production: bool = True
    parameters: str | None = None
    input_files: tuple[str, ...] = ()
    delete_inputs: bool = False
    windowless: bool = True


@dataclass(slots=True)
class Run:
    """A run of an agent; its state follows from its script and the time."""

    run_id: str
    agent: Agent
    started: float
    script: Script
    options: Options
    speed: float = 1.0
    session_id: str | None = None
    job_number: int = 0
    schedule_id: str | None = None
    method: str = "start"
    carried: float = 0.0
    ended: float | None = None
    ended_as: RunStatus | None = None
    ended_message: str | None = None

    def _elapsed(self, now: float) -> float:
        return (min(now, self.ended or now) - self.started) * self.speed

    @property
    def _running(self) -> float:
        return self.script.running * (1 - self.carried)

    def planned_end(self) -> float | None:
        """When the script ends the run; None for one that never ends."""
        if self.script.end == "Never":
            return None
        length = self.script.starting + self._running
        if self.script.end == "Succeeded":
            length += self.script.delivery
        return self.started + length / self.speed

    def end(self, now: float) -> float | None:
        """When the run ended, or None while it is active."""
        planned = self.planned_end()
        if self.ended is not None and (planned is None or self.ended <= planned):
            return self.ended
        return planned if planned is not None and planned <= now else None

    def status(self, now: float) -> RunStatus:
        """The status at `now`."""
        end = self.end(now)
        if end is not None:
            forced = self.ended_as if end == self.ended else None
            return forced or RunStatus[self.script.end.upper()]
        elapsed = self._elapsed(now)
        if elapsed < self.script.starting:
            return RunStatus.STARTING
        if self.script.end == "Never" or elapsed < self.script.starting + self._running:
            return RunStatus.RUNNING
        return RunStatus.DELIVERY

    def active(self, now: float) -> bool:
        """Whether the run is still active."""
        return self.end(now) is None

    def progress(self, now: float) -> float:
        """The progress of the extraction, 0 to 1."""
        if self._running <= 0:
            return 1.0
        end = self.end(now)
        elapsed = self._elapsed(now if end is None else end) - self.script.starting
        done = min(1.0, max(0.0, elapsed / self._running))
        if self.script.end == "Failed":
            done *= 0.6
        return self.carried + (1 - self.carried) * done

    def finish(self, now: float, status: RunStatus, message: str | None = None) -> None:
        """End the run now."""
        self.ended, self.ended_as, self.ended_message = now, status, message

    def message(self, now: float) -> str:
        """The status as text."""
        status = self.status(now)
        if status in ENDED and self.ended is not None and self.end(now) == self.ended:
            return self.ended_message or _PLAIN_MESSAGES[status]
        if status in ENDED and self.script.message:
            return self.script.message
        return _PLAIN_MESSAGES[status]

    def counters(self, now: float) -> dict[str, int]:
        """The counters by their names in the Run record."""
        done = self.progress(now)
        pages = int(self.script.pages * done)
        rows = int(self.script.rows * done)
        delivered = self.status(now) is RunStatus.SUCCEEDED and self.options.production
        return {
            "successActionCount": pages * 2,
            "dynamicSuccessActionCount": pages,
            "volume": pages * 25,
            "pageLoadCount": pages,
            "requestCount": pages * 33,
            "downloadCount": int(self.script.downloads * done),
            "errors": int(self.script.errors * done + 0.5),
            "dataCount": rows,
            "deliveryCount": rows if delivered else 0,
        }

    def log_path(self, zone: ZoneInfo) -> str:
        """The name of its log file."""
        return log_name(self.agent.name, self.started, zone)

    def details(self, now: float, zone: ZoneInfo) -> dict[str, object]:
        """The Run record with its 28 fields."""
        end = self.end(now)
        planned = self.planned_end()
        expected = stamp(planned, zone) if planned is not None and end is None else None
        kept = end is not None and self.agent.backup
        return {
            "agentRunHistoryId": self.run_id,
            "agentId": self.agent.agent_id,
            "sessionId": self.session_id,
            "runId": self.job_number,
            "agentJobScheduleId": self.schedule_id,
            "serverIp": self.agent.server_ip,
            "startTime": stamp(self.started, zone),
            "endTime": None if end is None else stamp(end, zone),
            "expectedEndTime": expected,
            "runTime": span((now if end is None else end) - self.started),
            "status": int(self.status(now)),
            **self.counters(now),
            "statusMessage": self.message(now),
            "logPath": self.log_path(zone),
            "inputParameters": self.options.parameters,
            "logLevel": self.options.log_level,
            "isWindowLess": self.options.windowless,
            "isProductionRun": self.options.production,
            "backupDataExpiry": stamp(end + _BACKUP_KEPT, zone) if kept and end else None,
            "lastUpdated": trimmed(now if end is None else end, zone),
        }
