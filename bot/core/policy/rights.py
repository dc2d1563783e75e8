"""Rights outside the rules of a channel: who may decide a request, administrators, break-glass, and grants."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.core.command.capability import Risk
from bot.core.policy.compile import Policy, Principals
from bot.core.policy.decision import Decision, NeedsApproval
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
    who_undecided,
)
from bot.core.text import utc_text


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who may decide: person -> that person's Slack ids; and who is named but may not, with the reason."""

    people: Mapping[str, tuple[str, ...]]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Every Slack id that may press."""
        return tuple(user for ids in self.people.values() for user in ids)


def person_of(user_id: str, aliases: Mapping[str, str]) -> str:
    """The id that represents this person."""
    return aliases.get(user_id, user_id)


def eligible(
    deciders: Principals,
    candidates: Iterable[Subject],
    *,
    requester_id: str,
    aliases: Mapping[str, str],
    home_team_id: str,
) -> Eligible:
    """The candidates (users and members of user groups that `from` names) who may decide this request."""
    requester = person_of(requester_id, aliases)
    people: dict[str, tuple[str, ...]] = {}
    left_out: list[tuple[str, str]] = []
    for subject in candidates:
        person = person_of(subject.user_id, aliases)
        reason = _ineligible(deciders, subject, requester, person, home_team_id)
        if reason is None:
            people[person] = tuple(dict.fromkeys((*people.get(person, ()), subject.user_id)))
        else:
            left_out.append((subject.user_id, reason))
    return Eligible(MappingProxyType(people), tuple(left_out))


def _ineligible(deciders: Principals, subject: Subject, requester: str, person: str, home_team_id: str) -> str | None:
    if person == requester:
        return "the requester can't decide"
    kind, words = standing(subject, home_team_id)
    if kind is not Standing.FULL:
        return f"not an active full member ({words})"
    if who_fails(deciders, subject, home_team_id) is None:
        return None
    if who_undecided(deciders, subject, home_team_id):
        return "Slack doesn't say who is in the approver groups right now; press again in a moment"
    return "not one of the approvers"


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
        return f"it ended {utc_text(grant.until)}"
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
