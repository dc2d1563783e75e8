"""Sentences in the thread of a card are about its target and its run, and a pause in words has the end that was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.planes.demo import demo_planes
from tests.scenarios.steps import mention
from tests.scenarios.team import APPROVERS, CRAWL, INCIDENT, deciding
from tests.scenarios.test_suggestions import labels
from tests.world import GROUPS, OPEN_POLICY, World, shown, world

HELD = GROUPS + "".join(
    f"""
[[channel]]
id = "{channel}"
[[channel.allow]]
verbs = ["risk:read", "start"]
targets = ["itn:cluster_1/backup-configs"]
who = ["crawl"]
[[channel.allow]]
verbs = ["start"]
targets = ["itn:cluster_1/audit-network"]
who = ["crawl"]
approvals = {{ count = 1, from = ["leads"] }}
"""
    for channel in (CRAWL, INCIDENT)
)
HELD += '[administrators]\nwho = ["admins"]\n[breakglass]\nwho = ["admins", "U0RUI"]\n'


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("schedule off for 1 hour", "schedule off acc:shop/prices for=1h"),
        ("pause it for an hour", "schedule off acc:shop/prices for=1h"),
        ("please pause its schedule for 1 hour", "schedule off acc:shop/prices for=1h"),
        ("pause this", "schedule off acc:shop/prices"),
        ("remove it from favourites", "unstar acc:shop/prices"),
        ("resume it", "schedule on acc:shop/prices"),
        ("stop it", "status acc:shop/prices"),
    ],
)
async def test_in_a_thread_a_change_is_of_its_target(tmp_path: Path, typed: str, first: str) -> None:
    """Not of the schedule, the agent or the job of another control plane, which has the same verb."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa", "itn", "res"), agents=True) as env:
        await env.does("targets infa:", "nightly")
        await env.does("targets itn:", "check-links")
        card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, typed, thread_ts=card["ts"])
        assert labels(await env.sees(first))[0] == first


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        (
            "turn the schedule off for 1 hour, the shop is closed",
            "schedule off acc:shop/prices for=1h -- the shop is closed",
        ),
        ("the shop is closed, turn the schedule off for 1h", "schedule off acc:shop/prices for=1h"),
        ("turn the schedule off for 1h. the shop is closed", "schedule off acc:shop/prices for=1h"),
        ("pause it for an hour, the orders are wrong", "schedule off acc:shop/prices for=1h -- the orders are wrong"),
        ("pause it for an hour, reason: it is too slow", "schedule off acc:shop/prices for=1h -- it is too slow"),
        (
            "turn the weekly close off, the shop is closed",
            'schedule off infa:"schedule/weekly close" -- the shop is closed',
        ),
        ("weekly close, turn it off", 'schedule off infa:"schedule/weekly close"'),
    ],
)
async def test_a_word_of_the_reason_names_no_other_target_in_a_thread(tmp_path: Path, typed: str, first: str) -> None:
    """Also where it is a part of one's name. A target that the words of the order name counts."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa"), agents=True) as env:
        await env.does("targets infa:", "weekly close")
        card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, typed, thread_ts=card["ts"])
        assert labels(await env.sees("Did you mean this?"))[0] == first


@pytest.mark.parametrize("typed", ["pause its schedule while we investigate", "turn the schedule off so nothing runs"])
async def test_the_schedule_is_that_of_the_thread_whatever_is_told_of_why(env: World, typed: str) -> None:
    """Not one of another agent that the bot has just seen."""
    await env.does("status acc:shop/prices", "Next run")
    card = await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    await mention(env, typed, thread_ts=card["ts"])
    offered = labels(await env.sees("Did you mean this?"))
    assert offered[0] == "schedule off acc:labs/broken"
    assert not [label for label in offered if "acc:schedule/" in label]


@pytest.mark.parametrize(
    "typed", ["again with region west", "run it again with region=west", "start it with region west"]
)
async def test_again_with_another_value_keeps_the_other_ones_also_while_it_runs(tmp_path: Path, typed: str) -> None:
    """A test run doesn't become one that delivers."""
    async with world(tmp_path, speed=0.01) as env:
        card = await env.does("start acc:shop/prices input.region=east production=false", "no data is delivered")
        await mention(env, typed, thread_ts=card["ts"])
        first = labels(await env.sees("Did you mean this?"))[0]
        assert first.startswith("start acc:shop/prices "), first
        assert {"production=false", "input.region=west"} <= {*first.split()}, first


@pytest.mark.parametrize(
    "typed",
    [
        "same again please",
        "the same again",
        "run it again",
        "rerun it please",
        "start shop/prices over again",
        "do it again",
        "try again",
    ],
)
async def test_again_in_the_thread_of_a_run_that_succeeded_is_the_same_start(env: World, typed: str) -> None:
    """Not the retry of a run that failed some day."""
    await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    card = await env.does("start acc:shop/prices input.region=north", "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    assert (
        labels(await env.sees("start acc:shop/prices input.region=north"))[0]
        == "start acc:shop/prices input.region=north"
    )


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("run it again with region=south", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it again with region=south, please", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it again with region=south.", "start acc:shop/prices input.mode=full input.region=south"),
        ("Run it again with region south", "start acc:shop/prices input.mode=full input.region=south"),
        ("again with region south please", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it again for the region south.", "start acc:shop/prices input.mode=full input.region=south"),
        ("again with input.region=south", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it again with speed=5", "start acc:shop/prices input.region=north input.mode=full input.speed=5"),
        ("run it again -- new prices", "start acc:shop/prices input.region=north input.mode=full -- new prices"),
        ("rerun it, it moved", "start acc:shop/prices input.region=north input.mode=full -- it moved"),
        ("run it again because it changed", "start acc:shop/prices input.region=north input.mode=full -- it changed"),
        ("restart it with region south", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it for region south", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it again region=south -- moved", "start acc:shop/prices input.mode=full input.region=south -- moved"),
    ],
)
async def test_again_has_the_parameters_and_the_reason_that_are_said_with_it(
    env: World, typed: str, first: str
) -> None:
    """The others are those of the run of the thread; the reason of that run was another one."""
    typed_before = "start acc:shop/prices input.region=north input.mode=full -- the first of the month"
    card = await env.does(typed_before, "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    assert labels(await env.sees("Did you mean this?", "start acc:shop/prices"))[0] == first


@pytest.mark.parametrize(
    "typed",
    [
        "run it again in 2 hours",
        "start it again tomorrow",
        "can you run this again on monday?",
        "again tomorrow please",
        "rerun it at 9pm",
        "run it again later",
    ],
)
async def test_again_at_a_later_time_offers_the_run_of_the_thread_and_says_that_it_runs_at_once(
    env: World, typed: str
) -> None:
    card = await env.does("start acc:shop/prices input.region=north", "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    offer = await env.sees("A command runs as soon as you send it, not at a later time.")
    assert labels(offer)[:2] == ["status acc:shop/prices", "start acc:shop/prices input.region=north"]


@pytest.mark.parametrize(
    ("typed", "second"),
    [
        ("rerun it with region south at 18:00", "start acc:shop/prices input.mode=full input.region=south"),
        ("run it for region south tomorrow", "start acc:shop/prices input.mode=full input.region=south"),
        ("restart it with region south tonight", "start acc:shop/prices input.mode=full input.region=south"),
    ],
)
async def test_a_later_time_with_an_input_offers_the_look_first_and_says_that_a_command_runs_at_once(
    env: World, typed: str, second: str
) -> None:
    typed_before = "start acc:shop/prices input.region=north input.mode=full"
    card = await env.does(typed_before, "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    offer = await env.sees("A command runs as soon as you send it, not at a later time.")
    assert labels(offer)[:2] == ["status acc:shop/prices", second]


@pytest.mark.parametrize(
    ("typed", "second"),
    [
        ("run it again in 2 hours", "retry"),
        ("retry it tonight", "retry"),
        ("start it on friday", "start acc:labs/broken"),
    ],
)
async def test_again_at_a_later_time_of_a_run_that_failed_offers_its_retry(env: World, typed: str, second: str) -> None:
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    card = await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    await mention(env, typed, thread_ts=card["ts"])
    offer = await env.sees("A command runs as soon as you send it, not at a later time.")
    assert labels(offer)[:2] == ["status acc:labs/broken", second]


async def test_again_takes_an_input_in_words_that_the_control_plane_knows(tmp_path: Path) -> None:
    """Nobody gave it here before. What is not an input is not taken for one."""
    async with world(tmp_path, agents=True) as env:
        card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, "run it again with currency EUR", thread_ts=card["ts"])
        assert labels(await env.sees("Did you mean this?"))[0] == "start acc:shop/prices input.currency=EUR"
        await mention(env, "run it again with colour blue", thread_ts=card["ts"])
        assert labels(await env.sees("I can't read this command")) == ["help"]


@pytest.mark.parametrize(
    "typed",
    [
        "remove the region input",
        "delete the region",
        "don't run it for region south",
        "I can't run it for region south",
        "we never restart it with region south",
        "pause it for region south",
        "disable region south",
        "resume it for region south",
    ],
)
async def test_an_input_of_the_thread_is_set_aside_only_where_it_is_to_start_again(tmp_path: Path, typed: str) -> None:
    """Otherwise the change would be another one, of everything or of another target."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "infa", "pre"), agents=True) as env:
        await env.does("targets infa:", "nightly")
        await env.does("targets pre:", "invoice-reader")
        card = await env.does("start acc:shop/prices input.region=north", "start acc:shop/prices", "Succeeded")
        await mention(env, typed, thread_ts=card["ts"])
        assert labels(await env.sees("I can't read this command")) == ["help"]


@pytest.mark.parametrize("typed", ["again with no inputs", "run it again without inputs", "again with defaults"])
async def test_again_without_inputs_offers_a_start_without_them(tmp_path: Path, typed: str) -> None:
    """Also while the run of the thread is in progress."""
    async with world(tmp_path, speed=0.01) as env:
        card = await env.does("start acc:shop/prices input.region=east production=false", "no data is delivered")
        await mention(env, typed, thread_ts=card["ts"])
        await env.quiet()
        offered = [label for one in env.ana.messages("C0CRAWL", card["ts"])[1:] for label in labels(one)]
        assert offered
        assert not any("region=east" in label for label in offered), offered


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("stop it", ""),
        ("please stop that run", ""),
        ("kill it", ""),
        ("can you stop this?", ""),
        ("stop it, it hangs", " -- it hangs"),
        ("stop it because it hangs", " -- it hangs"),
    ],
)
async def test_stop_in_the_thread_of_a_job_stops_that_job(tmp_path: Path, typed: str, reason: str) -> None:
    """It does not pause it, nor is a newer one meant. What will happen is shown before the job is stopped."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("acc", "itn"), agents=True, speed=1.0) as env:
        jobs, card = env.planes["itn"].jobs, await env.does("start itn:audit-network", "Running")
        await env.does("start itn:audit-network -- once more", "once more", "Running")
        await mention(env, typed, thread_ts=card["ts"])
        offered = await env.sees("Did you mean this?", "stop")
        first = labels(offered)[0]
        assert first == f"stop{reason}"
        await env.ana.press_label("C0CRAWL", offered["ts"], first, seen=offered)
        question = await env.sees("Dangerous: check before")
        assert labels(question) == ["Run it", "Cancel"]
        await env.ana.press_label("C0CRAWL", question["ts"], "Run it", seen=question)
        await env.until(lambda: jobs[0].canceled_at is not None)
        assert jobs[1].canceled_at is None


async def test_stop_in_the_thread_of_a_run_of_a_task_stops_that_run_or_the_one_that_is_named(tmp_path: Path) -> None:
    """`stop infa:task/load_orders` is about what runs now."""
    async with world(tmp_path, policy=OPEN_POLICY, planes=demo_planes, only=("acc", "infa"), agents=True) as env:
        card = await env.does("start infa:task/load_orders", "Running")
        await mention(env, "stop it please", thread_ts=card["ts"])
        assert labels(await env.sees("Did you mean this?"))[0] == "stop"
        await mention(env, "please stop load_orders now", thread_ts=card["ts"])
        await env.sees("Did you mean this?", "stop infa:task/load_orders")


@pytest.mark.parametrize(
    ("typed", "said"),
    [("pause it", "pause"), ("delete it please", "delete"), ("unpause", "resume"), ("mark it", "mark")],
)
async def test_what_the_control_plane_of_a_thread_can_t_do_is_said_and_offered_nowhere_else(
    tmp_path: Path, typed: str, said: str
) -> None:
    """The other control planes of the channel could."""
    async with world(
        tmp_path, policy=OPEN_POLICY, planes=demo_planes, only=("acc", "infa", "itn", "pre"), agents=True
    ) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        card = await env.does("start infa:task/load_orders", "Running")
        await mention(env, typed, thread_ts=card["ts"])
        answer = await env.sees(f"`infa` doesn't support `{said}`")
        assert not [label for label in labels(answer) if "infa:" not in label and ":" in label]


async def test_the_newest_job_run_is_not_changed_in_the_thread_of_another_run(env: World) -> None:
    """A run of an agent that was started here is no job run."""
    card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await mention(env, "mark as=failed -- prices are wrong", thread_ts=card["ts"])
    await env.sees("changes the newest job run of `acc:shop/prices`", "`mark acc:shop/prices`")
    assert [row for row in env.audit(event="sent") if row.verb == "mark"] == []


@pytest.mark.parametrize(
    "typed",
    [
        "mark this run as failed, I checked it",
        "please mark it as failed, the prices are wrong",
        "can you mark this as failed",
    ],
)
async def test_a_sentence_about_the_run_of_a_thread_offers_no_change_of_the_newest_job_run(
    env: World, typed: str
) -> None:
    """Only one that names the agent does."""
    card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    offered = labels(await env.sees("Did you mean this?"))
    assert offered
    assert not [one for one in offered if one.startswith("mark")]
    await mention(env, "please mark shop/prices as succeeded", thread_ts=card["ts"])
    assert "mark acc:shop/prices as=succeeded" in labels(await env.sees("mark acc:shop/prices"))


@pytest.mark.parametrize("typed", ["show me the log", "log please"])
async def test_the_log_in_the_thread_of_a_run_is_that_of_the_run(env: World, typed: str) -> None:
    """Also when it was retried since. A text that says which run is about that one."""
    card = await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    await mention(env, typed, thread_ts=card["ts"])
    assert labels(await env.sees("Did you mean this?"))[0] == "logs"
    await mention(env, "show me the log of the last run", thread_ts=card["ts"])
    await env.sees("Did you mean this?", "logs acc:labs/broken@last")


@pytest.mark.parametrize("typed", ["can you try that again please", "try it again", "again please"])
async def test_again_in_the_thread_of_a_run_that_failed_is_its_retry(env: World, typed: str) -> None:
    card = await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    await mention(env, typed, thread_ts=card["ts"])
    assert labels(await env.sees("Did you mean this?"))[0] == "retry"


async def test_a_retry_in_the_thread_of_a_job_that_is_complete_offers_its_start(tmp_path: Path) -> None:
    """Nothing failed that could run again in the same job."""
    async with world(tmp_path, policy=OPEN_POLICY, planes=demo_planes, only=("acc", "itn"), speed=60.0) as env:
        card = await env.does("start itn:backup-configs", "start itn:cluster_1/backup-configs", "Complete")
        await mention(env, "retry", thread_ts=card["ts"])
        refused = await env.sees("doesn't name a failed task")
        assert "Run again" in labels(refused)


@pytest.mark.parametrize(
    "typed",
    [
        "run the failed job",
        "run my failed job please",
        "let me run it",
        "let us run it please",
        "no, please do it now",
    ],
)
async def test_an_order_in_the_thread_of_a_run_is_no_question_about_it(env: World, typed: str) -> None:
    card = await env.does("start acc:labs/broken", "start acc:labs/broken", "Failed")
    await mention(env, typed, thread_ts=card["ts"])
    answer = await env.sees("I can't read this command" if "do it" in typed else "Did you mean this?")
    assert {label.split()[0] for label in labels(answer)[:1]} <= {"start", "retry", "help"}


@pytest.mark.parametrize("typed", ["did it work?", "did that work", "did the run work?"])
async def test_whether_it_worked_is_told_of_the_run_of_the_thread(tmp_path: Path, typed: str) -> None:
    """`work` is not a part of a name such as `audit-network`."""
    async with world(tmp_path, only=("acc", "itn"), agents=True) as env:
        await env.does("targets itn:", "audit-network")
        card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, typed, thread_ts=card["ts"])
        offered = await env.sees("Did you mean this?", "status")
        assert labels(offered)[0] == "status"
        await env.ana.press_label("C0CRAWL", offered["ts"], "status", seen=offered)
        await env.sees("status acc:shop/prices", "Succeeded")


async def test_an_end_that_is_no_time_is_refused_and_asked_for(env: World) -> None:
    """The pause does not begin without an end."""
    await env.does("status acc:shop/prices", "shop/prices")
    offered = await env.does("pause shop/prices until the maintenance is over", "until=")
    label = 'schedule off acc:shop/prices until="the maintenance is over"'
    await env.ana.press_label("C0CRAWL", offered["ts"], label, seen=offered)
    refused = await env.sees("`the maintenance is over` is not a time")
    assert labels(refused) == ["Fill in"]


async def test_a_watch_whose_end_is_no_time_is_also_offered_without_it(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    offered = await env.does("watch shop/prices for a while", "Did you mean this?")
    assert labels(offered) == ['watch acc:shop/prices until="a while"', "watch acc:shop/prices"]
    await env.ana.press_label("C0CRAWL", offered["ts"], "watch acc:shop/prices", seen=offered)
    await env.sees("Watching acc:shop/prices")


@pytest.mark.parametrize("when", ["nightly", "on weekdays", "every 2nd day", "twice a day", "in 2 hours"])
async def test_a_start_that_recurs_or_is_for_later_is_not_offered_first(env: World, when: str) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    offered = await env.does(f"start shop/prices {when}", "Did you mean this?")
    assert labels(offered) == ["status acc:shop/prices", "start acc:shop/prices"]


async def test_a_watch_ends_at_the_time_that_was_said(env: World) -> None:
    await env.does('watch acc:shop/prices until="tomorrow 09:00"', "Until")


@pytest.mark.parametrize(
    ("typed", "offered", "shows"),
    [
        ("how long did it take?", ["history", "status"], "The latest "),
        ("how did it go?", ["status", "history"], "status acc:shop/prices"),
        ("what went wrong?", ["logs", "status"], "Log of shop/prices"),
        ("why did it fail?", ["logs", "status"], "Log of shop/prices"),
        ("let me know when it's done", ["watch"], "has ended already"),
        ("could you tell me when it's finished?", ["watch"], "has ended already"),
    ],
)
async def test_a_question_about_it_is_of_the_run_of_the_thread(
    env: World, typed: str, offered: list[str], shows: str
) -> None:
    """Another run of the same agent is not meant, nor what else was done in the channel."""
    card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"])
    asked = await env.sees("Did you mean this?", offered[0])
    assert labels(asked) == offered
    await env.ana.press_label("C0CRAWL", asked["ts"], offered[0], seen=asked)
    await env.sees(shows)


async def test_a_question_about_it_in_the_thread_of_an_agent_is_of_its_runs(env: World) -> None:
    card = await env.does("schedule off acc:shop/prices for=1h -- quiet", "All schedules of shop/prices are off")
    await mention(env, "what went wrong?", thread_ts=card["ts"])
    assert labels(await env.sees("Did you mean this?", "logs"))[0] == "logs acc:shop/prices@last"


@pytest.mark.parametrize("threaded", [True, False])
@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("thanks!", "You're welcome"),
        ("thank you very much", "You're welcome"),
        ("no", "OK. Nothing new is done, and nothing that runs is stopped"),
        ("not now", "OK. Nothing new is done, and nothing that runs is stopped"),
        ("never mind", "OK. Nothing new is done, and nothing that runs is stopped"),
        ("go ahead", "Nothing was done. To go ahead, press the button"),
    ],
)
async def test_words_that_want_no_command_get_a_short_answer(
    env: World, typed: str, answer: str, threaded: bool
) -> None:
    card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await mention(env, typed, thread_ts=card["ts"] if threaded else None)
    said = await env.sees(answer)
    assert labels(said) == []
    assert "help" not in shown(said)
    assert not [row for row in env.audit() if row.verb not in (None, "start")]


@pytest.mark.parametrize(
    "typed",
    ["never mind", "no, forget it", "don't do it", "go ahead", "cancel it", "never mind, cancel it", "stop it please"],
)
async def test_a_yes_or_a_no_leads_to_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Words decide and cancel nothing: the person reads which request waits, with the button to its card."""
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.say("start acc:shop/prices -- month end")
        waits = await team.env.sees("Waiting for approval", "start acc:shop/prices")
        await mention(team.env, typed, thread_ts=waits["ts"])
        await team.env.sees("can decide your request `start acc:shop/prices`")


@pytest.mark.parametrize("waits", ["review", "of others", "elsewhere"])
@pytest.mark.parametrize("typed", ["stop it", "please stop it", "cancel it", "abort!"])
async def test_words_that_mean_a_run_are_about_runs_unless_a_request_of_theirs_waits_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, waits: str
) -> None:
    """A review of break-glass, a request of others and one in another channel can be neither cancelled nor decided here."""
    async with deciding(tmp_path, monkeypatch, HELD, only=("itn",)) as team:
        env = team.env
        if waits == "review":
            await env.does("breakglass for=30m -- checkout is down", "Break-glass", user="U0RUI")
        else:
            user, channel = ("U0RUI", CRAWL) if waits == "of others" else ("U0ANA", INCIDENT)
            await env.does("start itn:audit-network", "wants to run", user=user, channel=channel)
        await env.does("start itn:backup-configs", "Running")
        await env.ana.post(CRAWL, f"<@U0BOT> {typed}")
        assert "status" in labels(await env.sees("Did you mean this?"))


@pytest.mark.parametrize(("typed", "answer"), [("never mind", "OK. Nothing new is done"), ("go ahead", "To go ahead,")])
async def test_a_yes_or_a_no_is_about_no_review_of_break_glass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, answer: str
) -> None:
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.does("breakglass for=30m -- checkout is down", "Break-glass", user="U0RUI")
        await mention(team.env, typed)
        await team.env.sees(answer)


@pytest.mark.parametrize(
    "typed",
    [
        "approve start acc:shop/prices",
        "yes, approve start acc:shop/prices please",
        "approve the start of it",
        "reject mark acc:shop/prices",
    ],
)
async def test_an_approver_who_names_the_command_reads_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """Where commands run, too; no other verb that has `approve` in it is offered or refused."""
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.say("start acc:shop/prices -- month end")
        await team.card("start acc:shop/prices")
        await mention(team.env, typed, user="U0LEE")
        await team.env.sees("Waiting for approval", "Approve or deny on the card", user="U0LEE")


@pytest.mark.parametrize("typed", ["stop it", "kill this run", "cancel it please", "stop it, it hangs"])
async def test_what_the_control_plane_of_the_thread_cannot_do_is_said(tmp_path: Path, typed: str) -> None:
    async with world(tmp_path, only=("acc", "infa")) as env:
        card = await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
        await mention(env, typed, thread_ts=card["ts"])
        await env.sees("`acc` doesn't support `stop`")


@pytest.mark.parametrize("typed", ["take away Ana's grant", "undo my approval", "take back my approval"])
async def test_what_is_taken_back_in_words_is_listed(env: World, typed: str) -> None:
    await env.say(typed)
    offered = await env.sees("approvals" if "approval" in typed else "grants")
    assert labels(offered) == (["approvals"] if "approval" in typed else ["grants"])


async def test_a_sentence_that_revokes_a_grant_leads_to_the_grants(env: World) -> None:
    await env.say("revoke ana's grant -- enough for today")
    assert labels(await env.sees("Nothing was done")) == ["grants"]


async def test_a_question_in_the_thread_of_a_request_is_answered_with_what_waits_and_where_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be run."""
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.say("start acc:shop/prices -- month end")
        card = await team.card("start acc:shop/prices")
        await mention(team.env, "who asked for this?", user="U0LEE", channel=APPROVERS, thread_ts=card["ts"])
        where = ("Approve or deny on the card", f"I run commands in <#{CRAWL}>")
        await team.env.sees("Waiting for approval", *where, user="U0LEE", channel=APPROVERS)


@pytest.mark.parametrize("typed", ["restart everything now", "strat acc:shop/prices", "what is broken?"])
async def test_in_a_thread_of_no_request_words_that_decide_nothing_are_told_where_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """Where nothing can be run, also while a decision waits for the person elsewhere."""
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.say("start acc:shop/prices -- month end")
        await team.card("start acc:shop/prices")
        lee = team.env.person("U0LEE")
        await lee.post(APPROVERS, "look")
        ts = lee.messages(APPROVERS)[-1]["ts"]
        await mention(team.env, typed, user="U0LEE", channel=APPROVERS, thread_ts=ts)
        await team.env.sees("I don't run commands in", user="U0LEE", channel=APPROVERS)
        assert team.env.events("approvals") == []


async def test_in_the_thread_of_a_decided_request_words_are_told_where_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.say("start acc:shop/prices -- month end")
        card = await team.card("start acc:shop/prices")
        await team.press(card, "Approve", user="U0LEE")
        await team.event("approved")
        await mention(team.env, "restart everything now", user="U0LEE", channel=APPROVERS, thread_ts=card["ts"])
        await team.env.sees("I don't run commands in", user="U0LEE", channel=APPROVERS)


@pytest.mark.parametrize("typed", ["how long?", "show me the history"])
@pytest.mark.parametrize(
    ("target", "first"),
    [
        ("acc:shop/prices", "history acc:shop/prices"),
        ("itn:cluster_1/backup-configs", "status itn:cluster_1/backup-configs"),
    ],
)
async def test_the_history_in_the_thread_of_a_watch_is_that_of_its_target(
    tmp_path: Path, target: str, first: str, typed: str
) -> None:
    """Its own state comes first where a control plane has one list of all jobs only."""
    async with world(tmp_path, planes=demo_planes, only=("acc", "itn"), agents=True) as env:
        await env.does("targets itn:", "backup-configs")
        card = await env.does(f"watch {target}", "Watching")
        await mention(env, typed, thread_ts=card["ts"])
        assert labels(await env.sees("Did you mean this?"))[0] == first


@pytest.mark.parametrize("typed", ["allow it", "allow it please", "allow it for an hour", "allow this"])
async def test_who_allows_a_request_in_its_thread_is_led_to_its_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """As with `approve`: the card has the buttons, also the one for a limited time."""
    async with deciding(tmp_path, monkeypatch) as team:
        waits = await team.env.does("start acc:shop/prices -- month end", "Waiting for approval")
        await team.card("start acc:shop/prices")
        await mention(team.env, typed, thread_ts=waits["ts"], user="U0LEE")
        await team.env.sees("Waiting for approval", "Approve or deny on the card", user="U0LEE")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("until 11:30pm instead", "schedule off acc:shop/prices until=2"),  # the day is on the button
        ("make it 4 hours", "schedule off acc:shop/prices for=4h"),
        ("for another hour", "schedule off acc:shop/prices for=3h"),
        ("one more hour please", "schedule off acc:shop/prices for=3h"),
        ("when does it come back?", "pauses"),
        ("until when?", "pauses"),
        ("how long?", "pauses"),
    ],
)
async def test_in_the_thread_of_a_pause_another_end_is_of_that_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, first: str
) -> None:
    """Another hour comes after the time that is left."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as team:
        card = await team.env.does("schedule off acc:shop/prices for=2h -- month end", "Paused until")
        await mention(team.env, typed, thread_ts=card["ts"])
        offered = labels(await team.env.sees(first, "Did you mean this?"))
        assert offered[0].startswith(first)
        assert ("23:30" in offered[0]) == ("11:30pm" in typed)


@pytest.mark.parametrize("ended", ["for=2h", 'until="tomorrow 01:00"'])
@pytest.mark.parametrize("typed", ["again please", "once more", "same again"])
async def test_again_in_the_thread_of_a_pause_that_is_over_is_that_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, ended: str
) -> None:
    """For as long as before, not until a time that has passed."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as team:
        card = await team.env.does(f"schedule off acc:shop/prices {ended}", "Paused until")
        team.later(days=2)
        await team.event("resumed")
        await mention(team.env, typed, thread_ts=card["ts"])
        offered = labels(await team.env.sees("schedule off acc:shop/prices for=", "Did you mean this?"))
        assert offered[0].startswith(
            "schedule off acc:shop/prices for=2h" if ended == "for=2h" else "schedule off acc:"
        )


@pytest.mark.parametrize("typed", ["not again please", "why again?", "again?"])
async def test_who_complains_in_the_thread_of_a_pause_is_offered_no_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY) as team:
        card = await team.env.does("schedule off acc:shop/prices for=2h", "Paused until")
        await mention(team.env, typed, thread_ts=card["ts"])
        answer = await team.env.until(lambda: [one for one in team.env.ana.messages(CRAWL) if one.get("is_ephemeral")])
        assert not [label for label in labels(answer[-1]) if label.startswith("schedule off")]
