"""A line that says that a slow answer is on its way: posted late, so that a quick answer costs no message, and deleted when the
answer is there."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final

from bot.core.card import Card, Tone, operation_key
from bot.core.command.parser import parse_target
from bot.core.intent import Command, Intent, Source
from bot.core.operation import Target
from bot.core.policy.decide import Denied
from bot.core.policy.visibility import may
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import foresee, may_ask, read_situation
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

AFTER: Final = 2.5  # seconds; people think that a command was lost when they see nothing for longer
_OPEN: Final = "asking:"  # before the id of a request: its line is in Slack
_EVERY: Final = 0.5  # seconds between two looks for another card
_LASTS: Final = timedelta(days=30)  # a program may be away for days; its line is in Slack


async def say(ctx: Context, intent: Intent, command: Command, over: asyncio.Event) -> None:
    """Say that it is worked on, until it is `over` or another card of the request says it. Nothing is said where the person may
    not see the target or use the verb on it, since everyone can read it, and nothing to a workflow."""
    hidden = not intent.place.channel_id or intent.source is Source.STEP
    if hidden or await _has_card(ctx, intent) or isinstance(await may_ask(ctx, intent, command.target), Denied):
        return
    if not await _may_be_allowed(ctx, intent, command) or over.is_set():
        return
    await ctx.store.set_value(f"{_OPEN}{intent.request_id}", True, ctx.clock.now())
    await ctx.presenter.show(_line(ctx, intent, command))
    has_card = partial(_has_card, ctx, intent)
    while not over.is_set() and not await until_stored(ctx.clock, _key(intent.request_id), has_card):
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY):
                await over.wait()
    await _take_back(ctx, intent.request_id)


async def _may_be_allowed(ctx: Context, intent: Intent, command: Command) -> bool:
    """Whether the rules may allow it, as far as the text and the targets that are remembered tell."""
    ref = parse_target(command.target or "", ctx.catalog)
    found = () if isinstance(ref, str) else ctx.catalog.meant(command.verb, ref)
    if isinstance(ref, str) or not found:
        return True
    now, end = await read_situation(ctx, intent.actor, intent.place), f"/{ref.path}".casefold()
    remembered = [one for one, _ in await ctx.target_cache.known(ref.backend)]
    targets = [one for one in remembered if one.id == ref.path or f"/{one.name}".casefold().endswith(end)]
    kind, path = ctx.catalog.split_path(ref.backend, ref.path)
    if not targets and kind is not None:  # only the control plane knows what it is a part of
        return bool(may(now, [(ref.backend, one) for one in found]))
    scope = f"{ref.backend}:{ref.path}"
    typed = Target(backend=ref.backend, kind=found[0].target, id=path, name=ref.path, scope=scope)
    return any(not isinstance(foresee(ctx, now, one, target), Denied) for one in found for target in targets or [typed])


async def _has_card(ctx: Context, intent: Intent) -> bool:
    keys = (operation_key(intent.request_id), f"say:{intent.request_id}")
    return any([await ctx.store.message(key) is not None for key in keys])


async def recover(ctx: Context) -> None:
    """Delete the lines that another process left behind."""
    for key in await ctx.store.keys_since(_OPEN, ctx.clock.now() - _LASTS):
        await _take_back(ctx, key.removeprefix(_OPEN))


def _line(ctx: Context, intent: Intent, command: Command) -> Card:
    """Where the answer is only for one person, others read no more than who waits for it."""
    backend, _, path = (command.target or "").partition(":")
    builtin, spec = ctx.catalog.builtin(command.verb) is not None, ctx.catalog.backends.get(backend)
    asks = spec is not None and bool(ctx.catalog.capabilities(command.verb, backend))
    alone = not asks or (builtin and not path and bool(spec and spec.default_target.example))
    title = command.verb if alone else f"{command.verb} {command.target}"
    return Card(
        key=_key(intent.request_id),
        place=intent.place.aside if builtin and alone else cards.place_of(intent),
        title=AuditWriter(ctx.secrets).clean(title) or "",
        tone=Tone.WORKING,
        status="Working on it…" if alone else f"Asking {backend}…",
        byline=f"<@{intent.actor.user_id}>",
        mention=(intent.actor.user_id,),
        passing=True,
    )


def _key(request_id: str) -> str:
    return f"say:{request_id}:asking"


async def _take_back(ctx: Context, request_id: str) -> None:
    await until_stored(ctx.clock, f"{_OPEN}{request_id}", partial(_withdraw, ctx, request_id))


async def _withdraw(ctx: Context, request_id: str) -> None:
    shown = await ctx.store.message(_key(request_id))
    if shown is not None:
        # A replica of an older version updates the line instead of deleting it.
        over = {"withdrawn": True, "tone": Tone.PLAIN, "status": "Answered"}
        await ctx.presenter.show(Card.stored(shown.body).model_copy(update=over))
    await ctx.store.set_value(f"{_OPEN}{request_id}", None, ctx.clock.now())
