"""Create, change and delete gateways, service groups and certificates, and look up a call whose answer was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, Final

from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP, certificate, written_pem
from bot.backends.itential.client import CERTS, GATEWAYS, GROUPS
from bot.backends.itential.presentation import cert_facts, gateway_facts, group_facts
from bot.backends.itential.targets import NEW, RESOURCES, AdapterContext
from bot.core.command.params import text_of
from bot.core.errors import BadRequest, CallProblem, NoSuchTarget
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Done, Fact, LookBack, Refused
from bot.core.ports.services import Call
from bot.core.text import suggest
from bot.core.value import Json

_NAMED: Final = 10
_LARGEST_PEM: Final = 64 * 1024
_WORD: Final = {GATEWAY: "gateway", GROUP: "service group", CERT: "certificate"}


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
    """POST a gateway or a group with its required fields; a gateway is created disabled unless said otherwise (DOC)."""
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
    return await _made(ctx, target, new_id, "is added", cert_facts(made))


async def _made(ctx: AdapterContext, target: Target, id: str, what: str, facts: Sequence[Fact] = ()) -> Done:
    made = target.model_copy(update={"id": id or target.id, "group": ""})
    if id:
        await ctx.finder.remembered(made)
    return Done(
        summary=f"The {_WORD[target.kind]} {_label(target)} {what}.",
        facts=tuple(facts),
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
    after = await ctx.client.read(GATEWAYS, target.id)
    await ctx.finder.remembered(ctx.finder.resource_target(GATEWAY, after))
    return Done(summary=f"The gateway {after.cluster_id} is changed.", facts=gateway_facts(after, ""))


async def set_group(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH with what was said alone."""
    target = operation.target
    await ctx.client.change(GROUPS, target.id, dict(operation.given))
    after = await ctx.client.read(GROUPS, target.id)
    await ctx.finder.remembered(ctx.finder.resource_target(GROUP, after))
    return Done(summary=f"The service group {after.name} is changed.", facts=group_facts(after))


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
    after = await ctx.client.read(CERTS, target.id)
    return Done(summary=f"The certificate {_label(target)} is changed.", facts=cert_facts(after))


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
    return Done(summary=f"The {_WORD[target.kind]} {_label(target)} is deleted.", backend_ref=target.id)


async def look_back(ctx: AdapterContext, operation: Operation, claimed: Collection[str]) -> LookBack:
    """Whether the list shows the created or deleted object now. `claimed` are objects that other requests created."""
    target, word = operation.target, _WORD[operation.target.kind]
    deleting = operation.verb.endswith("delete")
    listed = await _listed(ctx, target)
    ids = [one.id for one in listed if (one.id == target.id if deleting else one.label == _label(target))]
    seen = f"The list of {word}s now has {'one' if ids else 'none'} with that name."
    if any(one.odd and not one.id for one in listed):
        return LookBack(evidence=f"{seen} Some of its rows can't be read.")
    if deleting:
        done = Done(summary=f"The {word} {_label(target)} is deleted.", backend_ref=target.id)
        return LookBack(found=None if ids else done, absent=bool(ids), evidence=seen)
    if ids and set(ids) <= set(claimed):
        return LookBack(absent=True, evidence=f"{seen} Another request created it.")
    if not ids:
        return LookBack(absent=target.kind != CERT, evidence=seen)
    return LookBack(found=await _made(ctx, target, ids[0], "is created"), evidence=seen)


async def _listed(ctx: AdapterContext, target: Target) -> list[Any]:
    return await ctx.client.listed(RESOURCES[target.kind])


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """Whether it exists, and a gateway's settings."""
    if target.group == NEW:
        return "does not exist"
    found = [one for one in await _listed(ctx, target) if one.id == target.id]
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
        services = [one.service_metadata.name for one in await ctx.client.services(gateway.cluster_id)]
        told = _names(services, {})
        return [
            ("Services on it", told),
            ("Enabled", {True: "yes", False: "no", None: "not reported"}[gateway.enabled]),
        ]
    if target.kind == GROUP:
        group = await ctx.client.read(GROUPS, target.id)
        named = {one.id: one.service_metadata.name for one in await _or_none(ctx.client.services(group.cluster_id))}
        return [("Services in it", _names(group.services, named)), ("Cluster", group.cluster_id)]
    cert = await ctx.client.read(CERTS, target.id)
    named = {one.id: one.label for one in await _or_none(ctx.client.listed(GATEWAYS))}
    return [("Gateways that use it", _names(cert.gateways, named)), ("Host", cert.host or "not reported")]


async def _or_none(listing: Awaitable[list[Any]]) -> list[Any]:
    """The list, or nothing when the platform doesn't show it: the ids are told then."""
    try:
        return await listing
    except (CallProblem, NoSuchTarget):
        return []


def _names(parts: Sequence[Any], named: Mapping[str, str]) -> str:
    """`2: backup, check-links`. A part is an object with an id and a name, or an id."""
    told = []
    for part in parts:
        own = part.get("name") if isinstance(part, Mapping) else None
        id_ = str((part.get("id") or part.get("_id") or "") if isinstance(part, Mapping) else part)
        told.append(own if isinstance(own, str) and own else named.get(id_) or id_ or "one without a name")
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{len(told)}: {', '.join(told[:_NAMED])}{more}" if told else "none"
