"""The cards of an approval: for approvers, for the requester, and short messages in the request's thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.approval import request_facts
from bot.core.approval_record import Approval, ApprovalRecord
from bot.core.card import Button, Card, Line, Question, Tone, operation_key
from bot.core.command.parser import format_command
from bot.core.intent import Command, Place
from bot.core.outcome import Fact
from bot.core.records import CastVote, PendingDecision
from bot.core.redact import MASK
from bot.core.text import plural
from bot.core.value import Json, canonical
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


async def show(ctx: Context, approval: Approval, *, ended: str = "", agreed: int | None = None) -> None:
    """Bring the approvers' card up to date. Once the question is decided it carries no buttons.

    `ended` is the headline of an approval that is over. `agreed` is how many votes count, None when all of them do.
    """
    votes = await ctx.store.votes(approval.id)
    claimed = await ctx.store.value(approval.claim_key)
    await ctx.presenter.show(_card(ctx, approval, votes, claimed if isinstance(claimed, str) else None, ended, agreed))
    ctx.stale_homes.stale(*approval.record.eligible, approval.requester)


def _card(
    ctx: Context,
    approval: Approval,
    votes: Sequence[CastVote],
    claimed: str | None,
    ended: str = "",
    agreed: int | None = None,
) -> Card:
    writer, pending, operation, record = AuditWriter(ctx.secrets), approval.pending, approval.operation, approval.record
    params, reason = writer.params(operation.params), writer.clean(operation.reason)
    is_open = pending.state == "open"
    place = pending.intent.place
    people = (
        approval.requester,
        *record.eligible,
        *(vote.user_id for vote in votes),
        *([claimed] if claimed else []),
        place.channel_id,
    )
    thread = place.thread_ts if record.channel == place.channel_id else None
    return Card(
        key=card_key(pending.request_id),
        place=Place(team_id=place.team_id, channel_id=record.channel, thread_ts=thread),
        title=f"Approval: {operation.title}",
        tone=Tone.ASK if is_open else _TONES.get(pending.state, Tone.WARN),
        status=ended or (_progress(record, votes, claimed, agreed) if is_open else head(pending, votes)),
        lines=_lines(approval, votes),
        facts=_facts(approval, params, reason or "none given"),
        buttons=_buttons(approval) if is_open else (),
        footer=(f"request {pending.request_id}", f"approval {pending.id}", f"rule {record.rule}"),
        mention=tuple(dict.fromkeys(people)),
        question=Question(asked_by=approval.requester, asked_in=place, deciders=record.eligible),
        at=datetime.fromisoformat(pending.decided_at or pending.made_at),
    )


def _progress(record: ApprovalRecord, votes: Sequence[CastVote], claimed: str | None, counting: int | None) -> str:
    agreed = len([vote for vote in votes if vote.vote == "approve"]) if counting is None else counting
    words = f"{agreed} of {record.count} agreed" if agreed else f"Waiting for {record.count} of {named(record.groups)}"
    return f"{words}; <@{claimed}> is looking at it" if claimed else words


def named(groups: Sequence[str]) -> str:
    """The words of the rules for the people who decide."""
    return ", ".join(f"`{group}`" for group in groups)


def head(pending: PendingDecision, votes: Sequence[CastVote] = ()) -> str:
    """How it ended and who decided. With `votes`, everyone who approved."""
    agreed = (
        [vote.user_id for vote in votes if vote.vote == "approve"] if pending.state in ("approved", "taken") else []
    )
    people = agreed or ([pending.decided_by] if pending.decided_by else [])
    by = f" by {' and '.join(f'<@{user}>' for user in people)}" if people else ""
    return f"{_HEADS.get(pending.state, pending.state)}{by}"


def _lines(approval: Approval, votes: Sequence[CastVote]) -> tuple[Line, ...]:
    record = approval.record
    lines = [Line(heading="Asked again", text=record.note)] if record.note else []
    if record.sort != "run":
        until = f" for {plural(record.lasts // 60, 'minute')}" if record.sort == "grant" else " this once"
        lines.append(Line(text=f"No rule allows this to <@{approval.requester}> here; it is asked for{until}."))
    lines.append(Line(heading="What will happen", text=record.effect))
    words = [f"<@{vote.user_id}>: {vote.vote}{f', {vote.reason}' if vote.reason else ''}" for vote in votes]
    return (*lines, *([Line(heading="Decisions", text="\n".join(words))] if words else []))


def _facts(approval: Approval, params: str, reason: str) -> tuple[Fact, ...]:
    """What an approver has to see; secrets in the parameters and the reason are masked."""
    pending, operation, record = approval.pending, approval.operation, approval.record
    facts = request_facts(
        operation,
        record.demand,
        requester_id=f"<@{approval.requester}>",
        due=approval.due,
        digest=pending.digest or "",
        state=record.state,
    )
    # Values as JSON, so that a text cannot look like another parameter.
    exact = ", ".join([f"{name}={canonical(value)}" for name, value in json.loads(params).items()])
    masked = {"Parameters": exact or "none", "Reason": reason}
    facts = tuple([fact.model_copy(update={"value": masked.get(fact.label, fact.value)}) for fact in facts])
    where = Fact(label="Where", value=f"<#{pending.intent.place.channel_id}>")
    may = Fact(label="Who may decide", value=", ".join([f"<@{user}>" for user in record.eligible]))
    files = (Fact(label="Files", value=", ".join(operation.files)),) if operation.files else ()
    return (*facts[:1], where, *facts[1:4], *files, facts[4], may, *facts[5:], *record.shown)


def _buttons(approval: Approval) -> tuple[Button, ...]:
    return tuple(
        [
            Button(
                label=choice.capitalize(),
                action=choice,
                id=approval.record.buttons[choice],
                style=style,
                means=cards.pending_means(approval.id, choice),
            )
            for choice, style in (("approve", "primary"), ("deny", "danger"), ("claim", None))
        ]
    )


async def show_requester(ctx: Context, approval: Approval) -> None:
    """The card of the request where it was made, with Cancel for the requester alone."""
    record = approval.record
    cancel = Button(
        label="Cancel",
        action="cancel",
        id=record.buttons["cancel"],
        means=cards.pending_means(approval.id, "cancel"),
        only_user=approval.requester,
    )
    status = f"Waiting for approval by {record.count} of {named(record.groups)}. Not started yet"
    lines = [Line(heading="Asked again", text=record.note)] if record.note else []
    if record.channel != approval.pending.intent.place.channel_id:
        reach = await ctx.directory.reach(record.channel)
        if reach.trouble and reach.known:  # only the requester can do something about it
            text = (
                f"I can't post it in <#{record.channel}>, where approvers decide: {reach.trouble}. "
                "Once I have access, I post it within 30 seconds."
            )
            lines.append(Line(heading="Not asked yet", text=text))
    due = Fact(label="Expires", value=approval.due)
    await _show_request(ctx, approval, Tone.ASK, status, lines, facts=(due,), buttons=(cancel,))


def ask_again_buttons(ctx: Context, approval: Approval) -> tuple[Button, ...]:
    """The command of an expired approval for its requester; nothing where files or masked values would be missing."""
    operation = approval.operation
    command = Command(
        verb=operation.verb, target=cards.written(operation.target), params=operation.words, reason=operation.reason
    )
    text = format_command(command)
    if operation.files or MASK in text:
        return ()
    means: dict[str, Json] = {"tag": "say1", "text": text, "verb": operation.verb}
    only = approval.requester
    return (Button(label="Ask again", action="say", id=ctx.ids.secret(), means=means, only_user=only),)


async def close_requester(
    ctx: Context,
    approval: Approval,
    tone: Tone,
    status: str,
    text: str,
    *people: str,
    buttons: Sequence[Button] = (),
) -> None:
    """Update the request's card after it ended without a call or became a grant."""
    again = text.startswith(status)
    lines = [] if again else [Line(text=text)]
    await _show_request(ctx, approval, tone, text if again else status, lines, buttons=buttons, people=people)


async def _show_request(
    ctx: Context,
    approval: Approval,
    tone: Tone,
    status: str,
    lines: Sequence[Line],
    *,
    facts: Sequence[Fact] = (),
    buttons: Sequence[Button] = (),
    people: Sequence[str] = (),
) -> None:
    card = cards.working(approval.operation, approval.pending.intent, status)
    changed = {
        "tone": tone,
        "lines": (*card.lines, *lines),
        "facts": (*card.facts, *facts),
        "buttons": tuple(buttons),
        "footer": (*card.footer, f"approval {approval.id}"),
        "mention": tuple(dict.fromkeys((*card.mention, *people, approval.record.channel))),
    }
    await ctx.presenter.show(card.model_copy(update=changed), approval.pending.intent.reply)


async def tell_requester(
    ctx: Context, approval: Approval, what: str, text: str, *people: str, tone: Tone = Tone.PLAIN
) -> None:
    """A message that notifies the requester, in the thread of the request. `what` keeps it from being sent twice."""
    place = approval.pending.intent.place
    posted = await ctx.store.message(operation_key(approval.pending.request_id))
    thread = place.thread_ts or (posted.ts if posted is not None else None)
    card = Card(
        key=f"{TOLD}{approval.id}:{what}",
        place=Place(team_id=place.team_id, channel_id=place.channel_id, thread_ts=thread),
        title=approval.operation.title,
        tone=tone,
        status=text,
        mention=tuple(dict.fromkeys((approval.requester, *people))),
    )
    await ctx.presenter.show(card)


async def remind(ctx: Context, approval: Approval) -> None:
    """Notify those who may decide and have not, in the thread of their card."""
    record = approval.record
    voted = {vote.user_id for vote in await ctx.store.votes(approval.id)}
    progress = f"; {len(voted)} of {record.count} agreed" if voted else ""
    card = Card(
        key=f"remind:{approval.id}",
        place=await _thread(ctx, approval),
        title=f"Still waiting: {approval.operation.title}",
        tone=Tone.ASK,
        status=f"Half of the time has passed{progress}",
        facts=(Fact(label="Expires", value=approval.due),),
        mention=tuple(user for user in record.eligible if user not in voted),
    )
    await ctx.presenter.show(card)


async def call_back(ctx: Context, approval: Approval, newer: Approval) -> None:
    """Notify those who voted on the approval that the newer one replaces: a card that changes notifies nobody."""
    voted = tuple(vote.user_id for vote in await ctx.store.votes(approval.id))
    if not voted:
        return
    text = "Your vote was for the earlier version and no longer counts. Check the card, then vote again."
    card = Card(
        key=f"again:{newer.id}",
        place=await _thread(ctx, newer),
        title=f"Asked again: {newer.operation.title}",
        tone=Tone.ASK,
        status=newer.record.note,
        lines=(Line(text=text),),
        mention=voted,
    )
    await ctx.presenter.show(card)


async def _thread(ctx: Context, approval: Approval) -> Place:
    """The thread of the approvers' card."""
    posted = await ctx.store.message(card_key(approval.pending.request_id))
    thread = (posted.thread_ts or posted.ts) if posted is not None else None
    team_id = approval.pending.intent.place.team_id
    return Place(team_id=team_id, channel_id=approval.record.channel, thread_ts=thread)


async def home_cards(ctx: Context, user: str, place: Place) -> tuple[Card, ...]:
    """The approvals that wait for this person, as sections of their Home tab, each with buttons of its own."""
    sections: list[Card] = []
    for pending in await ctx.store.pending_decisions(state="open"):
        approval = Approval.of(pending)
        if approval is None or user not in approval.record.eligible:
            continue
        votes = await ctx.store.votes(pending.id)
        if any(vote.user_id == user for vote in votes):
            continue
        claimed = await ctx.store.value(approval.claim_key)
        card = _card(ctx, approval, votes, claimed if isinstance(claimed, str) else None)
        changed = {
            "key": f"home:{pending.id}",
            "place": place,
            "title": f"You can decide: {approval.operation.title}",
            "buttons": tuple(button.model_copy(update={"id": ctx.ids.secret()}) for button in card.buttons),
        }
        sections.append(card.model_copy(update=changed))
    return tuple(sections[:HOME_CARDS])
