"""Statuses of jobs in words, and how a run that came back with a return code is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.backends.itential.models import Job, Output
from bot.core.outcome import Phase

# CODE itential_mcp. An `error` is still active there and can be retried; here it ends following, for nothing more happens
# by itself.
JOB: Final[Mapping[str, tuple[str, Phase]]] = {
    "running": ("running", Phase.ACTIVE),
    "complete": ("complete", Phase.SUCCEEDED),
    "error": ("error", Phase.FAILED),
    "canceled": ("canceled", Phase.STOPPED),
    "incomplete": ("incomplete", Phase.FAILED),
    "paused": ("paused", Phase.WAITING),
}


def job_state(job: Job) -> tuple[str, Phase]:
    """Name and phase; a return code other than 0 makes a completed job a failed one."""
    words, phase = JOB.get(job.status or "", (f"unknown ({(job.status or 'nothing')[:40]})", Phase.UNREADABLE))
    output = job.output
    if phase is Phase.SUCCEEDED and output is not None and output.return_code:
        return f"complete, with return code {output.return_code}", Phase.FAILED
    return words, phase


def run_state(output: Output) -> tuple[str, Phase]:
    """A run by its return code: 0 is good, anything else is not (DOC)."""
    if output.return_code is None:
        return "not ended", Phase.ACTIVE
    return f"return code {output.return_code}", Phase.FAILED if output.return_code else Phase.SUCCEEDED
