"""The adapter of an account: it finds targets, passes operations to their handlers and reports health."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from bot.all_of import all_of
from bot.backends import LOOK_FIRST, HandlerAdapter, and_seen, measured, readable
from bot.backends.prefactor import operations
from bot.backends.prefactor import preflight as before
from bot.backends.prefactor.capabilities import AGENT, INSTANCE, NEW, SPEC
from bot.backends.prefactor.client import LARGEST_PAGE, Invalid, PrefactorClient, refusal
from bot.backends.prefactor.presentation import agent_state, allowed_text, instance_view
from bot.backends.prefactor.settings import PrefactorSettings
from bot.backends.prefactor.targets import AdapterContext, Finder, is_new
from bot.core.command.capability import KindSpec, Risk
from bot.core.errors import BadReply, Lost, NoSuchTarget, Problem, ServerError
from bot.core.operation import Operation, Target
from bot.core.outcome import (
    Done,
    Fact,
    Failed,
    Health,
    LookBack,
    Named,
    RecentRun,
    Refused,
    RunView,
    Suggestion,
    Unknown,
)
from bot.core.ports.services import BackendParts, Call
from bot.core.text import utc_text
from bot.core.vendor_json import moment
from bot.http_client import Bearer, client_for


class PrefactorBackend(HandlerAdapter[AdapterContext]):
    """One configured account; see ports.Backend."""

    spec: KindSpec = SPEC
    handlers: ClassVar = {
        ("status", AGENT): operations.agent_status,
        ("status", INSTANCE): operations.instance_status,
        ("history", AGENT): operations.history,
        ("create", AGENT): operations.create,
        ("create", NEW): operations.create,
        ("set", AGENT): operations.update,
        ("retire", AGENT): operations.switch,
        ("reinstate", AGENT): operations.switch,
        ("delete", AGENT): operations.delete,
        ("stop", INSTANCE): operations.stop,
    }
    facts: ClassVar = dict.fromkeys((AGENT, INSTANCE, NEW), before.preflight)
    states: ClassVar = dict.fromkeys((AGENT, INSTANCE, NEW), before.state_of)

    def __init__(self, settings: PrefactorSettings, parts: BackendParts) -> None:
        # At most four requests at once: more than six are known to queue until they time out (CODE prefactor-open-dashboard).
        http = client_for(
            settings,
            parts,
            auth=Bearer(settings.token),
            concurrency=4,
            translate=lambda status, body: refusal(parts.name, body, status, parts.secrets) or body,
        )
        client = PrefactorClient(http, parts.secrets)
        finder = Finder(settings, parts.target_cache, client)
        super().__init__(AdapterContext(settings, client, finder, parts.target_cache, parts.clock, parts.secrets))

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Run the operation, once. After a change with an unusable answer, the target is read to see whether it happened."""
        refused = await self._unfit(operation)
        if refused is not None:
            return refused
        sent_at = call.clock.now()
        try:
            return await super().run(operation, call)
        except Invalid as no:
            facts = tuple(Fact(label=f"Field {field}", value=wrong) for field, wrong in no.fields)
            return Refused(code=no.code, summary=no.summary, hint=no.hint, facts=facts)
        except (Lost, BadReply, ServerError) as trouble:
            if operation.risk is Risk.READ:
                raise
            found = await self._found(operation, sent_at, await call.claimed())
            if found is None:
                raise
            return found.model_copy(update={"summary": f"{found.summary} The answer was unusable: {trouble.summary}"})

    async def _no_such(self, operation: Operation) -> Refused:
        no = await self._ctx.finder.missing(operation.target.name)
        near = tuple(
            Suggestion(label=text, verb=operation.verb, target=text, params=operation.words) for text in no.nearest
        )
        return Refused(code=no.code, summary=no.summary, hint=no.hint, next=near)

    async def _found(self, operation: Operation, sent_at: datetime, claimed: Collection[str]) -> Done | None:
        try:
            return (await before.look_back(self._ctx, operation, sent_at, claimed)).found
        except Problem:
            return None

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """The instances of one agent by one request for its latest hundred; older ones are read one by one."""
        ctx = self._ctx
        wanted = {run.id for run in runs}
        found = {}
        if group:
            page = await ctx.client.instances(group, LARGEST_PAGE)
            found = {item.id: item for item in page.items if item.id in wanted}

        async def one(instance_id: str) -> None:
            try:
                found[instance_id] = await ctx.client.instance(instance_id)
            except NoSuchTarget:
                return

        await all_of(one(instance_id) for instance_id in sorted(wanted - set(found)))
        return {id_: instance_view(self.name, item, ctx.clean) for id_, item in found.items()}

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The newest instances of an agent."""
        if target.kind != AGENT or is_new(target):
            return await super().recent(target, count)
        items, _ = await operations.latest(self._ctx, target.id, count)
        return [RecentRun(id=one.id, view=instance_view(self.name, one, self._ctx.clean)) for one in items if one.id]

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """By reading the target again."""
        return await before.look_back(self._ctx, operation, sent_at, claimed)

    async def check(self, operation: Operation) -> Refused | None:
        """A refusal to change an agent that doesn't exist, to create one that does, to stop an instance that has ended, or to
        retire or reinstate an agent that is so already."""
        refused = await self._unfit(operation)
        if refused is None and operation.verb in ("stop", "retire", "reinstate"):
            return await readable(operations.nothing_left(self._ctx, operation), within=LOOK_FIRST)
        return refused

    async def _unfit(self, operation: Operation) -> Refused | None:
        if operation.verb == "create":
            return None if is_new(operation.target) else operations.taken(self._ctx, operation.target)
        return await self._no_such(operation) if is_new(operation.target) else None

    async def health(self) -> Health:
        """GET /ping, which checks the token, and the token's own end where it can be read."""
        return await measured(self._ctx.clock, self._health)

    async def _health(self) -> Health:
        await self._ctx.client.ping()
        credential, ends = "API token; its expiry can't be read", None
        token = await readable(self._ctx.client.token(self._ctx.settings.token_id))
        if token is not None:
            ends = moment(token.expires_at)
            credential = f"API token, expires {utc_text(ends)}" if ends else "API token that doesn't expire"
        summary = f"{self.name} answers and accepts the token."
        return Health(ok=True, summary=summary, credential=credential, credential_ends=ends)

    async def targets(self) -> Sequence[Named]:
        """Every agent of the account."""
        agents = await self._ctx.finder.all()
        listed = [
            Named(
                target=self._ctx.finder.agent_target(agent),
                text=self._ctx.finder.text(agent, agents),
                state=agent_state(agent),
                detail=self._ctx.clean(agent.description or f"allowed: {allowed_text(agent)}"),
            )
            for agent in agents
            if agent.id and agent.name
        ]
        if len(listed) < len(agents):
            listed = await and_seen(self._ctx.target_cache, self.name, (AGENT,), listed)
        return sorted(listed, key=lambda item: item.text)
