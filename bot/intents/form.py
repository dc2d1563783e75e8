"""A submitted modal. Errors were shown at their fields before the ack; here its command runs."""

from __future__ import annotations

from bot.core.intent import Command, Form, Intent
from bot.core.value import Json
from bot.features import approvals
from bot.features.access import breakglass_review
from bot.features.forms import launcher
from bot.features.forms.opened import kept_of, place_of
from bot.features.replies.answer import say
from bot.intents.command import run_command
from bot.runtime.context import Context


async def check(ctx: Context, intent: Intent, form: Form) -> dict[str, str]:
    """Errors by field, empty when the form can be taken. Slack shows them as plain text, without markup."""
    kept = await kept_of(ctx, intent.actor, form.token)
    errors = _errors(ctx, form, kept) if kept is not None else {}
    return {field: text.replace("`", "") for field, text in errors.items()}


def _errors(ctx: Context, form: Form, kept: dict[str, Json]) -> dict[str, str]:
    if form.form == launcher.FORM:
        read = launcher.read(ctx, form, kept)
        return read if isinstance(read, dict) else {}
    if form.form in (approvals.DENY_FORM, approvals.ASK_FORM) and not form.text("reason"):
        return {"reason": "Enter a reason; others will read it."}
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
    if form.form == launcher.FORM:
        await _launch(ctx, intent, form, kept)
    elif form.form == approvals.DENY_FORM:
        await approvals.denied(ctx, intent, str(kept.get("hold")), form.text("reason"))
        ctx.stale_homes.stale(intent.actor.user_id)
    elif form.form == breakglass_review.FORM:
        await breakglass_review.close_review(
            ctx, intent, str(kept.get("grant")), intent.place, form.text(breakglass_review.NOTE)
        )
    elif form.form == approvals.ASK_FORM:
        await approvals.wanted(ctx, intent, form, kept)
    else:
        await say(ctx, intent, "This form is from a version of the bot that is no longer supported.")


async def _launch(ctx: Context, intent: Intent, form: Form, kept: dict[str, Json]) -> None:
    read = launcher.read(ctx, form, kept)
    if isinstance(read, Command):
        await run_command(ctx, intent, read)
    else:
        await say(ctx, intent, "; ".join(read.values()))
