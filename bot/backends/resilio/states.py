"""The words for states of runs and of the connection to the Management Console.

The words of both lists are the seed's; which of them end a run is inferred (GUESS). The seed runs the states of
sync jobs together without separators ("mounting selective sync volume no peers syncing synced").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.backends import unknown
from bot.core.outcome import Level, Phase, State

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
    Phase.ACTIVE: (
        "writing acl",
        "processing files",
        "indexing",
        "low priority",
        "mounting selective sync volume",
        "syncing",
        "downloading",
        "seeding",
        "cleaning up destination folder",
        "executing pre-indexing script",
        "executing post-download script",
        "executing complete script",
        "archiving script logs",
        "executing script",
    ),
    Phase.SUCCEEDED: ("synced", "successfully finished"),
    Phase.FAILED: ("error", "invalid state"),
    Phase.STOPPED: ("expired",),
}
RUN_STATES: Final[Mapping[str, Phase]] = {state: phase for phase, states in _PHASES.items() for state in states}


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
