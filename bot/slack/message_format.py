"""A stored message in Slack's form, and the messages to send elsewhere when its place refuses it. Pure."""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, tzinfo
from enum import IntEnum
from typing import Any, Final

from bot.core.card import Card, HomeView, Line, Question, Tone
from bot.core.intent import Place, Reply
from bot.core.records import PRIVATE, Outgoing, stamp
from bot.core.text import sentences
from bot.core.value import Json
from bot.render import block_kit
from bot.render.card import has_newer_blocks, render_card
from bot.slack.errors import SlackTrouble

_STEP_TEXT: Final = 1_000
_WORDS: Final = 3_900  # chat.update refuses text above 4,000
SECURITY: Final = "@security"
HOME_NOTICE: Final = "@home"
_NOT_A_MEMBER: Final = "user_not_in_channel"
_PERSON: Final = re.compile(r"`[^`\n]*`|<@([UW][A-Z0-9]+)>")  # code stays exact
_CHANNEL: Final = re.compile(r"<#([CG][A-Z0-9]+)>")
# Parts of a card that stay as they are: a private table shows names itself, and a button only has the text of a label.
_EXACT: Final = frozenset({"mention", "table", "chart", "buttons", "button"})
_REASONS: Final = frozenset(
    {"Why", "How it ended"}
)  # facts in a person's words; any other is a value, which stays exact


def usable(reply: Reply | None, now: datetime) -> str | None:
    """The response_url of a request; None without one or after its 30 minutes."""
    if reply is None or reply.response_url is None or reply.response_until is None or now >= reply.response_until:
        return None
    return reply.response_url


def reply_of(row: Outgoing) -> Reply | None:
    """The response_url that was stored with a message."""
    if row.response_url is None or row.response_until is None:
        return None
    return Reply(response_url=row.response_url, response_until=datetime.fromisoformat(row.response_until))


def words_of(card: Card) -> str:
    """A card as one short text, for a place that only takes text."""
    offered = [
        one.label for one in card.buttons if one.action == "say" and one.label == one.means.get("text") != "help"
    ]
    commands = ", ".join(f"`{label}`" for label in offered)
    rows = [card.title, card.status, *(line.text for line in card.lines), commands]
    return block_kit.clip(sentences(*rows).replace(f"in <#{card.place.channel_id}>", "here"), _STEP_TEXT)


def with_names(node: Json, name_of: Callable[[str], str | None], live: Collection[str] = ()) -> Json:
    """A stored card or Home tab with names for the people that it doesn't mention, such as those in a reason: Slack would notify
    them. Without a name the id stays. The channels in its texts are added to what it mentions, which notifies nobody."""
    if isinstance(node, str):
        return _PERSON.sub(lambda at: at[0] if at[1] in (None, *live) else name_of(at[1]) or at[0], node)
    if isinstance(node, list):
        return [with_names(one, name_of, live) for one in node]
    if not isinstance(node, dict) or node.get("code") is True or node.get("label", "Why") not in _REASONS:
        return node
    texts = {name: one for name, one in node.items() if name not in _EXACT}
    if "mention" not in node:
        return {**node, **{name: with_names(one, name_of, live) for name, one in texts.items()}}
    live = tuple(dict.fromkeys((*node["mention"], *_CHANNEL.findall(str(texts)))))
    return {**node, **{name: with_names(one, name_of, live) for name, one in texts.items()}, "mention": list(live)}


class Form(IntEnum):
    """The content of a message, from the richest form to the one that Slack always accepts."""

    FULL = 0
    OLDER = 1  # only blocks that every workspace knows
    TEXT = 2  # no blocks


def next_form(row: Outgoing, form: Form) -> Form:
    """The form to try when Slack refuses the content. A card without newer blocks looks the same in the first two."""
    newer = row.kind in ("message", *PRIVATE) and has_newer_blocks(Card.stored(row.body))
    return Form.OLDER if form is Form.FULL and newer else Form.TEXT


def message_of(row: Outgoing, now: datetime, form: Form = Form.FULL, zone: tzinfo = UTC) -> dict[str, Any]:
    """`text` and `blocks` for chat.postMessage. Raises ValidationError for a row that another version stored."""
    message = render_card(Card.stored(row.body), now, newer=form is Form.FULL, zone=zone)
    if form is Form.TEXT:
        without = " The buttons are on my Home tab." if is_open_question(row.model_copy(update={"ts": None})) else ""
        return {"text": message.text[:_WORDS] + without, "blocks": []}
    return {"text": message.text, "blocks": message.blocks}


def too_large(view: HomeView) -> HomeView:
    """What the Home tab shows when Slack refuses its content."""
    card = Card(
        key="home:refused",
        place=Place(team_id="", channel_id=""),
        title="Slack can't show this Home tab",
        tone=Tone.WARN,
        status="Type a command in a channel, for example `approvals` or `help`",
    )
    return HomeView(user_id=view.user_id, sections=(card,))


def is_open_question(row: Outgoing) -> bool:
    """Whether this card still waits for a decision and Slack doesn't have it."""
    question = row.body.get("question") if isinstance(row.body, dict) else None
    return row.ts is None and isinstance(question, dict) and not question.get("over")


def people_of(row: Outgoing) -> tuple[str, ...]:
    """The people who need to get a message, the most important first."""
    card = Card.stored(row.body)
    known = (card.only_for, *card.mention) if card.question is None else (card.question.asked_by,)
    return tuple(person for person in known if person is not None and block_kit.USER_ID.fullmatch(person))


def elsewhere(row: Outgoing, trouble: SlackTrouble, security: str | None) -> Iterable[tuple[Card, Reply | None]]:
    """The messages that reach the same people another way when Slack refuses one; empty when there isn't another way.

    A channel's message goes to a response_url or a direct message. If that fails, it goes to the security channel, but a
    private answer is only reported there as undelivered. A private answer for someone who is not a member of the channel is
    never moved out of it.
    """
    card = Card.stored(row.body)
    if row.key.endswith(SECURITY):
        return
    people, private = people_of(row), row.kind in PRIVATE
    if not people or ("@" in row.key and not private):
        if card.question is not None:
            yield _not_told(row, card, card.question, trouble), None
            people = (row.channel_id or "",)
        if security is not None and row.channel_id != security:
            yield _to_security(row, card, people, trouble, security), None
    elif card.question is not None:
        yield from _question(row, card, trouble)
    elif private and trouble.code == _NOT_A_MEMBER:
        text = f"There is an answer for you in <#{row.channel_id}>. Join the channel, then type the command again."
        yield _direct(row, Card(key="", place=card.place, title=text), people[0], ()), None
    else:
        reply = reply_of(row) if row.kind == "message" and row.ts is None else None
        yield _direct(row, card, people[0], (_refusal(row, trouble),), here=reply is not None), reply


def _question(row: Outgoing, card: Card, trouble: SlackTrouble) -> Iterable[tuple[Card, None]]:
    """Direct messages for the people who decide, and a notice for the requester in the place of the request."""
    question, refusal = card.question, _refusal(row, trouble)
    if question is None:
        return
    above = (refusal,) if question.over else (refusal, Line(text="The buttons are on my Home tab."))
    in_place = (
        question.over and question.asked_in.channel_id == row.channel_id
    )  # then this is the requester's only card
    for person in (*((question.asked_by,) if in_place else ()), *question.deciders):
        # The question stays on it while it is open: if this message is refused too, the requester has to know.
        yield _direct(row, card, person, above, question=None if question.over else question), None
    if row.ts is None:
        named = ", ".join(f"<@{person}>" for person in question.deciders[:5])
        text = f"{refusal.text} I'm sending {named} a direct message. They can decide on my Home tab. I keep trying."
        yield (_notice(row, card, "unposted", "" if question.over else text, question.deciders), None)


def _not_told(row: Outgoing, card: Card, question: Question, trouble: SlackTrouble) -> Card:
    """A notice for the requester: a person who may decide gets neither the card nor a direct message."""
    person = row.channel_id or ""
    text = (
        f"I can't send <@{person}> a direct message either ({trouble.code}). "
        "Ask them yourself to open my Home tab and decide there, or ask an administrator to let me write in the "
        "approvals channel."
    )
    return _notice(row, card, "untold", text, (person,))


def joined_notice(earlier: Card, later: Card) -> Card:
    """One notice about all people who get neither the card nor a direct message."""
    asker, newest = later.mention[:2]
    people = sorted({*earlier.mention, *later.mention} - {asker})
    named = " and ".join(f"<@{person}>" for person in people)
    changed = {"status": later.status.replace(f"<@{newest}>", named, 1), "mention": (asker, *people)}
    return later.model_copy(update=changed)


def _notice(row: Outgoing, card: Card, name: str, status: str, people: Iterable[str]) -> Card:
    """A message for the requester of a question, in the place of the request. Empty `status`: the question is decided."""
    asked = card.question
    base = row.key.partition("@")[0]
    return Card(
        key=f"{base}:{name}",
        place=asked.asked_in if asked is not None else card.place,
        title=card.title,
        tone=Tone.WARN if status else Tone.PLAIN,
        status=status,
        mention=tuple(
            dict.fromkeys((*((asked.asked_by,) if asked is not None else ()), *people, row.channel_id or ""))
        ),
    )


def stand_in_keys(row: Outgoing) -> tuple[str, ...]:
    """Where the messages that may stand in for this one are."""
    base = row.key.partition("@")[0]
    if row.kind == "home":
        return (f"{row.key}{HOME_NOTICE}",)
    if row.kind == "upload":
        return (f"{row.key}:lost",)
    if row.kind == "step" or base != row.key:
        return (f"{base}{SECURITY}",)
    question = Card.stored(row.body).question
    people = (*people_of(row), *(question.deciders if question is not None else ()))
    return (
        f"{row.key}:unposted",
        f"{row.key}:untold",
        *(f"{row.key}@{person}" for person in dict.fromkeys(people)),
        f"{row.key}{SECURITY}",
    )


def stood_for(key: str) -> str:
    """The key of the message that the one with this key stands in for."""
    return key.partition("@")[0].removesuffix(":lost")


def arrived(row: Outgoing, stand_in: Card, names: str) -> Card:
    """What a direct message or notice shows once its message has arrived. `names` are those of its files."""
    status = f"This is in {_place(row)} now."
    if row.kind == "message":
        title = Card.stored(row.body).title
    else:
        title = {"home": "Your Home tab works again", "step": "The workflow step has ended"}.get(
            row.kind, f"{names} is uploaded"
        )
        status = status if row.kind == "upload" else ""
    mention = tuple(dict.fromkeys((*stand_in.mention, row.channel_id or "")))
    return Card(key=stand_in.key, place=stand_in.place, title=title, status=status, mention=mention, corrects=True)


def _place(row: Outgoing) -> str:
    """The channel of a message, or the person of a direct message."""
    place = row.channel_id or ""
    return f"a direct message to <@{place}>" if block_kit.USER_ID.fullmatch(place) else f"<#{place}>"


def _slack_says(trouble: SlackTrouble, *, waits: bool) -> str:
    said = (
        f"Slack doesn't take it at the moment ({trouble.code}). I keep trying."
        if waits
        else f"Slack refuses it ({trouble.code})."
    )
    return f"{said} {trouble.advice}".strip()


def message_limit(team_id: str, security: str, trouble: SlackTrouble, now: datetime) -> Card:
    """The notice for the security channel, one a day, that messages wait for the workspace's message limit."""
    return Card(
        key=f"message-limit:{now:%Y-%m-%d}{SECURITY}",
        place=Place(team_id=team_id, channel_id=security),
        title="Messages wait, because Slack takes no more from this workspace",
        tone=Tone.BAD,
        status=f"Slack answers {trouble.code}. {trouble.advice} I keep trying, and tell the people who wait another way.",
    )


def _refusal(row: Outgoing, trouble: SlackTrouble) -> Line:
    return Line(text=f"I can't write in {_place(row)} ({trouble.code}). {trouble.advice}".strip())


def _direct(
    row: Outgoing, card: Card, person: str, above: tuple[Line, ...], *, here: bool = False, **parts: Any
) -> Card:
    """The card for one person, without buttons: those stay on the message in the channel. Sent as a direct message, or only
    visible to the person when it stays `here`. `@@` in the key marks content that only this person may read."""
    mark = "@@" if (row.kind in PRIVATE and "@" not in row.key) or "@@" in row.key else "@"
    changed = {
        "key": f"{row.key.partition('@')[0]}{mark}{person}",
        "place": card.place if here else Place(team_id=row.team_id or "", channel_id=person),
        "lines": (*above, *card.lines),
        "buttons": (),
        "only_for": person if here else None,
        "mention": tuple(dict.fromkeys((person, *card.mention, row.channel_id or ""))),
        **parts,
    }
    return card.model_copy(update=changed)


def direct(card: Card, person: str) -> Card:
    """A private answer that has no channel, as a direct message. Only its links work there."""
    links = tuple(button for button in card.buttons if button.url)
    place = card.place.model_copy(update={"channel_id": person})
    return card.model_copy(update={"place": place, "only_for": None, "buttons": links})


def _to_security(row: Outgoing, card: Card, people: tuple[str, ...], trouble: SlackTrouble, security: str) -> Card:
    who = f"<@{people[0]}>" if people else f"<#{row.channel_id}>"
    private = row.kind in PRIVATE or "@@" in row.key
    lines = (Line(text=f"{card.title}. {card.status}".strip()),) if not private else ()
    return Card(
        key=f"{row.key.partition('@')[0]}{SECURITY}",
        place=Place(team_id=row.team_id or "", channel_id=security),
        title="A message could not be delivered",
        tone=Tone.WARN,
        status=f"Slack refuses the message for {who} ({trouble.code}). {trouble.advice}".strip(),
        lines=lines,
        mention=(*people[:1], row.channel_id or ""),
    )


def undelivered(row: Outgoing, names: str, under: Outgoing | None, trouble: SlackTrouble, *, waits: bool) -> Card:
    """The card that reports a failed upload, in the thread of the files."""
    person = people_of(under)[:1] if under is not None else ()
    return Card(
        key=f"{row.key}:lost",
        place=Place(
            team_id=row.team_id or "",
            channel_id=row.channel_id or "",
            thread_ts=row.thread_ts or (under.thread_ts or under.ts if under is not None else None),
        ),
        title=f"{names} is not uploaded yet" if waits else f"{names} could not be uploaded",
        tone=Tone.WARN if waits else Tone.BAD,
        status=_slack_says(trouble, waits=waits),
        lines=(
            Line(
                heading="What to do",
                text="Run it again later. On the bot's host, `signalbox do` writes the same file to the disk.",
            ),
        ),
        mention=person,
    )


def home_refused(row: Outgoing, team_id: str, trouble: SlackTrouble, *, waits: bool) -> Card:
    """The card that tells a person that Slack doesn't take their Home tab."""
    user = row.user_id or ""
    return Card(
        key=f"{row.key}{HOME_NOTICE}",
        place=Place(team_id=team_id, channel_id=user),
        title="I can't show your Home tab",
        tone=Tone.WARN,
        status=f"{_slack_says(trouble, waits=waits)} Type commands in a channel instead.",
        mention=(user,),
    )


def step_open(row: Outgoing, team_id: str, security: str, trouble: SlackTrouble, *, waits: bool) -> Card:
    """The card that reports a workflow step that Slack doesn't let end."""
    text = str(row.body.get("text") or "") if isinstance(row.body, dict) else ""
    return Card(
        key=f"{row.key}{SECURITY}",
        place=Place(team_id=team_id, channel_id=security),
        title="A workflow waits, because its step can't be ended",
        tone=Tone.WARN,
        status=_slack_says(trouble, waits=waits),
        lines=(Line(heading="Its outcome", text=text),) if text else (),
    )


def answers_by_url(row: Outgoing, now: datetime) -> bool:
    """Whether a private answer can still go through its response_url."""
    return row.kind != "ephemeral" and bool(row.response_url) and (row.response_until or "") > stamp(now)
