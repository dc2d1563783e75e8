"""The calls to Prefactor, one method each. Every change that can carry an idempotency key does.

Sources: `POST /api/v1/agent` SEED; list, retire, reinstate and the instance list DOC; the rest CODE (prefactor-http 0.4.3 and the
vendor's TypeScript SDK). The key is in the body, not in a header, and is at most 64 characters long (CODE).

Error bodies have a plain shape, and one with a map of fields (SEED: both under `default`):
`{"status":"error","code","message"}` or `{"status":"error","code":"validation_errors","errors","message"}`. The type of
`errors` is not stated: a map of field to messages is what clients see (CODE), and any nesting of maps, lists and texts is read.
"""

import json as jsonlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bot.backends import ClientBase
from bot.backends.prefactor.models import Agent, Details, Instance, Page, PageHead, R, Token
from bot.core.errors import BadReply, CallProblem, CredentialRefused, RateLimited, Rejected
from bot.core.masking.redact import redact
from bot.core.value import Json
from bot.http_client import HttpClient, Reply, segment

INVALID: Final = "validation_errors"
_MOST_FIELDS: Final = 20
_LONGEST: Final = 200
_DEEPEST: Final = 4
API: Final = "/api/v1"
LARGEST_PAGE: Final = 100
_MOST_PAGES: Final = 100


class Invalid(Rejected):
    """Fields were refused; `fields` are pairs of a field and its problem."""

    code = INVALID

    def __init__(self, summary: str, fields: tuple[tuple[str, str], ...], status: int | None) -> None:
        super().__init__(summary, "Correct them and send the command again. Nothing was changed.", status=status)
        self.fields = fields


def refusal(name: str, body: bytes, status: int, secrets: Iterable[str]) -> Rejected | None:
    """The problem in an error body of either shape; None for any other body."""
    try:
        value = jsonlib.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("status") != "error":
        return None
    secrets = tuple(secrets)
    code = _line(str(value.get("code") or "error"), secrets)[:40]
    message = _line(str(value.get("message") or ""), secrets)
    fields = fields_of(value.get("errors"), secrets)
    tail = f": {message}" if message else "."
    if code == INVALID or fields:
        faults = "; ".join(f"{field} {wrong}" for field, wrong in fields[:5])
        return Invalid(
            f"{name} refused these fields: {faults}." if faults else f"{name} refused the request{tail}", fields, status
        )
    return Rejected(
        f"{name} refused the request ({code}){tail}", code=code if code == "invalid_action" else None, status=status
    )


def fields_of(errors: Any, secrets: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """The problems by field, at most twenty; a problem without a field is under `request`."""
    secrets = tuple(secrets)
    found: dict[str, list[str]] = {}
    for field, wrong in _walk(errors, "", 0):
        name = _line(field.removeprefix("details."), secrets)[:60] or "request"
        if name in found or len(found) < _MOST_FIELDS:
            found.setdefault(name, []).append(_line(wrong, secrets))
    return tuple((field, "; ".join(dict.fromkeys(wrongs))[:_LONGEST]) for field, wrongs in found.items())


def _walk(errors: Any, field: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST or errors is None or errors == "":
        return
    if isinstance(errors, list):
        for item in errors:
            yield from _walk(item, field, depth + 1)
    elif isinstance(errors, dict):
        named = errors.get("field") or errors.get("path")
        message = errors.get("message") or errors.get("detail")
        if isinstance(named, str) and isinstance(message, str):
            yield named, message
            return
        for key, item in errors.items():
            yield from _walk(item, f"{field}.{key}" if field else str(key), depth + 1)
    else:
        yield field, str(errors)


def _line(text: str, secrets: tuple[str, ...]) -> str:
    return redact(" ".join(text[:2000].split()), secrets)[0][:_LONGEST]


class PrefactorClient(ClientBase):
    """`http` translates error bodies with `refusal`; `secrets` are masked in the vendor's texts.

    Problems are those of the HTTP client, and Invalid for refused fields."""

    def __init__(self, http: HttpClient, secrets: Iterable[str] = ()) -> None:
        super().__init__(http)
        self._secrets = secrets

    async def ping(self) -> None:
        """GET /ping: whether the token is accepted."""
        await self._call("GET", "/ping")

    async def agents(self, environment_id: str | None = None) -> list[Agent]:
        """GET /agent: every page of it. Raises CallProblem when there are more than ten thousand."""
        found: list[Agent] = []
        offset = 0
        for _ in range(_MOST_PAGES):
            query = [("environment_id", environment_id)] if environment_id else []
            page = self._page(await self._call("GET", "/agent", query=[*query, *_paging(offset)]), Agent)
            found += page.items
            following = self._following(page, offset)
            if following is None:
                return found
            offset = following
        raise CallProblem(
            f"{self._http.name} lists more than {_MOST_PAGES * LARGEST_PAGE:,} agents.", "Name the agent by its id."
        )

    def _following(self, page: Page[Agent], offset: int) -> int | None:
        if page.pagination is None:
            return offset + LARGEST_PAGE if len(page.items) == LARGEST_PAGE else None
        following = page.pagination.next_page_offset
        if following is not None and following <= offset:
            raise BadReply(f"{self._http.name} sent a list whose pages don't continue (`next_page_offset`).")
        return following

    async def token(self, token_id: str | None) -> Token | None:
        """GET /api_token/ID, or the only active one of GET /api_token; None where several could be the one in use."""
        if token_id is not None:
            return self._read(await self._call("GET", f"/api_token/{segment(token_id)}"), Token)
        page = self._page(await self._call("GET", "/api_token"), Token)
        active = [token for token in page.items if token.status == "active"]
        return active[0] if len(active) == 1 and not any(token.status is None for token in page.items) else None

    async def agent(self, agent_id: str) -> Agent:
        """GET /agent/ID: with counts and allowed actions."""
        reply = await self._call("GET", f"/agent/{segment(agent_id)}", missing=f"agent {agent_id}")
        return self._read(reply, Agent)

    async def create(self, details: Mapping[str, Json], key: str) -> Agent:
        """POST /agent. 200 and 201 are both taken: the seed does not show the status."""
        reply = await self._call("POST", "/agent", json={"details": dict(details), "idempotency_key": key})
        return self._read(reply, Agent)

    async def update(self, agent_id: str, details: Mapping[str, Json], key: str) -> Agent:
        """PUT /agent/ID: fields that are left out stay as they are (CODE)."""
        body: Json = {"details": dict(details), "idempotency_key": key}
        reply = await self._call("PUT", f"/agent/{segment(agent_id)}", json=body, missing=f"agent {agent_id}")
        return self._read(reply, Agent)

    async def delete(self, agent_id: str) -> None:
        """DELETE /agent/ID, without a body: intermediaries may drop one. Answered by the deleted agent (CODE), or by 204."""
        reply = await self._call("DELETE", f"/agent/{segment(agent_id)}", missing=f"agent {agent_id}")
        if reply.status != 204:
            self._read(reply, Agent)

    async def act(self, agent_id: str, action: str, key: str) -> Agent:
        """POST /agent/ID/retire or /reinstate."""
        path = f"/agent/{segment(agent_id)}/{action}"
        reply = await self._call("POST", path, json={"idempotency_key": key}, missing=f"agent {agent_id}")
        return self._read(reply, Agent)

    async def instances(self, agent_id: str, size: int, offset: int = 0) -> Page[Instance]:
        """GET /agent_instance?agent_id=&sorting=: one page of at most 100, newest first.

        `sorting` is documented, with `-` for descending (CODE prefactor-http). That it takes `inserted_at` is a GUESS: a list
        that is refused for it is asked for without it."""
        query = [("agent_id", agent_id), *_paging(offset, size)]
        try:
            reply = await self._call("GET", "/agent_instance", query=[*query, ("sorting", "-inserted_at")])
            return self._page(reply, Instance)
        except Rejected as no:
            if isinstance(no, CredentialRefused | RateLimited) or no.status not in (200, 400, 422):
                raise
        return self._page(await self._call("GET", "/agent_instance", query=query), Instance)

    async def instance(self, instance_id: str) -> Instance:
        """GET /agent_instance/ID."""
        path = f"/agent_instance/{segment(instance_id)}"
        return self._read(await self._call("GET", path, missing=f"instance {instance_id}"), Instance)

    async def cancel(self, instance_id: str, key: str) -> Instance:
        """POST /agent_instance/ID/finish with the status cancelled, which the vendor takes only while it is pending."""
        return await self._end(instance_id, "finish", {"status": "cancelled", "idempotency_key": key})

    async def terminate(self, instance_id: str, reason: str) -> Instance:
        """POST /agent_instance/ID/terminate."""
        return await self._end(instance_id, "terminate", {"reason": reason})

    async def _end(self, instance_id: str, action: str, body: dict[str, Json]) -> Instance:
        path = f"/agent_instance/{segment(instance_id)}/{action}"
        reply = await self._call("POST", path, json=body, missing=f"instance {instance_id}")
        return self._read(reply, Instance)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        json: Json = None,
        missing: str | None = None,
    ) -> Reply:
        """Every call here is idempotent: reads, changes with a key, and changes that reach the same state when repeated."""
        return await self._http.call(
            method,
            API + path,
            query=query,
            json=json,
            idempotent=True,
            missing=missing,
            judge=self._judge,
            deadline=20.0,
        )

    def _judge(self, reply: Reply) -> None:
        """Raises Rejected for an error that came with a status of success."""
        problem = refusal(self._http.name, reply.body, reply.status, self._secrets)
        if problem is not None:
            raise problem

    def _page(self, reply: Reply, model: type[R]) -> Page[R]:
        """A list; its rows are under `summaries` (newer generation) or `details`."""
        head = reply.read(PageHead)
        if head.summaries is None and head.details is None:
            raise reply.bad("`summaries` or `details` is missing")
        return Page(reply.rows(model, at=("summaries", "details")), head.pagination, head.sorting)

    def _read(self, reply: Reply, model: type[R]) -> R:
        return reply.read(Details[model]).details  # type: ignore[valid-type]  # the model is a value here


def _paging(offset: int, size: int = LARGEST_PAGE) -> list[tuple[str, str]]:
    return [("pagination[offset]", str(offset)), ("pagination[page_size]", str(size))]
