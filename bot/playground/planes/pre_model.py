"""Agents and agent instances of a simulated Prefactor.

Sources: SEED is seed 002; DOC the operation pages of docs.prefactor.ai; CODE the vendor's clients (prefactor-http,
typescript-sdk).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Generation = Literal["seed", "newer"]

FINISHED = ("complete", "failed", "cancelled", "terminated")
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"


def pfid(seed: str) -> str:
    """32 signs such as `013xrzp12g3nqk8nx0y2vfkg4s3jp2qr`, deterministic for each seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "013xrzp1" + "".join(_SIGNS[byte % 32] for byte in digest[:24])


def iso(epoch: float) -> str:
    """`2024-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Instance:
    """A run of an agent; `begins` and `ends` are times at which it moves on by itself."""

    instance_id: str
    agent_id: str
    status: str
    inserted: float
    begins: float | None = None
    ends: float | None = None
    ends_as: str = "complete"
    started: float | None = None
    finished: float | None = None
    reason: str | None = None

    def settle(self, now: float) -> None:
        """Start and finish the instance when due."""
        if self.status == "pending" and self.begins is not None and self.begins <= now:
            self.status, self.started = "active", self.begins
        if self.status == "active" and self.ends is not None and self.ends <= now:
            self.finish(self.ends, self.ends_as)

    def finish(self, now: float, status: str, reason: str | None = None) -> None:
        """End it."""
        self.status, self.finished, self.reason = status, now, reason

    def record(self) -> dict[str, object]:
        """CODE prefactor-http models: the instance as JSON."""
        return {
            "type": "agent_instance",
            "id": self.instance_id,
            "agent_id": self.agent_id,
            "agent_version_id": pfid(f"version/{self.agent_id}"),
            "status": self.status,
            "purpose": "live",
            "inserted_at": iso(self.inserted),
            "updated_at": iso(self.finished or self.started or self.inserted),
            "started_at": None if self.started is None else iso(self.started),
            "finished_at": None if self.finished is None else iso(self.finished),
            "termination_reason": self.reason,
        }


@dataclass(slots=True)
class PreAgent:
    """A registered agent; registering starts no work."""

    agent_id: str
    name: str
    inserted: float
    updated: float
    environment_id: str
    description: str | None = None
    external_identifier: str | None = None
    retired: bool = False
    instances: list[Instance] = field(default_factory=list)

    def counts(self, generation: Generation) -> dict[str, int]:
        """SEED: seven counters; the newer generation counts the terminated ones too (CODE)."""
        tally = dict.fromkeys(("active", "cancelled", "complete", "failed", "pending"), 0)
        terminated = 0
        for instance in self.instances:
            if instance.status == "terminated":
                terminated += 1
            else:
                tally[instance.status] += 1
        tally["finished"] = tally["complete"] + tally["failed"] + tally["cancelled"]
        tally["total"] = len(self.instances)
        if generation == "newer":
            tally["terminated"] = terminated
        return tally

    @property
    def status(self) -> str:
        """CODE: pending, active, dormant or retired; here `pending` before the first instance, `dormant` between instances."""
        if self.retired:
            return "retired"
        if not self.instances:
            return "pending"
        busy = any(instance.status == "active" for instance in self.instances)
        return "active" if busy else "dormant"

    def actions(self) -> dict[str, bool]:
        """SEED: the actions that the agent allows now."""
        busy = any(instance.status == "active" for instance in self.instances)
        return {
            "delete": self.retired or not self.instances,
            "reinstate": self.retired,
            "retire": not self.retired and not busy,
            "update": not self.retired,
        }

    def record(self, generation: Generation, *, counts: bool) -> dict[str, object]:
        """SEED Agent_Details, or those of the newer generation (CODE); summaries and shows without counts leave them out."""
        ran = bool(self.instances)
        older: dict[str, object] = {
            "current_schema_version_id": pfid(f"schema/{self.agent_id}") if ran else None,
            "current_version_id": pfid(f"version/{self.agent_id}") if ran else None,
            "environment_id": self.environment_id,
        }
        newer: dict[str, object] = {
            "description": self.description,
            "external_identifier": self.external_identifier,
            "owner_person_id": None,
            "risk_profile_id": None,
            "team_id": None,
        }
        record: dict[str, object] = {
            "available_actions": self.actions(),
            **(older if generation == "seed" else newer),
            "id": self.agent_id,
            "inserted_at": iso(self.inserted),
            "name": self.name,
            "status": self.status,
            "type": "agent",
            "updated_at": iso(self.updated),
        }
        if counts:
            record["instance_counts"] = self.counts(generation)
        return record
