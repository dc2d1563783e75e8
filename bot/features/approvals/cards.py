"""What people see of an approval: the approvers' card, the requester's card, and short messages in the request's thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.approval import request_facts
from bot.core.card import Button, Card, Line, Question, Tone
from bot.core.intent import Place
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.records import CastVote, PendingDecision
from bot.core.text import plural
from bot.core.value import canonical
from bot.features.approvals.record import KIND, ApprovalRecord, claimed_by, record_of
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

HOME_CARDS: Final = 5
TOLD: Final = "told:"
_HEADS: Final = {
    "approved": "Approved",
    "taken": "Approved",
    "rejected": "Denied",
    "expired": "Expired: not decided in time",
    "cancelled": "Cancelled",
}
_TONES: Final = {"approved": Tone.GOOD, "taken": Tone.GOOD, "rejected": Tone.BAD}


def card_key(request_id: str) -> str:
    """The key of the approvers' card."""
    return f"approval:{request_id}"


async def show(ctx: Context, pending: PendingDecision, *, ended: str = "", agreed: int | None = None) -> None:
    """Make the approvers' card what it should be now. Without an open question it carries no buttons.

    `agreed` is how many votes count, None when all of them do.
    """
    operation = pending.operation
    if operation is None:
        return
    votes = await ctx.store.votes(pending.id)
    claimed = await claimed_by(ctx, pending)
    await ctx.presenter.show(_card(ctx, pending, operation, votes, claimed, ended, agreed))
    ctx.stale_homes.stale(*record_of(pending).eligible, pending.intent.actor.user_id)


def _card(
    ctx: Context,
    pending: PendingDecision,
    operation: Operation,
    votes: Sequence[CastVote],
    claimed: str | None,
    ended: str = "",
    agreed: int | None = None,
) -> Card:
    record = record_of(pending)
    is_open = pending.state == "open"
    voters = [vote.user_id for vote in votes]
    where = pending.intent.place.channel_id
    people = (pending.intent.actor.user_id, *record.eligible, *voters, *([claimed] if claimed else []), where)
    return Card(
        key=card_key(pending.request_id),
        place=_place(pending, record),
        title=f"Approval: {cards.title_of(operation)}",
        tone=Tone.ASK if is_open else _TONES.get(pending.state, Tone.WARN),
        status=ended or (_progress(record, votes, claimed, agreed) if is_open else head(pending, votes)),
        lines=_lines(pending, record, votes),
        facts=_facts(ctx, pending, operation, record),
        buttons=_buttons(pending, record) if is_open else (),
        footer=(f"request {pending.request_id}", f"approval {pending.id}", f"rule {record.rule}"),
        mention=tuple(dict.fromkeys(people)),
        question=Question(
            asked_by=pending.intent.actor.user_id, asked_in=pending.intent.place, deciders=record.eligible
        ),
        at=datetime.fromisoformat(pending.decided_at or pending.made_at),
    )


def _place(pending: PendingDecision, record: ApprovalRecord) -> Place:
    place = pending.intent.place
    thread = place.thread_ts if record.channel == place.channel_id else None
    return Place(team_id=place.team_id, channel_id=record.channel, thread_ts=thread)


def _progress(record: ApprovalRecord, votes: Sequence[CastVote], claimed: str | None, counting: int | None) -> str:
    agreed = len([vote for vote in votes if vote.vote == "approve"]) if counting is None else counting
    words = f"{agreed} of {record.count} agreed" if agreed else f"Waiting for {record.count} of {named(record.groups)}"
    return f"{words}; <@{claimed}> is looking at it" if claimed else words


def named(groups: Sequence[str]) -> str:
    """The words of the rules for the people who decide."""
    return ", ".join(f"`{group}`" for group in groups)


def head(pending: PendingDecision, votes: Sequence[CastVote] = ()) -> str:
    """How it ended, and by whom: by everybody who agreed where the votes are given."""
    agreed = (
        [vote.user_id for vote in votes if vote.vote == "approve"] if pending.state in ("approved", "taken") else []
    )
    people = agreed or ([pending.decided_by] if pending.decided_by else [])
    by = f" by {' and '.join(f'<@{user}>' for user in people)}" if people else ""
    return f"{_HEADS.get(pending.state, pending.state)}{by}"


def _lines(pending: PendingDecision, record: ApprovalRecord, votes: Sequence[CastVote]) -> tuple[Line, ...]:
    lines = [Line(heading="Asked again", text=record.note)] if record.note else []
    if record.sort != "run":
        until = f" for {plural(record.lasts // 60, 'minute')}" if record.sort == "grant" else " this once"
        lines.append(
            Line(text=f"No rule allows this to <@{pending.intent.actor.user_id}> here; it is asked for{until}.")
        )
    lines.append(Line(heading="What will happen", text=record.effect))
    said = [f"<@{vote.user_id}>: {vote.vote}{f', {vote.reason}' if vote.reason else ''}" for vote in votes]
    return (*lines, *([Line(heading="Decisions", text="\n".join(said))] if said else []))


def _facts(ctx: Context, pending: PendingDecision, operation: Operation, record: ApprovalRecord) -> tuple[Fact, ...]:
    due = datetime.fromisoformat(pending.due_at)
    asker = f"<@{pending.intent.actor.user_id}>"
    facts = request_facts(
        operation, record.demand, requester_id=asker, due=due, digest=pending.digest or "", state=record.state
    )
    audit_writer = AuditWriter(ctx.secrets)
    masked = {
        "Parameters": _exactly(audit_writer.params(operation.params)) or "none",
        "Reason": audit_writer.clean(operation.reason) or "none given",
    }
    facts = tuple(fact.model_copy(update={"value": masked.get(fact.label, fact.value)}) for fact in facts)
    where = Fact(label="Where", value=f"<#{pending.intent.place.channel_id}>")
    may = Fact(label="Who may decide", value=", ".join(f"<@{user}>" for user in record.eligible))
    files = (Fact(label="Files", value=", ".join(operation.files)),) if operation.files else ()
    return (*facts[:1], where, *facts[1:4], *files, facts[4], may, *facts[5:], *record.shown)


def _exactly(params: str) -> str:
    """Canonical JSON of parameters as `name=value`, values as JSON: a text cannot look like another parameter."""
    return ", ".join(f"{name}={canonical(value)}" for name, value in json.loads(params).items())


def _buttons(pending: PendingDecision, record: ApprovalRecord) -> tuple[Button, ...]:
    def button(label: str, style: str | None = None) -> Button:
        choice = label.lower()
        means = cards.pending_means(pending.id, choice)
        return Button(label=label, action=choice, id=record.buttons[choice], style=style, means=means)

    return (button("Approve", "primary"), button("Deny", "danger"), button("Claim"))


async def show_requester(ctx: Context, pending: PendingDecision) -> None:
    """The card of the request in the place where it was asked, with Cancel for the requester alone."""
    operation = pending.operation
    if operation is None:
        return
    record = record_of(pending)
    cancel = Button(
        label="Cancel",
        action="cancel",
        id=record.buttons["cancel"],
        means=cards.pending_means(pending.id, "cancel"),
        only_user=pending.intent.actor.user_id,
    )
    due = Fact(label="Expires", value=datetime.fromisoformat(pending.due_at))
    status = f"Waiting for approval by {record.count} of {named(record.groups)}; nothing was sent"
    lines = (
        *([Line(heading="Asked again", text=record.note)] if record.note else ()),
        *await _unposted(ctx, pending, record),
    )
    await _requester(ctx, pending, operation, Tone.ASK, status, lines, (due,), (cancel,))


async def _unposted(ctx: Context, pending: PendingDecision, record: ApprovalRecord) -> tuple[Line, ...]:
    """Those who decide see nothing of it where the bot cannot write; the requester can do something about that."""
    if record.channel == pending.intent.place.channel_id:
        return ()
    found = await ctx.directory.reach(record.channel)
    if not found.trouble or not found.known:
        return ()
    text = (
        f"I cannot post it in <#{record.channel}>, where those who decide look: {found.trouble}. "
        "Until then nobody is told; it is posted there within half a minute of my being let in."
    )
    return (Line(heading="Not asked yet", text=text),)


async def close_requester(
    ctx: Context, pending: PendingDecision, tone: Tone, status: str, text: str, *people: str
) -> None:
    """The card of the request once nothing will come of it, or once it has turned into a grant."""
    if pending.operation is not None:
        again = text.startswith(status)
        lines = () if again else (Line(text=text),)
        await _requester(ctx, pending, pending.operation, tone, text if again else status, lines, (), (), people)


async def _requester(
    ctx: Context,
    pending: PendingDecision,
    operation: Operation,
    tone: Tone,
    status: str,
    lines: Sequence[Line],
    facts: Sequence[Fact],
    buttons: Sequence[Button],
    people: Sequence[str] = (),
) -> None:
    card = cards.working(operation, pending.intent, status)
    changed = {
        "tone": tone,
        "lines": (*card.lines, *lines),
        "facts": (*card.facts, *facts),
        "buttons": tuple(buttons),
        "footer": (*card.footer, f"approval {pending.id}"),
        "mention": tuple(dict.fromkeys((*card.mention, *people, record_of(pending).channel))),
    }
    await ctx.presenter.show(card.model_copy(update=changed), pending.intent.reply)


def told_key(pending_id: str, what: str) -> str:
    """The key of the message that tells the requester so."""
    return f"{TOLD}{pending_id}:{what}"


async def tell_requester(
    ctx: Context, pending: PendingDecision, what: str, text: str, *people: str, tone: Tone = Tone.PLAIN
) -> None:
    """A message that calls the requester, in the thread of the request. `what` keeps it from being said twice."""
    place = pending.intent.place
    posted = await ctx.store.message(cards.key_of(pending.request_id))
    thread = place.thread_ts or (posted.ts if posted is not None else None)
    asker = pending.intent.actor.user_id
    card = Card(
        key=told_key(pending.id, what),
        place=Place(team_id=place.team_id, channel_id=place.channel_id, thread_ts=thread),
        title=cards.title_of(pending.operation) if pending.operation is not None else pending.request_id,
        tone=tone,
        status=text,
        mention=tuple(dict.fromkeys((asker, *people))),
    )
    await ctx.presenter.show(card)


async def remind(ctx: Context, pending: PendingDecision) -> None:
    """Call those who may decide and have not, in the thread of their card."""
    record = record_of(pending)
    voted = {vote.user_id for vote in await ctx.store.votes(pending.id)}
    card = Card(
        key=f"remind:{pending.id}",
        place=await _thread(ctx, pending),
        title=f"Still waiting: {_title(pending)}",
        tone=Tone.ASK,
        status=f"Half of the time is over; {len(voted)} of {record.count} agreed"
        if voted
        else "Half of the time is over",
        facts=(Fact(label="Expires", value=datetime.fromisoformat(pending.due_at)),),
        mention=tuple(user for user in record.eligible if user not in voted),
    )
    await ctx.presenter.show(card)


async def call_back(ctx: Context, pending: PendingDecision, newer: PendingDecision) -> None:
    """Who had voted on what the newer question replaced is called to it: a card that changes tells nobody."""
    voted = tuple(vote.user_id for vote in await ctx.store.votes(pending.id))
    if not voted:
        return
    card = Card(
        key=f"again:{newer.id}",
        place=await _thread(ctx, newer),
        title=f"Asked again: {_title(newer)}",
        tone=Tone.ASK,
        status=record_of(newer).note,
        lines=(
            Line(text="Your vote was on how it stood before and counts no more. Look at the card, then vote again."),
        ),
        mention=voted,
    )
    await ctx.presenter.show(card)


async def _thread(ctx: Context, pending: PendingDecision) -> Place:
    """The thread of the approvers' card."""
    posted = await ctx.store.message(card_key(pending.request_id))
    thread = (posted.thread_ts or posted.ts) if posted is not None else None
    return Place(team_id=pending.intent.place.team_id, channel_id=record_of(pending).channel, thread_ts=thread)


def _title(pending: PendingDecision) -> str:
    return cards.title_of(pending.operation) if pending.operation is not None else pending.request_id


async def home_cards(ctx: Context, user: str, place: Place) -> tuple[Card, ...]:
    """The approvals that wait for this person, as sections of their Home tab. A button there is one of its own."""
    cards_of: list[Card] = []
    for pending in await ctx.store.pending_decisions(state="open"):
        if pending.kind != KIND or pending.operation is None or user not in record_of(pending).eligible:
            continue
        votes = await ctx.store.votes(pending.id)
        if any(vote.user_id == user for vote in votes):
            continue
        card = _card(ctx, pending, pending.operation, votes, await claimed_by(ctx, pending))
        buttons = tuple(button.model_copy(update={"id": ctx.ids.secret()}) for button in card.buttons)
        title = f"You may decide: {cards.title_of(pending.operation)}"
        cards_of.append(
            card.model_copy(update={"key": f"home:{pending.id}", "place": place, "title": title, "buttons": buttons})
        )
    return tuple(cards_of[:HOME_CARDS])
