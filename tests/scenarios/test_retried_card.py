"""A card whose button started a newer run: what it says, and what a press on an old copy of that button does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.records import stamp
from bot.demo.run import POLICY
from bot.playground.planes.infa_model import Pace
from bot.playground.planes.sequentum import Script
from tests.cli.program import Program
from tests.scenarios.steps import do, mention, private
from tests.world import World, labels, shown, world

SERVICE = "Data Integration Server"


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which a run of shop/broken fails, and its retry ends well."""
    async with world(tmp_path, speed=60.0) as made:
        scripts = (Script(end="Failure", message="broke"), Script(), Script())
        made.acc.add_agent("shop/broken", scripts=scripts)
        yield made


async def failed(env: World) -> dict[str, Any]:
    """The card of the run that failed."""
    return await (await do(env, "start acc:shop/broken")).card("Failed")


def retries(env: World) -> int:
    return sum(call.raw_path.endswith("/retry") for call in env.acc.requests)


async def retried(env: World) -> dict[str, Any]:
    """Rui retries the failed run, and the retry succeeds; the failed card as it was before."""
    card = await failed(env)
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    await env.sees("Retried by <@U0RUI>: succeeded")
    return card


@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_retry_that_was_offered_for_words_is_told_on_the_card_of_its_run(env: World, in_thread: bool) -> None:
    """Not only a typed one, and not only that of the card's own button."""
    card = await failed(env)
    typed, label = (
        ("retry it please", "retry") if in_thread else ("please retry broken", "retry acc:shop/broken@failed")
    )
    await mention(env, typed, thread_ts=card["ts"] if in_thread else None)
    offered = await env.sees("Did you mean this?", label)
    await env.ana.press_label("C0CRAWL", offered["ts"], label, seen=offered)
    now = await env.sees("start acc:shop/broken", "Retried by <@U0ANA>: succeeded")
    assert now["ts"] == card["ts"]
    assert "Retry" not in labels(now)


async def test_the_card_says_who_retried_and_how_it_ended_and_has_no_retry_button(env: World) -> None:
    card = await retried(env)
    now = await env.sees("Retried by <@U0RUI>: succeeded")
    assert now["ts"] == card["ts"]
    assert "Failed" in str(now)
    assert "Retry" not in labels(now)
    assert "Log" in labels(now)


async def test_the_card_of_the_retry_offers_the_start_of_that_run_again(env: World) -> None:
    """With the parameters of the run: a retry itself is not repeated once it has succeeded."""
    card = await (await do(env, "start acc:shop/broken log_level=2")).card("Failed")
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    ended = await env.sees("retry acc:shop/broken", "Succeeded", "Run again", user="U0RUI")
    await env.person("U0RUI").press_label("C0CRAWL", ended["ts"], "Run again", seen=ended)
    await env.sees("start acc:shop/broken", "log_level=2", "<@U0RUI>")


async def test_a_person_who_may_start_but_not_retry_starts_the_failed_run_again(tmp_path: Path) -> None:
    """The button does what the rules let them do."""
    rules = POLICY.replace('"start", "retry", "restart"', '"start"').replace('"acc:shop/*", "acc:news/*"', '"acc:*"', 1)
    async with world(tmp_path, policy=rules, speed=60.0) as env:
        card = await env.does("start acc:labs/broken", "Failed")
        assert "Retry" in labels(card)
        await env.ana.press_label("C0CRAWL", card["ts"], "Retry")
        await env.sees("Retried by <@U0ANA>")
        assert retries(env) == 0


async def test_a_retry_whose_run_is_not_in_the_history_yet_does_not_show_how_the_old_run_ended(env: World) -> None:
    card = await failed(env)
    await env.acc.set_fault({"fault": "500", "match": "GET .*/history"})
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    answer = await env.sees("doesn't show the newer run yet")
    assert "Failed" not in shown(answer)
    assert "broke\n" not in shown(answer)


async def test_a_typed_retry_marks_the_card_of_the_run_too(env: World) -> None:
    card = await failed(env)
    await do(env, "retry acc:shop/broken@failed", user="U0RUI")
    now = await env.sees("Retried by <@U0RUI>: succeeded")
    assert now["ts"] == card["ts"]
    assert "Retry" not in labels(now)


async def test_a_press_on_a_stale_copy_tells_how_the_retry_ended_and_runs_only_when_it_is_meant(env: World) -> None:
    card = await retried(env)
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    answer = await private(env, "<@U0RUI> pressed Retry", "succeeded", "Your press did nothing")
    await env.quiet()
    assert retries(env) == 1
    await env.ana.press_label("C0CRAWL", answer["ts"], "Run it anyway")
    now = await env.sees("Retried by <@U0ANA>: succeeded")
    assert now["ts"] == card["ts"]
    assert retries(env) == 2


async def test_run_it_anyway_starts_one_run_too(env: World) -> None:
    """An old copy of that button asks again."""
    card = await retried(env)
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    answer = await private(env, "<@U0RUI> pressed Retry")
    await env.ana.press_label("C0CRAWL", answer["ts"], "Run it anyway", seen=answer)
    await env.sees("Retried by <@U0ANA>: succeeded")
    await asyncio.sleep(3.1)  # longer than a double click
    await env.ana.press_label("C0CRAWL", answer["ts"], "Run it anyway", seen=answer)
    await private(env, "You pressed Retry", "succeeded")
    assert retries(env) == 2


async def test_a_restart_forgets_neither_the_note_nor_the_first_press(env: World) -> None:
    """The bot restarts while the retry runs: the card is updated at its end, and the stale button starts nothing."""
    card = await failed(env)
    env.acc.world.speed = 0.05
    await env.person("U0RUI").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    running = await env.sees("Retried by <@U0RUI>: running")
    assert "Retry" not in labels(running)
    await env.quiet()
    await env.restart()
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    await private(env, "<@U0RUI> pressed Retry", "running")
    for run in env.acc.world.runs.values():
        run.speed = 60.0
    await env.sees("Retried by <@U0RUI>: succeeded")
    assert retries(env) == 1


async def test_a_retry_that_was_denied_leaves_the_button(env: World) -> None:
    """Nothing was started, so there is nothing to tell, and the next press counts."""
    card = await failed(env)
    await env.person("U0GUEST").press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    await env.until(lambda: env.audit(event="denied"))
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card)
    await env.sees("Retried by <@U0ANA>: succeeded")
    assert retries(env) == 1


@pytest.mark.parametrize(
    ("backend", "typed", "button", "words"),
    [
        ("itn", "start itn:check-links", "Retry", "Retried"),
        ("infa", "start infa:task/load_orders", "Run again", "Run again"),
    ],
)
async def test_runs_of_other_control_planes_say_it_too(
    tmp_path: Path, backend: str, typed: str, button: str, words: str
) -> None:
    async with world(tmp_path, only=(backend,)) as made:
        if backend == "infa":
            made.planes[backend].pace = Pace(job=0.5)
        await made.say(typed)
        card = await made.sees(typed.partition(" ")[0], button, timeout=40)  # the run ends in its own time
        await made.ana.press_label("C0CRAWL", card["ts"], button, seen=card)
        now = await made.sees(f"{words} by <@U0ANA>: ", timeout=40)
        assert now["ts"] == card["ts"]
        assert button not in labels(now)
        count = len(made.audit(event="sent"))
        await made.person("U0RUI").press_label("C0CRAWL", card["ts"], button, seen=card)
        await private(made, "<@U0ANA> pressed", "Your press did nothing", user="U0RUI")
        assert len(made.audit(event="sent")) == count


async def test_a_press_while_the_card_is_updated_counts(tmp_path: Path) -> None:
    """The update gives its buttons new ids, and the card still offers what was pressed."""
    async with world(tmp_path, only=("infa",)) as made:
        service = made.planes["infa"].service("eu-1", SERVICE)
        service.phase = "stopped"
        card = await made.does(f'status infa:eu-1/"{SERVICE}"', "not listed")
        await made.ana.press_label("C0CRAWL", card["ts"], "Refresh")
        await made.sees("Refreshed", "not listed")
        await made.ana.press_label("C0CRAWL", card["ts"], "Start", seen=card)
        await made.sees("Started by <@U0ANA>: ")


async def test_a_service_that_was_read_again_may_be_started_again(tmp_path: Path) -> None:
    """Its card is about the service and not about one run: what a Refresh offers is a new offer."""
    async with world(tmp_path, only=("infa",)) as made:
        plane = made.planes["infa"]
        plane.pace = Pace(starting=0.1, initialising=0.1)
        service = plane.service("eu-1", SERVICE)
        service.phase = "stopped"
        card = await made.does(f'status infa:eu-1/"{SERVICE}"', "not listed")
        await made.ana.press_label("C0CRAWL", card["ts"], "Start", seen=card)
        assert "Start" not in labels(await made.sees("Started by <@U0ANA>: succeeded"))
        service.phase = "stopped"
        await made.ana.press_label("C0CRAWL", card["ts"], "Refresh")
        assert "Start" in labels(await made.sees("Refreshed", "not listed"))


async def test_the_history_says_who_retried_a_run_and_offers_no_second_retry(env: World) -> None:
    await retried(env)
    message = await env.does("history acc:shop/broken", "The latest")
    assert re.search(r"Run 2\W+Retried by <@U0RUI>: succeeded", shown(message))
    assert not [label for label in labels(message) if label.startswith("Retry")]
    assert {"Log 1", "Log 2", "Start with defaults"} <= set(labels(message))


async def test_the_status_of_a_run_that_was_retried_says_so_and_has_no_retry_button(env: World) -> None:
    await retried(env)
    message = await env.does("status acc:shop/broken@failed", "Retried by <@U0RUI>: succeeded", "Failed")
    assert "Retry" not in labels(message)


async def test_a_typed_retry_of_a_run_that_was_retried_asks_first(env: World) -> None:
    await retried(env)
    await env.say("retry acc:shop/broken@failed")
    question = await private(env, "Retried by <@U0RUI>: succeeded", "Run it only if you still want it")
    await env.quiet()
    assert retries(env) == 1
    await env.ana.press_label("C0CRAWL", question["ts"], "Run it")
    await env.sees("Retried by <@U0ANA>: succeeded")
    assert retries(env) == 2


@pytest.mark.parametrize("typed", ["retry acc:shop/broken@failed", "retry shop/broken"])
async def test_the_retry_of_a_failed_run_asks_if_the_newest_run_succeeded(env: World, typed: str) -> None:
    await failed(env)
    await (await do(env, "start acc:shop/broken")).card("Succeeded")
    await env.say(typed)
    if typed == "retry shop/broken":
        offer = await private(env, "is not a target")
        await env.ana.press_label("C0CRAWL", offer["ts"], "retry acc:shop/broken@failed", seen=offer)
    question = await private(
        env, "Newer run", "Succeeded", "an older one that failed", "Run it only if you still want it"
    )
    await env.quiet()
    assert retries(env) == 0
    await env.ana.press_label("C0CRAWL", question["ts"], "Run it")
    await env.until(lambda: retries(env) == 1)


async def test_the_retry_of_the_newest_run_asks_nothing(env: World) -> None:
    await failed(env)
    await env.say("retry acc:shop/broken@failed")
    await env.until(lambda: retries(env) == 1)


async def test_a_retry_from_an_old_history_asks_while_the_other_retry_runs(env: World) -> None:
    await failed(env)
    message = await env.does("history acc:shop/broken", "The latest")
    env.acc.world.speed = 0.05
    await do(env, "retry acc:shop/broken@failed", user="U0RUI")
    await env.sees("Retried by <@U0RUI>: running")
    await env.ana.press_label("C0CRAWL", message["ts"], "Retry 1", seen=message)
    await private(env, "Retried by <@U0RUI>: running")
    await env.quiet()
    assert retries(env) == 1


async def test_a_run_that_goes_on_under_its_own_id_and_fails_again_is_retried_without_a_question(env: World) -> None:
    """Some ACCs keep the id of the run: its new end is that of the retry."""
    env.acc.world.rules = replace(env.acc.world.rules, retry_makes_new_run=False)
    env.acc.add_agent("shop/stuck", scripts=(Script(end="Failure"), Script(end="Failure"), Script()))
    await (await do(env, "start acc:shop/stuck")).card("Failed")
    for count in (1, 2):
        await env.say("retry acc:shop/stuck@failed", user="U0RUI")
        await env.until(lambda count=count: len(env.audit(event="ended", verb="retry")) == count, 30)
    assert retries(env) == 2


async def test_a_run_that_was_looked_up_often_since_its_retry_still_asks(env: World) -> None:
    await retried(env)
    (run,) = {row.target_id for row in env.audit(verb="retry") if row.target_id}
    looked = [AuditEntry(at=stamp(env.bot.ctx.clock.now()), request_id="r-looks", event=Event.DONE, verb="status",
                         backend="acc", target_id=run)] * 150  # fmt: skip
    await env.bot.store.append(*looked)
    await env.say("retry acc:shop/broken@failed")
    await private(env, "Retried by <@U0RUI>: succeeded", "Run it only if you still want it")
    await env.quiet()
    assert retries(env) == 1


async def test_a_retry_that_was_asked_about_in_a_terminal_and_not_confirmed_is_no_newer_run(
    env: World, program: Program
) -> None:
    await retried(env)
    await program(
        "do", "retry acc:shop/broken@failed", "--channel", "C0CRAWL", "--user", "U0ANA",
        folder=env.folder, environ=env.environ,
    )  # fmt: skip
    assert [row.code for row in env.audit(event="abandoned")] == ["not_confirmed"]
    await env.say("retry acc:shop/broken@failed")
    await private(env, "Retried by <@U0RUI>: succeeded")
    await env.quiet()
    assert retries(env) == 1


async def test_a_retry_asks_while_the_answer_of_another_one_is_awaited(env: World) -> None:
    await failed(env)
    await env.acc.set_fault({"fault": "delay", "seconds": 2, "match": "POST .*/retry"})
    await env.say("retry acc:shop/broken@failed", user="U0RUI")
    await env.until(lambda: env.audit(event="sent", verb="retry"))
    await env.say("retry acc:shop/broken@failed")
    await private(env, "Retried by <@U0RUI>: sent, the answer is awaited")
    await env.quiet()
    assert retries(env) == 1


async def test_a_retry_from_a_card_with_replies_has_its_card_in_the_channel(env: World) -> None:
    """As where there is no reply, and as a typed one."""
    card = await failed(env)
    await env.ana.post("C0CRAWL", "I look at it.", card["ts"])
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry")
    await env.sees("Retried by <@U0ANA>: succeeded")
    retry = await env.sees("retry acc:shop/broken", "Succeeded")
    assert retry["ts"] not in [one["ts"] for one in env.ana.messages("C0CRAWL", card["ts"])]


async def test_a_retry_in_whose_cards_thread_an_incident_is_open_has_its_card_there(env: World) -> None:
    """It carries the name of that incident."""
    card = await failed(env)
    await env.ana.post("C0CRAWL", "I look at it.", card["ts"])
    await mention(env, "incident open INC-9", thread_ts=card["ts"])
    await env.until(lambda: env.audit(event="incident_opened"))
    await env.ana.press_label("C0CRAWL", card["ts"], "Retry")
    retry = await env.sees("retry acc:shop/broken", "Succeeded")
    assert retry["ts"] in [one["ts"] for one in env.ana.messages("C0CRAWL", card["ts"])]
    assert {row.incident for row in env.audit(verb="retry")} == {"INC-9"}
