"""What nobody asks for and everybody needs: the register's head posted daily, credentials that are about to end."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Card, Line, Tone
from bot.core.errors import Problem
from bot.core.intent import Place
from bot.core.outcome import Fact
from bot.core.ports.services import Backend
from bot.core.records import stamp
from bot.operations.audit_writer import Scribe
from bot.runtime.context import Deps

WARN_BEFORE: Final = timedelta(days=7)
KEEP: Final = timedelta(days=30)
NAMES_WITHIN: Final = 30.0

_log = logging.getLogger("signalbox.names")


async def publish_head(deps: Deps) -> None:
    """Once a day, `SEQ:HASH` of the last row to the security channel: with it a cut tail or a rolled-back file is found."""
    if deps.security_channel is None:
        return
    now = deps.clock.now()
    today = now.date().isoformat()
    head = await deps.store.head()
    if head is None or await deps.store.fact("head:published") == today:
        return
    row = Scribe().system(Event.HEAD_PUBLISHED, deps.ids.request(), now, deps.home_team, detail=head)
    await deps.store.set_fact("head:published", today, now, (row,))
    await deps.presenter.show(
        Card(
            key=f"head:{today}",
            place=Place(team_id=deps.home_team, channel_id=deps.security_channel),
            title="Head of the register",
            lines=(Line(text=head, code=True), Line(text=f"Check with `signalbox audit verify --head {head}`.")),
            at=now,
        )
    )


async def warn_of_credentials(deps: Deps) -> None:
    """A week ahead, once a day and credential, to the security channel."""
    now = deps.clock.now()
    today = now.date().isoformat()
    for name, checked in (await deps.health.check_all()).items():
        ends = checked.health.credential_ends
        if ends is None or ends - now > WARN_BEFORE or deps.security_channel is None:
            continue
        if await deps.store.fact(f"credential:{name}") == today:
            continue
        await deps.store.set_fact(f"credential:{name}", today, now)
        over = ends <= now
        await deps.presenter.show(
            Card(
                key=f"credential:{name}:{today}",
                place=Place(team_id=deps.home_team, channel_id=deps.security_channel),
                title=f"The credential of {name} {'has ended' if over else 'ends soon'}",
                tone=Tone.BAD if over else Tone.WARN,
                lines=(
                    Line(
                        text="Make a new one on the control plane, put it where the configuration points, and restart."
                    ),
                ),
                facts=(Fact(label="Ends", value=ends),),
                at=now,
            )
        )


async def prune(deps: Deps) -> None:
    """Forget what ended a month ago, a little at a time so that nobody waits for it; the register keeps everything."""
    before = stamp(deps.clock.now() - KEEP)
    while await deps.store.prune(before):
        pass


async def refresh_names(deps: Deps) -> None:
    """Every backend side by side; each remembers what it lists."""
    await asyncio.gather(*(_refresh(name, backend) for name, backend in deps.backends.items()))


async def _refresh(name: str, backend: Backend) -> None:
    try:
        async with asyncio.timeout(NAMES_WITHIN):
            await backend.targets()
    except (TimeoutError, Problem) as error:
        _log.info("names of %s were not read: %s", name, getattr(error, "code", "deadline"))
