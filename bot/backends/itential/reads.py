"""Lists, and the status of one service, gateway, group or certificate."""

from __future__ import annotations

from bot.backends import readable
from bot.backends.itential.capabilities import GATEWAY, GROUP
from bot.backends.itential.client import CERTS, GATEWAYS, GROUPS
from bot.backends.itential.presentation import (
    cert_facts,
    cert_state,
    cert_table,
    connection_word,
    connections_state,
    gateway_facts,
    gateway_state,
    gateway_table,
    group_facts,
    group_table,
    job_table,
    parameter_table,
    service_facts,
    service_table,
)
from bot.backends.itential.targets import AdapterContext
from bot.core.command.params import number_of, text_of
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Level, State, Table
from bot.core.ports.services import Call
from bot.core.text import plural, suggest


async def services(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All services, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.services(cluster)
    await ctx.target_cache.remember([ctx.finder.service_target(one) for one in found if one.id])
    return _listed(ctx, "service", f" on {cluster}" if cluster else "", len(found), service_table(found))


async def gateways(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All gateways, with their connections."""
    found = await ctx.client.listed(GATEWAYS)
    await ctx.target_cache.remember([ctx.finder.resource_target(GATEWAY, one) for one in found if one.id])
    return _listed(ctx, "gateway", "", len(found), gateway_table(found, await readable(ctx.client.connections())))


async def connections(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The gateways that are connected."""
    found = await ctx.client.connections()
    rows, state = tuple(sorted(found.items())), connections_state(found)
    if state is None:
        return Done(summary=f"{ctx.name} has no gateways.")
    table = Table(columns=("Cluster", "Connection"), rows=rows, total=len(rows))
    return Done(summary=f"{ctx.name}: {state.text}.", table=table, state=state)


async def groups(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All service groups, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.listed(GROUPS, cluster)
    await ctx.target_cache.remember([ctx.finder.resource_target(GROUP, one) for one in found if one.id])
    return _listed(ctx, "service group", f" on {cluster}" if cluster else "", len(found), group_table(found))


async def certs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All certificates."""
    found = await ctx.client.listed(CERTS)
    return _listed(ctx, "certificate", "", len(found), cert_table(found))


async def jobs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest jobs; the filter is applied here again, because some platforms ignore it."""
    status, count = text_of(operation, "status"), number_of(operation, "count", 20)
    found = [job for job in await ctx.client.jobs(count, status) if not status or job.status == status][:count]
    return _listed(ctx, "job", f" with the status {status}" if status else "", len(found), job_table(found))


async def version(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The version of Gateway Manager."""
    word = ctx.clean(await ctx.client.version())
    return Done(summary=f"{ctx.name} runs Gateway Manager {word}.", facts=(Fact(label="Version", value=word),))


def _listed(ctx: AdapterContext, unit: str, which: str, count: int, table: Table) -> Done:
    if not count:
        return Done(summary=f"{ctx.name} has no {unit}s{which}.")
    return Done(summary=f"{ctx.name} has {plural(count, unit)}{which}.", table=table)


async def service_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service, with its parameters."""
    service = await ctx.client.service(operation.target.id)
    meta = service.service_metadata
    return Done(
        summary=f"{operation.target.name}: {meta.description or meta.type or 'a service'}.",
        state=State(text=service.state, level=Level.WARN) if service.active is False else None,
        facts=service_facts(service),
        table=parameter_table(meta.decorator),
    )


async def gateway_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One gateway and its connection."""
    gateway = await ctx.client.read(GATEWAYS, operation.target.id)
    connection = connection_word(await readable(ctx.client.connections()), gateway.cluster_id)
    state = gateway_state(gateway, connection)
    return Done(
        summary=f"The gateway {gateway.cluster_id} is {state.text}.",
        state=state,
        facts=gateway_facts(gateway, connection),
        next=(suggest("Check connection", "health", operation.target),),
    )


async def gateway_health(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """A ping through one gateway's connection; the platform answers a failed ping with an error."""
    cluster = operation.target.name.partition("/")[2]
    said = ctx.clean(await ctx.client.connection(cluster))
    good = said in ("completed", "connected", "Success")
    state = State(text="healthy" if good else f"answers with `{said}`", level=Level.GOOD if good else Level.BAD)
    words = f"is {state.text}" if good else state.text
    facts = (Fact(label="Connection", value=said),)
    return Done(summary=f"The connection to {cluster} {words}.", state=state, facts=facts)


async def group_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service group."""
    group = await ctx.client.read(GROUPS, operation.target.id)
    return Done(
        summary=f"The service group {group.name} has {plural(len(group.services), 'service')}.",
        facts=group_facts(group),
    )


async def cert_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One certificate."""
    cert = await ctx.client.read(CERTS, operation.target.id)
    state = cert_state(cert, ctx.clock.now())
    label = operation.target.name.partition("/")[2]
    return Done(summary=f"The certificate {label}: {state.text}.", state=state, facts=cert_facts(cert))
