"""The decision: may this person do this to this target, here and now? Pure: no clock, no I/O; facts are arguments.

Order: place and person, the denies of the channel, freezes, the first allow that matches (with its approval demand), grants.
An ordinary grant replaces only a missing allow. If a rule demands an approval, it is still needed, unless the people who
approved the grant could approve this too, and nothing dangerous is done.
A break-glass grant replaces a missing allow, an approval and the end of a freeze, while its holder may still open it.
Neither overrides a deny: a deny says what must never happen here. In an emergency, use the vendor's own console.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile
from typing import Final

from bot.core.command.capability import Capability
from bot.core.operation import Target
from bot.core.policy.compile import ChannelRules, Policy, PolicyProblem, Rule, RuleKind, parse_policy
from bot.core.policy.decision import Allowed, Decision, Denied, NeedsApproval, RuleTrace
from bot.core.policy.match import (
    GrantView,
    Member,
    Question,
    Situation,
    Standing,
    Subject,
    Where,
    params_fail,
    quoted,
    standing,
    target_covered,
    target_fails,
    target_spared,
    target_touched,
    verb_covered,
    verb_fails,
    who_fails,
    who_spared,
    who_undecided,
)
from bot.core.policy.rights import grant_fails, is_for, stands_for, why_not_administrator, why_not_breakglass
from bot.core.policy.schema import policy_json_schema
from bot.core.text import utc_text
from bot.core.value import Json

__all__ = [
    "UNNAMED_PLACES", "Allowed", "Decision", "Denied", "GrantView", "Member", "NeedsApproval", "Policy", "PolicyProblem",
    "RuleTrace", "Standing", "Subject", "Where", "admits", "asks_of_others", "decide", "is_for", "parse_policy",
    "policy_json_schema", "standing", "why", "why_not_administrator", "why_not_breakglass",
]  # fmt: skip

NO_RULE: Final = "no rule"
BUILT_IN_RULE: Final = "built-in rule"
NO_RULE_ALLOWS: Final = "no rule of this channel allows it"
UNNAMED_PLACES: Final = frozenset({"not_listed", "dm_not_listed"})


def decide(policy: Policy, question: Question) -> Decision:
    """The decision. Never raises: if the rules can't be evaluated, it is Denied with code `policy_error`."""
    try:
        _check(question)
        decision = _decide(policy, question)
        return _with_help(policy, question, decision) if isinstance(decision, Denied) else decision
    except Exception as error:  # noqa: BLE001 -- any error during evaluation means denied
        return Denied(BUILT_IN_RULE, f"the rules couldn't be evaluated ({type(error).__name__})", "policy_error")


def why(policy: Policy, question: Question) -> tuple[RuleTrace, ...]:
    """Every rule of the channel in the order of evaluation, then the decision. Never raises."""
    decision = decide(policy, question)
    try:
        _check(question)
        traces = list(_traces(policy, question, decision.rule))
    except Exception as error:  # noqa: BLE001 -- as in decide
        traces = [RuleTrace(BUILT_IN_RULE, "place", matched=False, says=f"not readable ({type(error).__name__})")]
    matched = not isinstance(decision, Denied)
    return (*traces, RuleTrace(decision.rule, "decision", matched=matched, says=decision.reason, decides=True))


def asks_of_others(policy: Policy, question: Question) -> NeedsApproval | None:
    """The approval demand of the channel's first allow for this, whoever that rule names; None if it demands none."""
    channel = policy.channels.get(question.where.channel_id)
    rule = next((rule for rule in channel.allows if _about(rule, question)), None) if channel is not None else None
    demand = _needs_approval(rule, question) if rule is not None else None
    return demand if isinstance(demand, NeedsApproval) else None


def decide_in(
    now: Situation, capability: Capability, target: Target, params: Mapping[str, Json], at: datetime
) -> Decision:
    """The decision on this capability and target."""
    return decide(now.policy, now.question(capability, target, params, at))


def admits(now: Situation) -> Denied | None:
    """None if this person may use the verbs that are open to everyone here; otherwise the denial.

    A full member may, in a conversation that the policy or a grant names. Others may only if one of its allow rules, or a
    grant, names their own id.
    """
    policy, subject, where, home = now.policy, now.subject, now.where, now.home_team
    mine = [grant for grant in now.grants if is_for(policy, grant, subject, where, home)]
    refused = _refused_place(policy, where, home, mine) or _refused_person(subject, home)
    if refused is not None:
        unnamed = refused.code in UNNAMED_PLACES
        return replace(
            refused, where_else=tuple(_other_channels(policy, where.channel_id)) if unnamed else (), whole=True
        )
    kind, words = standing(subject, home)
    channel = policy.channels.get(where.channel_id)
    named = channel is not None and any(subject.user_id in rule.who.named for rule in channel.allows)
    if mine or named or kind is Standing.FULL:
        return None
    who = "you" if subject.user_id[:1] in ("U", "W") else f"your id {subject.user_id}"  # an app's, shown nowhere else
    return Denied(NO_RULE, f"you are {words}, and no rule of this channel names {who}", "no_rule", whole=True)


def _check(question: Question) -> None:
    """Raises ValueError for a question that contradicts itself."""
    if question.now.utcoffset() is None:
        raise ValueError("`now` has no zone")
    scope = question.target.scope
    if scope is not None and not scope.startswith(f"{question.target.backend}:"):
        raise ValueError("the target's scope is on another backend")


def _decide(policy: Policy, question: Question) -> Decision:
    grants = question.grants
    refused = _not_here(policy, question) or _refused_person(question.subject, question.home_team_id)
    if refused is not None:
        return refused
    channel = _channel(policy, question)
    deny = _first(channel.denies, question)
    if deny is not None:
        return Denied(deny.label, deny.because or _describes(deny), "deny_rule")
    freeze = _first(policy.freezes, question)
    allow = _first(channel.allows, question)
    unsure = _unsure(channel.allows, allow, question)
    if freeze is None and unsure is None and allow is not None and allow.approvals is None:
        return Allowed(allow.label, _describes(allow))
    broken = next((one for one in grants if one.breakglass and grant_fails(policy, one, question) is None), None)
    if broken is not None:
        return Allowed(f"grant {broken.id}", "break-glass, needs review", via_grant=broken.id, breakglass=True)
    if freeze is not None:
        return Denied(freeze.label, _describes(freeze), "freeze")
    grant = next((one for one in grants if grant_fails(policy, one, question) is None), None)
    if unsure is not None and (allow is not None or grant is not None):
        sentence = f"{unsure.label} may demand an approval of you: {_says(unsure, question)}"
        return Denied(unsure.label, sentence, "group_unreadable")
    if allow is not None:
        demand = _needs_approval(allow, question)
        agreed = next((one for one in grants if stands_for(policy, one, demand, question)), None)
        if agreed is None:
            return demand
        reason = f"a grant until {utc_text(agreed.until)} from the approvers of {allow.label}"
        return Allowed(f"grant {agreed.id}", reason, via_grant=agreed.id)
    if grant is not None:
        return Allowed(f"grant {grant.id}", f"a grant until {utc_text(grant.until)}", via_grant=grant.id)
    return Denied(NO_RULE, _closest(channel, question), "no_rule")


def _unsure(allows: Sequence[Rule], match: Rule | None, question: Question) -> Rule | None:
    """The first rule before the match that may demand an approval, but whose user group can't be read.

    Skipping it would allow too much: the person may be in exactly the group that needs approval.
    """
    subject, home = question.subject, question.home_team_id
    for rule in takewhile(lambda rule: rule is not match, allows):
        if rule.approvals is not None and _about(rule, question) and who_undecided(rule.who, subject, home):
            return rule
    return None


def _says(rule: Rule, question: Question) -> str:
    failure = _fails(rule, question)
    return failure[1] if failure is not None else _describes(rule)


def _needs_approval(allow: Rule, question: Question) -> Decision:
    demand = allow.approvals
    if demand is None:
        return Allowed(allow.label, _describes(allow))
    return NeedsApproval(
        rule=allow.label,
        reason=_describes(allow),
        count=demand.count,
        from_groups=demand.from_,
        expires=demand.expires,
        in_channel=demand.in_channel or question.where.channel_id,
    )


def _not_here(policy: Policy, question: Question) -> Denied | None:
    subject, where, home = question.subject, question.where, question.home_team_id
    return _refused_place(
        policy, where, home, [one for one in question.grants if is_for(policy, one, subject, where, home)]
    )


_UNSEEN: Final = (
    "I can't see this channel. Invite me with `/invite @signalbox`. If I am already a member, try again in a minute"
)

_UNSEEN_DM: Final = (
    "I can't see this direct message. Type the command in a direct message to me, or in a channel that I am a member of"
)


def _refused_place(policy: Policy, where: Where, home_team_id: str, grants: Sequence[GrantView]) -> Denied | None:
    if not home_team_id or where.team_id != home_team_id:
        return Denied(BUILT_IN_RULE, "this came from another workspace", "other_workspace")
    if not where.known:
        sentence = _UNSEEN_DM if where.channel_id.startswith("D") else _UNSEEN
        return Denied(BUILT_IN_RULE, sentence, "place_unknown")
    if where.is_dm and not where.channel_id.startswith("D"):
        return Denied(BUILT_IN_RULE, "a direct message needs its own D id", "place_unknown")
    if where.outsider:
        return Denied(BUILT_IN_RULE, "Slack doesn't list you as a member of the channel you chose", "not_a_member")
    if where.frozen:
        sentence = "this channel changed its id or is now shared; an administrator must confirm its rules with `policy confirm`"
        return Denied(BUILT_IN_RULE, sentence, "place_frozen")
    if where.channel_id in policy.channels or any(grant.channel_id == where.channel_id for grant in grants):
        return None
    if where.is_mpim:
        return Denied(BUILT_IN_RULE, f"no rule names this group message by its id {where.channel_id}", "dm_not_listed")
    if where.is_dm or where.channel_id.startswith("D"):
        return Denied(BUILT_IN_RULE, "no rule names this direct message by its id", "dm_not_listed")
    return Denied(BUILT_IN_RULE, f"the policy has no rules for this channel ({where.channel_id})", "not_listed")


def _refused_person(subject: Subject, home_team_id: str) -> Denied | None:
    kind, words = standing(subject, home_team_id)
    if kind is not Standing.BARRED:
        return None
    gone = subject.known and subject.deleted
    return Denied(BUILT_IN_RULE, words, "deactivated" if gone else "person_unknown")


def _channel(policy: Policy, question: Question) -> ChannelRules:
    found = policy.channels.get(question.where.channel_id)
    return found or ChannelRules(question.where.channel_id, "", (), ())


def _first(rules: Iterable[Rule], question: Question) -> Rule | None:
    return next((rule for rule in rules if _touches(rule, question) and _fails(rule, question) is None), None)


def _touches(rule: Rule, question: Question) -> bool:
    """Compares verb and target without building a sentence: most rules of a long file fail here."""
    narrow = rule.kind is RuleKind.ALLOW
    if not verb_covered(rule.verbs, question, wide=not narrow):
        return False
    return (target_covered if narrow else target_touched)(rule.targets, question.target)


def _fails(rule: Rule, question: Question) -> tuple[int, str] | None:
    """None if the rule applies to this question; otherwise how many conditions held, and the first that failed."""
    for held, sentence in enumerate(_conditions(rule, question)):
        if sentence is not None:
            return held, sentence
    return None


def _conditions(rule: Rule, question: Question) -> Iterator[str | None]:
    narrow = rule.kind is RuleKind.ALLOW
    if rule.kind is RuleKind.FREEZE:
        yield _outside(rule, question.now)
    yield verb_fails(rule.verbs, question, wide=not narrow)
    if narrow:
        yield target_fails(rule.targets, question.target)
        yield who_fails(rule.who, question.subject, question.home_team_id)
        yield params_fail(rule.params, question)
    elif rule.kind is RuleKind.DENY:
        yield target_spared(rule.targets, question.target)
        yield who_spared(rule.who, question.subject)
    elif who_fails(rule.who, question.subject, question.home_team_id) is None:
        yield f"you are exempt through {quoted(rule.who.words)}"


def _outside(freeze: Rule, now: datetime) -> str | None:
    if freeze.begins is None or freeze.ends is None or now < freeze.begins:
        begins = utc_text(freeze.begins) if freeze.begins else "never"
        return f"it begins at {begins}"
    return None if now < freeze.ends else f"it ended {utc_text(freeze.ends)}"


def _closest(channel: ChannelRules, question: Question) -> str:
    near = [rule for rule in channel.allows if _touches(rule, question)]
    near = near or [rule for rule in channel.allows if verb_covered(rule.verbs, question, wide=False)]
    failures = [
        (failure, rule) for rule in near or channel.allows[:1] if (failure := _fails(rule, question)) is not None
    ]
    if not failures:
        return "this channel has no allow rules"
    (held, sentence), rule = max(failures, key=lambda found: found[0][0])
    if held == 3:  # only the parameters are different
        return f"{NO_RULE_ALLOWS} with these parameters; closest is {rule.label}: {sentence}"
    return f"{NO_RULE_ALLOWS}; closest is {rule.label}: {sentence}"


def _describes(rule: Rule) -> str:
    because = f": {rule.because}" if rule.because else ""
    if rule.kind is RuleKind.FREEZE:
        until = utc_text(rule.ends) if rule.ends else ""
        return f"freeze {rule.because or rule.label} until {until}"
    words = f"{quoted(rule.verbs)} on {quoted(rule.targets)} for {quoted(rule.who.words)}"
    if rule.kind is RuleKind.DENY:
        return f"denied here: {words}{because}"
    if rule.approvals is None:
        return f"allowed here: {words}"
    return f"allowed here with {rule.approvals.count} of {quoted(rule.approvals.from_)}: {words}"


def _with_help(policy: Policy, question: Question, denied: Denied) -> Denied:
    """The denial, with who may do it here and where the requester may; without both if the place is not safe or the person was
    refused."""
    if denied.code in UNNAMED_PLACES:
        return replace(denied, where_else=tuple(_elsewhere(policy, question)))
    if denied.code not in {"deny_rule", "freeze", "no_rule", "group_unreadable"}:
        return denied
    about = [rule for rule in _channel(policy, question).allows if _about(rule, question)]
    freeze = _first(policy.freezes, question)
    if any(rule.who.everybody for rule in _channel(policy, question).denies if _about(rule, question)):
        who: Iterable[str] = ()
    elif freeze is not None:
        who = freeze.who.words if denied.code == "freeze" else ()
    else:
        who = (word for rule in about for word in rule.who.words)
    approvers = (word for rule in about if rule.approvals for word in rule.approvals.from_)
    return replace(
        denied,
        who_can=tuple(dict.fromkeys(who)),
        where_else=tuple(_elsewhere(policy, question)) if freeze is None else (),
        rule_approvers=tuple(dict.fromkeys(approvers)),
    )


def _about(rule: Rule, question: Question) -> bool:
    """Every condition except the person."""
    return _touches(rule, question) and params_fail(rule.params, question) is None


def _elsewhere(policy: Policy, question: Question) -> Iterator[str]:
    for channel_id in _other_channels(policy, question.where.channel_id):
        channel = policy.channels[channel_id]
        there = replace(question, where=replace(question.where, channel_id=channel_id, is_dm=False, is_mpim=False))
        if _first(channel.denies, there) is None and _first(channel.allows, there) is not None:
            yield channel_id


def _other_channels(policy: Policy, but: str) -> Iterator[str]:
    """The other channels that the policy names, without direct messages."""
    return (channel_id for channel_id in policy.channels if channel_id != but and not channel_id.startswith("D"))


def _traces(policy: Policy, question: Question, decisive: str) -> Iterator[RuleTrace]:
    place = _not_here(policy, question)
    if place is not None:
        yield RuleTrace(BUILT_IN_RULE, "place", matched=False, says=place.reason, decides=True)
    person = _refused_person(question.subject, question.home_team_id)
    if person is not None:
        yield RuleTrace(BUILT_IN_RULE, "person", matched=False, says=person.reason, decides=place is None)
    channel = _channel(policy, question)
    for rule in (*channel.denies, *policy.freezes, *channel.allows):
        yield _trace(rule, question, decisive)
    for grant in question.grants:
        failure = grant_fails(policy, grant, question)
        label = f"grant {grant.id}"
        says = failure or ("break-glass" if grant.breakglass else f"granted until {utc_text(grant.until)}")
        yield RuleTrace(label, "grant", matched=failure is None, says=says, decides=label == decisive)


def _trace(rule: Rule, question: Question, decisive: str) -> RuleTrace:
    try:
        failure = _fails(rule, question)
    except Exception as error:  # noqa: BLE001 -- a rule that raises is shown as broken; decide has already denied
        failure = (0, f"it couldn't be evaluated ({type(error).__name__})")
    says = _describes(rule) if failure is None else failure[1]
    return RuleTrace(rule.label, rule.kind.value, failure is None, says, rule.line, rule.label == decisive)
