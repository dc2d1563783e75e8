"""The cards of an approval: for approvers, for the requester, and short messages in the request's thread."""

import hashlib
from collections.abc import Sequence
from typing import Final

from bot.core.approval import Approval
from bot.core.card import Button, Card, Line, Question, Tone, approval_key, operation_key, slack_url
from bot.core.command.parser import format_command
from bot.core.intent import Actor, Command, Place
from bot.core.masking.redact import is_secret
from bot.core.outcome import Fact, facts_of
from bot.core.records import CastVote
from bot.core.text import capitalized, sentences, some_of
from bot.core.value import Json
from bot.features.approvals import question
from bot.operations import cards, newer_run
from bot.operations.audit_writer import AuditWriter
from bot.runtime.context import Context

TOLD: Final = "told:"
_AFTERWARDS: Final = {"Now": "State then", "Expires": "Was to expire"}  # labels of what is decided
_RUN: Final = "Open the run"
_REQUEST: Final = "Open the request"
_TONES: Final = {"approved": Tone.GOOD, "taken": Tone.GOOD, "rejected": Tone.BAD}


async def show(
    ctx: Context, approval: Approval, *, why: str = "", stale: int = 0, buttons: Sequence[Button] = ()
) -> None:
    """Bring the approvers' card up to date. Once the question is decided it is one line, with `why` and these `buttons`.

    `stale` is how many votes don't count.
    """
    async with ctx.locks.of(approval_key(approval.pending.request_id)):
        votes = await ctx.store.votes(approval.id)
        if approval.pending.state != "open":
            card = await _decided(ctx, approval, votes, why, buttons)
        elif await _is_over(ctx, approval):
            return
        else:
            claimed = await ctx.store.value(approval.claim_key)
            others = await joined(ctx, approval)
            claimed_by = claimed if isinstance(claimed, str) else None
            asked = approval.requester
            name = (await ctx.directory.names((asked,))).get(asked, question.REQUESTER)
            writer = AuditWriter(ctx.secrets)
            card = question.card(writer, approval, votes, claimed_by, others, stale, name=name)
        await ctx.presenter.show(card)
    ctx.stale_homes.stale(*approval.record.eligible, approval.requester, *await joined(ctx, approval))


async def _is_over(ctx: Context, approval: Approval) -> bool:
    """Whether it was decided after it was read as open. Then the cards are those of whoever decided it."""
    newest = await ctx.store.open_pending(approval.id)
    return newest is not None and newest.state != "open"


async def joined(ctx: Context, approval: Approval) -> dict[str, str]:
    """The people who asked for the same thing while it waited, each with their reason."""
    prefix = approval.joined_key("")
    found = {}
    for key in await ctx.store.keys_since(prefix, approval.pending.intent.at):
        kept = await ctx.store.value(key)
        found[key.removeprefix(prefix)] = str(kept.get("reason") or "") if isinstance(kept, dict) else ""
    return found


async def link_to(ctx: Context, key: str, label: str) -> tuple[str, str] | None:
    """A link to the message with that key, None when Slack doesn't have it."""
    posted = await ctx.store.message(key)
    if posted is None or posted.ts is None:
        return None
    url = slack_url(ctx.workspace_url, posted.channel_id or "", posted.ts, posted.thread_ts)
    return (label, url) if url else None


async def _decided(
    ctx: Context, approval: Approval, votes: Sequence[CastVote], why: str, buttons: Sequence[Button]
) -> Card:
    """One line: who decided what, with a link to the request's card."""
    pending = approval.pending
    label = _RUN if pending.state in question.AGREED and approval.operation.starts_run else _REQUEST
    asker = approval.requester
    asked_by = (asker, *await joined(ctx, approval))
    whose = "" if asked_by == (pending.decided_by,) else f" for {' and '.join(f'<@{user}>' for user in asked_by)}"
    ending = question.head(pending, votes)
    people = [pending.decided_by] if pending.decided_by else []
    terms = "" if pending.state in question.AGREED else approval.terms  # otherwise `why` has them
    # Why it expired or was cancelled by its requester says nothing new.
    telling = pending.state != "expired" and pending.decided_by != asker
    detail = why.removeprefix(ending).strip(" :.") if telling else ""
    detail = f"Reason: {detail}" if detail and pending.state == "rejected" else capitalized(detail)
    return Card(
        key=approval_key(pending.request_id),
        place=question.place_of(approval),
        title=sentences(f"{ending}: {question.short_title(approval.asked)}{whose} {terms}".rstrip(), detail),
        tone=_TONES.get(pending.state, Tone.WARN),
        link=await link_to(ctx, operation_key(pending.request_id), label),
        buttons=tuple(buttons),
        question=Question(asked_by=asker, asked_in=pending.intent.place, deciders=approval.record.eligible, over=True),
        mention=tuple(dict.fromkeys((*asked_by, *(vote.user_id for vote in votes), *people))),
    )


async def show_without_run(ctx: Context, approval: Approval) -> None:
    """The control plane refused the call after all: the link of the approvers' card no longer promises a run."""
    key = approval_key(approval.pending.request_id)
    async with ctx.locks.of(key):
        posted = await ctx.store.message(key)
        card = Card.stored(posted.body) if posted is not None and posted.body else None
        if card is not None and card.link is not None:
            await ctx.presenter.show(card.model_copy(update={"link": (_REQUEST, card.link[1])}))


async def show_requester(ctx: Context, approval: Approval, *, stale: int = 0) -> None:
    """The card of the request where it was made, with Cancel for the requester alone. Where the approvers are asked in the same
    place, their card is the only one. `stale` is how many votes don't count."""
    record = approval.record
    if approval.is_asked_in_place:
        return
    cancel = Button(
        label="Cancel",
        action="cancel",
        id=record.buttons["cancel"],
        means=cards.pending_means(approval.id, "cancel"),
        only_user=approval.requester,
    )
    who, then = some_of(record.count, question.named(record.groups)), "granted" if approval.terms else "started"
    status = f"Waiting for approval from {who}. Not {then} yet"
    lines = [Line(heading="Asked again", text=record.note)] if record.note else []
    reach = await ctx.directory.reach(record.channel)
    if reach.trouble and reach.known:  # only the requester can do something about it
        text = (
            f"I can't post it in <#{record.channel}>, where approvers decide: {reach.trouble}. "
            "Once I have access, I post it within 30 seconds."
        )
        lines.append(Line(heading="Not asked yet", text=text))
    votes = await ctx.store.votes(approval.id)
    if await _is_over(ctx, approval):  # while Slack was asked about the channel
        return
    so_far = question.agreed(record, votes, stale)
    rows = facts_of((("So far", so_far), ("Expires", question.expires(approval))))
    people = (*question.people_of(record.groups), *question.approvers(votes))
    await _show_request(ctx, approval, Tone.ASK, status, lines, people, *rows, buttons=(cancel,))


def ask_again_buttons(ctx: Context, approval: Approval) -> tuple[Button, ...]:
    """The command of an expired approval for its requester; nothing where files or masked values would be missing."""
    operation = approval.operation
    command = Command(
        verb=operation.verb, target=cards.written(operation.target), params=operation.words, reason=operation.reason
    )
    text = format_command(command)
    if operation.files or any(is_secret(pair, ctx.secrets) for pair in operation.words):
        return ()
    means: dict[str, Json] = {**cards.say_means(text), "verb": operation.verb, newer_run.AGAIN: True}
    only = approval.requester
    return (Button(label="Ask again", action="say", id=ctx.ids.secret(), means=means, only_user=only),)


async def close_requester(
    ctx: Context, approval: Approval, tone: Tone, status: str, text: str, *people: str, buttons: Sequence[Button] = ()
) -> None:
    """Update the request's card after it ended without a call or became a grant."""
    if approval.is_asked_in_place:
        return
    again = text.startswith(status)
    lines = [] if again else [Line(text=text)]
    await _show_request(ctx, approval, tone, text if again else status, lines, people, buttons=tuple(buttons))


async def _show_request(
    ctx: Context,
    approval: Approval,
    tone: Tone,
    status: str,
    lines: Sequence[Line],
    people: Sequence[str],
    *rows: Fact,
    buttons: tuple[Button, ...],
) -> None:
    card = cards.working(approval.asked, approval.pending.intent, status)
    terms = facts_of((("Asked for", approval.terms.removeprefix("for ")),))
    changed = {
        "tone": tone,
        "lines": (*card.lines, *lines),
        "rows": (*card.rows, *terms, *rows),
        "buttons": buttons,
        "details": (*card.details, Fact(label="Approval", value=approval.id)),
        "mention": tuple(dict.fromkeys((*card.mention, *people, approval.record.channel))),
    }
    await ctx.presenter.show(card.model_copy(update=changed), approval.pending.intent.reply)


async def tell_requester(
    ctx: Context, approval: Approval, what: str, text: str, *people: str, tone: Tone = Tone.PLAIN
) -> None:
    """A message that notifies the requester, in the thread of the request. `what` keeps it from being sent twice."""
    place = approval.pending.intent.place
    request_id = approval.pending.request_id
    posted = await ctx.store.message(operation_key(request_id))
    if posted is None and approval.is_asked_in_place:
        posted = await ctx.store.message(approval_key(request_id))
    thread = place.thread_ts or (posted.ts if posted is not None else None)
    card = Card(
        key=f"{TOLD}{approval.id}:{what}",
        place=Place(team_id=place.team_id, channel_id=place.channel_id, thread_ts=thread),
        title=approval.operation.title,
        tone=tone,
        status=text,
        mention=tuple(dict.fromkeys((approval.requester, *await joined(ctx, approval), *people))),
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
        rows=(Fact(label="Expires", value=question.expiry_text(approval.due, ctx.clock.now())),),
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
    posted = await ctx.store.message(approval_key(approval.pending.request_id))
    thread = (posted.thread_ts or posted.ts) if posted is not None else None
    team_id = approval.pending.intent.place.team_id
    return Place(team_id=team_id, channel_id=approval.record.channel, thread_ts=thread)


async def home_cards(ctx: Context, waiting: Sequence[Approval], person: Actor, place: Place) -> tuple[Card, ...]:
    """These approvals on a Home tab: who wants what and why, what will happen, what is there now, until when, with Approve, Deny
    and a link to the whole card. What has ended, or has this person's vote, says so and has only the link."""
    return tuple([await _home_card(ctx, approval, person, place) for approval in waiting])


async def newest_of(ctx: Context, ids: Sequence[str]) -> list[Approval]:
    """The approvals with these ids, each as it was asked again last."""
    found = []
    for one in ids:
        approval = newer = Approval.of(await ctx.store.open_pending(one))
        while newer is not None:
            approval, newer = newer, Approval.of(await ctx.store.open_pending(newer.next_id))
        found += [approval] if approval is not None else []
    return found


async def _home_card(ctx: Context, approval: Approval, person: Actor, place: Place) -> Card:
    """The ids of its buttons depend on the question alone: a press counts although the tab is drawn again meanwhile."""
    link = await link_to(ctx, approval_key(approval.pending.request_id), "Open")
    others, votes = await joined(ctx, approval), await ctx.store.votes(approval.id)
    if approval.pending.state != "open" or any(vote.user_id == person.user_id for vote in votes):
        return await _home_card_decided(ctx, approval, votes, place, link)
    claimed = await ctx.store.value(approval.claim_key)
    claim = (Fact(label="Claimed", value=f"<@{claimed}> is looking at it"),) if claimed else ()
    buttons = [one for one in question.buttons_of(approval, claimed=False) if one.action in ("approve", "deny")]
    return Card(
        key=f"home:{approval.id}",
        place=place,
        title=question.wish(approval, others),
        rows=(*question.outlook(AuditWriter(ctx.secrets), approval, votes, others), *claim),
        buttons=(
            *(button.model_copy(update={"id": _home_id(button.id, person)}) for button in buttons),
            *((Button(label=link[0], action="open", id="", url=link[1]),) if link else ()),
        ),
        mention=(
            approval.requester,
            *others,
            *question.approvers(votes),
            *([str(claimed)] if claimed else []),
            approval.pending.intent.place.channel_id,
        ),
    )


async def _home_card_decided(
    ctx: Context, approval: Approval, votes: Sequence[CastVote], place: Place, link: tuple[str, str] | None
) -> Card:
    """With as many lines as before, so that what is below stays in its place."""
    decided = await _decided(ctx, approval, votes, "", ())
    others = await joined(ctx, approval)
    rows = question.outlook(AuditWriter(ctx.secrets), approval, votes, others)
    voted = f"You voted, {question.agreed(approval.record, votes)}: {question.short_title(approval.asked)}"
    return decided.model_copy(
        update={
            "key": f"home:{approval.id}",
            "place": place,
            "title": voted if approval.pending.state == "open" else decided.title,
            "rows": tuple(one.model_copy(update={"label": _AFTERWARDS.get(one.label, one.label)}) for one in rows),
            "link": None,
            "buttons": (Button(label=link[0], action="open", id="", url=link[1]),) if link else (),
            "question": None,
            "mention": (*decided.mention, approval.pending.intent.place.channel_id),
        }
    )


def _home_id(button_id: str, person: Actor) -> str:
    return hashlib.sha256(f"{button_id} {person.user_id}".encode()).hexdigest()[:26]
