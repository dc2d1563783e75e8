"""The verbs that the program answers itself. `answer` finds the one that was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from bot.core.intent import Command, Intent
from bot.core.policy import Denied
from bot.core.problems import Problem
from bot.core.register import Event
from bot.core.rows import stamp
from bot.pipeline import breakglass, grants, refuse
from bot.pipeline.authorize import not_admitted
from bot.pipeline.deps import Deps
from bot.pipeline.desk import helping, looking, people, register, rules
from bot.pipeline.desk.helping import help_for, usable_verbs
from bot.pipeline.record import Scribe

__all__ = ["answer", "help_for", "usable_verbs"]

Desk = Callable[[Deps, Intent, Command], Awaitable[None]]

OPEN_TO_ALL: Final[dict[str, Desk]] = {"help": helping.help_, "whoami": people.whoami, "why": people.why}
MEMBERS: Final[dict[str, Desk]] = {
    "backends": looking.backends,
    "targets": looking.targets,
    "find": looking.find,
    "status": looking.status,
    "health": looking.health,
    "approvals": looking.approvals,
    "watches": looking.watches,
    "pauses": looking.pauses,
    "audit": register.audit,
    "timeline": register.timeline,
    "grant": grants.grant,
    "revoke": breakglass.revoke,
    "grants": people.grants,
    "breakglass": breakglass.breakglass,
    "policy": rules.policy,
    "doctor": looking.doctor,
}


async def answer(deps: Deps, intent: Intent, ask: Command) -> None:
    """`help`, `whoami` and `why` answer everybody; the rest whoever the rules of this channel admit."""
    row = OPEN_TO_ALL.get(ask.verb)
    if row is None:
        refused = await not_admitted(deps, intent)
        if refused is not None and not rules.confirms_frozen(ask, refused):
            await refuse.turned_away(deps, intent, ask, refused)
            return
        row = MEMBERS.get(ask.verb)
    if row is None:
        raise Problem(f"`{ask.verb}` is not there yet.", code="no_such_verb")
    try:
        await row(deps, intent, ask)
    except grants.NotPermittedError as no:
        await refuse.turned_away(deps, intent, ask, Denied("house rule", no.summary, no.code))
        return
    except Problem as trouble:
        await refuse.problem(deps, intent, trouble)
        return
    now = deps.clock.now()
    await deps.store.finish(
        intent.request_id, (Scribe(deps.secrets).plain(Event.DONE, intent, now, verb=ask.verb),), stamp(now)
    )
