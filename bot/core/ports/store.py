"""The store behind one port, and which of several replicas works for the workspace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from bot.core.audit import AuditEntry
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import RunView
from bot.core.ports.plugin import Secret
from bot.core.records import (
    CastVote,
    Filters,
    Grant,
    Outgoing,
    Pause,
    PendingDecision,
    StoredButton,
    StoredEntry,
    StoredRequest,
    Subscription,
    VoteResult,
    Watch,
    WatchedTarget,
    When,
)
from bot.core.runs import SeenRuns
from bot.core.value import Json

LEASE: Final = 6.0
# The key of which server's and timeline's database it was, and when it was last restored.
CLUSTER: Final = "store:cluster"
Change = Callable[[], Awaitable[None]]
MOST_SOCKETS: Final = 10  # that Slack allows an app


def _sockets(value: object) -> object:
    if value != "auto" and value not in range(1, MOST_SOCKETS + 1):
        raise ValueError(f"write `auto` or a whole number from 1 to {MOST_SOCKETS}")
    return value


Sockets = Annotated[Literal["auto"] | Annotated[int, Field(ge=1, le=MOST_SOCKETS)], BeforeValidator(_sockets)]


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the store is. `url` is the path of an SQLite file, or `postgresql://...` without a password.

    `lease` is how many seconds a leader of the workspace may be silent before another replica takes over. `files` is a folder
    that all replicas share, for files that wait for their upload; without it they are in the database.
    """

    url: str
    password: SecretStr | None = None
    lease: float = LEASE
    files: str = ""

    @property
    def shared(self) -> bool:
        """Whether several replicas can use it."""
        return self.url.startswith(("postgresql://", "postgres://"))

    @property
    def name(self) -> str:
        """A short name for messages: the file, or the host and the database."""
        parts = urlsplit(self.url)
        return f"{parts.hostname or 'local'}{parts.path}" if self.shared else self.url.rpartition("/")[2]


class StoreSettings(BaseModel):
    """`[store]`: `sqlite:///relative.db`, `sqlite:////absolute.db`, or `postgresql://USER@HOST/DATABASE` for several replicas.

    `lease`: seconds after which a silent leader is replaced. `files`: a folder that all replicas share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str = "sqlite:///signalbox.db"
    password: Secret | None = None
    lease: float = Field(default=LEASE, ge=3, le=60)
    files: str = ""

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme in ("postgresql", "postgres"):
            if parts.password is not None or "password=" in parts.query:
                raise ValueError("write the password by reference, as `password`")
            if len(parts.path) < 2:
                raise ValueError("the name of the database is missing; write postgresql://USER@HOST/DATABASE")
        elif parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
            raise ValueError("write sqlite:///signalbox.db or postgresql://USER@HOST/DATABASE")
        return url


class MessageStore(Protocol):
    """The outbox: messages as Slack should show them."""

    async def show(self, outgoing: Outgoing, shown: Sequence[StoredButton] = ()) -> None: ...
    async def due_messages(
        self, now: When, limit: int = 100, *, each: int | None = None, skip: Collection[str] = ()
    ) -> Sequence[Outgoing]: ...
    async def next_due(self) -> str | None: ...
    async def sent(self, key: str, want: int, *, ts: str | None = None, gone: bool = False) -> bool: ...
    async def postpone(self, key: str, due_at: When, error: str) -> bool: ...
    async def show_again(self, key: str, due_at: When) -> bool: ...
    async def stand_ins(self) -> frozenset[str]: ...
    async def message(self, key: str) -> Outgoing | None: ...
    async def button(self, button_id: str) -> StoredButton | None: ...
    async def same_button(self, button: StoredButton) -> StoredButton | None: ...
    async def keep_file(self, path: str) -> None: ...
    async def fetch_file(self, path: str) -> str | None: ...
    async def drop_file(self, path: str) -> None: ...
    async def retire(self, message_key: str, at: When) -> int: ...


class Store(MessageStore, Protocol):
    """Everything that survives a restart. `shared`: whether several replicas use it.

    `check_file` raises a Problem when the file on the disk is not the open one. `save_head_sync` saves the head of the audit log
    for the check at the next start.
    """

    @property
    def shared(self) -> bool: ...

    # Pending decisions, votes and grants.
    async def open_pending(self, pending_id: str) -> PendingDecision | None: ...
    async def votes(self, pending_id: str) -> tuple[CastVote, ...]: ...
    async def vote(
        self,
        pending_id: str,
        vote: CastVote,
        entries: Callable[[VoteResult], Sequence[AuditEntry]],
        *,
        needed: int,
        now: When,
    ) -> VoteResult: ...
    async def end_pending(
        self, pending_id: str, state: str, by: str | None, entries: Sequence[AuditEntry], now: When
    ) -> bool: ...
    async def pending_decisions(
        self, state: str | None = None, user: str | None = None
    ) -> Sequence[PendingDecision]: ...
    async def unfinished_pending(self) -> Sequence[PendingDecision]: ...
    async def claim(self, key: str, value: Json, entries: Sequence[AuditEntry], at: When) -> bool: ...
    async def untold_pending(self, kind: str, told: str, since: When) -> Sequence[PendingDecision]: ...
    async def due_pending(self, now: When) -> Sequence[PendingDecision]: ...
    async def remind_pending(self, now: When) -> Sequence[PendingDecision]: ...
    async def reminded(self, pending: PendingDecision, next_at: When | None) -> bool: ...
    async def add_grant(
        self,
        grant: Grant,
        entries: Sequence[AuditEntry],
        review: PendingDecision | None = None,
        uses: str | None = None,
    ) -> bool: ...
    async def grant_by_id(self, grant_id: str) -> Grant | None: ...
    async def grants_for(self, user_id: str, channel_id: str, now: When) -> Sequence[Grant]: ...
    async def open_grants(self, now: When) -> Sequence[Grant]: ...
    async def due_grants(self, now: When) -> Sequence[Grant]: ...
    async def end_grant(self, grant_id: str, state: str, entries: Sequence[AuditEntry]) -> bool: ...
    async def review_grant(self, grant_id: str, by: str, entries: Sequence[AuditEntry], at: When) -> bool: ...

    def accept(
        self, intent: Intent, entries: Sequence[AuditEntry], *, begun: bool = False, incidents: Sequence[str] = ()
    ) -> Awaitable[bool | str]: ...
    async def append(self, *entries: AuditEntry) -> int: ...
    async def begin(self, request_id: str, at: When) -> bool: ...
    async def sending(
        self,
        request_id: str,
        operation: Operation,
        entry: AuditEntry,
        at: When,
        *,
        pending_id: str | None = None,
        grant: tuple[Grant, AuditEntry] | None = None,
    ) -> bool: ...
    async def finish(
        self,
        request_id: str,
        entries: Sequence[AuditEntry],
        at: When,
        *,
        watch: Watch | None = None,
        pauses: Sequence[Pause] = (),
        over: Sequence[Pause] = (),
        over_state: str = "",
        run: Target | None = None,
        made: Sequence[str] = (),
    ) -> None: ...
    async def wait(
        self,
        request_id: str,
        pending: PendingDecision,
        entries: Sequence[AuditEntry],
        at: When,
        *,
        unless: Callable[[PendingDecision], bool] | None = None,
        replaces: PendingDecision | None = None,
    ) -> PendingDecision | None: ...
    async def claim_unfinished(self) -> Sequence[StoredRequest]: ...
    async def sending_elsewhere(self) -> Sequence[StoredRequest]: ...
    async def release(self, request_id: str, at: When) -> bool: ...
    async def request(self, request_id: str) -> StoredRequest | None: ...
    async def operation_of(self, request_id: str) -> Operation | None: ...
    async def request_by_key(self, dedupe_key: str) -> StoredRequest | None: ...
    async def run_of(self, request_id: str) -> Target | None: ...
    async def made_by_others(self, request_id: str, backend: str, since: When) -> frozenset[str]: ...
    async def maker_of(self, backend: str, made: str) -> str | None: ...
    async def claim_made(self, request_id: str, backend: str, made: Sequence[str], at: When) -> bool: ...
    async def being_sent(self) -> Sequence[Operation]: ...
    async def thread_target(self, channel_id: str, thread_ts: str) -> Target | None: ...
    async def last_outcomes(self, target: Target, limit: int) -> Sequence[StoredEntry]: ...
    async def value(self, key: str) -> Json: ...
    async def values(self, prefix: str) -> Mapping[str, Json]: ...
    async def cluster(self) -> str | None: ...
    async def lacks(self, head: str | None) -> list[str]: ...
    async def keys_since(self, prefix: str, at: When) -> Sequence[str]: ...
    async def set_value(self, key: str, value: Json, at: When, entries: Sequence[AuditEntry] = ()) -> None: ...
    async def take_turn(self, key: str, at: When, before: When) -> bool: ...
    async def search(
        self, filters: Filters, *, before_seq: int | None = None, limit: int = 50
    ) -> Sequence[StoredEntry]: ...
    async def head(self) -> str | None: ...
    async def open_watches(self, user_id: str | None = None) -> Sequence[Watch]: ...
    async def due_watches(self, now: When, limit: int = 1000) -> Sequence[Watch]: ...
    async def update_watches(self, seen: Sequence[tuple[str, RunView | None, When]]) -> None: ...
    async def end_watch(self, watch_id: str, state: str, entries: Sequence[AuditEntry], at: When) -> bool: ...
    async def subscribe(self, subscription: Subscription, due_at: When) -> None: ...
    async def subscriptions(self, target_key: str | None = None) -> Sequence[Subscription]: ...
    async def unsubscribe(self, subscription_id: str, entries: Sequence[AuditEntry]) -> bool: ...
    async def take_watched(self, now: When, next_at: When, limit: int = 100) -> Sequence[WatchedTarget]: ...
    async def saw_runs(self, target_key: str, seen: SeenRuns) -> None: ...
    async def open_pauses(self) -> Sequence[Pause]: ...
    async def due_pauses(self, now: When) -> Sequence[Pause]: ...
    async def pause_by_id(self, pause_id: str) -> Pause | None: ...
    async def pauses_of(self, request_id: str) -> Sequence[Pause]: ...
    async def postpone_pause(self, pause_id: str, until_at: When) -> bool: ...
    def check_file(self) -> None: ...
    def save_head_sync(self) -> None: ...
    async def prune(self, before: When, limit: int = 1000) -> int: ...


class Serve(Protocol):
    """Runs an endless loop, or a long step, as a task."""

    def __call__(self, work: Coroutine[Any, Any, None], name: str, /) -> Stoppable: ...


class Stoppable(Protocol):
    """A task that can be stopped."""

    def cancel(self) -> object: ...


class Leadership(Protocol):
    """Every replica takes requests; one of them leads: it executes them. A replica that can't be reached is replaced."""

    @property
    def leads(self) -> bool:
        """Whether this replica is the leader. True does not mean that nobody has replaced it since: see `surely`."""

    def surely(self) -> bool:
        """Whether no other replica can have taken over the work of this one yet. Asked before a request leaves."""

    def kept_all(self, before: str, now: str) -> bool:
        """Whether it is proved that a failover between these clusters (`Store.cluster`) lost nothing that was acknowledged."""

    async def join(self, took: Change, lost: Change, serve: Serve) -> None:
        """Take part; when nobody leads, lead. `took` is called when this replica becomes the leader, `lost` when it was declared
        dead: whatever it has begun must be stopped then. Raises a Problem when it can't take part."""

    async def claim_sockets(self, most: int) -> int:
        """How many connections to Slack this replica may open, at most `most`. Slack allows ten for all together."""

    async def resign(self, hand_over: Change) -> None:
        """Lead no more: after `hand_over` another replica may lead, while this one finishes its calls in progress."""

    async def leave(self) -> None:
        """Take no more part."""

    def may_be_sending(self, silent: float | None, timeout: float) -> float:
        """Seconds in which a lost replica may still send or finish a call. `silent`: seconds since it was last heard."""
