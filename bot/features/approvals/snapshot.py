"""The rules, the people and the target as they are now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.all_of import all_of, both
from bot.core.approval import Approval, Snapshot, can_request
from bot.core.command.capability import Capability
from bot.core.command.until import ends_at
from bot.core.effects import Ruling
from bot.core.errors import BadRequest
from bot.core.intent import Actor
from bot.core.operation import Operation
from bot.core.policy.decide import Denied, NeedsApproval, Policy
from bot.core.policy.rights import Eligible, eligible
from bot.core.records import grant_id
from bot.operations.authorize import FRESH, authorize
from bot.operations.target_facts import find_now
from bot.runtime.context import Context

MOST: Final = 200
_AT_ONCE: Final = 8


async def everybody(
    ctx: Context, policy: Policy, demand: NeedsApproval, requester_id: str, *, max_age: float
) -> tuple[Eligible, str | None]:
    """The people who may decide now, and what is missing when they are too few. At most 200 people are read."""
    principals = policy.principals(demand.from_groups)
    groups = sorted(principals.user_groups)
    members = await all_of(ctx.directory.members(group, max_age=max_age) for group in groups)
    users = dict.fromkeys((*sorted(principals.users), *(user for found in members for user in found or ())))
    who = await of_these(ctx, policy, demand.from_groups, requester_id, list(users)[:MOST], max_age=max_age)
    gap = can_request(demand, who)
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


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """The current state. `ended` is the reason why nobody can decide this any more, None while they can."""

    ruling: Ruling
    operation: Operation
    after: Snapshot
    demand: NeedsApproval
    ended: str | None


async def look(ctx: Context, approval: Approval, capability: Capability) -> TargetSnapshot:
    """Rules, requester, place and target, each read again. The operation is about the target that has the name now."""
    operation = approval.operation
    ruling, (target, state) = await both(
        authorize(ctx, approval.pending.intent, operation, capability, max_age=FRESH), find_now(ctx, operation)
    )
    after = Snapshot(ruling.digest, ruling.policy.version, target.id if target else "", state)
    decision = ruling.decision
    demand = decision if isinstance(decision, NeedsApproval) else approval.record.demand
    now = operation.model_copy(update={"target": target or operation.target})
    ended = f"`{operation.target.text}` no longer exists" if target is None else _ended(approval, ruling)
    try:
        if capability.pausable:
            ends_at(operation, ctx.clock.now(), ctx.zone)
    except BadRequest as problem:
        ended = ended or problem.summary
    return TargetSnapshot(ruling, now, after, demand, ended)


def _ended(approval: Approval, ruling: Ruling) -> str | None:
    """Why the answer of the rules makes the question void."""
    decision = ruling.decision
    if approval.record.sort != "run":
        if isinstance(decision, Denied):
            return None if decision.code == "no_rule" else f"the rules forbid it now: {decision.reason}"
        mine = getattr(decision, "via_grant", None) == grant_id(approval.id)
        return None if mine else "a rule covers it now, so no grant is needed; type the command again"
    if isinstance(decision, Denied):
        return f"the rules no longer allow it: {decision.reason}"
    if not isinstance(decision, NeedsApproval) and ruling.digest != approval.pending.digest:
        return "the rules changed and no longer require an approval; type the command again"
    return None
