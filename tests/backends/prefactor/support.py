"""Prefactor as its seed shows it, a recorder of what is sent to it, and the simulated plane joined to the backend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.backends.prefactor import PLUGIN
from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.prefactor import PrefactorPlane
from tests.backends.fakes import QuickClock
from tests.backends.kit import Answer, Joined, Recorder, joined, recording, said
from tests.http_client.support import NOON

TOKEN = "fake-prefactor-token-of-the-playground-0123456789"
ID = "013xrzp12g3nqk8nx0y2vfkg4s3jp2qr"
INSTANCE = "013xrzp12g3nqk8n0000000000000001"

# The seed's examples, field by field; the counts do not add up there either.
SEED_AGENT: dict[str, Any] = {
    "available_actions": {"delete": False, "reinstate": False, "retire": True, "update": True},
    "current_schema_version_id": "013xrzp12g3nqk8nzntq40gkzaf2d9m2",
    "current_version_id": "013xrzp12g3nqk8n6mv28ge2v9f7n2hc",
    "environment_id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
    "id": ID,
    "inserted_at": "2024-01-01T00:00:00Z",
    "instance_counts": {
        "active": 2,
        "cancelled": 0,
        "complete": 5,
        "failed": 0,
        "finished": 5,
        "pending": 0,
        "total": 10,
    },
    "name": "My Agent",
    "status": "pending",
    "type": "agent",
    "updated_at": "2024-01-01T00:00:00Z",
}
NEWER_AGENT: dict[str, Any] = {
    "available_actions": {"delete": True, "reinstate": True, "retire": False, "update": False},
    "description": "Reads invoices",
    "external_identifier": "invoice-reader",
    "id": ID,
    "inserted_at": "2026-01-01T00:00:00Z",
    "instance_counts": {"active": 0, "complete": 3, "terminated": 1, "total": 4},
    "name": "My Agent",
    "owner_person_id": "013person",
    "risk_profile_id": None,
    "status": "retired",
    "team_id": None,
    "type": "agent",
    "updated_at": "2026-01-02T00:00:00Z",
}
ACTIVE: dict[str, Any] = {
    "type": "agent_instance",
    "id": INSTANCE,
    "agent_id": ID,
    "status": "active",
    "purpose": "live",
    "inserted_at": "2026-11-22T10:00:00Z",
    "started_at": "2026-11-22T10:00:05Z",
    "finished_at": None,
    "termination_reason": None,
}


def details(record: object) -> Answer:
    return said({"status": "success", "details": record})


def listed(*records: object, key: str = "summaries") -> Answer:
    return said({"status": "success", key: list(records), "pagination": {"item_count": len(records)}})


def usual() -> dict[str, Answer]:
    """Answers of an account with one agent and one active instance."""
    return {
        "GET /api/v1/ping": said({"status": "success"}),
        "GET /api/v1/agent": listed(SEED_AGENT),
        "POST /api/v1/agent": details(SEED_AGENT),
        f"GET /api/v1/agent/{ID}": details(SEED_AGENT),
        f"PUT /api/v1/agent/{ID}": details(SEED_AGENT),
        f"DELETE /api/v1/agent/{ID}": details(SEED_AGENT),
        f"POST /api/v1/agent/{ID}/retire": details({**SEED_AGENT, "status": "retired"}),
        f"POST /api/v1/agent/{ID}/reinstate": details(SEED_AGENT),
        "GET /api/v1/agent_instance": listed(ACTIVE),
        f"GET /api/v1/agent_instance/{INSTANCE}": details(ACTIVE),
        f"POST /api/v1/agent_instance/{INSTANCE}/terminate": details({**ACTIVE, "status": "terminated"}),
        f"POST /api/v1/agent_instance/{INSTANCE}/finish": details({**ACTIVE, "status": "cancelled"}),
    }


@asynccontextmanager
async def recorded(**more: Any) -> AsyncIterator[tuple[Recorder, Joined]]:
    """The backend `pre` joined to a recorder; `more` are settings."""
    async with (
        recording(usual()) as recorder,
        joined(PLUGIN, "pre", base_url=recorder.base_url, token=TOKEN, **more) as pre,
    ):
        yield recorder, pre


@asynccontextmanager
async def on_plane(**knobs: Any) -> AsyncIterator[tuple[PrefactorPlane, Joined]]:
    """The backend `pre` joined to a simulated account whose clock stands still at the bot's noon."""
    plane = PrefactorPlane("pre", clock=PlaneClock(NOON.timestamp(), rate=0), token=TOKEN, **knobs)
    async with plane, joined(PLUGIN, "pre", QuickClock(), base_url=plane.base_url, token=TOKEN) as pre:
        yield plane, pre
