"""The last lines of a failed run's log, for its card: read once, after the card says that the run failed."""

from __future__ import annotations

import asyncio
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

LINES: Final = 6
HEADING: Final = "Last lines of the log"
WITHIN: Final = 20.0  # seconds, with the wait for other logs of the same backend
_LONGEST: Final = 240


def wanted(card: Card, view: RunView) -> bool:
    """Whether the run failed without an excerpt of its log, and the requester may read the log here: the card has *Log*."""
    offered = any(button.means.get("verb") == "logs" for button in card.buttons)
    return view.phase is Phase.FAILED and "\n" not in view.message and offered


async def last_lines(ctx: Context, intent: Intent, run: Target) -> Line | None:
    """The last lines, masked as in the answer of `logs`. None when the log can't be read in time or is empty."""
    capability = ctx.catalog.row(run.backend, "logs", run.kind)
    if capability is None or not any(param.name == "tail" for param in capability.params):
        return None
    given = check_params(capability.params, (("tail", str(LINES)),))
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
    rows = [row[:_LONGEST] for row in found.preview.splitlines() if row.strip()][-LINES:]
    return Line(heading=HEADING, text="\n".join(rows), code=True) if rows else None
