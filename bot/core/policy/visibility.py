"""What a person may see, what they may use here, and names in the rules that match nothing."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.operation import Target
from bot.core.policy.compile import Policy, Rule
from bot.core.policy.decide import NO_RULE, admits, is_for
from bot.core.policy.decision import Allowed, Decision, Denied, NeedsApproval
from bot.core.policy.match import (
    GrantView,
    Member,
    Situation,
    Standing,
    Subject,
    glob,
    prefixes_agree,
    risk_or_verb,
    standing,
    target_covered,
    target_touched,
    who_fails,
    who_spared,
    wide_glob,
)
from bot.core.policy.schema import USER_GROUP_ID, USER_ID, CaseTable

CASE_USER: Final = "U0CASE"
_RISK: Final = "risk:"


def may(
    now: Situation, capabilities: Iterable[tuple[str, Capability]], target: Target | None = None
) -> tuple[tuple[str, Capability], ...]:
    """Of these (backend name, capability) pairs, those that the person may use here on the target, without one on some target,
    with or without approval.

    The caller passes only grants that count now. A freeze hides nothing: the refusal itself explains it. Parameter limits
    are ignored.
    """
    if admits(now) is not None:
        return ()
    channel = now.policy.channels.get(now.where.channel_id)
    opening = _opening(now)
    closing: list[Rule] = []
    if channel is not None:
        closing += [rule for rule in channel.denies if who_spared(rule.who, now.subject) is None]
    return tuple(
        (backend, capability)
        for backend, capability in capabilities
        if any(_opens(rule, backend, capability, target) for rule in opening)
        and not any(_closes(rule, backend, capability, target) for rule in closing)
    )


def _opening(now: Situation, *, anywhere: bool = False) -> list[Rule | GrantView]:
    """The grants and the allow rules that name the person: those of this place, or of all channels."""
    policy, subject, where, home = now.policy, now.subject, now.where, now.home_team
    if anywhere:
        channels = list(policy.channels.values())
        opening: list[Rule | GrantView] = [grant for grant in now.grants if not grant.lapsed]
    else:
        channels = [policy.channels[where.channel_id]] if where.channel_id in policy.channels else []
        opening = [grant for grant in now.grants if is_for(policy, grant, subject, where, home)]
    rules = (rule for channel in channels for rule in channel.allows)
    return [*opening, *(rule for rule in rules if who_fails(rule.who, subject, home) is None)]


def _opens(rule: Rule | GrantView, backend: str, capability: Capability, target: Target | None) -> bool:
    verb = any(
        risk_or_verb(pattern, capability.verb, capability.risk, own_verb=capability.own_verb, wide=False)
        for pattern in rule.verbs
    )
    if target is not None:
        return verb and target_covered(rule.targets, target)
    return verb and any(prefixes_agree(pattern, f"{backend}:") for pattern in rule.targets)


def _closes(rule: Rule, backend: str, capability: Capability, target: Target | None) -> bool:
    verb = any(
        risk_or_verb(pattern, capability.verb, capability.risk, own_verb=capability.own_verb, wide=True)
        for pattern in rule.verbs
    )
    if target is not None:
        return verb and target_touched(rule.targets, target)
    return verb and any(pattern.endswith("*") and wide_glob(pattern, f"{backend}:") for pattern in rule.targets)


@dataclass(frozen=True, slots=True)
class Visibility:
    """The names that a person may see: all if `patterns` is None, otherwise those that the patterns cover."""

    patterns: tuple[str, ...] | None

    def backend(self, name: str) -> bool:
        """Whether the person may learn that this backend exists."""
        return self.patterns is None or any(prefixes_agree(pattern, f"{name}:") for pattern in self.patterns)

    def target(self, target: Target) -> bool:
        """Whether the person may learn the name of this target."""
        return self.patterns is None or target_covered(self.patterns, target)

    def told(self, target: Target | None, people: Container[str | None], reader: str) -> bool:
        """Whether the reader may be told of something that these people do or decide with this target."""
        return self.patterns is None or reader in people or (target is not None and self.target(target))

    def written(self, text: str) -> bool:
        """Whether the person may see this name as it was typed, like `acc:shop/prices`."""
        return self.patterns is None or any(glob(pattern, text) for pattern in self.patterns)

    def hides(self, text: str) -> Denied:
        """The denial for a name outside of the patterns: the same whether it exists or not."""
        return Denied(NO_RULE, f"no rule that names you here covers `{text}`", "no_rule")


EVERYTHING: Final = Visibility(None)
NOTHING: Final = Visibility(())


def visibility(now: Situation, *, anywhere: bool = False) -> Visibility:
    """What this person may see. Every answer, list, suggestion and error checks this before it shows a name.

    In a channel: nothing if it doesn't admit the person, everything for a full member, otherwise what the rules and grants
    that name the person cover. With `anywhere` (Home tab, global form): what those of any channel cover.
    """
    kind = standing(now.subject, now.home_team)[0]
    if kind is Standing.BARRED or (not anywhere and admits(now) is not None):
        return NOTHING
    if kind is Standing.FULL and not anywhere:
        return EVERYTHING
    opening = _opening(now, anywhere=anywhere)
    return Visibility(tuple(dict.fromkeys(pattern for rule in opening for pattern in rule.targets)))


def case_subject(policy: Policy, case: CaseTable, home_team_id: str) -> Subject:
    """The person of a `[[case]]`: an active full member who is in what `as` names and in no other user group.

    `as` is a user id, a user group's id (someone in it), or a name from [groups] (its first user, or otherwise someone in
    its user groups).
    """
    members = policy.file.groups.get(case.as_, (case.as_,))
    users = [word for word in members if USER_ID.fullmatch(word)]
    inside = frozenset() if users else frozenset(word for word in members if USER_GROUP_ID.fullmatch(word))
    groups = {group: Member.YES if group in inside else Member.NO for group in policy.user_groups | inside}
    return Subject(
        user_id=users[0] if users else CASE_USER, team_id=home_team_id, known=True, groups=MappingProxyType(groups)
    )


def decision_word(decision: Decision) -> str:
    """The word that `expect` of a `[[case]]` uses for this decision."""
    if isinstance(decision, Allowed):
        return "allowed"
    return "needs approval" if isinstance(decision, NeedsApproval) else "denied"


def unknown_names(policy: Policy, catalog: Catalog) -> tuple[str, ...]:
    """A sentence for each verb or backend in a rule that doesn't exist: a mistyped deny would forbid nothing."""
    rules = [rule for channel in policy.channels.values() for rule in (*channel.denies, *channel.allows)]
    found: dict[str, None] = {}
    for rule in (*rules, *policy.freezes):
        for pattern in rule.verbs:
            if not pattern.startswith(_RISK) and not any(glob(pattern, verb) for verb in catalog.verbs):
                found[f"line {rule.line}: no configured backend has the verb `{pattern}`"] = None
        for pattern in rule.targets:
            if not any(prefixes_agree(pattern, f"{backend}:") for backend in catalog.backends):
                found[f"line {rule.line}: no configured backend matches `{pattern}`"] = None
    return tuple(found)
