"""The Home tab of one person: what waits for them, what they follow, what is paused, and how the backends are."""

from __future__ import annotations

from bot.core.card import Card, HomeView, Line, Tone, home_key
from bot.core.intent import Place
from bot.core.outcome import Fact, Table
from bot.core.rows import Hold
from bot.pipeline import approvals
from bot.pipeline.approvals.terms import terms_of
from bot.pipeline.deps import Deps
from bot.pipeline.desk.lists import approvals_table, pauses_table, watches_table
from bot.pipeline.health import in_words


async def refresh_homes(deps: Deps, hold: Hold, presser: str | None = None) -> None:
    """Publish anew what no longer shows this approval as it is: the Home tabs, where there are any, of those who could
    decide it, of who asked, and of who pressed."""
    asker = (hold.intent.actor.user_id, *((presser,) if presser else ()))
    for user in dict.fromkeys((*terms_of(hold).eligible, *asker)):
        if await deps.store.message(home_key(user)) is not None:
            await deps.presenter.home(await home_view(deps, user, hold.intent.place.team_id))


async def home_view(deps: Deps, user: str, team: str) -> HomeView:
    """Read from the store alone, so that it is there at once."""
    place = Place(team_id=team, channel_id="")
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
