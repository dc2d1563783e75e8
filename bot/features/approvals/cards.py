"""What people see of an approval: the approvers' card, the requester's card, and short messages in the request's thread."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.core.approval import request_facts
from bot.core.card import Button, Card, Line, Tone
from bot.core.intent import Place
from bot.core.operation import Operation
from bot.core.outcome import Fact
from bot.core.records import Hold, HoldVote
from bot.core.text import plural
from bot.core.value import canonical
from bot.features.approvals.record import KIND, Terms, claimed_by, terms_of
from bot.operations import cards
from bot.operations.audit_writer import Scribe
from bot.runtime.context import Deps

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


async def show(deps: Deps, hold: Hold, *, ended: str = "", agreed: int | None = None) -> None:
    """Make the approvers' card what it should be now. Without an open question it carries no buttons.

    `agreed` is how many votes count, None when all of them do.
    """
    operation = hold.operation
    if operation is None:
        return
    votes = await deps.store.votes(hold.id)
    claimed = await claimed_by(deps, hold)
    await deps.presenter.show(_card(deps, hold, operation, votes, claimed, ended, agreed))
    deps.homes.stale(*terms_of(hold).eligible, hold.intent.actor.user_id)


def _card(
    deps: Deps,
    hold: Hold,
    operation: Operation,
    votes: Sequence[HoldVote],
    claimed: str | None,
    ended: str = "",
    agreed: int | None = None,
) -> Card:
    terms = terms_of(hold)
    is_open = hold.state == "open"
    voters = [vote.user_id for vote in votes]
    where = hold.intent.place.channel_id
    people = (hold.intent.actor.user_id, *terms.eligible, *voters, *([claimed] if claimed else []), where)
    return Card(
        key=card_key(hold.request_id),
        place=_place(hold, terms),
        title=f"Approval: {cards.title_of(operation)}",
        tone=Tone.ASK if is_open else _TONES.get(hold.state, Tone.WARN),
        status=ended or (_progress(terms, votes, claimed, agreed) if is_open else head(hold, votes)),
        lines=_lines(hold, terms, votes),
        facts=_facts(deps, hold, operation, terms),
        buttons=_buttons(hold, terms) if is_open else (),
        footer=(f"request {hold.request_id}", f"approval {hold.id}", f"rule {terms.rule}"),
        mention=tuple(dict.fromkeys(people)),
        at=datetime.fromisoformat(hold.decided_at or hold.made_at),
    )


def _place(hold: Hold, terms: Terms) -> Place:
    place = hold.intent.place
    thread = place.thread_ts if terms.channel == place.channel_id else None
    return Place(team_id=place.team_id, channel_id=terms.channel, thread_ts=thread)


def _progress(terms: Terms, votes: Sequence[HoldVote], claimed: str | None, counting: int | None) -> str:
    agreed = len([vote for vote in votes if vote.vote == "approve"]) if counting is None else counting
    words = f"{agreed} of {terms.count} agreed" if agreed else f"Waiting for {terms.count} of {named(terms.groups)}"
    return f"{words}; <@{claimed}> is looking at it" if claimed else words


def named(groups: Sequence[str]) -> str:
    """The words of the rules for the people who decide."""
    return ", ".join(f"`{group}`" for group in groups)


def head(hold: Hold, votes: Sequence[HoldVote] = ()) -> str:
    """How it ended, and by whom: by everybody who agreed where the votes are given."""
    agreed = [vote.user_id for vote in votes if vote.vote == "approve"] if hold.state in ("approved", "taken") else []
    people = agreed or ([hold.decided_by] if hold.decided_by else [])
    by = f" by {' and '.join(f'<@{user}>' for user in people)}" if people else ""
    return f"{_HEADS.get(hold.state, hold.state)}{by}"


def _lines(hold: Hold, terms: Terms, votes: Sequence[HoldVote]) -> tuple[Line, ...]:
    lines = [Line(heading="Asked again", text=terms.note)] if terms.note else []
    if terms.sort != "run":
        until = f" for {plural(terms.lasts // 60, 'minute')}" if terms.sort == "grant" else " this once"
        lines.append(Line(text=f"No rule allows this to <@{hold.intent.actor.user_id}> here; it is asked for{until}."))
    lines.append(Line(heading="What will happen", text=terms.effect))
    said = [f"<@{vote.user_id}>: {vote.vote}{f', {vote.reason}' if vote.reason else ''}" for vote in votes]
    return (*lines, *([Line(heading="Decisions", text="\n".join(said))] if said else []))


def _facts(deps: Deps, hold: Hold, operation: Operation, terms: Terms) -> tuple[Fact, ...]:
    due = datetime.fromisoformat(hold.due_at)
    asker = f"<@{hold.intent.actor.user_id}>"
    facts = request_facts(
        operation, terms.demand, requester_id=asker, due=due, digest=hold.digest or "", state=terms.state
    )
    scribe = Scribe(deps.secrets)
    masked = {
        "Parameters": _exactly(scribe.params(operation.params)) or "none",
        "Reason": scribe.clean(operation.reason) or "none given",
    }
    facts = tuple(fact.model_copy(update={"value": masked.get(fact.label, fact.value)}) for fact in facts)
    where = Fact(label="Where", value=f"<#{hold.intent.place.channel_id}>")
    may = Fact(label="Who may decide", value=", ".join(f"<@{user}>" for user in terms.eligible))
    files = (Fact(label="Files", value=", ".join(operation.files)),) if operation.files else ()
    return (*facts[:1], where, *facts[1:4], *files, facts[4], may, *facts[5:], *terms.shown)


def _exactly(params: str) -> str:
    """Canonical JSON of parameters as `name=value`, values as JSON: a text cannot look like another parameter."""
    return ", ".join(f"{name}={canonical(value)}" for name, value in json.loads(params).items())


def _buttons(hold: Hold, terms: Terms) -> tuple[Button, ...]:
    def button(label: str, style: str | None = None) -> Button:
        choice = label.lower()
        means = cards.hold_means(hold.id, choice)
        return Button(label=label, action=choice, id=terms.buttons[choice], style=style, means=means)

    return (button("Approve", "primary"), button("Deny", "danger"), button("Claim"))


async def show_requester(deps: Deps, hold: Hold) -> None:
    """The card of the request in the place where it was asked, with Cancel for the requester alone."""
    operation = hold.operation
    if operation is None:
        return
    terms = terms_of(hold)
    cancel = Button(
        label="Cancel",
        action="cancel",
        id=terms.buttons["cancel"],
        means=cards.hold_means(hold.id, "cancel"),
        only_user=hold.intent.actor.user_id,
    )
    due = Fact(label="Expires", value=datetime.fromisoformat(hold.due_at))
    status = f"Waiting for approval by {terms.count} of {named(terms.groups)}; nothing was sent"
    lines = (
        *([Line(heading="Asked again", text=terms.note)] if terms.note else ()),
        *await _unposted(deps, hold, terms),
    )
    await _requester(deps, hold, operation, Tone.ASK, status, lines, (due,), (cancel,))


async def _unposted(deps: Deps, hold: Hold, terms: Terms) -> tuple[Line, ...]:
    """Those who decide see nothing of it where the bot cannot write; the requester can do something about that."""
    if terms.channel == hold.intent.place.channel_id:
        return ()
    found = await deps.directory.reach(terms.channel)
    if not found.trouble or not found.known:
        return ()
    text = (
        f"I cannot post it in <#{terms.channel}>, where those who decide look: {found.trouble}. "
        "Until then nobody is told; it is posted there within half a minute of my being let in."
    )
    return (Line(heading="Not asked yet", text=text),)


async def close_requester(deps: Deps, hold: Hold, tone: Tone, status: str, text: str, *people: str) -> None:
    """The card of the request once nothing will come of it, or once it has turned into a grant."""
    if hold.operation is not None:
        again = text.startswith(status)
        lines = () if again else (Line(text=text),)
        await _requester(deps, hold, hold.operation, tone, text if again else status, lines, (), (), people)


async def _requester(
    deps: Deps,
    hold: Hold,
    operation: Operation,
    tone: Tone,
    status: str,
    lines: Sequence[Line],
    facts: Sequence[Fact],
    buttons: Sequence[Button],
    people: Sequence[str] = (),
) -> None:
    card = cards.working(operation, hold.intent, status)
    changed = {
        "tone": tone,
        "lines": (*card.lines, *lines),
        "facts": (*card.facts, *facts),
        "buttons": tuple(buttons),
        "footer": (*card.footer, f"approval {hold.id}"),
        "mention": tuple(dict.fromkeys((*card.mention, *people, terms_of(hold).channel))),
    }
    await deps.presenter.show(card.model_copy(update=changed))


def told_key(hold_id: str, what: str) -> str:
    """The key of the message that tells the requester so."""
    return f"{TOLD}{hold_id}:{what}"


async def tell_requester(deps: Deps, hold: Hold, what: str, text: str, *people: str, tone: Tone = Tone.PLAIN) -> None:
    """A message that calls the requester, in the thread of the request. `what` keeps it from being said twice."""
    place = hold.intent.place
    posted = await deps.store.message(cards.key_of(hold.request_id))
    thread = place.thread_ts or (posted.ts if posted is not None else None)
    asker = hold.intent.actor.user_id
    card = Card(
        key=told_key(hold.id, what),
        place=Place(team_id=place.team_id, channel_id=place.channel_id, thread_ts=thread),
        title=cards.title_of(hold.operation) if hold.operation is not None else hold.request_id,
        tone=tone,
        status=text,
        mention=tuple(dict.fromkeys((asker, *people))),
    )
    await deps.presenter.show(card)


async def remind(deps: Deps, hold: Hold) -> None:
    """Call those who may decide and have not, in the thread of their card."""
    terms = terms_of(hold)
    voted = {vote.user_id for vote in await deps.store.votes(hold.id)}
    card = Card(
        key=f"remind:{hold.id}",
        place=await _thread(deps, hold),
        title=f"Still waiting: {_title(hold)}",
        tone=Tone.ASK,
        status=f"Half of the time is over; {len(voted)} of {terms.count} agreed"
        if voted
        else "Half of the time is over",
        facts=(Fact(label="Expires", value=datetime.fromisoformat(hold.due_at)),),
        mention=tuple(user for user in terms.eligible if user not in voted),
    )
    await deps.presenter.show(card)


async def call_back(deps: Deps, hold: Hold, newer: Hold) -> None:
    """Who had voted on what the newer question replaced is called to it: a card that changes tells nobody."""
    voted = tuple(vote.user_id for vote in await deps.store.votes(hold.id))
    if not voted:
        return
    card = Card(
        key=f"again:{newer.id}",
        place=await _thread(deps, newer),
        title=f"Asked again: {_title(newer)}",
        tone=Tone.ASK,
        status=terms_of(newer).note,
        lines=(
            Line(text="Your vote was on how it stood before and counts no more. Look at the card, then vote again."),
        ),
        mention=voted,
    )
    await deps.presenter.show(card)


async def _thread(deps: Deps, hold: Hold) -> Place:
    """The thread of the approvers' card."""
    posted = await deps.store.message(card_key(hold.request_id))
    thread = (posted.thread_ts or posted.ts) if posted is not None else None
    return Place(team_id=hold.intent.place.team_id, channel_id=terms_of(hold).channel, thread_ts=thread)


def _title(hold: Hold) -> str:
    return cards.title_of(hold.operation) if hold.operation is not None else hold.request_id


async def home_cards(deps: Deps, user: str, place: Place) -> tuple[Card, ...]:
    """The approvals that wait for this person, as sections of their Home tab. A button there is one of its own."""
    cards_of: list[Card] = []
    for hold in await deps.store.holds(state="open"):
        if hold.kind != KIND or hold.operation is None or user not in terms_of(hold).eligible:
            continue
        votes = await deps.store.votes(hold.id)
        if any(vote.user_id == user for vote in votes):
            continue
        card = _card(deps, hold, hold.operation, votes, await claimed_by(deps, hold))
        buttons = tuple(button.model_copy(update={"id": deps.ids.secret()}) for button in card.buttons)
        title = f"You may decide: {cards.title_of(hold.operation)}"
        cards_of.append(
            card.model_copy(update={"key": f"home:{hold.id}", "place": place, "title": title, "buttons": buttons})
        )
    return tuple(cards_of[:HOME_CARDS])
