"""Tables of what is open: decisions, runs, pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.core.operation import Target
from bot.core.outcome import Table
from bot.core.policy.visibility import Visibility
from bot.core.records import Pause
from bot.core.text import plural, utc_text, written
from bot.operations import cards
from bot.runtime.context import Context

MOST: Final = 200
_TYPED: Final = "Typed as"


async def approvals_table(ctx: Context, channel: str, sight: Visibility, reader: str) -> Table:
    """Open approvals of a channel, where they were asked or are decided, that the reader may be told of."""
    pending_decisions = [
        pending
        for pending in await ctx.store.pending_decisions(state="open")
        if pending.kind != "preflight"
        and channel in (pending.intent.place.channel_id, pending.facts.get("channel"))
        and sight.told(pending.operation.target if pending.operation else None, pending.intent.actor.user_id, reader)
    ]
    rows = [
        (
            pending.operation.title if pending.operation else f"{pending.kind} of {pending.facts.get('grant')}",
            cards.person(pending.intent.actor.user_id),
            cards.channel(pending.facts.get("channel")),
            utc_text(pending.made_at),
            utc_text(str(pending.facts.get("due") or pending.due_at)),
        )
        for pending in pending_decisions
    ]
    return Table(columns=("Request", "Asked by", "Decided in", "Asked", "Due"), rows=tuple(rows), total=len(rows))


async def watches_table(ctx: Context, channel: str, sight: Visibility, reader: str) -> Table:
    """Runs that are followed in a channel and that the reader may be told of, named as on their cards, each with what a
    command takes."""
    watches = [
        watch
        for watch in await ctx.store.open_watches()
        if watch.channel_id == channel and sight.told(watch.target, watch.user_id, reader)
    ]
    rows = [
        (
            await label_of(ctx, watch.target, sight),
            watch.view.state if watch.view else "?",
            cards.person(watch.user_id),
            utc_text(watch.made_at),
            "",
            cards.written(watch.target),
        )
        for watch in watches[:MOST]
    ]
    return Table(
        columns=("Run", "State", "By", "Since", "Until", _TYPED), rows=tuple(rows), total=len(watches), exact=(_TYPED,)
    )


async def pauses_table(ctx: Context, channel: str, sight: Visibility, reader: str) -> Table:
    """Open pauses of a channel, named as on their cards, each with what a command takes."""
    groups = await pauses_of(ctx, channel, sight, reader)
    rows = [
        (
            f"{written} ({plural(len(group), group[0].target.kind)})"
            if len(group) > 1
            else await label_of(ctx, group[0].target, sight),
            utc_text(group[0].until_at),
            cards.person(group[0].user_id),
            group[0].reason or "",
            written,
        )
        for written, group in groups[:MOST]
    ]
    return Table(
        columns=("Paused", "Until", "By", "Reason", _TYPED), rows=tuple(rows), total=len(groups), exact=(_TYPED,)
    )


async def pauses_of(ctx: Context, channel: str, sight: Visibility, reader: str) -> list[tuple[str, list[Pause]]]:
    """The open pauses of a channel that the reader may be told of, those of one command on the parts of one target together,
    each with the written target."""
    found: dict[tuple[str, str, str], list[Pause]] = {}
    for pause in await ctx.store.open_pauses():
        if pause.channel_id == channel and sight.told(pause.target, pause.user_id, reader):
            found.setdefault((pause.request_id, pause.until_at, pause.target.parent or pause.target.id), []).append(
                pause
            )
    return [(_written(group), group) for group in found.values()]


def _written(group: Sequence[Pause]) -> str:
    target = group[0].target
    whole = len(group) > 1 and target.parent_name is not None
    return written(target.backend, target.parent_name or "") if whole else cards.written(target)


async def label_of(ctx: Context, target: Target, sight: Visibility) -> str:
    """Its name as on its card, with its parent only where the reader may see it."""
    seen = await ctx.target_cache.by_id(target.backend, target.kind, target.id) if target.parent is None else None
    return (seen if seen is not None and sight.target(seen) else target).label
