"""Break-glass: acting without approval in an emergency. It is announced, every use is marked, and a second person reviews it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.core.audit import Event
from bot.core.card import Button, Card, Tone
from bot.core.effects import Attempt, Consequences, OfBreakglass
from bot.core.errors import BadRequest
from bot.core.intent import Actor, Command, Intent, Place
from bot.core.operation import Operation
from bot.core.outcome import Fact, Outcome, Table
from bot.core.policy.decide import Allowed, Denied, NeedsApproval, Policy, Subject, asks_of_others, decide
from bot.core.policy.rights import person_of, why_not_administrator, why_not_breakglass
from bot.core.records import Filters, Grant, PendingDecision, StoredEntry, expiry, grant_id, stamp
from bot.core.text import plural, seconds_words, shortened, utc_text
from bot.core.value import Json
from bot.features.access import grants
from bot.features.replies import grant_card
from bot.features.replies.answer import reply_in_thread
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.operations.authorize import CACHED, FRESH, everybody, rules_and_person
from bot.operations.target_facts import NOT_DONE, given_in, went
from bot.runtime.context import Context
from bot.runtime.stale_homes import opened_lately
from bot.runtime.until_stored import until_stored

KIND: Final = "review"
REVIEW_TAG: Final = "review1"
NAG_EVERY: Final = timedelta(days=1)
_LOOKED_AT: Final = 500
_LISTED: Final = 20
_LONGEST: Final = 160  # characters of why a command was not done
_TOLD: Final = frozenset({"sent", "done", "failed", "unknown", "abandoned", "reconciled", "ended"})


async def breakglass(ctx: Context, intent: Intent, ask: Command, given: Mapping[str, Any]) -> None:
    """`breakglass for=30m -- reason`: everything that is not denied, in this channel, for a short time."""
    policy, subject = await rules_and_person(ctx, intent.actor, max_age=FRESH)
    refused = why_not_breakglass(policy, subject, ctx.home_team)
    table = policy.file.breakglass
    if refused is not None or table is None:
        who = (*sorted(policy.breakglass.users), *sorted(policy.breakglass.user_groups))
        raise grants.NotPermittedError(f"You can't use break-glass: {refused}.", code="not_breakglass", who=who)
    reason, lasts = grants.needs_reason(ask), given["for"]
    if lasts > table.max:
        raise BadRequest(f"`for=` is at most {seconds_words(table.max)} for break-glass.", code="bad_parameter")
    now, own = ctx.clock.now(), grant_id(intent.request_id)
    for held in await ctx.store.grants_for(intent.actor.user_id, intent.place.channel_id, now):
        if held.breakglass and held.id != own:
            until = utc_text(held.until_at)
            raise BadRequest(f"Break-glass is already active for you here until {until}.", code="open_already")
    made = Grant(
        id=own,
        user_id=intent.actor.user_id,
        verbs=("*",),
        targets=("*",),
        channel_id=intent.place.channel_id,
        granted_by=intent.actor.user_id,
        reason=AuditWriter(ctx.secrets).clean(reason),
        from_at=stamp(now),
        until_at=stamp(now + timedelta(seconds=lasts)),
        breakglass=True,
        request_id=intent.request_id,
    )
    entry = AuditWriter(ctx.secrets).plain(
        Event.BREAKGLASS,
        intent,
        now,
        verb="breakglass",
        reason=reason,
        rule=f"grant {made.id}",
        incident=made.id,
        policy_version=policy.version,
        detail=f"in {made.channel_id} until {made.until_at}",
    )
    within = timedelta(seconds=table.review_within)
    review = _review_of(ctx, intent, made.id, 1, now + within / 2, stamp(now + within))
    made = await grants.add(ctx, made, entry, review)
    await until_stored(ctx.clock, f"grant {made.id}", partial(show, ctx, made.id))
    await reply_in_thread(ctx, intent, f"Break-glass is active until {utc_text(made.until_at)}.", tone=Tone.WARN)


def _review_of(
    ctx: Context, intent: Intent, grant_id: str, number: int, due: datetime, review_by: str
) -> PendingDecision:
    """The pending decision of the review; at `due` the reviewers are reminded. `review_by` is when it should be done."""
    return PendingDecision(
        id=f"{grant_id}.{number}",
        kind=KIND,
        request_id=intent.request_id,
        intent=intent,
        record={
            "grant": grant_id,
            "round": number,
            "channel": ctx.security_channel or intent.place.channel_id,
            "due": review_by,
        },
        due_at=stamp(due),
        made_at=stamp(ctx.clock.now()),
    )


def _key(grant_id: str, channel: str) -> str:
    return f"breakglass:{grant_id}:{channel}"


def _reviewers(policy: Policy, grant: Grant) -> tuple[str, ...]:
    users = sorted(policy.breakglass.users | policy.administrators.users)
    groups = sorted(policy.breakglass.user_groups | policy.administrators.user_groups)
    return tuple(one for one in (*users, *groups) if one != grant.user_id)


async def show(ctx: Context, grant_id: str) -> None:
    """The card in the security channel, with the review's button, in the incident channel, and where it is active: the grant's
    state, and what was done under it. The Home tabs follow."""
    async with ctx.locks.of(_key(grant_id, "")):
        if (grant := await ctx.store.grant_by_id(grant_id)) is None:
            return
        for channel in (channels := _channels(ctx, grant)):
            await ctx.presenter.show(await _card(ctx, grant, channel, channels[0]))
    ctx.stale_homes.stale(grant.user_id, *await opened_lately(ctx.store, ctx.clock.now()))


def _channels(ctx: Context, grant: Grant) -> tuple[str, ...]:
    """Where its cards are; the review is closed in the first one."""
    every = (ctx.security_channel or grant.channel_id, ctx.incident_channel, grant.channel_id)
    return tuple(dict.fromkeys(filter(None, every)))


async def recover(ctx: Context) -> None:
    """After a restart: announce what counts and was not announced. The grant that is the whole use of an approval is told by
    that."""
    for grant in await ctx.store.open_grants(ctx.clock.now()):
        if not grant.breakglass and await ctx.store.message(f"grant:{grant.id}") is None:
            asked = await ctx.store.open_pending(grant.id.replace("g-", "r-", 1))  # the approval, see `grant_id`
            if asked is None or asked.record.get("sort") != "grant":
                await grant_card.show(ctx, grant)
        cards_of = [_key(grant.id, channel) for channel in _channels(ctx, grant)] if grant.breakglass else []
        if None in [await ctx.store.message(key) for key in cards_of]:
            await show(ctx, grant.id)


async def _card(ctx: Context, grant: Grant, channel: str, review: str) -> Card:
    """What break-glass means, until when it is active, and who reviews it, for people who may not know the word. The people who
    can review it are called everywhere but in the channel where it is active."""
    holder, is_open, reviewing = f"<@{grant.user_id}>", grant.state == "open", channel == review
    done, ran = await done_under(ctx, grant)
    called = _reviewers(ctx.policy().policy, grant) if reviewing or channel != grant.channel_id else ()
    named = (grant.user_id, *called, grant.reviewed_by, grant.channel_id, review)
    return Card(
        key=_key(grant.id, channel),
        place=Place(team_id=ctx.home_team, channel_id=channel),
        title=f"Break-glass {'is active for' if is_open else 'of'} {holder} in {_where(grant)}{'' if is_open else ' has ended'}",
        tone=Tone.WARN if grant.reviewed_by is None else Tone.GOOD,
        status="" if grant.reviewed_by is None else f"Reviewed by <@{grant.reviewed_by}>",
        rows=(
            Fact(label="What it means", value=_meaning(grant))
            if is_open
            else Fact(label="What was done", value=f"{holder} {_used(ran)} with it."),
            Fact(label="Why", value=grant.reason or "no reason given"),
            *((Fact(label="Ends", value=datetime.fromisoformat(grant.until_at)),) if is_open else ()),
            Fact(label="Review", value=await _review(ctx, grant, "here" if reviewing else f"in <#{review}>")),
        ),
        table=done if not is_open and done.rows and (reviewing or channel != grant.channel_id) else None,
        buttons=await _buttons(ctx, grant, reviewing=reviewing),
        details=(Fact(label="Grant", value=grant.id), Fact(label="Request", value=grant.request_id))
        if reviewing
        else (),
        mention=tuple(dict.fromkeys(one for one in named if one)),
    )


def _used(commands: int) -> str:
    return f"ran {plural(commands, 'command')}" if commands else "ran nothing"


def _where(grant: Grant) -> str:
    return cards.channel(grant.channel_id) or "every channel"


def _meaning(grant: Grant) -> str:
    who = f"<@{grant.user_id}> can run anything in {_where(grant)} that no rule denies"
    return f"{who}, without approval and during a freeze. All of it is recorded."


async def _buttons(ctx: Context, grant: Grant, *, reviewing: bool) -> tuple[Button, ...]:
    """Close the review, and end it early: the first where the reviewers are, the second while it is active."""
    closing = (close_button(ctx, grant),) if reviewing and grant.reviewed_by is None else ()
    return (*closing, await grant_card.revoke_button(ctx, grant, "End it now")) if grant.state == "open" else closing


def close_button(ctx: Context, grant: Grant, label: str = "Close review") -> Button:
    """It opens the form of the review."""
    means: dict[str, Json] = {"tag": REVIEW_TAG, "grant": grant.id, "verb": "close review"}
    return Button(label=label, action="close_review", id=ctx.ids.secret(), style="primary", means=means)


def may_review(policy: Policy, subject: Subject, home_team: str) -> bool:
    """Whether this person closes reviews of what others did with break-glass."""
    return any(why_not(policy, subject, home_team) is None for why_not in (why_not_breakglass, why_not_administrator))


async def to_review(ctx: Context, actor: Actor) -> list[tuple[PendingDecision, Grant]]:
    """The uses of break-glass that this person may review, in the order of lists."""
    every = await ctx.store.pending_decisions(state="open")
    open_ones = sorted((one for one in every if one.kind == KIND), key=expiry)
    if not open_ones:
        return []
    policy, subject = await rules_and_person(ctx, actor)
    if not may_review(policy, subject, ctx.home_team):
        return []
    own = person_of(actor.user_id, policy.accounts)
    found = [(one, await ctx.store.grant_by_id(str(one.record.get("grant")))) for one in open_ones]
    return [(one, used) for one, used in found if used is not None and person_of(used.user_id, policy.accounts) != own]


async def _review(ctx: Context, grant: Grant, where: str) -> str:
    """Who reviews it, or who did, and the note."""
    if grant.reviewed_by is None:
        return f"Someone other than <@{grant.user_id}> must review what was done and close this {where}."
    return f"<@{grant.reviewed_by}>: {await _note(ctx, grant)}"


async def _note(ctx: Context, grant: Grant) -> str:
    """The reviewer's note, from the audit log."""
    filters = Filters(user_id=grant.reviewed_by, event=Event.REVIEWED, since=grant.reviewed_at)
    entries = await ctx.store.search(filters, limit=_LOOKED_AT)
    return next((entry.reason for entry in reversed(entries) if _under(entry, grant) and entry.reason), "no note")


def _under(entry: StoredEntry, grant: Grant) -> bool:
    """Whether this break-glass allowed it, or the entry is about it. `incident` is that of the place, if one was open there."""
    return entry.rule == f"grant {grant.id}"


async def done_under(ctx: Context, grant: Grant, most: int | None = _LISTED) -> tuple[Table, int]:
    """How what was asked for under it went, the first `most` or everything, by the last entry of each request in the audit log,
    with the time at which it was sent; and how many commands were carried out."""
    filters = Filters(user_id=grant.user_id, since=grant.from_at)
    found: list[StoredEntry] = []
    while page := await ctx.store.search(filters, before_seq=found[-1].seq if found else None, limit=_LOOKED_AT):
        found += page
    given = await given_in(ctx, found)
    sent = {entry.request_id: entry.at for entry in found if entry.event is Event.SENT}
    under = {entry.request_id for entry in found if _under(entry, grant)}  # the end of a run names no rule
    last = {
        entry.request_id: entry
        for entry in reversed(found)
        if entry.request_id in under and str(entry.event) in _TOLD and entry.backend is not None
    }
    went = {entry.request_id: _went(ctx, entry) for entry in last.values()}
    rows = tuple(
        (
            f"{entry.verb} {entry.target_name} {given.get(entry.request_id or '', '')}".rstrip(),
            went[entry.request_id],
            utc_text(sent.get(entry.request_id, entry.at), seconds=True),
        )
        for entry in list(last.values())[:most]
    )
    note = f"`signalbox audit search {grant.id}` lists all." if len(last) > len(rows) else ""
    ran = [one for one, word in went.items() if one in sent and not word.startswith(NOT_DONE)]
    return Table(columns=("What", "Outcome", "When"), rows=rows, total=len(last), note=note), len(ran)


def _went(ctx: Context, entry: StoredEntry) -> str:
    """How it went, and why it was not done."""
    word = went(ctx.catalog, entry)
    return f"{word}: {shortened(entry.detail, _LONGEST)}" if word == NOT_DONE and entry.detail else word


class BreakglassEffect(OfBreakglass[Context]):
    """Operations under break-glass carry the grant's id, and the approvers who were skipped are notified."""

    def before_call(self, ctx: Context, attempt: Attempt) -> Attempt:
        """The attempt with the grant's id on its operation."""
        decision = attempt.ruling.decision if attempt.ruling is not None else None
        grant = decision.via_grant if isinstance(decision, Allowed) else None
        return replace(attempt, operation=attempt.operation.model_copy(update={"incident": grant}))

    async def after_card(self, ctx: Context, attempt: Attempt, result: Outcome, consequences: Consequences) -> None:
        """Notify the approvers that a rule would have asked, also when a freeze precedes the rule."""
        operation, ruling = attempt.operation, attempt.ruling
        capability = ctx.catalog.capability(operation.target.backend, operation.verb, operation.target.kind)
        if ruling is None or capability is None:
            return
        thawed = replace(ruling.policy, freezes=())
        grants_left = tuple(grant for grant in ruling.situation.grants if not grant.breakglass)
        situation = replace(ruling.situation, policy=thawed, grants=grants_left)
        question = situation.question(capability, operation.target, operation.params, ctx.clock.now())
        without: object = decide(thawed, question)
        if isinstance(without, Denied):  # no rule names the holder: the approvers of others' requests were skipped too
            without = asks_of_others(thawed, question)
        if not isinstance(without, NeedsApproval):
            return
        requester = attempt.intent.actor.user_id
        who, _ = await everybody(ctx, ruling.policy, without, requester, max_age=CACHED)
        await ctx.presenter.show(_skipped_card(attempt.intent, operation, without, who.user_ids, result))

    async def recorded(self, ctx: Context, operation: Operation) -> None:
        """After its end, the cards of the break-glass list how everything went."""
        grant = await ctx.store.grant_by_id(str(operation.incident))
        if grant is not None and grant.state != "open":
            await show(ctx, grant.id)


def _skipped_card(
    intent: Intent, operation: Operation, demand: NeedsApproval, people: tuple[str, ...], result: Outcome
) -> Card:
    asker, ran = intent.actor.user_id, "ran" if result.kind == "done" else "tried to run"
    return Card(
        key=f"skipped:{operation.request_id}",
        place=Place(team_id=intent.place.team_id, channel_id=demand.in_channel),
        title=f"<@{asker}> {ran} `{operation.title}` without your approval",
        tone=Tone.WARN,
        rows=(
            Fact(label="How it went", value=f"{result.kind}: {result.summary}"),
            Fact(label="Why", value=operation.reason or "no reason given"),
            Fact(label="Allowed by", value=f"break-glass. Normally {demand.count} of you must approve this."),
        ),
        mention=tuple(dict.fromkeys((asker, *people))),
    )


async def nag(ctx: Context, intent: Intent, pending: PendingDecision) -> None:
    """The review is still open: remind the people who can close it, and again in a day."""
    grant_id, number = str(pending.record.get("grant")), pending.record.get("round")
    found = await ctx.store.grant_by_id(grant_id)
    if found is None or found.reviewed_by is not None or not isinstance(number, int):
        await ctx.store.end_pending(pending.id, "taken", None, (), ctx.clock.now())
        return
    review_by, now = str(pending.record.get("due") or pending.due_at), ctx.clock.now()
    following = _review_of(ctx, intent, grant_id, number + 1, now + NAG_EVERY, review_by)
    if await ctx.store.open_pending(following.id) is None:
        await ctx.store.wait(intent.request_id, following, (), stamp(now))
    await ctx.store.end_pending(pending.id, "expired", None, (), now)
    channel = str(pending.record.get("channel"))
    await ctx.presenter.show(await _overdue_card(ctx, found, channel, pending.id))


async def _overdue_card(ctx: Context, grant: Grant, channel: str, pending_id: str) -> Card:
    posted = await ctx.store.message(_key(grant.id, channel))
    people = (grant.user_id, grant.channel_id, *_reviewers(ctx.policy().policy, grant))
    return Card(
        key=f"nag:{pending_id}",
        place=Place(team_id=ctx.home_team, channel_id=channel, thread_ts=posted.ts if posted is not None else None),
        title=f"Break-glass of <@{grant.user_id}> in {_where(grant)} is not reviewed yet",
        tone=Tone.WARN,
        status=f"It began {utc_text(grant.from_at)}. Why: {grant.reason}",
        mention=tuple(filter(None, people)),
    )
