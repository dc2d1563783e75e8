"""The agent's JSON as far as it is used. Only what names a thing is demanded; every other field is ignored or optional.

`restartRequired` is the text "true" and absent otherwise (SEED, from 4.1.0), unlike the booleans beside it; both are read.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Number = int | float


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Server(_Wire):
    """The agent's connection to the Management Console. `last_seen` is Unix seconds."""

    addr: str | None = None
    last_seen: Number | None = None
    state: str | None = None


class Client(_Wire):
    """Reply of GET client."""

    deviceid: str
    name: str = ""
    paused: bool | None = None
    restart_required: bool | None = Field(default=None, alias="restartRequired")
    server: Server | None = None


class Run(_Wire):
    """One run of a job on this agent. Sizes and transfers are bytes, speeds bytes a second, `eta` seconds.

    The units are not stated; the seed's sample bears them out: the 18,007,278 bytes that are missing at 177,840 are its 101.
    The form of an item of `errors` is not stated either.
    """

    run_id: int
    id: int | None = None
    name: str = ""
    type: str | None = None
    status: str | None = None
    path: str | None = None
    errors: list[Any] | None = None
    down_speed: Number | None = None
    up_speed: Number | None = None
    eta: Number | None = None
    files_completed: int | None = None
    files_total: int | None = None
    size_completed: int | None = None
    size_total: int | None = None
    transferred_down: int | None = None
    transferred_up: int | None = None
    peers_count: int | None = None
    peers_count_proxied: int | None = None
    last_synced: Number | None = None


class Tag(_Wire):
    """A tag of the agent."""

    name: str
    value: str | None = None


class Tags(_Wire):
    """Reply of GET tags."""

    tags: list[Tag]
