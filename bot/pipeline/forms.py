"""A submitted modal. What does not fit was answered at its field before the ack; here it is run."""

from __future__ import annotations

from bot.core.intent import Command, Form, Intent, Place
from bot.core.value import Json
from bot.pipeline import approvals, filling, launcher, reviewing
from bot.pipeline.commands import command
from bot.pipeline.deps import Deps
from bot.pipeline.home import refresh_homes
from bot.pipeline.say import say


async def check(deps: Deps, ask: Form) -> dict[str, str] | None:
    """Errors by field, None when the form can be taken."""
    if ask.form == launcher.FORM:
        kept = await deps.store.fact(f"form:{ask.token}")
        read = launcher.read(deps.catalog, ask, _files(kept))
        return read if isinstance(read, dict) else None
    if ask.form in (approvals.DENY_FORM, approvals.ASK_FORM) and not _said(ask, "reason"):
        return {"reason": "Say why; others will read it."}
    if ask.form == reviewing.FORM and not _said(ask, reviewing.NOTE):
        return {reviewing.NOTE: "Say what was done and whether it was right."}
    return None


def _files(kept: Json) -> tuple[str, ...]:
    """The files of the message that the form was opened on."""
    files = kept.get("files") if isinstance(kept, dict) else None
    return tuple(str(file) for file in files) if isinstance(files, list) else ()


def _said(ask: Form, name: str) -> str:
    value = ask.values.get(name)
    return value.strip() if isinstance(value, str) else ""


async def form(deps: Deps, intent: Intent, ask: Form) -> None:
    """The person must be the one who opened it; the place is the one it was opened in."""
    kept = await deps.store.fact(f"form:{ask.token}")
    if not isinstance(kept, dict) or kept.get("user") != intent.actor.user_id:
        await say(deps, intent, "This form is no longer known; open it again.")
        return
    if ask.form == launcher.FORM:
        await _launch(deps, intent, ask, kept)
    elif ask.form == approvals.DENY_FORM:
        place = Place.model_validate(kept.get("place"))
        await _deny(deps, intent, str(kept.get("hold")), place, _said(ask, "reason"))
    elif ask.form == reviewing.FORM:
        place = Place.model_validate(kept.get("place"))
        await reviewing.close_review(deps, intent, str(kept.get("grant")), place, _said(ask, reviewing.NOTE))
    elif ask.form == approvals.ASK_FORM:
        await approvals.wanted(deps, intent, ask, kept)
    elif ask.form == filling.FORM:
        read, place = filling.filled(ask, kept)
        await command(deps, intent.model_copy(update={"place": place}), read)
    else:
        await say(deps, intent, "This form is of a version that is no longer understood.")


async def _deny(deps: Deps, intent: Intent, hold_id: str, place: Place, reason: str) -> None:
    await approvals.denied(deps, intent, hold_id, place, reason)
    hold = await deps.store.open_hold(hold_id)
    if hold is not None:
        await refresh_homes(deps, hold, intent.actor.user_id)


async def _launch(deps: Deps, intent: Intent, ask: Form, kept: dict[str, Json]) -> None:
    read = launcher.read(deps.catalog, ask, _files(kept))
    place = Place.model_validate(kept.get("place"))
    if not place.channel_id:
        channel = ask.values.get("channel")
        place = place.model_copy(update={"channel_id": channel if isinstance(channel, str) else ""})
    if isinstance(read, Command):
        await command(deps, intent.model_copy(update={"place": place}), read)
    else:
        await say(deps, intent, "; ".join(read.values()))
