"""Services and jobs of a simulated Itential Platform.

Sources: SEED is seed 001; DOC the vendor's pages under docs.itential.com/itential-cloud/api-reference; CODE public clients
(itential-mcp for jobs, rickeydbrown/gateway5-services for services with an inventory).
"""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_KNOWN_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def hex_id(seed: str) -> str:
    """24 hex digits, deterministic for each seed."""
    return hashlib.sha256(seed.encode()).hexdigest()[:24]


def iso(epoch: float) -> str:
    """`2026-05-28T20:26:40.000Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True, slots=True)
class Script:
    """Script of a service's run; `return_code` 0 is good. With `nodes` it is a service with an inventory: a name and a success
    for each node, and no return code (CODE)."""

    seconds: float = 8.0
    return_code: int = 0
    stdout: str = '{"changed": 1}\n'
    stderr: str = ""
    nodes: tuple[tuple[str, bool], ...] = ()

    @property
    def good(self) -> bool:
        """Whether the run succeeds."""
        return all(success for _, success in self.nodes) if self.nodes else self.return_code == 0


@dataclass(slots=True)
class ItnService:
    """A service of a cluster; the nth run follows `scripts[n]`, later ones the last."""

    service_id: str
    name: str
    cluster: str
    sort: str
    created: float
    description: str = ""
    decorator: Any = field(default_factory=dict)
    tags: tuple[Any, ...] = ()
    active: bool = True
    scripts: tuple[Script, ...] = (Script(),)
    begun: int = 0
    last: "ItnJob | None" = None

    def next_script(self) -> Script:
        """The script of the next run."""
        script = self.scripts[min(self.begun, len(self.scripts) - 1)]
        self.begun += 1
        return script

    def problem(self, params: dict[str, Any]) -> str | None:
        """The parameters' violations of the decorator's JSON Schema (required, type, enum)."""
        if not isinstance(self.decorator, dict):
            return None
        for name in self.decorator.get("required", []):
            if name not in params:
                return f"must have required property '{name}'"
        known = self.decorator.get("properties", {})
        for name, value in params.items():
            rule = known.get(name, {})
            if not known or not rule:
                continue
            sort = _KNOWN_TYPES.get(rule.get("type", ""))
            flag = isinstance(value, bool) and rule.get("type") in {"integer", "number"}
            if sort is not None and (flag or not isinstance(value, sort)):
                return f"{name} must be {rule['type']}"
            if "enum" in rule and value not in rule["enum"]:
                return f"{name} must be equal to one of the allowed values"
        return None

    def record(self, now: float) -> dict[str, object]:
        """DOC get-services: the service with its metadata. `last_run` is an integer there and optional; what it counts is not
        documented (here: epoch milliseconds of the last start). `tags` are a list of anything, `entity` an object."""
        metadata = {
            "location": self.cluster,
            "id": self.service_id,
            "key": f"{self.cluster}:{self.name}",
            "type": self.sort,
            "created": iso(self.created),
            "name": self.name,
            "description": self.description,
            "decorator": self.decorator,
            "repository": {"id": hex_id(self.name), "name": "automations", "type": "git"},
            "tags": list(self.tags),
            "working_dir": f"services/{self.name}",
            "entity": {},
        }
        row: dict[str, object] = {
            "_id": self.service_id,
            "active": self.active,
            "service_metadata": metadata,
        }
        if self.last is not None:
            row["last_run"] = int(self.last.started * 1000)
        return row


@dataclass(slots=True)
class ItnJob:
    """A job: a run of a service; time spent paused does not count."""

    job_id: str
    service: ItnService
    params: dict[str, Any]
    started: float
    script: Script
    user: str
    paused_at: float | None = None
    paused_for: float = 0.0
    canceled_at: float | None = None
    retries: int = 0

    def _spent(self, now: float) -> float:
        until = self.canceled_at or self.paused_at or now
        return until - self.started - self.paused_for

    def status(self, now: float) -> str:
        """`running`, `paused`, `complete`, `error` or `canceled`."""
        if self.canceled_at is not None:
            return "canceled"
        if self._spent(now) >= self.script.seconds:
            return "complete" if self.script.good else "error"
        return "running" if self.paused_at is None else "paused"

    def ended(self, now: float) -> bool:
        """Whether the job has ended."""
        return self.status(now) in {"complete", "error", "canceled"}

    @property
    def end(self) -> float:
        """When it ended, or will end if nobody pauses or cancels it."""
        return self.canceled_at or self.started + self.paused_for + self.script.seconds

    def result(self, now: float) -> dict[str, object]:
        """DOC run-service: return code, output and times; while it runs nothing but its status."""
        if self.status(now) not in {"complete", "error"}:
            return {"status": self.status(now)}
        times = {
            "start_time": iso(self.started),
            "end_time": iso(self.end),
            "elapsed_time": round(self.script.seconds, 3),
        }
        if self.script.nodes:
            rows = [
                {"name": name, "success": success, "command": "show version", "output": f"output of {name}"}
                for name, success in self.script.nodes
            ]
            return {"results": rows, **times}
        texts = {"stdout": self.script.stdout, "stderr": self.script.stderr}
        return {"return_code": self.script.return_code, **texts, **times}

    @property
    def task_id(self) -> str:
        """The one task of the job."""
        return hex_id(f"task/{self.job_id}")[:4]

    def record(self, now: float) -> dict[str, object]:
        """CODE itential-mcp operations_manager: the job, with its times as epoch milliseconds. Where it keeps the result of a
        service is not documented."""
        status = self.status(now)
        progress = min(1.0, self._spent(now) / self.script.seconds) if self.script.seconds else 1.0
        failed = {"task": self.task_id, "message": self.script.stderr or "The service failed."}
        stamp = {"timestamp": int(self.end * 1000)}
        ended = {"end_time": int(self.end * 1000)} if self.ended(now) else {}
        begun = int(self.started * 1000)
        return {
            "_id": self.job_id,
            "name": f"Run {self.service.name}",
            "description": f"Running {self.service.name} on {self.service.cluster}",
            "status": status,
            "type": "automation",
            "created": iso(self.started),
            "created_by": self.user,
            "last_updated": iso(self.end if ended else now),
            "variables": {
                "serviceName": self.service.name,
                "clusterId": self.service.cluster,
                "params": self.params,
                "result": self.result(now),
            },
            "error": [{**failed, **stamp}] if status == "error" else None,
            "tasks": {self.task_id: {"name": "runService", "app": "GatewayManager", "status": status}},
            "metrics": {"start_time": begun, "progress": progress, "user": self.user, **ended},
        }


def run_uuid(seed: str) -> str:
    """The uuid that a run's reply calls `data`."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))
