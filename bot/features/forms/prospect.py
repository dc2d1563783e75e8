"""What a command will do, said before it is sent: it runs now, needs an approval, or is denied. Nothing is run or recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.command.capability import Capability, Risk
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.params import Param
from bot.core.command.parser import parse_target
from bot.core.errors import BadRequest, Problem
from bot.core.intent import Command, Intent
from bot.core.policy.decide import NO_RULE_ALLOWS, Decision, Denied, NeedsApproval, Policy
from bot.core.text import capitalized, first_of, sentences, some_of, with_article
from bot.core.value import Json
from bot.features.forms import fields
from bot.features.forms.menus import WHICH
from bot.operations import cards
from bot.operations.authorize import CACHED, catalog_of, everybody, foresee, not_admitted, read_situation
from bot.operations.resolve import find_seen
from bot.runtime.context import Context

WITHIN: Final = 2.0  # seconds for the backend: the modal waits for this
_MOST_NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Prospect:
    """`says` is what will happen. `submit` is the label of the button that does it. `capability` and `described` are the
    declared parameters and those that the backend describes for this target."""

    says: str
    submit: str = "Send"
    capability: Capability | None = None
    described: Sequence[Param] = ()
    mention: tuple[str, ...] = ()


async def prospect(ctx: Context, intent: Intent, command: Command) -> Prospect:
    """What `command` will do if this person sends it here. Asks the backend for the target, for two seconds at most."""
    catalog = await catalog_of(ctx, intent.actor, intent.place)
    capability = capability_of(catalog, command)
    if not command.target:
        return Prospect("Choose a target.", capability=capability)
    refused = await not_admitted(ctx, intent) if intent.place.channel_id else None
    if refused is not None:
        return Prospect(_denied(refused))
    if (why := misfit(catalog, command)) is not None:
        return Prospect(why)
    if not intent.place.channel_id:
        return Prospect("Choose the channel: its rules decide.", capability=capability)
    try:
        async with asyncio.timeout(WITHIN):
            target = await find_seen(ctx, intent, command)
            described = () if isinstance(target, Denied) else await ctx.backends[target.backend].form(target)
    except TimeoutError:
        backend = command.target.partition(":")[0]
        return Prospect(f"`{backend}` doesn't answer, so it is decided when you send it.", capability=capability)
    except Problem as problem:
        return Prospect(sentences(problem.summary, problem.hint), capability=capability)
    if isinstance(target, Denied):
        return Prospect(_denied(target), capability=capability)
    capability = ctx.catalog.capability(target.backend, command.verb, target.kind)
    if capability is None:
        return Prospect(f"`{command.verb}` doesn't work on `{target.text}`, which is {with_article(target.kind)}.")
    now = await read_situation(ctx, intent.actor, intent.place)
    decision = foresee(ctx, now, capability, target, _usable(capability, command.params))
    who = await _deciders(ctx, intent, now.policy, decision) if isinstance(decision, NeedsApproval) else ()
    says, submit = _words(decision, capability, who)
    which = WHICH.get(command.target.rpartition("@")[2], "") if target.parent_name else ""
    return Prospect(sentences(f"Acts on {which}" if which else "", says), submit, capability, described, who)


async def _deciders(ctx: Context, intent: Intent, policy: Policy, demand: NeedsApproval) -> tuple[str, ...]:
    """The people who can decide, empty when they can't be read in time."""
    try:
        async with asyncio.timeout(WITHIN):
            found, _ = await everybody(ctx, policy, demand, intent.actor.user_id, max_age=CACHED)
    except TimeoutError:
        return ()
    return tuple(user for users in found.people.values() for user in users)


def capability_of(catalog: Catalog, command: Command) -> Capability | None:
    """The capability of the command, as far as its text alone determines it: a selector picks a run, whatever its kind."""
    if command.target is None:
        found = [capability for _, capability in catalog.capabilities(command.verb)]
        return found[0] if len(found) == 1 else None
    ref = parse_target(command.target, catalog)
    if isinstance(ref, str):
        return None
    if meant := catalog.meant(command.verb, ref):
        return meant[0]
    found = [capability for _, capability in catalog.capabilities(command.verb, ref.backend)]
    return found[0] if len(found) == 1 and ref.selector is None else None


def misfit(catalog: Catalog, command: Command) -> str | None:
    """Why the verb can't act on that target, as far as the text alone tells; None when it may."""
    ref = parse_target(command.target or "", catalog)
    if isinstance(ref, str):
        return ref
    capabilities = catalog.capabilities(command.verb, ref.backend)
    if not capabilities:
        return f"`{ref.backend}` doesn't support `{command.verb}`."
    if catalog.meant(command.verb, ref):
        return None
    works_on = " or ".join(with_article(kind) for kind in sorted({capability.target for _, capability in capabilities}))
    return f"`{command.verb}` works on {works_on}. For example: `{capabilities[0][1].example}`."


def _usable(capability: Capability, params: fields.Pairs) -> dict[str, Json]:
    """Those of the typed parameters that can be used already: rules may limit them."""
    optional = [param.model_copy(update={"required": False}) for param in capability.params]
    given: dict[str, Json] = {}
    for pair in fields.read(optional, dict(params))[0]:
        try:
            given |= check_params(optional, [pair])
        except BadRequest:
            continue
    return given


def _words(decision: Decision, capability: Capability, who: Sequence[str]) -> tuple[str, str]:
    """What will happen, and the label of the button."""
    if isinstance(decision, Denied):
        return _denied(decision), "Send"
    first = "You see what it affects before anything is sent." if capability.risk is Risk.DANGER else ""
    if isinstance(decision, NeedsApproval):
        names = f": {first_of([f'<@{user}>' for user in who], _MOST_NAMED, ', ')}" if who else ""
        people = f"{some_of(decision.count, ', '.join(decision.from_groups))}{names}"
        return sentences(f"Needs approval from {people}", "Nothing runs before that", first), "Ask for approval"
    if capability.risk is Risk.READ:
        return "Answers at once and changes nothing.", "Show"
    if first:
        return sentences("You may do this here", first), "Check first"
    return sentences("Runs at once: you may do this here", capability.effect), "Run"


def _denied(decision: Denied) -> str:
    """The reason, and the way on where there is one: only what no rule covers can be asked for."""
    ask = "Send it to see who can, and to ask for it" if decision.code == "no_rule" else ""
    if decision.reason.startswith(f"{NO_RULE_ALLOWS};"):  # the rest is about rules that don't count here
        return sentences("You can't do this here: no rule allows it", ask)
    return sentences("You can't do this here", cards.rules_named(capitalized(decision.reason)), ask)
