"""The card of a run, for each kind of control plane: the answer first, few facts, one next step."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.card import operation_key
from bot.operations.cards import refreshed_key
from bot.playground.planes.infa_model import Pace
from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import do
from tests.scenarios.team import Team, deciding
from tests.world import OPEN_POLICY, World, labels, shown, world

FAILS = (Script(end="Failure", message="2 of 40 pages failed"), Script())
RULES = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read", "start"]
  targets = ["*"]
  who = ["crawl"]
  [[channel.allow]]
  verbs = ["retry"]
  targets = ["acc:*"]
  who = ["crawl"]
  approvals = { count = 1, from = ["leads"], expires = "30m", in = "C0APPR" }
"""


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world where the crawl team may do everything."""
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world where a retry needs an approval."""
    async with deciding(tmp_path, monkeypatch, RULES) as made:
        made.env.acc.add_agent("shop/broken", scripts=FAILS)
        yield made


def started(env: World) -> str:
    """The id of the newest run that a person started; a schedule may start one at any time."""
    return next(run.run_id for run in reversed(env.acc.runs) if run.schedule_id is None)


async def test_a_run_whose_message_is_cut_inside_an_emoji_is_followed_to_its_end(team: Team) -> None:
    """The half that is left is shown as U+FFFD; neither the status nor the end is lost by it."""
    env = team.env
    env.acc.add_agent("shop/cut", scripts=(Script(end="Failure", message="Export \ud83d cut"),))
    asked = await do(env, "start acc:shop/cut")
    await asked.card("Failed", "Export \ufffd cut")
    await env.until(lambda: "ended" in asked.events)
    status = await do(env, "status acc:shop/cut@last")
    await status.card("Failed", "Export \ufffd cut")


def outside(message: dict[str, Any]) -> str:
    """What a reader sees before they open the details: blocks and notification."""
    texts = [str(message["text"])]
    for block in message["blocks"]:
        parts = [block.get("text", {}), *block.get("fields", ()), *block.get("elements", ())]
        texts += [str(part.get("text", "")) for part in parts if block["type"] != "container"]
    return "\n".join(texts)


def details(message: dict[str, Any]) -> str:
    """What is collapsed."""
    return "\n".join(str(block) for block in message["blocks"] if block["type"] == "container")


def link(message: dict[str, Any], label: str) -> str:
    """The address of a button."""
    elements = [one for block in message["blocks"] for one in block.get("elements", ()) if one.get("type") == "button"]
    return next(str(one["url"]) for one in elements if one["text"]["text"] == label)


async def test_a_running_card_has_a_bar_with_the_time_left_and_says_why_there_is_no_stop(env: World) -> None:
    """Sequentum: title and state in one line, who and why in the next, then the bar; ids are only in the details."""
    env.acc.world.speed = 0.5
    asked = await do(env, "start acc:shop/prices input.region=north -- month end")
    card = await asked.card("Running", "left", within=30)
    head = card["blocks"][0]["text"]["text"].split("\n")
    assert head == ["⏳ *start acc:shop/prices* - Running", "<@U0ANA>: month end"]
    assert re.fullmatch(r"█*░* \d+ %, about [0-9a-z ]+ left", card["blocks"][1]["text"]["text"])
    assert "█" not in card["text"]
    assert re.search(r"\d+ %, about [0-9a-z ]+ left", card["text"])
    seen = outside(card)
    assert "input.region=north" in seen
    assert "Sequentum's API can't stop a run" in seen
    assert "Errors" not in seen
    assert asked.request_id not in seen
    assert asked.request_id in details(card)
    run = started(env)
    assert run not in seen
    assert run in details(card)
    assert labels(card) == ["Log", "Notify me", "Refresh"]


async def test_refreshed_stays_on_the_card_until_the_state_changes(env: World) -> None:
    """The next update of the bar keeps it, the end of the run takes it away."""
    env.acc.world.speed = 0.5
    asked = await do(env, "start acc:shop/prices")
    card = await asked.card("Running", "left", within=30)
    await env.ana.press_label("C0CRAWL", card["ts"], "Refresh")
    refreshed = await asked.card("Refreshed")
    rows = re.compile(r"Data rows:\*? [0-9,]+")

    def redrawn(person: Any) -> bool:
        now = shown(next(one for one in person.messages("C0CRAWL") if one["ts"] == card["ts"]))
        return rows.findall(now) != rows.findall(shown(refreshed)) and "Refreshed" in now

    await env.ana.wait_for(redrawn)
    for run in env.acc.world.runs.values():
        run.speed = 60.0
    await asked.card("Succeeded", but="Refreshed", within=30)


async def ends_and_is_looked_at(env: World) -> None:
    """Every run ends, and the program has time to see it."""
    for run in env.acc.world.runs.values():
        run.speed = 600.0
    await env.until(lambda: not any(run.active(env.acc.clock.now()) for run in env.acc.runs))
    looks = len(env.acc.requests)
    await env.until(lambda: len(env.acc.requests) > looks)
    await env.bot.clock.sleep(0.5)


@pytest.mark.parametrize("late", ["outcome", "refresh"])
async def test_what_is_shown_late_does_not_replace_the_end_of_the_run(env: World, late: str) -> None:
    """The run ends between the moment at which its outcome is recorded, or its state is read, and the card."""
    env.acc.world.speed = 0.5
    store, happened = env.bot.store, asyncio.Event()
    finish, set_value = store.finish, store.set_value

    async def slow_finish(*args: Any, **words: Any) -> None:
        await finish(*args, **words)
        if late == "outcome" and words.get("watch"):
            await ends_and_is_looked_at(env)
            happened.set()

    async def slow_value(key: str, *args: Any) -> None:
        await set_value(key, *args)
        if key.startswith(refreshed_key("")):
            await ends_and_is_looked_at(env)
            happened.set()

    store.finish, store.set_value = slow_finish, slow_value  # type: ignore[method-assign,assignment]
    asked = await do(env, "start acc:shop/prices")
    if late == "refresh":
        await asked.card("Running", "left")
        await asked.press("Refresh")
    await happened.wait()
    await env.until(lambda: "ended" in asked.events)
    await env.quiet()
    card = await store.message(operation_key(asked.request_id))
    assert card is not None
    assert "Succeeded" in str(card.body)


async def test_a_refresh_that_takes_long_does_not_hold_up_the_end_of_the_run(env: World) -> None:
    """Nor does it replace it by what it had read before."""
    env.acc.world.speed = 0.5
    asked = await do(env, "start acc:shop/prices")
    await asked.card("Running", "left")
    backend: Any = env.bot.ctx.backends["acc"]
    run, answered = backend.run, asyncio.Event()

    async def slow_run(operation: Any, call: Any) -> Any:
        done = await run(operation, call)
        for one in env.acc.world.runs.values():
            one.speed = 600.0
        await env.until(lambda: "ended" in asked.events)
        answered.set()
        return done

    backend.run = slow_run
    await asked.press("Refresh")
    await answered.wait()
    await env.quiet()
    card = await env.bot.store.message(operation_key(asked.request_id))
    assert card is not None
    assert "Succeeded" in str(card.body)


async def test_nothing_is_called_done_before_the_run_has_ended(env: World) -> None:
    """Not on the card and not in its notification; the state of the run is not repeated by another word for it."""
    env.acc.world.speed = 0.5
    asked = await do(env, "start acc:shop/prices")
    await asked.card("Running", "left")
    for run in env.acc.world.runs.values():
        run.speed = 60.0
    card = await asked.card("Succeeded")
    texts = [call.args.get("text") for call in env.ws.calls if call.method.startswith("chat.")]
    first = [str(text).split("\n")[0] for text in texts if "start acc:shop/prices" in str(text)]
    assert len(first) > 1
    assert not [text for text in first if "Done" in text]
    assert "Completed" not in outside(card)


async def test_a_run_that_succeeded_can_be_run_again_with_the_same_parameters(env: World) -> None:
    """The new run has its own card; the old one says who ran it again, and keeps no button for it."""
    await (await do(env, "start acc:shop/prices input.region=north")).card("Succeeded", within=30)
    card = await env.sees("Succeeded", "Run again")
    assert labels(card) == ["Log", "Run again"], "an ended run does not change"
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Run again", seen=card)
    now = await env.sees("Run again by <@U0RUI>: succeeded", timeout=30)
    assert now["ts"] == card["ts"]
    assert "Run again" not in labels(now)
    bodies = [call.body for call in env.acc.requests if call.raw_path.endswith("/cluster/start")]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


async def test_the_usual_duration_makes_a_bar_where_the_vendor_forecasts_nothing(tmp_path: Path) -> None:
    """Informatica reports no end: the first runs have no bar, later ones count from how long those took."""
    async with world(tmp_path, only=("infa",)) as made:
        made.planes["infa"].pace = Pace(job=2.0)
        for number in (1, 2):
            await made.say("start infa:task/load_orders")
            await made.until(lambda count=number: len(made.audit(event="ended")) == count, 40)
            texts = [str(call.args.get("text")) for call in made.ws.calls]
            assert not [text for text in texts if " %" in text], number
        made.planes["infa"].pace = Pace(job=30.0)
        await made.say("start infa:task/load_orders")
        card = await made.sees("It usually takes", timeout=40)
        assert labels(card) == ["Stop", "Notify me", "Refresh"]
        texts = [str(call.args.get("text")) for call in made.ws.calls]
        assert [text for text in texts if re.search(r"\d+ %, about \d+ s left", text)]


async def test_a_failed_run_shows_the_last_lines_of_its_error_and_retry(tmp_path: Path) -> None:
    """Itential: the end of stderr, masked; the platform's own page is one press away, and ids are in the details."""
    async with world(tmp_path, only=("itn",)) as made:
        await made.say("start itn:check-links")
        await made.until(lambda: made.planes["itn"].jobs)
        made.ws.clock.advance(60)
        card = await made.sees("Error", "link 3 of 12 is down", timeout=40)
        assert {"Log", "Retry", "Open in Itential"} <= set(labels(card))
        assert link(card, "Open in Itential") == made.planes["itn"].base_url
        assert made.planes["itn"].jobs[-1].job_id not in outside(card)


async def test_a_failed_run_of_the_acc_shows_the_end_of_its_log(env: World) -> None:
    """The ACC reports one sentence. The log's last lines follow, masked, for a person who may read the log here."""
    env.acc.add_agent("shop/broken", scripts=FAILS)
    await env.does("start acc:shop/broken", "2 of 40 pages failed", "Last errors in the log", "Run ended: Failure")
    await env.until(lambda: not list((env.folder / "signalbox.spool").iterdir()))


async def test_without_the_right_to_read_a_log_a_failed_run_shows_none(tmp_path: Path) -> None:
    rules = OPEN_POLICY.replace('verbs = ["*"]', 'verbs = ["start", "status"]')
    async with world(tmp_path, policy=rules) as env:
        env.acc.add_agent("shop/broken", scripts=FAILS)
        await env.does("start acc:shop/broken", "2 of 40 pages failed")
        await env.until(lambda: env.audit(event="ended"))
        assert not [call for call in env.acc.requests if call.raw_path.endswith("/log")]


async def test_a_run_of_resilio_shows_its_data_files_and_time_left(tmp_path: Path) -> None:
    """A run that this program did not start; the agent can't stop a single one."""
    async with world(tmp_path, only=("res",)) as made:
        card = await made.does("status res:run/543", "res:run/543", "Data")
        seen = outside(card)
        assert "Files" in seen
        assert "Peers" not in seen
        assert "Peers" in details(card)


async def test_a_press_on_log_is_answered_by_one_reply(env: World) -> None:
    """The file, with the last lines as its comment; where Slack refuses files, the same words as a message."""
    asked = await do(env, "start acc:shop/prices")
    card = await asked.card("Succeeded", within=30)
    await env.ana.press_label("C0CRAWL", card["ts"], "Log", seen=card)

    def replies(person: Any) -> list[dict[str, Any]]:
        return list(person.messages("C0CRAWL", card["ts"])[1:])

    (reply,) = await env.ana.wait_for(replies)
    assert len(reply["files"]) == 1
    assert "Last lines" in reply["text"]
    await env.quiet()
    assert len(replies(env.ana)) == 1
    env.ws.faults.fail("files.completeUploadExternal", error="file_uploads_disabled")
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Log", seen=card)
    await env.ana.wait_for(lambda person: any("Last lines" in shown(one) for one in replies(person)[1:]))


async def test_a_retry_that_waits_for_approval_takes_the_button_away(team: Team) -> None:
    """Two people can't ask for two retries; a denial gives the button back, an approval leads to the retry's end."""
    env = team.env
    await env.say("start acc:shop/broken")
    card = await env.sees("Failed", "Retry", timeout=30)
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    waiting = await env.sees("Retried by <@U0ANA>: waiting for approval")
    assert waiting["ts"] == card["ts"]
    assert "Retry" not in labels(waiting)
    await team.deny(await team.card("retry acc:shop/broken"), "not now")

    def given_back(person: Any) -> bool:
        (now,) = [one for one in person.messages("C0CRAWL") if one["ts"] == card["ts"]]
        return "Retry" in labels(now) and "waiting for approval" not in str(now)

    await env.ana.wait_for(given_back)
    (now,) = [one for one in env.ana.messages("C0CRAWL") if one["ts"] == card["ts"]]
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=now)
    await env.sees("Retried by <@U0RUI>: waiting for approval")
    await team.press(await team.card("retry acc:shop/broken"), "Approve")
    ended = await env.sees("Retried by <@U0RUI>: succeeded", timeout=30)
    assert "Retry" not in labels(ended)


async def test_a_second_retry_of_a_run_asks_its_requester_before_the_approvers(team: Team) -> None:
    env = team.env
    await env.say("start acc:shop/broken")
    await env.sees("Failed", "Retry", timeout=30)
    await env.say("retry acc:shop/broken@failed", user="U0RUI")
    await team.press(await team.card("retry acc:shop/broken"), "Approve")
    await env.sees("Retried by <@U0RUI>: succeeded", timeout=30)
    asked = len(env.audit(event="approval_requested"))
    await env.say("retry acc:shop/broken@failed")
    question = await env.sees("Retried by <@U0RUI>: succeeded", "Ask for approval")
    assert len(env.audit(event="approval_requested")) == asked
    await env.ana.press_label("C0CRAWL", question["ts"], "Ask for approval", seen=question)
    await env.until(lambda: len(env.audit(event="approval_requested")) == asked + 1)


async def test_a_service_that_was_started_is_not_run_again(tmp_path: Path) -> None:
    """What was followed is the service itself, which runs now; a target that does not exist has no page in the console."""
    async with world(tmp_path, only=("infa",), agents=True) as made:
        plane = made.planes["infa"]
        plane.pace = Pace(starting=0.1, initialising=0.1)
        plane.service("eu-1", "Data Integration Server").phase = "stopped"
        await made.say('start infa:eu-1/"Data Integration Server"')
        assert labels(await made.sees("Running and ready for jobs", timeout=40)) == ["Open in Informatica", "Refresh"]
        assert "Open in Informatica" not in labels(await made.does("status infa:task/none", "no task"))


async def test_a_card_links_to_what_was_created_and_not_to_what_was_deleted(tmp_path: Path) -> None:
    """Before it is created it has no id of its own, and afterwards the console has no page for it."""
    async with world(tmp_path, only=("pre",), agents=True) as made:
        plane = made.planes["pre"]
        for typed, name in (("create pre:price-watcher", "price-watcher"), ('create pre:"new/My Agent"', "My Agent")):
            card = await made.does(typed, f"{name} is created")
            (agent,) = [one.agent_id for one in plane.agents.values() if one.name == name]
            assert link(card, "Open in Prefactor") == f"{plane.base_url}/console/agent/{agent}"
        asked = await made.does("delete pre:contract-draft", "Run it")
        await made.ana.press_label("C0CRAWL", asked["ts"], "Run it", seen=asked)
        assert "Open in Prefactor" not in labels(await made.sees("contract-draft is deleted"))


async def test_a_card_links_to_the_run_in_the_vendors_console(tmp_path: Path) -> None:
    """The address comes from the template of the configuration; a press on it is no request."""
    async with world(tmp_path, agents=True) as made:
        asked = await do(made, "start acc:shop/prices")
        card = await asked.card("Succeeded", within=30)
        run = started(made)
        assert link(card, "Open in Sequentum") == f"{made.acc.base_url}/console/run/{run}"
        await made.until(lambda: "ended" in asked.events)
        before = len(made.audit(user_id="U0ANA"))
        await made.ana.press_label("C0CRAWL", card["ts"], "Open in Sequentum", seen=card)
        await made.quiet()
        assert len(made.audit(user_id="U0ANA")) == before
        assert not [one for one in made.ana.messages("C0CRAWL") if one["ephemeral"]]
