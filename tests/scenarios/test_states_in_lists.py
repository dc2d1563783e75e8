"""What `find` and the menu of targets show as a state is that of now, or has the time at which it was read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from bot.features import known_targets
from bot.features.forms import menus
from bot.playground.workspace import Person
from tests.scenarios.steps import ask, do
from tests.scenarios.team import deciding
from tests.scenarios.test_launcher import groups, opened
from tests.world import OPEN_POLICY, World, shown, world


@pytest.fixture
async def listed(tmp_path: Path) -> AsyncIterator[World]:
    """Control planes whose lists have come."""
    async with world(tmp_path, only=("acc", "infa", "pre")) as made:
        await made.bot.ctx.listings.refresh()
        yield made


async def row(env: World, typed: str, target: str) -> str:
    """What a new `find` says of this target."""
    title, mine = f"Targets with {typed}", env.ana

    def answers(person: Person) -> list[str]:
        return [text for text in map(shown, person.messages("C0CRAWL")) if title in text and target in text]

    before = len(answers(mine))
    await env.say(f"find {typed}")
    await mine.wait_for(lambda person: len(answers(person)) > before)
    text = answers(mine)[-1]
    found = re.search(rf"\n{re.escape(target)}\n.*\n.*", text)
    assert found, text
    return found[0]


async def note(env: World, target: str) -> str:
    """The line about this target in the menu of targets."""
    await opened(env)
    every = [one for group in await groups(env, "target") for one in group["options"] if one["value"] == target]
    return str(every[0]["description"]["text"])


async def retire(env: World) -> None:
    asked = await ask(env, "retire pre:contract-draft -- replaced")
    await asked.press("Run it")
    await asked.ends()


async def test_find_shows_the_state_after_a_change(listed: World) -> None:
    await retire(listed)
    assert "retired, allowed: reinstate, delete" in await row(listed, "contract", "pre:contract-draft")
    await do(listed, "reinstate pre:contract-draft -- they were fine")
    assert "retired" not in await row(listed, "contract", "pre:contract-draft")


async def test_find_shows_the_state_of_a_schedule_and_a_service_after_a_change(listed: World) -> None:
    """A pause, and a stop of something that is listed as a part of another target."""
    await do(listed, "schedule off infa:schedule/nightly for=10m -- maintenance")
    assert "\noff" in await row(listed, "nightly", "infa:schedule/nightly")
    asked = await ask(listed, 'stop infa:"us-1/Data Integration Server" -- maintenance')
    await asked.press("Run it")
    await asked.ends()
    assert "running" not in await row(listed, "data integration us", 'infa:"us-1/Data Integration Server"')


async def test_find_reads_a_state_again_that_is_older_than_a_moment(
    listed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was changed in the vendor's console."""
    (agent,) = [one for one in listed.planes["pre"].agents.values() if one.name == "contract-draft"]
    agent.retired = True
    monkeypatch.setattr(known_targets, "NOW", timedelta(0))
    assert "retired" in await row(listed, "contract", "pre:contract-draft")


@pytest.mark.parametrize("fault", [{"fault": "delay", "seconds": 600}, {"fault": "refuse"}])
async def test_find_says_soon_when_a_state_was_read_that_cannot_be_read_now(
    listed: World, monkeypatch: pytest.MonkeyPatch, fault: dict[str, object]
) -> None:
    monkeypatch.setattr(known_targets, "NOW", timedelta(0))
    await listed.planes["pre"].set_fault(fault)
    began = monotonic()
    assert re.search(r"\npending, .*\(as of", await row(listed, "contract", "pre:contract-draft"))
    assert monotonic() - began < 10


async def test_find_does_not_show_a_state_from_before_a_change(listed: World) -> None:
    """The control plane doesn't answer after it."""
    await retire(listed)
    await listed.planes["pre"].set_fault({"fault": "delay", "seconds": 600})
    text = await row(listed, "contract", "pre:contract-draft")
    assert "pending" not in text
    assert "not read since a change" in text


async def test_the_menu_of_targets_says_when_a_state_was_read(listed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await note(listed, "pre:contract-draft") == "agent, pending"
    monkeypatch.setattr(known_targets, "NOW", timedelta(0))
    assert re.fullmatch(
        r"agent, pending \(as of \d{4}-\d\d-\d\d \d\d:\d\d UTC\)", await note(listed, "pre:contract-draft")
    )


async def test_a_state_in_the_menu_is_left_out_if_its_time_does_not_fit(
    listed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_targets, "NOW", timedelta(0))
    monkeypatch.setattr(menus, "NOTE", len("agent, pending (as of 2026-11-30 21:57"))
    assert await note(listed, "pre:contract-draft") == "agent"


async def test_the_menu_of_targets_does_not_show_a_state_from_before_a_change(listed: World) -> None:
    await retire(listed)
    assert "pending" not in await note(listed, "pre:contract-draft")


async def test_the_menu_of_targets_shows_the_state_a_moment_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the list is due to be read again."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, only=("acc", "pre")) as team:
        await team.env.bot.ctx.listings.refresh()
        await retire(team.env)
        team.later(minutes=1)
        assert await note(team.env, "pre:contract-draft") == "agent, retired"
