"""Cards, forms and the Home tab as values. Features fill them, render/ turns them into blocks or text."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from bot.core.intent import Place
from bot.core.outcome import Chart, Fact, FileOut, Table
from bot.core.value import Json, Value


class Tone(StrEnum):
    """The colour of a card. The text never depends on it."""

    PLAIN = "plain"
    WORKING = "working"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNSURE = "unsure"
    ASK = "ask"


class Button(Value):
    """A button. Slack gets only the opaque `id`; `means` stays in the store under that id.

    `confirm` is the question of a confirm dialog, if any. `only_user` is the only person whose press counts. A button with
    a `url` opens that page; without an `id`, its press is not a request.
    """

    label: str
    action: str
    id: str = ""
    style: str | None = None
    confirm: str | None = None
    url: str | None = None
    means: dict[str, Json] = Field(default_factory=dict)
    only_user: str | None = None


class Line(Value):
    """A paragraph of plain text, or code when `code`. `heading` is shown above it in bold."""

    text: str
    heading: str = ""
    code: bool = False


class Question(Value):
    """Who gets a direct message when Slack refuses the card of a question: the people who decide, and the requester in the
    place of the request. `over`: it is decided, so that nobody needs to act."""

    asked_by: str
    asked_in: Place
    deciders: tuple[str, ...] = ()
    over: bool = False


class Card(Value):
    """One message about one request.

    `key` identifies the message permanently: showing a card with the same key updates the message in place. `only_for` is
    the user id of the only person who may see it (ephemeral). `files` go into the thread of the card. `byline` says who
    asked for it and why. `rows` are facts on one line each, below the title. `details` are facts in a collapsed section.
    `link` is the label and the address of the page that the status leads to; the address is the program's own, never data.
    `progress` is what is done and the total, `progress_note` the words after the percentage. `corrects`: it is only shown
    where an earlier state of it was. `passing`: it only says that an answer is on its way; `withdrawn`: it is deleted.
    """

    key: str
    place: Place
    title: str
    tone: Tone = Tone.PLAIN
    status: str = ""
    link: tuple[str, str] | None = None
    byline: str = ""
    rows: tuple[Fact, ...] = ()
    lines: tuple[Line, ...] = ()
    facts: tuple[Fact, ...] = ()
    details: tuple[Fact, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    progress: tuple[int, int] | None = None
    progress_note: str = ""
    corrects: bool = False
    passing: bool = False
    withdrawn: bool = False
    buttons: tuple[Button, ...] = ()
    footer: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    only_for: str | None = None
    question: Question | None = None
    at: datetime | None = None


class Choice(Value):
    """One option of a menu. `text` is what is shown (the value when empty), `note` a short description below it."""

    value: str
    text: str = ""
    note: str = ""


class Choices(Value):
    """Options of a menu under a heading; without a heading when `label` is empty."""

    choices: tuple[Choice, ...]
    label: str = ""


class FormField(Value):
    """One input of a modal. `type`: text, lines, choice, choices, flag, number, verb, target, user, channel, datetime.

    The options of `verb` and `target` are asked for while the person types. `live`: each change is reported at once.
    """

    name: str
    label: str
    type: str
    hint: str = ""
    optional: bool = True
    initial: Json = None
    choices: tuple[str, ...] = ()
    live: bool = False


class FormView(Value):
    """A modal. `form` is its callback id, `token` the opaque id of its subject. `outlook` says what submitting
    does, below the live fields, which it depends on. `mention` are the ids that are named."""

    form: str
    token: str
    title: str
    submit: str
    lines: tuple[Line, ...] = ()
    fields: tuple[FormField, ...] = ()
    outlook: tuple[Line, ...] = ()
    mention: tuple[str, ...] = ()


class HomeRow(Value):
    """One line of the Home tab, with at most one button beside it."""

    title: str
    text: str = ""
    button: Button | None = None


class HomeSection(Value):
    """A part of the Home tab: one line for each thing. `note` says what was left out; `mention` are the ids that are named."""

    title: str
    rows: tuple[HomeRow, ...] = ()
    note: str = ""
    buttons: tuple[Button, ...] = ()
    mention: tuple[str, ...] = ()


class HomeView(Value):
    """The Home tab of one person: sections of lines, and whole cards."""

    user_id: str
    sections: tuple[HomeSection | Card, ...]

    @property
    def buttons(self) -> tuple[Button, ...]:
        rows = [row for part in self.sections if isinstance(part, HomeSection) for row in part.rows]
        beside = [row.button for row in rows if row.button is not None]
        return (*[button for part in self.sections for button in part.buttons], *beside)

    @property
    def key(self) -> str:
        """The permanent key of this tab."""
        return f"home:{self.user_id}"


class Delivery(Value):
    """Files for the thread of a card, with a comment. The outbox deletes each file after its upload.

    `card` is an answer that has no message of its own: its words are the comment, and it is posted if Slack refuses the files.
    """

    key: str
    place: Place
    under: str | None
    files: tuple[FileOut, ...]
    comment: str = ""
    card: Card | None = None


def slack_url(workspace_url: str, channel_id: str, ts: str | None = None, thread_ts: str | None = None) -> str:
    """The address of a channel, or of a message in it; empty when the workspace's address is unknown."""
    if not workspace_url:
        return ""
    message = f"/p{ts.replace('.', '')}" if ts else ""
    thread = f"?thread_ts={thread_ts}&cid={channel_id}" if ts and thread_ts and thread_ts != ts else ""
    return f"{workspace_url}archives/{channel_id}{message}{thread}"


HEAD_KEY: Final = "head:"  # the key of the card with the head of the audit log begins so


def subject_key(of: str) -> str:
    """Where it is stored what a card is about: that of a request by the request's id, another one by its own key."""
    return f"run:{of}"


def operation_key(request_id: str) -> str:
    """The key of a request's card."""
    return f"op:{request_id}"


def approval_key(request_id: str) -> str:
    """The key of the approvers' card."""
    return f"approval:{request_id}"
