"""What the rooms need of each other, as protocols. A port exists where a second implementation or a fake does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from bot.core.card import Card, Delivery, FormView, HomeView
from bot.core.command.capability import BackendRows
from bot.core.command.params import Param
from bot.core.command.target_ref import TargetRef
from bot.core.intent import Actor, Place, Reply
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Failed, Health, LookBack, Named, Refused, RunView, Unknown
from bot.core.policy.match import Reach, Subject, Where
from bot.core.redact import SecretList


class Clock(Protocol):
    """The only source of time. `now` is aware UTC; `monotonic` and `sleep` are seconds."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """The only source of chance. `request` is short, sortable and for people; `secret` cannot be guessed; `guid` is a UUID."""

    def request(self) -> str: ...
    def secret(self) -> str: ...
    def guid(self) -> str: ...


class Names(Protocol):
    """What was learned of vendor ids: a memory that survives restarts, for vendors that offer no way from id to name."""

    async def remember(self, targets: Sequence[Target]) -> None:
        """Keep these; a later sight of the same backend, kind and id replaces the earlier."""
        ...

    async def by_id(self, backend: str, kind: str, id: str) -> Target | None: ...

    async def known(self, backend: str, kind: str | None = None) -> Sequence[tuple[Target, datetime]]:
        """Everything remembered of a backend, with when it was last seen."""
        ...


class Spool(Protocol):
    """Temporary files for what is too large to hold."""

    def create(self, suffix: str) -> AbstractAsyncContextManager[BinaryIO]:
        """A new file open for writing in binary; it is deleted again if the block raises. `.name` is its path."""
        ...


class SlackFile(Protocol):
    """A file that somebody attached in Slack. `size` in bytes."""

    name: str
    size: int

    def chunks(self) -> AsyncIterator[bytes]: ...


class Call(Protocol):
    """What an adapter is given beside the operation."""

    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def spool(self) -> Spool: ...
    @property
    def ends(self) -> datetime | None:
        """When what `for=` or `until=` limits is over, on the clocks of the bot's zone; None without an end."""
        ...

    async def progress(self, text: str) -> None:
        """Tell the asker how far a long call is."""
        ...

    async def file(self, file_id: str) -> SlackFile:
        """Open an attached file by its Slack id."""
        ...

    async def note_enabled(self, targets: Sequence[Target]) -> None:
        """To be told before a call that starts a pause: what it is about to switch off. `Done.restore` says the same after it,
        and is not to be had when the program dies in between."""
        ...


class Backend(Protocol):
    """One configured connection to a control plane. Every method may raise core.problems; none retries a call that is not
    repeat-safe. `rows` is what it declares."""

    name: str
    rows: BackendRows

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        """The exact target. `kind` is the name of the kind when the path carried its prefix (already cut off), else None for
        the default kind. A selector in `ref` picks a run of the named agent. Raises NoSuchTarget, Ambiguous, CallProblem."""
        ...

    async def run(self, operation: Operation, call: Call) -> Done | Refused | Failed | Unknown:
        """Do it, once. Problems are raised, not returned: the pipeline knows which of them mean unknown."""
        ...

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        """How these runs of one group stand now, by target id, in as few requests as the vendor allows."""
        ...

    async def look_back(self, operation: Operation, sent_at: datetime) -> LookBack:
        """Whether a call that was sent at `sent_at`, and whose answer was lost, took effect. Reads only."""
        ...

    async def check(self, operation: Operation) -> Refused | None:
        """What the target itself has against it: it exists already, it takes no such parameter, nothing of it has failed. None
        when it can be sent. Answers and raises as `run` would, and only reads; asked once the rules allow it and before
        anything is held, approved or registered as sent."""
        ...

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        """Facts that an approver should see now (label, text): what runs on the target, what is scheduled, last outcomes."""
        ...

    async def form(self, target: Target) -> Sequence[Param]:
        """The parameters that this one target takes, by their full names (`param.NAME`), where the vendor describes them; else
        nothing."""
        ...

    async def state_of(self, target: Target) -> str:
        """The target's state in one short phrase, compared at approval and at dispatch. Empty when it has none, `GONE` when it
        no longer exists."""
        ...

    async def health(self) -> Health: ...

    async def targets(self) -> Sequence[Named]:
        """What exists, as far as the vendor can list it; else what is remembered."""
        ...

    async def close(self) -> None: ...


class Presenter(Protocol):
    """Shows things to people. Nothing here raises for what Slack says: it is stored first and sent until it arrives."""

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        """Post the card, or update it when its key was shown before. `reply` offers a response_url for what only one person may
        see; `replace` True puts it over the message that the reply came from."""
        ...

    async def deliver(self, delivery: Delivery) -> None:
        """Put files into the thread of a card."""
        ...

    async def open_form(self, trigger_id: str, form: FormView) -> bool:
        """Open a modal now; False when the trigger was too old."""
        ...

    async def home(self, view: HomeView) -> None:
        """Publish a person's Home tab."""
        ...

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        """End a workflow step."""
        ...


class Directory(Protocol):
    """What Slack says of people, user groups and conversations. What cannot be read is said to be unreadable, never guessed.

    `max_age` is seconds that an answer may be old; 0 reads anew.
    """

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject: ...

    async def where(self, place: Place, *, max_age: float) -> Where: ...

    async def is_member(self, channel_id: str, user_id: str, *, max_age: float) -> bool:
        """Whether Slack lists this person in that conversation, or for an app's id whether the bot is in it."""
        ...

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        """The user ids of a user group, None when they cannot be read."""
        ...

    async def reach(self, channel_id: str) -> Reach:
        """Whether the bot can write in a channel, read anew."""
        ...


class SlackFiles(Protocol):
    """Opens files that people attached."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> SlackFile:
        """The file, if it was shared in that channel or by that person; raises BadRequest otherwise."""
        ...


class BackendParts(Protocol):
    """What a plugin builds its backend from."""

    @property
    def name(self) -> str: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def names(self) -> Names: ...
    @property
    def secrets(self) -> SecretList: ...
