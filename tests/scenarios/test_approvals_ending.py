"""What is said when an approval ends without enough of them, or a press cannot be judged, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.team import CRAWL, Team, deciding
from tests.world import labels, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_who_has_agreed_is_not_called_again_and_is_not_nobody(team: Team) -> None:
    """Lee agrees, one more is needed: the reminder calls Root, and the end says that one of two agreed."""
    await team.env.say("mark acc:shop/prices as=failed")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.card("1 of 2 agreed", channel=CRAWL)
    team.later(minutes=31)
    reminder = shown(await team.sees_in_thread("Still waiting", "1 of 2 agreed", "<@U0ROOT>"))
    assert "<@U0LEE>" not in reminder
    team.later(minutes=31)
    await team.sees_in_thread("Only 1 of 2 agreed within 1 h", "<@U0ANA>")
    assert not team.effects("status")


async def test_an_expired_approval_is_asked_again_with_a_button_that_only_the_requester_may_press(team: Team) -> None:
    """The same command with its parameters and its reason is put to the approvers as a new request."""
    env = team.env
    await env.say("start acc:shop/prices input.day=monday -- new prices")
    await team.card("start acc:shop/prices")
    team.later(minutes=31)
    expired = await env.sees("start acc:shop/prices", "Nobody decided within 30 min", "*Approval*", user="U0ANA")
    assert "Ask again" in labels(expired)
    await team.press(expired, "Ask again", user="U0RUI", channel=CRAWL)
    await env.sees("Only the requester can press this", user="U0RUI")
    await team.press(expired, "Ask again", user="U0ANA", channel=CRAWL)
    await env.sees("Asked again by <@U0ANA>: waiting for approval")
    await team.press(await team.card("start acc:shop/prices", "monday", "new prices"), "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    assert len({row.request_id for row in env.audit(event="approval_requested")}) == 2


async def test_who_comes_too_late_reads_a_name(team: Team) -> None:
    """The person who was first is a live mention in the sentence, not the letters of one."""
    await team.env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.deny(card, "closed")
    await team.event("rejected")
    await team.press(card, "Approve")
    late = await team.sees("Too late. Denied by <@U0LEE>")
    assert late["blocks"][0]["text"]["text"].startswith("⚠️ *Too late. Denied by <@U0LEE> ")


async def test_a_user_group_that_cannot_be_read_is_no_verdict_on_the_person(team: Team) -> None:
    """Nothing is counted, as always; but Lee is told that Slack did not answer, and the next press counts."""
    await team.env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    team.later(seconds=4)
    team.env.ws.faults.fail("usergroups.list", error="fatal_error")
    await team.press(card, "Approve")
    await team.sees("You can't decide this", "Slack doesn't say who is in")
    assert not team.effects()
    team.env.ws.faults.clear()
    await team.press(card, "Approve")
    await team.sees("Approved by <@U0LEE>")
    await team.env.until(lambda: len(team.effects()) == 1)


async def test_whose_vote_counts_no_more_is_called_back(team: Team) -> None:
    """Lee agreed before a run began; Root's press finds it, the card is asked again, and Lee hears of it in its thread."""
    await team.env.say("mark acc:shop/prices as=failed")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.card("1 of 2 agreed", channel=CRAWL)
    team.env.acc.world.speed = 0.001
    team.env.acc.add_run("shop/prices", ago=1)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    called = shown(await team.sees_in_thread("Asked again: mark acc:shop/prices", "no longer counts", "<@U0LEE>"))
    assert "<@U0ROOT>" not in called
    assert not team.effects("status")
