"""A simulated Resilio agent with its local API, version 3 (seed 004)."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.wire import Call, Refusal, Reply, Route, json_reply, route, text_reply

__all__ = ["ResilioPlane", "Transfer"]

Sort = Literal["folder", "transfer", "script"]
_BUSY = {"folder": "syncing", "transfer": "downloading", "script": "executing script"}
_DONE = {"folder": "synced", "transfer": "successfully finished", "script": "successfully finished"}


@dataclass(slots=True)
class Transfer:
    """A run of a job: it moves `speed` bytes a second until `total` is done."""

    run_id: int
    job_id: int
    name: str
    sort: Sort = "folder"
    total: int = 144_943_317
    done: float = 0.0
    speed: int = 177_840
    files: int = 209
    path: str = "C:\\UserData\\FullSync"
    errors: list[str] = field(default_factory=list)
    status: str | None = None
    last_synced: int = 0

    def move(self, begin: float, until: float) -> None:
        """Move forward from `begin` to `until`."""
        if self.status is not None or self.done >= self.total:
            return
        self.done = min(self.total, self.done + max(0.0, until - begin) * self.speed)
        if self.done >= self.total:
            self.last_synced = int(until)

    def record(self, paused: bool) -> dict[str, object]:
        """The run as the API reports it."""
        over = self.done >= self.total
        status = self.status or (_DONE if over else _BUSY)[self.sort]
        moving = not paused and not over and self.status is None
        left = self.total - self.done
        return {
            "down_speed": self.speed if moving else 0,
            "errors": self.errors,
            "eta": int(left / self.speed) if moving and self.speed else 0,
            "files_completed": int(self.files * self.done / self.total) if self.total else 0,
            "files_total": self.files,
            "id": self.job_id,
            "name": self.name,
            "path": self.path,
            "peers_count": 1,
            "peers_count_proxied": 0,
            "permission": "rw",
            "run_id": self.run_id,
            "size_completed": int(self.done),
            "size_total": self.total,
            "status": "paused" if paused else status,
            "transferred_down": int(self.done),
            "transferred_up": 0,
            "type": self.sort,
            "up_speed": 0,
            "last_synced": self.last_synced,
        }


@dataclass(frozen=True, slots=True)
class Deed:
    """One change made by a call: the action and its value."""

    at: float
    action: str
    subject: str


class ResilioPlane(Plane):
    """One agent.

    With `token_auth` every call needs the token, which a restart and `rotate_token` change; a
    wrong one is answered with `refusal`. A restart drops the connection and the agent is `away`
    for so many real seconds. `one_as_array` false: a single run comes without the array. `older_than_4`: the agent reports
    neither its name nor its device id.
    """

    kind = "resilio"
    enum_keys = frozenset({"state", "status", "type"})

    def __init__(
        self,
        name: str = "res",
        *,
        clock: Clock | None = None,
        port: int = 0,
        agent_name: str = "AgentName",
        token_auth: bool = True,
        refusal: int = 401,
        away: float = 1.0,
        one_as_array: bool = True,
        older_than_4: bool = False,
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.ids_made = 0
        self.agent_name = agent_name
        self.token_auth = token_auth
        self.refusal = refusal
        self.away = away
        self.one_as_array = one_as_array
        self.older_than_4 = older_than_4
        self.server_state = "CONNECTED"
        self.restart_required = False
        self.paused = False
        self.resumes_at: float | None = None
        self.restarts = 0
        self.tags: dict[str, str] = {}
        self.transfers: list[Transfer] = []
        self.effects: list[Deed] = []
        self._rotations = 0
        self._moved = self.clock.now()

    # --- knobs ---------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """26 signs of base 32, as `WV44TS4MZCAUXLBJ2MRX6MVCW4`."""
        digest = hashlib.sha256(f"{self.name}/token/{self._rotations}".encode()).digest()
        return base64.b32encode(digest).decode()[:26]

    def rotate_token(self) -> None:
        """Accept only a new token from now on."""
        self._rotations += 1

    def add_transfer(self, transfer_name: str, **fields: Any) -> Transfer:
        """A run of a job; `fields` as in `Transfer`."""
        number = self.ids_made + len(self.transfers)
        made = Transfer(543 + number, 384 + number, transfer_name, **fields)
        self.transfers.append(made)
        return made

    # --- the plane -----------------------------------------------------------------------------

    def tick(self) -> None:
        now = self.clock.now()
        if self.paused and self.resumes_at is not None and self.resumes_at <= now:
            self.paused, self._moved = False, self.resumes_at
            self.resumes_at = None
        if not self.paused:
            for transfer in self.transfers:
                transfer.move(self._moved, now)
        self._moved = now

    def _note(self, action: str, subject: str) -> None:
        self.effects.append(Deed(self.clock.now(), action, subject))

    def authorize(self, call: Call) -> Reply | None:
        if not self.token_auth or call.first("token") == self.token:
            return None
        return text_reply("Invalid token", self.refusal)

    def fault_reply(self, status: int) -> Reply:
        return text_reply("Invalid token" if status == 401 else "Error", status)

    def routes(self) -> tuple[Route, ...]:
        return (
            route("GET", "/api/v3/token", self._token, public=True),
            route("GET", "/api/v3/client", self._client),
            route("PATCH", "/api/v3/client", self._change_client),
            route("GET", "/api/v3/runs", self._runs),
            route("GET", "/api/v3/runs/{runId}", self._run),
            route("GET", "/api/v3/tags", self._tags),
            route("PATCH", "/api/v3/tags", self._set_tags),
        )

    def _token(self, call: Call) -> Reply:
        """SEED: the token, 26 signs of base 32."""
        return json_reply({"token": self.token})

    def _client(self, call: Call) -> Reply:
        """SEED: the agent. DOC connect.resilio.com 360016353179: one older than 4.x tells `paused` and `server` alone."""
        if self.older_than_4:
            server = {"addr": "management_console.example.com", "state": self.server_state}
            return json_reply({"paused": self.paused, "server": server})
        device = hashlib.sha256(self.name.encode()).hexdigest()[:40]
        record: dict[str, object] = {
            "deviceid": base64.b32encode(bytes.fromhex(device)).decode(),
            "deviceidHex": device,
            "name": self.agent_name,
            "paused": self.paused,
            "server": {
                "addr": "management_console.example.com",
                "last_seen": int(self.clock.now()),
                "state": self.server_state,
            },
        }
        if self.restart_required:
            record["restartRequired"] = "true"
        return json_reply(record)

    def _change_client(self, call: Call) -> Reply:
        """SEED: pause and resume by the query; the reply is not shown, so it is an empty object (GUESS)."""
        if call.body:
            return self._restart(call)
        paused = call.first("paused")
        if paused not in {"true", "false"}:
            raise Refusal(text_reply("paused must be true or false", 400))
        timer = call.first("resume_timer")
        if timer is not None and (not timer.isascii() or not timer.isdigit()):
            raise Refusal(text_reply("resume_timer must be a number of seconds", 400))
        self.paused = paused == "true"
        timed = self.paused and timer is not None
        self.resumes_at = self.clock.now() + int(timer or 0) if timed else None
        self._note("pause" if self.paused else "resume", timer or "")
        return json_reply({})

    def _restart(self, call: Call) -> Reply:
        """SEED: `{"restart": true}`. GUESS: the connection breaks, and the token is another one afterwards."""
        if _json(call) != {"restart": True}:
            raise Refusal(text_reply("Bad request", 400))
        self.restarts += 1
        self.restart_required = False
        self.rotate_token()
        self._note("restart", "")
        self.vanish(self.away)
        return Reply()

    def _runs(self, call: Call) -> Reply:
        """SEED: the current runs, an array."""
        return json_reply([transfer.record(self.paused) for transfer in self.transfers])

    def _run(self, call: Call) -> Reply:
        """SEED: one run, an array as well. GUESS: 404 for an unknown number."""
        for transfer in self.transfers:
            if str(transfer.run_id) == call.args["runId"]:
                record = transfer.record(self.paused)
                return json_reply([record] if self.one_as_array else record)
        raise Refusal(text_reply("Not found", 404))

    def _tags(self, call: Call) -> Reply:
        """SEED: `{"tags": [{"name", "value"}]}`."""
        rows = [{"name": name, "value": value} for name, value in self.tags.items()]
        return json_reply({"tags": rows})

    def _set_tags(self, call: Call) -> Reply:
        """SEED: adds or changes each tag, and answers `{}`."""
        body = _json(call)
        rows = body.get("tags") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(_is_tag(row) for row in rows):
            raise Refusal(text_reply("Bad request", 400))
        for row in rows:
            self.tags[row["name"]] = row["value"]
            self._note("tag", f"{row['name']}={row['value']}")
        return json_reply({})


def _json(call: Call) -> Any:
    try:
        return json.loads(call.body)
    except ValueError:
        return None


def _is_tag(row: object) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("name"), str)
        and bool(row["name"])
        and isinstance(row.get("value"), str)
    )
