"""The outcome of an operation. Refused, failed and unknown are three answers and never stand for one another."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from pydantic import field_serializer, field_validator

from bot.core.operation import Target
from bot.core.value import Json, Value

GONE: Final = "gone"  # what `Backend.state_of` says of what no longer exists

FactValue = str | int | float | datetime | timedelta | None


class Fact(Value):
    """One line of a card: a label and a value as text, a time, or a span.

    `at` is when it was read, for what may have changed since. In JSON a time is `{"time": ISO}` and a span
    `{"span": seconds}`, so that neither comes back as a text.
    """

    label: str
    value: FactValue
    at: datetime | None = None

    @field_serializer("value", when_used="json")
    def _tagged(self, value: FactValue) -> Json:
        if isinstance(value, datetime):
            return {"time": value.isoformat()}
        if isinstance(value, timedelta):
            return {"span": value.total_seconds()}
        return value

    @field_validator("value", mode="before")
    @classmethod
    def _untagged(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("time"), str):
            return datetime.fromisoformat(value["time"])
        if isinstance(value, dict) and isinstance(value.get("span"), int | float):
            return timedelta(seconds=value["span"])
        return value


class Table(Value):
    """Rows for a listing. `total` counts what exists when `rows` were cut; None when nobody knows.

    `exact` names columns that people copy from, so that nothing in them is cut; columns of single words are such anyway.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int | None = None
    note: str = ""
    exact: tuple[str, ...] = ()


class Suggestion(Value):
    """A next step that makes sense now; shown as a button when this person may do it. `target` is written as typed."""

    label: str
    verb: str
    target: str
    params: tuple[tuple[str, str], ...] = ()


class FileOut(Value):
    """A file that was fetched to the spool: `path` on the local disk, `size` in bytes, `sha256` hex of the bytes."""

    path: str
    name: str
    title: str
    size: int
    sha256: str
    redactions: int = 0


class Phase(StrEnum):
    """Where a run stands, in the words that decide colours and watching; UNREADABLE is a state nobody documented."""

    WAITING = "waiting"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    UNREADABLE = "unreadable"

    @property
    def ended(self) -> bool:
        """True when nothing more will happen by itself."""
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED)


class RunView(Value):
    """What the control plane says of a run now. `state` is the vendor's name of the state.

    `unread_since` is the first of the looks in a row that could not read the run, and `unread_told` whether the people who
    wait for it know.
    """

    state: str
    phase: Phase
    facts: tuple[Fact, ...] = ()
    message: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    done: int | None = None
    total: int | None = None
    next: tuple[Suggestion, ...] = ()
    unread_since: datetime | None = None
    unread_told: bool = False


class Level(StrEnum):
    """How good the state of a target is; it decides the colour of a card. The values are those of `card.Tone`."""

    GOOD = "good"
    WORKING = "working"
    WARN = "warn"
    BAD = "bad"
    UNSURE = "unsure"


class State(Value):
    """The state of a target as a lookup found it: `text` is the card's first words, in place of "Done"."""

    text: str
    level: Level


class Done(Value):
    """The backend did it, or accepted it.

    `state` is what a lookup found out about its target: a lookup that worked and found something broken is not good news.
    `run` is what can be watched to its end; `backend_ref` the vendor's id of it. `restore` are the targets that a pause
    has to switch on again: those that this call switched off; None stands for the operation's own target. `remarks` are
    sentences about `preview`, which itself are lines of a log: what was looked for and is not there. `beside` is what a card
    says below `view.state` in place of the summary, where that repeats the state; None for the summary itself.
    """

    kind: Literal["done"] = "done"
    summary: str
    facts: tuple[Fact, ...] = ()
    table: Table | None = None
    run: Target | None = None
    view: RunView | None = None
    state: State | None = None
    beside: str | None = None
    backend_ref: str | None = None
    files: tuple[FileOut, ...] = ()
    preview: str = ""
    remarks: tuple[str, ...] = ()
    restore: tuple[Target, ...] | None = None
    next: tuple[Suggestion, ...] = ()


class Refused(Value):
    """Nothing was done: the rules, the backend or the words said no. `hint` is what to do next."""

    kind: Literal["refused"] = "refused"
    code: str
    summary: str
    hint: str = ""
    facts: tuple[Fact, ...] = ()
    next: tuple[Suggestion, ...] = ()


class Failed(Value):
    """It was tried and is known not to have worked. `sent` tells whether the request left this program."""

    kind: Literal["failed"] = "failed"
    code: str
    summary: str
    hint: str = ""
    sent: bool = True
    facts: tuple[Fact, ...] = ()
    next: tuple[Suggestion, ...] = ()


class Unknown(Value):
    """It may or may not have happened, and it was not sent again."""

    kind: Literal["unknown"] = "unknown"
    code: str
    summary: str
    hint: str = ""
    facts: tuple[Fact, ...] = ()
    next: tuple[Suggestion, ...] = ()


Outcome: TypeAlias = Done | Refused | Failed | Unknown


class LookBack(Value):
    """What a backend says when asked whether a call whose answer was lost took effect.

    `found` carries the outcome when it did; `absent` is True when the backend can tell that it did not; neither when it
    cannot tell. `evidence` says in whole sentences what was looked at. `again` is True when the same look may tell more a
    moment later; `hint` is what a person can do when it stays open.
    """

    found: Done | None = None
    absent: bool = False
    evidence: str = ""
    again: bool = False
    hint: str = ""


class Health(Value):
    """How a backend is: `ok`, a sentence, how long the check took, when its credential ends."""

    ok: bool
    summary: str
    latency_ms: float | None = None
    credential: str = ""
    credential_ends: datetime | None = None
    facts: tuple[Fact, ...] = ()


class Named(Value):
    """A target as a list shows it, for `targets`, `find` and type-ahead. `text` is how it is written."""

    target: Target
    text: str
    state: str = ""
    detail: str = ""
