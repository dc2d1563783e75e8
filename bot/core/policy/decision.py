"""The arguments and results of a decision, as values."""

from dataclasses import dataclass
from typing import TypeAlias


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
    policy_error. `whole`: the person may use nothing here, whatever they type.
    """

    rule: str
    reason: str
    code: str
    who_can: tuple[str, ...] = ()
    where_else: tuple[str, ...] = ()
    rule_approvers: tuple[str, ...] = ()
    whole: bool = False


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
