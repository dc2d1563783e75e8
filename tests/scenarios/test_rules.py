"""Rules from Slack to the control plane: who is denied and told why, what `why` and `help` say, what buttons offer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from bot.playground.workspace.payloads import slash_command
from tests.scenarios.steps import do, last_seq, mention, private, starts
from tests.world import GROUPS, World, labels, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime.now(UTC)
RULES = f"""\
{GROUPS}

[[channel]]
id = "C0CRAWL"
  [[channel.allow]]
  verbs = ["risk:read"]
  targets = ["acc:*"]
  who = ["*"]
  [[channel.allow]]
  verbs = ["start"]
  targets = ["acc:shop/*"]
  who = ["crawl"]
  params = {{ production = [false] }}
  [[channel.allow]]
  verbs = ["start", "retry"]
  targets = ["acc:news/*"]
  who = ["leads"]
  [[channel.allow]]
  verbs = ["mark"]
  targets = ["acc:*"]
  who = ["crawl", "admins"]
  [[channel.deny]]
  verbs = ["start"]
  targets = ["acc:labs/new"]
  because = "labs/new is not approved yet; ask Lee."

[[channel]]
id = "C0INC"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]

[[channel]]
id = "C0SHARED"
  [[channel.allow]]
  verbs = ["*"]
  targets = ["*"]
  who = ["*"]

[[freeze]]
from = {NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
until = {NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}
verbs = ["mark"]
except = ["admins"]
because = "Year-end freeze"

[administrators]
who = ["admins"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ruled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world with narrow rules."""
    async with world(tmp_path_factory.mktemp("ruled"), policy=RULES) as made:
        made.acc.world.speed = 60.0
        yield made


async def test_a_denial_says_why_and_who_may_and_is_registered(ruled: World) -> None:
    """Nobody gets a bare no: the reason, who may do it here, and where the asker may."""
    asked = await do(ruled, "start acc:shop/prices production=false", user="U0LEE")
    assert asked.events == ["requested", "denied"]
    row = asked.row("denied")
    assert (row.user_id, row.code, row.risk, row.target_name) == ("U0LEE", "no_rule", "change", "acc:shop/prices")
    assert row.rule
    assert "person read" in str(row.detail)
    card = await asked.card(
        "Denied: you can't run `start acc:shop/prices` in <#C0CRAWL>.", "You can run it in <#C0INC>"
    )
    assert card["ephemeral"]
    assert "Open #incident-42" in labels(card)
    assert [block["type"] for block in card["blocks"]] == ["section", "actions", "container"]
    assert "Who may do it here" in shown(card)
    assert asked.changes == []


async def test_a_deny_rule_wins_and_gives_its_reason(ruled: World) -> None:
    """`because` of the rule is what the person reads."""
    asked = await do(ruled, "start acc:labs/new")
    await asked.card("Denied: you can't run `start acc:labs/new`", "labs/new is not approved yet; ask Lee.")
    assert asked.row("denied").code == "deny_rule"


async def test_a_rule_counts_for_an_id_as_for_the_path(ruled: World) -> None:
    """An agent's id is no way round a rule on its path."""
    await do(ruled, "status acc:labs/new", user="U0RUI")
    asked = await do(ruled, f"start acc:{ruled.acc.agent('labs/new').agent_id}")
    assert asked.row("denied").code == "deny_rule"


async def test_a_rule_may_limit_a_parameter_and_a_default_counts_as_said(ruled: World) -> None:
    """production=false only: leaving it out means true, and that is denied."""
    unsaid = await do(ruled, "start acc:shop/prices")
    assert unsaid.events[-1] == "denied"
    await unsaid.card("Denied", "production")
    answer = await do(ruled, "start acc:shop/prices production=false")
    assert answer.events[:3] == ["requested", "sent", "done"]


async def test_a_freeze_denies_changes_to_all_but_those_it_excepts(ruled: World) -> None:
    """The window's reason is shown and registered; an administrator passes."""
    ana = await do(ruled, "mark acc:shop/prices as=failed")
    answer = shown(await ana.card("Denied", "Year-end freeze", "Exempt from the freeze", "admins"))
    assert "Who may do it here" not in answer
    assert ana.row("denied").code == "freeze"
    assert ana.changes == []
    root = await do(ruled, "mark acc:shop/prices as=failed", user="U0ROOT")
    assert root.events[-1] == "done"


async def test_a_guest_is_denied(ruled: World) -> None:
    """`who = ["*"]` means full members."""
    asked = await do(ruled, "status acc:shop/prices", user="U0GUEST")
    assert asked.events == ["requested", "denied"]
    await asked.card("Denied", "guest")


async def test_somebody_of_another_organization_is_denied(ruled: World) -> None:
    """Eve of the partner has no slash command, and her mention in the shared channel does nothing."""
    assert (await ruled.person("U0EXT").command("C0SHARED", "/ops status acc:shop/prices")).error == "invalid_command"
    asked = await mention(ruled, "start acc:shop/prices", user="U0EXT", channel="C0SHARED")
    assert await asked.ends() == "denied"
    assert asked.changes == []
    assert asked.row("denied").user_id == "U0EXT"


async def test_a_direct_message_is_denied_unless_it_is_listed(ruled: World) -> None:
    """A DM is a place like any other: no rule, no way."""
    seq, calls = last_seq(ruled), len(ruled.acc.requests)
    await ruled.ana.post(ruled.ana.dm, "status acc:labs/slow")
    rows = await ruled.until(lambda: [row for row in ruled.audit(event="denied") if row.seq > seq])
    assert rows[0].channel_id == ruled.ana.dm
    assert rows[0].code in ("dm_not_listed", "not_listed")
    slow = next(agent.agent_id for agent in ruled.acc.world.agents.values() if agent.path == "labs/slow")
    assert all(f"{slow}/history" not in call.raw_path for call in ruled.acc.requests[calls:])


async def test_another_workspace_is_refused_and_registered(ruled: World) -> None:
    """A request that carries another team is acked with a no and does nothing."""
    core = ruled.ws.core
    payload = slash_command(core, core.state.users["U0ANA"], core.state.channels["C0CRAWL"], "/ops", "backends")
    seq = last_seq(ruled)
    receipt = await ruled.ws.deliver("slash_commands", payload | {"team_id": "T0OTHER"})
    assert receipt.acked
    rows = [row for row in ruled.audit() if row.seq > seq and row.team_id == "T0OTHER"]
    assert [(str(row.event), row.code) for row in rows] == [("requested", None), ("denied", "other_workspace")]


async def test_a_bot_is_denied(alone: World) -> None:
    """An app that types or writes is nobody, whatever its channel allows."""
    alone.ws.set_user("U0RUI", is_bot=True)
    asked = await do(alone, "start acc:shop/prices", user="U0RUI")
    assert asked.events == ["requested", "denied"]
    assert asked.changes == []


async def test_somebody_who_was_deactivated_is_denied(alone: World) -> None:
    """A late request of an account that is no more does nothing."""
    core = alone.ws.core
    payload = slash_command(
        core, core.state.users["U0RUI"], core.state.channels["C0CRAWL"], "/ops", "start acc:shop/prices"
    )
    alone.ws.set_user("U0RUI", deleted=True)
    assert (await alone.ws.deliver("slash_commands", payload)).acked
    (row,) = await alone.until(lambda: alone.audit(event="denied"))
    assert (row.user_id, row.code) == ("U0RUI", "deactivated")
    assert starts(alone) == 0


async def test_why_prints_every_rule_and_the_first_condition_that_fails(ruled: World) -> None:
    """`why` runs nothing, and tells of each rule of the channel what kept it from deciding."""
    before = starts(ruled)
    await ruled.say("why start acc:news/feed")
    card = await private(ruled, "Why: start acc:news/feed", "Denied: ")
    words = shown(card)
    for number in (1, 2, 3, 4):
        assert f"<#C0CRAWL> allow {number}" in words
    assert "<#C0CRAWL> deny 1" in words
    assert starts(ruled) == before
    await ruled.say("why start acc:shop/prices production=false")
    await private(ruled, "Why: start acc:shop/prices", "Allowed: ")


async def test_help_lists_only_what_this_person_may_do_here(ruled: World) -> None:
    """Ana sees start, Lee sees retry, nobody sees what no rule allows, and a guest is told that there is nothing."""
    await ruled.say("help all")
    ana = shown(await private(ruled, "Everything you can do here"))
    for verb in ("start", "status", "policy", "doctor", "grants"):
        assert f"`{verb}`" in ana, verb
    for verb in ("retry", "input clear", "schedule delete", "logs"):
        assert f"`{verb}`" not in ana, verb
    assert "/ops grant @" in ana  # what she may do herself she may hand on
    for verb in ("revoke", "breakglass"):
        assert f"/ops {verb}" not in ana, verb
    await ruled.say("help all", user="U0ROOT")
    root = shown(await private(ruled, "Everything you can do here", user="U0ROOT"))
    for verb in ("grant @", "revoke"):
        assert f"/ops {verb}" in root, verb
    await ruled.say("help all", user="U0LEE")
    assert "`retry`" in shown(await private(ruled, "Everything you can do here", user="U0LEE"))
    await ruled.say("help", user="U0GUEST")
    guest = shown(await private(ruled, "What you can do here", user="U0GUEST"))
    assert "lets you do anything" in guest
    assert "/ops start" not in guest


async def test_buttons_are_offered_only_to_who_may_press_them(ruled: World) -> None:
    """A card never shows a step that the rules deny: Ana may look at news, and may not start it."""
    asked = await do(ruled, "status acc:news/feed")
    card = await asked.card("status acc:news/feed")
    assert "Start" not in labels(card)


async def test_why_takes_another_person_also_after_the_command(ruled: World) -> None:
    """`as=run` there is a parameter of the command; a person is meant for `why`. What can't be read is named."""
    await ruled.does("why start acc:news/feed as=<@U0ANA>", "Why: start acc:news/feed", "as <@U0ANA>", user="U0ROOT")
    await ruled.does("why <@U0ANA> start acc:news/feed", "Why: start acc:news/feed", "as <@U0ANA>", user="U0ROOT")
    nobody = await ruled.does("why start acc:news/feed as=<@U0NOBODY>", "Slack doesn't say who", user="U0ROOT")
    assert "who you are" not in shown(nobody)
    await ruled.does("why start nope:x", "Nothing was done", "nope", user="U0ROOT")
    await ruled.does("why", "Nothing was done", "Write a command after `why`", user="U0ROOT")
