"""Slack refuses one kind of message after the other; each time the right person knows the outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.steps import ask, do, mention, starts
from tests.scenarios.team import APPROVERS, RULES, Team, deciding
from tests.world import World, labels, request_id, shown, world

# One code of each class of refusal that concerns a place: the channel, the workspace's grant, the token's scopes, an unknown one.
REFUSALS = ("restricted_action", "team_access_not_granted", "missing_scope", "some_error_of_the_future")


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world where the crawl team may do everything."""
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch, RULES) as made:
        yield made


@pytest.mark.parametrize("code", REFUSALS)
async def test_the_first_card(env: World, code: str) -> None:
    """A start runs, and the person who typed it reads the outcome where they typed it."""
    env.ws.faults.fail("chat.postMessage", error=code, channel="C0CRAWL")
    asked = await do(env, "start acc:shop/prices")
    card = await asked.card("start acc:shop/prices", f"({code})")
    assert card["ephemeral"]
    assert starts(env) == 1


@pytest.mark.parametrize("code", REFUSALS)
async def test_the_first_card_of_a_mention(env: World, code: str) -> None:
    """Without a response_url the outcome comes by direct message, and its end is told there too."""
    env.ws.faults.fail("chat.postMessage", error=code, channel="C0CRAWL")
    await mention(env, "start acc:shop/prices")
    await env.sees("start acc:shop/prices", f"I can't write in <#C0CRAWL> ({code})", "Succeeded", channel="D0ANA")


@pytest.mark.parametrize("code", [*REFUSALS, "posting_to_channel_denied"])
async def test_an_update(env: World, code: str) -> None:
    """The card stays as it was posted; the end of the run is told to the person."""
    env.acc.world.speed = 5.0
    await do(env, "start acc:shop/prices")
    env.ws.faults.fail("chat.update", error=code, channel="C0CRAWL")
    await env.sees("start acc:shop/prices", "Succeeded", f"({code})", channel="D0ANA")


@pytest.mark.parametrize("code", [*REFUSALS, "restricted_action_thread_only_channel"])
async def test_an_approval_card(team: Team, code: str) -> None:
    """The requester knows within seconds; the approver is told by direct message and decides on the Home tab."""
    env = team.env
    env.ws.faults.fail("chat.postMessage", error=code, channel=APPROVERS)
    await env.say("start acc:shop/prices")
    await env.sees(f"I can't write in <#{APPROVERS}> ({code})", "<@U0LEE>")
    message = await env.sees("wants to run `start acc:shop/prices`", "Home tab", user="U0LEE", channel="D0LEE")
    assert labels(message) == []
    await env.person("U0LEE").open_home()
    await env.person("U0LEE").wait_for(lambda person: "Review 1" in labels(person.home() or {}))
    await env.person("U0LEE").press_label("home", label="Review 1")
    await env.person("U0LEE").wait_for(lambda person: "Approve" in labels(person.home() or {}))
    await env.person("U0LEE").press_label("home", label="Approve")
    await env.sees("start acc:shop/prices", "approved by <@U0LEE>")
    await env.until(team.effects)
    assert len(team.effects()) == 1


async def test_an_approval_card_and_the_direct_message_for_the_approver(team: Team) -> None:
    """The requester reads that the approver got nothing, and what to do; no message claims a delivery."""
    env = team.env
    env.ws.faults.fail("chat.postMessage", error="restricted_action", channel=APPROVERS)
    env.ws.faults.fail("conversations.open", error="user_disabled")
    await env.say("start acc:shop/prices")
    await env.sees("I can't send <@U0LEE> a direct message either (user_disabled)", "Home tab")
    first = await env.sees(f"I can't write in <#{APPROVERS}>", "I'm sending <@U0LEE> a direct message")
    assert "I sent" not in shown(first)
    assert team.effects() == []


async def test_an_approval_card_is_posted_once_slack_takes_it(team: Team) -> None:
    env = team.env
    env.ws.faults.fail("chat.postMessage", error="restricted_action", channel=APPROVERS)
    await env.say("start acc:shop/prices")
    await env.sees(f"I can't write in <#{APPROVERS}>")
    env.ws.faults.clear()
    team.later(seconds=15)
    posted = await team.card("start acc:shop/prices")
    for user, channel in (("U0LEE", "D0LEE"), ("U0ANA", "C0CRAWL")):
        await env.sees(f"This is in <#{APPROVERS}> now", user=user, channel=channel)
    await team.press(posted, "Approve")
    await env.sees("start acc:shop/prices", "Succeeded")


async def test_an_approval_that_is_decided_before_its_card_is_posted(team: Team) -> None:
    """Decided on the Home tab: the direct message shows the decision, and nothing claims that the question is open."""
    env = team.env
    env.ws.faults.fail("chat.postMessage", error="restricted_action", channel=APPROVERS)
    await env.say("start acc:shop/prices")
    await env.sees("wants to run `start acc:shop/prices`", "Home tab", user="U0LEE", channel="D0LEE")
    lee = env.person("U0LEE")
    await lee.open_home()
    await lee.wait_for(lambda person: "Review 1" in labels(person.home() or {}))
    await lee.press_label("home", label="Review 1")
    await lee.wait_for(lambda person: "Approve" in labels(person.home() or {}))
    await lee.press_label("home", label="Approve")
    await env.sees("Approved by <@U0LEE>", user="U0LEE", channel="D0LEE")
    await lee.wait_for(lambda person: not any("Home tab" in shown(one) for one in person.messages("D0LEE")))
    await env.ana.wait_for(lambda person: not any("I keep trying" in shown(one) for one in person.messages("C0CRAWL")))


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_private_answer(env: World, code: str) -> None:
    env.ws.faults.fail("chat.postEphemeral", error=code)
    await mention(env, "start acc:no/such")
    await env.sees("Nothing was done", f"({code})", channel="D0ANA")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"error": "view_too_large"}, "because Slack refused it"),
        ({"error": "expired_trigger_id"}, "in time"),
        ({"error": "missing_scope"}, "because Slack refused it"),
        ({"error": "internal_error"}, ""),
        ({"status": 503}, ""),
        ({"status": 429}, ""),
        ({"drop": "before"}, ""),
        ({"error": "some_error_of_the_future"}, "because Slack refused it"),
    ],
)
async def test_a_modal(env: World, fault: dict[str, Any], why: str) -> None:
    """Whatever class of refusal it is, the person is told to type the command instead: a trigger can't be used again."""
    env.ws.faults.fail("views.open", **fault)
    await env.say("")
    await env.sees("The form did not open", why, "help")


@pytest.mark.parametrize("code", ["file_uploads_disabled", "not_in_channel", "some_error_of_the_future"])
async def test_a_file(env: World, code: str) -> None:
    """The person who asked for a log is called in its thread, with what to do."""
    env.ws.faults.fail("files.completeUploadExternal", error=code)
    asked = await ask(env, "logs acc:shop/prices@last")
    await env.sees("could not be uploaded", f"({code})", "<@U0ANA>", "signalbox do")
    assert request_id(await asked.card())


@pytest.mark.parametrize("code", ["not_enabled", "missing_scope", "some_error_of_the_future"])
async def test_the_home_tab(env: World, code: str) -> None:
    env.ws.faults.fail("views.publish", error=code)
    await env.ana.open_home()
    await env.sees("I can't show your Home tab", f"({code})", channel="D0ANA")


async def test_everything_that_concerns_a_person(env: World) -> None:
    """Neither the channel nor a direct message: the security channel reads whom to tell, and what."""
    env.ws.faults.fail("chat.postMessage", error="restricted_action", channel="C0CRAWL")
    env.ws.faults.fail("conversations.open", error="user_disabled")
    await mention(env, "start acc:shop/prices")
    message = await env.sees("could not be delivered", "<@U0ANA>", "Succeeded", user="U0ROOT", channel="C0SEC")
    assert "start acc:shop/prices" in shown(message)
