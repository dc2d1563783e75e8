"""The API calls: 22 of Gateway Manager (titles SEED, shapes DOC), and jobs (CODE itential_mcp)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic
from urllib.parse import urlencode

from pydantic import Field

from bot.backends import ClientBase
from bot.backends.itential import models
from bot.backends.itential.settings import ItentialSettings
from bot.core.errors import BadReply, CredentialRefused, Rejected
from bot.core.ports.services import BackendParts
from bot.core.value import Json
from bot.core.vendor_json import Number, WireModel
from bot.http_client import Auth, Basic, Credential, HttpClient, Reply, Session, client_for, segment

GM: Final = "/gateway_manager/v1"
OM: Final = "/operations-manager/jobs"
# A token is renewed this many seconds before it expires, so that it doesn't expire during a call.
_EARLY: Final = 60.0


@dataclass(frozen=True)  # no slots: a generic dataclass can't have them
class Resource(Generic[models.M]):
    """A kind of thing under Gateway Manager: its path, and the key that holds its fields in create and change requests."""

    path: str
    model: type[models.M]
    create: str
    method: str
    change: str


GATEWAYS: Final = Resource("gateways", models.Gateway, "gateway", "PUT", "payload")
GROUPS: Final = Resource("service-groups", models.Group, "serviceGroup", "PATCH", "patches")
CERTS: Final = Resource("certificates", models.Certificate, "", "PUT", "")


class ItnClient(ClientBase):
    """Problems are those of the HTTP client. The vendor documents 500 as its only error, even for bad requests."""

    def __init__(self, http: HttpClient, settings: ItentialSettings) -> None:
        super().__init__(http)
        self._settings = settings

    def __repr__(self) -> str:
        return f"ItnClient({self._settings.name!r})"

    # --- services ------------------------------------------------------------------------------

    async def services(self, cluster: str = "") -> list[models.Service]:
        """GET services[?cluster_id=]."""
        return models.many(await self._get(f"{GM}/services", _cluster(cluster)), models.Service)

    async def service(self, id: str) -> models.Service:
        """GET services/ID."""
        return models.one(await self._get(f"{GM}/services/{segment(id)}"), models.Service)

    async def run(
        self, name: str, cluster: str, params: Mapping[str, Json], inventory: Sequence[Mapping[str, Json]] = ()
    ) -> models.RunReply:
        """POST services/run: always the three fields of the seed, which one page calls required and another optional.

        `inventory` is sent only when it was asked for: the pages of newer platforms alone know it (DOC run-service)."""
        body: dict[str, Json] = {"serviceName": name, "clusterId": cluster, "params": dict(params)}
        if inventory:
            body["inventory"] = [dict(part) for part in inventory]
        deadline = float(self._settings.run_seconds)
        return models.run_reply(await self._http.call("POST", f"{GM}/services/run", json=body, deadline=deadline))

    # --- gateways, service groups, certificates ------------------------------------------------

    async def listed(self, resource: Resource[models.M], cluster: str = "") -> list[models.M]:
        """GET gateways, service-groups or certificates."""
        return models.many(await self._get(f"{GM}/{resource.path}", _cluster(cluster)), resource.model)

    async def read(self, resource: Resource[models.M], id: str) -> models.M:
        """GET RESOURCE/ID."""
        return models.one(await self._get(f"{GM}/{resource.path}/{segment(id)}"), resource.model)

    async def create(self, resource: Resource[models.M], fields: Mapping[str, Json]) -> tuple[str, models.M]:
        """POST RESOURCE: the new id (empty when the reply has none), and what the reply shows of the new thing."""
        body: dict[str, Json] = {resource.create: dict(fields)} if resource.create else dict(fields)
        reply = await self._http.call("POST", f"{GM}/{resource.path}", json=body)
        return models.made(reply, resource.model)

    async def change(self, resource: Resource[models.M], id: str, fields: Mapping[str, Json]) -> None:
        """PUT or PATCH RESOURCE/ID."""
        body: dict[str, Json] = {resource.change: dict(fields)} if resource.change else dict(fields)
        await self._http.call(resource.method, f"{GM}/{resource.path}/{segment(id)}", json=body, idempotent=True)

    async def delete(self, resource: Resource[models.M], id: str) -> None:
        """DELETE RESOURCE/ID."""
        await self._http.call("DELETE", f"{GM}/{resource.path}/{segment(id)}")

    # --- connections and health ----------------------------------------------------------------

    async def connections(self) -> dict[str, str]:
        """GET connections: cluster id -> a word such as `connected`."""
        reply = await self._get(f"{GM}/connections")
        value = reply.value()
        inner = value.get("result", value) if isinstance(value, dict) else None
        if not isinstance(inner, dict):
            raise reply.bad("it contains no connections")
        return {str(cluster): _word(state) for cluster, state in inner.items()}

    async def connection(self, cluster: str) -> str:
        """GET connections/CLUSTER: the status of a ping, `completed` when it went well."""
        value = (await self._get(f"{GM}/connections/{segment(cluster)}")).value()
        return _word(value.get("status", value) if isinstance(value, dict) else value)

    async def health(self) -> str:
        """GET health/status, which asks for no credential: its `result` or `status`."""
        value = (await self._http.call("GET", f"{GM}/health/status", auth=None, idempotent=True)).value()
        return _word(value.get("result", value.get("status")) if isinstance(value, dict) else value)

    async def version(self) -> str:
        """GET version: a word, as text of any type or as JSON, or an object that holds one."""
        reply = await self._get(f"{GM}/version")
        try:
            value = reply.value()
        except BadReply:
            if reply.empty:
                raise
            return reply.text().strip()[:80]
        return _word(value.get("version", value.get("result", value)) if isinstance(value, dict) else value)

    # --- jobs ----------------------------------------------------------------------------------

    async def job(self, id: str) -> models.Job:
        """GET operations-manager/jobs/ID."""
        return models.one(await self._get(f"{OM}/{segment(id)}", missing=f"job {id}"), models.Job)

    async def jobs(self, limit: int, status: str = "") -> list[models.Job]:
        """GET operations-manager/jobs, newest first (GUESS: the name to sort by). The caller applies filters again, because a
        platform that doesn't know one ignores it."""
        query = [("limit", str(limit)), ("skip", "0"), ("sort", "metrics.start_time"), ("order", "-1")]
        query += [("equals[status]", status)] if status else []
        return models.many(await self._get(OM, query), models.Job)

    async def job_action(self, action: str, id: str) -> None:
        """POST operations-manager/jobs/{pause|resume|cancel} {jobIds}."""
        await self._http.call("POST", f"{OM}/{segment(action)}", json={"jobIds": [id]}, missing=f"job {id}")

    async def retry_task(self, id: str, task: str) -> None:
        """POST operations-manager/jobs/ID/tasks/TASK/retry."""
        await self._http.call("POST", f"{OM}/{segment(id)}/tasks/{segment(task)}/retry", missing=f"job {id}")

    async def _get(self, path: str, query: Sequence[tuple[str, str]] = (), missing: str | None = None) -> Reply:
        return await self._http.call("GET", path, query=query, idempotent=True, missing=missing)


def _cluster(cluster: str) -> list[tuple[str, str]]:
    return [("cluster_id", cluster)] if cluster else []


def _word(value: object) -> str:
    if isinstance(value, dict):
        value = next((value[key] for key in ("status", "state", "reply") if key in value), value)
    if isinstance(value, bool):
        return "connected" if value else "disconnected"
    return str(value)[:80]


# --- signing in ------------------------------------------------------------


class _Token(WireModel):
    """Reply of `POST /oauth/token`; `expires_in` in seconds (DOC itential-cloud machine-authentication: 3600)."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: Number | None = None


async def _service_account(http: HttpClient, settings: ItentialSettings) -> Credential:
    """`POST /oauth/token`, client credentials as a form (DOC api/authentication; CODE ipsdk sends the same three fields)."""
    (secret,) = settings.secrets
    form = {"grant_type": "client_credentials", "client_id": settings.client_id, "client_secret": secret}
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    reply = await http.call("POST", "/oauth/token", content=urlencode(form).encode(), headers=headers, auth=None)
    token = reply.read(_Token)
    if not token.access_token.isascii() or not token.access_token.isprintable():
        raise BadReply(f"{reply.name} returned an `access_token` that can't be sent.", status=reply.status)
    lifetime = max(token.expires_in - _EARLY, token.expires_in / 2) if token.expires_in else None
    return Credential(headers=(("Authorization", f"Bearer {token.access_token}"),), lifetime=lifetime)


async def _user(http: HttpClient, settings: ItentialSettings) -> Credential:
    """`POST /login` (DOC api/authentication). The token goes into a cookie, as in CODE ipsdk: a query ends up in access logs."""
    (password,) = settings.secrets
    user = {"username": settings.username, "password": password}
    reply = await http.call("POST", "/login", json={"user": dict(user)}, auth=None)
    token = reply.text().strip().strip('"')  # it comes as text or as a JSON string
    if not token or not token.isascii() or not token.isprintable() or set(token) & set(' ;,{}[]"'):
        raise BadReply(f"{reply.name} answered {reply.status} to the login, but sent no token.", status=reply.status)
    return Credential(headers=(("Cookie", f"token={token}"),), secrets=(token,))


def signed_in(settings: ItentialSettings, parts: BackendParts) -> HttpClient:
    """The HTTP client of one platform, which signs in when it is first used."""

    keys = "`client_id` and `client_secret`" if settings.client_id else "`username` and `password`"

    async def sign_in() -> Credential:
        parts.sign_in.check(settings.name, parts.clock.now())
        try:
            found = await (_service_account if settings.client_id else _user)(http, settings)
        except Rejected as no:
            # OAuth servers answer a wrong client with 400.
            if no.status != 400 and not isinstance(no, CredentialRefused):
                raise
            reason = no.summary
        else:
            parts.sign_in.accepted()
            return found
        problem = CredentialRefused(f"The sign-in was refused. {reason}", f"Correct {keys}, and restart the bot.")
        raise parts.sign_in.refused(settings.name, problem, parts.clock.now(), session=True)

    fixed = settings.username and settings.sign_in == "basic"
    auth: Auth = Basic(settings.username, *settings.secrets) if fixed else Session(sign_in, parts.clock)
    http = client_for(settings, parts, auth=auth)
    return http
