"""What an approver reads and presses: who wants what, why, what will happen, what is there now, until when. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.core.approval import ANY_PARAMETERS, Approval, ApprovalRecord, state_text
from bot.core.card import Button, Card, Question, Tone, approval_key
from bot.core.command.parser import format_command
from bot.core.intent import Command, Intent, Place, Source
from bot.core.operation import Operation
from bot.core.outcome import NOTE, Fact, facts_of
from bot.core.records import CastVote, PendingDecision
from bot.core.text import first_of, plural, rough_span, sentences, some_of, utc_text
from bot.core.value import canonical
from bot.operations import cards
from bot.operations.audit_writer import AuditWriter

REQUESTER: Final = "the requester"
ALLOW_LABEL: Final = "Allow for 1 hour"
MOST_NAMED: Final = 4
_MOST_GROUPS: Final = 3
_SHORT: Final = 120  # characters of parameters beside the command, and of a reason
# Characters of parameters on a line of their own: with more, the buttons would leave a phone's screen.
_LONGEST: Final = 240
_IN_DETAILS: Final = "(all in Details)"
_BRIEF: Final = 80  # of what is there now, beside such parameters
_PERSON: Final = re.compile(r"[UW][A-Z0-9]{3,}")
AGREED: Final = ("approved", "taken")
_HEADS: Final = {
    "approved": "Approved",
    "taken": "Approved",
    "rejected": "Denied",
    "expired": "Expired",
    "cancelled": "Cancelled",
}


def place_of(approval: Approval) -> Place:
    """Where the approvers are asked."""
    place, channel = approval.pending.intent.place, approval.record.channel
    thread = place.thread_ts if approval.is_asked_in_place else None
    return Place(team_id=place.team_id, channel_id=channel, thread_ts=thread)


def card(
    writer: AuditWriter,
    approval: Approval,
    votes: Sequence[CastVote],
    claimed: str | None,
    others: Mapping[str, str],
    stale: int = 0,
    *,
    name: str = REQUESTER,
) -> Card:
    """The card while the question is open. `claimed` is who looks at it, `others` who asked for the same and why, `stale` how
    many votes don't count, `name` the requester's where Slack shows no mention."""
    pending, record = approval.pending, approval.record
    place = pending.intent.place
    people = (approval.requester, *others, *record.eligible, *([claimed] if claimed else []), place.channel_id)
    return Card(
        key=approval_key(pending.request_id),
        place=place_of(approval),
        title=wish(approval, others),
        tone=Tone.ASK,
        rows=_rows(writer, approval, votes, claimed, others, stale),
        details=_details(writer, approval, votes),
        buttons=buttons_of(approval, claimed=claimed is not None, name=name),
        mention=tuple(dict.fromkeys(people)),
        question=Question(asked_by=approval.requester, asked_in=place, deciders=record.eligible),
    )


def wish(approval: Approval, others: Iterable[str] = ()) -> str:
    """`@Ana wants to run start acc:shop/prices input.region=north`: who wants what exactly and in which incident, secrets
    masked."""
    operation, incident = approval.asked, approval.pending.intent.incident
    people = " and ".join([asker(approval.pending.intent), *(f"<@{user}>" for user in others)])
    files = f"with {plural(len(operation.files), 'attached file')}" if operation.files else ""
    words = (
        people,
        "want" if others else "wants",
        "to run",
        whole_title(operation),
        files,
        f"for incident {incident}" if incident else "",
        approval.terms,
    )
    return " ".join(word for word in words if word)


def asker(intent: Intent) -> str:
    """The requester. In the terminal, whoever has a shell there names the person."""
    return f"<@{intent.actor.user_id}>{' (from the terminal)' * (intent.source is Source.TERMINAL)}"


def asked(approval: Approval) -> str:
    """What is asked for: the command, and for a grant how long and with which parameters it can be run."""
    return f"{whole_title(approval.asked)} {approval.terms}".rstrip()


def whole_title(operation: Operation) -> str:
    """The command with its typed parameters as code, secrets masked; without them if they are long. The end of a pause comes
    after it, because Slack shows no time in the reader's zone in code."""
    given = _given(operation)
    return _titled(operation, given if len(given) <= _SHORT else "")


def short_title(operation: Operation) -> str:
    """The same with the beginning of long parameters."""
    return _titled(operation, brief(_given(operation)))


def _titled(operation: Operation, given: str) -> str:
    command, ends = f"{operation.title} {given}".strip(), operation.params.get("until")
    command = command if "`" in command else f"`{command}`"
    return f"{command} until {ends}" if isinstance(ends, str) else command


def _given(operation: Operation) -> str:
    """The typed parameters but the end of a pause, as they would be typed, secrets masked."""
    params = tuple([one for one in operation.masked_words if one[0] != "until" or "until" not in operation.params])
    return format_command(Command(verb="", params=params)).strip()


def _rows(
    writer: AuditWriter,
    approval: Approval,
    votes: Sequence[CastVote],
    claimed: str | None,
    others: Mapping[str, str],
    stale: int,
) -> tuple[Fact, ...]:
    """At most five lines with the title: why, what will happen, what is there now, until when and who decides."""
    operation, record = approval.asked, approval.record
    reason, given = writer.clean(operation.reason) or "no reason given", _given(operation)
    place = approval.pending.intent.place.channel_id
    where = "here" if place.startswith("D") or not place else f"in {cards.channel(place)}"
    what, exception = record.effect, f"No rule allows this {where}; you would make an exception"
    if record.sort == "grant":
        what = sentences(f"{exception}: <@{approval.requester}> may run it {approval.terms}", f"Each time: {what}")
    elif record.sort == "once":
        what = sentences(f"{exception} this once", what)
    due = expires(approval)
    own_line = len(given) > _SHORT
    now = _now(record, _BRIEF if own_line else _LONGEST)
    rows = (
        ("With", _cut(given, _LONGEST) if own_line else ""),
        ("Why", with_reasons(_cut(reason, _SHORT), others)),
        ("What happens", sentences(what, f"Now: {now}" if own_line else "")),
        ("Now", "" if own_line else now),
        ("Expires", sentences(due, _progress(record, votes, claimed, stale))),
    )
    return facts_of(rows)


def with_reasons(reason: str, others: Mapping[str, str]) -> str:
    """The reason, with those of the people who asked for the same."""
    return " · ".join(filter(None, (reason, *(f"<@{user}>: {brief(why)}" for user, why in others.items() if why))))


def _now(record: ApprovalRecord, most: int) -> str:
    """The state with what the pre-flight says of what is affected, why it will probably fail first, and why it is asked again."""
    found = sorted((fact for fact in record.shown if fact.weighs), key=lambda fact: fact.label != NOTE)
    more = [str(fact.value) if fact.label == NOTE else f"{fact.label}: {fact.value}" for fact in found]
    text = _cut(" · ".join((state_text(record.state) or "no state reported", *more)), most)
    return f"{text} · Asked again: {brief(record.note)}" if record.note else text


def outlook(
    writer: AuditWriter, approval: Approval, votes: Sequence[CastVote], others: Mapping[str, str]
) -> tuple[Fact, ...]:
    """The lines of a Home tab: why, what will happen, what is there now, until when, and who agreed."""
    rows = [fact for fact in _rows(writer, approval, (), None, others, 0) if fact.label != "Expires"]
    last = (Fact(label="Expires", value=approval.due), *facts_of((("So far", agreed(approval.record, votes)),)))
    return tuple(
        one.model_copy(update={"value": one.value.replace(_IN_DETAILS, "(all: press Open)")})
        if isinstance(one.value, str)
        else one
        for one in (*rows, *last)
    )


def who_decides(approval: Approval) -> str:
    """For its requester: who can decide it."""
    who = first_of([f"<@{user}>" for user in approval.record.eligible], MOST_NAMED, ", ")
    return f"{who} can decide your request {short_title(approval.asked)} {approval.terms}".rstrip() + "."


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{brief(text, most)} {_IN_DETAILS}"


def brief(text: str, most: int = _SHORT) -> str:
    """The beginning of a long text, or all of a short one."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def expires(approval: Approval) -> str:
    """When it expires, and within how long of its question: the same on each of its cards, whenever that is updated."""
    return expiry_text(approval.due, datetime.fromisoformat(approval.pending.made_at))


def expiry_text(due: datetime, now: datetime) -> str:
    """When it expires, and how soon in words that stay true: a card that waits is not updated as time passes."""
    return f"{utc_text(due)} (within {rough_span(due - now)})"


def _progress(record: ApprovalRecord, votes: Sequence[CastVote], claimed: str | None, stale: int) -> str:
    cast = approvers(votes)
    left = [user for user in record.eligible if user not in cast]
    who = first_of([f"<@{user}>" for user in left], MOST_NAMED, ", ")
    waits = f"Waiting for {some_of(record.count, named(record.groups))}: {who}"
    so_far = agreed(record, votes, stale)
    words = f"{so_far}, still to decide: {who}" if so_far else waits
    return f"<@{claimed}> is looking at it. {words}" if claimed else words


def approvers(votes: Sequence[CastVote]) -> list[str]:
    """The people who approved."""
    return [vote.user_id for vote in votes if vote.vote == "approve"]


def agreed(record: ApprovalRecord, votes: Sequence[CastVote], stale: int = 0) -> str:
    """`1 of 2 agreed (@Lee)`, empty while nobody did. `stale` votes don't count."""
    cast = approvers(votes)
    many = len(cast) - stale
    return f"{many} of {record.count} agreed ({', '.join(f'<@{user}>' for user in cast)})" if many > 0 else ""


def named(groups: Sequence[str]) -> str:
    """The first words of the rules for the people who decide; a person's id as their name."""
    words = [cards.person(group) if _PERSON.fullmatch(group) else f"`{group}`" for group in groups]
    return first_of(words, _MOST_GROUPS, ", ")


def people_of(groups: Sequence[str]) -> tuple[str, ...]:
    """The people that `named` shows."""
    return tuple([group for group in groups[:_MOST_GROUPS] if _PERSON.fullmatch(group)])


def head(pending: PendingDecision, votes: Sequence[CastVote] = ()) -> str:
    """How it ended and who decided. With `votes`, everyone who approved."""
    people = (approvers(votes) if pending.state in AGREED else []) or [*filter(None, [pending.decided_by])]
    by = f" by {' and '.join(f'<@{user}>' for user in people)}" if people else ""
    return f"{_HEADS.get(pending.state, pending.state)}{by}"


def _details(writer: AuditWriter, approval: Approval, votes: Sequence[CastVote]) -> tuple[Fact, ...]:
    """What an approver may want to check: exact ids and values, past outcomes, rule, digest. Secrets are masked."""
    pending, operation, record = approval.pending, approval.operation, approval.record
    # Values as JSON, so that a text cannot look like another parameter.
    params = json.loads(writer.params(operation.params))
    exact = ", ".join([f"{name}={canonical(value)}" for name, value in params.items()]) or "none"
    exact = f"any; the denied command had {exact}" if approval.terms else exact
    cast = "; ".join([f"<@{vote.user_id}>: {vote.vote}" for vote in votes])
    place = pending.intent.place
    reason = writer.clean(operation.reason) or ""
    facts = (
        ("Reason", reason if len(reason) > _SHORT else ""),
        ("Decisions", cast),
        ("Who may decide", ", ".join([f"<@{user}>" for user in record.eligible])),
        ("Needed", f"{record.count} of {', '.join(record.groups)}"),
        ("Where", f"<#{place.channel_id}>" if not approval.is_asked_in_place else ""),
        ("Target", operation.target.text),
        ("Exact id", operation.target.id),
        ("Parameters", exact),
        ("Files", ", ".join(operation.files)),
    )
    ids = (
        ("Rule", cards.rules_named(record.rule)),
        ("Request", pending.request_id),
        ("Approval", pending.id),
        ("Digest", pending.digest or ""),
        ("Rules version", pending.policy_version or ""),
    )
    return (*facts_of(facts), *record.shown, *facts_of(ids))


def buttons_of(approval: Approval, *, claimed: bool, name: str = REQUESTER) -> tuple[Button, ...]:
    """The buttons of the people who decide, and Cancel for the requester where both share one card."""
    choices = ["approve", "deny", "release" if claimed else "claim", *(["allow"] if approval.record.allows else [])]
    if approval.is_asked_in_place:
        choices.append("cancel")
    styles = {"approve": "primary", "deny": "danger"}
    labels = {"allow": ALLOW_LABEL}
    here = "here" if approval.is_asked_in_place else "in the channel of the request"
    confirms = {
        "allow": f"This approves the request. For 1 hour, {name} can run {approval.operation.title} {here} without asking, "
        f"{ANY_PARAMETERS}."
    }
    return tuple(
        [
            Button(
                label=labels.get(choice, choice.capitalize()),
                action=choice,
                id=approval.record.buttons[choice],
                style=styles.get(choice),
                confirm=confirms.get(choice),
                means=cards.pending_means(approval.id, choice),
                only_user=approval.requester if choice == "cancel" else None,
            )
            for choice in choices
            if choice in approval.record.buttons
        ]
    )
