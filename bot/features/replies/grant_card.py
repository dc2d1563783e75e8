"""The card of a grant in its channel, and the message that it ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.approval import ANY_PARAMETERS
from bot.core.card import Button, Card, Line, Tone, approval_key, operation_key
from bot.core.intent import Place
from bot.core.outcome import Fact
from bot.core.records import Grant
from bot.core.text import utc_text
from bot.operations import cards
from bot.operations.authorize import not_in_force
from bot.runtime.context import Context

PRESSED: Final = "ended with a button"  # the reason in the audit log when nobody typed one


async def show(ctx: Context, grant: Grant, status: str = "", warning: str = "", also: Sequence[str] = ()) -> None:
    """The card of a grant in its channel: who may do what until when, who granted it, and why. It mentions the person.
    `also` are further people in the status."""
    async with ctx.locks.of(f"grant:{grant.id}"):
        newest = await ctx.store.grant_by_id(grant.id)
        await _show(
            ctx, newest or grant, status if newest is None or newest.state == grant.state else "", warning, also
        )
    ctx.stale_homes.stale(grant.user_id)


async def _show(ctx: Context, grant: Grant, status: str, warning: str, also: Sequence[str]) -> None:
    people = (grant.user_id, *grant.granted_by.split(", "))
    by, is_open = ", ".join(f"<@{user}>" for user in people[1:]), grant.state == "open"
    card = Card(
        key=f"grant:{grant.id}",
        place=_place(ctx, grant),
        title=f"Granted: {what(grant)}, {ANY_PARAMETERS}",
        tone=Tone.GOOD if is_open else Tone.PLAIN,
        status=status,
        rows=(
            Fact(label="To", value=f"<@{grant.user_id}>"),
            *((Fact(label="Warning", value=warning),) if warning else ()),
            Fact(label="Until", value=datetime.fromisoformat(grant.until_at)),
            Fact(label="Granted by", value=by),
            Fact(label="Why", value=grant.reason or "no reason given"),
        ),
        buttons=(await revoke_button(ctx, grant, "Revoke"),) if is_open else (),
        details=(Fact(label="Grant", value=grant.id), Fact(label="Request", value=grant.request_id)),
        mention=tuple(dict.fromkeys((*people, *also, *((grant.channel_id,) if grant.channel_id else ())))),
    )
    await ctx.presenter.show(card)


def what(grant: Grant) -> str:
    """Its verbs and targets in words."""
    return f"{', '.join(grant.verbs)} on {', '.join(grant.targets)}"


async def holder(ctx: Context, grant: Grant) -> str:
    """The person's name, for a text in which Slack shows no mention."""
    return (await ctx.directory.names((grant.user_id,))).get(grant.user_id, grant.user_id)


async def revoke_button(ctx: Context, grant: Grant, label: str, more: str = "") -> Button:
    """A button that ends the grant, for those who may: `revoke` checks who presses it. Its question names what ends, without a
    time on a card for all: Slack shows none in the reader's zone there, and the card has it. `more` follows in the question."""
    of = "break-glass" if grant.breakglass else f"grant of {what(grant)}"
    return Button(
        label=label,
        action="revoke",
        id=ctx.ids.secret(),
        style="danger",
        confirm=f"The {of} for {await holder(ctx, grant)} ends now{more}.",
        means=cards.say_means(f"revoke {grant.id} -- {PRESSED}"),
    )


def _place(ctx: Context, grant: Grant) -> Place:
    return Place(team_id=ctx.home_team, channel_id=grant.channel_id or ctx.security_channel or "")


async def ended(ctx: Context, grant_id: str, text: str, *people: str) -> None:
    """Say on the card that the grant ended, and mention the person in its thread."""
    found = await ctx.store.grant_by_id(grant_id)
    if found is None:
        return
    ctx.stale_homes.stale(found.user_id)
    async with ctx.locks.of(f"grant:{found.id}"):
        posted = await ctx.store.message(f"grant:{found.id}")
        if posted is not None:
            await show(ctx, found, text, also=people)
    for key in (operation_key(found.request_id), approval_key(found.request_id)):
        posted = posted or await ctx.store.message(key)
    place = _place(ctx, found)
    if posted is not None and posted.channel_id == place.channel_id:
        place = place.model_copy(update={"thread_ts": posted.thread_ts or posted.ts})
    card = Card(
        key=f"grant:{found.id}:ended",
        place=place,
        title=f"{'Break-glass ended' if found.breakglass else f'Grant ended: {what(found)}'} for <@{found.user_id}>",
        status=text,
        lines=await still_granted(ctx, found),
        mention=tuple(dict.fromkeys((found.user_id, *people))),
    )
    await ctx.presenter.show(card)


async def still_granted(ctx: Context, ended: Grant) -> tuple[Line, ...]:
    """What to say of another grant of the same that is still active; nothing without one."""
    same = ("user_id", "verbs", "targets", "channel_id", "breakglass")
    left = [
        one
        for one in await ctx.store.open_grants(ctx.clock.now())
        if one.id != ended.id
        and all(getattr(one, name) == getattr(ended, name) for name in same)
        and not await not_in_force(ctx, one)
    ]
    if not left:
        return ()
    last = max(left, key=lambda one: one.until_at)
    text = f"Another grant of it is active until {utc_text(last.until_at)}. To end it, too:"
    return (Line(text=text), Line(text=f"{ctx.command} revoke {last.id} -- why", code=True))
