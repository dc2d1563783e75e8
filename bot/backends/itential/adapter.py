"""The adapter of a platform: it finds targets, passes operations to their handlers, follows jobs and reports health."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from bot.backends import HandlerAdapter, and_seen, measured, named
from bot.backends.itential import jobs, resources, runs
from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP, JOB, PLATFORM, SERVICE, SPEC
from bot.backends.itential.client import ItnClient, signed_in
from bot.backends.itential.presentation import CONNECTED, connections_state
from bot.backends.itential.schema import fields
from bot.backends.itential.settings import ItentialSettings
from bot.backends.itential.targets import RESOURCES, AdapterContext, Finder
from bot.core.command.capability import KindSpec
from bot.core.command.params import Param
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Fact, Failed, Health, Level, LookBack, Named, RecentRun, Refused, RunView, Unknown
from bot.core.ports.services import BackendParts, Call
from bot.core.text import first_of, plural


class ItentialBackend(HandlerAdapter[AdapterContext]):
    """One configured platform; see ports.Backend."""

    spec: KindSpec = SPEC
    handlers: ClassVar = {
        ("services", PLATFORM): resources.services,
        ("gateways", PLATFORM): resources.gateways,
        ("connections", PLATFORM): resources.connections,
        ("groups", PLATFORM): resources.groups,
        ("certs", PLATFORM): resources.certs,
        ("jobs", PLATFORM): resources.jobs,
        ("version", PLATFORM): resources.version,
        ("status", SERVICE): resources.service_status,
        ("status", GATEWAY): resources.gateway_status,
        ("health", GATEWAY): resources.gateway_health,
        ("status", GROUP): resources.group_status,
        ("status", CERT): resources.cert_status,
        ("status", JOB): jobs.status,
        ("logs", JOB): jobs.logs,
        ("logs", SERVICE): jobs.logs,
        ("start", SERVICE): runs.run,
        ("destroy", SERVICE): runs.run,
        ("stop", JOB): jobs.act,
        ("pause", JOB): jobs.act,
        ("resume", JOB): jobs.act,
        ("retry", JOB): jobs.retry,
        ("gateway create", GATEWAY): resources.create,
        ("gateway set", GATEWAY): resources.set_gateway,
        ("gateway delete", GATEWAY): resources.delete,
        ("group create", GROUP): resources.create,
        ("group set", GROUP): resources.set_group,
        ("group delete", GROUP): resources.delete,
        ("cert add", CERT): resources.add_cert,
        ("cert set", CERT): resources.set_cert,
        ("cert delete", CERT): resources.delete,
    }
    facts: ClassVar = {SERVICE: runs.preflight, JOB: jobs.preflight, **dict.fromkeys(RESOURCES, resources.preflight)}
    states: ClassVar = {SERVICE: runs.state_of, JOB: jobs.state_of, **dict.fromkeys(RESOURCES, resources.state_of)}

    def __init__(self, settings: ItentialSettings, parts: BackendParts) -> None:
        client = ItnClient(signed_in(settings, parts), settings)
        finder = Finder(settings, parts.target_cache, client)
        super().__init__(AdapterContext(settings, client, finder, parts.target_cache, parts.clock, parts.secrets))

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Run the operation, once."""
        refused = resources.check(operation) if operation.target.kind in RESOURCES else None
        if refused is not None:
            return refused
        return await super().run(operation, call)

    async def form(self, target: Target) -> tuple[Param, ...]:
        """The parameters of a service from its JSON Schema, as fields for a modal; empty without one."""
        if target.kind != SERVICE:
            return ()
        service = await self._ctx.client.service(target.id)
        return fields(service.service_metadata.decorator)

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """Jobs from the list of the newest ones, or one by one."""
        return await jobs.views_of(self._ctx, [run for run in runs if run.kind == JOB])

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The newest jobs of a service, from the list of the newest jobs."""
        if target.kind != SERVICE or not self._ctx.settings.jobs:
            return await super().recent(target, count)
        return (await jobs.of_service(self._ctx, target))[:count]

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """Looks the call up in the newest jobs, the status of the job, or the lists."""
        kind = operation.target.kind
        if operation.idempotent:
            return LookBack()
        if kind == SERVICE:
            return await runs.look_back(self._ctx, operation, sent_at, claimed)
        if kind == JOB:
            return await jobs.look_back(self._ctx, operation, sent_at)
        return await resources.look_back(self._ctx, operation, claimed)

    async def check(self, operation: Operation) -> Refused | None:
        """Whether the service takes the parameters, the job has a task to retry, and the target exists or must not exist yet."""
        kind = operation.target.kind
        if kind == SERVICE:
            return await runs.check(self._ctx, operation)
        if kind == JOB:
            return await jobs.check(self._ctx, operation)
        return resources.check(operation) if kind in RESOURCES else None

    async def health(self) -> Health:
        """The simple health check, which needs no credential; the version, which needs one; and the connections."""
        return await measured(self._ctx.clock, self._health)

    async def _health(self) -> Health:
        client = self._ctx.client
        answer = await client.health()
        version, up = await client.version(), await client.connections()
        state, away = connections_state(up), sorted(cluster for cluster, word in up.items() if word != CONNECTED)
        if answer.casefold() not in ("ok", "success"):
            return Health(ok=False, summary=f"{self.name} reports in `result` of its health check: `{answer}`.")
        good = state is None or state.level is not Level.BAD
        answers = f"answers, version {version}; {state.text if state else 'no gateways'}"
        none = f"has {plural(len(up), 'gateway')}, none of them connected"
        return Health(
            ok=good,
            summary=f"{self.name} {answers if good else none}.",
            credential=f"{'client credentials' if self._ctx.settings.client_id else 'user name and password'}, accepted",
            facts=(Fact(label="Not connected", value=first_of(away, 10, ", ")),) if away else (),
        )

    async def targets(self) -> Sequence[Named]:
        """Services, gateways, groups and certificates that have a name."""
        ctx = self._ctx
        services = await ctx.client.services()
        listed = [one for one in services if one.id and one.service_metadata.name and one.service_metadata.location]
        whole = len(listed) == len(services)
        found = [named(ctx.finder.service_target(one), one.state, one.service_metadata.type or "") for one in listed]
        for kind, resource in RESOURCES.items():
            for one in await ctx.client.listed(resource):
                detail = getattr(one, {GROUP: "cluster_id", CERT: "host"}.get(kind, ""), None)
                whole = whole and bool(one.id and one.label)
                if one.id and one.label:
                    state = one.state if kind == GATEWAY else ""
                    found.append(named(ctx.finder.resource_target(kind, one), state, detail or ""))
        await ctx.target_cache.remember([one.target for one in found])
        order = (SERVICE, *RESOURCES)
        found = found if whole else await and_seen(ctx.target_cache, self.name, order, found)
        return sorted(found, key=lambda one: (order.index(one.target.kind), one.text))
