"""The card of a grant in its channel, and the message that it ended."""

from __future__ import annotations

from datetime import datetime

from bot.core.card import Card, Line, Tone, approval_key, operation_key
from bot.core.intent import Place
from bot.core.outcome import Fact
from bot.core.records import Grant
from bot.runtime.context import Context


async def show(ctx: Context, grant: Grant, status: str = "", warning: str = "") -> None:
    """The card of a grant in its channel: who may do what until when, who granted it, and why. It mentions the person."""
    lines = (Line(heading="Reason", text=grant.reason or "none given"),)
    people = (grant.user_id, *grant.granted_by.split(", "))
    by = ", ".join(f"<@{user}>" for user in people[1:])
    card = Card(
        key=f"grant:{grant.id}",
        place=_place(ctx, grant),
        title=f"Granted: {', '.join(grant.verbs)} on {', '.join(grant.targets)}",
        tone=Tone.GOOD if grant.state == "open" else Tone.PLAIN,
        status=status or "In force",
        lines=(Line(heading="Warning", text=warning), *lines) if warning else lines,
        facts=(
            Fact(label="Who", value=f"<@{grant.user_id}>"),
            Fact(label="By", value=by),
            Fact(label="Until", value=datetime.fromisoformat(grant.until_at)),
        ),
        footer=(f"grant {grant.id}", f"request {grant.request_id}"),
        mention=tuple(dict.fromkeys(people)),
    )
    ctx.stale_homes.stale(grant.user_id)
    await ctx.presenter.show(card)


def _place(ctx: Context, grant: Grant) -> Place:
    return Place(team_id=ctx.home_team, channel_id=grant.channel_id or ctx.security_channel or "")


async def ended(ctx: Context, grant_id: str, text: str, *people: str) -> None:
    """Say on the card that the grant ended, and mention the person in its thread."""
    found = await ctx.store.grant_by_id(grant_id)
    if found is None:
        return
    ctx.stale_homes.stale(found.user_id)
    posted = await ctx.store.message(f"grant:{found.id}")
    if posted is not None:
        await show(ctx, found, text)
    for key in (operation_key(found.request_id), approval_key(found.request_id)):
        posted = posted or await ctx.store.message(key)
    place = _place(ctx, found)
    if posted is not None and posted.channel_id == place.channel_id:
        place = place.model_copy(update={"thread_ts": posted.thread_ts or posted.ts})
    card = Card(
        key=f"grant:{found.id}:ended",
        place=place,
        title=f"Grant ended: {', '.join(found.verbs)} on {', '.join(found.targets)} for <@{found.user_id}>",
        status=text,
        footer=(f"grant {found.id}",),
        mention=tuple(dict.fromkeys((found.user_id, *people))),
    )
    await ctx.presenter.show(card)
