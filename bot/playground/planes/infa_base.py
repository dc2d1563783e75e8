"""The base of the simulated IICS: logins, sessions, both error shapes, knobs and effects."""

import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.infa_model import InfaSchedule, Job, Pace, SecureAgent, Service, Task
from bot.playground.planes.wire import Call, Refusal, Reply, json_reply

_DIGITS = string.digits + string.ascii_letters
V3 = "/saas/public/core/v3"
V2 = "/saas/api/v2"


def base62(seed: str, length: int = 22) -> str:
    """An id such as the vendor's `kiphQJoRWWJfaC3enJ1smP`, deterministic for each seed."""
    number = uuid.uuid5(uuid.NAMESPACE_URL, seed).int
    signs = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        signs.append(_DIGITS[rest])
    return "".join(signs)


def v2_error(code: str, text: str, status: int) -> Reply:
    """DOC Error_object: the v2 error object."""
    body = {"@type": "error", "code": code, "description": text, "statusCode": status}
    return json_reply(body, status)


def v3_error(code: str, text: str, status: int) -> Reply:
    """DOC Error_object: the v3 error object."""
    request_id = base62(f"{code}/{text}")
    error = {"code": code, "message": text, "requestId": request_id, "details": None}
    return json_reply({"error": error}, status)


@dataclass(slots=True)
class Session:
    """A login; `used` is renewed by every call."""

    user: str
    used: float


@dataclass(frozen=True, slots=True)
class Deed:
    """One change made by a call: the action and its object."""

    at: float
    action: str
    subject: str


class InfaBase(Plane):
    """State, sessions and credentials of an organization.

    `org_id` and `identity_tokens` are what `loginOAuth` takes; each of those tokens is good for one login (DOC loginOAuth).
    A session ends after `idle_minutes` without a call. After `lock_after` wrong passwords in a row the
    account is locked. `bad_login_status` is the HTTP status of a wrong password; with
    `errors_as_200` every error object comes with status 200. `wrap_schedules` false: the list
    of schedules is a bare array. Without `utc_fields` job times are in Eastern Time only. `lingers` is how many
    seconds the monitor lists a job that has ended. Session logs are text, or a zip with `zip_session_log`.
    """

    kind = "informatica"
    enum_keys = frozenset({"serviceState", "status", "subState", "executionState", "state"})

    def __init__(
        self,
        name: str = "infa",
        *,
        clock: Clock | None = None,
        port: int = 0,
        username: str = "signalbox@example.com",
        password: str = "infa-playground-not-a-secret",  # noqa: S107 - a fake one
        org_id: str = "52ZSTB0IDK6dXxaEQLUaQu",
        idle_minutes: float = 30,
        lock_after: int = 5,
        bad_login_status: int = 401,
        errors_as_200: bool = False,
        wrap_schedules: bool = True,
        utc_fields: bool = True,
        lingers: float = 0,
        zip_session_log: bool = False,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.ids_made = 0
        self.username = username
        self.password = password
        self.org_id = org_id
        self.identity_tokens: set[str] = set()
        self.idle_minutes = idle_minutes
        self.lock_after = lock_after
        self.bad_login_status = bad_login_status
        self.errors_as_200 = errors_as_200
        self.wrap_schedules = wrap_schedules
        self.utc_fields = utc_fields
        self.lingers = lingers
        self.lists_after = 0.0  # seconds until the monitor lists a job that has started
        self.zip_session_log = zip_session_log
        self.pace = pace or Pace()
        self.agents: list[SecureAgent] = []
        self.tasks: list[Task] = []
        self.jobs: list[Job] = []
        self.schedules: list[InfaSchedule] = []
        self.sessions: dict[str, Session] = {}
        self.effects: list[Deed] = []
        self.logins = 0
        self.wrong_passwords = 0

    # --- knobs ---------------------------------------------------------------------------------

    def add_agent(self, agent_name: str, *services: str, **fields: Any) -> SecureAgent:
        """A Secure Agent with running services of those display names."""
        number = len(self.agents) + 1
        running = {shown: Service(shown, shown.replace(" ", ""), since=self.clock.now() - 3_600) for shown in services}
        federated = base62(f"{self.name}/agent/{agent_name}")
        v2_id = f"0000P108{number:012d}"
        agent = SecureAgent(v2_id, federated, agent_name, running, **fields)
        self.agents.append(agent)
        return agent

    def add_task(self, task_name: str, agent: SecureAgent, *, sort: str = "MTT", **fields: Any) -> Task:
        """A task that runs on an agent; `fields` as in `infa_model.Task`."""
        task_id = f"0000P10Z{len(self.tasks) + 1:012d}"
        federated = base62(f"{self.name}/task/{task_name}")
        task = Task(task_id, federated, task_name, sort, agent, **fields)
        self.tasks.append(task)
        return task

    def add_schedule(self, schedule_name: str, interval: str = "Daily", enabled: bool = True) -> InfaSchedule:
        """A schedule of the organization."""
        made = InfaSchedule(
            base62(f"{self.name}/schedule/{schedule_name}", 20),
            base62(f"{self.name}/federated/{schedule_name}"),
            schedule_name,
            interval,
            self.clock.now() - 86_400,
            enabled,
        )
        self.schedules.append(made)
        return made

    def service(self, agent_name: str, display_name: str) -> Service:
        """A service by the names of both; raises KeyError."""
        self.tick()
        agent = {agent.name: agent for agent in self.agents}[agent_name]
        return agent.services[display_name]

    def end_sessions(self) -> None:
        """Drop all sessions, as a restart at the vendor does."""
        self.sessions.clear()

    def unlock(self) -> None:
        """Unlock the account."""
        self.wrong_passwords = 0

    @property
    def locked(self) -> bool:
        """Whether too many wrong passwords have locked the account."""
        return self.wrong_passwords >= self.lock_after

    # --- the plane -----------------------------------------------------------------------------

    def note(self, action: str, subject: str) -> None:
        """Record an effect."""
        self.effects.append(Deed(self.clock.now(), action, subject))

    def tick(self) -> None:
        now = self.clock.now()
        for agent in self.agents:
            for service in agent.services.values():
                service.settle(now, self.pace)

    def refuse(self, call: Call, code: str, text: str, status: int) -> Refusal:
        """An error in the shape of the called API version."""
        shape: Callable[[str, str, int], Reply] = v3_error if "/v3/" in call.raw_path else v2_error
        reply = shape(code, text, status)
        return Refusal(Reply(200, reply.body, reply.content_type) if self.errors_as_200 else reply)

    def not_found(self, call: Call) -> Reply:
        return self.refuse(call, "HTTP_404", "The resource was not found.", 404).reply

    def fault_reply(self, status: int) -> Reply:
        if status == 401:
            return v3_error("AUTH_01", "The session has expired.", 401)
        return super().fault_reply(status)

    def authorize(self, call: Call) -> Reply | None:
        header = "INFA-SESSION-ID" if "/v3/" in call.raw_path else "icSessionId"
        session = self.sessions.get(call.headers.get(header, ""))
        now = self.clock.now()
        if session is None or now - session.used > self.idle_minutes * 60:
            return self.refuse(call, "AUTH_01", "The session is not valid or has expired.", 401).reply
        session.used = now
        return None

    def body(self, call: Call) -> dict[str, Any]:
        """The JSON object of the body."""
        try:
            body = call.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise self.refuse(call, "V3API_007", "The request body is not valid.", 400)
        return body

    def log_in(self, call: Call) -> str:
        """Check name and password, and open a session: its id."""
        body = self.body(call)
        if self.locked:
            raise self.refuse(call, "UI_10001", "The user account is locked.", 403)
        if (body.get("username"), body.get("password")) != (self.username, self.password):
            self.wrong_passwords += 1
            text = "User name or password is not valid."
            raise self.refuse(call, "IDS_085", text, self.bad_login_status)
        self.wrong_passwords = 0
        return self._session()

    def log_in_by_identity(self, call: Call) -> str:
        """Check the organization and the identity provider's token, which this login uses up."""
        body = self.body(call)
        if body.get("orgId") != self.org_id or body.get("oauthToken") not in self.identity_tokens:
            raise self.refuse(call, "UI_10000", "The access token is not valid.", self.bad_login_status)
        self.identity_tokens.discard(body["oauthToken"])
        return self._session()

    def _session(self) -> str:
        self.logins += 1
        session_id = base62(f"{self.name}/session/{self.logins}")
        self.sessions[session_id] = Session(self.username, self.clock.now())
        return session_id
