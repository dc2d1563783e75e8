"""Who asks for what, where and when: the typed request that every source makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from bot.core.value import Value

LATE: Final = timedelta(minutes=5)  # an older request for a change is confirmed before it runs
LONG_AGO: Final = datetime.fromtimestamp(0, UTC)  # `sent_at` of a request whose time nobody can read


class Source(StrEnum):
    """Where an intent came from. Stored in the audit log, so names are added, never changed."""

    COMMAND = "command"
    MENTION = "mention"
    DM = "dm"
    BUTTON = "button"
    MODAL = "modal"
    HOME = "home"
    SHORTCUT = "shortcut"
    STEP = "step"
    TERMINAL = "terminal"
    TIMER = "timer"


class Doubt(StrEnum):
    """Why a request is offered as a button instead of run. Codes of the audit log: added, never changed."""

    IN_SENTENCE = "in_sentence"
    BY_APP = "by_app"
    EDITED = "edited"
    LATE = "late"
    TOO_LATE = "too_late"


class Actor(Value):
    """A person or app by Slack's ids; names are never a key. `team_id` is the person's own team."""

    user_id: str
    team_id: str
    enterprise_id: str | None = None


class Place(Value):
    """Where the request was made and where the answer goes. `team_id` is the workspace of the request.

    `message_ts` is the message with the words or the button, `thread_ts` the thread to answer in. `chosen`: a person or
    a workflow named the channel, not Slack's envelope, so the person's membership must be checked.
    """

    team_id: str
    channel_id: str
    thread_ts: str | None = None
    message_ts: str | None = None
    chosen: bool = False

    @property
    def aside(self) -> Place:
        """Where a private answer goes: next to the message while the message has no thread yet.

        Slack: "Ephemeral messages in threads are only shown if there is already an active thread" (chat.postEphemeral).
        """
        begins = self.thread_ts is not None and self.thread_ts == self.message_ts
        return self.model_copy(update={"message_ts": None, **({"thread_ts": None} if begins else {})})


class Reply(Value):
    """Short-lived ways to answer: a response_url (5 uses, 30 min) and a trigger_id (3 s, once)."""

    response_url: str | None = None
    response_until: datetime | None = None
    trigger_id: str | None = None
    step_id: str | None = None


class Command(Value):
    """A parsed command from a slash command, a mention, a DM, a modal, a step or a terminal. `run` is the `group` of the one run
    of the target that is meant, where the run has no name of its own."""

    kind: Literal["command"] = "command"
    verb: str
    target: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    reason: str | None = None
    files: tuple[str, ...] = ()
    run: str | None = None


class ParseError(Value):
    """Words that the grammar can't read. `understood` is the part that it could read.

    `nearest` are the typed words, corrected; empty when what was meant has to be guessed.
    """

    kind: Literal["misread"] = "misread"
    text: str
    problem: str
    understood: str = ""
    nearest: tuple[str, ...] = ()


class Press(Value):
    """A button or menu on a message or the Home tab. `button` is the opaque id in its value."""

    kind: Literal["press"] = "press"
    action: str
    button: str
    choice: str | None = None


class Form(Value):
    """A submitted modal. `token` is the opaque id in its private_metadata."""

    kind: Literal["form"] = "form"
    form: str
    token: str
    values: dict[str, str | list[str]] = Field(default_factory=dict)

    def text(self, name: str) -> str:
        """What was typed into this field, stripped; empty when nothing was."""
        value = self.values.get(name)
        return value.strip() if isinstance(value, str) else ""


class Open(Value):
    """A person opened the launcher, the Home tab, or a shortcut on a message. `own`: the bot wrote that message."""

    kind: Literal["open"] = "open"
    what: str
    text: str = ""
    own: bool = False
    files: tuple[str, ...] = ()


class Due(Value):
    """The time of a waiting row has come. `what` names its table, `row` its id."""

    kind: Literal["due"] = "due"
    what: str
    row: str


Payload = Annotated[Command | ParseError | Press | Form | Open | Due, Field(discriminator="kind")]


class Intent(Value):
    """One request. `request_id` is its permanent id; a redelivery has the same `dedupe_key`.

    `at` is when it reached the bot, `sent_at` Slack's own time of the message or press, if it has one. `edited_at` is when its
    message was edited. `foreign` is set when its payload names another app or organization. A terminal sets `confirmed` with
    `--yes`: a dangerous operation then runs without the pre-flight question. `incident` is the incident that was open in its
    place when it arrived.
    """

    request_id: str
    dedupe_key: str
    actor: Actor
    place: Place
    source: Source
    at: datetime
    payload: Payload
    reply: Reply = Reply()
    typed: str = ""
    foreign: Literal["other_app", "other_organization"] | None = None
    sent_at: datetime | None = None
    edited_at: datetime | None = None
    doubt: Doubt | None = None
    confirmed: bool = False
    incident: str | None = None

    def age_here(self, now: datetime) -> timedelta:
        """How long ago it reached the bot."""
        return now - self.at

    @property
    def asked_at(self) -> datetime:
        """When the person asked, or when it reached the bot if Slack doesn't say."""
        return self.at if self.sent_at in (None, LONG_AGO) else min(self.at, self.sent_at)

    def age(self, now: datetime) -> timedelta:
        """How long ago the person asked."""
        return now - (min(self.at, self.sent_at) if self.sent_at is not None else self.at)

    def is_late(self, now: datetime) -> bool:
        """Whether the person asked so long ago that a change is confirmed first."""
        return self.age(now) > LATE


class FormChange(NamedTuple):
    """A field of an open modal was changed. `view_id` and `view_hash` identify the modal as the person saw it, `ts` is
    Slack's time of the change."""

    actor: Actor
    form: Form
    view_id: str
    view_hash: str
    ts: str


class Receipt(NamedTuple):
    """The immediate answer: a sentence, or errors by field of a modal. Both None: an empty ack."""

    say: str | None = None
    errors: dict[str, str] | None = None
