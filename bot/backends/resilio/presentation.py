"""States of jobs and agents, and how jobs, transfers and agents are shown."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.backends import unknown
from bot.backends.resilio.capabilities import RUN
from bot.backends.resilio.models import Client, Run, Tag
from bot.core.outcome import Fact, FactValue, Level, Phase, RunView, State, Suggestion, Table, facts_of
from bot.core.text import first_of, seconds_words, written
from bot.core.vendor_json import Number, mark, moment, unread, unreadable

CONNECTIONS: Final[Mapping[str, tuple[str, Level]]] = {
    "NOT_CONFIGURED": ("not set up: it belongs to no Management Console", Level.BAD),
    "NOT_CONNECTED": ("not connected to its Management Console", Level.BAD),
    "CONNECTING": ("connecting to its Management Console", Level.WORKING),
    "CONNECTED": ("connected to its Management Console", Level.GOOD),
    "PENDING_APPROVAL": ("connected, waiting to be approved or declined in the Management Console", Level.WARN),
    "DECLINED": ("declined by the Management Console", Level.BAD),
    "STOPPED": ("stopped: its host has no network", Level.BAD),
    "WAITING_FOR_INCOMING_CONNECTION": ("waiting for an incoming connection (proxy server mode)", Level.WORKING),
}
TYPES: Final[Mapping[str, str]] = {
    "folder": "synchronization",
    "transfer": "distribution or consolidation",
    "script": "script",
}
_PHASES: Final[Mapping[Phase, tuple[str, ...]]] = {
    Phase.WAITING: ("loading", "paused", "no peers", "waiting for files from source", "waiting for scheduled script"),
    Phase.ACTIVE: ("writing acl", "processing files", "indexing", "low priority", "mounting selective sync volume",
        "syncing", "downloading", "seeding", "cleaning up destination folder", "executing pre-indexing script",
        "executing post-download script", "executing complete script", "archiving script logs", "executing script"),
    Phase.SUCCEEDED: ("synced", "successfully finished"),
    Phase.FAILED: ("error", "invalid state"),
    Phase.STOPPED: ("expired",),
}  # fmt: skip
RUN_STATES: Final[Mapping[str, Phase]] = {state: phase for phase, states in _PHASES.items() for state in states}
Clean = Callable[[str], str]  # a text of the agent on one line, without secrets
NO_CAUSE: Final = "The agent reports no error text for it. Its Management Console has the log."
_BAR: Final = 10
_LONGEST_ETA: Final = 366 * 86_400
_ERRORS_SHOWN: Final = 3
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def connection(state: str | None) -> State:
    """The connection in words; an undocumented state is `unknown (X)`, with level bad if its name indicates a problem."""
    text, level = CONNECTIONS.get(state or "") or (unknown(state), Level.UNSURE)
    bad = level is Level.UNSURE and any(
        word in (state or "").upper() for word in ("FAIL", "ERROR", "DENIED", "REFUSED")
    )
    return State(text=text, level=Level.BAD if bad else level)


def run_state(status: str | None) -> tuple[str, Phase]:
    """A run's state and phase, in any case; an undocumented state is `unknown (X)`, never a success."""
    words = " ".join((status or "").lower().split())
    phase = RUN_STATES.get(words)
    return (words, phase) if phase else (unknown(status), Phase.UNREADABLE)


def size_text(size: Number) -> str:
    """`126936039` as `126.9 MB`: thousands, as the Management Console counts."""
    value, unit = float(size), 0
    while abs(value) >= 999.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{int(value)} B"


def percent(done: int | None, total: int | None) -> int | None:
    """Whole per cent, 100 only if all is done; None if there is nothing to count."""
    if done is None or not total or total < 0:
        return None
    return min(max(done, 0), total) * 100 // total


def bar(done: int | None, total: int | None) -> str:
    """`████████░░ 87 %`; empty when there is nothing to count."""
    share = percent(done, total)
    if share is None:
        return ""
    full = share * _BAR // 100
    return f"{'█' * full}{'░' * (_BAR - full)} {share} %"


def _pair(done: int | None, total: int | None) -> str:
    return "" if done is None or total is None else f"{done:,} of {total:,}"


def _data(run: Run) -> str:
    if run.size_completed is None or run.size_total is None:
        return ""
    return f"{size_text(run.size_completed)} of {size_text(run.size_total)}"


def _speed(run: Run) -> str:
    parts = [f"{arrow} {size_text(speed)}/s" for arrow, speed in (("↓", run.down_speed), ("↑", run.up_speed)) if speed]
    return " ".join(parts)


def _left(run: Run, phase: Phase) -> timedelta | None:
    if phase.ended or run.eta is None or not 0 < run.eta <= _LONGEST_ETA:
        return None
    return timedelta(seconds=int(run.eta))


def error_texts(errors: Any, clean: Clean) -> list[str]:
    """Errors as text, whatever form an item has: a text, an object with a message, or anything else as JSON."""
    items = errors if isinstance(errors, list) else [errors] if errors else []
    return [text for item in items if (text := clean(_error(item))[:200])]


def _error(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        for key in ("message", "description", "error", "text", "name"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return json.dumps(item, ensure_ascii=False, sort_keys=True)


def run_view(backend: str, run: Run, clean: Clean) -> RunView:
    """The state of a run, with bytes as its progress. This API can't stop a single run."""
    state, phase = run_state(run.status)
    errors = error_texts(run.errors, clean) or ([NO_CAUSE] if phase is Phase.FAILED else [])
    peers = run.peers_count
    proxied = f" ({run.peers_count_proxied} through a proxy)" if run.peers_count_proxied else ""
    files = _pair(run.files_completed, run.files_total)
    facts = (("Data", _data(run)), ("Files", files), ("Speed", _speed(run)))
    inner = (
        ("Job", clean(run.name)),
        ("Kind", TYPES.get(run.type or "", unknown(clean(run.type or "")))),
        ("Received", size_text(run.transferred_down) if run.transferred_down else None),
        ("Sent", size_text(run.transferred_up) if run.transferred_up else None),
        ("Peers", f"{peers}{proxied}" if peers is not None else None),
        ("Path", clean(run.path or "")),
        ("Last synced", moment(run.last_synced)),
    )
    refresh = Suggestion(label="Refresh", verb="status", target=written(backend, f"{RUN}/{run.run_id}"))
    return RunView(
        state=state,
        phase=phase,
        facts=(*facts_of(facts), *unreadable(run)),
        details=facts_of(inner),
        message=first_of(errors, _ERRORS_SHOWN),
        done=run.size_completed,
        total=run.size_total,
        left=_left(run, phase),
        next=() if phase.ended or run.run_id is None else (refresh,),
    )


def run_table(runs: Sequence[Run], total: int, clean: Clean) -> Table:
    """Runs as rows, in the order given."""
    columns = ("Run", "Job", "State", "Progress", "Done", "Files", "Speed", "Time left", "Errors")
    rows = []
    for run in runs:
        state, phase = run_state(run.status)
        left = _left(run, phase)
        rows.append(
            (
                f"{RUN}/{run.run_id}" if run.run_id is not None else "",
                clean(run.name),
                mark(state, run),
                bar(run.size_completed, run.size_total),
                _data(run),
                _pair(run.files_completed, run.files_total),
                _speed(run),
                seconds_words(left.total_seconds()) if left else "",
                first_of(error_texts(run.errors, clean), _ERRORS_SHOWN),
            )
        )
    return Table(columns=columns, rows=tuple(rows), total=total, note=unread(runs))


def runs_text(runs: Sequence[Run]) -> str:
    """`3: 1 downloading, 2 synced`."""
    if not runs:
        return "none"
    states: dict[str, int] = {}
    for run in runs:
        state = run_state(run.status)[0]
        states[state] = states.get(state, 0) + 1
    return f"{len(runs)}: " + ", ".join(f"{count} {state}" for state, count in list(states.items())[:6])


def device(client: Client, clean: Clean) -> tuple[Fact, ...]:
    """The agent's own id, for the details of a card."""
    return facts_of((("Device", clean(client.deviceid)),))


def client_facts(client: Client, clean: Clean) -> list[Fact]:
    """The facts of the agent; that it isn't paused and needs no restart is not one."""
    server = client.server
    paused = "not reported" if client.paused is None else "yes" if client.paused else None
    optional: tuple[tuple[str, FactValue], ...] = (
        ("Paused", paused),
        ("Restart required", "yes" if client.restart_required else None),
        ("Management Console", clean(server.addr or "") or None if server else None),
        ("Last seen by it", moment(server.last_seen) if server else None),
    )
    return [
        Fact(label="Agent", value=clean(client.name) or None),
        Fact(label="Connection", value=connection(server.state if server else None).text),
        *(Fact(label=label, value=value) for label, value in optional if value is not None),
        *unreadable(client),
    ]


def client_state(client: Client) -> State:
    """Whether it is paused, and its connection. A paused agent does nothing, even if it is connected."""
    state = connection(client.server.state if client.server else None)
    if not client.paused:
        return state
    return State(text=f"paused, {state.text}", level=Level.WARN if state.level is Level.GOOD else state.level)


def client_next(backend: str, client: Client) -> tuple[Suggestion, ...]:
    """Buttons for the actions that make sense now."""
    target = written(backend)
    switch = ("Resume", "resume") if client.paused else ("Pause", "pause")
    steps = [switch, ("Runs", "history")]
    if client.restart_required:
        steps.insert(0, ("Restart", "restart"))
    return tuple(Suggestion(label=label, verb=verb, target=target) for label, verb in steps)


def tag_table(tags: Sequence[Tag], clean: Clean) -> Table:
    """Tags by name."""
    rows = sorted((clean(tag.name), mark(clean(tag.value or ""), tag)) for tag in tags)
    return Table(columns=("Tag", "Value"), rows=tuple(rows), total=len(rows), note=unread(tags))
