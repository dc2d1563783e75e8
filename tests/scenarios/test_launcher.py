"""The launcher: verbs and targets that fit, typed fields, and what will happen, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.scenarios.steps import do
from tests.scenarios.team import RULES
from tests.world import OPEN_POLICY, World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ruled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world in which starts need an approval and much is denied."""
    async with world(tmp_path_factory.mktemp("ruled"), policy=RULES, agents=True) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """All five control planes; the crawl team may do everything."""
    async with world(
        tmp_path_factory.mktemp("five"), only=("acc", "infa", "itn", "pre", "res"), agents=True, speed=60.0
    ) as made:
        await made.bot.ctx.listings.refresh()
        yield made


async def opened(env: World, user: str = "U0ANA") -> None:
    """Open the launcher; an earlier one is closed."""
    person = env.person(user)
    if person.modal():
        await person.close()
    await env.say("", user=user)
    await person.wait_for(lambda who: who.modal())


async def chosen(env: World, *wanted: str, user: str = "U0ANA", **values: str) -> dict[str, Any]:
    """The modal after these fields were chosen, once it shows all the words."""
    person = env.person(user)
    for name, value in values.items():
        action = {"verb": "suggest_verb", "target": "suggest_target", "channel": "value"}[name]
        assert (await person.choose("modal", action_id=action, block_id=name, value=value)).acked

    def look(who: Any) -> dict[str, Any] | None:
        view = who.modal()
        return view if view is not None and all(word in json.dumps(view) for word in wanted) else None

    return dict(await person.wait_for(look))


async def options(env: World, menu: str, typed: str = "") -> list[str]:
    """The values that a menu offers."""
    return [str(option["value"]) for option in await env.ana.suggest("modal", f"suggest_{menu}", typed)]


def fields(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The input blocks of a modal by their names."""
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def outlook(view: dict[str, Any]) -> str:
    """What the modal says will happen."""
    (text,) = [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]
    return str(text)


async def groups(env: World, menu: str = "verb", user: str = "U0ANA", **more: Any) -> list[dict[str, Any]]:
    """The answer to a block_suggestion with its headings."""
    view = env.person(user).modal()
    assert view is not None
    body = {
        "type": "block_suggestion",
        "action_id": f"suggest_{menu}",
        "block_id": menu,
        "value": "",
        "team": {"id": "T0ACME"},
        "user": {"id": user, "team_id": "T0ACME"},
        "container": {"type": "view", "view_id": view["id"]},
        "view": {"id": view["id"], "type": "modal", "private_metadata": view["private_metadata"]},
    }
    answer = (await env.ws.deliver("interactive", body | more)).body
    return list(answer["option_groups"]) if "option_groups" in answer else [{"options": answer["options"]}]


async def test_verbs_come_in_groups_with_the_common_ones_first_and_a_line_about_each(five: World) -> None:
    await opened(five)
    found = await groups(five)
    assert [group["label"]["text"] for group in found] == ["Common here", "Read", "Change", "Danger: asks you first"]
    assert [option["value"] for option in found[0]["options"]] == ["start", "status", "logs", "stop", "retry"]
    every = [option for group in found for option in group["options"]]
    assert len({option["value"] for option in every}) == len(every) <= 100
    assert all(0 < len(option["description"]["text"]) <= 75 for option in every)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("start", "start"),
        ("Sta", "start"),
        ("schedule", "schedule on"),
        ("off", "schedule off"),
        ("run", "start"),
        ("kill", "stop"),
        ("strat", "start"),
    ],
)
async def test_the_exact_verb_comes_first(five: World, typed: str, first: str) -> None:
    await opened(five)
    assert (await options(five, "verb", typed))[0] == first


async def test_what_this_channel_uses_most_comes_first(tmp_path: Path) -> None:
    async with world(tmp_path, agents=True) as env:
        for _ in range(2):
            await do(env, "history acc:shop/prices")
        await do(env, "schedules acc:shop/prices")
        await opened(env)
        assert (await options(env, "verb"))[:3] == ["history", "schedules", "start"]


async def test_targets_fit_the_verb(five: World) -> None:
    """`start`: agents, services and tasks. `retry` and `stop`: runs, which a selector picks."""
    await opened(five)
    await chosen(five, verb="start")
    found = await options(five, "target")
    assert {"acc:shop/prices", "itn:cluster_1/my-tofu-service", "infa:task/load_orders"} & set(found)
    assert not any(name.startswith(("acc:server", "acc:run", "res:", "pre:")) or "@" in name for name in found)
    await chosen(five, verb="retry")
    assert (await options(five, "target", "prices"))[:3] == [
        f"acc:shop/prices@{pick}" for pick in ("last", "failed", "running")
    ]
    await chosen(five, verb="pause")
    assert "res:" in await options(five, "target")
    await chosen(five, verb="schedule off")
    assert not any("@" in name for name in await options(five, "target", "prices"))


async def test_a_chosen_target_leaves_the_verbs_that_fit_it(five: World) -> None:
    await opened(five)
    await chosen(five, target="res:")
    assert set(await options(five, "verb")) == {"status", "history", "pause", "resume", "restart", "tags", "tag"}


async def test_a_verb_about_runs_works_on_the_run_of_a_chosen_agent(five: World) -> None:
    """An agent, as from the text of an alert, and then `logs`, means the log of its newest run."""
    await opened(five)
    await chosen(five, target="acc:shop/prices")
    assert (await options(five, "verb", "log"))[:1] == ["logs"]
    assert {"retry", "restart", "data"} <= set(await options(five, "verb"))
    view = await chosen(five, "Acts on its newest run", verb="logs")
    assert "Answers at once" in outlook(view)
    await five.say("start acc:shop/prices")
    await five.sees("start acc:shop/prices", "Succeeded")
    assert (await five.ana.submit("modal", {"reason": "by the form"})).acked
    await five.sees("logs acc:shop/prices", "by the form", "Last lines")


async def test_runs_known_by_their_ids_come_after_the_newest_run_of_each_agent(five: World) -> None:
    await opened(five)
    await chosen(five, verb="logs")
    found = await options(five, "target")
    by_id = [at for at, name in enumerate(found) if name.startswith(("acc:run/", "acc:jobrun/"))]
    assert found[0].endswith("@last") or not found[0].startswith("acc:")
    assert min(by_id, default=len(found)) > max(at for at, name in enumerate(found) if name.endswith("@last"))


async def test_the_parameters_of_the_command_are_typed_fields_with_hints(five: World) -> None:
    await opened(five)
    view = await chosen(five, "param:count", verb="history", target="acc:shop/prices")
    count = fields(view)["param:count"]
    assert count["element"]["type"] == "number_input"
    assert count["hint"]["text"] == "How many of the latest to show. 1 to 100. Default: 10."
    assert "changes nothing" in outlook(view)
    assert view["submit"]["text"] == "Show"


async def test_parameters_that_the_control_plane_describes_are_fields(five: World) -> None:
    await opened(five)
    view = await chosen(five, "param.action", verb="start", target="itn:cluster_1/my-tofu-service")
    assert fields(view)["param:param.action"]["element"]["type"] == "static_select"


async def test_what_was_typed_stays_when_another_field_changes(five: World) -> None:
    await opened(five)
    await chosen(five, "param:log_level", verb="start", target="acc:shop/prices")
    await five.ana.enter("modal", {"param:log_level": 2, "reason": "kept"})
    await chosen(five, "acc:shop/stock", target="acc:shop/stock")
    await five.quiet()
    receipt = await five.ana.submit("modal")
    assert receipt.acked, receipt
    assert not receipt.errors
    await five.sees("start acc:shop/stock", "kept")
    (sent,) = await five.until(lambda: [row for row in five.audit(event="sent") if row.target_name == "acc:shop/stock"])
    assert json.loads(str(sent.params))["log_level"] == 2


@pytest.mark.parametrize(
    ("verb", "target", "says", "submit"),
    [
        ("status", "acc:shop/prices", "Answers at once", "Show"),
        (
            "start",
            "acc:shop/prices",
            "Needs approval from one of leads: <@U0LEE>. Nothing runs before that",
            "Ask for approval",
        ),
        ("schedule delete", "acc:shop/prices", "You see what it affects", "Ask for approval"),
        ("start", "acc:labs/slow", "You can't do this here", "Send"),
        ("start", "acc:no/such", "has no agent", "Send"),
    ],
)
async def test_it_says_what_will_happen_before_it_is_sent(
    ruled: World, verb: str, target: str, says: str, submit: str
) -> None:
    await opened(ruled)
    before = len(ruled.audit(user_id="U0ANA"))
    await chosen(ruled, verb=verb)
    view = await chosen(ruled, says, target=target)
    assert says in outlook(view)
    assert view["submit"]["text"] == submit
    assert len(ruled.audit(user_id="U0ANA")) == before


async def test_a_denial_is_said_without_the_rules_that_do_not_count(ruled: World) -> None:
    """One sentence for people; `why` and the card's *Details* explain the rules."""
    await opened(ruled)
    await chosen(ruled, verb="start")
    view = await chosen(ruled, "You can't do this here", target="acc:labs/slow")
    assert outlook(view).endswith(
        "You can't do this here: no rule allows it. Send it to see who can, and to ask for it."
    ), outlook(view)


async def test_a_danger_shows_its_preflight_first(five: World) -> None:
    await opened(five)
    view = await chosen(five, "Check first", verb="input clear", target="acc:shop/prices")
    assert "You see what it affects before anything is sent" in outlook(view)


async def test_it_runs_at_once_where_the_person_may(five: World) -> None:
    await opened(five)
    view = await chosen(five, "Runs at once", verb="start", target="acc:news/feed")
    assert view["submit"]["text"] == "Run"
    assert (await five.ana.submit("modal", {"reason": "by launcher"})).acked
    await five.sees("start acc:news/feed", "by launcher", "Succeeded")


async def test_all_errors_are_shown_at_once_at_their_fields_in_plain_text(five: World) -> None:
    await opened(five)
    await chosen(five, "param:log_level", verb="start", target="acc:shop/prices")
    wrong = await five.ana.submit("modal", {"param:log_level": 99, "param:input": "no equals sign"})
    assert set(wrong.errors) == {"param:log_level", "param:input"}
    assert "`" not in "".join(wrong.errors.values())
    await opened(five)
    await chosen(five, "param:until", verb="schedule off", target="acc:shop/prices")
    wrong = await five.ana.submit("modal", {"param:until": "Mon 25:00", "param:for": "soon"})
    assert set(wrong.errors) == {"param:until", "param:for"}
    assert "Mon 25:00 is not a time of day" in wrong.errors["param:until"]
    await opened(five)
    await chosen(five, verb="schedule on")
    assert set((await five.ana.submit("modal", {"target": None})).errors) == {"target"}


async def test_inputs_are_the_same_with_and_without_what_comes_before_their_name_in_a_command(five: World) -> None:
    """A person may write `input.region=north` in the field `input`, too."""
    await opened(five)
    view = await chosen(five, "Runs at once", verb="start", target="acc:shop/prices")
    assert "For example: country=de" in str(fields(view)["param:input"]["hint"])
    assert (await five.ana.submit("modal", {"param:input": "input.region=north\ncurrency=EUR"})).acked
    card = await five.sees("start acc:shop/prices", "input.region=north", "input.currency=EUR", "Succeeded")
    assert "input.input" not in str(card)


async def test_a_verb_that_does_not_fit_the_target_is_said_before_and_at_its_field(five: World) -> None:
    await opened(five)
    await chosen(five, verb="start")
    view = await chosen(five, "support", target="res:")
    assert "res doesn't support `start`" in outlook(view).replace("`res`", "res")
    assert set((await five.ana.submit("modal")).errors) == {"verb"}


async def test_a_control_plane_that_does_not_answer_leaves_the_form_usable(tmp_path: Path) -> None:
    async with world(tmp_path, agents=True) as env:
        await env.bot.ctx.listings.refresh()
        await env.acc.set_fault({"fault": "delay", "seconds": 600})
        await opened(env)
        view = await chosen(env, "doesn't answer", verb="start", target="acc:shop/prices")
        assert "param:log_level" in fields(view)


async def test_a_silent_control_plane_has_its_own_heading_in_the_menu(tmp_path: Path) -> None:
    async with world(tmp_path, only=("acc", "pre"), agents=True) as env:
        await env.bot.ctx.listings.refresh()
        env.planes["pre"].go_away(None)
        await env.bot.ctx.listings.refresh()
        await opened(env)
        found = await groups(env, "target")
        assert [group["label"]["text"] for group in found] == ["Targets", "pre doesn't answer; names may be missing"]
        assert "acc:shop/prices" in [option["value"] for option in found[0]["options"]]
        assert all(option["value"].startswith("pre:") for option in found[1]["options"])


def stock_is_drawn(person: Any) -> bool:
    """Whether the modal shows a start of acc:shop/stock with its parameters."""
    shown = fields(person.modal() or {"blocks": []})
    target = shown["target"]["element"].get("initial_option", {}).get("value")
    return "param:log_level" in shown and target == "acc:shop/stock"


async def test_only_the_newest_change_is_drawn(five: World) -> None:
    """Two changes in quick succession: the later one stands, whichever is ready first."""
    await opened(five)
    await chosen(five, verb="start")
    await chosen(five, target="acc:shop/prices")
    await chosen(five, target="acc:shop/stock")
    await five.ana.wait_for(stock_is_drawn)
    await five.quiet()
    assert stock_is_drawn(five.ana), five.ana.modal()


async def test_a_slow_call_of_an_older_change_is_not_drawn_over_a_newer_one(five: World) -> None:
    """Slack refuses the older one's first call, and its second one is slow to arrive."""
    await opened(five)
    await chosen(five, verb="start")
    await five.quiet()
    five.ws.faults.fail("views.update", error="hash_conflict", times=1)
    five.ws.faults.fail("views.update", delay=1.0, times=1)
    await chosen(five, target="acc:shop/prices")
    await five.until(lambda: not five.ws.faults.orders)
    await chosen(five, target="acc:shop/stock")
    await five.ana.wait_for(stock_is_drawn)
    await five.quiet()
    assert stock_is_drawn(five.ana), five.ana.modal()


async def test_another_person_gets_nothing_from_the_token_of_a_modal(five: World) -> None:
    await opened(five)
    await chosen(five, verb="start")
    await five.quiet()
    view = five.ana.modal()
    assert view is not None
    body = {
        "type": "block_actions",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0EVE", "team_id": "T0ACME"},
        "container": {"type": "view", "view_id": view["id"]},
        "view": {**view, "state": {"values": {}}},
        "actions": [
            {
                "type": "external_select",
                "action_id": "suggest_verb",
                "block_id": "verb",
                "selected_option": {"value": "stop"},
            }
        ],
    }
    assert (await five.ws.deliver("interactive", body)).acked
    await five.quiet()
    assert five.ana.modal() == view


async def test_the_global_launcher_decides_by_the_chosen_channel(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, agents=True) as env:
        await env.ana.shortcut("launcher")
        await env.ana.wait_for(lambda who: who.modal())
        view = await chosen(env, "Choose the channel", verb="start", target="acc:shop/prices")
        assert "channel" in fields(view)
        await chosen(env, "You can't do this here", channel="C0INC")
        view = await chosen(env, "Runs at once", channel="C0CRAWL")
        assert (await env.ana.submit("modal", {"reason": "from afar"})).acked
        await env.sees("start acc:shop/prices", "from afar", "Succeeded")


async def test_the_global_launcher_begins_with_the_channel_that_the_person_used_last(tmp_path: Path) -> None:
    async with world(tmp_path, policy=OPEN_POLICY, agents=True) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        await env.ana.shortcut("launcher")
        view = await env.ana.wait_for(lambda who: who.modal())
        (channel,) = [block for block in view["blocks"] if block["block_id"] == "channel"]
        assert channel["element"]["initial_conversation"] == "C0CRAWL"
