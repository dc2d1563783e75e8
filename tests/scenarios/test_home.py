"""The Home tab of who has looked at it lately follows what happens; others wait until they open it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.scenarios.team import RULES, Team, deciding
from tests.world import OPEN_POLICY, World, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST = "d9c944df-93a7-ea77-f7b7-fa0b9c579917"


@pytest_asyncio.fixture(loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world for one test, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("home"), monkeypatch, RULES) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The same without approvals."""
    async with deciding(tmp_path_factory.mktemp("home"), monkeypatch, OPEN_POLICY) as made:
        yield made


def published(env: World, user: str) -> int:
    """How often the tab of this person was published."""
    return sum(call.method == "views.publish" and call.args.get("user_id") == user for call in env.ws.calls)


async def opens(env: World, user: str, *parts: str) -> None:
    """Open the tab and see all parts."""
    await env.person(user).open_home()
    await tab(env, user, *parts)


async def tab(env: World, user: str, *parts: str) -> str:
    """The tab once it shows all parts."""

    def look(person: object) -> str | None:
        words = shown(env.person(user).home() or {})
        return words if all(part in words for part in parts) else None

    return str(await env.person(user).wait_for(look, timeout=10))


async def test_a_new_question_appears_on_the_tabs_of_those_who_may_decide_and_of_who_asks(team: Team) -> None:
    """Lee and Ana have theirs open; Rui may decide nothing and has not opened his."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    await opens(env, "U0ANA", "No requests.")
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    assert "month end" in await tab(env, "U0LEE", "You can decide: start acc:shop/prices")
    await tab(env, "U0ANA", "Waiting for approval", "start acc:shop/prices")
    await env.person("U0LEE").press_label("home", label="Approve")
    await env.until(lambda: len(team.effects()) == 1)
    assert env.person("U0RUI").home() is None


async def test_tabs_of_those_who_have_not_looked_lately_wait(team: Team) -> None:
    """Two days after Lee opened his, a question is put to him: nothing is published until he looks again."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    team.later(days=2)
    before = published(env, "U0LEE")
    await env.does("start acc:shop/prices", "Waiting for approval")
    team.later(seconds=5)
    await env.bot.leader.timers.beat()
    await env.quiet()
    assert published(env, "U0LEE") == before
    await opens(env, "U0LEE", "You can decide")


async def test_a_restart_draws_the_tabs_anew(team: Team) -> None:
    """Whatever was changed and not shown when the program stopped is shown after its start."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    before = published(env, "U0LEE")
    await env.restart()
    await env.until(lambda: published(env, "U0LEE") == before + 1)
    assert published(env, "U0RUI") == 0


async def test_many_changes_are_few_publications(team: Team) -> None:
    """Slack takes a hundred a minute for everybody: what changes meanwhile is shown together."""
    env = team.env
    await opens(env, "U0LEE", "Backends")
    before = published(env, "U0LEE")
    for _ in range(8):
        await env.say("start acc:shop/prices")
    await env.until(lambda: len(env.audit(event="approval_requested")) == 8)
    await env.until(lambda: shown(env.person("U0LEE").home() or {}).count("You can decide") == 5)
    assert published(env, "U0LEE") - before < 8


async def test_runs_and_pauses_are_named_as_on_their_cards(later: Team) -> None:
    """By the agent that they are a part of, also where the id alone was typed; they go when they end."""
    env = later.env
    await opens(env, "U0ANA", "No paused schedules.", "No runs in progress.")
    await env.does(f"schedule off acc:schedule/{FIRST} for=1h -- moving", "Paused until")
    await env.does("schedules acc:shop/prices", "2 schedules")
    await env.does("start acc:labs/slow", "start acc:labs/slow")
    words = await tab(env, "U0ANA", "acc:labs/slow (run ", "moving")
    await opens(env, "U0ANA", "acc:shop/prices (schedule d9c944df)")
    words = await tab(env, "U0ANA", "acc:shop/prices (schedule d9c944df)")
    assert FIRST not in words
    assert "C0CRAWL" in words
    later.later(hours=1)
    await tab(env, "U0ANA", "No paused schedules.")
