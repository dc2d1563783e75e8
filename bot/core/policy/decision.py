"""The arguments and results of a decision, as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, TypeAlias, TypedDict

from bot.core.command.capability import Risk
from bot.core.operation import Target
from bot.core.policy.match import Subject, Where
from bot.core.value import Json


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
class Allowed:
    """It may run at once. `via_grant` is the grant's id when a grant, not a rule of the file, allows it."""

    rule: str
    reason: str
    via_grant: str | None = None
    breakglass: bool = False


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """`count` people of `from_groups` (names in the file) must agree within `expires` seconds, asked in `in_channel`."""

    rule: str
    reason: str
    count: int
    from_groups: tuple[str, ...]
    expires: int
    in_channel: str


@dataclass(frozen=True, slots=True)
class Denied:
    """It is denied. `who_can` are names in the file, `where_else` channel ids where the same person may do it,
    `rule_approvers` the names of those who decide such requests here. `code` is one of: other_workspace place_unknown
    not_a_member place_frozen not_listed dm_not_listed person_unknown deactivated deny_rule freeze no_rule group_unreadable
    policy_error.
    """

    rule: str
    reason: str
    code: str
    who_can: tuple[str, ...] = ()
    where_else: tuple[str, ...] = ()
    rule_approvers: tuple[str, ...] = ()


Decision: TypeAlias = Allowed | NeedsApproval | Denied


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One step of an evaluation. `kind`: place, person, deny, freeze, allow, grant, and finally decision.

    `says` is the first condition that failed, or the effect of a rule that matched. `decides` marks the step that decided.
    """

    label: str
    kind: str
    matched: bool
    says: str
    line: int | None = None
    decides: bool = False


class DecideArguments(TypedDict):
    """The arguments of decide and why: see Question. `params` holds all of them, defaults included.

    `declared` are the names of the capability's parameters; a rule's limit on a parameter that the capability doesn't have
    is ignored. Without `declared`, every limit applies.
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
    declared: NotRequired[Collection[str] | None]
