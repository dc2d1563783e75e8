"""The launcher and the Home tab were opened."""

from __future__ import annotations

from bot.core.intent import Intent, Open
from bot.core.records import stamp
from bot.features.builtins import help_for, usable_verbs
from bot.features.forms import launcher
from bot.features.home import open_home
from bot.features.replies.answer import open_form
from bot.features.replies.suggestions import named_in
from bot.operations.authorize import sight_of
from bot.runtime.context import Context


async def opened(ctx: Context, intent: Intent, opening: Open) -> None:
    """Open the modal or the Home tab. A modal has to open within three seconds, so it comes first."""
    if opening.what == "home":
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
        await open_home(ctx, intent.actor.user_id, intent.place.team_id)
        return
    in_channel = bool(intent.place.channel_id)
    told = (await sight_of(ctx, intent.actor, intent.place)).patterns != ()
    verbs = () if not told else await usable_verbs(ctx, intent) if in_channel else _all_verbs(ctx)
    if not verbs:
        await help_for(ctx, intent, ())
        return
    is_command = launcher.command_in(ctx.catalog, verbs, opening.text) is not None
    named = None if is_command or not opening.text else await named_in(ctx, intent.actor, intent.place, opening.text)
    form = launcher.view(ctx.catalog, verbs, opening, ctx.ids.secret(), in_channel, named)
    await open_form(ctx, intent, form, {"files": list(opening.files)}, f"Type `{ctx.command} help` instead.")


def _all_verbs(ctx: Context) -> tuple[str, ...]:
    return tuple(sorted({row.verb for _, row in ctx.catalog.everything()}))
