"""Prefactor from Slack's side: typed in a channel, shown on a card, written in the audit log."""

from __future__ import annotations

from pathlib import Path

from tests.world import labels, shown, world


async def test_an_agent_is_created_shown_with_its_allowed_buttons_and_retired_behind_a_preflight(
    tmp_path: Path,
) -> None:
    """Create, a second create of the name, a mistyped name, and retire by the card's own button."""
    async with world(tmp_path, only=("pre",)) as env:
        plane = env.planes["pre"]
        card = await env.does('create pre:contract-bot description="Drafts contracts"', "This doesn't start any work")
        assert {"Instances", "Retire", "Delete"} <= set(labels(card))
        await env.does("create pre:contract-bot", "already has an agent `contract-bot`")
        await env.does("create pre:other external_identifier=invoice-reader", "Field external_identifier", "been taken")
        await env.does("status pre:contract-bto", "pre has no agent `contract-bto`", "pre:contract-bot")
        assert [deed.action for deed in plane.effects] == ["create"]
        await env.ana.press_label("C0CRAWL", card["ts"], "Retire")
        look = await env.sees("Dangerous: check before you run it", "Allowed now", "update, retire, delete")
        await env.ana.press_label("C0CRAWL", look["ts"], "Run it")
        retired = await env.sees("contract-bot is retired")
        assert "Reinstate" in labels(retired)
        assert [deed.action for deed in plane.effects] == ["create", "retire"]
        (row,) = [entry for entry in env.audit() if entry.verb == "retire" and entry.event == "done"]
        assert row.target_id == plane.effects[0].subject
        assert plane.token not in shown(card) + shown(look) + shown(retired)


async def test_who_stops_an_instance_sees_which_one(tmp_path: Path) -> None:
    """Ids that are made in order begin alike: the title shows where they differ, and the pre-flight the whole id."""
    async with world(tmp_path, only=("pre",)) as env:
        plane = env.planes["pre"]
        agent = plane.add_agent("many-at-once")
        one, other = (plane.add_instance(agent, "active").instance_id for _ in range(2))
        looks = [shown(await env.does(f"stop pre:instance/{each} because cleanup", each)) for each in (one, other)]
        assert f"(instance …{one[-8:]})" in looks[0]
        assert looks[0].splitlines()[0] != looks[1].splitlines()[0]
        assert plane.effects == []
