"""The Home tab of one person: what waits for them, what runs, their targets, and what ends soon. A press shows another page."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from bot.core.approval import ANY_PARAMETERS, Approval
from bot.core.card import Button, HomeRow, HomeSection, HomeView
from bot.core.command.capability import Risk
from bot.core.command.params import as_typed
from bot.core.intent import Actor, Intent, Place
from bot.core.operation import Target
from bot.core.policy.match import Situation
from bot.core.policy.visibility import Visibility, may
from bot.core.records import CastVote, expiry, stamp
from bot.core.text import plural, utc_text
from bot.core.value import Json
from bot.features import approvals
from bot.features.access import breakglass
from bot.features.approvals.question import agreed, approvers, asker, brief
from bot.features.builtins.tables import label_of, pause_label, together
from bot.features.favourites import favourites, last_channel, recent, same, star, unstar
from bot.features.pauses.pause import paused_word
from bot.operations import cards
from bot.operations.authorize import each_channel, not_in_force, visibility_of
from bot.operations.followed import each_run
from bot.runtime.context import Context
from bot.runtime.stale_homes import LOOKED_LATELY, OPENED, opened_lately

HOMES_EVERY: Final = 2.0  # seconds between two rounds
AT_ONCE: Final = 3  # tabs a round: 90 a minute, and Slack takes a hundred
TAG: Final = "home1"
MOST: Final = 5  # rows with a button in a section
MOST_LINES: Final = 10
_PAGE: Final = "home-page:"
_LAUNCH: Final = ("Look up…", "Start…")  # what the launcher is for: those who may only read, and the others
_DECISIONS, _FAVOURITES = "decisions", "favourites"


class _Page(NamedTuple):
    """A page of the tab, empty for the first one, and when the person came to it. `shown` are the ids of the approvals on it, in
    their order: what ends keeps its place, so that no other request comes under a press."""

    page: str = ""
    at: str = ""
    shown: tuple[str, ...] = ()


async def open_home(ctx: Context, intent: Intent) -> None:
    """Show the tab that a person opened, and redraw it for a day whenever something in it changes."""
    user, now = intent.actor.user_id, stamp(ctx.clock.now())
    await ctx.store.set_value(f"{OPENED}{user}", now, now)
    await _turn_to(ctx, user, "", stamp(intent.at))
    await _draw(ctx, user, intent.place.team_id)


async def pressed(ctx: Context, intent: Intent, means: Mapping[str, Json]) -> None:
    """Show another page, or star or unstar a target."""
    user = intent.actor.user_id
    if "page" in means:
        await _turn_to(ctx, user, str(means["page"]), stamp(intent.at))
    for name, change in (("star", star), ("unstar", unstar)):
        if name in means:
            await change(ctx, user, Target.stored(means[name]))
    await ctx.store.finish(intent.request_id, (), stamp(ctx.clock.now()))
    await _draw(ctx, user, intent.place.team_id)


async def _draw(ctx: Context, user: str, team: str) -> None:
    """One after the other, so that what was read first is not shown last."""
    async with ctx.locks.of(f"home:{user}"):
        await ctx.presenter.home(await home_view(ctx, user, team))


async def _turn_to(ctx: Context, user: str, page: str, at: str) -> None:
    """Keep the page that a person came to at this time, unless they went to another one since: the tab shows buttons before it
    is drawn anew, so that a press can overtake its opening. A kept time in the future doesn't count: a clock was set back."""
    now = stamp(ctx.clock.now())
    async with ctx.locks.of(f"home-page:{user}"):
        kept = await _page_of(ctx, user)
        if not at < kept.at <= now and (kept.page, kept.at) != (page, at):
            await ctx.store.set_value(f"{_PAGE}{user}", {"v": 1, "page": page, "at": at}, now)


async def _keep_shown(ctx: Context, user: str, drawn: _Page, ids: Sequence[str]) -> None:
    """Keep what is drawn on that page, unless the person went to another one meanwhile."""
    async with ctx.locks.of(f"home-page:{user}"):
        if (*ids,) != drawn.shown and await _page_of(ctx, user) == drawn:
            page = {"v": 1, "page": drawn.page, "at": drawn.at, "shown": [*ids]}
            await ctx.store.set_value(f"{_PAGE}{user}", page, stamp(ctx.clock.now()))


async def _page_of(ctx: Context, user: str) -> _Page:
    """The page of the tab that a person sees."""
    kept = await ctx.store.value(f"{_PAGE}{user}")
    if not isinstance(kept, Mapping):
        return _Page()
    shown = kept.get("shown", [])
    ids = tuple(map(str, shown)) if isinstance(shown, list) else ()
    return _Page(str(kept.get("page", "")), str(kept.get("at", "")), ids)


async def redraw(ctx: Context) -> None:
    """Redraw a few stale tabs; one that was not opened within a day waits until it is."""
    since = stamp(ctx.clock.now() - LOOKED_LATELY)
    drawn = 0
    while drawn < AT_ONCE and (user := ctx.stale_homes.take()) is not None:
        opened = await ctx.store.value(f"{OPENED}{user}")
        if isinstance(opened, str) and opened >= since:
            await _draw(ctx, user, ctx.home_team)
            drawn += 1


async def recover(ctx: Context) -> None:
    """After a restart every tab that was opened within a day may be stale."""
    ctx.stale_homes.stale(*await opened_lately(ctx.store, ctx.clock.now()))


async def home_view(ctx: Context, user: str, team: str) -> HomeView:
    """Read from the store and the directory's cache, not from the backends, so that it opens at once."""
    person, place = Actor(user_id=user, team_id=team), Place(team_id=team, channel_id="")
    seen = await visibility_of(ctx, person, place)
    page, _, first = (drawn := await _page_of(ctx, user)).page.partition(":")
    waiting = await _waiting_for(ctx, user)
    if page == _FAVOURITES:
        return HomeView(user_id=user, sections=await _favourites_page(ctx, user, seen))
    if page == _DECISIONS and (waiting or drawn.shown):
        waiting.sort(key=lambda one: one.pending.request_id != first)
        asked = {one.pending.request_id: one for one in waiting}
        kept = [asked.pop(one.pending.request_id, one) for one in await approvals.newest_of(ctx, drawn.shown)]
        ended = sum(one not in waiting for one in kept)
        kept += [*asked.values()][: max(0, min(MOST - (len(kept) - ended), MOST_LINES - len(kept)))]
        left = len(waiting) - (len(kept) - ended)
        when = "when these are decided" if len(kept) < MOST_LINES else "after `Back`"
        note = f"{plural(left, 'more follows', 'more follow')} {when}." if left > 0 else ""
        back = (_button(ctx, user, "Back", page=""),)
        title = "Waiting for your decision" if waiting else "Nothing waits for you now"
        head = HomeSection(title=title, note=note, buttons=back)
        await _keep_shown(ctx, user, drawn, [one.id for one in kept])
        cards_of = await approvals.home_cards(ctx, kept, person, place)
        return HomeView(user_id=user, sections=(head, *cards_of))
    if page == _DECISIONS:
        await _turn_to(ctx, user, "", drawn.at)
    return HomeView(user_id=user, sections=await _overview(ctx, person, place, seen, waiting))


async def _overview(
    ctx: Context, person: Actor, place: Place, seen: Visibility, waiting: Sequence[Approval]
) -> tuple[HomeSection, ...]:
    user = person.user_id
    sections = (
        await _decisions(ctx, user, waiting),
        await _reviews(ctx, person, place),
        await _requests(ctx, user),
        await _runs(ctx, user, seen),
        await _ending(ctx, user, seen),
        await _watched(ctx, user, seen),
    )
    shown = [section for section in sections if section.rows]
    calm = () if shown else (HomeRow(title="", text="None of your runs is in progress, and nothing waits for you."),)
    everywhere = await each_channel(ctx, person)
    changes = [
        (name, one) for name, of in ctx.catalog.backends.items() for one in of.capabilities if one.risk is not Risk.READ
    ]
    launch = _LAUNCH[any(may(now, changes) for now in everywhere)]
    buttons = [_button(ctx, user, launch, open="")] if seen.patterns != () else []  # otherwise no rule names them
    if waiting:
        buttons.append(_button(ctx, user, f"Review {len(waiting)}", page=_DECISIONS))
    top = HomeSection(title="Signalbox", rows=calm, buttons=tuple(buttons))
    return (top, *shown, await _targets(ctx, user, seen, everywhere), _backends(ctx, seen))


def _button(ctx: Context, user: str, label: str, **means: Json) -> Button:
    style = "primary" if label in _LAUNCH else None
    return Button(
        label=label, action="home", id=ctx.ids.secret(), style=style, means={"tag": TAG, **means}, only_user=user
    )


def _section(title: str, rows: Sequence[HomeRow], most: int, people: Sequence[str] = (), more: str = "") -> HomeSection:
    left = len(rows) - most
    note = f"{plural(left, 'more', 'more')}{more}." if left > 0 else ""
    return HomeSection(title=title, rows=tuple(rows[:most]), note=note, mention=tuple(dict.fromkeys(people)))


async def _waiting_for(ctx: Context, user: str) -> list[Approval]:
    """The approvals that this person may decide and did not vote on yet, in the order in which they expire. One that is asked
    again keeps its place."""
    found = []
    for pending in await ctx.store.pending_decisions(state="open"):
        approval = Approval.of(pending)
        if approval is None or user not in approval.record.eligible:
            continue
        if not any(vote.user_id == user for vote in await ctx.store.votes(pending.id)):
            found.append(approval)
    return sorted(found, key=lambda one: expiry(one.pending))


async def _decisions(ctx: Context, user: str, waiting: Sequence[Approval]) -> HomeSection:
    rows, people = [], []
    for one in waiting:
        votes = await ctx.store.votes(one.id)
        text = (
            f"{_given(one)}for {asker(one.pending.intent)}{_because(one.operation.reason)}. "
            f"{_agreed(one, votes)}Decide by {utc_text(one.pending.due_at)}"
        )
        button = _button(ctx, user, "Review", page=f"{_DECISIONS}:{one.pending.request_id}")
        rows.append(HomeRow(title=one.operation.title, text=text, button=button))
        people += [one.requester, *approvers(votes)]
    return _section("Waiting for your decision", rows, MOST, people, f". Press `Review {len(waiting)}`")


async def _reviews(ctx: Context, actor: Actor, place: Place) -> HomeSection:
    """The uses of break-glass that this person may review."""
    rows, people = [], []
    for pending, grant in await breakglass.to_review(ctx, actor):
        means = {"grant": grant.id, "verb": "close review"}
        button = _button(ctx, actor.user_id, "Close review", tag=breakglass.REVIEW_TAG, **means)
        where = cards.channel(grant.channel_id)
        due = utc_text(str(pending.record.get("due")))
        text = f"by <@{grant.user_id}> in {where}{_because(grant.reason)}. Review it by {due}"
        rows.append(HomeRow(title="Break-glass", text=text, button=button))
        people += [grant.user_id, grant.channel_id or ""]
    return _section("Waiting for your review", rows, MOST, people, ", when these are closed")


def _because(reason: str | None) -> str:
    return f": {brief(reason)}" if reason else ""


def _agreed(approval: Approval, votes: Sequence[CastVote]) -> str:
    """`1 of 2 agreed (@Lee). `, empty while nobody did."""
    text = agreed(approval.record, votes)
    return f"{text}. " if text else ""


def _given(approval: Approval) -> str:
    words = ", ".join(f"{name}={text}" for name, text in approval.asked.masked_words)
    return f"with {as_typed(words)}, " if words else f"{approval.terms}, " if approval.terms else ""


async def _requests(ctx: Context, user: str) -> HomeSection:
    """Their requests that wait for approval, with those of others that they joined."""
    waiting = [Approval.of(pending) for pending in await ctx.store.pending_decisions(state="open")]
    found = [
        one
        for one in waiting
        if one is not None and (one.requester == user or await ctx.store.value(one.joined_key(user)) is not None)
    ]
    rows, people = [], []
    for one in sorted(found, key=lambda one: expiry(one.pending)):
        whose = "" if one.requester == user else f"asked by <@{one.requester}>, "
        votes = await ctx.store.votes(one.id)
        text = (
            f"{_given(one)}{whose}waits for {', '.join(one.record.groups)}. "
            f"{_agreed(one, votes)}Expires {utc_text(one.pending.due_at)}"
        )
        rows.append(HomeRow(title=one.operation.title, text=text))
        people += [one.requester, *approvers(votes)]
    return _section("Your requests", rows, MOST_LINES, people, f". Type `{ctx.command} approvals` in a channel")


async def _runs(ctx: Context, user: str, seen: Visibility) -> HomeSection:
    rows, people = [], []
    every = await ctx.store.open_watches() if await ctx.store.open_watches(user) else ()  # others may stop their runs
    for run in each_run(every, lambda one: one.user_id == user)[::-1]:
        watch = run.watch
        name, where = await label_of(ctx, watch.target, seen), cards.channel(watch.channel_id)
        since = (run.stop or watch).made_at
        rows.append(HomeRow(title=name, text=f"{run.state} in {where}, since {utc_text(since)}"))
        people.append(str(watch.channel_id))
    return _section("Your runs", rows, MOST_LINES, people, f". Type `{ctx.command} watches` in a channel")


async def _ending(ctx: Context, user: str, seen: Visibility) -> HomeSection:
    """Their pauses and grants, the one that ends first first."""
    ends, people = [], []
    for written, group in together(pause for pause in await ctx.store.open_pauses() if pause.user_id == user):
        name, pause = await pause_label(ctx, written, group, seen), group[0]
        ends_at = f"{'over, next attempt' if pause.tries else 'until'} {utc_text(pause.until_at)}"
        text = (
            f"{await paused_word(ctx, pause)} in {cards.channel(pause.channel_id)}{_because(pause.reason)}, {ends_at}"
        )
        ends.append((pause.until_at, name, text))
        people.append(str(pause.channel_id))
    for grant in await ctx.store.open_grants(ctx.clock.now()):
        if grant.user_id == user and not await not_in_force(ctx, grant):
            what = "Break-glass" if grant.breakglass else f"{', '.join(grant.verbs)} {', '.join(grant.targets)}"
            where = f" in {cards.channel(grant.channel_id)}" if grant.channel_id else ""
            text = f"active{where}" if grant.breakglass else f"granted to you{where}, {ANY_PARAMETERS}"
            ends.append((grant.until_at, what, f"{text}, until {utc_text(grant.until_at)}"))
            people.append(str(grant.channel_id))
    rows = [HomeRow(title=name, text=text) for _, name, text in sorted(ends)]
    more = f". Type `{ctx.command} pauses` or `{ctx.command} grants` in a channel"
    return _section("Ends soon", rows, MOST_LINES, people, more)


async def _watched(ctx: Context, user: str, seen: Visibility) -> HomeSection:
    mine = [one for one in await ctx.store.subscriptions() if one.user_id == user and seen.target(one.target)]
    rows = [
        HomeRow(
            title=one.target.label,
            text=f"in {cards.channel(one.place.channel_id)}"
            + (f", until {utc_text(one.until_at)}" if one.until_at else ""),
        )
        for one in mine
    ]
    more = f". Type `{ctx.command} watches` in a channel"
    return _section("You watch", rows, MOST_LINES, [one.place.channel_id for one in mine], more)


async def _targets(ctx: Context, user: str, seen: Visibility, everywhere: Sequence[Situation]) -> HomeSection:
    """Favourites first, then what was used lately, each with a button that opens the launcher for it: with `start` chosen where
    the person may start it, and the channel named if that is not the one where they used it last."""
    starred = [target for target in await favourites(ctx, user) if seen.target(target)]
    used = await _unstarred(ctx, user, seen, starred, MOST)
    rows, people = [], list[str]()
    for target in [*starred, *used[:MOST]]:
        title, capability = cards.written(target), ctx.catalog.capability(target.backend, "start", target.kind)
        starts = [(target.backend, capability)] if capability is not None else []
        places = [now.where.channel_id for now in everywhere if may(now, starts, target)]
        elsewhere = places and await last_channel(ctx, user, title) not in (None, *places)
        text = f"in {' or '.join(map(cards.channel, places[:2]))}" if elsewhere else ""
        label, verb = ("Start", "start") if places else ("Status", "status")
        button = _button(ctx, user, label, open=f"{verb} {title}")
        rows.append(HomeRow(title=f"{'★ ' if target in starred else ''}{title}", text=text, button=button))
        people += places
    if not rows:
        rows = [HomeRow(title="", text=f"None yet. Type `{ctx.command} star BACKEND:PATH` to keep a target here.")]
    section = _section("Favourites and recent targets", rows, 2 * MOST, people, ". Press `Edit favourites`")
    edit = (_button(ctx, user, "Edit favourites", page=_FAVOURITES),) if starred or used else ()
    return section.model_copy(update={"buttons": edit})


async def _unstarred(ctx: Context, user: str, seen: Visibility, starred: Sequence[Target], most: int) -> list[Target]:
    """What they used lately, without their favourites."""
    used = await recent(ctx, user, most)
    return [one for one in used if seen.target(one) and not any(same(one, kept) for kept in starred)]


async def _favourites_page(ctx: Context, user: str, seen: Visibility) -> tuple[HomeSection, ...]:
    starred = await favourites(ctx, user)
    used = await _unstarred(ctx, user, seen, starred, 2 * MOST)
    groups = (("Favourites", "Unstar", starred), ("Recent targets", "Star", used))
    top = HomeSection(title="Edit favourites", buttons=(_button(ctx, user, "Done", page=""),))
    return (
        top,
        *(
            _section(
                title,
                [
                    HomeRow(
                        title=cards.written(target),
                        button=_button(ctx, user, label, **{label.lower(): target.model_dump(mode="json")}),
                    )
                    for target in targets
                ],
                4 * MOST,
            )
            for title, label, targets in groups
            if targets
        ),
    )


def _backends(ctx: Context, seen: Visibility) -> HomeSection:
    names = [name for name in sorted(ctx.backends) if seen.backend(name)]
    checks = {name: ctx.health.latest(name) for name in names}
    rows = [
        HomeRow(title=name, text=f"is down: {re.sub(rf'^`?{re.escape(name)}`? ', 'it ', checked.health.summary)}")
        for name, checked in checks.items()
        if checked is not None and not checked.health.ok
    ]
    for words, found in (
        ("answering", [name for name, checked in checks.items() if checked is not None and checked.health.ok]),
        ("not asked yet", [name for name, checked in checks.items() if checked is None]),
    ):
        if found:
            rows.append(HomeRow(title="", text=f"{', '.join(found)}: {words}"))
    if not rows:
        rows = [HomeRow(title="", text="No rule names you yet. Ask an administrator of Signalbox.")]
    return _section("Backends", rows, 4 * MOST, more=f". Type `{ctx.command} backends` in a channel")
