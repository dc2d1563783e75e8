"""The Agent API as its seed shows it, a recorder of what is sent to it, and the simulated agent joined to the backend."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.backends.resilio import PLUGIN
from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.resilio import ResilioPlane
from tests.backends.fakes import QuickClock
from tests.backends.kit import Answer, Joined, Recorder, joined, recording, said
from tests.http_client.support import NOON

TOKEN = "WV44TS4MZCAUXLBJ2MRX6MVCW4"

# The seed's own sample replies; its status sample holds a comment and a placeholder, which are put right here.
SEED_TOKEN = '{ "token": "WV44TS4MZCAUXLBJ2MRX6MVCW4" }'
SEED_CLIENT = """{
"deviceid": "EA...JA",
"deviceidHex": "201...20",
"name": "AgentName",
"paused": false,
"restartRequired":"true",
"server": {
"addr": "management_console.com",
"last_seen": 1702985796,
"state": "CONNECTED"
}
}"""
SEED_RUNS = r"""[
{
"down_speed": 177840,
"errors": [],
"eta": 101,
"files_completed": 208,
"files_total": 209,
"id": 384,
"name": "FullSync",
"path": "C:\\UserData\\FullSync",
"peers_count": 1,
"peers_count_proxied": 0,
"permission": "rw",
"run_id": 543,
"size_completed": 126936039,
"size_total": 144943317,
"status": "syncing",
"transferred_down": 107847067,
"transferred_up": 0,
"type": "folder",
"up_speed": 0,
"last_synced": 1702985796
}
]"""
SEED_TAGS = '{ "tags": [ { "name": "NAME1", "value": "VALUE1" }, { "name": "NAME2", "value": "VALUE2" } ] }'
RUN: dict[str, Any] = json.loads(SEED_RUNS)[0]
CLIENT: dict[str, Any] = json.loads(SEED_CLIENT)


def usual() -> dict[str, Answer]:
    """The seed's samples, each at its path; changes are answered by `{}`."""
    return {
        "GET /api/v3/token": said(json.loads(SEED_TOKEN)),
        "GET /api/v3/client": said(CLIENT),
        "PATCH /api/v3/client": said({}),
        "GET /api/v3/runs": said([RUN]),
        "GET /api/v3/runs/543": said([RUN]),
        "GET /api/v3/tags": said(json.loads(SEED_TAGS)),
        "PATCH /api/v3/tags": said({}),
    }


@asynccontextmanager
async def recorded(**more: Any) -> AsyncIterator[tuple[Recorder, Joined]]:
    """The backend `res` joined to a recorder; `more` are settings."""
    async with (
        recording(usual()) as recorder,
        joined(PLUGIN, "res", QuickClock(), base_url=recorder.base_url, **more) as res,
    ):
        yield recorder, res


@asynccontextmanager
async def on_plane(
    *, settings: dict[str, Any] | None = None, **knobs: Any
) -> AsyncIterator[tuple[ResilioPlane, Joined]]:
    """The backend `res` joined to a simulated agent whose clock stands still at the bot's noon."""
    knobs = {"agent_name": "warehouse-7", "away": 0.05, **knobs}
    plane = ResilioPlane("res", clock=PlaneClock(NOON.timestamp(), rate=0), **knobs)
    async with plane, joined(PLUGIN, "res", QuickClock(), base_url=plane.base_url, **(settings or {})) as res:
        yield plane, res
