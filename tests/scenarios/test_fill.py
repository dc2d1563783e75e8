"""Parameters that a control plane describes become fields of a modal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, labels, world


async def test_a_service_with_a_schema_offers_its_parameters_as_a_form(tmp_path: Path) -> None:
    """Started without what it requires, it is refused with `Fill in`; the form runs it."""
    async with world(tmp_path, only=("itn",)) as env:
        refused = await env.does("start itn:my-tofu-service -- try it", "Refused", "action")
        assert "Fill in" in labels(refused)
        await env.ana.press_label("C0CRAWL", refused["ts"], "Fill in")
        view = await env.ana.wait_for(lambda who: who.modal())
        assert set(fields(view)) == {"param.action", "param.workspace", "inventory", "reason"}
        values = {"param:param.action": "apply", "param:param.workspace": "staging"}
        receipt = await env.ana.submit("modal", values)
        assert receipt.acked

        def runs() -> list[object]:
            sent = env.planes["itn"].requests
            return [request.json()["params"] for request in sent if request.raw_path.endswith("/services/run")]

        assert await env.until(runs) == [{"action": "apply", "workspace": "staging"}]


async def test_what_was_filled_in_is_in_the_report_of_an_incident(tmp_path: Path) -> None:
    """As what was typed is."""
    async with world(tmp_path, only=("itn",)) as env:
        await env.does("incident open INC-44 -- down", "Incident INC-44")
        refused = await env.does("start itn:my-tofu-service -- try it", "Refused", "action")
        await env.ana.press_label("C0CRAWL", refused["ts"], "Fill in")
        await env.ana.wait_for(lambda who: who.modal())
        await env.ana.submit("modal", {"param:param.action": "apply", "param:param.workspace": "staging"})
        await env.until(lambda: "sent" in env.events("start"))
        await env.quiet()
        ran = "start itn:cluster_1/my-tofu-service param.action=apply param.workspace=staging"
        await env.does("incident close -- fixed", "INC-44 is closed", ran)


async def form_of(env: World, text: str, *parts: str) -> dict[str, Any]:
    """The modal behind `Fill in` of what was answered to these words."""
    refused = await env.does(text, *parts)
    await env.ana.press_label("C0CRAWL", refused["ts"], "Fill in")
    return dict(await env.ana.wait_for(lambda who: who.modal()))


def fields(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The elements of a modal's inputs below verb and target, by their names."""
    inputs = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    return {name.removeprefix("param:"): element for name, element in inputs.items() if name not in ("verb", "target")}


async def test_a_schedule_is_made_in_a_form(env: World) -> None:
    """`schedule set` with its target alone offers every declared parameter; the form runs the same command."""
    view = await form_of(env, "schedule set acc:shop/prices zone=Europe/Berlin -- nightly", "cron", "start")
    shown = fields(view)
    given = ["id", "cron", "start", "zone", "session", "input", "log_level", "windowless", "enabled"]
    assert [name for name in shown if name != "reason"] == given
    assert shown["reason"]["initial_value"] == "nightly"
    assert shown["zone"]["initial_value"] == "Europe/Berlin"
    assert shown["enabled"]["type"] == "static_select"
    wrong = await env.ana.submit("modal", {"param:cron": "0 0 0 1", "param:start": "tomorrow"})
    assert set(wrong.errors) == {"param:start"}
    values = {
        "param:start": "2026-12-16T11:21:20",
        "param:enabled": "false",
        "param:input": "region=north\nsize=2",
    }
    assert (await env.ana.submit("modal", values)).acked
    await env.sees("A schedule of shop/prices was added", "nightly")
    sent = [row for row in env.audit(event="sent") if row.verb == "schedule set"][-1]
    assert json.loads(str(sent.params)) == {
        "cron": "0 0 0 1",
        "start": "2026-12-16T11:21:20",
        "zone": "Europe/Berlin",
        "enabled": False,
        "input": {"region": "north", "size": "2"},
    }


@pytest.mark.parametrize(
    ("typed", "field", "kind"),
    [
        ("mark acc:shop/prices", "as", "static_select"),
        ("history acc:shop/prices count=many", "count", "number_input"),
        ("schedule off acc:shop/prices for=soon", "for", "plain_text_input"),
        ("start acc:shop/prices colour=red", "production", "static_select"),
        ("agent disapprove acc:shop/prices", "reason", "plain_text_input"),
    ],
)
async def test_words_that_do_not_fit_a_verb_offer_its_parameters_as_a_form(
    env: World, typed: str, field: str, kind: str
) -> None:
    assert fields(await form_of(env, typed, "Nothing was done"))[field]["type"] == kind


async def test_a_name_that_begins_like_its_parameter_is_the_same_after_the_form(env: World) -> None:
    shown = fields(await form_of(env, "start acc:shop/prices input.input.region=north log_level=9", "log_level"))
    filled = {"param:input": shown["input"]["initial_value"], "param:log_level": "2"}
    assert (await env.ana.submit("modal", filled)).acked
    await env.until(lambda: "done" in env.events("start"))
    (sent,) = [row for row in env.audit(event="sent") if row.verb == "start"]
    assert json.loads(str(sent.params))["input"] == {"input.region": "north"}


async def test_what_was_typed_stands_in_the_form_but_for_secrets(env: World) -> None:
    typed = "start acc:shop/prices production=NO input.region=north input.password=hunter2hunter2 log_level=9"
    shown = fields(await form_of(env, typed, "log_level"))
    assert shown["production"]["initial_option"]["value"] == "false"
    assert shown["input"]["initial_value"] == "region=north"
    assert shown["log_level"]["initial_value"] == "9"
    wrong = await env.ana.submit("modal", {"param:input": "region"})
    assert set(wrong.errors) == {"param:input", "param:log_level"}
    assert (await env.ana.submit("modal", {"param:input": "region=south", "param:log_level": "2"})).acked
    await env.until(lambda: "done" in env.events("start"))
    (sent,) = [row for row in env.audit(event="sent") if row.verb == "start"]
    given = json.loads(str(sent.params))
    assert (given["input"], given["log_level"], given["production"]) == ({"region": "south"}, 2, False)
