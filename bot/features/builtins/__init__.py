"""The built-in verbs. `answer` finds the one that was asked for, checks its words, and runs it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from bot.core.audit import Event
from bot.core.command.capability import Risk
from bot.core.command.catalog import check_builtin
from bot.core.command.flags import without_dashes
from bot.core.errors import Problem
from bot.core.intent import Command, Intent
from bot.core.policy.decide import BUILT_IN_RULE, Denied
from bot.core.records import stamp
from bot.features.access import breakglass, grant_end, grants
from bot.features.builtins import (
    audit,
    audit_list,
    doctor,
    help_page,
    incident,
    inventory,
    personal,
    policy,
    whoami_why,
)
from bot.features.builtins.help_page import help_for
from bot.features.replies import refusal
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

__all__ = ["OPEN_TO_ALL", "answer", "help_for"]

Handler = Callable[[Context, Intent, Command, Mapping[str, Any]], Awaitable[None]]

OPEN_TO_ALL: Final[dict[str, Handler]] = {"help": help_page.help_, "whoami": whoami_why.whoami, "why": whoami_why.why}
MEMBERS: Final[dict[str, Handler]] = {
    "backends": inventory.backends,
    "targets": inventory.targets,
    "find": inventory.find,
    "status": inventory.status,
    "health": inventory.health,
    "approvals": inventory.approvals,
    "watch": personal.watch,
    "unwatch": personal.unwatch,
    "star": personal.star,
    "unstar": personal.unstar,
    "watches": inventory.watches,
    "pauses": inventory.pauses,
    "audit": audit_list.audit,
    "timeline": audit.timeline,
    "incident": incident.incident,
    "grant": grants.grant,
    "revoke": grant_end.revoke,
    "grants": whoami_why.grants,
    "breakglass": breakglass.breakglass,
    "policy": policy.policy,
    "doctor": doctor.doctor,
}


async def answer(ctx: Context, intent: Intent, ask: Command) -> None:
    """Run a built-in command and record that it was done. The caller checked that the person may use it."""
    if intent.place.chosen:
        only = f"`{ask.verb}` answers only where it is typed. Type it in the channel"
        await refusal.unseen(ctx, intent, ask, Denied(BUILT_IN_RULE, only, "chosen_place"))
        return
    handler, builtin = OPEN_TO_ALL.get(ask.verb) or MEMBERS[ask.verb], ctx.catalog.builtins[ask.verb]
    ask = without_dashes(ask, ctx.catalog) if builtin.risk is Risk.READ else ask
    try:
        await handler(ctx, intent, ask, check_builtin(builtin, ask))
    except grants.NotPermittedError as no:
        await refusal.unseen(ctx, intent, ask, Denied(BUILT_IN_RULE, no.summary, no.code, who_can=no.who))
        return
    except Problem as trouble:
        asked = intent.model_copy(update={"payload": ask})  # also when it was pressed
        more = trouble.close if isinstance(trouble, incident.NotOpenError) else ()
        await refusal.problem(ctx, asked, trouble, more=more)
        return
    now = ctx.clock.now()
    await ctx.store.finish(
        intent.request_id, (AuditWriter(ctx.secrets).plain(Event.DONE, intent, now, verb=ask.verb),), stamp(now)
    )
