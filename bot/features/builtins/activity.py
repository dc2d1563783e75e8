"""What a timeline tells: which entries, in a word, and in its chart how much of what happened in each span."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.all_of import all_of
from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.command.catalog import Catalog
from bot.core.errors import (
    Ambiguous,
    BadRequest,
    CredentialRefused,
    Forbidden,
    NoSuchTarget,
    NotSent,
    RateLimited,
    Rejected,
)
from bot.core.intent import Source
from bot.core.outcome import LOST, Chart, Phase, Series
from bot.core.ports.store import Store
from bot.core.records import ENDS, GIVEN, UNSURE, Filters, StoredEntry, asked_by, whose
from bot.core.text import ago_text, plural, seconds_words
from bot.operations import cards

OUTCOMES: Final = frozenset({Event.DONE, Event.FAILED, Event.UNKNOWN})
# Codes of a `failed` after which nothing was done, although something was sent: the control plane's no, or its adapter's.
_REFUSED: Final = frozenset(
    {
        one.code
        for one in (Ambiguous, BadRequest, CredentialRefused, Forbidden, NoSuchTarget, NotSent, RateLimited, Rejected)
    }
    | {"already", "already_exists", "exists", "job_active", "nothing_failed", "nothing_runs", "restarting"}
    | {"bad_parameter", "missing_parameter", "no_runs", "no_such_schedule", "no_such_zone", "unknown_parameter"}
    | {"use_destroy"}
)
_END: Final = re.compile(r"(?<= until )[-0-9T:.]+Z")  # of what was given
_PAGE: Final = 500
_SPANS: Final = 8
_SERIES: Final = ("Runs succeeded", "Failed", "Unknown", "Stopped", "Denied", "Actions")
_KINDS: Final = {Event.FAILED: "Failed", Event.UNKNOWN: "Unknown", Event.DENIED: "Denied", Event.DONE: "Actions"}
_ENDED: Final[Mapping[str, str]] = {Phase.SUCCEEDED: "Runs succeeded", Phase.STOPPED: "Stopped", LOST: "Unknown"}


def activity(entries: Sequence[StoredEntry], start: datetime | None, now: datetime) -> Chart | None:
    """The chart, the oldest span first: from `start` to now, or without it from the first to the last of what is counted. None
    when there is nothing to count.

    Its labels are lengths of time before now, because a label can't show a time in each reader's zone.
    """
    open_ones = unknown(entries)
    found = [
        (kind, datetime.fromisoformat(entry.at))
        for entry in entries
        if (kind := _kind(entry)) is not None and (kind != "Unknown" or entry.request_id in open_ones)
    ]
    if not found:
        return None
    times = [at for _, at in found]
    start, end = (min(times), max(times)) if start is None else (start, now)
    length = max((end - start) / _SPANS, timedelta(seconds=1))
    start = end - length * _SPANS
    counts = {name: [0.0] * _SPANS for name in _SERIES}
    for kind, at in found:
        counts[kind][min(_SPANS - 1, max(0, int((at - start) / length)))] += 1
    shown = [name for name in _SERIES if name in _SERIES[:2] or any(counts[name])]
    # Short spans need seconds: no two labels may be the same.
    text = ago_text if length >= timedelta(minutes=1) else lambda age: seconds_words(int(age.total_seconds()))
    return Chart(
        title="Runs and actions",
        labels=tuple(f"{text(now - start - length * span)} ago" for span in range(_SPANS)),
        series=tuple(Series(name=name, values=tuple(counts[name])) for name in shown),
        unit="count",
        about="Beginning of each span",
        words=f"{', '.join(_counted(name, int(sum(counts[name]))) for name in shown)}.",
    )


def _counted(name: str, number: int) -> str:
    if name == "Runs succeeded":
        return f"{plural(number, 'run')} succeeded"
    return plural(number, "action") if name == "Actions" else f"{number} {name.lower()}"


def _kind(entry: StoredEntry) -> str | None:
    """The series that counts the entry; None for one that is not an outcome, and for what a `stop` was for: it is an action, and
    the run that it stopped has an end of its own."""
    if stopped_as_asked(entry):
        return None
    if entry.event is Event.ENDED:
        return _ENDED.get(entry.code or "", "Failed")
    if entry.event is Event.RECONCILED:
        return "Actions" if entry.code == "done" else "Failed"
    return _KINDS.get(entry.event)


def stopped_as_asked(entry: StoredEntry) -> bool:
    """Whether the entry is the good end of a `stop`, in whichever word the vendor tells it."""
    return entry.event is Event.ENDED and entry.verb == "stop" and entry.code == Phase.STOPPED


def happened(catalog: Catalog, entry: StoredEntry) -> str:
    """See `cards.happened`; a stop doesn't start anything, and a lost pause may be in force."""
    if entry.event is Event.PAUSED and entry.code == UNSURE:
        return "may be paused"
    word = cards.happened(catalog, entry)
    return "accepted" if word == "started" and entry.verb == "stop" else word


def without_end(catalog: Catalog, entry: StoredEntry) -> str:
    """`paused without an end` for the outcome of a call that paused something and gave no end; empty for others."""
    capability = catalog.capability(entry.backend or "", entry.verb or "", entry.target_kind or "")
    if capability is None or capability.resumes is None or happened(catalog, entry) != "done":
        return ""
    return f"{'paused' if capability.resumes == 'resume' else 'switched off'} without an end"


def moves(catalog: Catalog, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """The entries that a timeline needs: no reads, no slips, nothing that was opened and left, of each call its outcome or
    `sent`."""
    looks = {str(entry.request_id) for entry in entries if is_look(catalog, entry) or _is_slip(catalog, entry)}
    began = {entry.request_id for entry in entries if entry.event is not Event.REQUESTED}
    answered = {entry.request_id for entry in entries if entry.event in OUTCOMES}
    given_up = {
        entry.request_id for entry in entries if entry.event is Event.ABANDONED
    }  # an `unknown` of theirs is told once
    return [
        entry
        for entry in entries
        if entry.request_id in began - looks
        and not (entry.event is Event.SENT and entry.request_id in answered)
        and not (entry.event is Event.UNKNOWN and entry.request_id in given_up)
        and not (entry.event is Event.DONE and entry.detail is None)  # the event column already shows it
    ]


async def ends_of(store: Store, entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """The ends and reviews of what these entries gave, wherever they were asked for."""
    given = {entry.rule: entry.at for entry in entries if entry.event in GIVEN}
    since = min(given.values(), default="")
    pages = await all_of(store.search(Filters(event=one, since=since), limit=_PAGE) for one in ENDS if given)
    return [entry for page in pages for entry in page if entry.rule in given]


def of_requests(entries: Sequence[StoredEntry], requests: Collection[str]) -> list[StoredEntry]:
    """The entries of these requests, and the ends and reviews of what they gave, wherever those were asked for."""
    given = {entry.rule for entry in entries if entry.request_id in requests and entry.event in GIVEN}
    return [one for one in entries if one.request_id in requests or (one.event in ENDS and one.rule in given)]


def with_ends(entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """These entries, where what was given was revoked, with the real end after the one that was meant."""
    ends = {entry.rule: entry.at for entry in entries if entry.event is Event.REVOKED}
    return [
        one.model_copy(update={"detail": _END.sub(rf"\g<0>, ended {ends[one.rule]}", one.detail or "")})
        if one.event in GIVEN and one.rule in ends
        else one
        for one in entries
    ]


def granted_apart(entries: Sequence[StoredEntry]) -> list[StoredEntry]:
    """These entries with a grant for a time that an approver gave together with the run, as if it had a request of its own."""
    sent = {entry.request_id for entry in entries if entry.event is Event.SENT}
    return [
        one.model_copy(update={"request_id": one.rule})
        if one.event is Event.GRANTED and one.request_id in sent and _END.search(one.detail or "")
        else one
        for one in entries
    ]


def nothing_done(entries: Sequence[StoredEntry]) -> frozenset[str]:
    """The requests that ended as failed before anything was sent, or that were refused: nothing was done."""
    sent = {entry.request_id for entry in entries if entry.event is Event.SENT}
    failed = [entry for entry in entries if entry.event is Event.FAILED]
    return frozenset(one.request_id for one in failed if one.request_id not in sent or one.code in _REFUSED)


def unknown(entries: Sequence[StoredEntry]) -> frozenset[str]:
    """The requests of which nobody knows whether they took effect, or how their run ended."""
    unsure = {entry.request_id for entry in entries if entry.event is Event.UNKNOWN}
    found = {entry.request_id for entry in entries if entry.event is Event.RECONCILED}
    lost = {entry.request_id for entry in entries if entry.event is Event.ENDED and entry.code == LOST}
    return frozenset(unsure - found | lost)


def asker(entry: StoredEntry) -> str:
    """Who asked, by name: the step of a workflow runs as the app itself, and what was arranged for a time by itself."""
    if entry.source == Source.STEP:
        return "a workflow"
    return whose(entry, cards.person(entry.user_id))


def people(entries: Sequence[StoredEntry]) -> Collection[str]:
    """Who asked for something, each once: from the terminal only who did nothing in Slack."""
    acts = [entry for entry in entries if entry.user_id and entry.source != Source.TIMER]
    in_slack = {entry.user_id for entry in acts if entry.source != Source.TERMINAL}
    named = [(entry, f"<@{entry.user_id}>") for entry in acts]
    return dict.fromkeys(who if entry.user_id in in_slack else asked_by(entry, who) for entry, who in named)


def is_look(catalog: Catalog, entry: StoredEntry) -> bool:
    """A read, a built-in read, or a command that could not be read. A read that was denied is not one: it is told."""
    builtin = catalog.builtin(entry.verb or "")
    risks = {builtin.risk} if builtin is not None else set()
    if entry.event is Event.FAILED and entry.risk is None:  # before its target was found
        risks |= {one.risk for _, one in catalog.capabilities(entry.verb or "", entry.backend)}
    asked = risks == {Risk.READ}
    return entry.event is Event.MISREAD or (entry.event is not Event.DENIED and (asked or entry.risk == str(Risk.READ)))


def _is_slip(catalog: Catalog, entry: StoredEntry) -> bool:
    """A built-in command that was typed and refused, one without a target, or what no capability covers: nothing was done or
    denied."""
    typed = entry.source != Source.BUTTON and catalog.builtin(entry.verb or "") is not None
    return entry.event is Event.FAILED and (entry.code in ("no_such_verb", "target_missing") or typed)
