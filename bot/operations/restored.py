"""Caution after the database was restored or failed over: its last commits may be missing."""

from __future__ import annotations

from typing import Final

from bot.core.audit import Event
from bot.core.card import Card, Line, Tone
from bot.core.intent import Due, Place
from bot.core.ports.store import CLUSTER
from bot.core.records import StoredRequest, stamp
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

CODE: Final = "restored"
MAY_HAVE_RUN: Final = (
    "The database was restored or failed over, so this may have run without a trace. Look at the target before you type the "
    "command again."
)


async def notice_restore(ctx: Context) -> None:
    """Compare the database's server and timeline with those of the last start; a difference is recorded and reported once."""
    cluster, known = await ctx.store.cluster(), await ctx.store.value(CLUSTER)
    before = known.get("cluster") if isinstance(known, dict) else None
    if cluster is None or cluster == before:
        return
    now = ctx.clock.now()
    if before is None:
        await ctx.store.set_value(CLUSTER, {"cluster": cluster, "changed_at": ""}, now)
        return
    if ctx.security_channel is not None:
        await ctx.presenter.show(
            Card(
                key=f"restored:{cluster}",
                place=Place(team_id=ctx.home_team, channel_id=ctx.security_channel),
                title="The database was restored or failed over",
                tone=Tone.WARN,
                status="Its last entries may be missing. Unfinished requests are looked up or given up, not run",
                lines=(
                    Line(
                        heading="What to do",
                        text="Compare the audit log with the newest published head: `signalbox audit verify --head HEAD`. "
                        "Check what waits for an approval before you approve it: it may have run already.",
                    ),
                ),
                at=now,
            )
        )
    detail = f"the database was {before}, it is {cluster} now"
    entry = AuditWriter(ctx.secrets).system(Event.RESTORED, ctx.ids.request(), now, ctx.home_team, detail=detail)
    await ctx.store.set_value(CLUSTER, {"cluster": cluster, "changed_at": stamp(now)}, now, (entry,))


async def may_have_run(ctx: Context, request: StoredRequest) -> bool:
    """Whether an unfinished request is older than a restore. The end of a pause may run twice, and must run."""
    return not isinstance(request.intent.payload, Due) and await is_before_restore(ctx, request.updated_at)


async def is_before_restore(ctx: Context, at: str) -> bool:
    """Whether something was stored at that time and the database was restored or failed over since."""
    known = await ctx.store.value(CLUSTER)
    changed_at = known.get("changed_at") if isinstance(known, dict) else None
    return isinstance(changed_at, str) and at <= changed_at
