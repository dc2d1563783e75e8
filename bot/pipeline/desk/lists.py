"""Tables of what is open: decisions, runs, pauses."""

from __future__ import annotations

from datetime import datetime

from bot.core.outcome import Table
from bot.core.rows import Hold
from bot.pipeline import cards
from bot.pipeline.deps import Deps


def moment(at: str) -> str:
    """A stamp as a table shows it: UTC, to the minute."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC")


async def approvals_table(deps: Deps, *, channel: str | None = None, user: str | None = None) -> Table:
    """Open approvals of a channel (where they were asked or are decided) or of a requester."""
    holds = [hold for hold in await deps.store.holds(state="open", user=user) if hold.kind != "preflight"]
    if channel is not None:
        holds = [h for h in holds if channel in (h.intent.place.channel_id, h.facts.get("channel"))]
    rows = [
        (
            f"{hold.operation.verb} {hold.operation.target.text}" if hold.operation else _other(hold),
            cards.person(hold.intent.actor.user_id),
            cards.channel(hold.facts.get("channel")),
            moment(hold.made_at),
            moment(hold.due_at),
        )
        for hold in holds
    ]
    return Table(columns=("Request", "Asked by", "Decided in", "Asked", "Due"), rows=tuple(rows), total=len(rows))


def _other(hold: Hold) -> str:
    return f"{hold.kind} of {hold.facts.get('grant')}" if hold.facts.get("grant") else hold.kind


async def watches_table(deps: Deps, *, channel: str | None = None, user: str | None = None) -> Table:
    """Runs that are followed, of a channel or of a person."""
    watches = await deps.store.open_watches_of(user) if user is not None else await deps.store.open_watches()
    if channel is not None:
        watches = [watch for watch in watches if watch.channel_id == channel]
    rows = [
        (
            watch.target.parent_name or watch.target.name,
            watch.target.name,
            watch.view.state if watch.view else "?",
            moment(watch.made_at),
        )
        for watch in watches[:200]
    ]
    return Table(
        columns=("Target", "Run", "State", "Since"), rows=tuple(rows), total=len(watches), exact=("Target", "Run")
    )


async def pauses_table(deps: Deps, *, channel: str | None = None, user: str | None = None) -> Table:
    """Open pauses, of a channel or of a person."""
    pauses = [
        pause
        for pause in await deps.store.open_pauses()
        if (channel is None or pause.channel_id == channel) and (user is None or pause.user_id == user)
    ]
    rows = [
        (p.target.text, moment(p.from_at), moment(p.until_at), cards.person(p.user_id), p.reason or "")
        for p in pauses[:200]
    ]
    return Table(
        columns=("Paused", "Since", "Until", "By", "Reason"), rows=tuple(rows), total=len(pauses), exact=("Paused",)
    )
