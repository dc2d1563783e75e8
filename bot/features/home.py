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
from bot.runtime.context import Context
from bot.runtime.health import in_words

HOMES_EVERY: Final = 2.0  # seconds between two rounds
AT_ONCE: Final = 3  # tabs a round: 90 a minute, and Slack takes a hundred
LOOKED_LATELY: Final = timedelta(days=1)
_OPENED: Final = "home:"


async def open_home(ctx: Context, user: str, team: str) -> None:
    """Somebody looks at their tab: shown now, and drawn anew for a while whenever something of theirs changes."""
    now = stamp(ctx.clock.now())
    await ctx.store.set_value(f"{_OPENED}{user}", now, now)
    await ctx.presenter.home(await home_view(ctx, user, team))


async def redraw(ctx: Context) -> None:
    """A few of the tabs that are stale; those that nobody has looked at lately wait until they are opened."""
    since = stamp(ctx.clock.now() - LOOKED_LATELY)
    drawn = 0
    while drawn < AT_ONCE and (user := ctx.stale_homes.take()) is not None:
        opened = await ctx.store.value(f"{_OPENED}{user}")
        if isinstance(opened, str) and opened >= since:
            await ctx.presenter.home(await home_view(ctx, user, ctx.home_team))
            drawn += 1


async def recover(ctx: Context) -> None:
    """After a restart nobody knows what the last change showed."""
    keys = await ctx.store.keys_since(_OPENED, ctx.clock.now() - LOOKED_LATELY)
    ctx.stale_homes.stale(*(key.removeprefix(_OPENED) for key in keys))


async def home_view(ctx: Context, user: str, team: str) -> HomeView:
    """Read from the store alone, so that it is there at once."""
    place = Place(team_id=team, channel_id="")
    sections = [
        *await approvals.home_cards(ctx, user, place),
        _section(place, "You wait for a decision", await approvals_table(ctx, user=user), "Nothing waits."),
        _section(place, "Your runs", await runs_of(ctx, user), "You follow no run."),
        _section(place, "Pauses", await pauses_of(ctx, user), "Nothing of yours is paused."),
        _backends(ctx, place),
    ]
    return HomeView(user_id=user, sections=tuple(sections))


def _section(place: Place, title: str, table: Table, empty: str) -> Card:
    lines = () if table.rows else (Line(text=empty),)
    return Card(key=f"home:{title}", place=place, title=title, lines=lines, table=table if table.rows else None)


def _backends(ctx: Context, place: Place) -> Card:
    facts = tuple(Fact(label=name, value=in_words(name, ctx.health.latest(name))) for name in sorted(ctx.backends))
    return Card(key="home:backends", place=place, title="Control planes", tone=Tone.PLAIN, facts=facts)
