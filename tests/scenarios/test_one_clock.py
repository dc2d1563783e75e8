"""A time that a person typed is a moment: everyone reads it on their own clock, and it stays the same moment a day later.

The bot is in Berlin, its people in Los Angeles and Kolkata.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.core.records import stamp
from bot.playground.planes.demo import demo_planes
from tests.scenarios.steps import do
from tests.scenarios.team import CRAWL, RULES, Team, deciding
from tests.scenarios.test_one_message_one_request import Messages
from tests.world import OPEN_POLICY, labels, shown

BERLIN = ZoneInfo("Europe/Berlin")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
KOLKATA = ZoneInfo("Asia/Kolkata")


async def elsewhere(team: Team) -> Team:
    """The bot in Berlin, where it is half past twelve, Ana in Los Angeles, the others in Kolkata."""
    here = team.now().astimezone(BERLIN)
    noon = datetime.combine(here.date() + timedelta(days=here.hour >= 12), time(12, 30), BERLIN)
    team.later(seconds=(noon - team.now()).total_seconds())
    toml = team.env.folder / "signalbox.toml"
    toml.write_text(f'{toml.read_text()}\n[time]\nzone = "Europe/Berlin"\n')
    for user in ("U0LEE", "U0ROOT", "U0RUI"):
        team.env.ws.set_user(user, tz=KOLKATA.key)
    team.env.ws.set_user("U0ANA", tz=LOS_ANGELES.key)
    await team.env.restart()
    return team


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    rules = RULES.replace('from = ["lonely"] }', 'from = ["leads"], in = "C0APPR" }')
    async with deciding(tmp_path, monkeypatch, rules) as made:
        yield await elsewhere(made)


@pytest.fixture
async def free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The same without approvals, with an agent of Resilio Connect."""
    async with deciding(tmp_path, monkeypatch, OPEN_POLICY, planes=demo_planes, only=("acc", "res")) as made:
        yield await elsewhere(made)


def at(team: Team, typed: str) -> datetime:
    """That time of day in Berlin, today."""
    return datetime.combine(team.now().astimezone(BERLIN).date(), time.fromisoformat(typed), BERLIN)


def token(moment: datetime) -> str:
    """The beginning of Slack's token for that moment, in minutes."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}"


def everywhere(team: Team) -> str:
    """Every word that anyone sees in a channel, a thread, a direct message, a modal or on a Home tab."""
    found = []
    for user in ("U0ANA", "U0LEE", "U0ROOT", "U0RUI"):
        person = team.env.person(user)
        found += [shown(person.home() or {}), shown(person.modal() or {})]
        for channel in ("C0CRAWL", "C0APPR", "C0SEC", "C0INC"):
            for parent in person.messages(channel):
                found += [shown(message) for message in (parent, *person.messages(channel, parent["ts"]))]
    return "\n".join(found)


TYPED = re.compile(r"until\W*18:00")


async def test_who_asks_and_who_decides_read_the_end_of_a_pause_on_their_own_clocks(team: Team) -> None:
    """On both cards, in the list, on the Home tab, in the form of a denial and on the card of the run."""
    env, ends = team.env, at(team, "18:00")
    moment = token(ends)
    await env.say("schedule off acc:shop/prices until=18:00 -- the shop is closed")
    card = await team.card("wants to run", f"`schedule off acc:shop/prices` until {moment}")
    await env.person("U0ROOT").open_home()
    await env.does("approvals", "Waiting for approval", "schedule off acc:shop/prices")
    assert f"until {moment}" in shown(card["blocks"][0] | {"blocks": card["blocks"][:1]})
    await team.press(card, "Deny")
    await env.person("U0LEE").wait_for(lambda person: person.modal())
    assert not TYPED.search(everywhere(team))


async def test_the_card_of_a_run_has_the_moment_in_what_it_was_given(free: Team) -> None:
    """The audit log has the moment too, and so have its lists."""
    env, ends = free.env, at(free, "18:00")
    asked = await do(env, "pause res: until=18:00 -- maintenance")
    await asked.card(token(ends))
    assert asked.row("sent").params == f'{{"until":"{ends.astimezone(UTC):%Y-%m-%dT%H:%MZ}"}}'
    await env.does("audit", "Audit log")
    await env.does("pauses", "Pauses")
    assert not TYPED.search(everywhere(free))


async def test_who_may_not_reads_the_moment_in_the_form_that_asks_for_it(team: Team) -> None:
    env, ends = team.env, at(team, "18:00")
    denied = await env.does("schedule off acc:shop/prices until=18:00", "Denied", user="U0ROOT")
    await team.press(denied, "Ask for it", user="U0ROOT", channel=CRAWL)
    form = await env.person("U0ROOT").wait_for(lambda person: person.modal())
    assert f"`schedule off acc:shop/prices` until {token(ends)}" in form["blocks"][0]["text"]["text"]
    receipt = await env.person("U0ROOT").submit("modal", {"lasts": "once", "reason": "closed"})
    assert not receipt.errors, receipt
    await team.card(f"until {token(ends)}")
    assert not TYPED.search(everywhere(team))


async def test_a_button_names_the_moment_on_the_clock_of_its_reader_and_means_no_other_day(free: Team) -> None:
    """A command that is struck out is offered: pressed a day later, its time is past and not that of another day."""
    env, ends = free.env, at(free, "18:00")
    await env.person("U0ANA").post(CRAWL, "<@U0BOT> ~schedule off acc:shop/prices until=18:00~")
    card = await env.sees("struck out")
    (label, *_) = labels(card)
    assert label == f"schedule off acc:shop/prices until={ends.astimezone(LOS_ANGELES):%Y-%m-%d %H:%M %Z}"
    free.later(days=1)
    await free.press(card, label, user="U0ANA", channel=CRAWL)
    refused = await env.sees("is in the past", token(ends))
    await env.quiet()
    assert f"{ends.astimezone(UTC):T%H:%M}" not in shown(refused), "UTC is for files"
    assert not [one for one in env.acc.effects if "schedule" in one.action]
    await free.press(refused, "Fill in", user="U0ANA", channel=CRAWL)
    form = await env.ana.wait_for(lambda person: person.modal())
    (field,) = [block for block in form["blocks"] if block["block_id"] == "param:until"]
    assert field["element"]["initial_value"] == ends.isoformat(timespec="minutes")
    assert "on the clock in Europe/Berlin" in field["hint"]["text"]


async def test_a_late_command_means_the_day_on_which_it_was_typed(free: Team) -> None:
    """Slack brings it after its time: it is refused, and does not pause until the same time a day later. Before its time, it is
    confirmed with the moment that it means."""
    env, messages = free.env, Messages(free.env)
    await messages.mention("<@U0BOT> schedule off acc:shop/prices until=12:15", messages.ts(ago=3600))
    await env.sees("is in the past", token(at(free, "12:15")))
    await messages.mention("<@U0BOT> schedule off acc:shop/prices until=18:00", messages.ts(ago=3600))
    card = await env.sees("You asked for this 1 h ago", token(at(free, "18:00")))
    await free.press(card, "Run it", user="U0ANA", channel=CRAWL)
    await env.sees("Paused until", token(at(free, "18:00")))


def next_at(team: Team, weekday: int, hour: int) -> datetime:
    """The next such hour of that weekday in Berlin, from tomorrow on; Monday is 0."""
    day = team.now().astimezone(BERLIN).date() + timedelta(days=1)
    return datetime.combine(day + timedelta(days=(weekday - day.weekday()) % 7), time(hour), BERLIN)


async def test_a_moment_is_read_in_the_zone_of_the_bot_however_it_is_written(free: Team) -> None:
    """A weekday, the same in words, which are offered as a button, and a date, which is the beginning of its day."""
    day = (free.now().astimezone(BERLIN) + timedelta(days=1)).weekday()
    name, ends = f"{next_at(free, day, 7):%a}", next_at(free, day, 7)
    await free.env.does(f'schedule off acc:shop/prices until="{name} 07:00"', "Paused until", token(ends))
    offered = await free.env.does(f"schedule off acc:shop/prices until {name} 7am", "Did you mean this?")
    words = f"schedule off acc:shop/prices until={ends.astimezone(LOS_ANGELES):%Y-%m-%d %H:%M %Z}"
    assert words in labels(offered)
    midnight = next_at(free, day, 0)
    await free.env.does(f"schedule off acc:shop/prices until={midnight:%Y-%m-%d}", "Paused until", token(midnight))


async def test_a_moment_that_is_past_is_told_on_the_clock_of_the_reader(free: Team) -> None:
    past = datetime(2026, 3, 29, 9, 30, tzinfo=BERLIN)
    await free.env.does("schedule off acc:shop/prices until=2026-03-29T09:30", "is in the past", token(past))


async def test_a_form_opens_with_the_time_that_was_typed_whatever_it_is(free: Team) -> None:
    """In Berlin, the last second of the year 9999 is in a year that no calendar of ours has; a time keeps its seconds."""
    soon = (at(free, "18:00") + timedelta(seconds=30)).astimezone(UTC)
    for typed, refused, initial in (
        ("9999-12-31T23:59:59Z", "days ahead", "9999-12-31T23:59:59Z"),
        (f"{soon - timedelta(days=1):%Y-%m-%dT%H:%M:%S}Z", "is in the past", "18:00:30+01:00"),
    ):
        card = await free.env.does(f"schedule off acc:shop/prices until={typed}", refused)
        await free.press(card, "Fill in", user="U0ANA", channel=CRAWL)
        form = await free.env.ana.wait_for(lambda person: person.modal())
        (field,) = [block for block in form["blocks"] if block["block_id"] == "param:until"]
        assert field["element"]["initial_value"].endswith(initial)
        await free.env.ana.close("modal")


async def test_a_time_that_is_empty_needs_a_value(free: Team) -> None:
    await free.env.does("schedule off acc:shop/prices until= -- closed", "`until=` needs a value")


async def test_a_command_to_copy_has_its_time_on_the_clock_of_its_reader(free: Team) -> None:
    """Too long for a button, or beside one that was pressed twice: Slack adapts no time there, and it means the same moment."""
    env, ends = free.env, at(free, "18:00")
    there = ends.astimezone(LOS_ANGELES).isoformat(timespec="minutes")
    await env.person("U0ANA").post(
        CRAWL, "<@U0BOT> ~schedule off acc:shop/prices until=18:00 -- the shop is closed for today~"
    )
    card = await env.sees("struck out")
    assert labels(card) == []
    copied = f"schedule off acc:shop/prices until={there} -- the shop is closed for today"
    assert f"```\n/ops {copied}\n```" in shown(card)
    assert "Z" not in copied
    await env.does(copied, "Paused until", token(ends))


async def test_a_command_to_copy_has_no_offset_for_a_reader_in_the_zone_of_the_bot(free: Team) -> None:
    """As that person writes a time. It means the same moment when it is pasted."""
    env, ends = free.env, at(free, "18:00")
    env.ws.core.state.users["U0RUI"].tz = "Europe/Berlin"
    await env.person("U0RUI").post(
        CRAWL, "<@U0BOT> schedule off acc:shop/prices until 18:00 -- the shop is closed for today and all of tonight"
    )
    card = await env.sees("Did you mean", user="U0RUI")
    copied = (
        f"schedule off acc:shop/prices until={ends:%Y-%m-%dT%H:%M} -- the shop is closed for today and all of tonight"
    )
    assert f"```\n/ops {copied}\n```" in shown(card)
    await env.does(copied, "Paused until", token(ends))


async def test_the_question_of_a_button_has_its_time_on_the_clock_of_its_reader(team: Team) -> None:
    """Slack adapts no time in it."""
    env = team.env
    await env.say("grant @ana start acc:news/* for=2h -- covering for Lee", user="U0ROOT")
    await env.sees("*Granted: start on* `acc:news/*`")
    (grant,) = await env.bot.store.open_grants(stamp(team.now()))
    there = f"{datetime.fromisoformat(grant.until_at).astimezone(KOLKATA):%Y-%m-%d %H:%M IST}"
    listed = await env.does("grants", "acc:news/*", user="U0ROOT")
    assert there in asked_by(listed, "Revoke")


def asked_by(message: dict[str, Any], label: str) -> str:
    """The question of the button whose label begins in this way."""
    (question,) = [
        element["confirm"]["text"]["text"]
        for block in message["blocks"]
        for element in block.get("elements", ())
        if element["type"] == "button" and element["text"]["text"].startswith(label)
    ]
    return str(question)
