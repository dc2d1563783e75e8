"""Rights outside the rules of a channel: administrators, break-glass, and grants."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.core.command.capability import Risk
from bot.core.policy.compile import Policy
from bot.core.policy.decision import Decision, NeedsApproval
from bot.core.policy.electors import eligible
from bot.core.policy.match import (
    GrantView,
    Question,
    Standing,
    Subject,
    Where,
    standing,
    target_fails,
    verb_fails,
    who_fails,
)
from bot.core.text import utc_text


def why_not_administrator(policy: Policy, subject: Subject, home_team_id: str) -> str | None:
    """None for an administrator (a full member), otherwise the reason."""
    return why_not_full(subject, home_team_id) or who_fails(policy.administrators, subject, home_team_id)


def why_not_breakglass(policy: Policy, subject: Subject, home_team_id: str) -> str | None:
    """None for a full member who may use break-glass, otherwise the reason."""
    return why_not_full(subject, home_team_id) or who_fails(policy.breakglass, subject, home_team_id)


def why_not_full(subject: Subject, home_team_id: str) -> str | None:
    """None for a full member of the home workspace, otherwise the reason."""
    kind, words = standing(subject, home_team_id)
    if kind is Standing.FULL:
        return None
    return words if kind is Standing.BARRED else f"you are {words}; this needs a full member"


def review_gap(policy: Policy, members: Mapping[str, Collection[str] | None] | None = None) -> str | None:
    """Why nobody could close a break-glass review: fewer than two people may. None if someone can.

    `members` are the people of each user group; a group whose people are unknown may have enough.
    """
    table, known = policy.file.breakglass, members or {}
    groups = [known.get(group) for group in policy.breakglass.user_groups | policy.administrators.user_groups]
    if table is None or None in groups:
        return None
    users = policy.breakglass.users | policy.administrators.users
    users |= {user for group in groups for user in group or ()}
    people = {policy.accounts.get(user, user) for user in users}
    if len(people) > 1:
        return None
    who = ", ".join(sorted(users)) or "nobody"
    return (
        f"[breakglass] and [administrators] name only {who}, and nobody can review their own break-glass: "
        "name a second person"
    )


def is_for(policy: Policy, grant: GrantView, subject: Subject, where: Where, home_team_id: str) -> bool:
    """True if the grant is for this person of the home workspace and for this conversation; guests may have one.

    A break-glass grant counts only while its holder may still open it; any other, while its granter may still give it.
    """
    return _why_not_for(policy, grant, subject, where, home_team_id) is None


def _why_not_for(policy: Policy, grant: GrantView, subject: Subject, where: Where, home_team_id: str) -> str | None:
    mine = grant.user_id == subject.user_id and subject.team_id == home_team_id
    here = where.channel_id in policy.channels if grant.channel_id is None else grant.channel_id == where.channel_id
    if not (mine and here):
        return "it is for another person or channel"
    if grant.lapsed:
        return grant.lapsed
    lost = why_not_breakglass(policy, subject, home_team_id) if grant.breakglass else None
    return None if lost is None else f"you can't use break-glass now: {lost}"


def grant_fails(policy: Policy, grant: GrantView, question: Question) -> str | None:
    """None if the grant covers the question, otherwise the first condition that failed."""
    not_for = _why_not_for(policy, grant, question.subject, question.where, question.home_team_id)
    if not_for is not None:
        return not_for
    if not question.now < grant.until:
        return f"it ended at {utc_text(grant.until)}"
    return verb_fails(grant.verbs, question, wide=False) or target_fails(grant.targets, question.target)


def stands_for(policy: Policy, grant: GrantView, demand: Decision, question: Question) -> bool:
    """Whether the grant replaces this approval: it covers the question, nothing dangerous is done, and as many people as the rule
    demands gave it, who may still approve it."""
    if question.risk is Risk.DANGER or not isinstance(demand, NeedsApproval) or grant.breakglass or not grant.agreed:
        return False
    who = eligible(
        policy.principals(demand.from_groups),
        grant.agreed,
        requester_id=question.subject.user_id,
        aliases=policy.accounts,
        home_team_id=question.home_team_id,
    )
    return len(who.people) >= demand.count and grant_fails(policy, grant, question) is None
