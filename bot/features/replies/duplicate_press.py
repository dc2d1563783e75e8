"""The same button pressed by two people within a moment: the second hears of the first before anything runs twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import Button, Line, Tone
from bot.core.command.parser import format_command
from bot.core.intent import Command, Intent
from bot.core.records import StoredButton, stamp
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context
from bot.runtime.debounce import Pressed

# So long a card may not show yet what somebody else's press began.
MOMENT: Final = timedelta(minutes=1)


async def was_pressed(ctx: Context, intent: Intent, row: StoredButton, asked: Command) -> bool:
    """Whether somebody else has just pressed the same, and this person was told so instead."""
    if not ctx.catalog.acts_once(asked.verb, asked.target):
        return False
    now = ctx.clock.now()
    for earlier in ctx.presses.before(row, intent.actor.user_id, now - MOMENT):
        if await _came_to_something(ctx, earlier):
            await _tell(ctx, intent, asked, earlier, now)
            return True
    return False


async def _came_to_something(ctx: Context, earlier: Pressed) -> bool:
    """Not when it was denied or refused: then the second press is the first that counts."""
    request = await ctx.store.request(earlier.request_id)
    return request is not None and (request.state != "ended" or request.operation is not None)


async def _tell(ctx: Context, intent: Intent, asked: Command, earlier: Pressed, now: datetime) -> None:
    label = cards.LABELS.get(asked.verb, asked.verb)
    ago = f"{max(1, round((now - earlier.at).total_seconds()))} s ago"
    row = AuditWriter(ctx.secrets).plain(
        Event.DENIED, intent, now, verb=asked.verb, code="pressed_already", detail=f"{earlier.user_id} pressed it {ago}"
    )
    await ctx.store.finish(intent.request_id, (row,), stamp(now))
    anyway = Button(
        label="Run it anyway",
        action="run_anyway",
        id=ctx.ids.secret(),
        only_user=intent.actor.user_id,
        means=cards.command_means(asked.verb, asked.target or "", asked.params),
    )
    card = cards.private(
        intent,
        f"<@{earlier.user_id}> pressed {label} {ago}",
        tone=Tone.ASK,
        status="Nothing was done for your press",
        lines=(Line(text=format_command(asked), code=True), Line(text="Pressing it again makes a second run.")),
        buttons=(anyway,),
        footer=(f"request {intent.request_id}", f"the other is {earlier.request_id}"),
        mention=(earlier.user_id, intent.actor.user_id),
    )
    await ctx.presenter.show(card, intent.reply)
