"""A group DM over real HTTP: no place to ask but where a rule names it by its id, and then like any other channel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slack.support import http_world
from tests.world import OPEN_POLICY, World


async def test_a_group_dm_that_no_rule_names_is_no_place_to_ask(tmp_path: Path) -> None:
    """Ana, who may do everything in #crawl-ops, types and mentions in a group DM: denied, looking too; `why` says where."""
    async with http_world(tmp_path) as here:
        few = here.ws.open_mpim("U0ANA", "U0LEE").id
        for text in ("start acc:shop/prices", "status acc:shop/prices", "backends"):
            await here.say(text, channel=few)
            await here.sees("Denied", "No rule names this group message by its id", channel=few)
        assert (await here.ana.post(few, "<@U0BOT> start acc:shop/prices")).acked
        rows = await here.until(lambda: found if len(found := here.audit(event="denied")) == 4 else None)
        assert {(row.channel_id, row.code) for row in rows} == {(few, "dm_not_listed")}
        assert not here.acc.effects
        assert not here.audit(event="sent")


async def test_words_without_a_mention_are_not_for_the_bot(tmp_path: Path) -> None:
    """It does not listen in group DMs."""
    async with http_world(tmp_path) as here:
        few = here.ws.open_mpim("U0ANA", "U0LEE").id
        await here.ana.post(few, "start acc:shop/prices")
        await here.does("whoami", "U0ANA")
        assert {row.verb for row in here.audit() if row.user_id} == {"whoami"}
        assert not [row for row in here.audit() if row.channel_id == few]


@pytest.mark.parametrize("named", [True, False])
async def test_a_rule_that_names_its_id_counts_there(tmp_path: Path, named: bool) -> None:
    """The id in the file is its own, not another's."""
    async with http_world(tmp_path) as here:
        few = here.ws.open_mpim("U0ANA", "U0LEE").id
        await rules(here, OPEN_POLICY.replace("C0CRAWL", few if named else "G0OTHER"))
        await here.say("start acc:shop/prices", channel=few)
        await here.until(lambda: here.audit(event="done" if named else "denied"))
        assert bool(here.acc.effects) is named


async def rules(here: World, text: str) -> None:
    """Write other rules and wait until they are in force."""
    before = here.bot.rules.now.policy.version
    (here.folder / "policy.toml").write_text(text, encoding="utf-8")
    await here.until(lambda: here.bot.rules.now.policy.version != before)
