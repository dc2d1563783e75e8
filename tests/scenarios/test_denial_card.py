"""A denial is one sentence that leads on; a pre-flight says what it would affect and what its button does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.run import POLICY
from tests.scenarios.team import APPROVERS, CRAWL, INCIDENT, RULES, Team, deciding
from tests.world import World, labels, shown, world


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world where the crawl team may do everything."""
    async with world(tmp_path) as made:
        yield made


def lines(message: dict[str, Any]) -> list[str]:
    """The lines of its sections."""
    texts = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section" and "text" in block]
    return "\n".join(texts).split("\n")


async def test_what_no_rule_allows_is_said_in_one_sentence(team: Team) -> None:
    """What explains it is collapsed; `Ask for it` leads on."""
    no = await team.env.does("start acc:news/feed", "Denied")
    assert lines(no) == ["❌ *Denied: you can't run `start acc:news/feed` in <#C0CRAWL>.*", "No rule allows it."]
    assert labels(no) == ["Ask for it"]
    details = shown({"blocks": [block for block in no["blocks"] if block["type"] == "container"]})
    assert "closest is <#C0CRAWL> allow 2" in details
    assert "/ops why start acc:news/feed" in details


async def test_a_denial_because_of_a_parameter_names_it(team: Team) -> None:
    """With other values the same command is allowed, so the sentence is not that the command isn't."""
    allow = '  [[channel.allow]]\n  verbs = ["start"]\n  targets = ["acc:news/*"]\n  who = ["crawl"]\n'
    limit = "  params = { log_level = [1, 2] }\n"
    await team.new_rules(RULES.replace("  [[channel.deny]]\n", f"{allow}{limit}  [[channel.deny]]\n", 1))
    no = await team.env.does("start acc:news/feed log_level=3", "Denied")
    told = lines(no)[1]
    assert told.startswith("No rule of this channel allows it with these parameters; closest is <#C0CRAWL> allow"), told
    assert "`log_level` is `3`" in told


async def test_a_denial_names_the_channel_where_the_person_may(team: Team) -> None:
    """The button opens it."""
    allow = '[[channel.allow]]\nverbs = ["start"]\ntargets = ["acc:news/*"]\nwho = ["*"]\n'
    env = team.env
    env.ws.set_channel("C0SEC", members=["U0ANA", "U0ROOT", "U0BOT"])
    await team.new_rules(f'{RULES}\n[[channel]]\nid = "C0SEC"\n{allow}')
    no = await env.does("start acc:news/feed", "Denied")
    assert "You can run it in <#C0SEC>." in lines(no)[1]
    assert labels(no) == ["Ask for it", "Open #security"]
    assert f"{env.ws.core.base_url}/archives/C0SEC" in str(no["blocks"])
    hidden = await env.does("start acc:news/feed", "Denied", user="U0RUI")
    assert "C0SEC" not in shown(hidden)


@pytest.mark.parametrize("words", ["status acc:shop/prices", "pauses"])
async def test_a_direct_message_without_rules_says_where_to_go(team: Team, words: str) -> None:
    """The channels that the rules name and the person is in, each with a button."""
    env = team.env
    no = await env.does(words, "Denied", channel=env.ana.dm)
    first, second = lines(no)
    assert first == "❌ *Denied: I don't run commands in this direct message.*"
    assert second == f"Use <#{CRAWL}> or <#{INCIDENT}>."
    assert labels(no) == ["Open #crawl-ops", "Open #incident-42"]


async def test_a_channel_without_rules_says_where_to_go(team: Team) -> None:
    no = await team.env.does("status acc:shop/prices", "Denied", user="U0LEE", channel=APPROVERS)
    assert lines(no)[0] == f"❌ *Denied: I don't run commands in <#{APPROVERS}>.*"
    assert "Open #incident-42" in labels(no)


async def test_the_pre_flight_that_only_asks_does_not_run_what_needs_no_approval_any_more(team: Team) -> None:
    """Break-glass came in between: the button said *Ask for approval*, so it runs nothing."""
    env = team.env
    await env.say("schedule delete acc:news/feed -- no longer needed", user="U0RUI")
    look = await env.sees("Dangerous", user="U0RUI")
    assert labels(look) == ["Ask for approval", "Cancel"]
    await env.say("breakglass for=30m -- down", user="U0RUI")
    await team.event("breakglass")
    await team.press(look, "Ask for approval", user="U0RUI", channel=CRAWL)
    await env.sees("no longer needs approval. Type the command again", user="U0RUI")
    assert [one for one in env.acc.world.schedules.values() if one.agent.path == "news/feed"]
    assert not env.audit(event="approval_requested")


async def test_cancel_says_what_was_cancelled(env: World) -> None:
    look = await env.does("input clear acc:news/feed", "Dangerous")
    assert labels(look) == ["Run it", "Cancel"]
    await env.ana.press_label(CRAWL, look["ts"], "Cancel")
    await env.sees("Cancelled: input clear acc:news/feed. Nothing was done.")
    listed = await env.does("audit news/feed", "input clear acc:news/feed")
    assert "cancelled" in shown(listed)
    assert "abandoned" not in shown(listed)


async def test_clearing_inputs_lists_the_files_that_were_sent_from_here(env: World) -> None:
    """The vendor can't list them; what was sent since the last clearing is in the audit log."""
    await env.does("input clear acc:news/feed", "What it affects", "Nothing was sent through Signalbox.")
    await env.does('input put acc:news/feed name=old.csv text="a"', "now has the input old.csv")
    await env.does('input put acc:news/feed name=new.csv text="b"', "now has the input new.csv")
    look = await env.does("input clear acc:news/feed", "Sent through Signalbox", "old.csv", "new.csv")
    await env.ana.press_label(CRAWL, look["ts"], "Run it")
    await env.until(lambda: [row for row in env.audit(event="done") if row.verb == "input clear"])
    await env.does('input put acc:news/feed name=last.csv text="c"', "now has the input last.csv")
    look = await env.does("input disable acc:news/feed", "Sent through Signalbox", "last.csv")
    look = await env.does("input clear acc:news/feed", "Sent through Signalbox", "last.csv")
    assert "old.csv" not in shown(look)


async def test_a_mark_that_is_there_already_is_refused_before_anyone_is_asked(team: Team) -> None:
    """The second `mark as=failed` says so, and no approver is asked."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("1 of 2 agreed", channel=CRAWL)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.until(lambda: [row for row in env.audit(event="done") if row.verb == "mark"])
    await env.does("mark acc:shop/prices as=failed -- again", "is Failed already")
    assert len(env.audit(event="approval_requested")) == 1


async def test_an_approver_who_may_not_ask_is_led_to_the_request_that_waits_for_them(tmp_path: Path) -> None:
    """Lee types what Ana asked for, in the same channel."""
    async with world(tmp_path, policy=POLICY) as env:
        await env.does("agent approve acc:labs/new -- tested", "Waiting for approval")
        card = await env.sees("wants to run", user="U0LEE", channel=APPROVERS)
        led = await env.does(
            "agent approve acc:labs/new -- yes", "already asked for this", "you can decide", user="U0LEE"
        )
        assert card["ts"].replace(".", "") in str(led["blocks"])
        led = await env.does("agent approve acc:labs/new", "already asked for this", "you can decide", user="U0LEE")
        assert card["ts"].replace(".", "") in str(led["blocks"])
        other = await env.does("agent approve acc:labs/slow -- yes", "Denied", user="U0LEE")
        assert labels(other) == ["Open #incident-42"]  # nobody else approves it
