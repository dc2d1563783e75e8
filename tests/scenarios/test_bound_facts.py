"""What a card says that an operation is about is what runs: if it changed since, nobody's press counts for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.playground.planes.sequentum import Script
from tests.scenarios.steps import ask, do, private
from tests.scenarios.team import CRAWL, RULES, Team, deciding
from tests.world import OPEN_POLICY, World, world


def hourly(env: World, number: int) -> str:
    """The id of a new schedule of shop/prices."""
    key = f"{number:03}d3c61-1f3a-4b52-9f0e-6a4f4f3f9a11"
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
    await team.sees("Not counted", "Will be deleted: ", "002d3c61) is new")
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
    await private(env, "Will be deleted: ", "is new. Nothing was done. Type the command again.")
    assert kept in env.acc.schedules


async def test_a_pre_flight_that_could_not_read_the_list_runs_nothing_once_it_can(env: World) -> None:
    await env.acc.set_fault({"fault": "500", "match": "schedules"})
    asked = await ask(env, "schedule delete acc:shop/prices")
    await asked.card("did not answer")
    await env.acc.clear_faults()
    kept = hourly(env, 1)
    await asked.press("Run it")
    await private(env, "Will be deleted was not shown, and is", "Nothing was done. Type the command again.")
    assert kept in env.acc.schedules


async def test_an_approval_of_a_list_that_could_not_be_read_does_not_count_once_it_can(team: Team) -> None:
    """The card says in its first lines that the control plane didn't answer."""
    env = team.env
    hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices -- site is gone")
    await asked.card("Will be deleted")
    await asked.press("Ask for approval")
    card = await team.card("schedule delete acc:shop/prices", "Will be deleted")
    await env.acc.set_fault({"fault": "500", "match": "schedules"})
    await team.press(card, "Approve")
    await team.sees("Not counted: Will be deleted can't be read now")
    again = await team.card("schedule delete acc:shop/prices", "Now: idle · Control plane: did not answer")
    await env.acc.clear_faults()
    kept = hourly(env, 2)
    await team.press(again, "Approve")
    await team.sees("Not counted: Will be deleted was not shown, and is")
    assert kept in env.acc.schedules
    await team.press(await team.card("schedule delete acc:shop/prices", "002d3c61", "Asked again"), "Approve")
    await env.until(lambda: kept not in env.acc.schedules)


async def test_a_schedule_beyond_those_that_are_listed_is_noticed(env: World) -> None:
    for number in range(1, 13):
        last = hourly(env, number)
    asked = await ask(env, "schedule delete acc:shop/prices")
    await asked.card("Will be deleted")
    del env.acc.schedules[last]
    kept = hourly(env, 13)
    await asked.press("Run it")
    await private(env, "(on, 013d3c61) is new", "(on, 012d3c61) is gone. Nothing was done.")
    assert kept in env.acc.schedules


async def test_the_same_list_in_another_order_counts(env: World) -> None:
    key = hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices")
    await asked.card("Will be deleted")
    rows = dict(reversed(list(env.acc.schedules.items())))
    env.acc.schedules.clear()
    env.acc.schedules.update(rows)
    await asked.press("Run it")
    await env.until(lambda: key not in env.acc.schedules)


async def test_a_single_schedule_is_not_deleted_when_it_runs_at_other_times_than_the_card_said(team: Team) -> None:
    env = team.env
    key = hourly(env, 1)
    await do(env, "schedules acc:shop/prices")
    asked = await ask(env, f"schedule delete acc:schedule/{key} -- site is gone")
    await asked.press("Ask for approval")
    card = await team.card("schedule delete")
    env.acc.schedules[key].cron = "30 8 * * 1"
    await team.press(card, "Approve")
    await team.sees("Not counted: Schedule was")
    assert key in env.acc.schedules


@pytest.mark.parametrize("moved", ["start", "zone"])
async def test_a_single_schedule_is_not_deleted_when_what_its_interval_counts_from_has_changed(
    team: Team, moved: str
) -> None:
    """Its description is the same: every 12 hours."""
    env = team.env
    key = hourly(env, 1)
    found = env.acc.schedules[key]
    found.cron, found.zone_name = "0 0 12 0", "Central European Standard Time"
    await do(env, "schedules acc:shop/prices")
    asked = await ask(env, f"schedule delete acc:schedule/{key} -- site is gone")
    await asked.card("from 2026-07-16T11:21:20; next")
    await asked.press("Ask for approval")
    card = await team.card("schedule delete")
    if moved == "start":
        found.start += timedelta(hours=5)
    else:
        found.zone_name = "Central Europe Standard Time"  # CET as well
    await team.press(card, "Approve")
    await team.sees("Not counted: Schedule")
    assert key in env.acc.schedules


async def test_schedules_are_not_deleted_when_the_start_time_of_one_has_changed(env: World) -> None:
    key = hourly(env, 1)
    asked = await ask(env, "schedule delete acc:shop/prices")
    await asked.card("Will be deleted")
    env.acc.schedules[key].start += timedelta(minutes=5)
    await asked.press("Run it")
    await private(env, "from 2026-07-16T11:26:20 (on, 001d3c61) is new", "Nothing was done.")
    assert key in env.acc.schedules


@pytest.mark.parametrize("moved", ["interval", "start"])
async def test_a_single_schedule_of_informatica_is_not_switched_when_it_runs_at_other_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    rules = RULES.replace('["start"]', '["schedule off"]').replace('["acc:shop/*"]', '["infa:*"]')
    async with deciding(tmp_path, monkeypatch, rules, only=("infa",)) as team:
        env = team.env
        await env.say("schedule off infa:schedule/nightly -- quiet")
        card = await team.card("schedule off infa:schedule/nightly", "Schedule: on; Daily")
        (nightly,) = [one for one in env.planes["infa"].schedules if one.name == "nightly"]
        if moved == "start":
            nightly.start += 3600
        else:
            nightly.interval = "Hourly"
        await team.press(card, "Approve")
        await team.sees("Not counted: Schedule was Daily", f"and is {nightly.interval} from ")
        assert not env.audit(event="sent")


async def test_runs_that_can_not_be_read_do_not_matter_to_a_schedule(team: Team) -> None:
    """The card is about when it runs."""
    env = team.env
    key = hourly(env, 1)
    await do(env, "schedules acc:shop/prices")
    asked = await ask(env, f"schedule delete acc:schedule/{key} -- site is gone")
    await asked.press("Ask for approval")
    card = await team.card("schedule delete")
    await env.acc.set_fault({"fault": "500", "match": "/agent/.*/history"})
    await team.press(card, "Approve")
    await env.until(lambda: key not in env.acc.schedules)


async def test_schedules_that_can_not_be_read_do_not_matter_to_the_newest_job_run(team: Team) -> None:
    env = team.env
    env.acc.add_job("shop/prices", ago=600, script=Script())
    await env.say("mark acc:shop/prices as=failed -- wrong prices")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await env.acc.set_fault({"fault": "500", "match": "schedules"})
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("Your vote counts. 1 more needed.", channel=CRAWL)


async def test_the_start_of_a_job_is_not_about_the_newest_one(team: Team) -> None:
    """A scheduled job run began and ended while the request waited."""
    env = team.env
    env.acc.add_job("shop/prices", ago=600, script=Script())
    await env.say("start acc:shop/prices as=job -- again")
    card = await team.card("start acc:shop/prices", "Newest job run: number")
    env.acc.add_job("shop/prices", ago=60, script=Script())
    await team.press(card, "Approve")
    await env.until(lambda: env.audit(event="sent"))


async def test_a_job_run_that_is_gone_is_not_called_unreadable(team: Team) -> None:
    env = team.env
    env.acc.add_job("shop/prices", ago=600, script=Script())
    await env.say("mark acc:shop/prices as=failed -- wrong prices")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    env.acc.world.jobs.clear()
    for runs in env.acc.world.jobs_of.values():
        runs.clear()
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("Not counted: Newest job run was number", "and is none now", channel=CRAWL)


async def test_a_group_of_services_is_not_deleted_with_others_than_were_shown(env: World) -> None:
    plane = env.planes["itn"]
    one, other = (service.service_id for service in plane.services[:2])
    group = {"_id": plane.new_id("group"), "name": "night", "cluster_id": "cluster_1", "services": [one], "groups": []}
    plane.groups[group["_id"]] = group
    asked = await ask(env, "group delete itn:group/night")
    await asked.card("Services in it")
    group["services"] = [one, other]
    await asked.press("Run it")
    await private(env, "Services in it: backup-configs is new. Nothing was done. Type the command again.")
    assert group["_id"] in plane.groups


async def test_a_group_is_deleted_although_the_names_of_its_services_can_not_be_read(env: World) -> None:
    """They are the same services."""
    plane = env.planes["itn"]
    one = plane.services[0].service_id
    group = {"_id": plane.new_id("group"), "name": "night", "cluster_id": "cluster_1", "services": [one], "groups": []}
    plane.groups[group["_id"]] = group
    asked = await ask(env, "group delete itn:group/night")
    await asked.card("Services in it")
    await plane.set_fault({"fault": "500", "match": "/services"})
    await asked.press("Run it")
    await env.until(lambda: group["_id"] not in plane.groups)


async def test_another_service_of_the_same_name_is_not_told_as_the_same(env: World) -> None:
    plane = env.planes["itn"]
    one, other = ({"id": service.service_id, "name": "nightly"} for service in plane.services[:2])
    group = {"_id": plane.new_id("group"), "name": "night", "cluster_id": "cluster_1", "services": [one], "groups": []}
    plane.groups[group["_id"]] = group
    asked = await ask(env, "group delete itn:group/night")
    await asked.card("Services in it")
    group["services"] = [other]
    await asked.press("Run it")
    await private(env, "Services in it: nightly is another one now. Nothing was done.")
    assert group["_id"] in plane.groups
