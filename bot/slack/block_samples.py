"""Samples of the bot's messages for blocks.validate, because Slack's limits and block types change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from bot.core.card import Button, Card, FormField, FormView, HomeRow, HomeSection, HomeView, Line, Tone
from bot.core.intent import Place
from bot.core.outcome import Chart, Fact, Series, Table
from bot.render.card import render_card
from bot.render.form import render_form
from bot.render.home import render_home

_CALLBACK: Final = "t" * 26
NEWEST: Final = "charts, sortable tables and collapsed sections"  # a workspace may not have them yet
_AT: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_TYPES: Final = ("text", "lines", "choice", "choices", "flag", "number", "target", "user", "channel", "datetime")
_BUTTONS: Final = (
    Button(label="Approve", action="approve", id="a" * 26, style="primary"),
    Button(label="Deny", action="deny", id="b" * 26, style="danger", confirm="Deny this request?"),
)


def _card(title: str, **parts: Any) -> Card:
    return Card(key="sample", place=Place(team_id="", channel_id=""), title=title, at=_AT, **parts)


def sample_messages() -> Mapping[str, dict[str, Any]]:
    """The argument of blocks.validate for each kind of message, modal and Home tab."""
    facts = tuple(Fact(label=f"Fact {number}", value=_AT if number == 1 else "value " * 40) for number in range(9))
    rows = tuple((f"acc:shop/{number}", "idle", "yesterday") for number in range(60))
    cards = {
        "a running card": _card("start acc:shop/prices", tone=Tone.WORKING, status="Running", progress=(2, 5)),
        "an approval": _card("Approval", tone=Tone.ASK, facts=facts, buttons=_BUTTONS, footer=("request", "rule")),
        "a log": _card("logs acc:shop/prices", lines=(Line(heading="Last lines", text="line\n" * 200, code=True),)),
        "a table": _card("targets", table=Table(columns=("Target", "State", "Last run"), rows=rows, total=900)),
        "a long card": _card("status", tone=Tone.BAD, lines=(Line(text="word " * 2_000),) * 3, facts=facts),
    }
    fields = tuple(
        FormField(name=sort, label=sort, type=sort, hint="A hint", choices=("one", "two")) for sort in _TYPES
    )
    form = FormView(
        form="sample", token=_CALLBACK, title="Form", submit="Run", lines=(Line(text="Text"),), fields=fields
    )
    row = HomeRow(title="A target", text="Text", button=Button(label="Start", action="home", id="b"))
    sections: tuple[HomeSection | Card, ...] = (
        HomeSection(title="Section", rows=(row,), note="1 more."),
        *cards.values(),
    )
    chart = Chart(
        title="Duration",
        labels=("1", "2"),
        series=(Series(name="Succeeded", values=(1.5, 0)), Series(name="Failed", values=(0, 2))),
        unit="minutes",
        about="Run",
    )
    return {
        **{name: _message(card, newer=False) for name, card in cards.items()},
        NEWEST: _message(_card("history", details=facts, chart=chart, table=cards["a table"].table), newer=True),
        "a form": {"view": render_form(form)},
        "the Home tab": {"view": render_home(HomeView(user_id="U0", sections=sections))},
    }


def _message(card: Card, *, newer: bool) -> dict[str, Any]:
    made = render_card(card, newer=newer)
    return {"message": {"text": made.text, "blocks": made.blocks}}


def first_fault(errors: object) -> str | None:
    """The first error that Slack found: where, and what."""
    found = errors[0] if isinstance(errors, list) and errors else None
    return f"{found.get('pointer')}: {found.get('message')}" if isinstance(found, Mapping) else None
