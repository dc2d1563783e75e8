"""`Close review` on a break-glass: by another person, with a note of what was done and whether it was right."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from bot.core.audit import AuditEntry, Event
from bot.core.card import FormField, FormView, Line, Tone
from bot.core.intent import Intent, Place
from bot.core.policy.decide import why_not_administrator, why_not_breakglass
from bot.core.policy.rights import person_of
from bot.core.records import Filters, Grant
from bot.core.text import plural, shortened, utc_text
from bot.core.value import Json
from bot.features.access.breakglass import done_under, show
from bot.features.access.grant_end import entry_of
from bot.features.forms.opened import keep, open_form
from bot.features.replies.answer import say
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, FRESH, rules_and_person
from bot.runtime.context import Context
from bot.runtime.until_stored import until_stored

FORM: Final = "close_review"
NOTE: Final = "note"
_LONGEST: Final = 80  # characters of a command, and of its outcome
_IN_ONE: Final = 12  # commands in a paragraph, which has at most 3,000 characters
_MOST: Final = 600  # commands in the form
_MORE: Final = 5  # commands in the note of the form


async def open_review(ctx: Context, intent: Intent, grant_id: str) -> None:
    """The button was pressed: open the form for the note, if the person may close the review."""
    found = await _open_grant(ctx, intent, grant_id)
    if found is None or await _refused(ctx, intent, found, max_age=CACHED):
        return
    done = await _done(ctx, found)
    form = _form(found, ctx.ids.secret(), done)
    await open_form(ctx, intent, form, {"grant": found.id, "seen": len(done)}, "Press `Close review` again.")


async def _done(ctx: Context, found: Grant) -> list[str]:
    """Every command that was given with it, and how it went."""
    table, _ = await done_under(ctx, found, most=None)
    return [f"`{shortened(what, _LONGEST)}`: {shortened(how, _LONGEST)}" for what, how, _ in table.rows]


async def since_opened(ctx: Context, token: str, kept: Mapping[str, Json]) -> str:
    """What was done since the form was opened, for its note: what nobody has seen is not reviewed. Told once."""
    found, seen = await ctx.store.grant_by_id(str(kept.get("grant"))), kept.get("seen")
    if found is None or found.reviewed_by is not None:
        return ""
    seen = seen if isinstance(seen, int) else 0
    if not (more := (await _done(ctx, found))[seen:]):
        return ""
    named = more[:_MORE]
    await keep(ctx, token, {**kept, "seen": seen + len(named)})
    which = f", the first {len(named)} of {len(more)}" if len(named) < len(more) else ""
    return f"Done since you opened this{which}: {'; '.join(named)}. Add it to your note, and close the review again."


def _form(found: Grant, token: str, done: Sequence[str]) -> FormView:
    label = "What was done, and was it right?"
    ends = "It is still active. Closing the review ends it." if found.state == "open" else ""
    used = f"<@{found.user_id}> from {utc_text(found.from_at)} in <#{found.channel_id}>"
    left, what = len(done) - _MOST, "What was done with it so far" if ends else "What was done with it"
    rest = f"{plural(left, 'more command')}: `signalbox audit search {found.id}` lists all."
    parts = ["\n".join(done[at : at + _IN_ONE]) for at in range(0, min(len(done), _MOST), _IN_ONE)] or ["Nothing."]
    return FormView(
        form=FORM,
        token=token,
        title="Close review",
        submit="Close review",
        lines=(
            Line(heading=used, text=found.reason or "no reason given"),
            *(Line(heading="" if number else what, text=part) for number, part in enumerate(parts)),
            *((Line(text=rest),) if left > 0 else ()),
            *((Line(text=ends),) if ends else ()),
        ),
        fields=(FormField(name=NOTE, label=label, type="lines", hint="It is kept in the audit log.", optional=False),),
        mention=tuple(one for one in (found.user_id, found.channel_id) if one),
    )


async def close_review(ctx: Context, intent: Intent, grant_id: str, place: Place, note: str) -> None:
    """Close the review with the note of a second person of [breakglass] or [administrators]. An active grant ends."""
    intent = intent.model_copy(update={"place": place})
    found = await _open_grant(ctx, intent, grant_id)
    if found is None or await _refused(ctx, intent, found, max_age=FRESH):
        return
    what = {"verb": "close review", "target_name": None, "reason": note}
    ended, did = f"of {found.user_id}; the review was closed", f"what {found.user_id} did with it"
    revoked = await entry_of(ctx, intent, found, Event.REVOKED, **what, detail=ended)
    entry = await entry_of(ctx, intent, found, Event.REVIEWED, **what, detail=did)
    if not await until_stored(ctx.clock, f"grant {found.id}", partial(_closed, ctx, found.id, revoked, entry)):
        await _open_grant(ctx, intent, grant_id)


async def _closed(ctx: Context, grant_id: str, revoked: AuditEntry, entry: AuditEntry) -> bool:
    """End the break-glass, close its review, and show it. Whoever repeats this completes what an earlier try left. False when
    another request closed it."""
    await ctx.store.end_grant(grant_id, "revoked", (revoked,))
    await ctx.store.review_grant(grant_id, str(entry.user_id), (entry,), entry.at)
    if not await ctx.store.search(Filters(request_id=entry.request_id, event=Event.REVIEWED), limit=1):
        return False
    number = 1
    while (pending := await ctx.store.open_pending(f"{grant_id}.{number}")) is not None:
        await ctx.store.end_pending(pending.id, "taken", None, (), ctx.clock.now())
        number += 1
    await ctx.store.finish(entry.request_id, (), ctx.clock.now())
    await show(ctx, grant_id)
    return True


async def _open_grant(ctx: Context, intent: Intent, grant_id: str) -> Grant | None:
    """The break-glass while its review is open. Otherwise, say who reviewed it first."""
    found = await ctx.store.grant_by_id(grant_id)
    if found is None:
        await say(ctx, intent, "This break-glass is not in the store any more.")
        return None
    if found.reviewed_by is not None:
        await show(ctx, found.id)
        text = f"<@{found.reviewed_by}> has already reviewed this."
        await say(ctx, intent, text, found.reviewed_by, tone=Tone.PLAIN)
        return None
    return found


async def _refused(ctx: Context, intent: Intent, found: Grant, *, max_age: float) -> bool:
    """Whether the person was told that they can't close it; the attempt goes to the audit log."""
    refused = await _may_not_review(ctx, intent, found, max_age)
    if refused is None:
        return False
    code, sentence = refused
    columns = {"verb": "close review", "rule": f"grant {found.id}", "incident": found.id}
    entry = AuditWriter(ctx.secrets).plain(Event.DENIED, intent, ctx.clock.now(), code=code, detail=sentence, **columns)
    await ctx.store.append(entry)
    await say(ctx, intent, sentence)
    return True


async def _may_not_review(ctx: Context, intent: Intent, found: Grant, max_age: float) -> tuple[str, str] | None:
    """Code and sentence, None when the person may close it."""
    policy, subject = await rules_and_person(ctx, intent.actor, max_age=max_age)
    if person_of(intent.actor.user_id, policy.accounts) == person_of(found.user_id, policy.accounts):
        return "own_review", "You can't review your own break-glass. Someone else has to."
    glass = why_not_breakglass(policy, subject, ctx.home_team)
    administrator = why_not_administrator(policy, subject, ctx.home_team)
    if glass is None or administrator is None:
        return None
    return "not_eligible", f"You can't close a review: {administrator}."
