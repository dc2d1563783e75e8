"""Caution after the store was restored or failed over: its last commits may be missing."""

from collections.abc import Sequence
from typing import Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import Line, Tone
from bot.core.intent import Due
from bot.core.ports.store import CLUSTER
from bot.core.records import StoredRequest, stamp
from bot.core.value import Json
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

CODE: Final = "restored"
MAY_HAVE_RUN: Final = (
    "The database was restored or failed over, so this may have run without a trace. Look at the target before you type the "
    "command again."
)

VOID: Final = (
    "the database was restored after the request, so it may have run already. Look at the target before you ask again"
)
MAY_LACK: Final = (
    "Its last entries may be missing. Compare it with the newest published head: `signalbox audit verify --head HEAD`."
)
CHECK: Final = "Look at what was started, paused, granted and revoked since the backup: the bot doesn't know of it."


async def notice_restore(ctx: Context) -> None:
    """Look for signs that the store is older than the world. A new one is recorded and reported once.

    The signs are another server, timeline or table than at the last start, and a head of the audit log that was published in
    Slack or seen by this process, and is not in the audit log. A failover that is proved to have lost nothing is only recorded.
    """
    cluster, known = await ctx.store.cluster(), await ctx.store.value(CLUSTER)
    before = known if isinstance(known, dict) else {}
    missing: list[Json] = [*await ctx.store.lacks(await ctx.published_head())]
    reported = before.get("missing")
    new = [head for head in missing if not isinstance(reported, list) or head not in reported]
    moved = before.get("cluster") not in (None, cluster)
    now, changed_at = ctx.clock.now(), before.get("changed_at", "")
    entries: tuple[AuditEntry, ...] = ()
    if moved or new:
        why = f"the database was {before['cluster']}, it is {cluster} now" if moved else f"the head {new[0]} is missing"
        if moved and not new and ctx.leadership.kept_all(str(before["cluster"]), str(cluster)):
            why += "; nothing is missing, because every commit had waited for the standby that took over"
        else:
            await _report(ctx, f"restored:{cluster}:{new}", new)
            changed_at = stamp(now)
        entries = (AuditWriter(ctx.secrets).system(Event.RESTORED, ctx.ids.request(), now, ctx.home_team, detail=why),)
    value: dict[str, Json] = {"cluster": cluster, "changed_at": changed_at, "missing": missing}
    if value != before:
        await ctx.store.set_value(CLUSTER, value, now, entries)


async def _report(ctx: Context, key: str, missing: Sequence[Json]) -> None:
    lost = f"The audit log has lost entries: the head `{missing[0]}` is missing in it." if missing else MAY_LACK
    await ctx.tell_security(
        key,
        "The database was restored or failed over",
        tone=Tone.WARN,
        status="Unfinished requests are looked up or given up, not run. Approvals from before are void",
        lines=(Line(text=lost), Line(heading="What to do", text=CHECK)),
    )


async def may_have_run(ctx: Context, request: StoredRequest) -> bool:
    """Whether an unfinished request is older than a restore. The end of a pause may run twice, and must run."""
    return not isinstance(request.intent.payload, Due) and await is_before_restore(ctx, request.updated_at)


async def is_before_restore(ctx: Context, at: str) -> bool:
    """Whether something was stored at that time and the database was restored or failed over since."""
    known = await ctx.store.value(CLUSTER)
    changed_at = known.get("changed_at") if isinstance(known, dict) else None
    return isinstance(changed_at, str) and at <= changed_at
