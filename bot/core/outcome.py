"""The outcome of an operation. Refused, failed and unknown are three different answers."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Self, TypeAlias

from pydantic import field_serializer, field_validator

from bot.core.errors import CredentialRefused, RateLimited
from bot.core.operation import Operation, Target
from bot.core.value import Json, Value

MOST_POINTS: Final = 20
MOST_SERIES: Final = 6
GONE: Final = "gone"  # what `Backend.state_of` returns for a deleted target
FactValue = str | int | float | datetime | timedelta | None


class Series(Value):
    """One number for each label of the chart; 0 where it has none."""

    name: str
    values: tuple[float, ...]


class Chart(Value):
    """A bar chart, its labels in reading order. `unit` is what the numbers count, `about` what the labels are.

    `words` says in one sentence what the chart shows, for people and places without pictures. `beside` is the column of the
    card's table with the same numbers, in rows that begin with the labels: without pictures, each gets a bar.
    """

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    about: str = ""
    words: str = ""
    beside: str = ""

    @property
    def totals(self) -> dict[str, float]:
        """The sum of all series at each label."""
        return {label: sum(one.values[at] for one in self.series) for at, label in enumerate(self.labels)}


class Fact(Value):
    """One line of a card: a label and a value as text, a time, or a span.

    `at` is when it was read, for values that may change. In JSON a time is `{"time": ISO}` and a span
    `{"span": seconds}`, so that neither is read back as text. `weighs`: an approver reads it beside the state.
    """

    label: str
    value: FactValue
    at: datetime | None = None
    weighs: bool = False

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


class Weighs(NamedTuple):
    """A fact of a pre-flight that an approver reads beside the state: what else is affected, or why it will probably fail."""

    label: str
    value: str


class Binds(Weighs):
    """One that says what the operation is about, such as the schedules that will be deleted. `parts` are the words for each of
    them by what identifies it: if that is another set at the press, the question is asked again. Without parts the value is
    the only one."""

    parts: dict[str, str]

    def __new__(cls, label: str, value: str, parts: dict[str, str] | None = None) -> Self:
        one = super().__new__(cls, label, value)
        one.parts = {value: value} if parts is None else parts
        return one


class Unread(Weighs):
    """One that would bind, but can't be read now: once it can, the question is asked again."""


Binding: TypeAlias = dict[str, dict[str, str] | None]  # the parts by label; None for what can't be read


def binding_of(found: Iterable[tuple[str, str]]) -> Binding:
    """What an operation is about."""
    bound = [one for one in found if isinstance(one, Binds | Unread)]
    return {one.label: one.parts if isinstance(one, Binds) else None for one in bound}


def binding_in(stored: Json) -> Binding:
    """What a card was about, from the store. What another version wrote in another form counts as not read."""
    every = stored.items() if isinstance(stored, dict) else ()
    return {label: parts if isinstance(parts, dict) else None for label, parts in every}


NOTE: Final = "Note"  # the label of why it will probably fail, or of what else it does


def facts_of(pairs: Iterable[tuple[str, FactValue]]) -> tuple[Fact, ...]:
    """A fact for each label that has a value."""
    return tuple([Fact(label=label, value=value) for label, value in pairs if value is not None and value != ""])


class Table(Value):
    """Rows for a listing. `total` counts all rows when `rows` were cut; None when unknown.

    `exact` names columns that people copy from: their cells are never cut. Columns of single words count as exact.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int | None = None
    note: str = ""
    exact: tuple[str, ...] = ()


class Suggestion(Value):
    """A useful next step, shown as a button when this person may do it. `target` is written as typed."""

    label: str
    verb: str
    target: str
    params: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


class FileOut(Value):
    """A file that was fetched to the spool: `path` on the local disk, `size` in bytes, `sha256` hex of the bytes."""

    path: str
    name: str
    title: str
    size: int
    sha256: str
    redactions: int = 0


class Phase(StrEnum):
    """The phase of a run, which decides colours and watching. UNREADABLE is an undocumented state."""

    WAITING = "waiting"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    UNREADABLE = "unreadable"

    @property
    def ended(self) -> bool:
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.STOPPED)


class RunView(Value):
    """The state of a run as the control plane reports it now. `state` is the vendor's word.

    `facts` are the two or three that matter, `details` the rest. `message` may have several lines, such as the last of a log.
    `done` and `total` count what `counted` names in the singular; without it they are shares. `expected_end` and `left` are
    the vendor's forecast, `usual` is how long earlier runs of the same target took.
    `unread_since` is the time of the first consecutive failure to read the run, `unread_told` whether the people who wait
    were notified. `gone_since` is the time of the first consecutive answer of the control plane that it has no such run.
    `by` is the person whose own request ended the run, or its following.
    """

    state: str
    phase: Phase
    facts: tuple[Fact, ...] = ()
    details: tuple[Fact, ...] = ()
    message: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    done: int | None = None
    total: int | None = None
    counted: str = ""
    expected_end: datetime | None = None
    left: timedelta | None = None
    usual: timedelta | None = None
    next: tuple[Suggestion, ...] = ()
    unread_since: datetime | None = None
    unread_told: bool = False
    gone_since: datetime | None = None
    by: str | None = None

    def after(self, verb: str, by: str | None = None) -> Self:
        """The view for a request with this verb: a run that failed because of its `stop` was stopped. A service has no end.

        `by` is the person whose own request stopped the run.
        """
        stopped = (verb == "stop" or by) and self.phase is Phase.FAILED and self.ended is not None
        if not stopped and not (by and self.phase is Phase.STOPPED):
            return self
        # Nothing failed: another run is not a retry.
        again = {"Retry": "Run again"}
        steps = tuple(one.model_copy(update={"label": again.get(one.label, one.label)}) for one in self.next)
        return self.model_copy(
            update={
                "state": f"Stopped by <@{by}>" if by else "Stopped",
                "phase": Phase.STOPPED,
                "next": steps,
                "by": by,
            }
        )


class RecentRun(Value):
    """One run in the list of the newest runs of a target. `id` is unique among them. `job` is what it is a run of, where the
    target has several."""

    id: str
    view: RunView
    job: str = ""


NOT_FOUND: Final = "not found"  # the state of a run that the control plane doesn't have
LOST: Final = "lost"  # how such a run ends after an hour: nobody knows its outcome
STARTED: Final = RunView(state="Started", phase=Phase.ACTIVE)  # before the first poll


class Level(StrEnum):
    """How good the state of a target is, for the colour of a card. The values are those of `card.Tone`."""

    GOOD = "good"
    WORKING = "working"
    WARN = "warn"
    BAD = "bad"
    UNSURE = "unsure"


class State(Value):
    """The state of a target that a lookup found. `text` begins the card, in place of "Done"."""

    text: str
    level: Level


class Done(Value):
    """The backend did it or accepted it.

    `state` is the target's state that a lookup found: a successful lookup of something broken is red. `details` are facts that
    few people need, such as full ids.
    `made` is the target that it created. `unlinked`: the console has no page for the target, which is deleted or has no known id.
    `run` can be watched to its end; `backend_ref` is the vendor's id of it. `preview` are lines of a log, `remarks` sentences
    about them, such as what was not found. `beside` replaces the summary below `view.state` when the summary would repeat the
    state; None keeps the summary.
    """

    kind: Literal["done"] = "done"
    summary: str
    facts: tuple[Fact, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    details: tuple[Fact, ...] = ()
    made: Target | None = None
    unlinked: bool = False
    run: Target | None = None
    view: RunView | None = None
    state: State | None = None
    beside: str | None = None
    backend_ref: str | None = None
    files: tuple[FileOut, ...] = ()
    preview: str = ""
    remarks: tuple[str, ...] = ()
    next: tuple[Suggestion, ...] = ()

    @property
    def beyond_state(self) -> str:
        """The summary without a first sentence that only names the state: `prices is active. It needs a restart.`"""
        named, said, rest = self.summary.partition(f"{self.state.text}." if self.state is not None else "\n")
        repeats = said and named.endswith((" is ", ": ")) and not re.search(r"[.!?:;,] ", named[:-2])
        return rest.strip() if repeats else self.summary


def made_by(operation: Operation, done: Done) -> tuple[str, ...]:
    """The ids of what a call made, each unique in its backend; empty when it acted on what was there already."""
    ref, run = done.backend_ref, done.run
    if ref is None or ref == operation.target.id:
        return ()
    if run is not None and run.together:
        return run.together
    return (ref if run is None or run.id == ref else numbered(run, ref),)


def numbered(target: Target, number: object) -> str:
    """A unique id for a run whose vendor numbers the runs of each target: `infa:nightly#7`."""
    return f"{target.scope or target.id}#{number}"


class _NotDone(Value):
    """`hint` is the next step."""

    code: str
    summary: str
    hint: str = ""
    facts: tuple[Fact, ...] = ()
    next: tuple[Suggestion, ...] = ()


WORK: Final = (
    " · "  # in the state of a target, before each piece of work in progress: the jobs of a service, or ids of runs
)
IDLE: Final = "idle"  # in place of the work
NOT_LISTED: Final = "not_listed"  # the code of a refusal because the backend lists nothing that runs; it may do so late


class Refused(_NotDone):
    """Nothing was done: the policy or the backend refused, or the command is wrong."""

    kind: Literal["refused"] = "refused"


class Failed(_NotDone):
    """It was tried and did not work, for certain. `sent`: the request was sent."""

    kind: Literal["failed"] = "failed"
    sent: bool = True

    @property
    def nothing_done(self) -> bool:
        """Whether it surely had no effect: it was not sent, or turned away."""
        return not self.sent or self.code in (CredentialRefused.code, RateLimited.code)


class Unknown(_NotDone):
    """It may have happened or not. Only an idempotent call may have been sent again."""

    kind: Literal["unknown"] = "unknown"


Outcome: TypeAlias = Done | Refused | Failed | Unknown


class LookBack(Value):
    """Whether a call whose answer was lost took effect, as the backend reports it.

    `found` is the outcome when it did. `absent`: it did not, for certain. Neither: unknown. `evidence` are sentences about
    what was checked. `again`: the same check may find more a moment later. `hint` is what a person can do when the outcome
    stays unknown. `compared` are the parameters that what was found shows: a call with others of them did not make it.
    `fits` are several outcomes that this call may have had, the oldest first, without the one in `found`.
    """

    found: Done | None = None
    fits: tuple[Done, ...] = ()
    absent: bool = False
    evidence: str = ""
    again: bool = False
    hint: str = ""
    compared: tuple[str, ...] = ()


class Health(Value):
    """The health of a backend: `ok`, a sentence, the duration of the check, and when its credential expires."""

    ok: bool
    summary: str
    latency_ms: float | None = None
    credential: str = ""
    credential_ends: datetime | None = None
    facts: tuple[Fact, ...] = ()


class Named(Value):
    """A target in a list, for `targets`, `find` and type-ahead. `text` is its written form."""

    target: Target
    text: str
    state: str = ""
    detail: str = ""
