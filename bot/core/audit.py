"""Audit entries: their columns, the event names, and the hash chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from bot.core.value import Json, Value, canonical

ZERO_HASH: Final = "0" * 64
VERSION: Final = 1


class Event(StrEnum):
    """What happened. Stored permanently: names are added, never changed.

    FAILED with a code: the backend refused, or the target doesn't exist. ABANDONED with code `cancelled`: a person
    cancelled. DENIED: only the policy's answer.
    """

    REQUESTED = "requested"
    MISREAD = "misread"
    DENIED = "denied"
    APPROVAL_REQUESTED = "approval_requested"
    CLAIMED = "claimed"
    RELEASED = "released"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RECONCILED = "reconciled"
    ABANDONED = "abandoned"
    ENDED = "ended"
    GRANTED = "granted"
    REVOKED = "revoked"
    BREAKGLASS = "breakglass"
    REVIEWED = "reviewed"
    POLICY_LOADED = "policy_loaded"
    POLICY_REFUSED = "policy_refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    PAUSE_ENDED = "pause_ended"
    EXPORTED = "exported"
    HEAD_PUBLISHED = "head_published"
    RESTORED = "restored"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_CLOSED = "incident_closed"

    @classmethod
    def _missing_(cls, value: object) -> Event | None:
        """An entry of a newer version may have an event that this one doesn't know."""
        if not isinstance(value, str):
            return None
        newer = str.__new__(cls, value)
        newer._name_ = newer._value_ = value
        return newer


EVENTS: Final = tuple(str(event) for event in Event)
# What cards and lists call these events.
SAID: Final[Mapping[str, Sequence[Mapping[str, str]]]] = {
    "denied": ({"event": "denied"}, {"event": "rejected"}),
    "cancelled": ({"event": "abandoned"},),
    "refused": ({"event": "failed"},),
    "stopped": ({"event": "ended", "code": "stopped"},),
    "succeeded": ({"event": "ended", "code": "succeeded"},),
    "break-glass": ({"event": "breakglass"},),
}


class AuditEntry(Value):
    """One event, without the three columns that the store adds (`seq`, `prev_hash`, `hash`).

    `at` is RFC 3339 UTC with microseconds (`2026-11-22T02:23:37.000000Z`). `params` is canonical JSON text of an object,
    redacted. `target_id` is the vendor's exact id. `duration_ms` is whole milliseconds. `v` is the version of the canonical form
    that the hash covers: a later version may add columns without changing the hashes of older entries.
    """

    v: int = VERSION
    at: str
    request_id: str
    event: Event
    team_id: str | None = None
    channel_id: str | None = None
    user_id: str | None = None
    source: str | None = None
    verb: str | None = None
    backend: str | None = None
    target_kind: str | None = None
    target_id: str | None = None
    target_name: str | None = None
    params: str = "{}"
    reason: str | None = None
    risk: str | None = None
    rule: str | None = None
    policy_version: str | None = None
    digest: str | None = None
    approval_id: str | None = None
    incident: str | None = None
    backend_ref: str | None = None
    code: str | None = None
    detail: str | None = None
    duration_ms: int | None = None

    @property
    def given(self) -> str:
        """The parameters as they are typed: `input.region=north`."""
        return " ".join(_given(json.loads(self.params)))


def _given(params: Mapping[str, Json], before: str = "") -> Iterator[str]:
    for name, value in params.items():
        if isinstance(value, dict):
            yield from _given(value, f"{before}{name}.")
        else:
            yield f"{before}{name}={value if isinstance(value, str) else json.dumps(value)}"


COLUMNS: Final = ("seq", *AuditEntry.model_fields, "prev_hash", "hash")
# The columns that a hash covers, by the version of the entry. A published version never changes.
HASHED_COLUMNS: Final[Mapping[int, tuple[str, ...]]] = {1: ("seq", *AuditEntry.model_fields)}


def chain(prev_hash: str, columns: Mapping[str, Json]) -> str:
    """Hex SHA-256 of `prev_hash` followed by the canonical JSON of the columns that version `v` covers.

    Raises KeyError for an unknown version.
    """
    version = columns["v"]
    body = canonical({name: columns[name] for name in HASHED_COLUMNS[version if isinstance(version, int) else -1]})
    return hashlib.sha256((prev_hash + body).encode()).hexdigest()
