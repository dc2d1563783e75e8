"""The used parts of the agent's JSON (SEED); core/vendor_json reads odd fields.

`restartRequired` is the text "true" and absent otherwise (from 4.1.0), unlike the other booleans; both are read.
"""

from typing import Any

from pydantic import Field

from bot.core.vendor_json import Id, Number, Text, Time, Whole, WireModel


class Server(WireModel):
    """The agent's connection to the Management Console. `last_seen` is Unix seconds."""

    addr: Text | None = None
    last_seen: Time | None = None
    state: Text | None = None


class Client(WireModel):
    """Reply of GET client. Agents before 4.x send `paused` and `server` alone (DOC: connect.resilio.com 360016353179)."""

    deviceid: Id = ""
    name: Text = ""
    paused: bool | None = None
    restart_required: bool | None = Field(default=None, alias="restartRequired")
    server: Server | None = None


class Run(WireModel):
    """One run of a job on this agent. Sizes and transfers are bytes, speeds bytes a second, `eta` seconds.

    The units are inferred from the seed's sample: its missing 18,007,278 bytes at 177,840 a second take its 101 s.
    The form of `errors` is not stated either.
    """

    run_id: Whole | None = None
    id: Whole | None = None
    name: Text = ""
    type: Text | None = None
    status: Text | None = None
    path: Text | None = None
    errors: Any = None
    down_speed: Number | None = None
    up_speed: Number | None = None
    eta: Number | None = None
    files_completed: Whole | None = None
    files_total: Whole | None = None
    size_completed: Whole | None = None
    size_total: Whole | None = None
    transferred_down: Whole | None = None
    transferred_up: Whole | None = None
    peers_count: Whole | None = None
    peers_count_proxied: Whole | None = None
    last_synced: Time | None = None


class Tag(WireModel):
    """A tag of the agent, as a row of GET tags."""

    name: Text = ""
    value: Text | None = None
