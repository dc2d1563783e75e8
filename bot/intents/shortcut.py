"""The launcher and the Home tab were opened."""

from __future__ import annotations

from bot.core.intent import Intent, Open
from bot.core.records import stamp
from bot.features.builtins import help_for
from bot.features.forms import launcher
from bot.features.forms.menus import usable_rows
from bot.features.home import open_home
from bot.features.replies.suggestions import named_in
from bot.operations.authorize import sight_of
from bot.runtime.context import Context


async def opened(ctx: Context, intent: Intent, opening: Open) -> None:
    """Open the modal or the Home tab. A modal has to open within three seconds, so it comes first."""
    if opening.what == "home":
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
        await open_home(ctx, intent.actor.user_id, intent.place.team_id)
        return
    actor, place = intent.actor, intent.place
    may_see = (await sight_of(ctx, actor, place)).patterns != ()
    verbs = {row.verb for _, row in await usable_rows(ctx, actor, place)} if may_see else set()
    if not verbs:
        await help_for(ctx, intent, ())
        return
    known = launcher.command_in(ctx.catalog, verbs, opening.text)
    named = await named_in(ctx, actor, place, opening.text) if known is None and opening.text else None
    asks_channel = not place.channel_id
    draft = launcher.drafted(opening, ctx.ids.secret(), known, named, asks_channel=asks_channel)
    await launcher.launch(ctx, intent, draft)
