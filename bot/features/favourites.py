"""The targets that a person starred, and those that they used lately, for the Home tab."""

from typing import Final

from bot.core.audit import Event
from bot.core.errors import BadRequest
from bot.core.operation import Target
from bot.core.records import Filters
from bot.operations import cards
from bot.runtime.context import Context

MOST: Final = 20
_LOOKED_AT: Final = 200  # audit entries of the person
_USED: Final = frozenset({Event.SENT, Event.DONE})


async def favourites(ctx: Context, user: str) -> list[Target]:
    """The starred targets, the first one first."""
    kept = await ctx.store.value(_key(user))
    return [Target.stored(one) for one in kept] if isinstance(kept, list) else []


async def star(ctx: Context, user: str, target: Target) -> bool:
    """Add a target. False when it is starred already. Raises BadRequest when there are too many."""
    async with ctx.locks.of(_key(user)):
        kept = await favourites(ctx, user)
        if any(same(one, target) for one in kept):
            return False
        if len(kept) >= MOST:
            raise BadRequest(f"You have {MOST} favourites. Remove one first, with `unstar`.", code="too_many")
        await _keep(ctx, user, [*kept, target])
        return True


async def unstar(ctx: Context, user: str, target: Target) -> bool:
    """Remove a target. False when it is not starred."""
    async with ctx.locks.of(_key(user)):
        kept = await favourites(ctx, user)
        left = [one for one in kept if not same(one, target)]
        await _keep(ctx, user, left)
        return len(left) < len(kept)


async def recent(ctx: Context, user: str, most: int) -> list[Target]:
    """The targets that a person used lately, the latest first: of a run its agent."""
    entries = await ctx.store.search(Filters(user_id=user), limit=_LOOKED_AT)
    used = dict.fromkeys(
        (entry.backend, entry.target_kind, entry.target_id)
        for entry in entries
        if entry.event in _USED and entry.backend in ctx.backends and entry.target_kind and entry.target_id
    )
    found: dict[str, Target] = {}
    for key in used:
        target = await ctx.target_cache.by_id(*map(str, key))
        if target is not None and target.parent is not None:
            whole = ctx.catalog.backends[target.backend].default_target.name
            target = await ctx.target_cache.by_id(target.backend, whole, target.parent)
        if target is not None:
            found.setdefault(cards.written(target), target)
        if len(found) == most:
            break
    return list(found.values())


async def last_channel(ctx: Context, user: str, written: str | None) -> str | None:
    """The channel where a person used a target last, else any target; None when they used nothing lately."""
    entries = await ctx.store.search(Filters(user_id=user), limit=_LOOKED_AT)
    used = [one for one in entries if one.event in _USED and one.target_name and (one.channel_id or " ")[0] in "CG"]
    return next((one.channel_id for one in sorted(used, key=lambda one: one.target_name != written)), None)


async def _keep(ctx: Context, user: str, targets: list[Target]) -> None:
    await ctx.store.set_value(_key(user), [one.model_dump(mode="json") for one in targets], ctx.clock.now())
    ctx.stale_homes.stale(user)


def same(one: Target, other: Target) -> bool:
    """Whether these are the same thing, whatever else is known of it."""
    return (one.backend, one.kind, one.id) == (other.backend, other.kind, other.id)


def _key(user: str) -> str:
    return f"favourites:{user}"
