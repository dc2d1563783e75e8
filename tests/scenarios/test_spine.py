"""The spine from Slack to the control plane: words, targets, rules, buttons, pauses. What breaks has a file of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from bot import config
from bot.clock import SystemClock
from bot.playground.planes.sequentum import Script
from bot.playground.workspace.payloads import slash_command
from bot.wiring import Bot
from tests.scenarios.steps import ask, do, everything_seen, last_seq, mention, private
from tests.world import World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime.now(UTC)
RULES = f"""\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
admins = ["U0ROOT"]

[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["acc:*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  params = {{ production = [false] }}
  [[channel.allow]]
  verbs = ["start", "retry"]
  targets = ["acc:news/*"]
  who = ["leads"]
  [[channel.allow]]
  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["crawl", "admins"]
  [[channel.deny]]
  verbs = ["start"]
  targets = ["acc:labs/new"]
  because = "labs/new is not approved yet; ask Lee."

[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]

[[channel]]
id = "C0SHARED"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]

[[freeze]]
from = {NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
until = {NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
verbs = ["mark"]
except = ["admins"]
because = "Year-end freeze"

[administrators]
who = ["admins"]
"""
FIRST, SECOND = "d9c944df-93a7-ea77-f7b7-fa0b9c579917", "b4cdc56a-2c16-4b1b-a135-b4e687f8bc95"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world where the crawl team may do everything, shared by the tests that break nothing."""
    async with world(tmp_path_factory.mktemp("open")) as made:
        made.acc.world.speed = 60.0
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ruled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world with narrow rules."""
    async with world(tmp_path_factory.mktemp("ruled"), policy=RULES) as made:
        made.acc.world.speed = 60.0
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world for one test."""
    async with world(tmp_path_factory.mktemp("alone")) as made:
        made.acc.world.speed = 60.0
        yield made


def starts(here: World) -> int:
    """How often the ACC was asked to start an agent."""
    return sum(call.raw_path.endswith("/cluster/start") for call in here.acc.requests)


# --- words and targets ---------------------------------------------------------------------------


async def test_a_misread_offers_the_nearest_command_and_a_press_runs_it(town: World) -> None:
    """`strat` is answered with what it may have meant, and the button does exactly what it says."""
    before = starts(town)
    asked = await ask(town, "strat acc:shop/prices production=false")
    assert asked.events == ["misread"]
    message = await private(town, "I could not read that", "`strat` is not a verb")
    wanted = "start acc:shop/prices production=false"
    assert wanted in labels(message)
    seq = last_seq(town)
    await town.ana.press_label("C0CRAWL", message["ts"], wanted)
    await town.sees("start acc:shop/prices", "Succeeded")
    assert starts(town) == before + 1
    assert [row.event for row in town.register() if row.seq > seq and row.event == "sent"] == ["sent"]
    assert town.acc.world.runs_of[town.acc.agent("shop/prices").agent_id][-1].options.production is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start shop/prices", "is not a target. Write `backend:path`"),
        ("start nowhere:shop/prices", "There is no control plane `nowhere`"),
        ('start "acc:shop/prices', "A quote is opened and not closed"),
        ("start acc:shop/prices now please", "is not `key=value`"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_would_be(town: World, text: str, said: str) -> None:
    """Nothing is sent, the register has the words, and the answer says what to write."""
    asked = await ask(town, text)
    await private(town, "I could not read that", said)
    assert asked.events == ["misread"]
    assert asked.changes == []


async def test_a_verb_for_another_kind_of_target_is_answered_with_an_example(town: World) -> None:
    """An agent has no log, its runs have; the answer shows how one is written."""
    asked = await do(town, "logs acc:shop/prices")
    assert asked.row("failed").code == "wrong_target_kind"
    await asked.card("is of the kind agent", "logs acc:run/ID")


async def test_an_unknown_target_is_answered_with_the_nearest(town: World) -> None:
    """A target that does not exist starts nothing; the nearest known one is a button that keeps the parameters."""
    await do(town, "status acc:shop/prices")
    before = starts(town)
    asked = await do(town, "start acc:shop/pricez production=false")
    assert asked.events == ["requested", "failed"]
    assert asked.row("failed").code == "no_such_target"
    card = await asked.card("acc has no agent `shop/pricez`")
    assert labels(card) == ["start acc:shop/prices production=false"]
    await asked.press("start acc:shop/prices production=false")
    await town.until(lambda: starts(town) == before + 1)


async def test_a_command_that_no_button_can_show_whole_is_no_button(town: World) -> None:
    """A press must never do more than its label says: a long command is only shown."""
    text = f"strat acc:shop/prices production=false input.region={'x' * 60}"
    await ask(town, text)
    message = await private(town, "`strat` is not a verb", "x" * 60)
    assert labels(message) == []


async def test_a_verb_without_a_target_in_a_thread_means_the_run_of_its_card(town: World) -> None:
    """Under a card, `@signalbox logs` is about that card's run, whatever has run since."""
    first = await do(town, "start acc:shop/prices input.first=1")
    run = first.row("done").backend_ref
    card = await first.card("start acc:shop/prices")
    await town.until(lambda: "ended" in first.events)
    await do(town, "start acc:shop/prices input.second=2")
    asked = await mention(town, "logs", thread_ts=card["ts"])
    assert await asked.ends() == "done"
    assert ("GET", f"/api/run/{run}/log") in [(call.method, call.raw_path) for call in asked.calls]
    answer = await asked.card("Log of shop/prices")
    assert answer["thread_ts"] == card["ts"]


async def test_an_agents_verb_under_the_card_of_a_run_means_its_agent(town: World) -> None:
    """`schedules` has no meaning for a run, so in its thread the agent is meant."""
    first = await do(town, "start acc:shop/prices")
    card = await first.card("start acc:shop/prices")
    asked = await mention(town, "schedules", thread_ts=card["ts"])
    assert await asked.ends() == "done"
    await asked.card("shop/prices has 2 schedules")


async def test_a_verb_without_a_target_elsewhere_asks_for_one(town: World) -> None:
    """Outside a thread there is nothing that could be meant."""
    asked = await do(town, "retry")
    assert asked.row("failed").code == "target_missing"
    await asked.card("`retry` needs a target")


async def test_selectors_pick_the_last_the_failed_and_the_running_run(town: World) -> None:
    """`@last`, `@failed` and `@running` are read off the control plane's own history."""
    acc = town.acc
    acc.add_agent("shop/mixed", scripts=(Script(end="Never"),))
    bad = acc.add_run("shop/mixed", ago=900, script=Script(end="Failure", message="broke here")).run_id
    acc.add_run("shop/mixed", ago=700)
    going = acc.add_run("shop/mixed", ago=500, script=Script(end="Never")).run_id
    last = acc.add_run("shop/mixed", ago=300).run_id
    for selector, run in (("last", last), ("failed", bad), ("running", going)):
        asked = await do(town, f"status acc:shop/mixed@{selector}")
        assert asked.row("done").target_id == run, selector
    job = acc.add_job("shop/mixed", ago=100).job_id
    assert (await do(town, "status acc:shop/mixed@last as=job")).events[-1] in ("done", "failed")
    assert job in {one.job_id for one in acc.jobs}


async def test_a_selector_that_finds_nothing_says_so(town: World) -> None:
    """No failed run: nothing is retried."""
    asked = await do(town, "retry acc:news/feed@failed")
    assert asked.changes == []
    await asked.card("news/feed has no failed run")


async def test_statuses_are_names_and_an_unknown_number_is_never_a_success(town: World) -> None:
    """What nobody documented is shown as `unknown (99)`, in no good colour, and the run is still followed."""
    run = town.acc.world.runs_of[town.acc.agent("labs/broken").agent_id][0].run_id
    known = await do(town, f"status acc:run/{run}")
    await known.card("Failure")
    await town.acc.set_fault({"fault": "unknown_enum", "times": 2, "match": f"GET /api/run/{run}"})
    asked = await do(town, f"status acc:run/{run}")
    card = await asked.card("unknown (99)")
    assert "Succeeded" not in shown(card)
    assert "\u2705" not in shown(card)
    await town.acc.clear_faults()


# --- rules ---------------------------------------------------------------------------------------


async def test_a_denial_says_why_and_who_may_and_is_registered(ruled: World) -> None:
    """Nobody gets a bare no: the reason, who may do it here, and where the asker may."""
    asked = await do(ruled, "start acc:shop/prices production=false", user="U0LEE")
    assert asked.events == ["requested", "denied"]
    row = asked.row("denied")
    assert (row.user_id, row.code, row.risk, row.target_name) == ("U0LEE", "no_rule", "change", "acc:shop/prices")
    assert row.rule
    assert "person read" in str(row.detail)
    card = await asked.card("Denied: start acc:shop/prices", "Nothing was done", "Who may do it here", "crawl")
    assert card["ephemeral"]
    assert "<#C0INC>" in shown(card)
    assert asked.changes == []


async def test_a_deny_rule_wins_and_gives_its_reason(ruled: World) -> None:
    """`because` of the rule is what the person reads."""
    asked = await do(ruled, "start acc:labs/new")
    await asked.card("Denied: start acc:labs/new", "not approved yet; ask Lee.")
    assert asked.row("denied").code == "deny_rule"


async def test_a_rule_counts_for_an_id_as_for_the_path(ruled: World) -> None:
    """An agent's id is no way round a rule on its path."""
    await do(ruled, "status acc:labs/new", user="U0RUI")
    asked = await do(ruled, f"start acc:{ruled.acc.agent('labs/new').agent_id}")
    assert asked.row("denied").code == "deny_rule"


async def test_a_rule_may_limit_a_parameter_and_a_default_counts_as_said(ruled: World) -> None:
    """production=false only: leaving it out means true, and that is denied."""
    unsaid = await do(ruled, "start acc:shop/prices")
    assert unsaid.events[-1] == "denied"
    await unsaid.card("Denied", "production")
    said = await do(ruled, "start acc:shop/prices production=false")
    assert said.events[:3] == ["requested", "sent", "done"]


async def test_a_freeze_denies_changes_to_all_but_those_it_excepts(ruled: World) -> None:
    """The window's reason is shown and registered; an administrator passes."""
    ana = await do(ruled, "mark acc:shop/prices as=failed")
    await ana.card("Denied", "Year-end freeze")
    assert ana.row("denied").code == "freeze"
    assert ana.changes == []
    root = await do(ruled, "mark acc:shop/prices as=succeeded", user="U0ROOT")
    assert root.events[-1] == "done"


async def test_a_guest_is_denied(ruled: World) -> None:
    """`who = ["*"]` means full members."""
    asked = await do(ruled, "status acc:shop/prices", user="U0GUEST")
    assert asked.events == ["requested", "denied"]
    await asked.card("Denied", "guest")


async def test_somebody_of_another_organization_is_denied(ruled: World) -> None:
    """Eve of the partner has no slash command, and her mention in the shared channel does nothing."""
    assert (await ruled.person("U0EXT").command("C0SHARED", "/ops status acc:shop/prices")).error == "invalid_command"
    asked = await mention(ruled, "start acc:shop/prices", user="U0EXT", channel="C0SHARED")
    assert await asked.ends() == "denied"
    assert asked.changes == []
    assert asked.row("denied").user_id == "U0EXT"


async def test_a_direct_message_is_denied_unless_it_is_listed(ruled: World) -> None:
    """A DM is a place like any other: no rule, no way."""
    seq, calls = last_seq(ruled), len(ruled.acc.requests)
    await ruled.ana.post(ruled.ana.dm, "status acc:shop/prices")
    rows = await ruled.until(lambda: [row for row in ruled.register(event="denied") if row.seq > seq])
    assert rows[0].channel_id == ruled.ana.dm
    assert rows[0].code in ("dm_not_listed", "not_listed")
    assert all("history" not in call.raw_path for call in ruled.acc.requests[calls:])


async def test_another_workspace_is_refused_and_registered(ruled: World) -> None:
    """A request that carries another team is acked with a no and does nothing."""
    core = ruled.ws.core
    payload = slash_command(core, core.state.users["U0ANA"], core.state.channels["C0CRAWL"], "/ops", "backends")
    seq = last_seq(ruled)
    receipt = await ruled.ws.deliver("slash_commands", payload | {"team_id": "T0OTHER"})
    assert receipt.acked
    rows = [row for row in ruled.register() if row.seq > seq]
    assert [(str(row.event), row.code) for row in rows] == [("requested", None), ("denied", "other_workspace")]


async def test_a_bot_is_denied(alone: World) -> None:
    """An app that types or writes is nobody, whatever its channel allows."""
    alone.ws.set_user("U0RUI", is_bot=True)
    asked = await do(alone, "start acc:shop/prices", user="U0RUI")
    assert asked.events == ["requested", "denied"]
    assert asked.changes == []


async def test_somebody_who_was_deactivated_is_denied(alone: World) -> None:
    """A late request of an account that is no more does nothing."""
    core = alone.ws.core
    payload = slash_command(
        core, core.state.users["U0RUI"], core.state.channels["C0CRAWL"], "/ops", "start acc:shop/prices"
    )
    alone.ws.set_user("U0RUI", deleted=True)
    assert (await alone.ws.deliver("slash_commands", payload)).acked
    (row,) = await alone.until(lambda: alone.register(event="denied"))
    assert (row.user_id, row.code) == ("U0RUI", "deactivated")
    assert starts(alone) == 0


async def test_why_prints_every_rule_and_the_first_condition_that_fails(ruled: World) -> None:
    """`why` runs nothing, and tells of each rule of the channel what kept it from deciding."""
    before = starts(ruled)
    await ruled.say("why start acc:news/feed")
    card = await private(ruled, "Why: start acc:news/feed", "denied")
    words = shown(card)
    for number in (1, 2, 3, 4):
        assert f"C0CRAWL allow {number}" in words
    assert "C0CRAWL deny 1" in words
    assert starts(ruled) == before
    await ruled.say("why start acc:shop/prices production=false")
    await private(ruled, "Why: start acc:shop/prices", "So it is allowed")


async def test_help_lists_only_what_this_person_may_do_here(ruled: World) -> None:
    """Ana sees start, Lee sees retry, nobody sees what no rule allows, and a guest is told that there is nothing."""
    await ruled.say("help")
    ana = shown(await private(ruled, "What you may do here"))
    assert "/ops start acc:" in ana
    assert "/ops status acc:" in ana
    for verb in ("retry", "input clear", "schedule delete", "logs"):
        assert f"/ops {verb} acc:" not in ana, verb
    await ruled.say("help", user="U0LEE")
    assert "/ops retry acc:" in shown(await private(ruled, "What you may do here", user="U0LEE"))
    await ruled.say("help", user="U0GUEST")
    guest = shown(await private(ruled, "What you may do here", user="U0GUEST"))
    assert "let you do nothing" in guest
    assert "/ops start" not in guest


async def test_buttons_are_offered_only_to_who_may_press_them(ruled: World) -> None:
    """A card never shows a step that the rules deny: Ana may look at news, and may not start it."""
    asked = await do(ruled, "status acc:news/feed")
    card = await asked.card("status acc:news/feed")
    assert "Start" not in labels(card)


# --- what is dangerous ---------------------------------------------------------------------------


async def test_only_the_asker_sees_a_pre_flight_and_only_the_asker_may_press(town: World) -> None:
    """Lee sees nothing of it; a press in his name does nothing and is registered."""
    asked = await ask(town, "input disable acc:shop/stock")
    card = await asked.card("What will happen", "Active runs", "Last outcomes", "Next scheduled runs")
    assert labels(card) == ["Run it", "Cancel"]
    assert asked.request_id not in everything_seen(town, "U0LEE")
    button = next(block for block in card["blocks"] if block["type"] == "actions")["elements"][0]
    payload = forged(town, "U0LEE", card, button)
    receipt = await town.ws.deliver("interactive", payload)
    assert receipt.acked
    await private(town, "Only the person who asked may press this", user="U0LEE")
    assert asked.changes == []
    await asked.press("Cancel")
    assert await asked.ends() == "abandoned"
    assert asked.row("abandoned").code == "cancelled"
    assert asked.changes == []


def forged(here: World, user: str, message: dict[str, Any], button: dict[str, Any]) -> dict[str, Any]:
    """A press as Slack would send it, by somebody who never saw the message."""
    place = {"type": "message", "message_ts": message["ts"], "channel_id": "C0CRAWL", "is_ephemeral": True}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": "x", "name": "x", "team_id": here.ws.team_id},
        "api_app_id": here.ws.app_id,
        "token": "playground-verification-not-a-secret",
        "team": {"id": here.ws.team_id, "domain": "acme"},
        "container": place,
        "channel": {"id": "C0CRAWL", "name": "crawl-ops"},
        "trigger_id": f"1.2.{user}",
        "actions": [
            {
                "type": "button",
                "action_id": button["action_id"],
                "block_id": "b",
                "value": button["value"],
                "action_ts": "1.0",
                "text": button["text"],
            }
        ],
    }


async def test_a_double_click_on_run_it_has_one_effect(town: World) -> None:
    """Two presses of the same button are one call, and the second is told so."""
    asked = await ask(town, "input clear acc:shop/stock")
    await asked.card("Dangerous")
    await asyncio.gather(asked.press("Run it"), asked.press("Run it"), asked.press("Run it"))
    assert await asked.ends() == "done"
    await asyncio.sleep(0.3)
    assert len(asked.changes) == 1
    assert asked.events.count("sent") == 1


async def test_a_double_click_on_retry_starts_one_run(town: World) -> None:
    """A retry is never sent twice for one decision: an impatient second click of the same button does nothing more."""
    town.acc.add_agent("shop/twice", scripts=(Script(end="Failure", message="broke"), Script(end="Never")))
    asked = await do(town, "start acc:shop/twice")
    card = await asked.card("Failure")
    assert "Retry" in labels(card)
    calls = len(town.acc.requests)
    await asyncio.gather(*(town.ana.press_label("C0CRAWL", card["ts"], "Retry", seen=card) for _ in range(2)))
    await town.until(lambda: sum(call.raw_path.endswith("/retry") for call in town.acc.requests[calls:]) >= 1)
    await asyncio.sleep(0.5)
    assert sum(call.raw_path.endswith("/retry") for call in town.acc.requests[calls:]) == 1


class Ahead(SystemClock):
    """The machine's clock, set forward."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


async def restart_with(here: World, clock: Ahead) -> None:
    """The same program on the same files, with a clock that a test can set."""
    await here.bot.close()
    here.bot = Bot(config.load(here.folder / "signalbox.toml", here.environ), here.environ, clock=clock)
    await here.bot.start()


async def test_a_pre_flight_is_over_after_ten_minutes(alone: World) -> None:
    """A press after ten minutes runs nothing, and the register says that it expired."""
    clock = Ahead()
    await restart_with(alone, clock)
    asked = await ask(alone, "input clear acc:shop/stock")
    await asked.card("Dangerous", "good for 10 minutes")
    clock.ahead = timedelta(minutes=10, seconds=1)
    await asked.press("Run it")
    assert await asked.ends() == "expired"
    await asyncio.sleep(0.3)
    assert asked.changes == []
    assert "sent" not in asked.events


# --- pauses --------------------------------------------------------------------------------------


def enabled(here: World) -> dict[str, bool]:
    return {key: here.acc.schedules[key].enabled for key in (FIRST, SECOND)}


async def test_a_timed_pause_ends_by_itself(alone: World) -> None:
    """Off for two seconds, then on again without anybody, said on a card and written down."""
    await do(alone, "schedules acc:shop/prices")
    asked = await do(alone, f"schedule off acc:schedule/{FIRST} for=2s -- the shop is being moved")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(alone) == {FIRST: False, SECOND: True}
    await asked.card("Paused until", "switched on again by itself")
    await alone.until(lambda: enabled(alone)[FIRST], 8)
    await alone.sees("The pause is over: it is on again", "<@U0ANA>")
    resumed = alone.register(event="resumed")
    assert [row.verb for row in resumed] == ["schedule on"]
    assert asked.request_id in str(resumed[0].detail)
    assert [row.event for row in alone.register(request_id=resumed[0].request_id)][:2] == ["requested", "sent"]


async def test_a_pause_of_an_agent_switches_on_only_what_it_switched_off_even_across_a_restart(alone: World) -> None:
    """A schedule that was off before stays off; the pause survives a restart of the bot."""
    alone.acc.schedules[SECOND].enabled = False
    asked = await do(alone, "schedule off acc:shop/prices for=3s")
    assert asked.events == ["requested", "sent", "done", "paused"]
    assert enabled(alone) == {FIRST: False, SECOND: False}
    await alone.restart()
    assert enabled(alone) == {FIRST: False, SECOND: False}
    await alone.until(lambda: enabled(alone)[FIRST], 10)
    await alone.until(lambda: alone.register(event="resumed"))
    assert enabled(alone) == {FIRST: True, SECOND: False}


async def test_a_pause_that_ended_while_the_bot_was_away_is_ended_at_once(alone: World) -> None:
    """Time that passes while the program is stopped counts."""
    await do(alone, "schedules acc:shop/prices")
    await do(alone, f"schedule off acc:schedule/{FIRST} for=1s")
    await alone.bot.close()
    await asyncio.sleep(1.2)
    assert enabled(alone)[FIRST] is False
    alone.bot = Bot(config.load(alone.folder / "signalbox.toml", alone.environ), alone.environ)
    await alone.bot.start()
    await alone.until(lambda: enabled(alone)[FIRST], 5)


@pytest.mark.parametrize("words", ["for=2h until=18:30", "for=0s", "for=soon", "until=never", "for=900d"])
async def test_a_pause_that_cannot_be_meant_is_not_sent(town: World, words: str) -> None:
    """Both ends, no end, or an end that is none: refused before anything is sent."""
    asked = await do(town, f"schedule off acc:shop/prices {words}")
    assert asked.events == ["requested", "failed"]
    assert asked.changes == []
