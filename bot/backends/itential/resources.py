"""Create, change and delete gateways, service groups and certificates, and what became of a lost answer to that."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP
from bot.backends.itential.checks import certificate, written_pem
from bot.backends.itential.context import AdapterContext
from bot.backends.itential.presentation import cert_facts, gateway_facts, group_facts
from bot.backends.itential.targets import NEW, existing
from bot.core.command.arguments import text_of
from bot.core.errors import BadRequest
from bot.core.operation import Operation, Target
from bot.core.outcome import GONE, Done, LookBack, Refused
from bot.core.ports.services import Call
from bot.core.text import suggest
from bot.core.value import Json

_LARGEST_PEM: Final = 64 * 1024
_WORD: Final = {GATEWAY: "gateway", GROUP: "service group", CERT: "certificate"}
_GATEWAY: Final = ("cluster_id", "enabled", "readonly", "description", "certificates", "groups")
_MAKES: Final = ("create", "add")
_CERT: Final = ("raw_certificate", "contract_id", "alias")


def _label(target: Target) -> str:
    return target.name.partition("/")[2]


def check(operation: Operation) -> Refused | None:
    """What is to be made must not exist; raises NoSuchTarget where anything else is asked of what does not."""
    target = operation.target
    if not operation.verb.endswith(_MAKES):
        existing(target)
        return None
    if target.group == NEW:
        return None
    word = _WORD[target.kind]
    return Refused(
        code="exists",
        summary=f"There is a {word} {_label(target)} already.",
        hint=f"Change it with `{target.kind} set`.",
        next=(suggest("Refresh", "status", target),),
    )


# --- gateways ------------------------------------------------------------------------------------


async def create_gateway(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST with all required fields; created disabled unless said otherwise, as the vendor's console does (DOC)."""
    params = operation.params
    fields: dict[str, Json] = {
        "cluster_id": _label(operation.target),
        "enabled": params.get("enabled") is True,
        "readonly": params.get("readonly") is True,
        "groups": params.get("groups") or [],
    }
    fields |= {name: params[name] for name in ("description", "certificates") if params.get(name)}
    made = await ctx.client.create_gateway(fields)
    return await _made(ctx, operation.target, made.id)


async def set_gateway(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PUT the whole gateway, what is left unsaid as it is now: nobody says whether a PUT replaces or merges."""
    target = operation.target
    given = operation.given
    now = await ctx.client.gateway(target.id)
    fields: dict[str, Json] = {
        "cluster_id": now.cluster_id,
        "enabled": now.enabled is True,
        "readonly": now.readonly is True,
        "description": now.description or "",
        "certificates": list(now.certificates),
        "groups": list(now.groups),
    }
    await ctx.client.set_gateway(target.id, {**fields, **{name: given[name] for name in _GATEWAY if name in given}})
    after = await ctx.client.gateway(target.id)
    await ctx.finder.learn(ctx.finder.gateway_target(after))
    return Done(summary=f"The gateway {after.cluster_id} is changed.", facts=gateway_facts(after, None))


# --- service groups ------------------------------------------------------------------------------


async def create_group(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST with its name and cluster."""
    fields: dict[str, Json] = {"name": _label(operation.target), "cluster_id": text_of(operation, "cluster_id")}
    fields |= {
        name: operation.params[name] for name in ("description", "services", "groups") if operation.params.get(name)
    }
    made = await ctx.client.create_group(fields)
    return await _made(ctx, operation.target, made.id)


async def set_group(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PATCH with what was said alone."""
    target = operation.target
    await ctx.client.set_group(target.id, dict(operation.given))
    after = await ctx.client.group(target.id)
    await ctx.finder.learn(ctx.finder.group_target(after))
    return Done(summary=f"The service group {after.name} is changed.", facts=group_facts(after))


# --- certificates --------------------------------------------------------------------------------


async def add_cert(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """POST the certificate; its alias is the target's name unless another one is given."""
    pem = await _pem(operation, call)
    alias = text_of(operation, "alias") or _label(operation.target)
    fields: dict[str, Json] = {"raw_certificate": pem, "contract_id": text_of(operation, "contract_id"), "alias": alias}
    made = await ctx.client.add_certificate(fields)
    target = await ctx.finder.learn(ctx.finder.cert_target(made, alias))
    return Done(
        summary=f"The certificate {alias} is added.",
        facts=cert_facts(made),
        backend_ref=made.id,
        next=(suggest("Refresh", "status", target),),
    )


async def set_cert(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """PUT the whole certificate, what is left unsaid as it is now."""
    target = operation.target
    given = operation.given
    pem = await _pem(operation, call)
    now = await ctx.client.certificate(target.id)
    fields: dict[str, Json] = {
        "raw_certificate": now.certificate or "",
        "contract_id": now.contract_id or "",
        "alias": now.alias or _label(target),
    }
    fields |= {name: given[name] for name in _CERT if name in given}
    if pem:
        fields["raw_certificate"] = pem
    if not fields["raw_certificate"]:
        raise BadRequest("The platform does not show this certificate's text; attach it, so that it is not lost.")
    await ctx.client.set_certificate(target.id, fields)
    after = await ctx.client.certificate(target.id)
    return Done(summary=f"The certificate {_label(target)} is changed.", facts=cert_facts(after))


async def _pem(operation: Operation, call: Call) -> str:
    """The certificate of the parameter or of the attached file; raises BadRequest for anything but certificates."""
    if operation.files:
        return certificate(await _attached(operation.files[0], call))
    return written_pem(operation)


async def _attached(file_id: str, call: Call) -> str:
    file = await call.file(file_id)
    data = b""
    async for chunk in file.chunks():
        data += chunk
        if len(data) > _LARGEST_PEM:
            raise BadRequest(f"The attached file is larger than {_LARGEST_PEM >> 10} KB, which no certificate is.")
    text = data.decode("utf-8", "replace").strip()
    if not text:
        raise BadRequest("The attached file is empty.")
    return text


# --- all three -----------------------------------------------------------------------------------


async def _made(ctx: AdapterContext, target: Target, id: str | None) -> Done:
    made = target.model_copy(update={"id": id or target.id, "group": ""})
    if id:
        await ctx.finder.learn(made)
    word = _WORD[target.kind]
    return Done(
        summary=f"The {word} {_label(target)} is created.", backend_ref=id, next=(suggest("Refresh", "status", made),)
    )


async def delete(ctx: AdapterContext, operation: Operation, call: Call) -> Done:
    """Delete one for good."""
    target = operation.target
    if target.kind == GATEWAY:
        await ctx.client.delete_gateway(target.id)
    elif target.kind == GROUP:
        await ctx.client.delete_group(target.id)
    else:
        await ctx.client.delete_certificate(target.id)
    return Done(summary=f"The {_WORD[target.kind]} {_label(target)} is deleted.", backend_ref=target.id)


async def look_back(ctx: AdapterContext, operation: Operation, sent_at: datetime) -> LookBack:
    """Whether what was to be made or deleted is in the list now."""
    target, word = operation.target, _WORD[operation.target.kind]
    deleting = operation.verb.endswith("delete")
    ids = await _ids(ctx, target, deleting=deleting)
    seen = f"The list of {word}s has {'one' if ids else 'none'} of that name now."
    if deleting:
        done = Done(summary=f"The {word} {_label(target)} is deleted.", backend_ref=target.id)
        return LookBack(found=None if ids else done, absent=bool(ids), evidence=seen)
    if not ids:
        return LookBack(absent=target.kind != CERT, evidence=seen)
    return LookBack(found=await _made(ctx, target, ids[0]), evidence=seen)


async def _ids(ctx: AdapterContext, target: Target, *, deleting: bool) -> list[str]:
    """Ids of what is listed under this id (when deleting) or under this name."""
    label = _label(target)
    pairs: list[tuple[str, str]]
    if target.kind == GATEWAY:
        pairs = [(one.id, one.cluster_id) for one in await ctx.client.gateways()]
    elif target.kind == GROUP:
        pairs = [(one.id, one.name) for one in await ctx.client.groups()]
    else:
        pairs = [(one.id, one.label) for one in await ctx.client.certificates()]
    return [found for found, name in pairs if (found == target.id if deleting else name == label)]


async def state_of(ctx: AdapterContext, target: Target) -> str:
    """Whether it exists, and how a gateway is set."""
    if target.group == NEW:
        return "does not exist"
    if target.kind == GATEWAY:
        from_list = [one for one in await ctx.client.gateways() if one.id == target.id]
        return (
            ("disabled" if from_list[0].enabled is False else "read-only" if from_list[0].readonly else "enabled")
            if from_list
            else GONE
        )
    return "exists" if await _ids(ctx, target, deleting=True) else GONE


async def preflight(ctx: AdapterContext, target: Target) -> list[tuple[str, str]]:
    """What hangs on it."""
    if target.group == NEW:
        return [("Exists", "no")]
    if target.kind == GATEWAY:
        gateway = await ctx.client.gateway(target.id)
        services = [one.service_metadata.name for one in await ctx.client.services(gateway.cluster_id)]
        return [
            ("Services on it", f"{len(services)}: {', '.join(services[:10])}" if services else "none"),
            _state(gateway.enabled),
        ]
    if target.kind == GROUP:
        group = await ctx.client.group(target.id)
        return [("Services in it", str(len(group.services))), ("Cluster", group.cluster_id)]
    cert = await ctx.client.certificate(target.id)
    return [("Gateways that use it", str(len(cert.gateways))), ("Host", cert.host or "not told")]


def _state(enabled: bool | None) -> tuple[str, str]:
    return ("Enabled", "yes" if enabled else "no")
