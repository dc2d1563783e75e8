"""A group DM over real HTTP: no place to ask but where a rule names it by its id, and then like any other channel."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.workspace.state import Channel
from tests.slack.support import http_world
from tests.world import OPEN_POLICY, World, shown


async def test_a_group_dm_that_no_rule_names_is_no_place_to_ask(tmp_path: Path) -> None:
    """Ana, who may do everything in #crawl-ops, types and mentions in a group DM: denied, looking too; `why` says where."""
    async with http_world(tmp_path) as env:
        few = env.ws.open_mpim("U0ANA", "U0LEE").id
        for text in ("start acc:shop/prices", "status acc:shop/prices", "backends"):
            await env.say(text, channel=few)
            await env.sees("Denied", "No rule names this group message by its id", channel=few)
        assert (await env.ana.post(few, "<@U0BOT> start acc:shop/prices")).acked
        rows = await env.until(lambda: found if len(found := env.audit(event="denied")) == 4 else None)
        assert {(row.channel_id, row.code) for row in rows} == {(few, "dm_not_listed")}
        assert not env.acc.effects
        assert not env.audit(event="sent")


async def test_words_without_a_mention_are_not_for_the_bot(tmp_path: Path) -> None:
    """It does not listen in group DMs."""
    async with http_world(tmp_path) as env:
        few = env.ws.open_mpim("U0ANA", "U0LEE").id
        await env.ana.post(few, "start acc:shop/prices")
        await env.does("whoami", "U0ANA")
        assert {row.verb for row in env.audit() if row.user_id} == {"whoami"}
        assert not [row for row in env.audit() if row.channel_id == few]


@pytest.mark.parametrize("named", [True, False])
async def test_a_rule_that_names_its_id_counts_there(tmp_path: Path, named: bool) -> None:
    """The id in the file is its own, not another's."""
    async with http_world(tmp_path) as env:
        few = env.ws.open_mpim("U0ANA", "U0LEE").id
        await rules(env, OPEN_POLICY.replace("C0CRAWL", few if named else "G0OTHER"))
        await env.say("start acc:shop/prices", channel=few)
        await env.until(lambda: env.audit(event="done" if named else "denied"))
        assert bool(env.acc.effects) is named


async def rules(env: World, text: str) -> None:
    """Write other rules and wait until they are in force."""
    before = env.bot.rules.now.policy.version
    (env.folder / "policy.toml").write_text(text, encoding="utf-8")
    await env.until(lambda: env.bot.rules.now.policy.version != before)


async def test_a_direct_message_of_two_people_says_where_to_type_instead(tmp_path: Path) -> None:
    """Nobody can invite an app there."""
    async with http_world(tmp_path) as env:
        pair = Channel("D0PAIR", "directmessage", ["U0ANA", "U0LEE"], 0, im_user="U0LEE")
        env.ws.core.state.channels[pair.id] = pair
        await env.say("start acc:shop/prices", channel="D0PAIR")
        await env.until(lambda: env.audit(event="denied"))
        denied = await env.sees("Denied", "in a direct message to me", channel="D0PAIR")
        assert "invite" not in shown(denied).lower()
