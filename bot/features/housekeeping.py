"""Daily housekeeping: post the head of the audit log, warn of expiring credentials, prune old rows."""

from datetime import timedelta
from typing import Final

from bot.core.audit import Event
from bot.core.card import HEAD_KEY, Line, Tone
from bot.core.outcome import Fact
from bot.core.records import stamp
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

WARN_BEFORE: Final = timedelta(days=7)
KEEP: Final = timedelta(days=30)


async def publish_head(ctx: Context) -> None:
    """Post `SEQ:HASH` of the last entry to the security channel once a day. It reveals a cut or rolled-back audit log."""
    if ctx.security_channel is None:
        return
    now = ctx.clock.now()
    today = now.date().isoformat()
    head = await ctx.store.head()
    if head is None or await ctx.store.value("head:published") == today:
        return
    # The card comes first: after a crash between the two, it is updated, and nothing is missing.
    lines = (Line(text="To check the audit log:"), Line(text=f"signalbox audit verify --head {head}", code=True))
    await ctx.tell_security(f"{HEAD_KEY}{today}", "Head of the audit log", lines=lines)
    entry = AuditWriter().system(Event.HEAD_PUBLISHED, ctx.ids.request(), now, ctx.home_team, detail=head)
    await ctx.store.set_value("head:published", today, now, (entry,))


async def warn_of_credentials(ctx: Context) -> None:
    """Warn the security channel a week before a credential expires, once a day for each."""
    now = ctx.clock.now()
    today = now.date().isoformat()
    for name, checked in (await ctx.health.check_all()).items():
        ends = checked.health.credential_ends
        if ends is None or ends - now > WARN_BEFORE or ctx.security_channel is None:
            continue
        if await ctx.store.value(f"credential:{name}") == today:
            continue
        over = ends <= now
        title = f"The credential of {name} {'has expired' if over else 'expires soon'}"
        text = "Create a new one on the control plane, update the configured value, and restart the bot."
        facts, tone = (Fact(label="Expires", value=ends),), Tone.BAD if over else Tone.WARN
        await ctx.tell_security(f"credential:{name}:{today}", title, tone=tone, lines=(Line(text=text),), facts=facts)
        await ctx.store.set_value(f"credential:{name}", today, now)


async def prune(ctx: Context) -> None:
    """Delete rows that ended a month ago, in small steps so that nothing waits. The audit log keeps everything."""
    before = stamp(ctx.clock.now() - KEEP)
    while await ctx.store.prune(before):
        pass
