"""Lists, and gateways, service groups and certificates: shown, created, changed, deleted, and looked up after a lost answer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from bot.backends import of_run, readable
from bot.backends.itential import presentation
from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP, certificate, written_pem
from bot.backends.itential.client import CERTS, GATEWAYS, GROUPS, Resource
from bot.backends.itential.jobs import of_service
from bot.backends.itential.models import Certificate, Gateway, Group
from bot.backends.itential.targets import NEW, RESOURCES, AdapterContext
from bot.core.command.params import number_of, text_of
from bot.core.errors import BadRequest, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Binds, Done, Fact, Level, LookBack, Refused, State, Table
from bot.core.ports.services import Call
from bot.core.text import first_of, plural, suggest, utc_text
from bot.core.value import Json

ThingT = TypeVar("ThingT", Gateway, Group, Certificate)
_NAMED: Final = 10
_LARGEST_PEM: Final = 64 * 1024
_WORD: Final = {GATEWAY: "gateway", GROUP: "service group", CERT: "certificate"}


async def services(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All services, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.services(cluster)
    await ctx.target_cache.remember([ctx.finder.service_target(one) for one in found if one.id])
    return _listed(ctx, "service", f" on {cluster}" if cluster else "", presentation.service_table(found))


async def gateways(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All gateways, with their connections."""
    found = await ctx.client.listed(GATEWAYS)
    await ctx.target_cache.remember([ctx.finder.resource_target(GATEWAY, one) for one in found if one.id])
    return _listed(ctx, "gateway", "", presentation.gateway_table(found, await readable(ctx.client.connections())))


async def connections(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The gateways that are connected."""
    found = await ctx.client.connections()
    rows, state = tuple(sorted(found.items())), presentation.connections_state(found)
    if state is None:
        return Done(summary=f"{ctx.name} has no gateways.")
    table = Table(columns=("Cluster", "Connection"), rows=rows, total=len(rows))
    return Done(summary=f"{ctx.name}: {state.text}.", table=table, state=state)


async def groups(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All service groups, or those of one cluster."""
    cluster = text_of(operation, "cluster_id")
    found = await ctx.client.listed(GROUPS, cluster)
    await ctx.target_cache.remember([ctx.finder.resource_target(GROUP, one) for one in found if one.id])
    return _listed(ctx, "service group", f" on {cluster}" if cluster else "", presentation.group_table(found))


async def certs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """All certificates."""
    found = await ctx.client.listed(CERTS)
    return _listed(ctx, "certificate", "", presentation.cert_table(found))


async def jobs(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The latest jobs; the filter is applied here again, because some platforms ignore it."""
    status, count = text_of(operation, "status"), number_of(operation, "count", 20)
    found = [job for job in await ctx.client.jobs(count, status) if not status or job.status == status][:count]
    return _listed(ctx, "job", f" with the status {status}" if status else "", presentation.job_table(found))


async def version(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """The version of Gateway Manager."""
    word = ctx.clean(await ctx.client.version())
    return Done(summary=f"{ctx.name} runs Gateway Manager {word}.", facts=(Fact(label="Version", value=word),))


def _listed(ctx: AdapterContext, unit: str, which: str, table: Table) -> Done:
    if not table.rows:
        return Done(summary=f"{ctx.name} has no {unit}s{which}.")
    return Done(summary=f"{ctx.name} has {plural(len(table.rows), unit)}{which}.", table=table)


async def service_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service, with its parameters and its newest job."""
    target = operation.target
    service = await ctx.client.service(target.id)
    meta = service.service_metadata
    done = Done(
        summary=f"{target.name}: {meta.description or meta.type or 'a service'}.",
        state=State(text=service.state, level=Level.WARN) if service.active is False else None,
        facts=presentation.service_facts(service),
        table=presentation.parameter_table(meta.decorator),
    )
    runs = await readable(of_service(ctx, target)) if ctx.settings.jobs and service.active is not False else None
    if not runs:
        return done
    view, began = runs[0].view, utc_text(runs[0].view.started, seconds=True)
    return of_run(
        ctx.finder.job_target(runs[0].id, target),
        f"{target.name}: the newest job ({began}) is {view.state}.",
        view,
        facts=(*view.facts, *done.facts),
        table=done.table,
        beside=f"The newest job began {began}.",
    )


async def gateway_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One gateway and its connection."""
    gateway = await ctx.client.read(GATEWAYS, operation.target.id)
    connection = presentation.connection_word(await readable(ctx.client.connections()), gateway.cluster_id)
    state = presentation.gateway_state(gateway, connection)
    return Done(
        summary=f"The gateway {gateway.cluster_id} is {state.text}.",
        state=state,
        facts=presentation.gateway_facts(gateway, connection),
        next=(suggest("Check connection", "health", operation.target),),
    )


async def gateway_health(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """A ping through one gateway's connection; the platform answers a failed ping with an error."""
    cluster = operation.target.name.partition("/")[2]
    answer = ctx.clean(await ctx.client.connection(cluster))
    good = answer in ("completed", "connected", "Success")
    state = State(text="healthy" if good else f"answers with `{answer}`", level=Level.GOOD if good else Level.BAD)
    words = f"is {state.text}" if good else state.text
    facts = (Fact(label="Connection", value=answer),)
    return Done(summary=f"The connection to {cluster} {words}.", state=state, facts=facts)


async def group_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One service group."""
    group = await ctx.client.read(GROUPS, operation.target.id)
    return Done(
        summary=f"The service group {group.name} has {plural(len(group.services), 'service')}.",
        facts=presentation.group_facts(group),
    )


async def cert_status(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """One certificate."""
    cert = await ctx.client.read(CERTS, operation.target.id)
    state = presentation.cert_state(cert, ctx.clock.now())
    label = operation.target.name.partition("/")[2]
    return Done(summary=f"The certificate {label}: {state.text}.", state=state, facts=presentation.cert_facts(cert))


def _label(target: Target) -> str:
    return target.name.partition("/")[2]


def check(operation: Operation) -> Refused | None:
    """A refusal to create what exists; raises NoSuchTarget for any other verb on what doesn't exist."""
    target, making = operation.target, operation.verb.endswith(("create", "add"))
    if making is (target.group == NEW):
        return None
    if not making:
        raise NoSuchTarget(f"{target.backend} has no {target.name.replace('/', ' ', 1)}.")
    return Refused(
        code="exists",
        summary=f"The {_WORD[target.kind]} {_label(target)} already exists.",
        hint=f"Change it with `{target.kind} set`.",
        next=(suggest("Refresh", "status", target),),
    )


async def create(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST a gateway or a group with its required fields; a gateway is created disabled unless `enabled=true` (DOC)."""
    target, params = operation.target, operation.params
    if target.kind == GATEWAY:
        fields: dict[str, Json] = {"cluster_id": _label(target), "groups": []}
        fields |= {name: params.get(name) is True for name in ("enabled", "readonly")}
    else:
        fields = {"name": _label(target), "cluster_id": text_of(operation, "cluster_id")}
    optional = ("description", "certificates", "services", "groups")
    fields |= {name: params[name] for name in optional if params.get(name)}
    made, _ = await ctx.client.create(RESOURCES[target.kind], fields)
    return await _made(ctx, target, made, "is created")


async def add_cert(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST the certificate; its alias is the target's name unless another one is given."""
    pem = await _pem(operation, call)
    alias = text_of(operation, "alias") or _label(operation.target)
    fields: dict[str, Json] = {"raw_certificate": pem, "contract_id": text_of(operation, "contract_id"), "alias": alias}
    new_id, made = await ctx.client.create(CERTS, fields)
    target = operation.target.model_copy(update={"name": f"{CERT}/{alias}", "scope": f"{ctx.name}:{CERT}/{alias}"})
    return await _made(ctx, target, new_id, "is added", presentation.cert_facts(made))


async def _made(ctx: AdapterContext, target: Target, id: str, what: str, facts: Sequence[Fact] = ()) -> Done:
    made = target.model_copy(update={"id": id or target.id, "group": ""})
    if id:
        await ctx.finder.remembered(made)
    return Done(
        summary=f"The {_WORD[target.kind]} {_label(target)} {what}.",
        facts=tuple(facts),
        made=made,
        unlinked=not id,
        backend_ref=id or None,
        next=(suggest("Refresh", "status", made),),
    )


async def set_gateway(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PUT the whole gateway with its other fields as they are now: whether a PUT replaces or merges is not documented."""
    target = operation.target
    now = await ctx.client.read(GATEWAYS, target.id)
    if now.odd or now.enabled is None:
        raise BadRequest(
            f"The gateway can't be read completely ({', '.join(now.odd) or 'enabled'}), so it was not changed."
        )
    fields: dict[str, Json] = {
        "cluster_id": now.cluster_id,
        "enabled": now.enabled,
        "readonly": now.readonly is True,
        "description": now.description or "",
        "certificates": list(now.certificates),
        "groups": list(now.groups),
    }
    fields |= {name: value for name, value in operation.given.items() if name in fields}
    await ctx.client.change(GATEWAYS, target.id, fields)
    return await _changed(ctx, target, GATEWAYS, lambda after: presentation.gateway_facts(after, ""))


async def set_group(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH with the given fields only."""
    target = operation.target
    await ctx.client.change(GROUPS, target.id, dict(operation.given))
    return await _changed(ctx, target, GROUPS, presentation.group_facts)


async def set_cert(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PUT the whole certificate, with its other fields as they are now."""
    target, given = operation.target, operation.given
    pem = await _pem(operation, call)
    now = await ctx.client.read(CERTS, target.id)
    fields: dict[str, Json] = {
        "raw_certificate": pem or now.certificate or "",
        "contract_id": given.get("contract_id", now.contract_id or ""),
        "alias": given.get("alias", now.alias or _label(target)),
    }
    if not fields["raw_certificate"]:
        raise BadRequest("The platform doesn't show this certificate's text. Attach it, so that it isn't lost.")
    await ctx.client.change(CERTS, target.id, fields)
    return await _changed(ctx, target, CERTS, presentation.cert_facts)


async def _changed(
    ctx: AdapterContext, target: Target, resource: Resource[ThingT], facts: Callable[[ThingT], Sequence[Fact]]
) -> Done:
    """The outcome of a change, with what is read after it, if it can be read."""
    after = await readable(ctx.client.read(resource, target.id))
    if after is None:
        return Done(summary=f"The {_WORD[target.kind]} {_label(target)} is changed. It could not be read afterwards.")
    if target.kind != CERT:  # only some versions show a certificate's alias
        target = await ctx.finder.remembered(ctx.finder.resource_target(target.kind, after))
    return Done(summary=f"The {_WORD[target.kind]} {_label(target)} is changed.", facts=tuple(facts(after)))


async def _pem(operation: Operation, call: Call) -> str:
    """The certificate of the parameter or of the attached file; raises BadRequest for anything but certificates."""
    if not operation.files:
        return written_pem(operation)
    data = b""
    async for chunk in (await call.file(operation.files[0])).chunks():
        data += chunk
        if len(data) > _LARGEST_PEM:
            raise BadRequest(f"The attached file is larger than {_LARGEST_PEM >> 10} KB, so it can't be a certificate.")
    text = data.decode("utf-8", "replace").strip()
    if not text:
        raise BadRequest("The attached file is empty.")
    return certificate(text)


async def delete(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Delete a gateway, service group or certificate."""
    target = operation.target
    await ctx.client.delete(RESOURCES[target.kind], target.id)
    return Done(summary=f"The {_WORD[target.kind]} {_label(target)} is deleted.", unlinked=True, backend_ref=target.id)


async def look_back(ctx: AdapterContext, operation: Operation, claimed: Collection[str]) -> LookBack:
    """Whether the list shows the created or deleted object now. `claimed` are objects that other requests created."""
    target, word = operation.target, _WORD[operation.target.kind]
    deleting = operation.verb.endswith("delete")
    listed = await ctx.client.listed(RESOURCES[target.kind])
    ids = [one.id for one in listed if (one.id == target.id if deleting else one.label == _label(target))]
    seen = f"The list of {word}s now has {'one' if ids else 'none'} with that name."
    if any(one.odd and not one.id for one in listed):
        return LookBack(evidence=f"{seen} Some of its rows can't be read.")
    if deleting:
        done = Done(summary=f"The {word} {_label(target)} is deleted.", unlinked=True, backend_ref=target.id)
        return LookBack(found=None if ids else done, absent=bool(ids), evidence=seen)
    if ids and set(ids) <= set(claimed):
        return LookBack(absent=True, evidence=f"{seen} Another request created it.")
    if not ids:
        return LookBack(absent=target.kind != CERT, evidence=seen)
    return LookBack(found=await _made(ctx, target, ids[0], "is created"), evidence=seen)


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """Whether it exists, and a gateway's settings."""
    if target.group == NEW:
        return "does not exist"
    found = [one for one in await ctx.client.listed(RESOURCES[target.kind]) if one.id == target.id]
    if not found:
        return GONE
    return str(found[0].state) if target.kind == GATEWAY else "exists"


async def preflight(ctx: AdapterContext, operation: Operation) -> list[tuple[str, str]]:
    """The objects that depend on it."""
    target = operation.target
    if target.group == NEW:
        return [("Exists", "no")]
    if target.kind == GATEWAY:
        gateway = await ctx.client.read(GATEWAYS, target.id)
        services = await ctx.client.services(gateway.cluster_id)
        named = {one.id: one.service_metadata.name for one in services}
        return [
            _bound("Services on it", [one.id or one.service_metadata.name for one in services], named),
            ("Enabled", {True: "yes", False: "no", None: "not reported"}[gateway.enabled]),
        ]
    if target.kind == GROUP:
        group = await ctx.client.read(GROUPS, target.id)
        named = {
            one.id: one.service_metadata.name for one in await readable(ctx.client.services(group.cluster_id)) or ()
        }
        return [_bound("Services in it", group.services, named), ("Cluster", group.cluster_id)]
    cert = await ctx.client.read(CERTS, target.id)
    named = {one.id: one.label for one in await readable(ctx.client.listed(GATEWAYS)) or ()}
    return [_bound("Gateways that use it", cert.gateways, named), ("Host", cert.host or "not reported")]


def _bound(label: str, parts: Sequence[Any], named: Mapping[str, str]) -> Binds:
    """`2: backup, check-links`. A part is an object with an id and a name, or an id. It stays the same whether or not its
    name can be read."""
    labels = []
    for part in parts:
        own = part.get("name") if isinstance(part, Mapping) else None
        id_ = str((part.get("id") or part.get("_id") or "") if isinstance(part, Mapping) else part)
        words = own if isinstance(own, str) and own else named.get(id_) or id_ or "one without a name"
        labels.append((id_ or words, words))
    listed = f"{len(labels)}: {first_of([words for _, words in labels], _NAMED, ', ')}" if labels else "none"
    return Binds(label, listed, dict(labels))
