"""What the packages need from each other, as protocols. A port exists where a second implementation or a fake does."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Final, Protocol
from zoneinfo import ZoneInfo

from bot.core.card import Card, Delivery, FormView, HomeView
from bot.core.command.capability import KindSpec
from bot.core.command.params import Param
from bot.core.command.target_ref import TargetRef
from bot.core.intent import Actor, Place, Reply
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Health, LookBack, Named, RecentRun, Refused, RunView, Unknown
from bot.core.policy.match import Reach, Subject, Where
from bot.core.sign_in import SignInPause


class Clock(Protocol):
    """The only source of time. `now` is aware UTC; `monotonic` and `sleep` are seconds."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """The only source of random ids. `request` is short, sortable and readable; `secret` can't be guessed; `guid` is a UUID."""

    def request(self) -> str: ...
    def secret(self) -> str: ...
    def guid(self) -> str: ...


class TargetCache(Protocol):
    """The known names of vendor ids, kept across restarts, for vendors that have no lookup from id to name."""

    async def remember(self, targets: Sequence[Target]) -> None:
        """Store these. A later name of the same backend, kind and id replaces the earlier."""

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None: ...

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        """Everything known about a backend, with the time when it was last seen."""


class Spool(Protocol):
    """Temporary files for content that is too large for memory."""

    def create(self, suffix: str) -> AbstractAsyncContextManager[BinaryIO]:
        """A new file, open for binary writing; deleted if the block raises. `.name` is its path."""


class SlackFile(Protocol):
    """A file that a person attached in Slack. `size` is in bytes."""

    name: str
    size: int

    def chunks(self) -> AsyncIterator[bytes]: ...


@dataclass(slots=True)
class Changes:
    """Whether a request that may change something has begun, within one call of `Backend.run`."""

    begun: bool = False


CHANGES: Final[ContextVar[Changes | None]] = ContextVar("changes", default=None)


class Call(Protocol):
    """What an adapter gets in addition to the operation."""

    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def spool(self) -> Spool: ...
    @property
    def ends(self) -> datetime | None:
        """The time when `for=` or `until=` ends, in the bot's time zone; None without an end."""

    async def progress(self, text: str) -> None:
        """Show the requester the progress of a long call."""

    async def file(self, file_id: str) -> SlackFile:
        """Open an attached file by its Slack id."""

    async def claimed(self) -> frozenset[str]:
        """What other calls to this backend made lately (see `outcome.made_by`)."""

    async def note_enabled(self, targets: Sequence[Target]) -> None:
        """Must be called before a call that starts a pause, unless the control plane ends it by its own timer: with what it will
        switch off. The end of the pause switches on exactly that."""


class Backend(Protocol):
    """One configured connection to a control plane. Every method may raise errors of core.errors. None retries a call that is
    not idempotent. `rows` is what it declares."""

    name: str
    spec: KindSpec

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """The exact target. `kind` is the kind whose prefix the path had (already cut off), or None for the default kind. A
        selector in `ref` picks a run of the named agent. Raises NoSuchTarget, Ambiguous, CallProblem."""

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Run it, once. Problems are raised, not returned: the caller knows which of them mean unknown."""

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """The current state of these runs of one group, by target id, in as few requests as the vendor allows."""

    async def recent(self, target: Target, count: int) -> Sequence[RecentRun]:
        """The newest runs of a target, newest first; of a run, itself. Raises BadRequest (no_runs) for a target without runs."""

    async def look_back(self, operation: Operation, sent_at: datetime, claimed: Collection[str] = ()) -> LookBack:
        """Whether a call sent at `sent_at`, whose answer was lost, took effect. Only reads. `claimed` is what other calls
        made (see `made_by`), which this one didn't make."""

    async def check(self, operation: Operation) -> Refused | None:
        """The target's own reason against it: it exists already, it doesn't take that parameter, nothing in it has failed. None
        when it can be sent. Answers and raises as `run` would, but only reads. Called after the policy allows it and before
        any pending decision or the audit entry `sent`."""

    async def this_run(self, operation: Operation) -> Target:
        """The target for the run that the operation would act on now, where the target alone means whichever runs: what a
        person confirms is about the run that they were shown."""

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """Current facts for an approver (label, text): what runs on the target, what is scheduled, the last outcomes."""

    async def form(self, target: Target) -> Sequence[Param]:
        """The parameters of this target by full name (`param.NAME`), if the vendor describes them; else empty."""

    async def parameter_names(self, target: Target) -> Sequence[str]:
        """The names of parameters that this target is known to take, as typed: `input.region`."""

    async def state_of(self, target: Target) -> str:
        """The target's state in one short phrase, and the work in progress, each after `WORK` (`IDLE` for none). Compared at
        `Run it`, at approval and before the call: a person is asked again about another state or more work, not about less.
        Empty when it has none, `GONE` when it was deleted."""

    async def health(self) -> Health: ...

    async def targets(self) -> Sequence[Named]:
        """The existing targets, as far as the vendor can list them, else the remembered ones."""

    def configured(self) -> Sequence[Named]:
        """The targets that the settings name, without asking the vendor. Their ids may be placeholders."""

    async def close(self) -> None: ...


class FormResult(StrEnum):
    """The outcome of opening or updating a modal."""

    OPENED = "opened"
    LATE = "late"  # its trigger has expired
    REFUSED = "refused"  # Slack refuses it, or doesn't answer


class Presenter(Protocol):
    """Shows cards to people. Errors of Slack are never raised: everything is stored first and sent until it arrives."""

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Post the card, or update it when its key was shown before. `reply` has a response_url for a private answer; `replace`
        replaces the message that the request came from."""

    async def show_again(self, key: str) -> None:
        """Update a posted card although nothing changed: a person saw an older state of it."""

    async def deliver(self, delivery: Delivery) -> None:
        """Put files into the thread of a card."""

    async def open_form(self, trigger_id: str, form: FormView) -> FormResult:
        """Open a modal now: a trigger works for three seconds."""

    async def update_form(self, view_id: str, view_hash: str, form: FormView) -> bool:
        """Replace an open modal. False when it was closed, or was replaced since `view_hash` (empty: whatever it shows)."""

    async def home(self, view: HomeView) -> None:
        """Publish a person's Home tab."""

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """End a workflow step. Times in the text are shown in the configured zone."""


class Directory(Protocol):
    """People, user groups and conversations as Slack reports them. What can't be read is marked unreadable, never guessed.

    `max_age` is the allowed age of an answer in seconds; 0 asks Slack, for user groups at most every 3 s.
    """

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject: ...

    async def where(self, place: Place, *, max_age: float) -> Where: ...

    async def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """The names of these people, as far as Slack tells them: for texts in which Slack shows no mention, such as a button."""

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        """Whether Slack lists this person in that conversation. For an app's id: whether the bot is in it."""

    def zone(self, user_id: str | None) -> ZoneInfo | None:
        """The person's time zone as Slack last reported it; None when it is not known."""

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        """The user ids of a user group, or None when they can't be read."""

    async def reach(self, channel_id: str) -> Reach:
        """Whether the bot can write in a channel, always asked from Slack."""


class SlackFiles(Protocol):
    """Opens files that people attached."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> SlackFile:
        """The file, if it was shared in that channel or by that person. Raises BadRequest otherwise."""


@dataclass(frozen=True, slots=True)
class BackendParts:
    """What a backend is built from. `may_send` is asked right before a request leaves: False when another replica may have taken
    over."""

    name: str
    clock: Clock
    ids: Ids
    target_cache: TargetCache
    secrets: SecretList = field(default_factory=SecretList)
    may_send: Callable[[], bool] = lambda: True
    sign_in: SignInPause = field(default_factory=SignInPause)
