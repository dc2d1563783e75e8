"""The base of the simulated ACC: tokens, knobs for tests, effects, look-ups by id."""

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.playground.planes.acc_input import schedule
from bot.playground.planes.acc_jobs import Approval, Effect, Input, JobRun, Schedule
from bot.playground.planes.acc_model import Agent, Run, RunStatus, Script
from bot.playground.planes.acc_world import Broken, Rules, World
from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.wire import Call, Reply, json_reply, text_reply

WriteReply = Literal["empty", "204", "text"]
_YEAR = 365 * 86_400
_PLAIN = Script()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that `api/server/check` can reach; its `key` is a secret of the configuration."""

    key: str
    ip_address: str
    port: int = 8004
    use_ssl: bool = False


class AccBase(Plane):
    """State, knobs and credentials of an ACC.

    `token` is a JWT-like token made here; `tokens` are also accepted. `speed` 2 halves the
    length of runs. `write_reply` is what operations without a documented reply answer.
    """

    kind = "sequentum"
    enum_keys = frozenset({"status", "scheduleStatus"})

    def __init__(
        self,
        name: str = "acc",
        *,
        clock: Clock | None = None,
        port: int = 0,
        tokens: Sequence[str] = (),
        servers: Sequence[Server] = (),
        rules: Rules | None = None,
        speed: float = 1.0,
        write_reply: WriteReply = "empty",
        server_zone: str = "Australia/Sydney",
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.world = World(name, self.clock.now, rules or Rules(), speed)
        self.servers = list(servers)
        self.write_reply: WriteReply = write_reply
        self.surprises: list[str] = []
        self.any_case = False  # whether a path is found in other capitals, as on a database that ignores case
        self.zone = ZoneInfo(server_zone)
        self._expiries: dict[str, float | None] = dict.fromkeys(tokens)
        self.token = self.issue_token()

    def issue_token(self, user: str = "signalbox", lifetime: float = _YEAR) -> str:
        """A new token of that user, valid for `lifetime` seconds, with `nbf` and `exp` in it."""
        now = self.clock.now()
        stamp = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{user}/{len(self._expiries)}")
        claims = {
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": user,
            "Stamp": str(stamp),
            "nbf": int(now),
            "exp": int(now + lifetime),
            "iss": "Sequentum",
            "aud": "Content Grabber",
        }
        head = _base64({"alg": "HS256", "typ": "JWT"})
        token = f"{head}.{_base64(claims)}.playground-not-a-secret"
        self._expiries[token] = now + lifetime
        return token

    def revoke_token(self, token: str) -> None:
        """Refuse this token from now on."""
        self._expiries.pop(token, None)

    def add_agent(self, path: str, *, agent_id: str | None = None, **fields: Any) -> Agent:
        """Put an agent at `path`; `fields` as in `acc_model.Agent`."""
        made = str(uuid.uuid5(uuid.NAMESPACE_URL, f"acc/{self.name}/{path}"))
        directory = str(uuid.uuid5(uuid.NAMESPACE_URL, f"acc/{self.name}/{path.rpartition('/')[0]}"))
        agent = Agent(agent_id or made, path, directory, **fields)
        self.world.add(agent)
        return agent

    def agent(self, path: str) -> Agent:
        """The agent at a path; raises KeyError."""
        return self.world.by_path[path]

    def set_script(self, path: str, *scripts: Script) -> None:
        """The scripts of an agent's next runs, in order."""
        agent = self.agent(path)
        agent.scripts, agent.runs_begun = scripts, 0

    def finish_run(self, run_id: str, end: str = "Succeeded", message: str | None = None) -> None:
        """End an active run now, as `Succeeded`, `Failed`, `Stopped` or `Failure`."""
        self.world.runs[run_id].finish(self.clock.now(), RunStatus[end.upper()], message)

    def add_run(self, path: str, *, ago: float = 3_600, script: Script = _PLAIN, run_id: str | None = None) -> Run:
        """A run that began `ago` seconds before now."""
        return self.world.past_run(self.agent(path), ago, script, run_id)

    def add_job(self, path: str, *, ago: float = 3_600, script: Script = _PLAIN, job_id: str | None = None) -> JobRun:
        """A job run, with one agent run, that began `ago` seconds before now."""
        return self.world.past_job(self.agent(path), ago, script, job_id)

    def add_schedule(self, path: str, **body: Any) -> Schedule:
        """A schedule from the fields of the add-or-update body."""
        made = schedule(self.agent(path), body)
        self.world.plant(made)
        return made

    def state(self, run_id: str) -> RunStatus:
        """The status of a run now."""
        return self.world.runs[run_id].status(self.clock.now())

    @property
    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        self.tick()
        return list(self.world.runs.values())

    @property
    def jobs(self) -> list[JobRun]:
        """Every job run, oldest first."""
        self.tick()
        return list(self.world.jobs.values())

    @property
    def schedules(self) -> dict[str, Schedule]:
        """Schedules by id."""
        self.tick()
        return self.world.schedules

    @property
    def inputs(self) -> dict[str, dict[str, Input]]:
        """Input files by agent path and name."""
        self.tick()
        return {self.world.agents[key].path: files for key, files in self.world.inputs.items()}

    @property
    def approvals(self) -> list[Approval]:
        """Audit > File Logs: approvals and disapprovals with their messages."""
        return self.world.approvals

    @property
    def effects(self) -> list[Effect]:
        """Every change made by a call, in order."""
        return self.world.effects

    def tick(self) -> None:
        self.world.tick()

    def authorize(self, call: Call) -> Reply | None:
        scheme, _, token = call.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or token not in self._expiries:
            return self.fault_reply(401)
        expiry = self._expiries[token]
        if expiry is not None and expiry <= self.clock.now():
            return self.fault_reply(401)
        return None

    def fault_reply(self, status: int) -> Reply:
        if status == 401:
            return Reply(401, headers=(("WWW-Authenticate", "Bearer"),))
        return super().fault_reply(status)

    def not_found(self, call: Call) -> Reply:
        text = f"No HTTP resource was found that matches the request URI '{call.raw_path}'."
        return json_reply({"Message": text}, 404)

    def found_agent(self, call: Call) -> Agent:
        agent = self.world.agents.get(call.args["agentId"])
        if agent is None:
            raise Broken(404, "The agent was not found.")
        return agent

    def found_run(self, call: Call) -> Run:
        run = self.world.runs.get(call.args["runId"])
        if run is None:
            raise Broken(404, "The agent run was not found.")
        return run

    def found_job(self, call: Call) -> JobRun:
        job = self.world.jobs.get(call.args["jobId"])
        if job is None:
            raise Broken(404, "The job run was not found.")
        return job

    def found_schedule(self, call: Call) -> Schedule:
        schedule = self.world.schedules.get(call.args["scheduleId"])
        if schedule is None:
            raise Broken(404, "The schedule was not found.")
        return schedule

    def found_by_path(self, call: Call) -> Agent:
        path = call.first("agentPath") or ""
        agent = self.world.by_path.get(path)
        if agent is None and self.any_case:
            agent = next((one for name, one in self.world.by_path.items() if name.casefold() == path.casefold()), None)
        if agent is None:
            raise Broken(404, "The agent was not found.")
        return agent

    def written(self, text: str) -> Reply:
        if self.write_reply == "text":
            return text_reply(text)
        return Reply(204 if self.write_reply == "204" else 200)

    def expect(self, call: Call, body: dict[str, Any], known: frozenset[str]) -> None:
        unknown = sorted(set(body) - known)
        if unknown:
            self.surprises.append(f"{call.method} {call.raw_path}: unknown fields {unknown}")


def _base64(value: dict[str, object]) -> str:
    packed = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
