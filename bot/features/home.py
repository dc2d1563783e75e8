"""The Home tab of one person: what waits for them, what they follow, what is paused, and how the backends are."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.card import Card, HomeView, Line, Tone
from bot.core.intent import Place
from bot.core.outcome import Fact, Table
from bot.core.records import stamp
from bot.features import approvals
from bot.features.builtins.tables import approvals_table, pauses_of, runs_of
from bot.runtime.context import Deps
from bot.runtime.health import in_words

HOMES_EVERY: Final = 2.0  # seconds between two rounds
AT_ONCE: Final = 3  # tabs a round: 90 a minute, and Slack takes a hundred
LOOKED_LATELY: Final = timedelta(days=1)
_OPENED: Final = "home:"


async def open_home(deps: Deps, user: str, team: str) -> None:
    """Somebody looks at their tab: shown now, and drawn anew for a while whenever something of theirs changes."""
    now = stamp(deps.clock.now())
    await deps.store.set_fact(f"{_OPENED}{user}", now, now)
    await deps.presenter.home(await home_view(deps, user, team))


async def redraw(deps: Deps) -> None:
    """A few of the tabs that are stale; those that nobody has looked at lately wait until they are opened."""
    since = stamp(deps.clock.now() - LOOKED_LATELY)
    drawn = 0
    while drawn < AT_ONCE and (user := deps.homes.take()) is not None:
        opened = await deps.store.fact(f"{_OPENED}{user}")
        if isinstance(opened, str) and opened >= since:
            await deps.presenter.home(await home_view(deps, user, deps.home_team))
            drawn += 1


async def recover(deps: Deps) -> None:
    """After a restart nobody knows what the last change showed."""
    keys = await deps.store.facts_since(_OPENED, deps.clock.now() - LOOKED_LATELY)
    deps.homes.stale(*(key.removeprefix(_OPENED) for key in keys))


async def home_view(deps: Deps, user: str, team: str) -> HomeView:
    """Read from the store alone, so that it is there at once."""
    place = Place(team_id=team, channel_id="")
    sections = [
        *await approvals.home_cards(deps, user, place),
        _section(place, "You wait for a decision", await approvals_table(deps, user=user), "Nothing waits."),
        _section(place, "Your runs", await runs_of(deps, user), "You follow no run."),
        _section(place, "Pauses", await pauses_of(deps, user), "Nothing of yours is paused."),
        _backends(deps, place),
    ]
    return HomeView(user_id=user, sections=tuple(sections))


def _section(place: Place, title: str, table: Table, empty: str) -> Card:
    lines = () if table.rows else (Line(text=empty),)
    return Card(key=f"home:{title}", place=place, title=title, lines=lines, table=table if table.rows else None)


def _backends(deps: Deps, place: Place) -> Card:
    facts = tuple(Fact(label=name, value=in_words(name, deps.health.latest(name))) for name in sorted(deps.backends))
    return Card(key="home:backends", place=place, title="Control planes", tone=Tone.PLAIN, facts=facts)
