"""The values that pass along the execution path, and the hooks by which features take part in it.

operations/ knows no feature. A feature subclasses `Effect` and the composition root registers it in the context.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeVar

from bot.core.audit import AuditEntry
from bot.core.card import Button, Card, Line, Tone
from bot.core.command.capability import Capability
from bot.core.command.catalog import Catalog
from bot.core.intent import Intent
from bot.core.operation import Operation
from bot.core.outcome import Outcome
from bot.core.policy.compile import Policy
from bot.core.policy.decision import Allowed, DecideArguments, Decision, Denied, GrantView, NeedsApproval
from bot.core.policy.match import Subject, Where
from bot.core.records import Pause

ContextT = TypeVar("ContextT")


@dataclass(frozen=True, slots=True)
class Situation:
    """The rules in force, the person, the place and the person's grants, read once for a request."""

    policy: Policy
    subject: Subject
    where: Where
    grants: tuple[GrantView, ...]
    home_team: str

    def question(self, capability: Capability, operation: Operation, now: datetime) -> DecideArguments:
        """The arguments of `decide` and `why` for this operation."""
        return DecideArguments(
            verb=operation.verb,
            risk=operation.risk,
            own_verb=capability.own_verb,
            target=operation.target,
            params=operation.params,
            subject=self.subject,
            where=self.where,
            now=now,
            grants=self.grants,
            home_team_id=self.home_team,
            declared=tuple([param.name for param in capability.params]),
        )


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and the situation that it was made from. `digest` is what an approval is bound to."""

    decision: Decision
    situation: Situation
    digest: str

    @property
    def policy(self) -> Policy:
        """The rules that decided."""
        return self.situation.policy

    @property
    def subject(self) -> Subject:
        """The person that they decided about."""
        return self.situation.subject

    @property
    def where(self) -> Where:
        """The place that they decided about."""
        return self.situation.where

    @property
    def allowed(self) -> bool:
        """It may run now."""
        return isinstance(self.decision, Allowed)

    @property
    def denied(self) -> bool:
        """It may not run."""
        return isinstance(self.decision, Denied)

    @property
    def needs_approval(self) -> bool:
        """It may run once others agree."""
        return isinstance(self.decision, NeedsApproval)

    @property
    def ages(self) -> str:
        """How old the facts behind the decision were, for the audit log."""
        oldest = max(self.subject.group_ages.values(), default=0.0)
        return f"person read {self.subject.user_age:.0f} s ago, groups at most {oldest:.0f} s ago"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An operation on its way to an outcome.

    `ruling` is None for what needs no new decision: the end of a pause, and a call that is only looked up after a restart.
    `pause` is the pause that the operation ends. `refreshes` is the request whose card shows the outcome, where that is not
    its own. `began` is monotonic seconds, None when it began before a restart; `sent_at` is when the call was made, and
    `for=` counts from then.
    """

    intent: Intent
    operation: Operation
    ruling: Ruling | None = None
    approval_id: str | None = None
    pause: Pause | None = None
    refreshes: tuple[Intent, Operation] | None = None
    began: float | None = None
    sent_at: datetime | None = None

    @property
    def rule(self) -> str:
        """The rule that allows it, empty when nothing was decided."""
        if self.ruling is not None:
            return self.ruling.decision.rule
        return f"pause {self.pause.request_id}" if self.pause is not None else ""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What an outcome brings about, written in the transaction of the outcome, and how the card says so.

    `opened` are pauses that begin, `over` those that end, in the state `over_state`. `outcome` stands for the entry of the
    outcome where that is another one. `key`, `tone` and `status` stand for the card's own where they are set.
    """

    entries: tuple[AuditEntry, ...] = ()
    outcome: AuditEntry | None = None
    opened: tuple[Pause, ...] = ()
    over: tuple[Pause, ...] = ()
    over_state: str = ""
    result: Outcome | None = None
    key: str = ""
    tone: Tone | None = None
    status: str = ""
    lines: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()

    def on(self, card: Card) -> Card:
        """The card of the operation with these lines and buttons; it mentions whose pauses are over."""
        people = (*card.mention, *(pause.user_id for pause in self.over if pause.user_id))
        return card.model_copy(
            update={
                "key": self.key or card.key,
                "tone": self.tone or card.tone,
                "status": self.status or card.status,
                "lines": (*card.lines, *self.lines),
                "buttons": (*card.buttons, *self.buttons),
                "mention": tuple(dict.fromkeys(people)),
            }
        )

    def __add__(self, other: Consequences) -> Consequences:
        """Both; where only one can count, the first."""
        return replace(
            self,
            entries=(*self.entries, *other.entries),
            outcome=self.outcome or other.outcome,
            opened=(*self.opened, *other.opened),
            over=(*self.over, *other.over),
            over_state=self.over_state or other.over_state,
            result=self.result or other.result,
            key=self.key or other.key,
            tone=self.tone or other.tone,
            status=self.status or other.status,
            lines=(*self.lines, *other.lines),
            buttons=(*self.buttons, *other.buttons),
        )


NOTHING: Final = Consequences()


class Effect(Generic[ContextT]):
    """One feature's part in operations. A hook that the feature does not override does nothing.

    `kinds` are the outcomes after which the hooks are called.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"done", "refused", "failed", "unknown"})

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the feature takes part in this operation."""
        return True

    def before_call(self, ctx: ContextT, attempt: Attempt) -> Attempt:
        """The attempt as it is carried out; called before the audit entry `sent`."""
        return attempt

    async def after_outcome(
        self, ctx: ContextT, attempt: Attempt, result: Outcome, now: datetime
    ) -> Consequences | None:
        """What the outcome brings about, None for nothing; `finish` writes it together with the outcome."""

    async def after_card(self, ctx: ContextT, attempt: Attempt, result: Outcome, consequences: Consequences) -> None:
        """Messages beside the card of the operation, once that is shown."""


def concerned(effects: Iterable[Effect[ContextT]], catalog: Catalog, attempt: Attempt) -> tuple[Effect[ContextT], ...]:
    """The effects that take part in this operation."""
    return tuple([effect for effect in effects if effect.applies(catalog, attempt)])


class OfSchedules(Effect[ContextT]):
    """An effect of what switches something off for a time or on again."""

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the operation switches something, or ends a pause."""
        operation = attempt.operation
        return attempt.pause is not None or catalog.switches(
            operation.target.backend, operation.verb, operation.target.kind
        )


class OfBreakglass(Effect[ContextT]):
    """An effect of what is allowed by break-glass alone."""

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether break-glass allows the operation."""
        decision = attempt.ruling.decision if attempt.ruling is not None else None
        return isinstance(decision, Allowed) and decision.breakglass


class OfRefusals(Effect[ContextT]):
    """An effect of what the control plane refused."""

    kinds = frozenset({"refused"})
