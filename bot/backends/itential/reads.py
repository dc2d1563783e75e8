"""Lists, and the status of one service, gateway, group or certificate."""

from __future__ import annotations

from bot.backends.itential.context import AdapterContext
from bot.backends.itential.presentation import (
    cert_ends,
    cert_facts,
    cert_table,
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
from bot.core.command.arguments import number_of, text_of
from bot.core.errors import CallProblem
from bot.core.operation import Operation
from bot.core.outcome import Done, Fact, Table
from bot.core.ports.services import Call
from bot.core.text import plural, suggest, utc_text


async def services(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All services, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.services(cluster)
    await ctx.names.remember([ctx.finder.service_target(one) for one in found])
    where = f" on {cluster}" if cluster else ""
    return _listed(ctx, f"services{where}", len(found), service_table(found))


async def gateways(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All gateways, with their connections."""
    found = await ctx.client.gateways()
    await ctx.names.remember([ctx.finder.gateway_target(one) for one in found])
    return _listed(ctx, "gateways", len(found), gateway_table(found, await _connections(ctx)))


async def connections(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The gateways that are connected."""
    found = await ctx.client.connections()
    rows = tuple(sorted(found.items()))
    up = sum(state == "connected" for _, state in rows)
    table = Table(columns=("Cluster", "Connection"), rows=rows, total=len(rows)) if rows else None
    return Done(summary=f"{ctx.name}: {up} of {len(rows)} gateways are connected.", table=table)


async def groups(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All service groups, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.groups(cluster)
    await ctx.names.remember([ctx.finder.group_target(one) for one in found])
    return _listed(ctx, f"service groups{f' on {cluster}' if cluster else ''}", len(found), group_table(found))


async def certs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All certificates."""
    found = await ctx.client.certificates()
    return _listed(ctx, "certificates", len(found), cert_table(found))


async def jobs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest jobs; the filter is applied again, for a platform that does not know it ignores it."""
    status, count = text_of(operation, "status"), number_of(operation, "count", 20)
    found = [job for job in await ctx.client.jobs(count, status) if not status or job.status == status][:count]
    what = f"jobs with the status {status}" if status else "jobs"
    return _listed(ctx, what, len(found), job_table(found))


async def version(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The version of Gateway Manager."""
    word = ctx.clean(await ctx.client.version())
    return Done(summary=f"{ctx.name} runs Gateway Manager {word}.", facts=(Fact(label="Version", value=word),))


def _listed(ctx: AdapterContext, what: str, count: int, table: Table) -> Done:
    if not count:
        return Done(summary=f"{ctx.name} has no {what}.")
    return Done(summary=f"{ctx.name} has {count} {what}.", table=table)


async def _connections(ctx: AdapterContext) -> dict[str, str]:
    """A second opinion on a list: without it the list is still shown."""
    try:
        return await ctx.client.connections()
    except CallProblem:
        return {}


async def service_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service, with its parameters."""
    service = await ctx.client.service(operation.target.id)
    return Done(
        summary=f"{service.path}: {service.service_metadata.description or service.service_metadata.type or 'a service'}.",
        facts=service_facts(service),
        table=parameter_table(service.service_metadata.decorator),
        next=(suggest("Log", "logs", operation.target),) if service.last_run else (),
    )


async def gateway_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One gateway."""
    gateway = await ctx.client.gateway(operation.target.id)
    connection = (await _connections(ctx)).get(gateway.cluster_id)
    state = gateway_state(gateway)
    return Done(
        summary=f"The gateway {gateway.cluster_id} is {state}{f' and {connection}' if connection else ''}.",
        facts=gateway_facts(gateway, connection),
        next=(suggest("Check connection", "health", operation.target),),
    )


async def gateway_health(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """A ping through one gateway's connection; a platform that cannot make it answers with an error."""
    cluster = operation.target.name.partition("/")[2]
    state = ctx.clean(await ctx.client.connection(cluster))
    good = state in ("completed", "connected", "Success")
    words = "is healthy" if good else f"answers with `{state}`"
    return Done(summary=f"The connection to {cluster} {words}.", facts=(Fact(label="Connection", value=state),))


async def group_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service group."""
    group = await ctx.client.group(operation.target.id)
    return Done(
        summary=f"The service group {group.name} has {plural(len(group.services), 'service')}.",
        facts=group_facts(group),
    )


async def cert_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One certificate."""
    cert = await ctx.client.certificate(operation.target.id)
    ends = cert_ends(cert)
    gone = ends is not None and ends <= ctx.clock.now()
    words = f"ended on {utc_text(ends)}" if gone else f"holds until {utc_text(ends)}" if ends else "has no readable end"
    return Done(summary=f"The certificate {operation.target.name.partition('/')[2]} {words}.", facts=cert_facts(cert))
