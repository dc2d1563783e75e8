"""The API calls, one method each. v3 paths follow `<baseApiUrl>`, v2 paths `<baseApiUrl>/api/v2`.

GUESS: `serverUrl` of a v2 login equals `baseApiUrl` of the v3 login, as in every sample, so one login serves both.
"""

import asyncio
from datetime import datetime
from typing import Any, BinaryIO, Final

from bot.backends import ClientBase
from bot.backends.informatica.login import V2_HEADER, V3_HEADER, SignIn, Source, error_in, problem_of
from bot.backends.informatica.models import Agent, Entry, Found, Running, Schedule, ServiceReply, Started
from bot.backends.informatica.settings import InformaticaSettings
from bot.core.command.params import as_typed
from bot.core.errors import CallProblem
from bot.core.masking.redact import redact
from bot.core.ports.services import Clock
from bot.core.value import Json
from bot.http_client import Download, HttpClient, Judge, Reply, Session, segment

LARGEST_LOG: Final = 512 << 20
_LARGEST_SKEW: Final = 600.0
_SHARED: Final = 1.0


class InfaClient(ClientBase):
    """Problems are those of the HTTP client, also for error objects that come with a success status."""

    def __init__(self, http: HttpClient, sign_in: SignIn, clock: Clock, settings: InformaticaSettings) -> None:
        super().__init__(http)
        self._settings = settings
        session = Session(sign_in, clock, idle=settings.idle_minutes * 60.0)
        self._v3, self._v2 = Source(session, V3_HEADER), Source(session, V2_HEADER)
        self._clock = clock
        self.sign_in = sign_in
        self.restarts: dict[str, str] = {}  # services that are being restarted -> what comes next, "stop" or "start"
        self.server_ahead = 0.0
        self._monitor_lock = asyncio.Lock()
        self._monitored: tuple[float, list[Running]] | None = None

    def __repr__(self) -> str:
        return f"InfaClient({self._settings.name!r})"

    async def close(self) -> None:
        """Log out where there is a session (POST public/core/v3/logout), and close the connections."""
        session = self.sign_in.current
        try:
            if session is not None:
                await self._http.call(
                    "POST",
                    "/public/core/v3/logout",
                    headers=((V3_HEADER, session.secrets[0]),),
                    base_url=session.base_url,
                    auth=None,
                    deadline=5.0,
                )
        except CallProblem:
            pass
        finally:
            self.sign_in.current = None
            await super().close()

    async def lookup(self, path: str, type: str) -> Found | None:
        """POST lookup by path and type (DOC Lookup); None for an empty answer."""
        return await self._lookup({"path": path, "type": type}, f"{type.lower()} {as_typed(path, 250)}")

    async def lookup_id(self, id: str) -> Found | None:
        """POST lookup by federated id."""
        return await self._lookup({"id": id}, f"object `{id}`")

    async def agents(self) -> list[Agent]:
        """GET api/v2/agent: all agents, without paging."""
        return (await self._get("/api/v2/agent")).rows(Agent)

    async def agent_by_name(self, name: str) -> Agent:
        """GET api/v2/agent/name/NAME."""
        return (await self._get(f"/api/v2/agent/name/{segment(name)}", missing=f"agent {as_typed(name, 250)}")).read(
            Agent, "id"
        )

    async def details(self, v2_id: str) -> Agent:
        """GET api/v2/agent/details/ID, by the v2 id."""
        return (await self._get(f"/api/v2/agent/details/{segment(v2_id)}", missing=f"agent {v2_id}")).read(Agent)

    async def all_details(self) -> list[Agent]:
        """GET api/v2/agent/details."""
        return (await self._get("/api/v2/agent/details")).rows(Agent)

    async def switch_service(self, federated_id: str, service: str, action: str) -> ServiceReply:
        """POST public/core/v3/agent/service (SEED): `action` is start or stop, the agent's id its federated one."""
        body: dict[str, Json] = {"serviceName": service, "serviceAction": action, "agentId": federated_id}
        return (await self._call("POST", "/public/core/v3/agent/service", v3=True, json=body)).read(ServiceReply)

    async def start_job(self, task: dict[str, Json]) -> Started:
        """POST api/v2/job (DOC jobs): `task` holds taskType and one of taskId, taskFederatedId, taskName."""
        return (await self._call("POST", "/api/v2/job", json={"@type": "job", **task})).read(Started)

    async def stop_job(self, task: dict[str, Json], *, clean: bool) -> None:
        """POST api/v2/job/stop; `clean` waits for a clean end."""
        query = [("cleanStop", "true")] if clean else []
        await self._call("POST", "/api/v2/job/stop", json={"@type": "job", **task}, query=query)

    async def running(self) -> list[Running]:
        """GET api/v2/activity/activityMonitor: the jobs that run now."""
        return (await self._get("/api/v2/activity/activityMonitor", query=[("details", "false")])).rows(Running)

    async def running_lately(self) -> list[Running]:
        """The same, at most a second old: the monitor lists all jobs at once, so all followed runs share one read."""
        async with self._monitor_lock:
            now = self._clock.monotonic()
            if self._monitored is None or now - self._monitored[0] >= _SHARED:
                self._monitored = (now, await self.running())
            return self._monitored[1]

    async def ended(self, *, task_id: str = "", run_id: int | None = None, rows: int = 200) -> list[Entry]:
        """GET api/v2/activity/activityLog: ended jobs, newest first; a run id needs the task's v2 id."""
        query = [("rowLimit", str(rows))]
        if task_id:
            query.append(("taskId", task_id))
            query += [("runId", str(run_id))] if run_id is not None else []
        return (await self._get("/api/v2/activity/activityLog", query=query)).rows(Entry)

    async def session_log(self, log_id: str, to: BinaryIO) -> Download:
        """GET api/v2/activity/activityLog/ID/sessionLog: text, or a zip of texts."""
        missing = f"session log {log_id}"
        return await self._http.download(
            "GET",
            f"/api/v2/activity/activityLog/{segment(log_id)}/sessionLog",
            to=to,
            cap=LARGEST_LOG,
            auth=self._v2,
            idempotent=True,
            missing=missing,
            judge=self._judge(missing),
            deadline=480.0,
        )

    async def schedules(self) -> list[Schedule]:
        """GET public/core/v3/schedule: the list under `schedules` or `value`, or bare (all are seen in public clients)."""
        return (await self._get("/public/core/v3/schedule", v3=True)).rows(Schedule, at=("schedules", "value"))

    async def switch_schedule(self, schedule_id: str, *, on: bool) -> None:
        """PATCH public/core/v3/schedule/ID with the status alone."""
        body: dict[str, Json] = {"status": "enabled" if on else "disabled"}
        path = f"/public/core/v3/schedule/{segment(schedule_id)}"
        await self._call("PATCH", path, v3=True, safe=True, json=body, missing=f"schedule {schedule_id}")

    async def _lookup(self, wanted: dict[str, Json], missing: str) -> Found | None:
        path = "/public/core/v3/lookup"
        body: dict[str, Json] = {"objects": [wanted]}
        reply = await self._call("POST", path, v3=True, safe=True, reads=True, json=body, missing=missing)
        found = reply.rows(Found, at=("objects",))
        if found and not found[0].id:
            raise reply.bad("`id` of `objects` can't be read")
        return found[0] if found else None

    async def _get(self, path: str, **rest: Any) -> Reply:
        return await self._call("GET", path, safe=True, **rest)

    async def _call(
        self, method: str, path: str, *, v3: bool = False, safe: bool = False, missing: str | None = None, **rest: Any
    ) -> Reply:
        """One call. A session that ended is renewed once."""
        source, judge = self._v3 if v3 else self._v2, self._judge(missing)
        reply = await self._http.call(method, path, auth=source, idempotent=safe, missing=missing, judge=judge, **rest)
        self._note_clock(reply.date)
        return reply

    def _judge(self, missing: str | None) -> Judge:
        """Raises the problem of an error object under a success status."""

        def judge(reply: Reply) -> None:
            error = error_in(reply.body)
            if error is None:
                return
            if error.status is None and error.code in self._settings.session_codes:
                error = error._replace(status=401)
            session = self.sign_in.current
            secrets = (self.sign_in.secret, *(session.secrets if session else ()))
            raise problem_of(self._settings.name, error, redact(error.sentence, secrets)[0], missing)

        return judge

    def _note_clock(self, date: datetime | None) -> None:
        """How far the vendor's clock is ahead of ours; an implausible difference comes from a proxy and is ignored."""
        ahead = (date - self._clock.now()).total_seconds() if date is not None else 0.0
        self.server_ahead = ahead if abs(ahead) <= _LARGEST_SKEW else 0.0
