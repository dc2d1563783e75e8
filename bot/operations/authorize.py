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
from bot.core.policy.decision import Asked
from bot.core.policy.grant_scope import out_of_bounds, rows_of
from bot.core.policy.rights import why_not_administrator, why_not_full
from bot.core.policy.visibility import Sight, sight
from bot.core.records import Grant
from bot.runtime.context import Deps

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


async def facts(deps: Deps, actor: Actor, place: Place, *, max_age: float = CACHED) -> tuple[Policy, Subject, Where]:
    """The rules in force, the person and the place, none older than `max_age` seconds."""
    now = deps.policy()
    policy = now.policy
    subject = await deps.directory.subject(actor, now.user_groups, max_age=max_age)
    where = await deps.directory.where(place, max_age=max_age)
    return policy, subject, where


def asked(
    deps: Deps,
    row: Capability,
    operation: Operation,
    subject: Subject,
    where: Where,
    grants: tuple[GrantView, ...],
) -> Asked:
    """What the rules are asked."""
    return Asked(
        verb=operation.verb,
        risk=operation.risk,
        own_verb=row.own_verb,
        target=operation.target,
        params=operation.params,
        subject=subject,
        where=where,
        now=deps.clock.now(),
        grants=grants,
        home_team_id=deps.home_team,
        declared=tuple(param.name for param in row.params),
    )


async def grants_of(deps: Deps, actor: Actor, place: Place, *, max_age: float = CACHED) -> tuple[GrantView, ...]:
    """The grants that this person holds here now."""
    rows = await deps.store.grants_for(actor.user_id, place.channel_id, deps.clock.now())
    return tuple([_view(row, await _lapsed(deps, row, place, max_age)) for row in rows])


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


async def _lapsed(deps: Deps, row: Grant, place: Place, max_age: float) -> str:
    """Why one person's grant counts no more: it was bounded by their rights when they gave it, and still is."""
    if row.breakglass or row.by_approval:
        return ""
    now = deps.policy()
    giver = await deps.directory.subject(
        Actor(user_id=row.granted_by, team_id=deps.home_team), now.user_groups, max_age=max_age
    )
    gone = why_not_full(giver, deps.home_team) is not None
    if not gone and why_not_administrator(now.policy, giver, deps.home_team) is None:
        return ""
    beyond = gone or any(
        out_of_bounds(
            now.policy,
            row.channel_id or place.channel_id,
            giver,
            rows_of(deps.catalog, verb, target),
            target,
            now=deps.clock.now(),
            home_team_id=deps.home_team,
        )
        for verb in row.verbs
        for target in row.targets
    )
    return "who gave it could not give it now" if beyond else ""


async def not_admitted(deps: Deps, intent: Intent) -> Denied | None:
    """None for somebody who may use here what everybody may; grants admit too."""
    policy, subject, where = await facts(deps, intent.actor, intent.place)
    grants = await grants_of(deps, intent.actor, intent.place)
    return admits(policy, subject=subject, where=where, home_team_id=deps.home_team, grants=grants)


async def sight_of(deps: Deps, actor: Actor, place: Place) -> Sight:
    """What of the control planes this person may be told about here, once they are admitted."""
    policy, subject, where = await facts(deps, actor, place)
    grants = await grants_of(deps, actor, place)
    return sight(policy, subject=subject, where=where, home_team_id=deps.home_team, grants=grants)


async def hidden(deps: Deps, intent: Intent, target: str) -> Denied | None:
    """Why nothing may be told of what was written as a target: somebody is named here, but for other targets."""
    seen = await sight_of(deps, intent.actor, intent.place)
    if seen.written(target):
        return None
    return Denied(NO_RULE, f"no rule of this channel that names you is about `{target}`", "no_rule")


async def authorize(
    deps: Deps, intent: Intent, operation: Operation, row: Capability, *, max_age: float = CACHED
) -> Ruling:
    """May this person do this here, now?"""
    policy, subject, where = await facts(deps, intent.actor, intent.place, max_age=max_age)
    grants = await grants_of(deps, intent.actor, intent.place, max_age=max_age)
    decision = decide(policy, **asked(deps, row, operation, subject, where, grants))
    return Ruling(decision, policy, subject, where, operation.digest(intent.actor, intent.place, policy.version))


def ages(ruling: Ruling) -> str:
    """How old the facts behind a decision were, for the register."""
    oldest = max(ruling.subject.group_ages.values(), default=0.0)
    return f"person read {ruling.subject.user_age:.0f} s ago, groups at most {oldest:.0f} s ago"
