"""The values of the execution path, and the hooks through which features take part in it.

operations/ knows no feature. A feature subclasses `Effect` and the composition root registers it in the context.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeVar

from bot.core.audit import AuditEntry
from bot.core.card import Button, Card, Line, Tone
from bot.core.command.catalog import Catalog
from bot.core.intent import Intent, Press
from bot.core.operation import Operation
from bot.core.outcome import Fact, Outcome, RunView
from bot.core.policy.compile import Policy
from bot.core.policy.decision import Allowed, Decision, Denied, NeedsApproval
from bot.core.policy.match import Situation, Subject, Where
from bot.core.records import Pause

ContextT = TypeVar("ContextT")


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and its situation. An approval is bound to `digest`."""

    decision: Decision
    situation: Situation
    digest: str

    @property
    def policy(self) -> Policy:
        return self.situation.policy

    @property
    def subject(self) -> Subject:
        return self.situation.subject

    @property
    def where(self) -> Where:
        return self.situation.where

    @property
    def allowed(self) -> bool:
        """Whether it may run now."""
        return isinstance(self.decision, Allowed)

    @property
    def denied(self) -> bool:
        """Whether it may not run."""
        return isinstance(self.decision, Denied)

    @property
    def needs_approval(self) -> bool:
        """Whether it may run after an approval."""
        return isinstance(self.decision, NeedsApproval)

    @property
    def ages(self) -> str:
        """How old the data for the decision was, for the audit log."""
        oldest = max(self.subject.group_ages.values(), default=0.0)
        return f"person read {self.subject.user_age:.0f} s ago, groups at most {oldest:.0f} s ago"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An operation that is being carried out.

    `ruling` is None when no new decision is needed: at the end of a pause, and for a call that is only looked up after a
    restart. `pause` is the pause that the operation ends. `refreshes` is the request whose card shows the outcome, when it
    is not its own. `began` is monotonic seconds, None when it began before a restart. `sent_at` is when the call was made;
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
        """The rule that allows it; empty without a decision."""
        if self.ruling is not None:
            return self.ruling.decision.rule
        return f"pause {self.pause.request_id}" if self.pause is not None else ""


@dataclass(frozen=True, slots=True)
class Consequences:
    """The consequences of an outcome, written in its transaction, and how the card shows them.

    `opened` are pauses that begin, `over` those that end with the state `over_state`. `outcome` replaces the outcome's audit
    entry. `key`, `title`, `tone` and `status` replace those of the card. A card with a new title is about
    more than the operation, and doesn't have its buttons.
    """

    entries: tuple[AuditEntry, ...] = ()
    outcome: AuditEntry | None = None
    opened: tuple[Pause, ...] = ()
    over: tuple[Pause, ...] = ()
    over_state: str = ""
    result: Outcome | None = None
    key: str = ""
    title: str = ""
    tone: Tone | None = None
    status: str = ""
    lines: tuple[Line, ...] = ()
    buttons: tuple[Button, ...] = ()

    def on(self, card: Card) -> Card:
        """The card of the operation with these lines and buttons. It mentions the owners of ended pauses."""
        people = (*card.mention, *(pause.user_id for pause in self.over if pause.user_id))
        if (self.opened and self.status) or self.tone is Tone.GOOD:  # the status says what matters of a pause
            answer = tuple(Fact(label="Answer", value=line.text) for line in card.lines)
            details = (*answer, *card.rows, *card.facts, *card.details)
            card = card.model_copy(update={"lines": (), "rows": (), "facts": (), "details": details})
        return card.model_copy(
            update={
                "key": self.key or card.key,
                "title": self.title or card.title,
                "tone": self.tone or card.tone,
                "status": self.status or card.status,
                "lines": (*card.lines, *self.lines),
                "buttons": (*(() if self.title else card.buttons), *self.buttons),
                "mention": tuple(dict.fromkeys(people)),
            }
        )

    def __add__(self, other: Consequences) -> Consequences:
        """Both combined. Where only one can count, the first does."""
        return replace(
            self,
            entries=(*self.entries, *other.entries),
            outcome=self.outcome or other.outcome,
            opened=(*self.opened, *other.opened),
            over=(*self.over, *other.over),
            over_state=self.over_state or other.over_state,
            result=self.result or other.result,
            key=self.key or other.key,
            title=self.title or other.title,
            tone=self.tone or other.tone,
            status=self.status or other.status,
            lines=(*self.lines, *other.lines),
            buttons=(*self.buttons, *other.buttons),
        )


NOTHING: Final = Consequences()


class Effect(Generic[ContextT]):
    """A feature's hooks into operations. A hook that is not overridden does nothing.

    `kinds` are the outcomes after which the hooks are called.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"done", "refused", "failed", "unknown"})

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the feature takes part in this operation."""
        return True

    def before_call(self, ctx: ContextT, attempt: Attempt) -> Attempt:
        """The attempt to carry out. Called before the audit entry `sent`."""
        return attempt

    async def after_outcome(
        self, ctx: ContextT, attempt: Attempt, result: Outcome, now: datetime
    ) -> Consequences | None:
        """The consequences of the outcome, or None. `finish` writes them together with the outcome."""

    async def after_card(self, ctx: ContextT, attempt: Attempt, result: Outcome, consequences: Consequences) -> None:
        """Sends further messages after the card of the operation."""

    async def run_ended(self, ctx: ContextT, attempt: Attempt, view: RunView) -> None:
        """Called when the run of an operation has ended, before that is in the audit log. It may be called again."""

    async def recorded(self, ctx: ContextT, operation: Operation) -> None:
        """Called when the outcome of an operation under a break-glass, or the end of its run, is in the audit log."""


def concerned(effects: Iterable[Effect[ContextT]], catalog: Catalog, attempt: Attempt) -> tuple[Effect[ContextT], ...]:
    """The effects that take part in this operation."""
    return tuple([effect for effect in effects if effect.applies(catalog, attempt)])


class OfSchedules(Effect[ContextT]):
    """An effect of operations that pause or resume something, or leave nothing to resume."""

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the operation pauses or resumes something, or leaves nothing to resume."""
        operation = attempt.operation
        about = (operation.target.backend, operation.verb, operation.target.kind)
        return attempt.pause is not None or catalog.switches(*about) or catalog.ends_pauses(*about)


class OfLooks(Effect[ContextT]):
    """An effect of commands that show the state of a target or its schedules."""

    kinds = frozenset({"done"})

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the operation is such a command."""
        return attempt.operation.verb in {"status", "schedules"}


class OfBreakglass(Effect[ContextT]):
    """An effect of operations that only break-glass allows."""

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether break-glass allows the operation."""
        decision = attempt.ruling.decision if attempt.ruling is not None else None
        return isinstance(decision, Allowed) and decision.breakglass


class OfNewerRuns(Effect[ContextT]):
    """An effect of a run that a button starts, or that is another run of an earlier one."""

    def applies(self, catalog: Catalog, attempt: Attempt) -> bool:
        """Whether the operation starts a run, and the request is a press or names a run."""
        pressed = isinstance(attempt.intent.payload, Press)
        return attempt.operation.starts_run and (pressed or attempt.operation.target.parent is not None)


class OfRefusals(Effect[ContextT]):
    """An effect of operations that the control plane refused."""

    kinds = frozenset({"refused"})
