"""The calls to Prefactor, one method each. Every change that can carry an idempotency key does.

Sources: `POST /api/v1/agent` SEED; list, retire, reinstate and the instance list DOC; the rest CODE (prefactor-http 0.4.3 and the
vendor's TypeScript SDK). The key is in the body, not in a header, and is at most 64 characters long (CODE).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from bot.backends.prefactor.error_bodies import refusal
from bot.backends.prefactor.models import (
    Agent,
    AgentReply,
    Instance,
    InstanceReply,
    Page,
    PageHead,
    R,
    Token,
    TokenReply,
)
from bot.core.errors import BadReply, CallProblem, CredentialRefused, RateLimited, Rejected
from bot.core.value import Json
from bot.http_client import HttpClient, Reply, segment

T = TypeVar("T")
API: Final = "/api/v1"
LARGEST_PAGE: Final = 100
_MOST_PAGES: Final = 100
_CALL_TIME: Final = 20.0


class PrefactorClient:
    """`http` translates error bodies with error_bodies.refusal; `secrets` are masked in the vendor's texts.

    Problems are those of the HTTP client, and error_bodies.Invalid for refused fields."""

    def __init__(self, http: HttpClient, secrets: Iterable[str] = ()) -> None:
        self._http = http
        self._secrets = secrets

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def ping(self) -> None:
        """GET /ping: whether the token is accepted."""
        self._checked(await self._call("GET", "/ping"))

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
            return self._read(await self._call("GET", f"/api_token/{segment(token_id)}"), TokenReply).details
        page = self._page(await self._call("GET", "/api_token"), Token)
        active = [token for token in page.items if token.status == "active"]
        return active[0] if len(active) == 1 and not any(token.status is None for token in page.items) else None

    async def agent(self, agent_id: str) -> Agent:
        """GET /agent/ID: with counts and allowed actions."""
        reply = await self._call("GET", f"/agent/{segment(agent_id)}", missing=f"agent {agent_id}")
        return self._read(reply, AgentReply).details

    async def create(self, details: Mapping[str, Json], key: str) -> Agent:
        """POST /agent. 200 and 201 are both taken: the seed does not show the status."""
        reply = await self._call("POST", "/agent", json={"details": dict(details), "idempotency_key": key})
        return self._read(reply, AgentReply).details

    async def update(self, agent_id: str, details: Mapping[str, Json], key: str) -> Agent:
        """PUT /agent/ID: fields that are left out stay as they are (CODE)."""
        body: Json = {"details": dict(details), "idempotency_key": key}
        reply = await self._call("PUT", f"/agent/{segment(agent_id)}", json=body, missing=f"agent {agent_id}")
        return self._read(reply, AgentReply).details

    async def delete(self, agent_id: str) -> None:
        """DELETE /agent/ID, without a body: intermediaries may drop one. Answered by the deleted agent (CODE), or by 204."""
        reply = await self._call("DELETE", f"/agent/{segment(agent_id)}", missing=f"agent {agent_id}")
        if reply.status != 204:
            self._read(reply, AgentReply)

    async def retire(self, agent_id: str, key: str) -> Agent:
        """POST /agent/ID/retire."""
        return await self._act(agent_id, "retire", key)

    async def reinstate(self, agent_id: str, key: str) -> Agent:
        """POST /agent/ID/reinstate."""
        return await self._act(agent_id, "reinstate", key)

    async def _act(self, agent_id: str, action: str, key: str) -> Agent:
        path = f"/agent/{segment(agent_id)}/{action}"
        reply = await self._call("POST", path, json={"idempotency_key": key}, missing=f"agent {agent_id}")
        return self._read(reply, AgentReply).details

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
        return self._read(await self._call("GET", path, missing=f"instance {instance_id}"), InstanceReply).details

    async def cancel(self, instance_id: str, key: str) -> Instance:
        """POST /agent_instance/ID/finish with the status cancelled, which the vendor takes only while it is pending."""
        return await self._end(instance_id, "finish", {"status": "cancelled", "idempotency_key": key})

    async def terminate(self, instance_id: str, reason: str) -> Instance:
        """POST /agent_instance/ID/terminate."""
        return await self._end(instance_id, "terminate", {"reason": reason})

    async def _end(self, instance_id: str, action: str, body: dict[str, Json]) -> Instance:
        path = f"/agent_instance/{segment(instance_id)}/{action}"
        reply = await self._call("POST", path, json=body, missing=f"instance {instance_id}")
        return self._read(reply, InstanceReply).details

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
            deadline=_CALL_TIME,
        )

    def _checked(self, reply: Reply) -> None:
        """Raises Rejected for an error that came with a status of success."""
        told = refusal(self._http.name, reply.body, reply.status, self._secrets)
        if told is not None:
            raise told

    def _page(self, reply: Reply, model: type[R]) -> Page[R]:
        """A list; its rows are under `summaries` (newer generation) or `details`."""
        self._checked(reply)
        head = reply.read(PageHead)
        if head.summaries is None and head.details is None:
            raise reply.bad("`summaries` or `details` is missing")
        return Page(reply.rows(model, at=("summaries", "details")), head.pagination, head.sorting)

    def _read(self, reply: Reply, shape: type[T]) -> T:
        self._checked(reply)
        return reply.read(shape)


def _paging(offset: int, size: int = LARGEST_PAGE) -> list[tuple[str, str]]:
    return [("pagination[offset]", str(offset)), ("pagination[page_size]", str(size))]
