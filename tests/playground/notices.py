"""Cards that come by themselves, later or when something is wrong, each made by the program's own function from what the world
of the pictures holds. They are posted in a channel, also those that belong into a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from bot.core.approval import Approval
from bot.core.card import Card
from bot.core.intent import Command, Place
from bot.core.outcome import Done, Phase, RecentRun, RunView
from bot.core.records import Outgoing, WatchedTarget, stamp
from bot.features import housekeeping, target_watch
from bot.features.access import breakglass
from bot.features.approvals import cards as approval_cards
from bot.features.pauses import resume
from bot.features.replies import grant_card
from bot.operations import asking
from bot.runtime.context import Context
from bot.slack.errors import Remedy, SlackTrouble
from bot.slack.message_format import elsewhere, undelivered

Maker = Callable[[Context], Awaitable[None]]
SECURITY: Final = "C0SEC"


@dataclass
class Kept:
    """A presenter that keeps the cards."""

    cards: list[Card] = field(default_factory=list)

    async def show(self, card: Card, *_: Any) -> None:
        self.cards.append(card)


async def made(ctx: Context, name: str, channel: str) -> Card:
    """Post the card in this channel."""
    kept: Any = Kept()
    await NOTICES[name](replace(ctx, presenter=kept))
    place = Place(team_id=ctx.home_team, channel_id=channel)
    card = kept.cards[-1].model_copy(update={"key": f"picture:{name}", "place": place, "question": None})
    await ctx.presenter.show(card)
    return card


async def _approval(ctx: Context, state: str, target: str) -> Approval:
    found = [Approval.of(one) for one in await ctx.store.pending_decisions(state=state)]
    return next(one for one in found if one is not None and one.operation.target.text == target)


async def _reminder(ctx: Context) -> None:
    await approval_cards.remind(ctx, await _approval(ctx, "open", "acc:shop/stock"))


async def _told(ctx: Context) -> None:
    asked = await _approval(ctx, "open", "acc:shop/stock")
    text = "Denied by <@U0LEE>: ask the site's owner first"
    await approval_cards.tell_requester(ctx, asked, "picture", text, "U0LEE")


async def _again(ctx: Context) -> None:
    voted = await _approval(ctx, "taken", "acc:shop/prices")
    record = voted.record.model_copy(update={"note": "The state of the target has changed"})
    await approval_cards.call_back(ctx, voted, replace(voted, record=record))


async def _skipped(ctx: Context) -> None:
    asked = await _approval(ctx, "open", "acc:shop/stock")
    people, result = asked.record.eligible, Done(summary="Disapproved.")
    card = breakglass._skipped_card(asked.pending.intent, asked.operation, asked.record.demand, people, result)
    await ctx.presenter.show(card)


async def _grant_ended(ctx: Context) -> None:
    grant = next(one for one in await ctx.store.open_grants(ctx.clock.now()) if not one.breakglass)
    await grant_card.ended(ctx, grant.id, "Its time is over.")


async def _nag(ctx: Context) -> None:
    grant = next(one for one in await ctx.store.open_grants(ctx.clock.now()) if one.breakglass)
    await ctx.presenter.show(await breakglass._overdue_card(ctx, grant, SECURITY, "picture"))


async def _watch_failed(ctx: Context) -> None:
    one = (await ctx.store.subscriptions())[0]
    now = ctx.clock.now()
    view = RunView(
        state="Failed",
        phase=Phase.FAILED,
        message="2 of 40 pages failed: the price is missing",
        started=now - timedelta(minutes=4),
        ended=now,
    )
    await ctx.presenter.show(await target_watch._news_card(ctx, one.target, RecentRun(id="1", view=view), [one], None))


async def _unread(ctx: Context) -> None:
    one = (await ctx.store.subscriptions())[0]
    watched = WatchedTarget(key="picture", target=one.target, due_at=one.made_at)
    began = stamp(ctx.clock.now() - target_watch.UNREAD_TOLD_AFTER)
    await ctx.store.set_value("unread:picture", {"since": began, "told": False}, ctx.clock.now())
    await target_watch._tell_unread(ctx, watched, "acc did not answer within 10 s.", [one])


async def _stays_off(ctx: Context) -> None:
    pause = (await ctx.store.open_pauses())[0]
    asked = await ctx.store.request(pause.request_id)
    assert asked is not None
    await resume._show_without_backend(ctx, asked.intent, pause, "`acc` is no longer configured.")
    presenter: Any = ctx.presenter
    del presenter.cards[1:]  # the card of the request that paused it


async def _asking(ctx: Context) -> None:
    asked = await _approval(ctx, "open", "acc:shop/stock")
    await ctx.presenter.show(asking._line(ctx, asked.pending.intent, Command(verb="status", target="acc:shop/stock")))


async def _head(ctx: Context) -> None:
    await ctx.store.set_value("head:published", None, ctx.clock.now())
    await housekeeping.publish_head(ctx)


async def _row(ctx: Context, **parts: Any) -> Outgoing:
    pause = (await ctx.store.open_pauses())[0]
    row = await ctx.store.message(pause.message_key or "")
    assert row is not None
    return row.model_copy(update=parts)


async def _elsewhere(ctx: Context) -> None:
    row = await _row(ctx, ts=None, response_url=None)
    for card, _ in elsewhere(row, SlackTrouble("is_archived", Remedy.REFUSED), SECURITY):
        await ctx.presenter.show(card)


async def _undelivered(ctx: Context) -> None:
    row = await _row(ctx, kind="upload", ts=None)
    await ctx.presenter.show(
        undelivered(row, "log.txt", None, SlackTrouble("missing_scope", Remedy.REFUSED), waits=False)
    )


NOTICES: Final[Mapping[str, Maker]] = {
    "told": _told,
    "reminder": _reminder,
    "again": _again,
    "skipped": _skipped,
    "grant-ended": _grant_ended,
    "review-open": _nag,
    "watch-failed": _watch_failed,
    "asking": _asking,
    "watch-unread": _unread,
    "stays-off": _stays_off,
    "security": _head,
    "elsewhere": _elsewhere,
    "undelivered": _undelivered,
}
