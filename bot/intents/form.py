"""Modals: opened from a shortcut or the Home tab, and submitted. Errors were shown at their fields before the ack."""

from typing import Final

from bot.core.intent import Command, Form, Intent, Open
from bot.core.records import stamp
from bot.core.value import Json
from bot.features import approvals
from bot.features.access import breakglass_review
from bot.features.builtins import help_for
from bot.features.forms import launcher
from bot.features.forms.menus import usable_capabilities
from bot.features.forms.opened import kept_of, place_of
from bot.features.home import open_home
from bot.features.replies.answer import clean, say
from bot.features.replies.suggestions import named_in
from bot.intents.command import run_command
from bot.operations.authorize import catalog_of
from bot.runtime.context import Context

REASON: Final = "reason"


async def check(ctx: Context, intent: Intent, form: Form) -> dict[str, str]:
    """Errors by field, empty when the form can be taken. Slack shows them as plain text, without markup."""
    kept = await kept_of(ctx, intent.actor, form.token)
    errors = _errors(ctx, intent, form, kept) if kept is not None else {}
    if kept is not None and not errors and form.form == breakglass_review.FORM:
        more = await breakglass_review.since_opened(ctx, form.token, kept)
        errors = {breakglass_review.NOTE: more} if more else {}
    return {field: text.replace("`", "") for field, text in errors.items()}


def _errors(ctx: Context, intent: Intent, form: Form, kept: dict[str, Json]) -> dict[str, str]:
    if form.form == launcher.FORM:
        read = launcher.read(ctx, intent, form, kept)
        return read if isinstance(read, dict) else {}
    if form.form in (approvals.DENY_FORM, approvals.ASK_FORM) and not form.text(REASON):
        return {REASON: "Enter a reason; others will read it."}
    if form.form == breakglass_review.FORM and not form.text(breakglass_review.NOTE):
        return {breakglass_review.NOTE: "Describe what was done and whether it was right."}
    return {}


async def placed(ctx: Context, intent: Intent, form: Form) -> Intent:
    """The request where the form was opened, or in the channel chosen in it: Slack names no place when a modal comes back.

    Called before the request is stored, because later steps read the place from the store.
    """
    kept = await kept_of(ctx, intent.actor, form.token)
    return _placed(intent, form, kept) if kept is not None else intent


def _placed(intent: Intent, form: Form, kept: dict[str, Json]) -> Intent:
    place = place_of(kept, form)
    return intent.model_copy(update={"place": place.model_copy(update={"team_id": intent.place.team_id})})


async def submitted(ctx: Context, intent: Intent, form: Form) -> None:
    """Run a form. Only the person who opened it can submit it, and it runs in the place where it was opened."""
    kept = await kept_of(ctx, intent.actor, form.token)
    if kept is None:
        await say(ctx, intent, "This form is no longer known. Open it again.")
        return
    intent = _placed(intent, form, kept)  # again: a request of an earlier version was stored without
    words = {name: clean(ctx, form.text(name)) for name in (REASON, breakglass_review.NOTE) if name in form.values}
    form = form.model_copy(update={"values": {**form.values, **words}})
    if form.form == launcher.FORM:
        read = launcher.read(ctx, intent, form, kept)
        if isinstance(read, Command):
            await run_command(ctx, intent, read)
        else:
            await say(ctx, intent, "; ".join(read.values()))
    elif form.form == approvals.DENY_FORM:
        await approvals.denied(ctx, intent, str(kept.get("pending")), form.text(REASON))
        ctx.stale_homes.stale(intent.actor.user_id)
    elif form.form == breakglass_review.FORM:
        if more := await breakglass_review.since_opened(ctx, form.token, kept):  # since the form was checked
            await say(ctx, intent, f"The review is still open. {more}")
            return
        await breakglass_review.close_review(
            ctx, intent, str(kept.get("grant")), intent.place, form.text(breakglass_review.NOTE)
        )
    elif form.form == approvals.ASK_FORM:
        await approvals.wanted(ctx, intent, form, kept)
    else:
        await say(ctx, intent, "This form is from a version of the bot that is no longer supported.")


async def opened(ctx: Context, intent: Intent, opening: Open) -> None:
    """Open the modal or the Home tab. A modal has to open within three seconds, so it comes first."""
    if opening.what == "home":
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
        await open_home(ctx, intent)
        return
    actor, place = intent.actor, intent.place
    catalog = await catalog_of(ctx, actor, place)
    usable = await usable_capabilities(ctx, actor, place) if catalog.backends else ()
    verbs = {capability.verb for _, capability in usable}
    if not verbs:
        await help_for(ctx, intent, ())
        await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
        return
    known = launcher.command_in(catalog, verbs, opening.text)
    named = await named_in(ctx, actor, place, opening.text) if known is None and opening.text else None
    asks_channel = not place.channel_id
    draft = launcher.drafted(opening, ctx.ids.secret(), known, named, asks_channel=asks_channel)
    await launcher.launch(ctx, intent, draft)
