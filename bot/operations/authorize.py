"""Facts about the person and the place are read, then the pure rules decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.command.capability import Capability
from bot.core.intent import Actor, Intent, Place
from bot.core.operation import Operation
from bot.core.policy.decide import (
    NO_RULE,
    Allowed,
    Decision,
    Denied,
    GrantView,
    NeedsApproval,
    Policy,
    Subject,
    Where,
    admits,
    decide,
)
from bot.core.policy.decision import DecideArguments
from bot.core.policy.grant_scope import out_of_bounds, rows_of
from bot.core.policy.rights import why_not_administrator, why_not_full
from bot.core.policy.visibility import Visibility, sight
from bot.core.records import Grant
from bot.runtime.context import Context

CACHED = 60.0
FRESH = 0.0


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision with everything that it was made from."""

    decision: Decision
    policy: Policy
    subject: Subject
    where: Where
    digest: str

    @property
    def allowed(self) -> bool:
        """It may run now."""
        return isinstance(self.decision, Allowed)

    @property
    def denied(self) -> bool:
        """It may not run."""
        return isinstance(self.decision, Denied)

    @property
    def needs_approval(self) -> bool:
        """It may run once others agree."""
        return isinstance(self.decision, NeedsApproval)


async def facts(ctx: Context, actor: Actor, place: Place, *, max_age: float = CACHED) -> tuple[Policy, Subject, Where]:
    """The rules in force, the person and the place, none older than `max_age` seconds."""
    now = ctx.policy()
    policy = now.policy
    subject = await ctx.directory.subject(actor, now.user_groups, max_age=max_age)
    where = await ctx.directory.where(place, max_age=max_age)
    return policy, subject, where


def asked(
    ctx: Context,
    row: Capability,
    operation: Operation,
    subject: Subject,
    where: Where,
    grants: tuple[GrantView, ...],
) -> DecideArguments:
    """What the rules are asked."""
    return DecideArguments(
        verb=operation.verb,
        risk=operation.risk,
        own_verb=row.own_verb,
        target=operation.target,
        params=operation.params,
        subject=subject,
        where=where,
        now=ctx.clock.now(),
        grants=grants,
        home_team_id=ctx.home_team,
        declared=tuple(param.name for param in row.params),
    )


async def grants_of(ctx: Context, actor: Actor, place: Place, *, max_age: float = CACHED) -> tuple[GrantView, ...]:
    """The grants that this person holds here now."""
    rows = await ctx.store.grants_for(actor.user_id, place.channel_id, ctx.clock.now())
    return tuple([_view(row, await _lapsed(ctx, row, place, max_age)) for row in rows])


def _view(row: Grant, lapsed: str) -> GrantView:
    return GrantView(
        id=row.id,
        user_id=row.user_id,
        verbs=row.verbs,
        targets=row.targets,
        until=datetime.fromisoformat(row.until_at),
        channel_id=row.channel_id,
        breakglass=row.breakglass,
        lapsed=lapsed,
    )


async def _lapsed(ctx: Context, row: Grant, place: Place, max_age: float) -> str:
    """Why one person's grant counts no more: it was bounded by their rights when they gave it, and still is."""
    if row.breakglass or row.by_approval:
        return ""
    now = ctx.policy()
    giver = await ctx.directory.subject(
        Actor(user_id=row.granted_by, team_id=ctx.home_team), now.user_groups, max_age=max_age
    )
    gone = why_not_full(giver, ctx.home_team) is not None
    if not gone and why_not_administrator(now.policy, giver, ctx.home_team) is None:
        return ""
    beyond = gone or any(
        out_of_bounds(
            now.policy,
            row.channel_id or place.channel_id,
            giver,
            rows_of(ctx.catalog, verb, target),
            target,
            now=ctx.clock.now(),
            home_team_id=ctx.home_team,
        )
        for verb in row.verbs
        for target in row.targets
    )
    return "who gave it could not give it now" if beyond else ""


async def not_admitted(ctx: Context, intent: Intent) -> Denied | None:
    """None for somebody who may use here what everybody may; grants admit too."""
    policy, subject, where = await facts(ctx, intent.actor, intent.place)
    grants = await grants_of(ctx, intent.actor, intent.place)
    return admits(policy, subject=subject, where=where, home_team_id=ctx.home_team, grants=grants)


async def sight_of(ctx: Context, actor: Actor, place: Place) -> Visibility:
    """What of the control planes this person may be told about here, once they are admitted."""
    policy, subject, where = await facts(ctx, actor, place)
    grants = await grants_of(ctx, actor, place)
    return sight(policy, subject=subject, where=where, home_team_id=ctx.home_team, grants=grants)


async def hidden(ctx: Context, intent: Intent, target: str) -> Denied | None:
    """Why nothing may be told of what was written as a target: somebody is named here, but for other targets."""
    seen = await sight_of(ctx, intent.actor, intent.place)
    if seen.written(target):
        return None
    return Denied(NO_RULE, f"no rule of this channel that names you is about `{target}`", "no_rule")


async def authorize(
    ctx: Context, intent: Intent, operation: Operation, row: Capability, *, max_age: float = CACHED
) -> Ruling:
    """May this person do this here, now?"""
    policy, subject, where = await facts(ctx, intent.actor, intent.place, max_age=max_age)
    grants = await grants_of(ctx, intent.actor, intent.place, max_age=max_age)
    decision = decide(policy, **asked(ctx, row, operation, subject, where, grants))
    return Ruling(decision, policy, subject, where, operation.digest(intent.actor, intent.place, policy.version))


def ages(ruling: Ruling) -> str:
    """How old the facts behind a decision were, for the audit log."""
    oldest = max(ruling.subject.group_ages.values(), default=0.0)
    return f"person read {ruling.subject.user_age:.0f} s ago, groups at most {oldest:.0f} s ago"
