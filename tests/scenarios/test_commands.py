"""Words and targets from Slack to the control plane: misreads, selectors, threads, what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import ask, do, last_seq, mention, private, starts
from tests.world import OPEN_POLICY, World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_misread_offers_the_nearest_command_and_a_press_runs_it(team: World) -> None:
    """`strat` is answered with what it may have meant, and the button does exactly what it says."""
    before = starts(team)
    asked = await ask(team, "strat acc:shop/prices production=false")
    assert asked.events == ["misread"]
    message = await private(team, "Did you mean this?", "`strat` is not a verb")
    wanted = "start acc:shop/prices production=false"
    assert wanted in labels(message)
    seq = last_seq(team)
    await team.ana.press_label("C0CRAWL", message["ts"], wanted)
    await team.until(lambda: starts(team) == before + 1)
    await team.sees("start acc:shop/prices", "Succeeded")
    assert [row.event for row in team.audit() if row.seq > seq and row.event == "sent"] == ["sent"]
    assert team.acc.world.runs_of[team.acc.agent("shop/prices").agent_id][-1].options.production is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("start shop/prices", "is not a target. Write `backend:path`"),
        ("status <@U0LEE>", "A person or a channel is not a target"),
        ("start nowhere:shop/prices", "`nowhere` is not a backend"),
        ('start "acc:shop/prices', "A quote is not closed"),
        ("start acc:shop/prices now please", "is not `key=value`"),
        ('""', '`""` is not a verb.'),
        ('start ""', '`""` is not a target.'),
        ("str`at acc:shop/prices", "`str'at` is not a verb."),
        ("start shop`prices", "`shop'prices` is not a target."),
        ("😀", "`😀` is not a verb."),
        ("<b>&", "`&lt;b&gt;&amp;` is not a verb."),
        ("x" * 400, f"`{'x' * 60}…` is not a verb."),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_would_be(team: World, text: str, expected: str) -> None:
    """Nothing is sent, the audit log has the words, and the answer says what to write."""
    asked = await ask(team, text)
    answer = await private(team, expected)
    assert "U+0060" not in shown(answer)
    assert asked.events == ["misread"]
    assert asked.changes == []


async def test_a_verb_for_another_kind_of_target_is_answered_with_an_example(team: World) -> None:
    """An agent can't be retried, its runs can; the answer shows how one is written, and offers its runs."""
    asked = await do(team, "retry acc:shop/prices")
    assert asked.row("failed").code == "wrong_target_kind"
    card = await asked.card("is an agent", "retry acc:run/ID")
    assert labels(card) == ["retry acc:shop/prices@failed", "retry acc:shop/prices@last"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("logs acc:shop/prices", "Log of shop/prices"),
        ("STATUS ACC:SHOP/PRICES", "shop/prices"),
        ("status acc:Shop/Prices", "shop/prices"),
        ("shop/prices history", "runs of shop/prices"),
        ("status prices", "shop/prices"),
        ("acc:shop/prices", "shop/prices"),
    ],
)
async def test_a_read_that_is_meant_without_doubt_is_answered(team: World, typed: str, answer: str) -> None:
    """Only a read: whatever changes something is offered as a button."""
    await do(team, "start acc:shop/prices")
    seq = last_seq(team)
    await ask(team, typed)
    await team.sees(answer)
    await team.until(lambda: [row for row in team.audit() if row.seq > seq and row.event == "done"])
    assert not [row for row in team.audit() if row.seq > seq and row.event == "sent"]


async def test_the_short_id_of_a_card_names_its_run(team: World) -> None:
    """The first letters of an id are enough, with or without the word for its kind; a wrong one finds nothing."""
    first = await do(team, "start acc:shop/prices")
    run = first.row("done").backend_ref or ""
    await team.until(lambda: "ended" in first.events)
    for typed in (f"logs acc:run/{run[:8]}", f"logs acc:{run[:8]}", f"logs {run[:8].upper()}"):
        seq = last_seq(team)
        await ask(team, typed)
        await team.until(lambda seq=seq: [row for row in team.audit() if row.seq > seq and row.event == "done"])
        assert [row.target_id for row in team.audit() if row.seq > seq and row.event == "done"] == [run]
    other = await do(team, "logs acc:run/0000beef")
    assert other.row("failed").code == "no_such_target"


async def test_a_target_without_its_control_plane_is_offered_with_it(team: World) -> None:
    """Only a remembered one, and only to who may ask here at all."""
    await do(team, "status acc:shop/prices")
    await ask(team, "start shop/prices production=false")
    wanted = ["start acc:shop/prices production=false"]
    await team.until(lambda: [m for m in team.ana.messages("C0CRAWL") if labels(m) == wanted])
    await team.person("U0GUEST").command("C0CRAWL", "/ops start shop/prices")
    heard = await team.sees("you can't run `start shop/prices`", user="U0GUEST")
    assert labels(heard) == []


async def test_help_gives_examples_with_control_planes_that_are_there(team: World) -> None:
    heard = shown(await team.does("help all", "Everything you can do here"))
    assert "targets acc" in heard
    assert "infa" not in heard


async def test_what_a_control_plane_cannot_list_is_said_with_what_to_type_instead(team: World) -> None:
    """The ACC has no list of agents: one that was never used is missing, and the answer says why and how to reach it."""
    await team.does("targets acc", "Targets of acc", "has no list of agents", "`status acc:shop/prices`")


async def test_an_unknown_target_is_answered_with_the_nearest(team: World) -> None:
    """A target that does not exist starts nothing; the nearest known one is a button that keeps the parameters."""
    await do(team, "status acc:shop/prices")
    before = starts(team)
    asked = await do(team, "start acc:shop/pricez production=false")
    assert asked.events == ["requested", "failed"]
    assert asked.row("failed").code == "no_such_target"
    card = await asked.card("acc has no agent `shop/pricez`")
    assert labels(card) == ["start acc:shop/prices production=false"]
    await asked.press("start acc:shop/prices production=false")
    await team.until(lambda: starts(team) == before + 1)


async def test_a_command_that_no_button_can_show_whole_is_no_button(team: World) -> None:
    """A press must never do more than its label says: a long command is only shown."""
    text = f"strat acc:shop/prices production=false input.region={'x' * 60}"
    await ask(team, text)
    message = await private(team, "`strat` is not a verb", "x" * 60)
    assert labels(message) == []


async def test_a_verb_without_a_target_in_a_thread_means_the_run_of_its_card(team: World) -> None:
    """Under a card, `@signalbox logs` is about that card's run, whatever has run since."""
    first = await do(team, "start acc:shop/prices input.first=1")
    run = first.row("done").backend_ref
    card = await first.card("start acc:shop/prices")
    await team.until(lambda: "ended" in first.events)
    await do(team, "start acc:shop/prices input.second=2")
    asked = await mention(team, "logs", thread_ts=card["ts"])
    assert await asked.ends() == "done"
    assert ("GET", f"/api/run/{run}/log") in [(call.method, call.raw_path) for call in asked.calls]
    answer = await asked.card("Log of shop/prices")
    assert answer["thread_ts"] == card["ts"]


async def test_an_agents_verb_under_the_card_of_a_run_means_its_agent(team: World) -> None:
    """`schedules` has no meaning for a run, so in its thread the agent is meant."""
    first = await do(team, "start acc:shop/prices")
    card = await first.card("start acc:shop/prices")
    asked = await mention(team, "schedules", thread_ts=card["ts"])
    assert await asked.ends() == "done"
    await asked.card("shop/prices has 2 schedules")


async def test_a_verb_without_a_target_elsewhere_asks_for_one(team: World) -> None:
    """Outside a thread there is nothing that could be meant."""
    asked = await do(team, "retry")
    assert asked.row("failed").code == "target_missing"
    await asked.card("`retry` needs a target")


async def test_selectors_pick_the_last_the_failed_and_the_running_run(team: World) -> None:
    """`@last`, `@failed` and `@running` are read off the control plane's own history."""
    acc = team.acc
    acc.add_agent("shop/mixed", scripts=(Script(end="Never"),))
    bad = acc.add_run("shop/mixed", ago=900, script=Script(end="Failure", message="broke here")).run_id
    acc.add_run("shop/mixed", ago=700)
    going = acc.add_run("shop/mixed", ago=500, script=Script(end="Never")).run_id
    last = acc.add_run("shop/mixed", ago=300).run_id
    for selector, run in (("last", last), ("failed", bad), ("running", going)):
        asked = await do(team, f"status acc:shop/mixed@{selector}")
        assert asked.row("done").target_id == run, selector
    job = acc.add_job("shop/mixed", ago=100).job_id
    assert (await do(team, "status acc:shop/mixed@last as=job")).events[-1] in ("done", "failed")
    assert job in {one.job_id for one in acc.jobs}


async def test_a_selector_that_finds_nothing_says_so(team: World) -> None:
    """No failed run: nothing is retried."""
    asked = await do(team, "retry acc:news/feed@failed")
    assert asked.changes == []
    await asked.card("news/feed has no failed run")


async def test_a_command_for_everything_offers_it_for_each_run_in_progress(tmp_path: Path) -> None:
    """One command acts on one target; the buttons are the runs that it can be about, and what runs here."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("itn",)) as env:
        await env.does("start itn:cluster_1/check-links", "start itn:cluster_1/check-links", "Running")
        card = await env.does("pause everything", "A command acts on one target.")
    first, last = labels(card)
    assert first.startswith("pause itn:job/")
    assert last == "status"


async def test_two_targets_are_offered_as_two_commands(team: World) -> None:
    card = await team.does("status acc:shop/prices acc:shop/stock", "A command acts on one target.")
    assert labels(card) == ["status acc:shop/prices", "status acc:shop/stock"]


async def test_a_start_with_an_empty_input_is_not_sent(team: World) -> None:
    """It says which value is missing; a value that is left out by mistake looks the same as an empty one."""
    calls = starts(team)
    await team.does("start acc:shop/prices input.region= -- month end", "`input.region=` needs a value")
    assert starts(team) == calls
