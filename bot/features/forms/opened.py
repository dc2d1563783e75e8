"""Opening a modal, and what is kept of it until it is submitted: Slack gives back only its fields and a token."""

from collections.abc import Mapping

from bot.core.card import FormView
from bot.core.intent import Actor, Form, Intent, Place
from bot.core.ports.services import FormResult
from bot.core.value import Json
from bot.features.replies.answer import say
from bot.runtime.context import Context


async def open_form(ctx: Context, intent: Intent, form: FormView, kept: dict[str, Json], again: str) -> None:
    """Open a modal and end the request. What is `kept` is given back when the modal is submitted, to this person alone.

    Slack opens a modal within three seconds of the press or not at all: then `again` says what to do. When Slack refuses
    the modal itself, doing the same again doesn't help.
    """
    await keep(ctx, form.token, {"user": intent.actor.user_id, "place": intent.place.model_dump(mode="json"), **kept})
    trigger = intent.reply.trigger_id
    result = FormResult.LATE if trigger is None else await ctx.presenter.open_form(trigger, form)
    if result is FormResult.OPENED:
        await ctx.store.finish(intent.request_id, (), ctx.clock.now())
    elif result is FormResult.LATE:
        await say(ctx, intent, f"The form did not open in time. {again}")
    else:
        typed = f"`{ctx.command} help` shows what you can type instead."
        await say(ctx, intent, f"The form did not open, because Slack refused it. {typed}")


async def keep(ctx: Context, token: str, kept: Mapping[str, Json]) -> None:
    """Keep this until the modal with this token is submitted."""
    await ctx.store.set_value(f"form:{token}", dict(kept), ctx.clock.now())


async def kept_of(ctx: Context, actor: Actor, token: str) -> dict[str, Json] | None:
    """What is kept of the modal, None when this person did not open it."""
    kept = await ctx.store.value(f"form:{token}") if token else None
    return kept if isinstance(kept, dict) and kept.get("user") == actor.user_id else None


def place_of(kept: Mapping[str, Json], form: Form | None = None) -> Place:
    """Where the modal was opened, or the channel that is chosen in it."""
    opened = Place.stored(kept.get("place"))
    channel = form.values.get("channel") if form is not None else kept.get("chosen")
    if opened.channel_id or not isinstance(channel, str) or not channel:
        return opened
    return opened.model_copy(update={"channel_id": channel, "chosen": True})
