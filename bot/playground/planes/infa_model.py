"""Secure Agents, their services, tasks, job runs and schedules of a simulated IICS organization.

Sources: SEED is seed 000 (service states); DOC the vendor's REST API reference; CODE public clients (iics-cli for v2 agents and
engines, infapy for activity and schedules).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Phase = Literal["running", "starting", "stopping", "stopped", "error"]


def utc(epoch: float) -> str:
    """`2026-05-28T20:26:40.000Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def eastern(epoch: float) -> str:
    """Eastern Time followed by a Z, as `startTime` and `endTime` of jobs come (DOC activityLog, and published samples)."""
    return datetime.fromtimestamp(epoch, ZoneInfo("America/New_York")).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(slots=True)
class Service:
    """A service of an agent, by its display name; `start_fails`: every start ends in ERROR."""

    display_name: str
    app_name: str
    version: str = "70.0.1"
    phase: Phase = "running"
    since: float = 0.0
    start_fails: bool = False
    starts: int = 0

    def settle(self, now: float, pace: "Pace") -> None:
        """Leave a transitional phase after its time."""
        age = now - self.since
        if self.phase == "starting" and self.start_fails and age >= pace.starting:
            self.phase = "error"
        elif self.phase == "starting" and age >= pace.starting + pace.initialising:
            self.phase = "running"
        elif self.phase == "stopping" and age >= pace.stopping:
            self.phase = "stopped"

    def status(self, now: float, pace: "Pace") -> tuple[str, str]:
        """SEED states; CODE iics-cli: RUNNING counts as up only with sub-state "0", "-1" is initialising."""
        if self.phase == "starting":
            state = "STARTING" if now - self.since < pace.starting else "RUNNING"
            return state, "-1"
        states = {"running": "RUNNING", "error": "ERROR", "stopping": "STOPPING"}
        return states.get(self.phase, "USER_STOPPED"), "0"

    def engine(self, now: float, pace: "Pace", with_configs: bool) -> dict[str, object]:
        """CODE iics-cli agents.go: the AgentEngine of the v2 details, with its configs on demand."""
        status, sub_state = self.status(now, pace)
        wanted = "STOPPED" if self.phase == "stopping" else "RUNNING"
        engine: dict[str, object] = {
            "@type": "AgentEngine",
            "agentEngineStatus": {
                "@type": "AgentEngineStatus",
                "appname": self.app_name,
                "appDisplayName": self.display_name,
                "appversion": f"{self.version}.{self.starts}",
                "replacePolicy": "STOPFIRST",
                "status": status,
                "desiredStatus": wanted,
                "subState": sub_state,
                "createTime": utc(self.since),
                "updateTime": utc(self.since),
            },
        }
        if with_configs:
            config = {"type": "TOMCAT_JRE", "name": "INFA_MEMORY", "value": "-Xmx512m"}
            rest = {"platform": None, "customized": False, "defaultValue": "-Xmx512m"}
            engine["agentEngineConfigs"] = [{"@type": "AgentEngineConfig", **config, **rest}]
        return engine


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of the transitional states; `job` is the length of a task's run."""

    starting: float = 3.0
    initialising: float = 3.0
    stopping: float = 4.0
    job: float = 10.0


@dataclass(slots=True)
class SecureAgent:
    """An agent with both of its ids: `v2_id` for the v2 paths, `federated_id` for v3."""

    v2_id: str
    federated_id: str
    name: str
    services: dict[str, Service] = field(default_factory=dict)
    active: bool = True
    ready: bool = True
    host: str = "agent.example.com"

    def record(self, now: float) -> dict[str, object]:
        """CODE iics-cli agents.go: the v2 agent; booleans that are false are left out."""
        booleans = {"active": self.active, "readyToRun": self.ready}
        return {
            "@type": "agent",
            "id": self.v2_id,
            "orgId": "playgroundOrg00000001",
            "name": self.name,
            "description": "",
            "createTime": utc(now - 40 * 86_400),
            "updateTime": utc(now - 60),
            "createdBy": "admin@example.com",
            **{name: True for name, value in booleans.items() if value},
            "platform": "linux64",
            "agentHost": self.host,
            "agentVersion": "70.3",
            "upgradeStatus": "NotUpgrading",
            "lastStatusChange": utc(now - 60),
            "configUpdateTime": utc(now - 3_600),
            "agentGroupId": f"g{self.v2_id[1:]}",
            "federatedId": self.federated_id,
        }

    def details(self, now: float, pace: Pace, with_configs: bool) -> dict[str, object]:
        """CODE iics-cli: the v2 details; services that are stopped are not listed."""
        shown = [service for service in self.services.values() if service.phase != "stopped"]
        engines = [service.engine(now, pace, with_configs) for service in shown]
        return {**self.record(now), "agentEngines": engines if self.active else []}


@dataclass(slots=True)
class Task:
    """A task that can be run on an agent; `ends` is the log state 1 good, 2 warnings, 3 failed, `says` its error message.
    `lasts`: seconds, None for the usual time. `stop_refused`: the account may run it and not stop it."""

    task_id: str
    federated_id: str
    name: str
    sort: str
    agent: SecureAgent
    ends: int = 1
    says: str = "ERROR: see the session log."
    lasts: float | None = None
    stop_refused: bool = False


@dataclass(slots=True)
class Job:
    """A run of a task."""

    log_id: str
    run_id: int
    task: Task
    started: float
    length: float
    stopping: float | None = None
    stopped_for: str | None = None
    utc_fields: bool = True

    def _times(self, **moments: float) -> dict[str, str]:
        """DOC activityMonitor and activityLog: Eastern Time, and on newer pods the same in UTC."""
        shown = {name: eastern(at) for name, at in moments.items()}
        return shown | ({f"{name}Utc": utc(at) for name, at in moments.items()} if self.utc_fields else {})

    def end(self) -> float:
        """When it ends, or when it ended."""
        planned = self.started + self.length
        return planned if self.stopping is None else min(self.stopping, planned)

    def active(self, now: float) -> bool:
        """Whether it is still running."""
        return now < self.end()

    def monitor(self, now: float) -> dict[str, object]:
        """DOC activityMonitor: the activityMonitorEntry of a job; executionState is QUEUED, INITIALIZED, RUNNING, STOPPING,
        COMPLETED or FAILED."""
        state = "STOPPING" if self.stopping is not None else "RUNNING"
        if now - self.started < 1:
            state = "INITIALIZED"
        if not self.active(now):
            state = "FAILED" if self.log()["state"] == 3 else "COMPLETED"
        return {
            "@type": "activityMonitorEntry",
            "id": self.log_id,
            "type": self.task.sort,
            "taskId": self.task.task_id,
            "taskName": self.task.name,
            "runId": self.run_id,
            "agentId": self.task.agent.v2_id,
            **self._times(startTime=self.started),
            "executionState": state,
            "startedBy": "signalbox@example.com",
            "runContextType": "REST_API",
            "successSourceRows": int((now - self.started) * 10),
            "failedSourceRows": 0,
            "entries": [],
        }

    def log(self) -> dict[str, object]:
        """DOC activityLog: the activityLogEntry of an ended job; state is 1 completed, 2 completed with errors, 3 failed."""
        state = 3 if self.stopping is not None else self.task.ends
        rows = int((self.end() - self.started) * 10)
        bad = {1: 0, 2: 3, 3: rows}[state]
        message = "No errors encountered." if state == 1 else self.task.says
        return {
            "@type": "activityLogEntry",
            "id": self.log_id,
            "type": self.task.sort,
            "objectId": self.task.task_id,
            "objectName": self.task.name,
            "runId": self.run_id,
            "agentId": self.task.agent.v2_id,
            **self._times(startTime=self.started, endTime=self.end()),
            "state": state,
            "failedSourceRows": bad,
            "successSourceRows": rows - bad,
            "failedTargetRows": bad,
            "successTargetRows": rows - bad,
            "errorMsg": self.stopped_for or message,
            "startedBy": "signalbox@example.com",
            "runContextType": "REST_API",
            "entries": [],
        }

    def session_log(self) -> str:
        """The session log, with a line that clients must redact."""
        lines = [
            f"{utc(self.started)} INFO Initializing session for {self.task.name}",
            f"{utc(self.started)} INFO Connecting user=etl password=hunter2-not-a-secret",
            f"{utc(self.end())} INFO {self.log()['errorMsg']}",
        ]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class InfaSchedule:
    """A schedule of the organization."""

    schedule_id: str
    federated_id: str
    name: str
    interval: str
    start: float
    enabled: bool = True
    updated: float = 0.0

    def record(self) -> dict[str, object]:
        """DOC v3 Schedules: one schedule."""
        return {
            "id": self.schedule_id,
            "orgId": "playgroundOrg00000001",
            "name": self.name,
            "description": "",
            "createTime": utc(self.start - 86_400),
            "updateTime": utc(self.updated or self.start),
            "createdBy": "admin@example.com",
            "updatedBy": "admin@example.com",
            "scheduleFederatedId": self.federated_id,
            "status": "enabled" if self.enabled else "disabled",
            "startTime": utc(self.start),
            "interval": self.interval,
            "frequency": 1,
            "timeZoneId": "UTC",
        }
