"""The launcher, the Home tab and the workflow step, with the whole program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.world import OPEN_POLICY, World, labels, request_id, shown, world

STEP_POLICY = OPEN_POLICY.replace('who = ["crawl", "leads", "admins"]', 'who = ["crawl", "A0SIGNAL"]')


async def opened(env: World, user: str = "U0ANA") -> dict[str, object]:
    """The launcher that this person sees."""
    view = await env.person(user).wait_for(lambda person: person.modal())
    assert view is not None
    return view


async def test_the_command_alone_opens_a_form_with_what_this_person_may_do(env: World) -> None:
    await env.say("")
    view = await opened(env)
    assert view["callback_id"] == "launcher"
    assert "start" in [option["value"] for option in await env.ana.suggest("modal", "suggest_verb", "")]
    assert len(str(view["private_metadata"])) >= 26
    assert "channel" not in [block.get("block_id") for block in view["blocks"]]  # type: ignore[attr-defined]


async def test_a_guest_gets_no_form_and_a_reason(env: World) -> None:
    await env.person("U0GUEST").command("C0CRAWL", "/ops")
    await env.person("U0GUEST").wait_for(lambda person: person.messages("C0CRAWL"))
    assert env.person("U0GUEST").modal() is None


async def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_registered_as_started(env: World) -> None:
    await env.say("")
    await opened(env)
    missing = await env.ana.submit("modal", {"verb": "start"})
    assert set(missing.errors) == {"target"}
    wrong = await env.ana.submit("modal", {"verb": "mark", "target": "acc:server/none"})
    assert set(wrong.errors) == {"target"}
    assert env.ana.modal() is not None
    assert env.events("start") == []


async def test_a_submitted_form_runs_the_command_it_stands_for(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    await env.say("")
    await opened(env)
    options = await env.ana.suggest("modal", "suggest_target", "shop/pri")
    assert "acc:shop/prices" in [option["value"] for option in options]
    await env.ana.choose("modal", action_id="suggest_verb", value="start")
    await env.ana.choose("modal", action_id="suggest_target", value="acc:shop/prices")
    await env.ana.wait_for(lambda person: "param:input" in json.dumps(person.modal()))
    values = {"param:input": "region=north", "param:log_level": 2, "reason": "by form"}
    receipt = await env.ana.submit("modal", values)
    assert receipt.acked, receipt
    assert env.ana.modal() is None
    await env.until(lambda: "done" in env.events("start"))
    sent = next(entry for entry in env.audit() if entry.event == "sent")
    assert (sent.source, sent.user_id, sent.channel_id, sent.reason) == ("modal", "U0ANA", "C0CRAWL", "by form")
    assert "north" in sent.params
    await env.sees("start acc:shop/prices", "by form")


async def test_a_request_by_form_keeps_the_channel_that_the_form_was_opened_in(env: World) -> None:
    """The card is followed and refreshed like that of a typed command, and every row names the channel."""
    await env.does("status acc:shop/prices", "shop/prices")
    await env.say("")
    await opened(env)
    await env.ana.submit("modal", {"verb": "start", "target": "acc:shop/prices", "reason": "kept"})
    card = await env.sees("start acc:shop/prices", "kept", "Succeeded")
    assert {"Log", "Run again"} <= set(labels(card))
    await env.until(lambda: env.audit(request_id=request_id(card), event="ended"))
    assert {row.channel_id for row in env.audit(request_id=request_id(card))} == {"C0CRAWL"}
    asked = [call.args.get("channel") for call in env.ws.calls if call.method == "conversations.info"]
    assert set(asked) == {"C0CRAWL"}


async def test_a_request_by_the_global_form_keeps_the_channel_that_was_chosen(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    await env.ana.shortcut("launcher")
    await opened(env)
    await env.ana.submit("modal", {"verb": "start", "target": "acc:shop/prices", "channel": "C0CRAWL"})
    card = await env.sees("start acc:shop/prices", "Succeeded")
    assert {"Log", "Run again"} <= set(labels(card))
    assert {row.channel_id for row in env.audit(request_id=request_id(card))} == {"C0CRAWL"}
    asked = [call.args.get("channel") for call in env.ws.calls if call.method == "conversations.info"]
    assert set(asked) == {"C0CRAWL"}


async def test_a_form_of_one_person_is_nothing_in_the_hands_of_another(env: World) -> None:
    await env.say("")
    token = (await opened(env))["private_metadata"]
    body = {
        "type": "view_submission",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0RUI", "team_id": "T0ACME"},
        "trigger_id": "1.2.stolen",
        "view": {
            "type": "modal",
            "callback_id": "launcher",
            "private_metadata": token,
            "hash": "x",
            "state": {
                "values": {
                    "verb": {"value": {"type": "static_select", "selected_option": {"value": "start"}}},
                    "target": {
                        "suggest_target": {"type": "external_select", "selected_option": {"value": "acc:shop/prices"}}
                    },
                }
            },
        },
    }
    assert (await env.ws.deliver("interactive", body)).acked
    await env.until(lambda: "form launcher" in [entry.verb for entry in env.audit()])
    assert "sent" not in env.events("start")


async def test_the_global_shortcut_asks_for_the_channel_and_its_rules_count(env: World) -> None:
    await env.ana.shortcut("launcher")
    view = await opened(env)
    assert "channel" in json.dumps(view["blocks"])
    values = {"verb": "start", "target": "acc:shop/prices", "channel": "C0INC"}
    await env.does("status acc:shop/prices", "shop/prices")
    receipt = await env.ana.submit("modal", values)
    assert receipt.acked, receipt
    await env.until(lambda: "denied" in env.events("start"))
    assert "sent" not in env.events("start")


async def test_a_guest_learns_no_target_from_the_menu_of_a_form(env: World) -> None:
    await env.does("status acc:shop/prices", "shop/prices")
    body = {
        "type": "block_suggestion",
        "action_id": "suggest_target",
        "block_id": "target",
        "value": "shop",
        "team": {"id": "T0ACME"},
        "container": {"type": "view", "view_id": "V1"},
    }
    for user, found in (("U0ANA", True), ("U0GUEST", False)):
        answer = await env.ws.deliver("interactive", body | {"user": {"id": user, "team_id": "T0ACME"}})
        assert bool(answer.body["options"]) is found, answer


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("acc:shop/prices@last", "acc:shop/prices@last"),
        ("shop/prices@f", "acc:shop/prices@failed"),
        ("acc:shop/never-seen", "acc:shop/never-seen"),
        ("acc:Sequentum Demo/My Agent", 'acc:"Sequentum Demo/My Agent"'),
        ("acc:run/9040f86d-bbc1-4038-9868-501145cc2370", "acc:run/9040f86d-bbc1-4038-9868-501145cc2370"),
    ],
)
async def test_the_menu_of_targets_offers_what_was_typed_when_it_is_a_target(
    env: World, typed: str, offered: str
) -> None:
    """Slack takes no free text there, so whatever can be typed after `/ops` has to be among the options."""
    await env.does("status acc:shop/prices", "shop/prices")
    await env.say("")
    await opened(env)
    options = [option["value"] for option in await env.ana.suggest("modal", "suggest_target", typed)]
    assert offered in options
    assert len(options) == len(set(options))


async def test_the_menu_of_targets_offers_nothing_that_is_no_target(env: World) -> None:
    await env.say("")
    await opened(env)
    for typed in ("nowhere:shop/prices", "acc:", "acc: ", "zzz zzz", 'acc:"shop'):
        options = [option["value"] for option in await env.ana.suggest("modal", "suggest_target", typed)]
        assert all(option.startswith("acc:") and option != "acc:" for option in options), options
        assert typed not in options


async def test_a_name_that_needs_quotes_is_found_without_them(env: World) -> None:
    env.acc.add_agent("Sequentum Demo/My Agent")
    await env.does('status acc:"Sequentum Demo/My Agent"', "Sequentum Demo/My Agent")
    await env.say("")
    await opened(env)
    options = [option["value"] for option in await env.ana.suggest("modal", "suggest_target", "sequentum demo/my")]
    assert options[0] == 'acc:"Sequentum Demo/My Agent"'
    receipt = await env.ana.submit("modal", {"verb": "start", "target": options[0]})
    assert receipt.acked, receipt
    await env.until(lambda: "done" in env.events("start"))


async def test_the_message_shortcut_takes_the_words_of_the_message(env: World) -> None:
    posted = await env.person("U0RUI").post("C0CRAWL", "status acc:shop/prices")
    await env.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    view = await opened(env)
    words = json.dumps(view)
    assert "acc:shop/prices" in words
    assert '"initial_option"' in words
    receipt = await env.ana.submit("modal", {})
    assert receipt.acked, receipt
    answered = await env.sees("status acc:shop/prices", "Succeeded")
    assert answered.get("thread_ts") == posted.ts


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("could somebody look at acc:shop/prices, please?", "acc:shop/prices"),
        ("shop/prices is stuck again", "acc:shop/prices"),
        ("acc is slow today", "acc:"),
        ("nothing works", None),
        ('the "acc:Sequentum Demo/My Agent" hangs, and acc:shop/prices too', 'acc:"Sequentum Demo/My Agent"'),
        ('acc:"Sequentum Demo/My Agent": what now?', 'acc:"Sequentum Demo/My Agent"'),
        ("he said “look at acc:shop/prices now”", "acc:shop/prices"),
        ("ALERT acc:news/feed: 0 rows", "acc:news/feed"),
        ('ALERT "acc:news/feed": 0 rows', "acc:news/feed"),
        ("acc:news/feed… nothing", "acc:news/feed"),
        ("(see acc:news/feed).", "acc:news/feed"),
        ('he said "acc:news/feed".', "acc:news/feed"),
        ("0 rows > acc:news/feed>", "acc:news/feed"),
        ("is it acc:news/feed?!", "acc:news/feed"),
        ("acc:news/feed;", "acc:news/feed"),
        ("acc:news/v1.2: 0 rows", "acc:news/v1.2"),
        ("acc: nothing works", "acc:"),
        ("ALERT shop/prices: 0 rows since 6:00, please look", "acc:shop/prices"),
        ("(shop/prices:) 0 rows", "acc:shop/prices"),
    ],
)
async def test_the_message_shortcut_finds_the_target_in_words_that_are_no_command(
    env: World, written: str, target: str | None
) -> None:
    env.acc.add_agent("Sequentum Demo/My Agent")
    await env.does("status acc:shop/prices", "shop/prices")
    await env.does('status acc:"Sequentum Demo/My Agent"', "Sequentum Demo/My Agent")
    posted = await env.person("U0RUI").post("C0CRAWL", written)
    await env.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    fields = {block.get("block_id"): block.get("element") for block in (await opened(env))["blocks"]}  # type: ignore[attr-defined]
    assert fields["target"].get("initial_option", {}).get("value") == target
    assert fields["reason"]["initial_value"] == written


async def test_the_message_shortcut_on_a_card_takes_its_target_and_gives_no_reason(env: World) -> None:
    """What the bot wrote is nobody's reason."""
    card = await env.does("status acc:shop/prices", "shop/prices")
    await env.ana.message_shortcut("work_on_message", "C0CRAWL", card["ts"])
    fields = {block.get("block_id"): block.get("element") for block in (await opened(env))["blocks"]}  # type: ignore[attr-defined]
    assert fields["target"]["initial_option"]["value"] == "acc:shop/prices"
    assert "initial_value" not in fields["reason"]


async def test_the_message_shortcut_takes_the_files_of_the_message(env: World) -> None:
    posted = await env.person("U0RUI").post(
        "C0CRAWL", "input upload acc:shop/prices", files=[("prices.csv", b"sku,price\n1,2\n")]
    )
    await env.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    assert "1 file" in json.dumps(await opened(env))
    receipt = await env.ana.submit("modal", {})
    assert receipt.acked, receipt
    await env.until(lambda: {"done", "failed", "denied"} & set(env.events("input upload")))
    assert "done" in env.events("input upload")


async def test_the_home_tab_shows_the_control_planes_and_the_own_runs(env: World) -> None:
    await env.say("start acc:shop/prices")
    await env.until(lambda: "done" in env.events("start"))
    await env.ana.open_home()
    view = await env.ana.wait_for(lambda person: person.home())
    assert view is not None
    words = shown({"blocks": view["blocks"]})
    assert "acc" in words
    assert "Your runs" in words
    assert env.person("U0LEE").home() is None


async def test_a_step_acts_under_the_rules_for_its_app_and_ends_with_its_outcome(tmp_path: Path) -> None:
    async with world(tmp_path, policy=STEP_POLICY) as env:
        inputs = {"command": "start acc:shop/prices -- nightly", "channel": "C0CRAWL", "user": "U0ROOT"}
        receipt = await env.ana.run_step("run_operation", inputs)
        step = await env.until(lambda: ended(env, receipt.execution_id))
        assert step["status"] == "completed", step
        sent = next(entry for entry in env.audit() if entry.event == "sent")
        assert (sent.user_id, sent.source) == ("A0SIGNAL", "step")


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("start acc:shop/prices", "A0SIGNAL"),
        ("strat nothing", "can't run strat nothing"),
        ("start acc:no/such", "no/such"),
        ("backends", "no rule of this channel names its id"),
    ],
)
async def test_a_step_that_is_refused_ends_with_the_reason_and_whispers_to_nobody(
    env: World, command: str, problem: str
) -> None:
    """An app is nobody whom Slack could show an ephemeral or a direct message, whoever is written into its inputs."""
    inputs = {"command": command, "channel": "C0CRAWL", "user": "U0ANA"}
    receipt = await env.ana.run_step("run_operation", inputs)
    step = await env.until(lambda: ended(env, receipt.execution_id))
    assert step["status"] == "failed"
    await env.quiet()
    assert "sent" not in env.events("start")
    assert [call.error for call in env.ws.calls if not call.ok] == []
    assert [m for m in env.ana.messages("C0CRAWL") if "bot_id" in m] == []
    assert problem in str(step["error"])
    assert "<#" not in str(step["error"]), "a step's error shows no ids"
    assert "?." not in str(step["error"])


async def test_the_error_of_a_step_has_no_label_of_a_button_that_says_nothing_there(tmp_path: Path) -> None:
    """Of the buttons that the card has, the text names the commands that may be meant."""
    async with world(tmp_path, policy=STEP_POLICY) as env:
        for command, says in (
            ("make coffee", "I can't read this command. make is not a verb."),
            ("strat acc:shop/prices", "Did you mean this? strat is not a verb. start acc:shop/prices."),
        ):
            receipt = await env.ana.run_step("run_operation", {"command": command, "channel": "C0CRAWL"})
            step = await env.until(lambda receipt=receipt: ended(env, receipt.execution_id))
            assert step["error"] == says


async def test_a_step_ends_well_with_what_it_looked_up(tmp_path: Path) -> None:
    async with world(tmp_path, policy=STEP_POLICY) as env:
        receipt = await env.ana.run_step("run_operation", {"command": "status acc:shop/prices", "channel": "C0CRAWL"})
        step = await env.until(lambda: ended(env, receipt.execution_id))
        assert step["status"] == "completed", step
        assert [call.error for call in env.ws.calls if not call.ok] == []


async def test_a_step_does_nothing_dangerous(tmp_path: Path) -> None:
    """A pre-flight has to be looked at by a person; nothing waits for a press that nobody could make."""
    async with world(tmp_path, policy=STEP_POLICY) as env:
        inputs = {"command": "schedule delete acc:shop/prices", "channel": "C0CRAWL"}
        receipt = await env.ana.run_step("run_operation", inputs)
        step = await env.until(lambda: ended(env, receipt.execution_id))
        assert (step["status"], "a person has to check" in str(step["error"])) == ("failed", True)
        assert [row.code for row in env.audit(event="failed")] == ["needs_person"]


async def test_the_card_of_a_step_says_that_a_workflow_asked_and_who_started_it(tmp_path: Path) -> None:
    """The person comes from the inputs, which anybody who edits the workflow can fill in."""
    async with world(tmp_path, policy=STEP_POLICY) as env:
        inputs = {"command": "start acc:shop/prices -- nightly", "channel": "C0CRAWL", "user": "U0ANA"}
        await env.ana.run_step("run_operation", inputs)
        card = await env.sees("start acc:shop/prices", "Succeeded")
        assert "A workflow: nightly (started by <@U0ANA>, not verified)" in shown(card)
        assert "A0SIGNAL" not in shown(card)


def ended(env: World, execution_id: str | None) -> dict[str, object] | None:
    step = env.ws.steps[str(execution_id)]
    return step if step["status"] != "running" else None
