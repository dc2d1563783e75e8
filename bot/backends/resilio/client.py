"""The calls of the Agent API, version 3, one method each (all SEED). Every call except the token request carries the token:
some samples leave it out, yet "by default a token is included in all API calls".

The token is fetched without a credential, kept, and fetched again after a refusal. It travels in the query (`?token=`), so the
HTTP client gets it as a credential: addresses stay out of its messages and of logs, and the value is masked in the agent's texts.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.backends import ClientBase
from bot.backends.resilio.models import Client, Run, Tag
from bot.core.errors import BadReply, NoSuchTarget, NotSent
from bot.core.ports.services import Clock
from bot.core.text import seconds_words
from bot.core.value import Json
from bot.http_client import Credential, HttpClient, Reply, Session, segment

TOKEN_PATH: Final = "/api/v3/token"  # noqa: S105  an address, not a secret
CLIENT: Final = "/api/v3/client"
RUNS: Final = "/api/v3/runs"
TAGS: Final = "/api/v3/tags"
NEEDS_RUNS: Final = "list of runs, because its version is older than 3.0.0"
NEEDS_TAGS: Final = "list of tags, because its version is older than 2.10.0"
_CALL_TIME: Final = 20.0
_UNREACHED: Final = (
    "The agent is off, its API is not enabled, or the tunnel to it is closed; see docs/backends/resilio.md."
)


class _Token(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token: SecretStr = Field(min_length=1)


class TokenKeeper:
    """Keeps one token for all calls. `session` is for the HTTP client."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._fetched_at: float | None = None
        self.session = Session(self._fetch, clock)

    def __repr__(self) -> str:
        return f"TokenKeeper({self.age_text()!r})"

    async def _fetch(self) -> Credential:
        """GET /api/v3/token, which is asked without a token."""
        reply = await self._http.call("GET", TOKEN_PATH, auth=None, idempotent=True, deadline=10.0)
        token = reply.read(_Token).token.get_secret_value()
        if not token.isascii() or not token.isprintable():
            raise BadReply(f"{self._http.name} returned a token that can't be sent.")
        self._fetched_at = self._clock.monotonic()
        return Credential(query=(("token", token),))

    def age_text(self) -> str:
        """`token, fetched 5 min ago`."""
        if self._fetched_at is None:
            return "token, not fetched yet"
        age = self._clock.monotonic() - self._fetched_at
        return f"token, fetched {seconds_words(age)} ago" if age >= 1 else "token, fetched just now"


class ResilioClient(ClientBase):
    """`keeper` None: no token is used. `refused_statuses` make it try a new token once. Problems are the HTTP client's."""

    def __init__(
        self, http: HttpClient, keeper: TokenKeeper | None, refused_statuses: Sequence[int] = (401, 403)
    ) -> None:
        super().__init__(http)
        self._keeper = keeper
        self._renew_on = frozenset({401, *refused_statuses})

    def credential_text(self) -> str:
        """How old the token is, without the token."""
        return self._keeper.age_text() if self._keeper else "no token (token_auth = false)"

    async def token(self) -> str:
        """The token in use, to detect a change; empty without one. Never show it."""
        if self._keeper is None:
            return ""
        return "".join(value for _, value in (await self._keeper.session.credential()).query)

    async def client(self, deadline: float = _CALL_TIME) -> Client:
        """GET client: name, paused, connection."""
        return (await self._call("GET", CLIENT, idempotent=True, deadline=deadline)).read(Client)

    async def runs(self) -> list[Run]:
        """GET runs: the current runs, from 3.0.0. The samples show an array; the object of one run is read as well."""
        reply = await self._call("GET", RUNS, idempotent=True, missing=NEEDS_RUNS)
        return [reply.read(Run, "run_id")] if isinstance(reply.value(), dict) else reply.rows(Run)

    async def run(self, run_id: str) -> Run:
        """GET runs/ID: an array for one run too (SEED); an object is read as well, and an empty array means no such run."""
        missing = f"run {run_id} now"
        reply = await self._call("GET", f"{RUNS}/{segment(run_id)}", idempotent=True, missing=missing)
        found = [reply.read(Run)] if isinstance(reply.value(), dict) else reply.rows(Run)
        for run in found:
            if str(run.run_id) == run_id or (run.run_id is None and len(found) == 1):
                return run
        others = f"; its answer has the `run_id` {', '.join(str(run.run_id) for run in found[:5])}" if found else ""
        raise NoSuchTarget(f"{self._http.name} has no {missing}{others}.")

    async def pause(self, resume_timer: int | None) -> None:
        """PATCH client?paused=true, with resume_timer in seconds; the reply is not shown, any success counts."""
        timer = [("resume_timer", str(resume_timer))] if resume_timer is not None else []
        await self._call("PATCH", CLIENT, query=[("paused", "true"), *timer], idempotent=True)

    async def resume(self) -> None:
        """PATCH client?paused=false."""
        await self._call("PATCH", CLIENT, query=[("paused", "false")], idempotent=True)

    async def restart(self, deadline: float) -> None:
        """PATCH client with {"restart": true}, from 4.1.0. The sample's single quotes are not valid JSON. Never sent twice."""
        await self._call("PATCH", CLIENT, json={"restart": True}, idempotent=False, deadline=deadline)

    async def tags(self) -> list[Tag]:
        """GET tags, from 2.10.0."""
        return (await self._call("GET", TAGS, idempotent=True, missing=NEEDS_TAGS)).rows(Tag, at=("tags",))

    async def set_tags(self, tags: Mapping[str, str]) -> None:
        """PATCH tags, from 2.9.3: each is added or changed, all others stay; there is no way to delete one."""
        rows: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in tags.items()]
        await self._call("PATCH", TAGS, json={"tags": rows}, idempotent=True)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        idempotent: bool,
        query: Sequence[tuple[str, str]] = (),
        json: Json = None,
        missing: str | None = None,
        deadline: float = _CALL_TIME,
    ) -> Reply:
        auth = self._keeper.session if self._keeper else None

        try:
            return await self._http.call(
                method,
                path,
                query=query,
                json=json,
                auth=auth,
                idempotent=idempotent,
                missing=missing,
                renew_on=self._renew_on,
                deadline=deadline,
            )
        except NotSent as problem:
            raise NotSent(problem.summary, problem.hint or _UNREACHED, status=problem.status) from None
