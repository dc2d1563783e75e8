"""Reads the facts about the person and the place, then asks the pure rules."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.all_of import all_of
from bot.core.approval import can_request
from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.command.parser import parse_target
from bot.core.effects import Ruling
from bot.core.intent import Actor, Intent, Place
from bot.core.operation import Operation, Target
from bot.core.policy.decide import (
    Decision,
    Denied,
    GrantView,
    NeedsApproval,
    Policy,
    Subject,
    Where,
    admits,
    decide_in,
)
from bot.core.policy.grant_scope import capabilities_of, out_of_bounds
from bot.core.policy.match import Situation
from bot.core.policy.rights import Eligible, eligible, why_not_administrator, why_not_full
from bot.core.policy.visibility import Visibility, may, visibility
from bot.core.records import Grant
from bot.core.value import Json
from bot.runtime.context import Context

CACHED = 60.0
FRESH = 0.0
MOST_READ: Final = 200  # approvers
_AT_ONCE: Final = 8


async def rules_and_person(ctx: Context, actor: Actor, *, max_age: float = CACHED) -> tuple[Policy, Subject]:
    """The rules in force, and the person as Slack knows them, at most `max_age` seconds old."""
    now = ctx.policy()
    return now.policy, await ctx.directory.subject(actor, now.user_groups, max_age=max_age)


async def grants_of(ctx: Context, actor: Actor, place: Place, *, max_age: float = CACHED) -> tuple[GrantView, ...]:
    """The grants that this person holds here now."""
    held = await ctx.store.grants_for(actor.user_id, place.channel_id, ctx.clock.now())
    return tuple(
        [
            _view(
                grant,
                await lapsed(ctx, grant, place.channel_id, max_age=max_age),
                await _approvers(ctx, grant, max_age),
            )
            for grant in held
        ]
    )


async def _approvers(ctx: Context, grant: Grant, max_age: float) -> tuple[Subject, ...]:
    """The people whose approval made the grant, as they are now."""
    if grant.breakglass or not grant.by_approval:
        return ()
    groups = ctx.policy().user_groups
    actors = [Actor(user_id=user, team_id=ctx.home_team) for user in grant.granted_by.split(", ")]
    return tuple([await ctx.directory.subject(actor, groups, max_age=max_age) for actor in actors])


def _view(grant: Grant, lapsed: str, agreed: tuple[Subject, ...] = ()) -> GrantView:
    return GrantView(
        id=grant.id,
        user_id=grant.user_id,
        verbs=grant.verbs,
        targets=grant.targets,
        until=datetime.fromisoformat(grant.until_at),
        channel_id=grant.channel_id,
        breakglass=grant.breakglass,
        lapsed=lapsed,
        agreed=agreed,
    )


async def lapsed(ctx: Context, grant: Grant, channel_id: str = "", *, max_age: float = CACHED) -> str:
    """Why a grant no longer counts, empty when it does. A grant never exceeds the current rights of its giver: in its channel, or
    in this one."""
    if grant.breakglass or grant.by_approval:
        return ""
    now = ctx.policy()
    giver = await ctx.directory.subject(
        Actor(user_id=grant.granted_by, team_id=ctx.home_team), now.user_groups, max_age=max_age
    )
    gone = why_not_full(giver, ctx.home_team) is not None
    if not gone and why_not_administrator(now.policy, giver, ctx.home_team) is None:
        return ""
    beyond = gone or any(
        out_of_bounds(
            now.policy,
            grant.channel_id or channel_id,
            giver,
            capabilities_of(ctx.catalog, verb, target),
            target,
            now=ctx.clock.now(),
            home_team_id=ctx.home_team,
        )
        for verb in grant.verbs
        for target in grant.targets
    )
    return "who gave it could not give it now" if beyond else ""


async def read_situation(ctx: Context, actor: Actor, place: Place, *, max_age: float = CACHED) -> Situation:
    """Everything that the rules need to know about this person here, none of it older than `max_age` seconds."""
    policy, subject = await rules_and_person(ctx, actor, max_age=max_age)
    where = await ctx.directory.where(place, max_age=max_age)
    if place.chosen and not await ctx.directory.is_member(place.channel_id, actor.user_id, max_age=max_age):
        where = replace(where, outsider=True)
    grants = await grants_of(ctx, actor, place, max_age=max_age)
    return Situation(policy, subject, where, grants, ctx.home_team)


async def not_admitted(ctx: Context, intent: Intent) -> Denied | None:
    """Why the person may not use built-in commands here, None when they may. A grant admits too."""
    now = await read_situation(ctx, intent.actor, intent.place)
    return admits(now)


async def visibility_of(ctx: Context, actor: Actor, place: Place) -> Visibility:
    """What this person may see of the backends here; without a channel (Home tab, global form), anywhere."""
    if place.channel_id:
        return visibility(await read_situation(ctx, actor, place))
    return visibility(await _nowhere(ctx, actor), anywhere=True)


async def _nowhere(ctx: Context, actor: Actor) -> Situation:
    """The person with all their grants, in no channel."""
    policy, subject = await rules_and_person(ctx, actor)
    mine = [grant for grant in await ctx.store.open_grants(ctx.clock.now()) if grant.user_id == actor.user_id]
    grants = [_view(grant, await lapsed(ctx, grant)) for grant in mine if not grant.breakglass]
    return Situation(policy, subject, Where("", ""), grants, ctx.home_team)


async def each_channel(ctx: Context, actor: Actor) -> list[Situation]:
    """The person in each channel that the rules or their grants name: what they may do there is offered on their Home tab."""
    now = await _nowhere(ctx, actor)
    named = dict.fromkeys((*now.policy.channels, *[grant.channel_id for grant in now.grants if grant.channel_id]))
    return [replace(now, where=Where(ctx.home_team, channel, known=True)) for channel in named]


async def catalog_of(ctx: Context, actor: Actor, place: Place) -> Catalog:
    """The catalog with the backends that the person may see, so that a hidden one reads as one that doesn't exist."""
    seen = await visibility_of(ctx, actor, place)
    return ctx.catalog if seen.patterns is None else ctx.catalog.only(seen.backend)


async def usable(ctx: Context, actor: Actor, place: Place) -> tuple[tuple[str, Capability], ...]:
    """What this person may use here, on some target, as (name of a backend, capability)."""
    now = await read_situation(ctx, actor, place)
    capabilities = [(name, one) for name, spec in sorted(ctx.catalog.backends.items()) for one in spec.capabilities]
    return may(now, capabilities)


async def may_ask(ctx: Context, intent: Intent, target: str | None) -> Visibility | Denied:
    """What this person may see, or the denial for the target that they typed.

    This is decided before the lookup, so that the answer is the same whether the target exists or not, and no guess reaches a
    backend.
    Only an id with a prefix (`run/ID`) is looked up first: only the backend knows what it belongs to.
    """
    now = await read_situation(ctx, intent.actor, intent.place)
    refused = admits(now)
    if refused is not None:
        return refused
    seen = visibility(now)
    return seen if target is None or seen.patterns is None or await _may_ask(ctx, seen, target) else seen.hides(target)


async def _may_ask(ctx: Context, seen: Visibility, target: str) -> bool:
    ref = parse_target(target, ctx.catalog)
    if isinstance(ref, str) or not seen.backend(ref.backend):
        return False
    kind, path = ctx.catalog.split_path(ref.backend, ref.path)
    if kind is not None or not path or seen.written(f"{ref.backend}:{ref.path}"):
        return True
    usual = ctx.catalog.backends[ref.backend].default_target.name
    known = await ctx.target_cache.by_id(ref.backend, usual, path)
    return known is not None and seen.target(known)


def foresee(
    ctx: Context, now: Situation, capability: Capability, target: Target, given: Mapping[str, Json] | None = None
) -> Decision:
    """The decision on this capability and target, with these parameters and the defaults of the others. Nothing is looked up."""
    return decide_in(now, capability, target, {**capability.defaults, **(given or {})}, ctx.clock.now())


async def not_in_force(ctx: Context, grant: Grant) -> str:
    """Why a grant isn't told as active, empty when it is: it no longer counts, or its holder is asked for an approval again."""
    if grant.breakglass or not grant.by_approval:
        return await lapsed(ctx, grant)
    policy, subject = await rules_and_person(ctx, Actor(user_id=grant.user_id, team_id=ctx.home_team))
    where = Where(ctx.home_team, grant.channel_id or "", known=True)
    now = Situation(policy, subject, where, (_view(grant, "", await _approvers(ctx, grant, CACHED)),), ctx.home_team)
    decisions = [
        foresee(ctx, now, one, Target(backend=backend, kind=one.target, id="", name="", scope=scope))
        for verb in grant.verbs
        for scope in grant.targets
        for backend, one in capabilities_of(ctx.catalog, verb, scope)
    ]
    asks = decisions and all(isinstance(decision, NeedsApproval) for decision in decisions)
    return "who approved it could not approve it now" if asks else ""


async def authorize(
    ctx: Context, intent: Intent, operation: Operation, capability: Capability, *, max_age: float = CACHED
) -> Ruling:
    """The decision: may this person do this here, now."""
    now = await read_situation(ctx, intent.actor, intent.place, max_age=max_age)
    decision = decide_in(now, capability, operation.target, operation.params, ctx.clock.now())
    return Ruling(decision, now, operation.digest(intent.actor, intent.place, now.policy.version))


async def everybody(
    ctx: Context, policy: Policy, demand: NeedsApproval, requester_id: str, *, max_age: float
) -> tuple[Eligible, str | None]:
    """The people who may decide now, and what is missing when they are too few. At most 200 people are read."""
    principals = policy.principals(demand.from_groups)
    groups = sorted(principals.user_groups)
    members = await all_of(ctx.directory.members(group, max_age=max_age) for group in groups)
    users = dict.fromkeys((*sorted(principals.users), *(user for found in members for user in found or ())))
    who = await of_these(ctx, policy, demand.from_groups, requester_id, list(users)[:MOST_READ], max_age=max_age)
    gap = can_request(demand, who)
    if gap is not None:
        gap = can_request(demand, who, await ctx.directory.names([user for user, _ in who.left_out]))
    unread = [f"`{group}`" for group, found in zip(groups, members, strict=True) if found is None]
    if gap is not None and unread:
        gap += f" Slack did not return the members of {', '.join(unread)}."
    return who, gap


async def of_these(
    ctx: Context, policy: Policy, groups: Iterable[str], requester_id: str, users: Iterable[str], *, max_age: float
) -> Eligible:
    """Of these people, those who may decide what the requester wants; each is read from Slack."""
    principals = policy.principals(groups)
    actors = [Actor(user_id=user, team_id=ctx.home_team) for user in dict.fromkeys(users)]
    subjects = []
    for first in range(0, len(actors), _AT_ONCE):
        some = actors[first : first + _AT_ONCE]
        subjects += await all_of(
            ctx.directory.subject(actor, principals.user_groups, max_age=max_age) for actor in some
        )
    return eligible(
        principals, subjects, requester_id=requester_id, aliases=policy.accounts, home_team_id=ctx.home_team
    )
