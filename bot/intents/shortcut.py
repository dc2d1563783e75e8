"""The launcher and the Home tab were opened."""

from __future__ import annotations

from bot.core.card import Tone
from bot.core.intent import Intent, Open
from bot.core.records import stamp
from bot.core.value import Json
from bot.features.builtins import help_for, usable_verbs
from bot.features.forms import launcher
from bot.features.home import open_home
from bot.features.replies.answer import say
from bot.features.replies.suggestions import named_in
from bot.operations.authorize import not_admitted
from bot.runtime.context import Deps


async def opened(deps: Deps, intent: Intent, ask: Open) -> None:
    """A modal has to be open within three seconds, so it comes before everything else."""
    if ask.what == "home":
        await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
        await open_home(deps, intent.actor.user_id, intent.place.team_id)
        return
    in_channel = bool(intent.place.channel_id)
    verbs = await _verbs(deps, intent) if in_channel else _all_verbs(deps)
    if not verbs:
        await help_for(deps, intent, ())
        return
    token = deps.ids.secret()
    await deps.store.set_fact(f"form:{token}", _origin(intent, ask), stamp(deps.clock.now()))
    is_command = launcher.command_in(deps.catalog, verbs, ask.text) is not None
    named = None if is_command or not ask.text else await named_in(deps, ask.text)
    form = launcher.view(deps.catalog, verbs, ask, token, in_channel, named)
    shown = intent.reply.trigger_id is not None and await deps.presenter.open_form(intent.reply.trigger_id, form)
    if shown:
        await deps.store.finish(intent.request_id, (), stamp(deps.clock.now()))
    else:
        await say(deps, intent, f"The form could not be opened. Type `{deps.command} help` instead.", tone=Tone.WARN)


def _origin(intent: Intent, ask: Open) -> dict[str, Json]:
    return {
        "user": intent.actor.user_id,
        "place": intent.place.model_dump(mode="json"),
        "files": list(ask.files),
    }


async def _verbs(deps: Deps, intent: Intent) -> tuple[str, ...]:
    if await not_admitted(deps, intent) is not None:
        return ()
    return await usable_verbs(deps, intent)


def _all_verbs(deps: Deps) -> tuple[str, ...]:
    return tuple(sorted({row.verb for _, row in deps.catalog.everything()}))
