"""States of the ACC: names for the numbers that its page has, and honesty about those that it has not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.playground.planes import faults
from tests.scenarios.acc_place import filled, place
from tests.scenarios.steps import ask, do
from tests.world import World, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")


def title(card: dict[str, Any]) -> str:
    """The first line: a sign, the command, the state."""
    return shown(card).splitlines()[0]


@pytest.mark.parametrize("number", [9, 99])
@pytest.mark.parametrize(
    ("text", "read", "known"),
    [
        ("status acc:run/{run}", "/api/run/{run}", "Failed"),
        ("status acc:jobrun/{job}", "/api/job/run/{job}", "Succeeded"),
    ],
)
async def test_a_number_that_nobody_documented_is_unknown_and_never_a_success(
    team: World, monkeypatch: pytest.MonkeyPatch, number: int, text: str, read: str, known: str
) -> None:
    """A documented state has its name in the title; `Unknown (9)` stands for another one, in no good colour."""
    monkeypatch.setattr(faults, "_novel", lambda _: number)
    at = place(team)
    usual = await do(team, filled(text, at))
    assert title(await usual.card()).endswith(known)
    await team.acc.set_fault({"fault": "unknown_enum", "match": f"GET {filled(read, at)}$"})
    asked = await do(team, filled(text, at))
    await team.acc.clear_faults()
    card = await asked.card(f"Unknown ({number})")
    assert title(card).endswith(f"Unknown ({number})")
    assert "\u2705" not in title(card)


@pytest.mark.parametrize("number", [9, 99])
@pytest.mark.parametrize(
    ("text", "read", "known"),
    [
        ("history acc:{place}", "/api/agent/{agent}/history", "Failed"),
        ("history acc:{place} as=job", "/api/job/{agent}/history", "Succeeded"),
    ],
)
async def test_a_history_tells_an_undocumented_number_as_unknown(
    team: World, monkeypatch: pytest.MonkeyPatch, number: int, text: str, read: str, known: str
) -> None:
    """No row of a history whose states are all unknown is a success."""
    monkeypatch.setattr(faults, "_novel", lambda _: number)
    at = place(team)
    await (await do(team, filled(text, at))).card(known)
    await team.acc.set_fault({"fault": "unknown_enum", "match": f"GET {filled(read, at)}"})
    asked = await do(team, filled(text, at))
    await team.acc.clear_faults()
    assert "Succeeded" not in shown(await asked.card(f"unknown ({number})"))


@pytest.mark.parametrize("number", [9, 99])
async def test_a_run_in_a_state_that_nobody_knows_is_still_followed(
    team: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A start whose run says 9 has not ended: the card says so, and gets the true end once it can be read."""
    monkeypatch.setattr(faults, "_novel", lambda _: number)
    at = place(team)
    await team.acc.set_fault({"fault": "unknown_enum", "match": f"GET /api/(run|agent/{at.agent})"})
    asked = await ask(team, f"start acc:{at.path}")
    await asked.card(f"Unknown ({number})")
    assert "ended" not in asked.events
    await team.acc.clear_faults()
    await asked.card("Succeeded")
    await team.until(lambda: "ended" in asked.events)
