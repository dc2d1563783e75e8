"""The 31 operations of the ACC's API, one method each, numbered as in the vendor's page "API Access" from top to bottom (SEED).

Reads and idempotent calls are marked as such; the five that start something are
not. For most changes the page shows no reply: any success counts, whatever its body, except a web page. Errors are those of
the HTTP client.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from bot.backends import ClientBase
from bot.backends.sequentum.capabilities import JOB_RUN
from bot.backends.sequentum.models import Agent, JobRun, JobStarted, Run, Schedule, ServerStatus, Started
from bot.backends.sequentum.settings import ServerSettings
from bot.core.command.params import as_typed
from bot.core.errors import BadReply, CallProblem
from bot.core.value import Json
from bot.http_client import Download, HttpClient, Reply, segment

T = TypeVar("T")
START_DEADLINE: Final = 60.0
FILE_DEADLINE: Final = 540.0
LARGEST_FILE: Final = 1 << 30


class Seen(NamedTuple, Generic[T]):
    """A list, newest first as the ACC sends it, and the ACC's clock at that moment."""

    items: list[T]
    date: datetime | None


class AccClient(ClientBase):
    """`on_path` is the setting `schedules_on_path`."""

    def __init__(self, http: HttpClient, on_path: str = "auto") -> None:
        super().__init__(http)
        self._on_path = on_path

    async def agent(self, path: str) -> Agent:
        """1. GET api/agent: the agent at a path, whose slashes stay slashes. Its id is needed."""
        query = f"agentPath={quote(path, safe='/')}"
        reply = await self._http.call(
            "GET", "/api/agent", query=query, idempotent=True, missing=f"agent {as_typed(path, 250)}"
        )
        return reply.read(Agent, "agent_id")

    async def start(self, agent_id: str, body: Mapping[str, Json], deadline: float = START_DEADLINE) -> list[str]:
        """2. POST api/agent/ID/cluster/start: ids of the runs that began."""
        reply = await self._once("/api/agent/{}/cluster/start", "agent", agent_id, json=dict(body), deadline=deadline)
        return list(reply.read(Started, "agent_run_history_ids").agent_run_history_ids)

    async def start_for_data(
        self, agent_id: str, body: Mapping[str, Json], to: BinaryIO, deadline: float
    ) -> Download | list[str]:
        """2 with synchronousDataDelivery: the data in `to`, or ids if the ACC answers with ids anyway."""
        got = await self._http.download(
            "POST",
            f"/api/agent/{segment(agent_id)}/cluster/start",
            json=dict(body),
            to=to,
            cap=LARGEST_FILE,
            missing=f"agent {agent_id}",
            deadline=deadline,
        )
        whole = got.size == len(got.head)
        return (self._ids(Reply(self._http.name, got.status, got.headers, got.head)) if whole else []) or got

    async def one(self, kind: str, id: str) -> Run | JobRun:
        """5 or 8, by the kind of run."""
        return await (self.job_run(id) if kind == JOB_RUN else self.run(id))

    async def history(self, kind: str, agent_id: str, count: int) -> Seen[Run] | Seen[JobRun]:
        """6 or 9, by the kind of run."""
        return await (self.job_runs(agent_id, count) if kind == JOB_RUN else self.runs(agent_id, count))

    async def restart(self, run_id: str) -> list[str]:
        """3. POST api/run/ID/restart: ids if the reply holds any; the page shows no reply."""
        return self._ids(await self._once("/api/run/{}/restart", "run", run_id))

    async def retry(self, run_id: str, method: str) -> list[str]:
        """4. POST api/run/ID/retry?RunMethod=: ids if the reply holds any; the page shows no reply."""
        return self._ids(await self._once("/api/run/{}/retry", "run", run_id, query=f"RunMethod={segment(method)}"))

    async def run(self, run_id: str, *needs: str) -> Run:
        """5. GET api/run/ID; `needs` are fields that the caller requires."""
        return (await self._get("/api/run/{}", "run", run_id)).read(Run, *needs)

    async def runs(self, agent_id: str, count: int) -> Seen[Run]:
        """6. GET api/agent/ID/history?count=: the latest runs, active ones included."""
        reply = await self._get("/api/agent/{}/history", "agent", agent_id, query=f"count={count}")
        return Seen(reply.rows(Run), reply.date)

    async def start_job(self, agent_id: str, body: Mapping[str, Json]) -> JobStarted:
        """7. POST api/job/ID/start."""
        reply = await self._once("/api/job/{}/start", "agent", agent_id, json=dict(body), deadline=START_DEADLINE)
        return reply.read(JobStarted, "id")

    async def job_run(self, job_run_id: str, *needs: str) -> JobRun:
        """8. GET api/job/run/ID; `needs` are fields that the caller requires."""
        return (await self._get("/api/job/run/{}", "job run", job_run_id)).read(JobRun, *needs)

    async def job_runs(self, agent_id: str, count: int) -> Seen[JobRun]:
        """9. GET api/job/ID/history?count=."""
        reply = await self._get("/api/job/{}/history", "agent", agent_id, query=f"count={count}")
        return Seen(reply.rows(JobRun), reply.date)

    async def runs_of_job(self, agent_id: str, number: int, count: int) -> list[Run]:
        """10. GET api/agent/ID/run/NUMBER/history: `number` is the job run's runId, as the sample's `run/5` shows."""
        missing = f"job run with the `runId` {number}"
        path = f"/api/agent/{{}}/run/{number}/history"
        return (await self._get(path, "agent", agent_id, query=f"count={count}", missing=missing)).rows(Run)

    async def schedules(self, agent_id: str) -> list[Schedule]:
        """11. GET api/job/ID/schedules."""
        return (await self._get("/api/job/{}/schedules", "agent", agent_id)).rows(Schedule)

    async def set_schedule(self, agent_id: str, body: Mapping[str, Json]) -> None:
        """12. POST api/job/ID/schedule: adds or replaces the schedule whose id the body brings."""
        await self._change("/api/job/{}/schedule", "agent", agent_id, json=dict(body))

    async def delete_schedule(self, schedule_id: str) -> None:
        """13. DELETE api/job/schedule/ID."""
        await self._once("/api/job/schedule/{}", "schedule", schedule_id, method="DELETE")

    async def delete_schedules(self, agent_id: str) -> None:
        """14. DELETE api/job/ID/schedules."""
        await self._once("/api/job/{}/schedules", "agent", agent_id, method="DELETE")

    async def start_schedule(self, schedule_id: str) -> list[str]:
        """15. POST api/job/schedule/ID/start: ids if the reply holds any; the page shows no reply."""
        return self._ids(await self._once("/api/job/schedule/{}/start", "schedule", schedule_id))

    async def switch_schedule(self, schedule_id: str, *, on: bool) -> None:
        """16 and 18. POST api/job/schedule/ID/off and /on."""
        await self._change(f"/api/job/schedule/{{}}/{'on' if on else 'off'}", "schedule", schedule_id)

    async def switch_schedules(self, agent_id: str, *, on: bool) -> None:
        """17 and 19. POST api/job/ID/schedules/off and /on. For the latter the page prints `{agentId}schedules/on`."""
        if not on:
            await self._change("/api/job/{}/schedules/off", "agent", agent_id)
            return
        sample, printed = "/api/job/{}/schedules/on", "/api/job/{}schedules/on"
        if self._on_path != "auto":
            await self._change(sample if self._on_path == "corrected" else printed, "agent", agent_id)
            return
        not_found = False
        try:
            await self._change(sample, "agent", agent_id, missing=None)
        except CallProblem as no:
            if no.status != 404:
                raise
            not_found = True
        if not_found:
            await self._change(printed, "agent", agent_id)

    async def mark(self, agent_id: str, status: int) -> None:
        """20. POST api/job/ID/status: of the latest job run."""
        await self._once("/api/job/{}/status", "agent", agent_id, json={"status": status})

    async def log(self, kind: str, id: str, to: BinaryIO) -> Download:
        """21. GET api/run/ID/log or 22. GET api/job/run/ID/logs, by the kind of run: a zip."""
        path, missing = ("job/run", f"logs of job run {id}") if kind == JOB_RUN else ("run", f"log of run {id}")
        return await self._file(f"/api/{path}/{segment(id)}/{missing.split()[0]}", to, missing)

    async def data(self, kind: str, id: str, to: BinaryIO) -> Download:
        """23. GET api/job/run/ID/backup or 24. GET api/run/ID/backup: a zip, if backup data is stored."""
        path, what = ("job/run", "job run") if kind == JOB_RUN else ("run", "run")
        missing = f"stored data of {what} {id} (storing must be switched on for the agent or its server)"
        return await self._file(f"/api/{path}/{segment(id)}/backup", to, missing)

    async def put_csv(self, agent_id: str, name: str, content: bytes) -> None:
        """25. POST api/input/agent/ID/csv?name=: the body is the CSV text, sent as application/json as in the sample."""
        path, headers = "/api/input/agent/{}/csv", [("Content-Type", "application/json")]
        query = [("name", name)]
        await self._change(
            path, "agent", agent_id, query=query, content=content, headers=headers, deadline=FILE_DEADLINE
        )

    async def upload(self, agent_id: str, boundary: str, size: int, body: Callable[[], AsyncIterator[bytes]]) -> None:
        """26. POST api/input/agent/ID/files: multipart/form-data, with its length as all samples of the page send it."""
        headers = [("Content-Type", f"multipart/form-data; boundary={boundary}"), ("Content-Length", str(size))]
        path = "/api/input/agent/{}/files"
        await self._change(path, "agent", agent_id, stream=body, headers=headers, deadline=FILE_DEADLINE)

    async def clear_inputs(self, agent_id: str) -> None:
        """27. DELETE api/input/agent/ID."""
        await self._once("/api/input/agent/{}", "agent", agent_id, method="DELETE")

    async def disable_inputs(self, agent_id: str) -> None:
        """28. POST api/input/agent/ID/disable."""
        await self._once("/api/input/agent/{}/disable", "agent", agent_id)

    async def check_server(self, server: ServerSettings) -> ServerStatus:
        """29. POST api/server/check, with the server's own key in the body."""
        body: dict[str, Json] = {
            "key": server.key.get_secret_value(),
            "ipAddress": server.ip_address,
            "port": server.port,
            "useSsl": server.use_ssl,
            "serverRefresh": True,
        }
        reply = await self._http.call("POST", "/api/server/check", json=body, idempotent=True, reads=True)
        return reply.read(ServerStatus)

    async def approve(self, agent_id: str, message: str, *, approved: bool) -> None:
        """30 and 31. POST api/agent/ID/toggleAgentApproval/True disapproves, /False approves; the body is a JSON string."""
        path = f"/api/agent/{{}}/toggleAgentApproval/{'False' if approved else 'True'}"
        await self._change(path, "agent", agent_id, json=message)

    async def _change(self, path: str, what: str, id: str, *, method: str = "POST", **more: Any) -> Reply:
        """`path` has `{}` for the id, and `what` names it where the ACC answers 404."""
        more = {"idempotent": True, "missing": f"{what} {id}", **more}
        return await self._http.call(method, path.format(segment(id)), **more)

    async def _get(self, path: str, what: str, id: str, **more: Any) -> Reply:
        return await self._change(path, what, id, method="GET", **more)

    async def _once(self, path: str, what: str, id: str, **more: Any) -> Reply:
        return await self._change(path, what, id, idempotent=False, **more)

    async def _file(self, path: str, to: BinaryIO, missing: str) -> Download:
        return await self._http.download(
            "GET", path, to=to, cap=LARGEST_FILE, idempotent=True, missing=missing, deadline=FILE_DEADLINE
        )

    def _ids(self, reply: Reply) -> list[str]:
        try:
            return list(reply.read(Started).agent_run_history_ids)
        except BadReply:
            return []
