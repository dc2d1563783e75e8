"""The Home tab of one person: what waits for them, what they follow, what is paused, and how the backends are."""

from __future__ import annotations

from bot.core.card import Card, HomeView, Line, Tone
from bot.core.intent import Intent, Place
from bot.core.outcome import Fact, Table
from bot.pipeline import approvals
from bot.pipeline.deps import Deps
from bot.pipeline.desk.lists import approvals_table, pauses_table, watches_table
from bot.pipeline.health import in_words


async def home_view(deps: Deps, intent: Intent) -> HomeView:
    """Read from the store alone, so that it is there at once."""
    user = intent.actor.user_id
    place = Place(team_id=intent.place.team_id, channel_id="")
    sections = [
        *await approvals.home_cards(deps, user, place),
        _section(place, "You wait for a decision", await approvals_table(deps, user=user), "Nothing waits."),
        _section(place, "Your runs", await watches_table(deps, user=user), "You follow no run."),
        _section(place, "Pauses", await pauses_table(deps, user=user), "Nothing of yours is paused."),
        _backends(deps, place),
    ]
    return HomeView(user_id=user, sections=tuple(sections))


def _section(place: Place, title: str, table: Table, empty: str) -> Card:
    lines = () if table.rows else (Line(text=empty),)
    return Card(key=f"home:{title}", place=place, title=title, lines=lines, table=table if table.rows else None)


def _backends(deps: Deps, place: Place) -> Card:
    facts = tuple(Fact(label=name, value=in_words(name, deps.health.latest(name))) for name in sorted(deps.backends))
    return Card(key="home:backends", place=place, title="Control planes", tone=Tone.PLAIN, facts=facts)
