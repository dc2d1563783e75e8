"""The last lines of a failed run's log, for its card: read once, after the card says that the run failed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

from bot.core.card import Card, Line
from bot.core.command.catalog import check_params
from bot.core.effects import Attempt
from bot.core.intent import Intent
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Phase, RunView
from bot.operations.backend_call import call
from bot.runtime.context import Context

LINES: Final = 3
WITHIN: Final = 20.0  # seconds, with the wait for other logs of the same backend
_READ: Final = 40  # last lines that are searched for errors
_LONGEST: Final = 240
_ERROR: Final = re.compile(r"\b(error|fatal|critical|exception|fail(ed|ure)?)\b", re.IGNORECASE)
_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+")


def wanted(card: Card, view: RunView) -> bool:
    """Whether the run failed without an excerpt of its log, and the requester may read the log here: the card has *Log*."""
    offered = any(button.means.get("verb") == "logs" for button in card.buttons)
    return view.phase is Phase.FAILED and "\n" not in view.message and offered


def failed_of(run: Target, view: RunView) -> Target:
    """The run whose log explains the failure: of several runs that one start began, the first whose log the card offers."""
    offered = [step.target for step in view.next if step.verb == "logs"]
    failed = (one for one in run.together if any(target.endswith(f"/{one}") for target in offered))
    id_ = next(failed, None)
    return run if id_ is None else run.model_copy(update={"id": id_, "name": f"run/{id_}", "together": ()})


async def last_lines(ctx: Context, intent: Intent, run: Target) -> Line | None:
    """The last errors, or else the last lines, masked as in the answer of `logs` and without their times, which are on the
    control plane's clock. None when the log can't be read in time or is empty."""
    capability = ctx.catalog.row(run.backend, "logs", run.kind)
    if capability is None or not any(param.name == "tail" for param in capability.params):
        return None
    given = check_params(capability.params, (("tail", str(_READ)),))
    operation = Operation.of(capability, request_id=intent.request_id, target=run, given=given, reason=None)
    try:
        async with asyncio.timeout(WITHIN), ctx.locks.of(f"failed log:{run.backend}"):
            found = await call(ctx, Attempt(intent, operation, None, refreshes=(intent, operation)))
    except TimeoutError:
        return None
    if not isinstance(found, Done):
        return None
    for file in found.files:
        Path(file.path).unlink(missing_ok=True)  # noqa: ASYNC240  one unlink of a local file
    rows = [_TIME.sub("", row)[:_LONGEST] for row in found.preview.splitlines() if row.strip()]
    errors = [row for row in rows if _ERROR.search(row)]
    heading = "Last errors in the log" if errors else "Last lines of the log"
    return Line(heading=heading, text="\n".join((errors or rows)[-LINES:]), code=True) if rows else None
