"""What a card says that an operation is about is what runs: if it changed since, nobody's press counts for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import ask, private
from tests.scenarios.team import CRAWL, Team, deciding
from tests.world import OPEN_POLICY, World, world


def hourly(env: World, number: int) -> str:
    """The id of a new schedule of shop/prices."""
    key = f"0b7d3c61-1f3a-4b52-9f0e-6a4f4f3f9a1{number}"
    start = {"startTime": "2026-07-16T11:21:20", "timeZoneId": "W. Europe Standard Time"}
    env.acc.add_schedule("shop/prices", scheduleId=key, cron="0 0 1 0", isEnabled=True, **start)
    return key


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A world without approvals."""
    async with world(tmp_path, policy=OPEN_POLICY, only=("acc", "itn")) as made:
        yield made


async def test_another_newest_job_run_is_asked_again_although_it_has_ended(team: Team) -> None:
    env = team.env
    env.acc.add_job("shop/prices", ago=600, script=Script())
    await env.say("mark acc:shop/prices as=failed -- wrong prices")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    env.acc.add_job("shop/prices", ago=60, script=Script())
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("Not counted", "Newest job run was number", channel=CRAWL)
    await team.card("mark acc:shop/prices", "Asked again", channel=CRAWL)
    assert not team.effects()


async def test_another_list_of_what_will_be_deleted_is_asked_again(team: Team) -> None:
    env = team.env
    hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices -- site is gone")
    await asked.card("Will be deleted")
    await asked.press("Ask for approval")
    card = await team.card("schedule delete acc:shop/prices", "Will be deleted")
    kept = hourly(env, 2)
    await team.press(card, "Approve")
    await team.sees("Not counted", "Will be deleted was")
    assert kept in env.acc.schedules
    again = await team.card("schedule delete acc:shop/prices", "Asked again")
    await team.press(again, "Approve")
    await env.until(lambda: kept not in env.acc.schedules)


async def test_the_same_list_counts_at_once(team: Team) -> None:
    env = team.env
    first = hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices -- site is gone")
    await asked.card("Will be deleted")
    await asked.press("Ask for approval")
    await team.press(await team.card("schedule delete acc:shop/prices", "Will be deleted"), "Approve")
    await env.until(lambda: first not in env.acc.schedules)


async def test_a_pre_flight_runs_nothing_that_it_did_not_show(env: World) -> None:
    hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices")
    await asked.card("Will be deleted")
    kept = hourly(env, 2)
    await asked.press("Run it")
    await private(env, "Will be deleted was", "Nothing was done. Type the command again.")
    assert kept in env.acc.schedules


async def test_a_group_of_services_is_not_deleted_with_others_than_were_shown(env: World) -> None:
    plane = env.planes["itn"]
    one, other = (service.service_id for service in plane.services[:2])
    group = {"_id": plane.new_id("group"), "name": "night", "cluster_id": "cluster_1", "services": [one], "groups": []}
    plane.groups[group["_id"]] = group
    asked = await ask(env, "group delete itn:group/night")
    await asked.card("Services in it")
    group["services"] = [one, other]
    await asked.press("Run it")
    await private(env, "Services in it was 1", "Nothing was done. Type the command again.")
    assert group["_id"] in plane.groups
