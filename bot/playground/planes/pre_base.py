"""The base of the simulated Prefactor: tokens, both error shapes, idempotency keys, paging."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.playground.planes.clock import Clock
from bot.playground.planes.common import Plane
from bot.playground.planes.pre_model import Generation, Instance, PreAgent, iso, pfid
from bot.playground.planes.wire import Call, Refusal, Reply, json_reply


@dataclass(frozen=True, slots=True)
class Deed:
    """One change made by a call: the action and its agent or instance."""

    at: float
    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Kept:
    at: float
    reply: Reply


class PrefactorBase(Plane):
    """State and credentials.

    `generation` "seed" has the fields of seed 002 and lists under `details`; "newer" those of
    the later clients, and `summaries`. Replies are kept for `idempotency_seconds` by their key.
    `create_status` is the HTTP status of a create, which the seed does not show. `tokens` are the API tokens of the account.
    """

    kind = "prefactor"
    enum_keys = frozenset({"status"})

    def __init__(
        self,
        name: str = "pre",
        *,
        clock: Clock | None = None,
        port: int = 0,
        token: str = "pre-playground-not-a-secret",  # noqa: S107 - a fake one
        generation: Generation = "seed",
        idempotency_seconds: float = 86_400,
        create_status: int = 200,
    ) -> None:
        super().__init__(name, clock=clock, port=port)
        self.token = token
        self.token_state = "active"  # noqa: S105 - or "suspended", "revoked"
        self.generation: Generation = generation
        self.idempotency_seconds = idempotency_seconds
        self.create_status = create_status
        self.refuses_sorting = False
        self.tokens: list[dict[str, object]] = []
        self.agents: dict[str, PreAgent] = {}
        self.instances: dict[str, Instance] = {}
        self.effects: list[Deed] = []
        self._kept: dict[tuple[str, str], _Kept] = {}
        self.ids_made = 0

    # --- knobs ---------------------------------------------------------------------------------

    def new_id(self, sort: str) -> str:
        """The next id of this kind."""
        self.ids_made += 1
        return pfid(f"{self.name}/{sort}/{self.ids_made}")

    def add_agent(self, agent_name: str, *, agent_id: str | None = None, **fields: Any) -> PreAgent:
        """A registered agent; `fields` as in `pre_model.PreAgent`."""
        now = self.clock.now()
        environment = fields.pop("environment_id", None) or pfid(f"{self.name}/environment")
        key = agent_id or self.new_id("agent")
        agent = PreAgent(key, agent_name, now, now, environment, **fields)
        self.agents[key] = agent
        return agent

    def add_token(self, status: str = "active", ends_in: float | None = 86_400 * 30) -> dict[str, object]:
        """An API token of the account (CODE typescript-sdk, clients/api-token.ts)."""
        ends = None if ends_in is None else iso(self.clock.now() + ends_in)
        token: dict[str, object] = {
            "type": "api_token",
            "id": self.new_id("token"),
            "token_scope": "account",
            "status": status,
            "expires_at": ends,
            "last_used_at": None,
        }
        self.tokens.append(token)
        return token

    def add_instance(
        self,
        agent: PreAgent,
        status: str = "active",
        *,
        begins_in: float | None = None,
        lasts: float | None = None,
        ends_as: str = "complete",
    ) -> Instance:
        """A run of an agent that begins and ends by itself after those seconds, if given."""
        now = self.clock.now()
        begins = None if begins_in is None else now + begins_in
        ends = None if lasts is None else (begins or now) + lasts
        started = None if status in {"pending", "cancelled"} else now
        key = self.new_id("instance")
        made = Instance(key, agent.agent_id, status, now, begins, ends, ends_as, started)
        agent.instances.append(made)
        self.instances[key] = made
        return made

    # --- the plane -----------------------------------------------------------------------------

    def note(self, action: str, subject: str) -> None:
        """Record an effect."""
        self.effects.append(Deed(self.clock.now(), action, subject))

    def tick(self) -> None:
        now = self.clock.now()
        for instance in self.instances.values():
            instance.settle(now)

    def authorize(self, call: Call) -> Reply | None:
        scheme, _, token = call.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != self.token:
            return self.fault_reply(401)
        if self.token_state == "revoked":  # noqa: S105 - a state, not a secret
            return error("bad_authtoken", "The token has been revoked.", 401)
        if self.token_state != "active":  # noqa: S105 - a state, not a secret
            return error("forbidden", "The token is not active.", 403)
        return None

    def fault_reply(self, status: int) -> Reply:
        words = {401: "unauthorized", 429: "too_many_requests", 500: "internal_server_error"}
        return error(words.get(status, "unavailable"), "The request failed.", status)

    def not_found(self, call: Call) -> Reply:
        return error("not_found", "Not found.", 404)

    def body(self, call: Call) -> dict[str, Any]:
        """The JSON object of the body; an empty body counts as an empty one."""
        try:
            body = call.json() if call.body else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(error("bad_request", "The body is not a JSON object.", 400))
        return body

    def once(self, call: Call, body: dict[str, Any], act: Callable[[], Reply]) -> Reply:
        """CODE: the same `idempotency_key` in the body of the same call gives the same reply."""
        key = body.get("idempotency_key")
        if key is None:
            return act()
        if not isinstance(key, str) or not 0 < len(key) <= 64:
            raise invalid({"idempotency_key": ["should be at most 64 character(s)"]})
        place = (f"{call.method} {call.raw_path}", key)
        kept = self._kept.get(place)
        if kept is not None and self.clock.now() - kept.at <= self.idempotency_seconds:
            return kept.reply
        reply = act()
        self._kept[place] = _Kept(self.clock.now(), reply)
        return reply

    def page(self, call: Call, rows: Sequence[dict[str, object]]) -> Reply:
        """DOC operations/-11: a page, by `pagination[offset]` and `pagination[page_size]` (1 to 100). `sorting` is a field, with
        `-` for descending (CODE prefactor-http); with `refuses_sorting` the account takes none. Rows are under `details` (older
        clients) or `summaries` (CODE typescript-sdk)."""
        wanted = call.first("sorting")
        if wanted is not None and self.refuses_sorting:
            raise invalid({"sorting": ["is invalid"]})
        rows = (
            list(rows)
            if wanted is None
            else sorted(rows, key=lambda row: str(row.get(wanted.lstrip("-"), "")), reverse=wanted.startswith("-"))
        )
        offset = _number(call, "pagination[offset]", 0, 0, 10**9)
        size = _number(call, "pagination[page_size]", 25, 1, 100)
        shown = rows[offset : offset + size]
        following = offset + size
        pagination = {
            "item_count": len(rows),
            "item_start": offset + 1 if shown else 0,
            "item_end": offset + len(shown),
            "page_count": -(-len(rows) // size),
            "page_index": offset // size + 1,
            "page_size": size,
            "page_offset": offset,
            "next_page_offset": following if following < len(rows) else None,
            "previous_page_offset": max(0, offset - size) if offset else None,
        }
        listed = "details" if self.generation == "seed" else "summaries"
        falling = wanted is None or wanted.startswith("-")
        sorting = {"field": (wanted or "inserted_at").lstrip("-"), "direction": "desc" if falling else "asc"}
        answer = {"status": "success", listed: shown, "pagination": pagination}
        return json_reply({**answer, "sorting": sorting})


def _number(call: Call, name: str, default: int, low: int, high: int) -> int:
    text = call.first(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise invalid({name: [f"must be between {low} and {high}"]})
    return int(text)


def error(code: str, message: str, status: int) -> Reply:
    """SEED: the plain error shape."""
    return json_reply({"status": "error", "code": code, "message": message}, status)


def invalid(errors: dict[str, list[str]]) -> Refusal:
    """SEED: the error shape with `errors`, whose type is not stated; CODE: a map of field to messages."""
    answer = {"status": "error", "code": "validation_errors", "errors": errors}
    return Refusal(json_reply({**answer, "message": "The request is invalid."}, 422))


def conflict(message: str) -> Refusal:
    """CODE: 409 where the state does not allow it."""
    return Refusal(error("invalid_action", message, 409))
