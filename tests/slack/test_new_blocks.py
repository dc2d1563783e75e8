"""Charts and sortable tables: sent where Slack takes them, replaced where it doesn't have them yet."""

from __future__ import annotations

from typing import Any

from bot.core.outcome import Chart, Series, Table
from tests.slack.sender_world import SenderWorld, card
from tests.world import shown

CHART = Chart(
    title="Duration of the last 3 runs",
    labels=("15", "16", "17"),
    series=(Series(name="Succeeded", values=(60.0, 0.0, 30.0)), Series(name="Failed", values=(0.0, 15.0, 0.0))),
    unit="seconds",
    beside="Duration",
)
ROWS = (("17", "Completed", "30s"), ("16", "Failed", "15s"), ("15", "Completed", "1m"))
TABLE = Table(columns=("Run", "State", "Duration"), rows=ROWS)


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["blocks"]]


async def test_a_chart_is_sent_with_its_figures_in_the_text(world: SenderWorld) -> None:
    await world.sender.show(card("Done", chart=CHART, table=TABLE))
    await world.settle()
    (message,) = world.seen()
    assert "data_visualization" in kinds(message)
    assert "15: 60 Succeeded; 16: 15 Failed; 17: 30 Succeeded" in message["text"]


async def test_a_workspace_that_refuses_charts_gets_bars_and_is_not_asked_again_for_an_hour(
    world: SenderWorld,
) -> None:
    world.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1)
    for number in range(2):
        await world.sender.show(card("Done", key=f"op:{number}", chart=CHART, table=TABLE))
        await world.settle()
    assert [kinds(message) for message in world.seen()] == [["section", "table"]] * 2
    words = shown(world.seen()[0])
    assert "Duration\n17\nCompleted\n30s █████\n16\nFailed\n15s ██\n15\nCompleted\n1m ██████████" in words
    assert world.calls("chat.postMessage") == 3
    await world.settle(3_601)
    await world.sender.show(card("Done", key="op:later", chart=CHART, table=TABLE))
    await world.settle()
    assert "data_visualization" in kinds(world.seen()[-1])


async def test_a_card_that_is_wrong_in_both_forms_becomes_words_and_says_nothing_about_charts(
    world: SenderWorld,
) -> None:
    world.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=2)
    await world.sender.show(card("Done", key="op:1", chart=CHART))
    await world.settle()
    assert not world.seen()[0].get("blocks")
    await world.sender.show(card("Done", key="op:2", chart=CHART))
    await world.settle()
    assert "data_visualization" in kinds(world.seen()[1])


async def test_a_private_answer_gets_the_older_form_too(world: SenderWorld) -> None:
    world.ws.faults.fail("chat.postEphemeral", error="invalid_blocks", times=1)
    await world.sender.show(card("Done", chart=CHART, only_for="U0ANA"))
    await world.settle()
    (message,) = world.seen()
    assert "15  ██████████  60 Succeeded" in shown(message)


async def test_a_long_list_is_sorted_by_numbers_and_durations_and_pages(world: SenderWorld) -> None:
    rows = tuple((f"run/{number}", f"{number + 1}m", f"{number:,}") for number in range(30))
    await world.sender.show(card("Listed", table=Table(columns=("Run", "Duration", "Rows"), rows=rows)))
    await world.settle()
    (message,) = world.seen()
    (block,) = [block for block in message["blocks"] if block["type"] == "data_table"]
    assert block["page_size"] < 30
    assert block["rows"][3] == [
        {"type": "raw_text", "text": "run/2"},
        {"type": "raw_number", "text": "3m", "value": 180},
        {"type": "raw_number", "text": "2", "value": 2},
    ]
