"""Values for the tests of the store: one request, its operation, and what belongs to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.audit import AuditEntry, Event
from bot.core.command.capability import Risk
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.core.operation import Operation, Target
from bot.core.records import CastVote, Grant, Outgoing, Pause, PendingDecision, StoredButton, Watch, stamp

NOW = datetime(2026, 11, 22, 2, 23, 37, tzinfo=UTC)
TARGET = Target(backend="acc", kind="agent", id="7", name="shop/prices", scope="acc:shop/prices")


def after(seconds: float) -> str:
    return stamp(NOW + timedelta(seconds=seconds))


def intent(request_id: str = "r1", dedupe_key: str | None = None, user: str = "U0ANA") -> Intent:
    return Intent(
        request_id=request_id,
        dedupe_key=dedupe_key or f"key-{request_id}",
        actor=Actor(user_id=user, team_id="T0ACME"),
        place=Place(team_id="T0ACME", channel_id="C0CRAWL"),
        source=Source.COMMAND,
        at=NOW,
        payload=Command(verb="start", target="acc:shop/prices"),
    )


def row(event: Event = Event.REQUESTED, request_id: str = "r1", **columns: Any) -> AuditEntry:
    given: dict[str, Any] = {
        "at": stamp(NOW),
        "team_id": "T0ACME",
        "channel_id": "C0CRAWL",
        "user_id": "U0ANA",
        "source": "command",
        "verb": "start",
        "backend": "acc",
    }
    return AuditEntry(request_id=request_id, event=event, **(given | columns))


def operation(request_id: str = "r1") -> Operation:
    return Operation(
        request_id=request_id, verb="start", target=TARGET, risk=Risk.CHANGE, idempotent=False, timeout=30.0
    )


def pending(id: str = "h1", kind: str = "approval", request_id: str = "r1", **fields: Any) -> PendingDecision:
    given: dict[str, Any] = {
        "operation": operation(request_id),
        "digest": "d" * 64,
        "policy_version": "p1",
        "record": {"runs": 2},
        "due_at": after(1800),
        "made_at": stamp(NOW),
    }
    return PendingDecision(id=id, kind=kind, request_id=request_id, intent=intent(request_id), **(given | fields))


def ballot(user: str = "U0LEA", vote: str = "approve", person: str | None = None) -> CastVote:
    return CastVote(user_id=user, person=person or user, vote=vote, at=stamp(NOW))


def watch(id: str = "w1", **fields: Any) -> Watch:
    given: dict[str, Any] = {
        "request_id": "r1",
        "group_key": "7",
        "user_id": "U0ANA",
        "due_at": after(5),
        "made_at": stamp(NOW),
    }
    return Watch(id=id, backend="acc", target=TARGET, **(given | fields))


def pause(id: str = "p1", **fields: Any) -> Pause:
    given: dict[str, Any] = {"request_id": "r1", "from_at": stamp(NOW), "until_at": after(7200)}
    return Pause(id=id, backend="acc", verb_back="schedule on", target=TARGET, **(given | fields))


def grant(id: str = "g1", **fields: Any) -> Grant:
    given: dict[str, Any] = {
        "user_id": "U0ANA",
        "verbs": ("start", "stop"),
        "targets": ("acc:*",),
        "granted_by": "U0ROOT",
        "from_at": stamp(NOW),
        "until_at": after(3600),
        "request_id": "r1",
    }
    return Grant(id=id, **(given | fields))


def outgoing(key: str = "m1", **fields: Any) -> Outgoing:
    given: dict[str, Any] = {"team_id": "T0ACME", "channel_id": "C0CRAWL", "body": {"n": 1}, "due_at": stamp(NOW)}
    return Outgoing(key=key, **(given | fields))


def button(id: str, key: str = "m1", **fields: str) -> StoredButton:
    return StoredButton(id=id, message_key=key, payload={"do": id}, made_at=after(0), **fields)
