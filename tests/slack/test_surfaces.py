"""The launcher, the Home tab and the workflow step, with the whole program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.world import OPEN_POLICY, World, labels, request_id, shown, world

STEP_POLICY = OPEN_POLICY.replace('who = ["crawl", "leads", "admins"]', 'who = ["crawl", "A0SIGNAL"]')


async def opened(here: World, user: str = "U0ANA") -> dict[str, object]:
    """The launcher that this person sees."""
    view = await here.person(user).wait_for(lambda person: person.modal())
    assert view is not None
    return view


async def test_the_command_alone_opens_a_form_with_what_this_person_may_do(here: World) -> None:
    await here.say("")
    view = await opened(here)
    words = json.dumps(view)
    assert view["callback_id"] == "launcher"
    assert '"start"' in words
    assert len(str(view["private_metadata"])) >= 26
    assert "channel" not in [block.get("block_id") for block in view["blocks"]]  # type: ignore[attr-defined]


async def test_a_guest_gets_no_form_and_a_reason(here: World) -> None:
    await here.person("U0GUEST").command("C0CRAWL", "/ops")
    await here.person("U0GUEST").wait_for(lambda person: person.messages("C0CRAWL"))
    assert here.person("U0GUEST").modal() is None


async def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_registered_as_started(here: World) -> None:
    await here.say("")
    await opened(here)
    missing = await here.ana.submit("modal", {"verb": "start"})
    assert set(missing.errors) == {"target"}
    wrong = await here.ana.submit("modal", {"verb": "start", "params": "no_such_key=1"})
    assert wrong.errors
    assert here.ana.modal() is not None
    assert here.events("start") == []


async def test_a_submitted_form_runs_the_command_it_stands_for(here: World) -> None:
    await here.does("status acc:shop/prices", "shop/prices")
    await here.say("")
    await opened(here)
    options = await here.ana.suggest("modal", "suggest_target", "shop/pri")
    assert "acc:shop/prices" in [option["value"] for option in options]
    values = {
        "verb": "start",
        "target": "acc:shop/prices",
        "params": "input.region=north\nlog_level=2",
        "reason": "by form",
    }
    receipt = await here.ana.submit("modal", values)
    assert receipt.acked, receipt
    assert here.ana.modal() is None
    await here.until(lambda: "done" in here.events("start"))
    sent = next(entry for entry in here.audit() if entry.event == "sent")
    assert (sent.source, sent.user_id, sent.channel_id, sent.reason) == ("modal", "U0ANA", "C0CRAWL", "by form")
    assert "north" in sent.params
    await here.sees("start acc:shop/prices", "by form")


async def test_a_request_by_form_keeps_the_channel_that_the_form_was_opened_in(here: World) -> None:
    """The card is followed and refreshed like that of a typed command, and every row names the channel."""
    await here.does("status acc:shop/prices", "shop/prices")
    await here.say("")
    await opened(here)
    await here.ana.submit("modal", {"verb": "start", "target": "acc:shop/prices", "reason": "kept"})
    card = await here.sees("start acc:shop/prices", "kept", "Succeeded")
    assert {"Log", "Refresh"} <= set(labels(card))
    await here.until(lambda: here.audit(request_id=request_id(card), event="ended"))
    assert {row.channel_id for row in here.audit(request_id=request_id(card))} == {"C0CRAWL"}
    asked = [call.args.get("channel") for call in here.ws.calls if call.method == "conversations.info"]
    assert set(asked) == {"C0CRAWL"}


async def test_a_request_by_the_global_form_keeps_the_channel_that_was_chosen(here: World) -> None:
    await here.does("status acc:shop/prices", "shop/prices")
    await here.ana.shortcut("launcher")
    await opened(here)
    await here.ana.submit("modal", {"verb": "start", "target": "acc:shop/prices", "channel": "C0CRAWL"})
    card = await here.sees("start acc:shop/prices", "Succeeded")
    assert {"Log", "Refresh"} <= set(labels(card))
    assert {row.channel_id for row in here.audit(request_id=request_id(card))} == {"C0CRAWL"}
    asked = [call.args.get("channel") for call in here.ws.calls if call.method == "conversations.info"]
    assert set(asked) == {"C0CRAWL"}


async def test_a_form_of_one_person_is_nothing_in_the_hands_of_another(here: World) -> None:
    await here.say("")
    token = (await opened(here))["private_metadata"]
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
    assert (await here.ws.deliver("interactive", body)).acked
    await here.until(lambda: "form launcher" in [entry.verb for entry in here.audit()])
    assert "sent" not in here.events("start")


async def test_the_global_shortcut_asks_for_the_channel_and_its_rules_count(here: World) -> None:
    await here.ana.shortcut("launcher")
    view = await opened(here)
    assert "channel" in json.dumps(view["blocks"])
    values = {"verb": "start", "target": "acc:shop/prices", "channel": "C0INC"}
    await here.does("status acc:shop/prices", "shop/prices")
    receipt = await here.ana.submit("modal", values)
    assert receipt.acked, receipt
    await here.until(lambda: "denied" in here.events("start"))
    assert "sent" not in here.events("start")


async def test_a_guest_learns_no_target_from_the_menu_of_a_form(here: World) -> None:
    await here.does("status acc:shop/prices", "shop/prices")
    body = {
        "type": "block_suggestion",
        "action_id": "suggest_target",
        "block_id": "target",
        "value": "shop",
        "team": {"id": "T0ACME"},
        "container": {"type": "view", "view_id": "V1"},
    }
    for user, found in (("U0ANA", True), ("U0GUEST", False)):
        answer = await here.ws.deliver("interactive", body | {"user": {"id": user, "team_id": "T0ACME"}})
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
    here: World, typed: str, offered: str
) -> None:
    """Slack takes no free text there, so whatever can be typed after `/ops` has to be among the options."""
    await here.does("status acc:shop/prices", "shop/prices")
    await here.say("")
    await opened(here)
    options = [option["value"] for option in await here.ana.suggest("modal", "suggest_target", typed)]
    assert offered in options
    assert len(options) == len(set(options))


async def test_the_menu_of_targets_offers_nothing_that_is_no_target(here: World) -> None:
    await here.say("")
    await opened(here)
    for typed in ("nowhere:shop/prices", "acc:", "acc: ", "zzz zzz", 'acc:"shop'):
        options = [option["value"] for option in await here.ana.suggest("modal", "suggest_target", typed)]
        assert all(option.startswith("acc:") and option != "acc:" for option in options), options
        assert typed not in options


async def test_a_name_that_needs_quotes_is_found_without_them(here: World) -> None:
    here.acc.add_agent("Sequentum Demo/My Agent")
    await here.does('status acc:"Sequentum Demo/My Agent"', "Sequentum Demo/My Agent")
    await here.say("")
    await opened(here)
    options = [option["value"] for option in await here.ana.suggest("modal", "suggest_target", "sequentum demo/my")]
    assert options[0] == 'acc:"Sequentum Demo/My Agent"'
    receipt = await here.ana.submit("modal", {"verb": "start", "target": options[0]})
    assert receipt.acked, receipt
    await here.until(lambda: "done" in here.events("start"))


async def test_the_message_shortcut_takes_the_words_of_the_message(here: World) -> None:
    posted = await here.person("U0RUI").post("C0CRAWL", "status acc:shop/prices")
    await here.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    view = await opened(here)
    words = json.dumps(view)
    assert "acc:shop/prices" in words
    assert '"initial_option"' in words
    receipt = await here.ana.submit("modal", {})
    assert receipt.acked, receipt
    answered = await here.sees("status acc:shop/prices", "request r-")
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
    ],
)
async def test_the_message_shortcut_finds_the_target_in_words_that_are_no_command(
    here: World, written: str, target: str | None
) -> None:
    here.acc.add_agent("Sequentum Demo/My Agent")
    await here.does("status acc:shop/prices", "shop/prices")
    await here.does('status acc:"Sequentum Demo/My Agent"', "Sequentum Demo/My Agent")
    posted = await here.person("U0RUI").post("C0CRAWL", written)
    await here.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    fields = {block.get("block_id"): block.get("element") for block in (await opened(here))["blocks"]}  # type: ignore[attr-defined]
    assert fields["target"].get("initial_option", {}).get("value") == target
    assert fields["reason"]["initial_value"] == written


async def test_the_message_shortcut_on_a_card_takes_its_target_and_gives_no_reason(here: World) -> None:
    """What the bot wrote is nobody's reason."""
    card = await here.does("status acc:shop/prices", "shop/prices")
    await here.ana.message_shortcut("work_on_message", "C0CRAWL", card["ts"])
    fields = {block.get("block_id"): block.get("element") for block in (await opened(here))["blocks"]}  # type: ignore[attr-defined]
    assert fields["target"]["initial_option"]["value"] == "acc:shop/prices"
    assert "initial_value" not in fields["reason"]


async def test_the_message_shortcut_takes_the_files_of_the_message(here: World) -> None:
    posted = await here.person("U0RUI").post(
        "C0CRAWL", "input upload acc:shop/prices name=prices.csv", files=[("prices.csv", b"sku,price\n1,2\n")]
    )
    await here.ana.message_shortcut("work_on_message", "C0CRAWL", str(posted.ts))
    assert "1 file" in json.dumps(await opened(here))
    receipt = await here.ana.submit("modal", {})
    assert receipt.acked, receipt
    await here.until(lambda: {"done", "failed", "denied"} & set(here.events("input upload")))
    assert "done" in here.events("input upload")


async def test_the_home_tab_shows_the_control_planes_and_the_own_runs(here: World) -> None:
    await here.say("start acc:shop/prices")
    await here.until(lambda: "done" in here.events("start"))
    await here.ana.open_home()
    view = await here.ana.wait_for(lambda person: person.home())
    assert view is not None
    words = shown({"blocks": view["blocks"]})
    assert "acc" in words
    assert "Your runs" in words
    assert here.person("U0LEE").home() is None


async def test_a_step_acts_under_the_rules_for_its_app_and_ends_with_its_outcome(tmp_path: Path) -> None:
    async with world(tmp_path, policy=STEP_POLICY) as here:
        inputs = {"command": "start acc:shop/prices -- nightly", "channel": "C0CRAWL", "user": "U0ROOT"}
        receipt = await here.ana.run_step("run_operation", inputs)
        step = await here.until(lambda: ended(here, receipt.execution_id))
        assert step["status"] == "completed", step
        sent = next(entry for entry in here.audit() if entry.event == "sent")
        assert (sent.user_id, sent.source) == ("A0SIGNAL", "step")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("start acc:shop/prices", "A0SIGNAL"),
        ("strat nothing", "`strat` is not a verb"),
        ("start acc:no/such", "no/such"),
        ("backends", "answers only where it is typed"),
    ],
)
async def test_a_step_that_is_refused_ends_with_the_reason_and_whispers_to_nobody(
    here: World, command: str, said: str
) -> None:
    """An app is nobody whom Slack could show an ephemeral or a direct message, whoever is written into its inputs."""
    inputs = {"command": command, "channel": "C0CRAWL", "user": "U0ANA"}
    receipt = await here.ana.run_step("run_operation", inputs)
    step = await here.until(lambda: ended(here, receipt.execution_id))
    assert step["status"] == "failed"
    await here.quiet()
    assert "sent" not in here.events("start")
    assert [call.error for call in here.ws.calls if not call.ok] == []
    assert [m for m in here.ana.messages("C0CRAWL") if "bot_id" in m] == []
    assert said in str(step["error"])


async def test_a_step_ends_well_with_what_it_looked_up(tmp_path: Path) -> None:
    async with world(tmp_path, policy=STEP_POLICY) as here:
        receipt = await here.ana.run_step("run_operation", {"command": "status acc:shop/prices", "channel": "C0CRAWL"})
        step = await here.until(lambda: ended(here, receipt.execution_id))
        assert step["status"] == "completed", step
        assert [call.error for call in here.ws.calls if not call.ok] == []


async def test_a_step_does_nothing_dangerous(tmp_path: Path) -> None:
    """A pre-flight has to be looked at by a person; nothing waits for a press that nobody could make."""
    async with world(tmp_path, policy=STEP_POLICY) as here:
        inputs = {"command": "schedule delete acc:shop/prices", "channel": "C0CRAWL"}
        receipt = await here.ana.run_step("run_operation", inputs)
        step = await here.until(lambda: ended(here, receipt.execution_id))
        assert (step["status"], "a person has to check" in str(step["error"])) == ("failed", True)
        assert [row.code for row in here.audit(event="failed")] == ["needs_person"]


async def test_the_card_of_a_step_names_its_app_in_words(tmp_path: Path) -> None:
    async with world(tmp_path, policy=STEP_POLICY) as here:
        await here.ana.run_step("run_operation", {"command": "start acc:shop/prices", "channel": "C0CRAWL"})
        card = await here.sees("start acc:shop/prices", "Succeeded")
        assert "app A0SIGNAL" in shown(card)
        assert "@A0SIGNAL" not in shown(card)


def ended(here: World, execution_id: str | None) -> dict[str, object] | None:
    step = here.ws.steps[str(execution_id)]
    return step if step["status"] != "running" else None
