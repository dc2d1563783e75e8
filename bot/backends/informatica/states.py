"""States of services, running jobs and ended jobs in words. What nobody documented is `unknown (X)`, never a success."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.backends.informatica.models import Status
from bot.core.outcome import Phase

# SEED: the table of the page "Secure Agent services". Which of them settle by themselves is read from their texts.
SERVICE: Final[Mapping[str, tuple[str, Phase]]] = {
    "NEED_RUNNING": ("start initiated", Phase.WAITING),
    "NEED_STOP": ("stop initiated", Phase.WAITING),
    "DEPLOYING": ("being provisioned", Phase.ACTIVE),
    "DEPLOYED": ("provisioned, will be running soon", Phase.ACTIVE),
    "UNKNOWN": ("status not known to Informatica", Phase.UNREADABLE),
    "ERROR": ("in an error state", Phase.FAILED),
    "STARTING": ("starting up", Phase.ACTIVE),
    "RUNNING": ("running and ready for jobs", Phase.SUCCEEDED),
    "RESTARTING": ("restarting, will be running soon", Phase.ACTIVE),
    "STOPPING": ("shutting down", Phase.ACTIVE),
    "USER_STOPPED": ("stopped by a user", Phase.STOPPED),
}
# GUESS, all of them but RUNNING (a published sample): the vendor's list of executionState was not at hand.
RUNNING: Final[Mapping[str, tuple[str, Phase]]] = {
    "INITIALIZED": ("initialized", Phase.WAITING),
    "QUEUED": ("queued", Phase.WAITING),
    "STARTING": ("starting", Phase.ACTIVE),
    "RUNNING": ("running", Phase.ACTIVE),
    "STOPPING": ("stopping", Phase.ACTIVE),
}
# GUESS: the codes' meanings were not at hand in the vendor's page. Completed with errors counts as failed.
ENDED: Final[Mapping[str, tuple[str, Phase]]] = {
    "1": ("completed", Phase.SUCCEEDED),
    "2": ("completed with errors", Phase.FAILED),
    "3": ("failed", Phase.FAILED),
}
READY: Final = "0"


def named(table: Mapping[str, tuple[str, Phase]], state: str | int | None) -> tuple[str, Phase]:
    """Words and phase of a state."""
    key = "nothing" if state is None else str(state)
    return table.get(key, (f"unknown ({key[:40]})", Phase.UNREADABLE))


def service_words(status: Status) -> tuple[str, Phase]:
    """A listed service; RUNNING counts as up only with subState "0", "-1" is still initialising (CODE iics-cli)."""
    words, phase = named(SERVICE, status.status)
    if status.status != "RUNNING":
        return (f"{words} ({status.status})" if status.status in SERVICE else words), phase
    if str(status.sub_state) == READY:
        return f"{words} (RUNNING)", phase
    sub = "none" if status.sub_state is None else str(status.sub_state)[:20]
    return f"running, still initialising (RUNNING, sub-state {sub})", Phase.ACTIVE


def newest(statuses: Sequence[Status]) -> Status:
    """The latest version of a service of which several may be listed."""
    return max(statuses, key=lambda one: (_version(one.appversion), one.create_time or ""))


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text or ""))
