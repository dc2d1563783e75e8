"""The Home tab of one person: their approvals, requests, runs and paused schedules, and the state of the backends."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.core.card import Card, HomeView, Line, Tone
from bot.core.intent import Actor, Place
from bot.core.outcome import Fact, Table
from bot.core.policy.visibility import Visibility
from bot.core.records import stamp
from bot.features import approvals
from bot.features.builtins.tables import approvals_table, pauses_of, runs_of
from bot.operations.authorize import sight_of
from bot.runtime.context import Context
from bot.runtime.health import in_words

HOMES_EVERY: Final = 2.0  # seconds between two rounds
AT_ONCE: Final = 3  # tabs a round: 90 a minute, and Slack takes a hundred
LOOKED_LATELY: Final = timedelta(days=1)
_OPENED: Final = "home:"


async def open_home(ctx: Context, user: str, team: str) -> None:
    """Show the tab that a person opened, and redraw it for a day whenever something in it changes."""
    now = stamp(ctx.clock.now())
    await ctx.store.set_value(f"{_OPENED}{user}", now, now)
    await ctx.presenter.home(await home_view(ctx, user, team))


async def redraw(ctx: Context) -> None:
    """Redraw a few stale tabs; one that was not opened within a day waits until it is."""
    since = stamp(ctx.clock.now() - LOOKED_LATELY)
    drawn = 0
    while drawn < AT_ONCE and (user := ctx.stale_homes.take()) is not None:
        opened = await ctx.store.value(f"{_OPENED}{user}")
        if isinstance(opened, str) and opened >= since:
            await ctx.presenter.home(await home_view(ctx, user, ctx.home_team))
            drawn += 1


async def recover(ctx: Context) -> None:
    """After a restart every tab that was opened within a day may be stale."""
    keys = await ctx.store.keys_since(_OPENED, ctx.clock.now() - LOOKED_LATELY)
    ctx.stale_homes.stale(*(key.removeprefix(_OPENED) for key in keys))


async def home_view(ctx: Context, user: str, team: str) -> HomeView:
    """Read from the store and the directory's cache, not from the backends, so that it opens at once."""
    place = Place(team_id=team, channel_id="")
    seen = await sight_of(ctx, Actor(user_id=user, team_id=team), place)
    sections = [
        *await approvals.home_cards(ctx, user, place),
        _section(place, "Waiting for approval", await approvals_table(ctx, user=user), "No requests."),
        _section(place, "Your runs", await runs_of(ctx, user, seen), "No runs in progress."),
        _section(place, "Your paused schedules", await pauses_of(ctx, user, seen), "No paused schedules."),
        _backends(ctx, place, seen),
    ]
    return HomeView(user_id=user, sections=tuple(sections))


def _section(place: Place, title: str, table: Table, empty: str) -> Card:
    lines = () if table.rows else (Line(text=empty),)
    return Card(key=f"home:{title}", place=place, title=title, lines=lines, table=table if table.rows else None)


def _backends(ctx: Context, place: Place, seen: Visibility) -> Card:
    names = [name for name in sorted(ctx.backends) if seen.backend(name)]
    facts = tuple(Fact(label=name, value=in_words(name, ctx.health.latest(name))) for name in names)
    lines = () if names else (Line(text="No rule names you yet. Ask an administrator of Signalbox."),)
    return Card(key="home:backends", place=place, title="Backends", tone=Tone.PLAIN, facts=facts, lines=lines)
