"""`watch`: a channel or thread is told when any run of a target fails or works again, whoever began it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.features.builtins import inventory
from bot.playground.planes import itential
from bot.playground.planes.itential import ItentialPlane
from bot.playground.planes.sequentum import Script
from bot.store.parts import TimedRows
from tests.scenarios.steps import mention
from tests.scenarios.team import CRAWL, INCIDENT, Team, deciding
from tests.scenarios.test_ends_repeated import Cut
from tests.world import labels, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

RULES = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
[[channel]]
id = "C0CRAWL"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["*"]
[[channel.allow]]
verbs = ["risk:read"]
targets = ["acc:shop/*"]
who = ["U0GUEST"]
[[channel]]
id = "C0INC"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["*"]
"""
BROKEN = Script(end="Failure", message="selector '.price' not found", errors=2)
GOOD = Script()


@pytest_asyncio.fixture(loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("watch"), monkeypatch, RULES) as made:
        yield made


def polls(team: Team, path: str = "/history", backend: str = "acc") -> int:
    """How often the control plane was asked for runs."""
    return sum(path in call.raw_path for call in team.env.planes[backend].requests)


async def polled(team: Team, backend: str = "acc", path: str = "/history") -> None:
    """Let the next poll happen."""
    before = polls(team, path, backend)
    team.later(seconds=16)
    await team.env.until(lambda: polls(team, path, backend) > before)
    await team.env.quiet()


async def done(team: Team, verb: str) -> Any:
    """The newest row of what was done with that verb, once there is one."""
    return (await team.env.until(lambda: team.env.audit(verb=verb, event="done")))[-1]


async def watching(
    team: Team, text: str = "watch acc:shop/prices", *, user: str = "U0ANA", channel: str = CRAWL
) -> dict[str, Any]:
    """Watch, and the first poll is done."""
    note = f"<@{user}> is told here"
    card = await team.env.does(text, "Watching acc:shop/prices", note, user=user, channel=channel)
    await team.env.until(lambda: team.env.bot.store.database.read_sync(_seen))
    return card


async def failed_once(team: Team) -> None:
    """Let the next poll happen, which fails."""
    team.later(seconds=16)
    await team.env.until(lambda: team.env.bot.store.database.read_sync(_unread))
    await team.env.quiet()


def _unread(db: Any) -> bool:
    return bool(db.execute("SELECT key FROM key_values WHERE key LIKE 'unread:%'").fetchall())


def _seen(db: Any) -> bool:
    return all(row[0] is not None for row in db.execute("SELECT seen FROM watched_targets"))


async def test_a_run_that_fails_elsewhere_is_told_with_its_reason_and_next_steps_and_so_is_its_recovery(
    team: Team,
) -> None:
    """Begun on the ACC itself. It mentions who asked, once for each run; the next success says that it works again."""
    env = team.env
    card = await watching(team)
    assert labels(card) == ["Stop watching"]
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found", "<@U0ANA>")
    assert not notice["ephemeral"]
    assert labels(notice) == ["Log", "Retry", "Stop watching"]
    await polled(team)
    env.acc.add_run("shop/prices", ago=30, script=GOOD)
    await polled(team)
    await env.sees("acc:shop/prices works again", "<@U0ANA>")
    env.acc.add_run("shop/prices", ago=15, script=GOOD)
    await polled(team)
    texts = [shown(message) for message in env.ana.messages(CRAWL)]
    assert sum("acc:shop/prices failed" in text for text in texts) == 1
    assert sum("acc:shop/prices works again" in text for text in texts) == 1


async def test_what_a_watch_tells_shows_the_retry_that_was_pressed_on_it(team: Team) -> None:
    """Its *Retry* is gone, and a line says who retried the run and how that run stands."""
    env = team.env
    await watching(team)
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found")
    await env.person("U0LEE").press_label(CRAWL, notice["ts"], "Retry")
    after = await env.sees("acc:shop/prices failed", "Retried by <@U0LEE>")
    assert (after["ts"], labels(after)) == (notice["ts"], ["Log", "Stop watching"])


async def test_in_the_thread_of_what_a_watch_tells_the_run_counts_of_which_it_tells(team: Team) -> None:
    """Also when a newer run has succeeded since."""
    env = team.env
    await watching(team)
    run = env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found")
    env.acc.add_run("shop/prices", ago=15, script=GOOD)
    await mention(env, "logs", thread_ts=notice["ts"])
    assert (await done(team, "logs")).target_id == run.run_id
    await mention(env, "why did it fail?", thread_ts=notice["ts"])
    await env.until(lambda: [one for one in env.ana.messages(CRAWL) if "logs" in labels(one)])
    await mention(env, "retry", thread_ts=notice["ts"])
    assert (await done(team, "retry")).target_id == run.run_id


async def test_in_the_thread_of_what_a_watch_tells_a_read_of_its_target_changes_nothing(team: Team) -> None:
    """A retry after it is still of the run of which the message tells."""
    env = team.env
    await watching(team)
    run = env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found")
    await mention(env, "history", thread_ts=notice["ts"])
    assert (await done(team, "history")).target_name == "acc:shop/prices"
    await mention(env, "retry", thread_ts=notice["ts"])
    assert (await done(team, "retry")).target_id == run.run_id


async def test_in_the_thread_of_what_a_watch_tells_a_run_that_was_started_there_counts(team: Team) -> None:
    """The newest one, as in every thread that no card of a run began."""
    env = team.env
    await watching(team)
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found")
    await mention(env, "start acc:news/feed -- a check", thread_ts=notice["ts"])
    made = await done(team, "start")
    await mention(env, "logs", thread_ts=notice["ts"])
    assert (await done(team, "logs")).target_id == made.backend_ref


async def test_news_of_a_watched_target_changes_nothing_in_a_thread_where_another_one_was_started(team: Team) -> None:
    """Nobody asked for what comes last there."""
    env = team.env
    await env.ana.post(CRAWL, "The shop is odd today")
    thread = env.ana.messages(CRAWL)[-1]["ts"]
    await mention(env, "watch acc:news/feed", thread_ts=thread)
    await team.sees_in_thread("Watching acc:news/feed")
    await env.until(lambda: env.bot.store.database.read_sync(_seen))
    await mention(env, "start acc:shop/prices -- a check", thread_ts=thread)
    await done(team, "start")
    await env.quiet()
    env.acc.add_run("news/feed", ago=60, script=BROKEN)
    await polled(team)
    await team.sees_in_thread("acc:news/feed failed")
    await mention(env, "schedule off for=1h", thread_ts=thread)
    assert (await done(team, "schedule off")).target_name == "acc:shop/prices"


async def test_in_the_thread_of_what_a_watch_tells_an_order_for_a_target_is_for_the_one_that_is_watched(
    team: Team,
) -> None:
    """Also in the thread of its own card."""
    env = team.env
    card = await watching(team)
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    notice = await env.sees("acc:shop/prices failed", "selector '.price' not found")
    await mention(env, "status", thread_ts=card["ts"])
    assert (await done(team, "status")).target_name == "acc:shop/prices"
    await mention(env, "star", thread_ts=notice["ts"])
    await env.sees("acc:shop/prices is on your Home tab")
    await mention(env, "watch", thread_ts=notice["ts"])
    await env.sees("has ended already", "`watch acc:shop/prices` tells of each run that fails")
    await mention(env, "pause it for an hour", thread_ts=notice["ts"])
    offered = await env.until(
        lambda: [one for one in env.ana.messages(CRAWL) if any("schedule off" in x for x in labels(one))]
    )
    assert any(
        "schedule off for=1h" in label or "schedule off acc:shop/prices for=1h" in label
        for label in labels(offered[-1])
    )
    await mention(env, "unwatch", thread_ts=notice["ts"])
    await env.sees("You no longer watch acc:shop/prices here")


async def test_a_run_whose_card_is_in_the_same_channel_is_told_by_one_reply_to_that_card(team: Team) -> None:
    """The card shows the end and the next steps; the reply only notifies who watches."""
    env = team.env
    await watching(team)
    env.acc.set_script("shop/prices", BROKEN)
    env.acc.world.speed = 60.0
    await env.say("start acc:shop/prices", user="U0LEE")
    card = await env.sees("start acc:shop/prices", "selector '.price' not found", "Retry")
    await polled(team)
    notice = await team.sees_in_thread("acc:shop/prices failed", "<@U0ANA>")
    assert labels(notice) == ["Stop watching"]
    told = [one for one in env.ana.messages(CRAWL) if "acc:shop/prices failed" in shown(one)]
    assert [one["thread_ts"] for one in told] == [card["ts"]]


async def test_a_run_that_ended_before_the_watch_began_is_not_told_when_it_is_listed_later(team: Team) -> None:
    """A control plane that was restored from a copy lists other runs than before."""
    env = team.env
    await env.does("watch acc:news/feed", "Watching acc:news/feed")
    await env.until(lambda: env.bot.store.database.read_sync(_seen))
    env.acc.add_run("news/feed", ago=86_400, script=BROKEN)
    await polled(team)
    env.acc.add_run("news/feed", ago=60, script=GOOD)
    await polled(team)
    await env.sees("acc:news/feed works again")
    assert not any("acc:news/feed failed" in shown(message) for message in env.ana.messages(CRAWL))


async def test_one_poll_for_a_target_however_many_watch_it_and_one_message_for_each_place(team: Team) -> None:
    """Ana and Lee in one channel, Rui in another."""
    env = team.env
    await watching(team)
    await watching(team, user="U0LEE")
    await watching(team, user="U0RUI", channel=INCIDENT)
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    before = polls(team)
    await polled(team)
    assert polls(team) - before == 1
    await env.sees("acc:shop/prices failed", "<@U0ANA>", "<@U0LEE>")
    await env.sees("acc:shop/prices failed", "<@U0RUI>", user="U0RUI", channel=INCIDENT)
    assert sum("acc:shop/prices failed" in shown(message) for message in env.ana.messages(CRAWL)) == 1


async def test_watches_lists_them_and_ends_ones_own(team: Team) -> None:
    """By the button, by `unwatch`, and by its time; each end is on its card and in the audit log."""
    env = team.env
    await watching(team)
    await watching(team, "watch acc:shop/prices for=1h", user="U0LEE")
    listed = await env.does("watches", "Watched", "<@U0ANA>", "<@U0LEE>", "Until")
    assert labels(listed) == ["Stop watching acc:shop/prices"]
    await env.person("U0ANA").press_label(CRAWL, listed["ts"], "Stop watching acc:shop/prices", seen=listed)
    await env.sees("Watching acc:shop/prices", "<@U0ANA> stopped watching")
    await env.does("unwatch acc:shop/prices", "Nothing was done", "You don't watch acc:shop/prices here.")
    team.later(hours=1, seconds=16)
    await env.sees("Watching acc:shop/prices", "its time is over", user="U0LEE")
    await env.until(lambda: len(env.audit(event="ended")) == 2)
    assert [(entry.verb, entry.code, entry.user_id) for entry in env.audit(event="ended")] == [
        ("watch", "unwatched", "U0ANA"),
        ("watch", "expired", "U0LEE"),
    ]
    await env.does("watches", "Runs in progress and watched targets", "None.")
    before = polls(team)
    team.later(seconds=60)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert polls(team) == before


async def test_each_of_several_watched_targets_has_a_button(team: Team) -> None:
    env = team.env
    names = ("shop/prices", "shop/stock", "news/feed", "labs/slow")
    for name in names:
        await env.does(f"watch acc:{name}", f"Watching acc:{name}")
    listed = await env.does("watches", "Runs in progress and watched targets")
    assert labels(listed) == [f"Stop watching acc:{name}" for name in names]


async def test_watches_of_one_target_in_two_places_differ_and_what_has_no_button_has_a_command(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "MOST_BUTTONS", 3)
    env = team.env
    await watching(team)
    thread = await env.does("status acc:shop/prices", "acc:shop/prices")
    await env.ana.post(CRAWL, "<@U0BOT> watch acc:shop/prices", thread["ts"])
    for target in ("shop/stock", "news/feed", "labs/slow"):
        await env.does(f"watch acc:{target}", f"Watching acc:{target}")
    await env.until(lambda: len(env.ana.messages(CRAWL, thread["ts"])) > 1)
    listed = await env.does("watches", "Watched in a thread")
    assert labels(listed) == [
        "Stop watching acc:shop/prices in 2 places",
        "Stop watching acc:shop/stock",
        "Stop watching acc:news/feed",
    ]
    assert "Without a button: `/ops unwatch acc:labs/slow`" in shown(listed)


async def test_in_the_thread_of_a_run_it_is_about_that_run_and_ends_with_it(team: Team) -> None:
    """Who asks there is told once, there, how it ended."""
    env = team.env
    env.acc.world.speed = 1.0
    card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Start")
    await mention(env, "watch", thread_ts=card["ts"])
    await team.sees_in_thread("You will be told in the thread when acc:shop/prices (run ")
    team.later(seconds=30)
    await team.sees_in_thread("acc:shop/prices (run ", "succeeded", "<@U0ANA>")
    await env.until(lambda: {entry.verb for entry in env.audit(event="ended")} == {"start", "watch"})
    assert [entry.code for entry in env.audit(event="ended") if entry.verb == "watch"] == ["ended"]
    await env.does("watches", "None.")
    await mention(env, "watch", thread_ts=card["ts"])
    await team.sees_in_thread("has ended already")


async def test_notify_me_on_the_card_of_a_run_calls_who_pressed_it_in_its_thread_when_it_ends(team: Team) -> None:
    """Slack tells nobody about a card that is updated. Anyone may press it; it is gone when the run has ended."""
    env = team.env
    env.acc.world.speed = 1.0
    await env.say("start acc:shop/prices")
    card = await env.sees("start acc:shop/prices", "Notify me")
    await team.press(card, "Notify me", user="U0LEE", channel=CRAWL)
    await env.sees("You will be told in the thread when acc:shop/prices (run ", user="U0LEE")
    team.later(seconds=30)
    notice = await team.sees_in_thread("acc:shop/prices (run ", "succeeded", "<@U0LEE>")
    assert notice["thread_ts"] == card["ts"]
    assert "Notify me" not in labels(await env.sees("start acc:shop/prices", "Succeeded"))


async def test_what_has_no_runs_is_not_in_sight_or_is_not_there_cannot_be_watched(team: Team) -> None:
    """A guest gets the same answer for a target that exists and for one that does not."""
    env = team.env
    schedule = "acc:schedule/d9c944df-93a7-ea77-f7b7-fa0b9c579917"
    await env.does(f"watch {schedule}", "Nothing was done", "has no runs that Signalbox can follow")
    await env.does("watch acc:shop/nope", "shop/nope")
    await env.does("watch", "Nothing was done", "`watch` needs a target")
    for path in ("labs/slow", "labs/nothing"):
        words = shown(await env.does(f"watch acc:{path}", "Denied", path, user="U0GUEST"))
        assert "rule that names you here covers" in words
    assert await env.bot.store.subscriptions() == []


async def test_who_may_no_longer_see_it_is_no_longer_told(team: Team) -> None:
    """The rules count when something is told, not when it was asked for."""
    env = team.env
    await watching(team, user="U0GUEST")
    await team.new_rules(RULES.replace("U0GUEST", "U0EVE"))
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    team.later(seconds=16)
    await env.until(lambda: env.audit(event="ended"))
    (ended,) = env.audit(event="ended")
    assert ended.code == "not_allowed"
    assert not any("failed" in shown(message) for message in env.ana.messages(CRAWL))


async def test_who_watches_is_told_once_when_nothing_can_be_read_for_a_minute(team: Team) -> None:
    """The message says why, and is corrected when the target can be read again."""
    env = team.env
    await watching(team)
    await env.acc.set_fault({"fault": "500"})
    await failed_once(team)
    assert not any("can't be read" in shown(message) for message in env.ana.messages(CRAWL))
    team.later(seconds=61)
    told = await env.sees("acc:shop/prices can't be read", "No status could be read for 1 min", "500", "<@U0ANA>")
    for _ in range(2):
        await polled(team)
    assert sum("can't be read" in shown(message) for message in env.ana.messages(CRAWL)) == 1
    await env.acc.clear_faults()
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    team.later(seconds=16)
    assert (await env.sees("acc:shop/prices can be read again"))["ts"] == told["ts"]
    await env.sees("acc:shop/prices failed", "<@U0ANA>")


async def test_who_asked_to_be_notified_of_a_run_is_told_when_it_cannot_be_read_for_a_minute(team: Team) -> None:
    env = team.env
    env.acc.world.speed = 0.1
    await env.say("start acc:shop/prices")
    card = await env.sees("start acc:shop/prices", "Notify me")
    await team.press(card, "Notify me", user="U0LEE", channel=CRAWL)
    await env.sees("You will be told in the thread when acc:shop/prices (run ", user="U0LEE")
    await env.acc.set_fault({"fault": "500"})
    await failed_once(team)
    team.later(seconds=61)
    notice = await team.sees_in_thread("acc:shop/prices (run ", "can't be read", "500", "<@U0LEE>")
    assert notice["thread_ts"] == card["ts"]


async def test_the_message_that_a_run_cannot_be_read_is_corrected_when_it_can(team: Team) -> None:
    env = team.env
    env.acc.world.speed = 0.001
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Starting")
    await env.acc.set_fault({"fault": "500"})
    for seconds in (15, 61):
        before = len(env.acc.requests)
        team.later(seconds=seconds)
        await env.until(lambda before=before: len(env.acc.requests) > before)
        await env.quiet()
    told = await env.sees(
        "A run that you follow can't be read", "start acc:shop/prices", "<@U0ANA>", "The card of the run says why"
    )
    await env.acc.clear_faults()
    team.later(seconds=16)
    over = await env.sees(
        "A run that you follow can be read again", "start acc:shop/prices", "The card of the run shows its state"
    )
    assert over["ts"] == told["ts"]
    await env.sees("start acc:shop/prices", "Starting")


async def test_the_message_about_several_runs_does_not_say_that_one_which_was_lost_can_be_read_again(
    team: Team,
) -> None:
    """The control plane no longer has one of them; the other can be read much later."""
    env, world = team.env, team.env.acc.world
    world.speed = 0.001
    for name in ("shop/prices", "news/feed"):
        await env.does(f"start acc:{name}", f"start acc:{name}", "Starting")

    async def beat(*after: int) -> None:
        for seconds in after:
            team.later(seconds=seconds)
            await env.bot.leader.timers.beat()
            await env.quiet()

    await env.acc.set_fault({"fault": "500"})
    await beat(15, 61, 15)
    told = await env.sees("Runs that you follow can't be read", "The card of each run says why")
    lost, other = (world.by_path[path].agent_id for path in ("shop/prices", "news/feed"))
    for run in world.runs_of[lost]:
        world.runs.pop(run.run_id)
    world.runs_of[lost] = []
    await env.acc.clear_faults()
    await env.acc.set_fault({"fault": "500", "match": f".*{other}.*"})
    await beat(15, 3700, 15)
    assert [entry.code for entry in env.audit(event="ended")] == ["lost"]
    await env.acc.clear_faults()
    await beat(15)
    assert (await env.sees("Runs that you follow could not be read", "The card of each run shows"))["ts"] == told["ts"]


async def test_a_run_that_the_control_plane_no_longer_has_is_not_followed_for_ever(team: Team) -> None:
    """After an hour its card says so, and it is neither on the Home tab nor in what `stop everything` lists. The message that it
    can't be read no longer promises an update."""
    env = team.env
    env.acc.world.speed = 0.001
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Starting")
    env.acc.world.runs.clear()
    env.acc.world.runs_of = {key: [] for key in env.acc.world.runs_of}
    for seconds in (15, 3_000):
        before = len(env.acc.requests)
        team.later(seconds=seconds)
        await env.until(lambda before=before: len(env.acc.requests) > before)
        await env.quiet()
    assert len(await env.bot.store.open_watches()) == 1
    team.later(seconds=700)
    await env.sees("start acc:shop/prices", "Not found", "so its outcome is unknown. It is no longer followed.")
    assert [row.code for row in env.audit(event="ended")] == ["lost"]
    assert await env.bot.store.open_watches() == []
    await env.sees("A run that you follow could not be read", "start acc:shop/prices")


async def test_a_control_plane_that_does_not_answer_tells_nothing_and_is_asked_again(team: Team) -> None:
    """What failed meanwhile is told afterwards, also over a restart."""
    env = team.env
    await watching(team)
    await env.acc.set_fault({"fault": "500"})
    env.acc.add_run("shop/prices", ago=60, script=BROKEN)
    await polled(team)
    await env.acc.clear_faults()
    await env.restart()
    team.later(seconds=16)
    await env.sees("acc:shop/prices failed")


async def test_watching_again_says_until_when(team: Team) -> None:
    await watching(team, "watch acc:shop/prices for=30m")
    later, sooner = " now, which is later than before.", "The later end counts: to end it sooner, stop watching first."
    for ends, until, told in (
        ("for=2h", "until <!date^", later),
        ("for=1h", "until <!date^", sooner),
        ("", "without an end", later),
        ("for=1h", "without an end", sooner),
    ):
        again = f"You already watch acc:shop/prices here, {until}"
        await team.env.does(f"watch acc:shop/prices {ends}".strip(), again, told)
    words = shown(await team.env.does("watch acc:shop/prices", "here, without an end."))
    assert later not in words
    assert sooner not in words


async def test_on_a_target_with_several_jobs_each_recovers_by_itself_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed job of a Resilio agent is not told to work again because another job has finished."""
    async with deciding(tmp_path, monkeypatch, RULES, only=("res",)) as team:
        env, plane = team.env, team.env.planes["res"]
        await env.does("watch res:", "Watching res:", "<@U0ANA> is told here")
        await env.until(lambda: env.bot.store.database.read_sync(_seen))
        plane.add_transfer("Backup", status="error", errors=["Disk full"])
        team.later(seconds=16)
        await env.sees("res: failed", "Backup: Disk full")
        plane.add_transfer("Nightly", status="successfully finished")
        before = len(plane.requests)
        team.later(seconds=16)
        await env.until(lambda: len(plane.requests) > before)
        await env.quiet()
        assert not any("res: works again" in shown(message) for message in env.ana.messages(CRAWL))
        plane.add_transfer("Backup", status="successfully finished")
        team.later(seconds=16)
        await env.sees("res: works again", "Backup: Successfully finished")


async def test_a_run_that_failed_and_recovers_by_itself_is_told_by_a_new_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Resilio run goes on after an error. A changed message would notify nobody."""
    async with deciding(tmp_path, monkeypatch, RULES, only=("res",)) as team:
        env, plane = team.env, team.env.planes["res"]
        run = plane.add_transfer("Photos", status="syncing")
        await env.does("watch res:", "Watching res:")
        await env.until(lambda: env.bot.store.database.read_sync(_seen))
        for status in ("error", "syncing", "synced"):
            run.status, run.errors = status, ["Disk full"] if status == "error" else []
            before = len(plane.requests)
            team.later(seconds=16)
            await env.until(lambda: len(plane.requests) > before)  # noqa: B023
            await env.quiet()
        await env.sees("res: works again")
        await env.sees("res: failed", "Photos: Disk full")


async def test_a_retry_in_the_thread_of_what_is_told_of_a_service_is_of_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job was started in another channel, so the message is no reply to its card."""
    async with deciding(tmp_path, monkeypatch, RULES, only=("itn",)) as team:
        env, plane = team.env, team.env.planes["itn"]
        assert isinstance(plane, ItentialPlane)
        broken = itential.Script(seconds=0.2, return_code=1, stdout="", stderr="link 3 is down")
        plane.add_service("ping-links", scripts=(broken, itential.Script(seconds=0.2)))
        await env.does("watch itn:ping-links", "Watching itn:", "<@U0ANA> is told here")
        await env.until(lambda: env.bot.store.database.read_sync(_seen))
        await env.does("start itn:ping-links", "Error", "link 3 is down", channel=INCIDENT)
        await polled(team, "itn", "/operations-manager/jobs")
        notice = await env.sees("ping-links failed", "link 3 is down")
        await env.ana.post(CRAWL, "<@U0BOT> retry", thread_ts=notice["ts"])
        await env.sees("retry itn:cluster_1/ping-links", "Complete")


async def test_in_the_thread_of_what_is_told_of_an_agent_with_several_jobs_the_failed_run_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a Resilio agent, whose status is another question."""
    async with deciding(tmp_path, monkeypatch, RULES, only=("res",)) as team:
        env, plane = team.env, team.env.planes["res"]
        await env.does("watch res:", "Watching res:", "<@U0ANA> is told here")
        await env.until(lambda: env.bot.store.database.read_sync(_seen))
        run = plane.add_transfer("Backup", status="error", errors=["Disk full"])
        team.later(seconds=16)
        notice = await env.sees("res: failed", "Backup: Disk full")
        await env.ana.post(CRAWL, "<@U0BOT> status", thread_ts=notice["ts"])
        assert (await done(team, "status")).target_id == str(run.run_id)


async def test_an_old_failure_of_a_service_is_not_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its job was listed as ended at the first poll, and ended no second time; the next run succeeds."""
    async with deciding(tmp_path, monkeypatch, RULES, only=("itn",)) as team:
        env, plane = team.env, team.env.planes["itn"]
        assert isinstance(plane, ItentialPlane)
        broken = itential.Script(seconds=0.2, return_code=1, stdout="", stderr="link 3 is down")
        plane.add_service("ping-links", scripts=(broken, itential.Script(seconds=0.2)))
        await env.does("start itn:ping-links", "Error", "link 3 is down")
        await env.does("watch itn:ping-links", "Watching itn:", "<@U0ANA> is told here")
        await env.until(lambda: env.bot.store.database.read_sync(_seen))
        await env.does("start itn:ping-links -- the link is up again", "Complete")
        await polled(team, "itn", "/operations-manager/jobs")
        assert not [text for text in map(shown, env.ana.messages(CRAWL)) if "ping-links failed" in text]


@pytest.mark.parametrize(
    ("minutes", "over"),
    [(0, "<@U0ANA> stopped watching"), (10, "<@U0ANA> stopped watching"), (61, "The watch ended: its time is over")],
)
async def test_its_card_shows_after_a_restart_that_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int, over: str
) -> None:
    """Who ended it is told so, also when the command is too old then to be run."""
    async with deciding(tmp_path, monkeypatch, RULES) as team:
        env, ends = team.env, minutes == 61
        card = await env.does("watch acc:shop/prices for=1h", "is told here")
        lost = Cut(monkeypatch, TimedRows, "unsubscribe", "restart")
        if not ends:
            await env.say("unwatch acc:shop/prices")
        else:
            team.later(minutes=minutes)
        await asyncio.wait_for(lost.done.wait(), 30)
        await env.bot.close()
        team.later(minutes=0 if ends else minutes)
        await env.start()
        shows = await env.sees("Watching acc:shop/prices", over)
        assert (shows["ts"], labels(shows)) == (card["ts"], [])
        if not ends:
            await env.sees("Done just before I was restarted")
        await env.quiet()
        assert len([one for one in env.ana.messages(CRAWL) if "Done just before I was restarted" in shown(one)]) == (
            not ends
        )
        assert not [one for one in env.ana.messages(CRAWL) if "Not done" in shown(one) or "You don't" in shown(one)]
