"""`find`, `targets` and the menu of targets know every configured, listed and seen target, and name what doesn't answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.core.operation import Target
from bot.playground.planes.demo import demo_planes
from tests.scenarios.steps import do, private
from tests.world import World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLANES = ("acc", "infa", "itn", "pre", "res")


def planes(clock: Any) -> Any:
    """The demo's control planes, and an agent whose name has accents."""
    made = demo_planes(clock)
    next(plane for plane in made if plane.name == "pre").add_agent("Überwachung Café")  # type: ignore[attr-defined]
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def five(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """All five control planes. Nobody has typed the name of any target."""
    async with world(tmp_path_factory.mktemp("five"), planes=planes, only=PLANES, agents=True) as made:
        yield made


async def found(env: World, typed: str, *parts: str, user: str = "U0ANA") -> str:
    """What `find` answers to these words."""
    await env.say(f"find {typed}", user=user)
    return shown(await private(env, f"Targets with {typed}", *parts, user=user))


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("prices", "acc:shop/prices"),
        ("PRICES shop", "acc:shop/prices"),
        ("stock", "acc:shop/stock"),
        ("server", 'infa:"eu-1/Process Server"'),
        ("weekly", 'infa:"schedule/weekly close"'),
        ("tofu", "itn:cluster_1/my-tofu-service"),
        ("cluster_1", "itn:gateway/cluster_1"),
        ("cafe", 'pre:"Überwachung Café"'),
        ("CAFÉ uber", 'pre:"Überwachung Café"'),
        ("res:", "res:"),
    ],
)
async def test_a_target_that_nobody_typed_yet_is_found_on_its_control_plane(
    five: World, typed: str, target: str
) -> None:
    assert "answer" not in await found(five, typed, target)


async def test_what_matches_best_comes_first_with_its_status_as_a_button(five: World) -> None:
    """The last part of a name is more than a beginning, a beginning more than a part; an agent comes before its runs."""
    await do(five, "start acc:shop/prices")
    await five.say("find prices")
    card = await private(five, "Targets with prices", "acc:shop/prices")
    assert labels(card)[0] == "status acc:shop/prices"
    rows = [row[0] for row in table(card)]
    assert rows[0] == "acc:shop/prices"


def table(message: dict[str, Any]) -> list[list[str]]:
    """The rows of a message's table without its header."""
    (found_table,) = [block for block in message["blocks"] if block["type"] == "table"]
    return [[_text(cell) for cell in row] for row in found_table["rows"][1:]]


def _text(cell: Any) -> str:
    if isinstance(cell, dict):
        return str(cell["text"]) if "text" in cell else "".join(map(_text, cell.get("elements", ())))
    return ""


async def test_a_misspelled_name_finds_what_is_spelled_like_it(five: World) -> None:
    await found(five, "prcies", "No target has `prcies` in its name", "These names are close", "acc:shop/prices")


async def test_what_fits_nothing_says_so(five: World) -> None:
    """The answer, and one next step, for those control planes that can't list everything."""
    await five.say("find zzzzzz")
    card = await private(five, "Targets with zzzzzz")
    (line,) = [block["text"]["text"] for block in card["blocks"][1:]]
    assert line == (
        "No target has `zzzzzz` in its name. Type a full path or id for what is not listed on acc and infa."
    )


async def test_find_needs_a_word(five: World) -> None:
    await five.does("find", "needs a part of a name", "find prices")


async def test_a_guest_finds_nothing(five: World) -> None:
    await five.say("find prices", user="U0GUEST")
    assert "shop/prices" not in shown(await private(five, "Denied", user="U0GUEST"))


async def test_the_menu_of_targets_finds_by_any_part(five: World) -> None:
    await five.say("")
    await five.ana.wait_for(lambda person: person.modal())
    for typed, first in (
        ("prices shop", "acc:shop/prices"),
        ("cafe", 'pre:"Überwachung Café"'),
        ("tofu", "itn:cluster_1/my-tofu-service"),
    ):
        options = [option["value"] for option in await five.ana.suggest("modal", "suggest_target", typed)]
        assert options[0] == first


def forget(folder: Path) -> None:
    """Remove the store, as before a first start."""
    for file in folder.glob("signalbox.db*"):
        file.unlink()


async def test_a_control_plane_that_does_not_answer_is_named_and_its_configured_targets_are_found(
    tmp_path: Path,
) -> None:
    """A first start, and acc is down: what its settings name is found."""
    async with world(tmp_path, only=("acc", "pre"), agents=True) as env:
        await found(env, "feed", "acc:news/feed")
        await env.bot.close()
        forget(tmp_path)
        env.acc.go_away(None)
        await env.start()
        answer = await found(env, "shop", "acc doesn't answer", "acc:shop/prices", "acc:shop/stock", "configured")
        assert "pre doesn't answer" not in answer
        await env.say("targets acc")
        await private(env, "Targets of acc", "acc doesn't answer", "acc:news/feed")


async def test_an_acc_that_is_down_is_named_although_its_agents_were_seen(tmp_path: Path) -> None:
    """It has no list of agents: the remembered ones are shown, and that it doesn't answer now."""
    async with world(tmp_path, only=("acc", "pre")) as env:
        await env.does("status acc:shop/prices", "shop/prices")
        await env.bot.close()
        env.acc.go_away(None)
        await env.start()
        said = await found(env, "shop", "acc doesn't answer", "acc:shop/prices")
        assert "pre doesn't answer" not in said


async def test_five_thousand_targets_are_searched(alone: World) -> None:
    agents = [f"folder {number % 50}/Präzision {number}" for number in range(5_000)]
    await alone.bot.target_cache.remember(
        [
            Target(backend="acc", kind="agent", id=f"a{n}", name=name, scope=f"acc:{name}")
            for n, name in enumerate(agents)
        ]
    )
    answer = await found(alone, "prazision folder", "more matches")
    assert 'acc:"folder 0/Präzision 0"' in answer
    await alone.say("")
    await alone.ana.wait_for(lambda person: person.modal())
    options = await alone.ana.suggest("modal", "suggest_target", "4999 praz")
    assert options[0]["value"] == 'acc:"folder 49/Präzision 4999"'
