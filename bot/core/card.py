"""What is to be shown, as values: the pipeline fills these, render/ turns them into blocks or text."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from bot.core.intent import Place
from bot.core.outcome import Fact, FileOut, Table
from bot.core.value import Json, Value


class Tone(StrEnum):
    """The colour of a card; wording never depends on it."""

    PLAIN = "plain"
    WORKING = "working"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNSURE = "unsure"
    ASK = "ask"


class Button(Value):
    """A button. `id` is the opaque value it carries; `means` is kept in the store under that id and never leaves it.

    `confirm` is the question of a confirm dialog, if any; `only_user` the one person whose press counts.
    """

    label: str
    action: str
    id: str
    style: str | None = None
    confirm: str | None = None
    means: dict[str, Json] = Field(default_factory=dict)
    only_user: str | None = None


class Line(Value):
    """A paragraph of plain text, or code when `code`; `heading` stands above it in bold."""

    text: str
    heading: str = ""
    code: bool = False


class Question(Value):
    """Whom to tell directly when the place of a question refuses its card: the people who decide, and who asked, in the place
    where they asked."""

    asked_by: str
    asked_in: Place
    deciders: tuple[str, ...] = ()


class Card(Value):
    """One message about one request.

    `key` names the message for ever: showing a card with the same key again updates the message in place. `only_for` is a
    user id when nobody else may see it (ephemeral). `place` is where it belongs; `files` go into its thread.
    """

    key: str
    place: Place
    title: str
    tone: Tone = Tone.PLAIN
    status: str = ""
    lines: tuple[Line, ...] = ()
    facts: tuple[Fact, ...] = ()
    table: Table | None = None
    progress: tuple[int, int] | None = None
    buttons: tuple[Button, ...] = ()
    footer: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    only_for: str | None = None
    question: Question | None = None
    at: datetime | None = None


class FormField(Value):
    """One input of a modal. `type`: text, lines, choice, choices, flag, number, target, user, channel, datetime."""

    name: str
    label: str
    type: str
    hint: str = ""
    optional: bool = True
    initial: Json = None
    choices: tuple[str, ...] = ()


class FormView(Value):
    """A modal: `form` says which, `token` is the opaque id of what it is about."""

    form: str
    token: str
    title: str
    submit: str
    lines: tuple[Line, ...] = ()
    fields: tuple[FormField, ...] = ()


class HomeView(Value):
    """The Home tab of one person: sections in order, each a heading, facts, lines and buttons."""

    user_id: str
    sections: tuple[Card, ...]

    @property
    def key(self) -> str:
        """The key that the tab of this person is shown under, for ever."""
        return home_key(self.user_id)


def home_key(user: str) -> str:
    """The key of a person's Home tab."""
    return f"home:{user}"


class Delivery(Value):
    """Files to put into the thread of a card, with a comment. The outbox deletes each file once it was uploaded."""

    key: str
    place: Place
    under: str | None
    files: tuple[FileOut, ...]
    comment: str = ""


def operation_key(request_id: str) -> str:
    """The key of the card of a request."""
    return f"op:{request_id}"
