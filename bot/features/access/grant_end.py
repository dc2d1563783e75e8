"""The end of a grant or of break-glass: at its time, or with the command `revoke`."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import Tone
from bot.core.errors import BadRequest
from bot.core.intent import Command, Intent
from bot.core.policy.decide import why_not_administrator
from bot.core.records import Filters, Grant, done_by, newest_of, stamp
from bot.core.text import person_in
from bot.features.access import breakglass
from bot.features.access.grants import NotPermittedError, needs_reason
from bot.features.replies import grant_card
from bot.features.replies.answer import reply
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import FRESH, rules_and_person
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

_STATES: Final = {Event.REVOKED: "revoked", Event.EXPIRED: "expired"}
_NEWS: Final = timedelta(days=7)
_LOOKED_AT: Final = 500


async def revoke(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`revoke ID -- reason`: by an administrator, its giver or its holder. A person stands for the only grant they hold."""
    reason = needs_reason(ask)
    word = ask.words[0].strip("`") if ask.words else ""
    found, person = await ctx.store.grant_by_id(word.lower()) if word else None, person_in(word)
    if person is not None:
        held = [grant for grant in await ctx.store.open_grants(ctx.clock.now()) if grant.user_id == person]
        found = held[0] if len(held) == 1 else None
    if found is None:
        which = f"Say which grant of <@{person}> you mean" if person is not None and held else "I don't know this grant"
        raise BadRequest(f"{which}. `{ctx.command} grants` lists the grants.", code="no_such_grant")
    policy, subject = await rules_and_person(ctx, intent.actor, max_age=FRESH)
    admin = why_not_administrator(policy, subject, ctx.home_team)
    if admin is not None and intent.actor.user_id not in (found.user_id, *found.granted_by.split(", ")):
        raise NotPermittedError(
            f"Only an administrator, its giver or its holder can end a grant: {admin}.",
            who=sorted(policy.administrators.users),
        )
    what = "Break-glass" if found.breakglass else f"The grant of {grant_card.what(found)}"
    if not await _end(ctx, intent, found, Event.REVOKED, reason):
        raise BadRequest(f"{what} has already ended.", code="grant_over")
    here = intent.place.channel_id == found.channel_id and intent.place.aside.thread_ts is None
    if not found.breakglass or not here:  # the message in its channel says that it ended
        told, more = f"{what} of <@{found.user_id}> is revoked.", await grant_card.still_granted(ctx, found)
        await reply(ctx, intent, told, tone=Tone.GOOD, lines=more, mention=(found.user_id,))


async def expire(ctx: Context, intent: Intent, grant: Grant) -> None:
    """End a grant whose time is up."""
    await _end(ctx, intent, grant, Event.EXPIRED)


async def _end(ctx: Context, intent: Intent, grant: Grant, event: Event, reason: str | None = None) -> bool:
    """End it unless it has ended, and tell how it did. Whoever repeats this completes what an earlier try left, such as one that
    a restart cut off. False when another request ended it."""
    entry = await entry_of(ctx, intent, grant, event, reason=reason)
    return await until_stored(ctx.clock, f"grant {grant.id}", partial(_ended, ctx, grant, entry))


async def recover(ctx: Context) -> None:
    """After a restart: tell the ends of the last days that were not told, and show those by a review."""
    since = stamp(ctx.clock.now() - _NEWS)
    for event in (*_STATES, Event.REVIEWED):
        for entry in await ctx.store.search(Filters(event=event, since=since), limit=_LOOKED_AT):
            grant = await ctx.store.grant_by_id((entry.rule or "").removeprefix("grant "))
            if grant is not None and entry.verb != ", ".join(grant.verbs):  # with its review, whose cards alone tell it
                await breakglass.show(ctx, grant.id)
            elif grant is not None and await ctx.store.message(f"grant:{grant.id}:ended") is None:
                await _tell(ctx, grant)


async def _ended(ctx: Context, grant: Grant, entry: AuditEntry) -> bool:
    await ctx.store.end_grant(grant.id, _STATES[entry.event], (entry,))
    return await _tell(ctx, grant) == entry.request_id


async def entry_that_ended(ctx: Context, grant: Grant) -> AuditEntry | None:
    """The entry of the end of a grant; None while it is open."""
    filters = [Filters(event=event, since=grant.from_at) for event in _STATES]
    found = newest_of([await ctx.store.search(one, limit=_LOOKED_AT) for one in filters], _LOOKED_AT)
    ends = (f"grant {grant.id}", ", ".join(grant.verbs))
    return next((one for one in found if (one.rule, one.verb) == ends), None)


async def _tell(ctx: Context, grant: Grant) -> str | None:
    """Tell how it ended. Returns the request that ended it."""
    by = await entry_that_ended(ctx, grant)
    if by is not None and by.event is Event.REVOKED:
        why = f": {by.reason}" if by.reason not in (None, grant_card.PRESSED) else ""
        await grant_card.ended(ctx, grant.id, f"Revoked {done_by(by, f'<@{by.user_id}>')}{why}", str(by.user_id))
    elif by is not None:
        await grant_card.ended(ctx, grant.id, "Its time is over")
    if grant.breakglass:
        await breakglass.show(ctx, grant.id)
    return by.request_id if by is not None else None


async def entry_of(ctx: Context, intent: Intent, grant: Grant, event: Event, **columns: str | None) -> AuditEntry:
    """The entry of the end or the review of a grant. Where no incident is open, it belongs to the one in which the grant was
    given."""
    asked = await ctx.store.search(Filters(request_id=grant.request_id, event=Event.REQUESTED))
    incident = next((entry.incident for entry in asked if entry.incident), grant.id if grant.breakglass else None)
    filled: dict[str, str | None] = {
        "verb": ", ".join(grant.verbs),
        "target_name": ", ".join(grant.targets),
        "rule": f"grant {grant.id}",
        "incident": incident,
        "detail": f"of {grant.user_id}",
        **columns,
    }
    return AuditWriter(ctx.secrets).plain(event, intent, ctx.clock.now(), **filled)
