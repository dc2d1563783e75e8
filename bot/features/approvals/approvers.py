"""Who may decide: the members of the named groups, each read from Slack, the requester never."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from bot.core.approval import Eligible, can_request, eligible
from bot.core.intent import Actor
from bot.core.policy.compile import Principals
from bot.core.policy.decide import NeedsApproval, Policy, Subject
from bot.runtime.context import Context

MOST: Final = 200
_AT_ONCE: Final = 8


async def everybody(
    ctx: Context, policy: Policy, demand: NeedsApproval, requester_id: str, *, max_age: float
) -> tuple[Eligible, str | None]:
    """Everybody who may decide now, and the gap in words when they are too few. At most 200 people are looked at."""
    principals = policy.principals(demand.from_groups)
    named, unread = await _named(ctx, principals, max_age)
    who = await of_these(ctx, policy, demand.from_groups, requester_id, named[:MOST], max_age=max_age)
    gap = can_request(demand, who)
    if gap is not None and unread:
        gap += f" Slack did not say who is in {', '.join(f'`{group}`' for group in unread)}."
    return who, gap


async def of_these(
    ctx: Context, policy: Policy, groups: Iterable[str], requester_id: str, users: Iterable[str], *, max_age: float
) -> Eligible:
    """Of these people, those who may decide what the requester asked for."""
    principals = policy.principals(groups)
    subjects = await _subjects(ctx, principals, users, max_age)
    return eligible(
        principals,
        subjects,
        requester_id=requester_id,
        aliases=policy.accounts,
        home_team_id=ctx.home_team,
    )


async def _named(ctx: Context, principals: Principals, max_age: float) -> tuple[list[str], list[str]]:
    """The ids that the circle names, directly or by user groups, and the user groups that could not be read."""
    groups = sorted(principals.user_groups)
    found = await asyncio.gather(*(ctx.directory.members(group, max_age=max_age) for group in groups))
    users = dict.fromkeys(sorted(principals.users))
    for members in found:
        users.update(dict.fromkeys(members or ()))
    return list(users), [group for group, members in zip(groups, found, strict=True) if members is None]


async def _subjects(ctx: Context, principals: Principals, users: Iterable[str], max_age: float) -> list[Subject]:
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(user: str) -> Subject:
        async with limit:
            actor = Actor(user_id=user, team_id=ctx.home_team)
            return await ctx.directory.subject(actor, principals.user_groups, max_age=max_age)

    return list(await asyncio.gather(*(one(user) for user in dict.fromkeys(users))))
