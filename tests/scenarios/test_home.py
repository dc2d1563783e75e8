"""The Home tab of who has looked at it lately follows what happens; others wait until they open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.core.intent import Actor, Intent, Open, Place, Source
from bot.core.operation import Target
from bot.core.records import Grant, Subscription, Watch, stamp
from bot.features.favourites import star
from bot.features.home import open_home
from tests.scenarios.team import RULES, Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"


@pytest_asyncio.fixture(loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("home"), monkeypatch, RULES) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The same without approvals."""
    async with deciding(tmp_path_factory.mktemp("home"), monkeypatch, OPEN_POLICY) as made:
        yield made


def published(env: World, user: str) -> int:
    """How often the tab of this person was published."""
    return sum(call.method == "views.publish" and call.args.get("user_id") == user for call in env.ws.calls)


async def opens(env: World, user: str, *parts: str) -> None:
    """Open the tab and see all parts."""
    await env.person(user).open_home()
    await tab(env, user, *parts)


async def opened(env: World, user: str, *parts: str) -> str:
    """Open the tab; its words once all parts are shown."""
    await env.person(user).open_home()
    return await tab(env, user, *parts)


async def tab(env: World, user: str, *parts: str) -> str:
    """The tab once it shows all parts."""

    def look(person: object) -> str | None:
        words = shown(env.person(user).home() or {})
        return words if all(part in words for part in parts) else None

    return str(await env.person(user).wait_for(look))


async def test_a_new_question_appears_on_the_tabs_of_those_who_may_decide_and_of_who_asks(team: Team) -> None:
    """Lee and Ana have theirs open; Rui may decide nothing and has not opened his."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    await opens(env, "U0ANA", "None of your runs is in progress, and nothing waits for you.")
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await tab(
        env, "U0LEE", "Waiting for your decision", "start acc:shop/prices", "month end. Decide by <!date^", "Review 1"
    )
    await tab(env, "U0ANA", "Your requests", "start acc:shop/prices", "waits for leads. Expires <!date^")
    assert env.person("U0RUI").home() is None


async def test_approve_n_opens_the_whole_questions_and_one_press_decides(team: Team) -> None:
    """One line each on the tab; behind the button each with all that a decision needs. Then the tab shows what is left."""
    env = team.env
    lee = env.person("U0LEE")
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await env.say("start acc:shop/stock -- stock count")
    await opens(env, "U0LEE", "Review 2", "month end", "stock count")
    await lee.press_label("home", label="Review 2")
    await lee.wait_for(lambda _: labels(lee.home() or {}).count("Deny") == 2)
    await lee.press_label("home", label="Back")
    await tab(env, "U0LEE", "Review 2")
    await lee.press_label("home", label="Review")
    await lee.wait_for(lambda _: "Back" in labels(lee.home() or {}))
    await lee.press_label("home", label="Approve")
    await env.until(lambda: len(team.effects()) == 1)
    await lee.wait_for(lambda _: labels(lee.home() or {}).count("Deny") == 1)
    await lee.press_label("home", label="Approve")
    await env.until(lambda: len(team.effects()) == 2)
    await tab(env, "U0LEE", "Nothing waits for you now")
    await lee.press_label("home", label="Back")
    await tab(env, "U0LEE", "None of your runs is in progress, and nothing waits for you.")
    assert "Back" not in labels(lee.home() or {})


async def test_what_will_happen_is_shown_before_it_is_approved_on_the_tab(team: Team) -> None:
    """As on the card in the channel: what happens, what is there now, and until when. The overview stays one line each."""
    env = team.env
    lee = env.person("U0LEE")
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    words = await opened(env, "U0LEE", "Waiting for your decision")
    assert "What happens" not in words
    await lee.press_label("home", label="Review")
    words = await tab(env, "U0LEE", "wants to run `start acc:shop/prices`", "month end", "Approve")
    card = await env.sees("wants to run", user="U0LEE", channel="C0APPR")
    for label in ("*What happens:* ", "*Now:* "):
        (line,) = [line for line in shown(card).split("\n") if line.startswith(label)]
        assert line in words.split("\n")
    assert "*Expires:* <!date^" in words


async def test_a_request_that_a_person_joined_is_on_their_tab(team: Team) -> None:
    """Until it is decided, as on the tab of who asked first; and in `approvals` wherever they ask."""
    env = team.env
    await team.new_rules(RULES.replace('who = ["crawl"]', 'who = ["*"]'))
    await opens(env, "U0RUI", "None of your runs is in progress, and nothing waits for you.")
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await env.does("start acc:shop/prices -- me too", "already asked for this", user="U0RUI")
    await tab(
        env, "U0RUI", "Your requests", "start acc:shop/prices", "asked by <@U0ANA>, waits for leads. Expires <!date^"
    )
    await env.does("approvals", "start acc:shop/prices", user="U0RUI", channel="C0INC")
    await env.person("U0LEE").open_home()
    await tab(env, "U0LEE", "Review 1")
    await env.person("U0LEE").press_label("home", label="Review")
    await env.person("U0LEE").wait_for(lambda _: "Approve" in labels(env.person("U0LEE").home() or {}))
    await env.person("U0LEE").press_label("home", label="Approve")
    await tab(env, "U0RUI", "None of your runs is in progress, and nothing waits for you.")


async def test_a_press_counts_although_the_tab_was_drawn_again_meanwhile(team: Team) -> None:
    """The buttons of a question stay the same as long as the question does."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await opens(env, "U0LEE", "Review 1")
    await env.person("U0LEE").press_label("home", label="Review 1")

    def answers() -> list[str]:
        buttons = [one for block in (env.person("U0LEE").home() or {})["blocks"] for one in block.get("elements", ())]
        return [one["value"] for one in buttons if one.get("action_id") in ("approve", "deny")]

    first = await env.until(answers)
    before = published(env, "U0LEE")
    env.bot.ctx.stale_homes.stale("U0LEE")
    await env.until(lambda: published(env, "U0LEE") > before)
    assert answers() == first


async def test_an_opening_that_is_handled_after_a_press_does_not_take_its_page_away(team: Team) -> None:
    """The tab shows its last buttons before the bot has drawn it anew."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await opens(env, "U0LEE", "Review 1")
    before = env.bot.ctx.clock.now()
    await env.person("U0LEE").press_label("home", label="Review 1")
    await tab(env, "U0LEE", "Waiting for your decision")
    lee, home = Actor(user_id="U0LEE", team_id="T0SHOP"), Place(team_id="T0SHOP", channel_id="")
    opening = Open(what="home")
    late = Intent(
        request_id="late", at=before, source=Source.HOME, actor=lee, place=home, dedupe_key="late", payload=opening
    )
    await open_home(env.bot.ctx, late)
    await tab(env, "U0LEE", "Waiting for your decision")
    await opens(env, "U0LEE", "Review 1")


TWO_PLACES = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["*"]
  who = ["crawl"]
[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], expires = "30m" }
"""


async def test_a_target_that_cannot_be_started_has_no_start_and_another_says_where_it_can(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules name shop/* for starts, in another channel than the one where both were looked up.
    The line of a request has its parameters."""
    async with deciding(tmp_path_factory.mktemp("two"), monkeypatch, TWO_PLACES) as made:
        env = made.env
        await env.does("status acc:news/feed", "news/feed")
        await env.does("status acc:shop/prices", "shop/prices")
        await opens(env, "U0ANA", "acc:news/feed", "acc:shop/prices* in <#C0INC>")
        assert sorted(labels(env.ana.home() or {})) == ["Edit favourites", "Start", "Start…", "Status"]
        await env.does("start acc:shop/prices input.region=north", "wants to run", channel="C0INC")
        await tab(env, "U0ANA", "Your requests", "with `input.region=north`, waits for leads")
        await opens(env, "U0LEE", "with `input.region=north`, for <@U0ANA>")


async def test_start_opens_the_launcher(later: Team) -> None:
    """Empty from the top; for a target of the list with that target and `start` filled in."""
    env = later.env
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await opens(env, "U0ANA", "Favourites and recent targets", "acc:shop/prices")
    await env.ana.press_label("home", label="Start…")
    assert await env.ana.wait_for(lambda _: env.ana.modal())
    await env.ana.close()
    await env.ana.press_label("home", label="Start")
    view = await env.ana.wait_for(lambda _: env.ana.modal())
    assert "acc:shop/prices" in str(view)


async def test_a_favourite_that_was_used_is_listed_once(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where more is known of it since it was starred; on the page that edits the favourites too."""
    async with deciding(tmp_path_factory.mktemp("once"), monkeypatch, OPEN_POLICY, only=("infa",)) as later:
        env = later.env
        await env.does("star infa:task/load_orders", "is on your Home tab")
        await env.does("start infa:task/load_orders", "start infa:task/load_orders")
        await env.until(lambda: env.audit(event="done"))
        words = await opened(env, "U0ANA", "★ infa:task/load_orders")
        assert words[words.index("Favourites") :].count("infa:task/load_orders") == 1
        await env.ana.press_label("home", label="Edit favourites")
        assert (await tab(env, "U0ANA", "Unstar")).count("infa:task/load_orders") == 1


async def test_favourites_come_first_and_a_press_stars_and_unstars(later: Team) -> None:
    """By a verb as well; the target of a run is its agent; each person has their own."""
    env = later.env
    await env.does("start acc:labs/slow", "start acc:labs/slow")
    await env.does("logs acc:shop/prices@last", "Log of shop/prices")
    await env.does("star acc:news/feed", "acc:news/feed is on your Home tab")
    words = await opened(env, "U0ANA", "★ acc:news/feed", "acc:shop/prices", "acc:labs/slow")
    assert (
        words.index("acc:news/feed")
        < words.index("acc:shop/prices")
        < words.index("acc:labs/slow", words.index("Favourites"))
    )
    await env.ana.press_label("home", label="Edit favourites")
    await tab(env, "U0ANA", "Recent targets", "Unstar")
    await env.ana.press_label("home", label="Star")
    await env.ana.wait_for(lambda _: shown(env.ana.home() or {}).count("Unstar") == 2)
    await env.ana.press_label("home", label="Done")
    await tab(env, "U0ANA", "★ acc:shop/prices")
    await env.does("unstar acc:news/feed", "acc:news/feed is no longer a favourite")
    await env.ana.wait_for(lambda _: "acc:news/feed" not in shown(env.ana.home() or {}))
    assert "★" not in await opened(env, "U0LEE", "Favourites and recent targets")


async def test_grants_pauses_and_watches_are_on_it_with_their_end(later: Team) -> None:
    """They appear at once and go when they end, the first end first."""
    env = later.env
    await opens(env, "U0ANA", "None of your runs is in progress")
    await env.say("grant @ana start acc:shop/* for=2h -- covering", user="U0ROOT")
    await tab(env, "U0ANA", "Ends soon", "acc:shop/*", "granted to you in")
    await env.does("schedule off acc:shop/prices for=1h -- moving", "Paused until")
    words = await tab(env, "U0ANA", "paused in", "moving")
    assert words.count("paused in") == 1, "one line for one pause, however many schedules it covers"
    assert words.index("paused in") < words.index("granted to you")
    await env.does("watch acc:news/feed for=3h", "Watching acc:news/feed")
    await tab(env, "U0ANA", "You watch", "acc:news/feed")
    later.later(hours=1)
    await env.ana.wait_for(lambda _: "paused in" not in shown(env.ana.home() or {}))
    later.later(hours=3)
    await tab(env, "U0ANA", "None of your runs is in progress, and nothing waits for you.")


async def test_a_review_waits_on_the_tabs_of_those_who_may_close_it(team: Team) -> None:
    """Not on those of the person who used break-glass and of others; it goes when it is closed."""
    env = team.env
    root = env.person("U0ROOT")
    await opens(env, "U0ROOT", "None of your runs is in progress")
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    await tab(env, "U0ROOT", "Waiting for your review", "Break-glass", "<@U0RUI>", "checkout is down. Review it by ")
    for user in ("U0RUI", "U0ANA"):
        assert "Waiting for your review" not in await opened(env, user, "Backends")
    await root.press_label("home", label="Close review")
    await root.wait_for(lambda _: root.modal())
    receipt = await root.submit("modal", {"note": "It was right."})
    assert not receipt.errors
    await env.until(lambda: env.audit(event="reviewed"))
    await tab(env, "U0ROOT", "None of your runs is in progress, and nothing waits for you.")


async def test_five_hundred_of_everything_fit(later: Team) -> None:
    """A few of each are shown, the rest is counted, and what ends first comes first."""
    env = later.env
    store, now = env.bot.store, later.now()
    place = Place(team_id=env.ws.team_id, channel_id="C0CRAWL")
    for number in range(500):
        name, request = f"many/{number}", f"r{number}"
        target = Target(backend="acc", kind="agent", id=f"id-{number}", name=name, scope=f"acc:{name}")
        until = stamp(now + timedelta(hours=1, seconds=number))
        await store.subscribe(
            Subscription(
                id=f"s{number}", target=target, place=place, user_id="U0ANA", made_at=stamp(now), request_id=request
            ),
            now + timedelta(days=1),
        )
        await store.watch(
            Watch(
                id=f"w{number}",
                request_id=request,
                backend="acc",
                group_key=request,
                target=target,
                user_id="U0ANA",
                due_at=stamp(now + timedelta(days=1)),
                made_at=stamp(now),
            )
        )
        await store.add_grant(
            Grant(
                id=f"g-{number}",
                user_id="U0ANA",
                verbs=("start",),
                targets=(f"acc:{name}",),
                granted_by="U0LEE",
                from_at=stamp(now),
                until_at=until,
                request_id=request,
            ),
            (),
        )
    for number in range(20):
        await star_of(env, number)
    words = await opened(env, "U0ANA", "You watch", "Your runs", "Ends soon", "Favourites")
    for where in ("`/ops watches`", "`/ops pauses` or `/ops grants`"):
        assert f"490 more. Type {where} in a channel." in words
    assert words.count("490 more") == 3
    assert "10 more. Press `Edit favourites`." in words
    assert words.index("acc:many/0") < words.index("acc:many/1")
    assert len((env.ana.home() or {})["blocks"]) <= 100
    await env.ana.press_label("home", label="Edit favourites")
    await env.ana.wait_for(lambda _: labels(env.ana.home() or {}).count("Unstar") == 20)


async def star_of(env: World, number: int) -> None:
    """Star a target of the many."""
    name = f"many/{number}"
    await star(env.bot.ctx, "U0ANA", Target(backend="acc", kind="agent", id=name, name=name, scope=f"acc:{name}"))


async def test_tabs_of_those_who_have_not_looked_lately_wait(team: Team) -> None:
    """Two days after Lee opened his, a question is put to him: nothing is published until he looks again."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    team.later(days=2)
    before = published(env, "U0LEE")
    await env.does("start acc:shop/prices", "Waiting for approval")
    team.later(seconds=5)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert published(env, "U0LEE") == before
    await opens(env, "U0LEE", "Waiting for your decision")


async def test_a_restart_draws_the_tabs_anew(team: Team) -> None:
    """Whatever was changed and not shown when the program stopped is shown after its start."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    before = published(env, "U0LEE")
    await env.restart()
    await env.until(lambda: published(env, "U0LEE") == before + 1)
    assert published(env, "U0RUI") == 0


async def test_many_changes_are_few_publications(team: Team) -> None:
    """Slack takes a hundred a minute for everybody: what changes meanwhile is shown together."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    before = published(env, "U0LEE")
    await asyncio.gather(*(env.say(f"start acc:shop/prices input.part={number}") for number in range(8)))
    await env.until(lambda: len(env.audit(event="approval_requested")) == 8)
    words = await tab(env, "U0LEE", "Review 8", "3 more. Press `Review 8`.")
    assert words.count("Review") - words.count("Review 8") == 5
    await env.person("U0LEE").press_label("home", label="Review 8")
    await tab(env, "U0LEE", "3 more follow when these are decided.")
    assert published(env, "U0LEE") - before < 8


async def test_runs_and_pauses_are_named_as_on_their_cards(later: Team) -> None:
    """By the agent that they are a part of, also where the id alone was typed; they go when they end."""
    env = later.env
    await opens(env, "U0ANA", "None of your runs is in progress, and nothing waits for you.")
    await env.does(f"schedule off acc:schedule/{FIRST} for=1h -- moving", "Paused until")
    await env.does("schedules acc:shop/prices", "2 schedules")
    await env.does("start acc:labs/slow", "start acc:labs/slow")
    words = await tab(env, "U0ANA", "acc:labs/slow (run ", "moving")
    await opens(env, "U0ANA", "acc:shop/prices (schedule d9c944df)")
    words = await tab(env, "U0ANA", "acc:shop/prices (schedule d9c944df)")
    assert FIRST not in words
    assert "C0CRAWL" in words
    later.later(hours=1)
    await env.ana.wait_for(lambda _: "Ends soon" not in shown(env.ana.home() or {}))


async def test_a_form_that_does_not_open_from_the_home_tab_is_told_in_the_direct_message(later: Team) -> None:
    """A Home tab is in no channel, so an answer to its press goes to the person."""
    env = later.env
    await opens(env, "U0ANA", "Start…")
    env.ws.faults.fail("views.open", error="expired_trigger_id")
    await env.ana.press_label("home", label="Start…")
    await env.sees("The form did not open in time", channel="D0ANA")


async def test_a_control_plane_that_can_do_nothing_is_not_called_down_and_answering(tmp_path: Path) -> None:
    """It answers, but its only gateway is not connected."""
    async with world(tmp_path, only=("itn",)) as env:
        asked = await env.does("gateway delete itn:gateway/cluster_1 -- old", "Services on it")
        await env.ana.press_label("C0CRAWL", asked["ts"], "Run it")
        await env.sees("The gateway cluster_1 is deleted")
        await env.does("health itn", "Down: itn")
        words = await opened(env, "U0ANA", "is down: it has 1 gateway, none of them connected.")
        assert "answers" not in words


async def test_a_joined_request_has_everyones_reason_where_it_is_decided(team: Team) -> None:
    """As on the card in the channel."""
    env = team.env
    await team.new_rules(RULES.replace('who = ["crawl"]', 'who = ["*"]'))
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await env.does("start acc:shop/prices -- me too", "already asked for this", user="U0RUI")
    await opens(env, "U0LEE", "Review 1")
    await env.person("U0LEE").press_label("home", label="Review")
    await tab(env, "U0LEE", "month end · <@U0RUI>: me too", "Approve")
