"""Short answers for one person that end a request."""

from __future__ import annotations

from bot.core.card import Line, Tone
from bot.core.intent import Intent
from bot.core.records import stamp
from bot.operations import cards
from bot.runtime.context import Context


async def say(ctx: Context, intent: Intent, text: str, *, tone: Tone = Tone.WARN, replace: bool = False) -> None:
    """A sentence for the asker alone, and the end of this request. `replace` puts it over the message that was pressed."""
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    card = cards.private(intent, text, tone=tone, footer=(f"request {intent.request_id}",))
    await ctx.presenter.show(card, intent.reply, replace=replace)


async def tell(ctx: Context, intent: Intent, title: str, lines: tuple[Line, ...] = (), tone: Tone = Tone.PLAIN) -> None:
    """An answer for the asker alone, and the end of this request."""
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    await ctx.presenter.show(cards.private(intent, title, tone=tone, lines=lines), intent.reply)
