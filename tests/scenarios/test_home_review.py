"""Behind Review on the Home tab: the requests that wait for a person's decision, whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.runtime.clock import SystemClock
from tests.scenarios.team import ShiftedClock, deciding
from tests.scenarios.test_home import opens
from tests.world import labels, shown


async def test_the_pressed_request_comes_first_and_the_others_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that expires first is first on the tab and behind its buttons, and one that is asked again doesn't jump."""
    async with deciding(tmp_path, monkeypatch) as team:
        env, lee, reasons = team.env, team.env.person("U0LEE"), ["month end", "stock count", "news day"]
        env.acc.add_agent("shop/news")

        def order() -> list[str]:
            words = shown(lee.home() or {})
            return sorted(reasons, key=words.index) if all(one in words for one in reasons) else []

        async def review(position: int) -> list[str]:
            await lee.wait_for(lambda _: labels(lee.home() or {}).count("Review") == 3)
            assert order() == reasons
            rows = [row["accessory"] for row in (lee.home() or {})["blocks"] if "accessory" in row]
            reviews = [one for one in rows if one["text"]["text"] == "Review"]
            await lee.press("home", action_id=reviews[position]["action_id"], value=reviews[position]["value"])
            await lee.wait_for(lambda _: "Back" in labels(lee.home() or {}))
            found = order()
            await lee.press_label("home", label="Back")
            return found

        for agent, reason in zip(("prices", "stock", "news"), reasons, strict=True):
            await env.say(f"start acc:shop/{agent} -- {reason}")
            await team.card(f"start acc:shop/{agent}")
            team.later(seconds=2)
        await opens(env, "U0LEE", "Review 3")
        assert await review(0) == reasons
        assert await review(2) == ["news day", "month end", "stock count"]
        await lee.wait_for(lambda _: "Review 3" in labels(lee.home() or {}))
        await lee.press_label("home", label="Review 3")
        await lee.wait_for(lambda _: "Back" in labels(lee.home() or {}))
        assert order() == reasons
        await lee.press_label("home", label="Back")
        env.acc.world.speed = 0.001
        env.acc.add_run("shop/stock", ago=1)
        card = await team.card("start acc:shop/stock")
        await team.press(card, "Approve")
        await team.card("start acc:shop/stock", "Asked again")
        assert await review(1) == ["stock count", "month end", "news day"]


async def test_the_list_of_approvals_has_the_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests for one target differ in them."""
    async with deciding(tmp_path, monkeypatch) as team:
        for region in ("north", "south"):
            await team.env.say(f"start acc:shop/prices input.region={region}")
            await team.card(f"input.region={region}")
        listed = shown(await team.env.does("approvals", "Waiting for approval", "input.region=north"))
        assert "start acc:shop/prices input.region=south" in listed


@pytest.mark.parametrize("said", ["deny acc:shop/prices", "reject shop/prices", "claim acc:shop/prices", "decline it"])
async def test_who_types_a_decision_is_led_to_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """As with `approve`, and not to the status of the target; its requester is told who can decide."""
    async with deciding(tmp_path, monkeypatch) as team:
        await team.env.does("start acc:shop/prices -- month end", "Waiting for approval")
        await team.card("start acc:shop/prices")
        answer = await team.env.does(said, "Approve or deny on the card", user="U0LEE")
        assert labels(answer) == ["Open start acc:shop/prices for Ana Alves"]
        await team.env.does(said, "<@U0LEE> can decide your request `start acc:shop/prices`.")


async def test_the_answer_to_a_press_on_the_home_tab_names_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a direct message, beside no card. The tab also tells who is looking at the request."""
    async with deciding(tmp_path, monkeypatch) as team:
        env, lee = team.env, team.env.person("U0LEE")
        env.ws.edit_group("S0LEADS", ["U0LEE", "U0ROOT"])
        await env.say("start acc:shop/prices -- month end")
        card = await team.card("start acc:shop/prices")
        await team.press(card, "Claim", user="U0ROOT")
        await team.card("start acc:shop/prices", "<@U0ROOT> is looking at it")
        await opens(env, "U0LEE", "Review 1")
        await lee.press_label("home", label="Review")
        await lee.wait_for(lambda _: "<@U0ROOT> is looking at it" in shown(lee.home() or {}))
        env.acc.world.speed = 0.001
        env.acc.add_run("shop/prices", ago=1)
        await lee.press_label("home", label="Approve")
        told = await env.sees("Not counted: the state changed", "start acc:shop/prices", user="U0LEE", channel="D0LEE")
        assert f"/archives/{card_place(card)}" in str(told["blocks"])


async def test_what_is_decided_keeps_its_place_so_that_no_other_request_comes_under_a_second_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its requester cancels it. The other requests don't move, and it says how it ended until *Back*."""
    async with deciding(tmp_path, monkeypatch) as team:
        env, lee = team.env, team.env.person("U0LEE")
        for agent in ("prices", "stock", "offers"):
            if agent == "offers":
                env.acc.add_agent("shop/offers")
            await env.say(f"start acc:shop/{agent} -- {agent} first")
            await team.card(f"start acc:shop/{agent}")
            team.later(seconds=2)
        await opens(env, "U0LEE", "Review 3")
        await lee.press_label("home", label="Review 3")
        await lee.wait_for(lambda _: labels(lee.home() or {}).count("Approve") == 3)
        before = places(lee.home())
        await lee.press_label("home", label="Approve")
        await lee.wait_for(lambda _: "Approved by <@U0LEE>: `start acc:shop/prices`" in shown(lee.home() or {}))
        assert places(lee.home())[1:] == before[1:]
        waiting = await env.sees("start acc:shop/stock", "Cancel")
        await env.ana.press_label("C0CRAWL", waiting["ts"], "Cancel")
        await lee.wait_for(lambda _: "Cancelled by <@U0ANA>: `start acc:shop/stock`" in shown(lee.home() or {}))
        assert places(lee.home())[2:] == before[2:]
        assert labels(lee.home() or {}).count("Approve") == 1
        await lee.press_label("home", label="Back")
        await lee.wait_for(lambda _: "Review 1" in labels(lee.home() or {}))
        await lee.press_label("home", label="Review 1")
        await lee.wait_for(lambda _: "Back" in labels(lee.home() or {}))
        assert "Approved by" not in shown(lee.home() or {})


def places(home: dict[str, Any] | None) -> list[tuple[int, int]]:
    """Of each request, its first block on the tab and its number of lines."""
    blocks = (home or {})["blocks"]
    lines = [str(block).count("\\n") for block in blocks]
    starts = [at for at, block in enumerate(blocks) if block["type"] == "section" and "start acc:" in str(block)]
    return [(at, sum(lines[at : following or None])) for at, following in zip(starts, [*starts[1:], 0], strict=True)]


def card_place(card: dict[str, Any]) -> str:
    """The end of a link to the card."""
    return f"C0APPR/p{card['ts'].replace('.', '')}"


async def test_the_page_turns_also_after_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or when the next leader's clock is behind that of the last one."""
    async with deciding(tmp_path, monkeypatch) as team:
        env, lee = team.env, team.env.person("U0LEE")
        await env.say("start acc:shop/prices -- month end")
        await team.card("start acc:shop/prices")
        team.later(minutes=10)
        await opens(env, "U0LEE", "Review 1")
        monkeypatch.setattr(ShiftedClock, "now", SystemClock.now)
        for button, then in (("Review 1", "Back"), ("Back", "Review 1"), ("Review 1", "Back")):
            await lee.press_label("home", label=button)
            await lee.wait_for(lambda _: then in labels(lee.home() or {}))  # noqa: B023
