"""The built-in commands about a person's own targets: watch, unwatch, star, unstar."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from bot.core.audit import Event
from bot.core.command.params import Arguments
from bot.core.command.until import ends_at
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.operation import Target
from bot.core.policy.decide import Denied
from bot.core.records import Filters, Subscription, stamp
from bot.core.text import utc_text
from bot.features import favourites, target_watch
from bot.features.access.grants import NotPermittedError
from bot.features.replies.answer import reply
from bot.operations.authorize import visibility_of
from bot.operations.cards import written
from bot.operations.resolve import find_seen, owner_of
from bot.runtime.context import Context
from bot.runtime.until_stored import sure


async def watch(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`watch acc:shop/prices for=8h`; in the thread of a card `watch` alone means its run."""
    target = await _target(ctx, intent, ask)
    runs = await ctx.backends[target.backend].recent(target, 1)  # raises for what has no runs
    one_run, place = target.parent is not None, intent.place.aside
    if one_run and runs[0].view.phase.ended:
        all_runs = f"`watch {written(await owner_of(ctx, target, ask.verb))}` tells of each run that fails."
        raise BadRequest(f"{target.label} has ended already: {runs[0].view.state}.", all_runs, code="ended")
    if one_run and place.thread_ts is None:  # the button of a card: in its thread
        place = place.model_copy(update={"thread_ts": intent.place.message_ts})
    now = ctx.clock.now()
    ends = ends_at(Arguments(params=dict(given), given={}), intent.at, now, ctx.zone)
    made = Subscription(
        id=intent.request_id,
        target=target,
        place=place,
        user_id=intent.actor.user_id,
        until_at=stamp(ends) if ends is not None else None,
        made_at=stamp(now),
        request_id=intent.request_id,
    )

    async def stored() -> Subscription | None:
        found = await ctx.store.subscriptions(made.target_key)
        return next((one for one in found if _same(one, made)), None)

    before = await stored()
    await sure(ctx.clock, f"watch {made.id}", partial(ctx.store.subscribe, made, now), stored)
    kept = await stored() or made
    ctx.stale_homes.stale(intent.actor.user_id)
    if one_run:
        title = f"You will be told in the thread when {target.label} ends."
        await reply(ctx, intent, title)
        return
    await target_watch.show(ctx, kept)
    if kept.id != made.id:
        until = f"until {utc_text(kept.until_at)}" if kept.until_at else "without an end"
        later = " now, which is later than before" if before is not None and before.until_at != kept.until_at else ""
        sooner = (
            "" if kept.until_at == made.until_at else " The later end counts: to end it sooner, stop watching first."
        )
        await reply(ctx, intent, f"You already watch {target.label} here, {until}{later}.{sooner}")


async def unwatch(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`unwatch acc:shop/prices`: end one's own subscriptions to it in this channel."""
    target = await _target(ctx, intent, ask)
    here = [
        one
        for one in await ctx.store.subscriptions()
        if one.user_id == intent.actor.user_id and intent.place.channel_id in ("", one.place.channel_id)
    ]
    mine = [one for one in here if _is_about(one, target)]
    if not mine and ask.target is None:  # in the thread of a run, of which only the target is watched
        target = await owner_of(ctx, target, ask.verb)
        mine = [one for one in here if _is_about(one, target)]
    ended = Filters(request_id=intent.request_id, event=Event.ENDED)  # before a restart
    if not mine and not await ctx.store.search(ended):
        raise BadRequest(f"You don't watch {target.label} here.", f"`{ctx.command} watches` lists what is watched.")
    for one in mine:
        await target_watch.end(ctx, one, "unwatched", f"<@{one.user_id}> stopped watching", intent)
    await reply(ctx, intent, f"You no longer watch {target.label} here.")


async def star(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`star acc:shop/prices`: keep a target on one's Home tab."""
    target = await owner_of(ctx, await _target(ctx, intent, ask), ask.verb)
    added = await favourites.star(ctx, intent.actor.user_id, target)
    title = f"{target.label} is on your Home tab" if added else f"{target.label} is already a favourite"
    await reply(ctx, intent, title)


async def unstar(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`unstar acc:shop/prices`: remove it again."""
    target = await owner_of(ctx, await _target(ctx, intent, ask), ask.verb)
    removed = await favourites.unstar(ctx, intent.actor.user_id, target)
    title = f"{target.label} is no longer a favourite" if removed else f"{target.label} is not one of your favourites"
    await reply(ctx, intent, title)


def _is_about(one: Subscription, target: Target) -> bool:
    return (one.target.backend, one.target.kind, one.target.id) == (target.backend, target.kind, target.id)


def _same(one: Subscription, made: Subscription) -> bool:
    places = [(each.place.channel_id, each.place.thread_ts, each.user_id) for each in (one, made)]
    return places[0] == places[1]


async def _target(ctx: Context, intent: Intent, ask: Command) -> Target:
    """The target that was typed, or of the thread. Raises NotPermittedError when this person may not see it."""
    if ask.target is None:
        thread = intent.place.thread_ts or intent.place.message_ts
        run = await ctx.store.thread_target(intent.place.channel_id, thread) if thread is not None else None
        if run is None:
            said = f"`{ask.verb}` needs a target."
            if ask.verb == "unwatch":
                raise BadRequest(
                    said, f"`{ctx.command} watches` lists what you watch, with a button for each.", "no_target"
                )
            raise BadRequest(said, f"For example: `{ctx.catalog.builtins[ask.verb].example}`.", "target_missing")
        visible = await visibility_of(ctx, intent.actor, intent.place)
        if not visible.target(run):
            raise NotPermittedError(visible.hides("the target of this thread").reason, code="no_rule")
        return run
    found = await find_seen(ctx, intent, ask)
    if isinstance(found, Denied):
        raise NotPermittedError(found.reason, code=found.code)
    return found
