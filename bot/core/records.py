"""The values that the store keeps. Every time is RFC 3339 UTC text with microseconds (see `stamp`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from bot.core.audit import AuditEntry, Event
from bot.core.intent import Doubt, Intent, Place, Source
from bot.core.operation import Operation, Target
from bot.core.outcome import RunView
from bot.core.runs import SeenRuns
from bot.core.value import Json, Value

When = datetime | str
PRIVATE: Final = ("ephemeral", "response", "update_response")  # kinds of message that only one person sees


def stamp(at: When) -> str:
    """`at` in the form of the store: `2026-11-22T02:23:37.000000Z`. Text must be in that form already.

    All stamps have the same length, so that they compare as text.
    """
    if isinstance(at, str):
        return at
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class StoredRequest(Value):
    """A request and its progress. `state`: new, working, waiting, sending, ended.

    `silent`: for how many seconds the replica that last worked on it has not been heard; None if there is only one.
    """

    request_id: str
    dedupe_key: str
    intent: Intent
    state: str
    operation: Operation | None = None
    sent_at: str | None = None
    updated_at: str
    silent: float | None = None


class Outgoing(Value):
    """The desired state of one message in Slack. `key` is its permanent id.

    `kind`: message, ephemeral, response, update_response, upload, home, step. `ts` is the posted message's. `files` refer to
    spooled files, `body` is opaque here. `want` counts how often it was shown, `have` is the `want` that Slack has.
    `gone`: the message no longer exists and nothing is sent. The store counts `want`, `have` and `attempts`.
    """

    key: str
    kind: str = "message"
    team_id: str | None = None
    channel_id: str | None = None
    thread_ts: str | None = None
    user_id: str | None = None
    response_url: str | None = None
    response_until: str | None = None
    ts: str | None = None
    files: tuple[Json, ...] = ()
    body: Json = None
    want: int = 0
    have: int = 0
    due_at: str
    attempts: int = 0
    last_error: str | None = None
    gone: bool = False

    @property
    def is_question(self) -> bool:
        """Whether other people decide this message."""
        return isinstance(self.body, dict) and bool(self.body.get("question"))

    @property
    def lane(self) -> str:
        """Messages of one lane are sent in order: one place's private answers, new messages, updates or files. Slack limits each
        of them separately."""
        sort = self.kind
        if sort in PRIVATE:
            sort = "private"
        elif sort == "message":
            sort = "new" if self.ts is None else "update"
        return f"{self.channel_id or self.user_id or ''}/{sort}"


class StoredButton(Value):
    """The meaning of a button. `channel_id` and `ts` are those of its message, joined when it is read."""

    id: str
    message_key: str
    payload: Json = None
    only_user: str | None = None
    made_at: str
    retired_at: str | None = None
    channel_id: str | None = None
    ts: str | None = None

    @property
    def means(self) -> dict[str, Json]:
        """What a press of it asks for."""
        return self.payload if isinstance(self.payload, dict) else {}


class PendingDecision(Value):
    """An operation that waits for a person.

    `kind`: preflight, approval, ask. `state`: open, taken, cancelled, expired, rejected, approved.
    """

    id: str
    kind: str
    request_id: str
    operation: Operation | None = None
    digest: str | None = None
    policy_version: str | None = None
    intent: Intent
    record: dict[str, Json] = Field(default_factory=dict)
    state: str = "open"
    due_at: str
    remind_at: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    made_at: str


def expiry(pending: PendingDecision) -> tuple[str, str]:
    """The order of lists of open decisions: what expires first comes first."""
    return pending.due_at, pending.request_id


class CastVote(Value):
    """One person's vote on a pending decision. `person` counts once: a person may have several user ids.

    `vote`: approve or deny.
    """

    user_id: str
    person: str
    vote: str
    reason: str | None = None
    at: str


@dataclass(frozen=True, slots=True)
class VoteResult:
    """The result of a vote. `counted`: it was written. `won`: it decided.

    `state` is the state of the pending decision afterwards: `missing` when it doesn't exist, `expired` when it has expired.
    """

    won: bool
    counted: bool
    state: str
    votes: tuple[CastVote, ...] = ()
    pending: PendingDecision | None = None

    @property
    def agreed(self) -> int:
        return len([vote for vote in self.votes if vote.vote == "approve"])


class Watch(Value):
    """A run that is followed to its end. `state`: open, ended, lost. One poll reads a `group_key`. `verb` is in the audit log."""

    id: str
    request_id: str
    backend: str
    group_key: str
    target: Target
    message_key: str | None = None
    channel_id: str | None = None
    user_id: str | None = None
    view: RunView | None = None
    state: str = "open"
    due_at: str
    made_at: str
    ended_at: str | None = None
    verb: str | None = None


class Subscription(Value):
    """A person who is told in a place how the runs of a target end. Without `until_at` it lasts until a person ends it."""

    id: str
    target: Target
    place: Place
    user_id: str
    until_at: str | None = None
    made_at: str
    request_id: str

    @property
    def target_key(self) -> str:
        """The same for every subscription to this target."""
        run = f":{self.target.group}" if self.target.parent == self.target.id else ""
        return f"{self.target.backend}:{self.target.kind}:{self.target.id}{run}"


class WatchedTarget(Value):
    """A target with subscriptions. `seen` is what its last poll found, None before the first."""

    key: str
    target: Target
    seen: SeenRuns | None = None
    due_at: str


UNSURE: Final = "unknown"
"""The code of the entry `paused` of a pause that nobody knows to be in force. Stored, so it never changes."""


class Pause(Value):
    """A schedule that is off until `until_at`; `verb_back` switches it on.

    `state`: open, resumed, replaced (by a newer pause), cancelled (by a newer request of another sort), failed (nothing was
    left to switch on, or it is not known whether the control plane's own timer or an interrupted call has ended it). `tries`
    counts the failed attempts to end it.
    """

    id: str
    backend: str
    verb_back: str
    target: Target
    request_id: str
    user_id: str | None = None
    channel_id: str | None = None
    reason: str | None = None
    from_at: str
    until_at: str
    state: str = "open"
    message_key: str | None = None
    tries: int = 0


def grant_id(asked: str) -> str:
    """The id of the grant that a request (`r-...`) or an approval (`r-....1`) makes; the same each time."""
    return f"g-{asked.removeprefix('r-')}"


class Grant(Value):
    """A permission for a limited time. `channel_id` None means every channel. `state`: open, revoked, expired."""

    id: str
    user_id: str
    verbs: tuple[str, ...]
    targets: tuple[str, ...]
    channel_id: str | None = None
    granted_by: str
    reason: str | None = None
    from_at: str
    until_at: str
    state: str = "open"
    breakglass: bool = False
    reviewed_by: str | None = None
    reviewed_at: str | None = None
    request_id: str

    @property
    def by_approval(self) -> bool:
        """Whether an approval made it, with votes that were checked; otherwise one person made it."""
        return self.id != grant_id(self.request_id)


class StoredEntry(AuditEntry):
    """An entry of the audit log as it was stored."""

    seq: int
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Filters:
    """A search in the audit log; None means everything. `since` and `until` are inclusive stamps.

    `text` are words that must all occur; `word*` matches a beginning. An entry is found by time when its neighbours were
    written within an hour of their `at`.
    """

    channel_id: str | None = None
    user_id: str | None = None
    target_id: str | None = None
    request_id: str | None = None
    event: str | None = None
    verb: str | None = None
    target_name: str | None = None
    code: str | None = None
    backend: str | None = None
    incident: str | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None


# What people call the end of such a request, by its code; with another one, its outcome could not be found.
ABANDONED_AS: Final = {
    **dict.fromkeys((*Doubt, "not_sent", "stale", "void", "gone", "no_such_backend"), "not done"),
    "cancelled": "cancelled",
    "not_confirmed": "not confirmed",
    "still_paused": "still paused",
    "joined": "asked again",
    "already_waiting": "asked again",
}
_DUE: Final = {
    "due pause": "end of a pause",
    "due pending": "check of an open request",
    "due remind": "reminder of an open request",
    "due grant": "end of a grant",
}
GIVEN: Final = frozenset({Event.GRANTED, Event.BREAKGLASS})
ENDS: Final = frozenset({Event.REVOKED, Event.EXPIRED, Event.REVIEWED})  # of what was given, if the rule is a grant
_SIGNALBOX: Final = "Signalbox"  # who asked for what a timer did for nobody


def of_timer(entry: StoredEntry) -> StoredEntry:
    """The entry of what a timer asked for as people read it: in words, and in nobody's name. Any other as it is."""
    if entry.verb not in _DUE:
        return entry
    return entry.model_copy(update={"verb": _DUE[entry.verb], "user_id": _SIGNALBOX, "detail": None})


def what_of(entry: StoredEntry) -> str:
    """Verb and target. A break-glass is for all verbs and targets; a grant is not what it permits."""
    is_grant = entry.event in GIVEN | ENDS and (entry.rule or "").startswith("grant ")
    everything = entry.verb == entry.target_name == "*"
    if is_grant and (entry.event is Event.BREAKGLASS or everything or entry.verb == "close review"):
        return "break-glass"
    return " ".join(part for part in ("grant of" if is_grant else "", entry.verb, entry.target_name) if part)


def whose(entry: StoredEntry, who: str) -> str:
    """Who asked, by this name, or that it happened by itself, for this person."""
    by_itself = entry.source == Source.TIMER and who not in ("", _SIGNALBOX)
    return f"automatic, for {who}" if by_itself else asked_by(entry, who)


def asked_by(entry: AuditEntry, who: str) -> str:
    """Who asked, by this name. In the terminal, whoever has a shell there names the person."""
    if entry.source != Source.TERMINAL:
        return who
    return f"from the terminal as {who}" if who else "from the terminal"


def done_by(entry: AuditEntry, who: str) -> str:
    """The same after a verb: `by @ana`."""
    by = asked_by(entry, who)
    return f"by {by}" if by == who else by


def newest_of(found: Iterable[Sequence[StoredEntry]], most: int) -> list[StoredEntry]:
    """The newest entries of several searches, each once."""
    entries = {entry.seq: entry for entries in found for entry in entries}
    return [entries[seq] for seq in sorted(entries, reverse=True)[:most]]


NAME_KEY: Final = "name:"
"""Before an id of Slack: the small value with the names of that person or channel, as Slack last reported them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check of the audit log. `rows` entries were read; `head` is `SEQ:HASH` of the last one, or None.

    `tail_checked` False: without a published head, a truncated end can't be detected.
    """

    ok: bool
    rows: int
    first_bad_seq: int | None
    why: str
    head: str | None
    tail_checked: bool
