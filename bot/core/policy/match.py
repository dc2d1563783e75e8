"""Whether one rule applies to one question: each condition returns None, or a sentence that says why not.

Allow conditions compare letter by letter; deny and freeze conditions ignore case and compatibility forms. So an odd
spelling of a name can only narrow the answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from bot.core.command.capability import Capability, Risk
from bot.core.command.params import folded
from bot.core.operation import Target
from bot.core.policy.compile import Policy, Principals
from bot.core.value import Json

OLDEST_SECONDS: Final = 60.0
SLACKBOT: Final = "USLACKBOT"
_NOBODY: Final[Mapping[str, Any]] = MappingProxyType({})


class Member(StrEnum):
    """Whether a person is in a user group, as Slack says; UNREADABLE if it gave no usable answer."""

    YES = "yes"
    NO = "no"
    UNREADABLE = "unreadable"


class Standing(StrEnum):
    """A person's role in the home workspace. `*` and groups cover only FULL; nothing covers BARRED."""

    FULL = "full"
    NAMED_ONLY = "named only"
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as read from Slack (users.info, usergroups.list).

    `known` False: users.info failed, or a flag had an unexpected type. `team_id` is the person's own team. `groups` maps a
    user group's id to membership; one that is absent counts as unreadable. `user_age` and `group_ages` are seconds since
    they were read. `is_app_user` means that the person authorized this app, not that they are a bot; it decides nothing.
    `retry_after` is the number of seconds that Slack asked to wait before it says who this is.
    """

    user_id: str
    team_id: str
    enterprise_id: str | None = None
    known: bool = False
    deleted: bool = False
    is_bot: bool = False
    is_workflow_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_app_user: bool = False
    user_age: float = 0.0
    groups: Mapping[str, Member] = field(default_factory=lambda: _NOBODY)
    group_ages: Mapping[str, float] = field(default_factory=lambda: _NOBODY)
    retry_after: int | None = None

    def member(self, user_group: str) -> Member:
        """The membership; UNREADABLE if it is absent, unexpected or older than 60 s."""
        if not is_fresh(self.group_ages.get(user_group, 0.0)):
            return Member.UNREADABLE
        member = self.groups.get(user_group, Member.UNREADABLE)
        return member if member is Member.YES or member is Member.NO else Member.UNREADABLE


@dataclass(frozen=True, slots=True)
class Where:
    """The conversation as read from Slack. `known` False: conversations.info failed.

    `frozen`: its id changed or it became shared, and no person has confirmed its rules since. `outsider`: the person chose
    the channel in a form, and Slack doesn't list them among its members.
    """

    team_id: str
    channel_id: str
    is_dm: bool = False
    is_mpim: bool = False
    is_ext_shared: bool = False
    frozen: bool = False
    outsider: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether the bot can work in a channel. `trouble` says why not and what to do; empty if it can.

    `known` False: Slack couldn't be asked, which says nothing about the channel.
    """

    name: str = ""
    shared: bool = False
    trouble: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class GrantView:
    """A permission for a limited time. `channel_id` None: in every channel that the policy names. `until` is exclusive.

    `lapsed` is why it no longer counts although it hasn't ended; empty while it counts. `agreed` are the people whose approval
    made it, as Slack reports them now; empty for a grant that one person gave.
    """

    id: str
    user_id: str
    verbs: tuple[str, ...]
    targets: tuple[str, ...]
    until: datetime
    channel_id: str | None = None
    breakglass: bool = False
    lapsed: str = ""
    agreed: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """May this person do this to that, here and now? `declared` are the names of the capability's parameters.

    `params` holds every parameter with a value, defaults included. A rule's limit on a parameter that is not in `declared` is
    ignored; with None, every limit applies.
    """

    verb: str
    risk: Risk
    own_verb: bool
    target: Target
    params: Mapping[str, Json]
    subject: Subject
    where: Where
    now: datetime
    grants: Sequence[GrantView]
    home_team_id: str
    declared: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """The policy in force, the person, the place and the person's grants, read once per request."""

    policy: Policy
    subject: Subject
    where: Where
    grants: Sequence[GrantView]
    home_team: str

    def question(self, capability: Capability, target: Target, params: Mapping[str, Json], now: datetime) -> Question:
        """What the rules are asked about this capability on this target."""
        return Question(
            verb=capability.verb,
            risk=capability.risk,
            own_verb=capability.own_verb,
            target=target,
            params=params,
            subject=self.subject,
            where=self.where,
            now=now,
            grants=self.grants,
            home_team_id=self.home_team,
            declared=tuple([param.name for param in capability.params]),
        )


def is_fresh(age: float) -> bool:
    """True for an age of 0 to 60 s; False for a negative or unreadable one."""
    return 0.0 <= age <= OLDEST_SECONDS


def glob(pattern: str, text: str) -> bool:
    """True if `pattern` matches all of `text`. `*` matches anything, slashes included; nothing else is special."""
    head, star, rest = pattern.partition("*")
    if not star:
        return pattern == text
    if not text.startswith(head):
        return False
    *middle, tail = rest.split("*")
    at = len(head)
    for piece in middle:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(tail) and text.endswith(tail)


def wide_glob(pattern: str, text: str) -> bool:
    """Like glob, for rules that forbid: ignores case and compatibility forms.

    Both forms are tried because normalizing can join a letter with a combining mark after a `*`.
    """
    return glob(pattern.casefold(), text.casefold()) or glob(folded(pattern), folded(text))


def risk_or_verb(pattern: str, verb: str, risk: Risk, *, own_verb: bool, wide: bool) -> bool:
    """True if this verb pattern covers the verb. `risk:read` never covers a capability with `own_verb`."""
    name, colon, risks = pattern.partition(":")
    if colon and name == "risk":
        own = own_verb and risk is Risk.READ
        return not own and risk.value in risks.split("|")
    return wide_glob(pattern, verb) if wide else glob(pattern, verb)


def verb_covered(patterns: Iterable[str], question: Question, *, wide: bool) -> bool:
    """True if one of these verb patterns covers the question's verb."""
    verb, risk, own = question.verb, question.risk, question.own_verb
    return any(risk_or_verb(pattern, verb, risk, own_verb=own, wide=wide) for pattern in patterns)


def verb_fails(patterns: Sequence[str], question: Question, *, wide: bool) -> str | None:
    """None if a pattern covers the verb; otherwise the sentence that says so."""
    verb, own_verb = question.verb, question.own_verb
    if verb_covered(patterns, question, wide=wide):
        return None
    own = " (a rule must name it; `risk:read` doesn't cover it)" if own_verb and "risk:read" in patterns else ""
    return f"verb `{verb}` is not in {_list(patterns)}{own}"


def target_covered(patterns: Collection[str], target: Target) -> bool:
    """True if an allow pattern covers the target. Only `*` and `backend:*` cover one without a known path."""
    if target.scope is None:
        return "*" in patterns or f"{target.backend}:*" in patterns
    scope = target.scope
    return any(glob(pattern, scope) for pattern in patterns)


def target_touched(patterns: Iterable[str], target: Target) -> bool:
    """True if a deny pattern covers the target, or may: an unknown path could be any path of its backend."""
    if target.scope is None:
        start = f"{target.backend}:"
        return any(prefixes_agree(fold(one), fold(start)) for one in patterns for fold in (str.casefold, folded))
    scope = target.scope
    return any(wide_glob(pattern, scope) for pattern in patterns)


def target_fails(patterns: Sequence[str], target: Target) -> str | None:
    """None if target_covered, otherwise the sentence."""
    if target_covered(patterns, target):
        return None
    if target.scope is None:
        return f"the path of `{target.text}` is unknown, so only `{target.backend}:*` covers it"
    return f"target `{target.scope}` is not in {_list(patterns)}"


def target_spared(patterns: Sequence[str], target: Target) -> str | None:
    """None if target_touched, otherwise the sentence."""
    if target_touched(patterns, target):
        return None
    return f"target `{target.scope or target.text}` is not in {_list(patterns)}"


def prefixes_agree(pattern: str, start: str) -> bool:
    """True if the pattern matches any text that begins with `start`."""
    head, star, _ = pattern.partition("*")
    return head.startswith(start) or bool(star and start.startswith(head))


def standing(subject: Subject, home_team_id: str) -> tuple[Standing, str]:
    """The person's standing, and the words for it."""
    if not subject.known:
        when = "in a moment" if subject.retry_after is None else f"in {subject.retry_after} s"
        return Standing.BARRED, f"Slack doesn't say who you are; try again {when}"
    if not is_fresh(subject.user_age):
        return Standing.BARRED, "what Slack said about you is out of date; try again"
    if subject.deleted:
        return Standing.BARRED, "your account is deactivated"
    if subject.is_bot or subject.is_workflow_bot or subject.user_id == SLACKBOT:
        return Standing.NAMED_ONLY, "a bot"
    if subject.is_stranger or subject.team_id != home_team_id:
        return Standing.NAMED_ONLY, "from another workspace"
    if subject.is_restricted or subject.is_ultra_restricted:
        return Standing.NAMED_ONLY, "a guest"
    return Standing.FULL, "a full member"


def who_fails(principals: Principals, subject: Subject, home_team_id: str) -> str | None:
    """None if these words name the person; an unreadable user group names nobody."""
    kind, words = standing(subject, home_team_id)
    if kind is Standing.BARRED:
        return words
    if subject.user_id in principals.named:
        return None
    if kind is Standing.NAMED_ONLY:
        return f"you are {words}, and `who` doesn't name your id {subject.user_id}"
    if principals.everybody or subject.user_id in principals.users:
        return None
    unread = _unread(principals, subject)
    if unread is None:
        return None
    if unread:
        return f"user group {', '.join(unread)} can't be read, so it doesn't count, and nothing else names you"
    return f"you are not in group {quoted(principals.words)}"


def who_undecided(principals: Principals, subject: Subject, home_team_id: str) -> bool:
    """True if only an unreadable user group keeps these words from naming a full member."""
    if standing(subject, home_team_id)[0] is not Standing.FULL:
        return False
    return who_fails(principals, subject, home_team_id) is not None and bool(_unread(principals, subject))


def _unread(principals: Principals, subject: Subject) -> list[str] | None:
    """The user groups that can't be read; None if the person is in another of them."""
    members = {group: subject.member(group) for group in sorted(principals.user_groups)}
    if Member.YES in members.values():
        return None
    return [group for group, member in members.items() if member is Member.UNREADABLE]


def who_spared(principals: Principals, subject: Subject) -> str | None:
    """None if a rule that forbids covers the person, or may: an unreadable user group counts as a match."""
    if principals.everybody or subject.user_id in principals.users:
        return None
    if any(subject.member(group) is not Member.NO for group in principals.user_groups):
        return None
    return f"you are not in group {quoted(principals.words)}"


def params_fail(limits: Mapping[str, tuple[Any, ...]], question: Question) -> str | None:
    """None, or the first parameter outside its limit. A limit on a parameter that the capability doesn't have is ignored."""
    for name, allowed in limits.items():
        wanted = folded(name)
        if not _declared(wanted, question.declared):
            continue
        values = [leaf for value in _named(wanted, question.params) for leaf in _leaves(value)]
        if not values and allowed:
            return f"`{name}` isn't given; this rule allows {_values(allowed)}"
        for value in values:
            if not any(type(value) is type(one) and value == one for one in allowed):
                exact = str(value) in map(str, allowed)  # another type: the quotes of a text tell them apart
                return f"`{name}` is {_shown(value, exact=exact)}; this rule allows {_values(allowed, exact=exact)}"
    return None


def _declared(wanted: str, declared: Collection[str] | None) -> bool:
    if declared is None:
        return True
    names = {folded(name) for name in declared}
    return "*" in names or wanted in names or wanted.partition(".")[0] in names


def _named(wanted: str, params: Mapping[str, Json]) -> Iterator[Json]:
    """Every value under that name in any spelling: `input.Mode` for a limit on `input.mode`."""
    for name, value in params.items():
        if folded(name) == wanted:
            yield value
        elif isinstance(value, dict):
            head = "" if name == "*" else f"{name}."
            yield from (inner for key, inner in value.items() if folded(head + key) == wanted)


def _leaves(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def _shown(value: Json, *, exact: bool = False) -> str:
    text = value if isinstance(value, str) and not exact else json.dumps(value, ensure_ascii=False)
    return f"`{text[:60]}`"


def _values(values: Iterable[Json], *, exact: bool = False) -> str:
    *others, last = [_shown(value, exact=exact) for value in values] or ["nothing"]
    return f"{', '.join(others)} or {last}" if others else last


def quoted(words: Iterable[object]) -> str:
    """Words of a rule as a card shows them: each whole, whatever characters it has."""
    return ", ".join([f"`{word}`" for word in words])


def _list(words: Iterable[object]) -> str:
    return f"[{quoted(words)}]"
