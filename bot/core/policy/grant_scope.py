"""The limits of a grant: people can grant only what they may do there themselves, at once and without approval.

A grant is a pattern. It is within a person's rights if, for every verb that it covers, one rule of the channel that names
the person covers all of its targets, without approval or parameter limits, and no earlier rule touches them.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.command.params import folded
from bot.core.policy.compile import Rule
from bot.core.policy.decide import Policy, Subject
from bot.core.policy.match import glob, prefixes_agree, risk_or_verb, who_fails, who_spared, who_undecided


def capabilities_of(catalog: Catalog, verb: str, target: str) -> list[tuple[str, Capability]]:
    """The (backend, capability) pairs that a grant of this verb pattern on this target pattern covers."""
    return [
        (name, capability)
        for name, declared in sorted(catalog.backends.items())
        if prefixes_agree(target, f"{name}:")
        for capability in declared.capabilities
        if risk_or_verb(verb, capability.verb, capability.risk, own_verb=capability.own_verb, wide=False)
    ]


def out_of_bounds(
    policy: Policy,
    channel_id: str,
    granter: Subject,
    capabilities: Sequence[tuple[str, Capability]],
    target: str,
    *,
    now: datetime,
    home_team_id: str,
) -> str | None:
    """None if the granter may do all of it there without approval; otherwise the first thing that they may not."""
    channel = policy.channels.get(channel_id)
    if channel is None:
        return "the policy has no rules for this channel"
    closing = [rule for rule in channel.denies if who_spared(rule.who, granter) is None]
    closing += [
        rule for rule in policy.freezes if _runs(rule, now) and who_fails(rule.who, granter, home_team_id) is not None
    ]
    for backend, capability in capabilities:
        scope = _narrowed(target, backend)
        if any(_touches(rule, capability, scope, wide=True) for rule in closing):
            return f"`{capability.verb}` on `{scope}` is denied to you here, at least partly"
        why = _not_opened(channel.allows, granter, capability, scope, home_team_id)
        if why is not None:
            return why
    return None


def denies_above(
    policy: Policy, channel_id: str, person: str, capabilities: Sequence[tuple[str, Capability]], target: str
) -> str:
    """The label of the first deny there that names this person and touches the grant; empty if there is none.

    No grant overrides a deny. Denies that name user groups are left out, because only Slack knows their members.
    """
    channel = policy.channels.get(channel_id)
    denies = channel.denies if channel is not None else ()
    mine = [rule for rule in denies if rule.who.everybody or person in rule.who.users | rule.who.named]
    return _first(mine, capabilities, target, wide=True)


def asks_above(
    policy: Policy,
    channel_id: str,
    receiver: Subject,
    capabilities: Sequence[tuple[str, Capability]],
    target: str,
    home_team_id: str,
) -> str:
    """The label of the first allow there that demands approval of this person for what the grant covers; empty if none does.
    No grant from a person replaces an approval."""
    channel = policy.channels.get(channel_id)
    asking = [rule for rule in (channel.allows if channel is not None else ()) if rule.approvals is not None]
    mine = [rule for rule in asking if who_fails(rule.who, receiver, home_team_id) is None]
    return _first(mine, capabilities, target, wide=False)


def _first(rules: Sequence[Rule], capabilities: Sequence[tuple[str, Capability]], target: str, *, wide: bool) -> str:
    """The label of the first of the rules that touches the grant."""
    scopes = [(capability, _narrowed(target, backend)) for backend, capability in capabilities]
    return next(
        (rule.label for rule in rules if any(_touches(rule, capability, at, wide=wide) for capability, at in scopes)),
        "",
    )


def _runs(freeze: Rule, now: datetime) -> bool:
    return freeze.begins is not None and freeze.ends is not None and freeze.begins <= now < freeze.ends


def _narrowed(target: str, backend: str) -> str:
    """The pattern on one backend; `*` and `a*` mean all of it."""
    return target if target.startswith(f"{backend}:") else f"{backend}:*"


def _not_opened(
    allows: Sequence[Rule], granter: Subject, capability: Capability, scope: str, home_team_id: str
) -> str | None:
    """In rule order, the first rule that touches the pattern must cover all of it, without conditions."""
    for rule in allows:
        mine = who_fails(rule.who, granter, home_team_id) is None
        if not (mine or who_undecided(rule.who, granter, home_team_id)) or not _touches(
            rule, capability, scope, wide=False
        ):
            continue
        if rule.approvals is not None:
            return f"you need an approval for `{capability.verb}` on `{scope}` ({rule.label})"
        if mine and not rule.params and any(glob(pattern, scope) for pattern in rule.targets):
            return None
    return f"you may not `{capability.verb}` all of `{scope}` here"


def _touches(rule: Rule, capability: Capability, scope: str, *, wide: bool) -> bool:
    verb = any(
        risk_or_verb(pattern, capability.verb, capability.risk, own_verb=capability.own_verb, wide=wide)
        for pattern in rule.verbs
    )
    if not verb:
        return False
    if wide:
        return any(overlap(folded(pattern), folded(scope)) for pattern in rule.targets)
    return any(overlap(pattern, scope) for pattern in rule.targets)


def overlap(one: str, other: str) -> bool:
    """Whether any text matches both patterns."""

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(one) and j == len(other):
            return True
        if i < len(one) and one[i] == "*":
            return meet(i + 1, j) or (j < len(other) and meet(i, j + 1))
        if j < len(other) and other[j] == "*":
            return meet(i, j + 1) or (i < len(one) and meet(i + 1, j))
        return i < len(one) and j < len(other) and one[i] == other[j] and meet(i + 1, j + 1)

    return meet(0, 0)
