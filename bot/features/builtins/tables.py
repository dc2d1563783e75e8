"""Tables of what is open: decisions, runs, pauses."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from bot.core.approval import Approval
from bot.core.command.parser import format_command
from bot.core.command.target_ref import SHORT_ID
from bot.core.intent import Command
from bot.core.operation import Operation, Target
from bot.core.outcome import Table
from bot.core.policy.visibility import Visibility
from bot.core.records import Pause, PendingDecision, Subscription, expiry
from bot.core.text import plural, utc_text, written
from bot.features.approvals.question import asker, brief
from bot.features.pauses.pause import paused_word
from bot.operations import cards
from bot.operations.followed import each_run
from bot.runtime.context import Context

MOST: Final = 200
_TYPED: Final = "Typed as"
_BEGIN: Final = 8  # characters of an id that a label shows


async def approvals_table(
    ctx: Context,
    channel: str,
    visible: Visibility,
    reader: str,
    *,
    anywhere: bool = False,
    reviews: Collection[str] = (),
) -> Table:
    """Open approvals of a channel, where they were asked or are decided, that the reader may be told of. With `anywhere`, also
    those that the reader asked for, joined or decides elsewhere, such as these reviews of break-glass."""
    pending_decisions = []
    for pending in sorted(await ctx.store.pending_decisions(state="open"), key=expiry):
        target = pending.operation.target if pending.operation else None
        approval = Approval.of(pending)
        people = (pending.intent.actor.user_id, *(approval.record.eligible if approval is not None else ()))
        if approval is not None and await ctx.store.value(approval.joined_key(reader)) is not None:
            people += (reader,)
        here = channel in (pending.intent.place.channel_id, pending.record.get("channel"))
        listed = here or (anywhere and reader in people)
        told = listed and pending.kind != "preflight" and visible.told(target, people, reader)
        if told or pending.id in reviews:
            pending_decisions.append(pending)
    rows = [
        (
            _asked(pending.operation, Approval.of(pending)) if pending.operation else _review(pending),
            asker(pending.intent),
            cards.channel(pending.record.get("channel")),
            utc_text(pending.made_at, seconds=True),
            utc_text(str(pending.record.get("due") or pending.due_at), seconds=True),
        )
        for pending in pending_decisions
    ]
    return Table(columns=("Request", "Asked by", "Decided in", "Asked", "Due"), rows=tuple(rows), total=len(rows))


def _review(pending: PendingDecision) -> str:
    where = cards.channel(pending.intent.place.channel_id)
    return f"review of break-glass {pending.record.get('grant') or ''} in {where}"


def _asked(operation: Operation, approval: Approval | None) -> str:
    """The command with the beginning of its parameters, secrets masked, or what a grant covers."""
    given = brief(format_command(Command(verb="", params=operation.masked_words)).strip())
    return f"{operation.title} {(approval.terms if approval is not None else '') or given}".strip()


async def watches_table(
    ctx: Context, channel: str, visible: Visibility, reader: str, following: Sequence[Subscription] = ()
) -> Table:
    """Runs that are followed in a channel and that the reader may be told of, and watched targets, named as on their cards,
    each with what a command takes."""
    runs = each_run(
        await ctx.store.open_watches(),
        lambda one: one.channel_id == channel and visible.told(one.target, (one.user_id,), reader),
    )
    rows = [
        (
            label := await label_of(ctx, watch.target, visible),
            run.state,
            cards.person(watch.user_id),
            utc_text(watch.made_at, seconds=True),
            "",
            _typed(watch.target, label),
        )
        for run in runs[:MOST]
        for watch in (run.watch,)
    ]
    rows += [
        (
            one.target.label,
            "Watched in a thread" if one.place.thread_ts else "Watched",
            cards.person(one.user_id),
            utc_text(one.made_at, seconds=True),
            utc_text(one.until_at, seconds=True) if one.until_at else "",
            _typed(one.target, one.target.label),
        )
        for one in following[:MOST]
    ]
    return _with_typed(("Run", "State", "By", "Since", "Until"), rows, len(runs) + len(following))


def _typed(target: Target, label: str) -> str:
    """What a command takes, empty where that is the label, or the beginning of an id that the label shows."""
    written, begin = cards.written(target), target.id[:_BEGIN]
    return "" if written == label or (SHORT_ID.fullmatch(begin) and label.endswith(f"{begin})")) else written


def _with_typed(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], total: int) -> Table:
    """The table; its last cells say what a command takes, and are left out where none of them says more than the first."""
    if any(row[-1] for row in rows):
        return Table(columns=(*columns, _TYPED), rows=tuple(rows), total=total, exact=(_TYPED,))
    return Table(columns=columns, rows=tuple(row[:-1] for row in rows), total=total)


async def pauses_table(ctx: Context, channel: str, visible: Visibility, reader: str) -> Table:
    """Open pauses of a channel, named as on their cards, each with what a command takes."""
    groups = await pauses_of(ctx, channel, visible, reader)
    rows = [
        (
            label := await pause_label(ctx, written, group, visible),
            f"over, next attempt {ends}" if group[0].tries else ends if word == "paused" else f"{word} until {ends}",
            cards.person(group[0].user_id),
            group[0].reason or "",
            "" if len(group) > 1 else _typed(group[0].target, label),
        )
        for written, group in groups[:MOST]
        for ends, word in ((utc_text(group[0].until_at, seconds=True), await paused_word(ctx, group[0])),)
    ]
    return _with_typed(("Paused", "Until", "By", "Reason"), rows, len(groups))


async def pauses_of(ctx: Context, channel: str, visible: Visibility, reader: str) -> list[tuple[str, list[Pause]]]:
    """The open pauses of a channel that the reader may be told of, those of one command on the parts of one target together,
    each with the written target."""
    return together(
        pause
        for pause in await ctx.store.open_pauses()
        if pause.channel_id == channel and visible.told(pause.target, (pause.user_id,), reader)
    )


def together(pauses: Iterable[Pause]) -> list[tuple[str, list[Pause]]]:
    """Those of one command on the parts of one target together, each with the written target."""
    found: dict[tuple[str, str, str], list[Pause]] = {}
    for pause in pauses:
        what = pause.target.parent or pause.target.id
        found.setdefault((pause.request_id, pause.until_at, what), []).append(pause)
    return [(_written(group), group) for group in found.values()]


async def pause_label(ctx: Context, written: str, group: Sequence[Pause], visible: Visibility) -> str:
    """What is paused: a target, or how many of its parts."""
    target = group[0].target
    return f"{written} ({plural(len(group), target.kind)})" if len(group) > 1 else await label_of(ctx, target, visible)


def _written(group: Sequence[Pause]) -> str:
    target = group[0].target
    whole = len(group) > 1 and target.parent_name is not None
    return written(target.backend, target.parent_name or "") if whole else cards.written(target)


async def label_of(ctx: Context, target: Target, visible: Visibility) -> str:
    """Its name as on its card, with its parent only where the reader may see it."""
    seen = await ctx.target_cache.by_id(target.backend, target.kind, target.id) if target.parent is None else None
    return (seen if seen is not None and visible.target(seen) else target).label
