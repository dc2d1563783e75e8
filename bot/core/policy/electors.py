"""Who may decide a request: the people that a rule names for it, never the requester, each person once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.core.policy.compile import Principals
from bot.core.policy.match import Standing, Subject, standing, who_fails, who_undecided


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
