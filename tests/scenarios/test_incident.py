"""An incident binds a channel or a thread: what is done there carries its name, its timeline is one command, its end a report."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from bot.core.audit import AuditEntry, Event
from bot.core.records import stamp
from bot.operations import reconcile
from bot.playground.workspace import Person
from tests.cli.program import Program
from tests.scenarios.steps import mention
from tests.scenarios.team import APPROVERS, CRAWL, RULES, SECURITY, Team, deciding
from tests.world import World, labels, request_id, shown, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO_CHANNELS = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
[[channel]]
id = "C0CRAWL"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["*"]
[[channel]]
id = "C0INC"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["*"]
"""


@pytest_asyncio.fixture(loop_scope="module")
async def env(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world with two channels in which everything is allowed."""
    async with world(tmp_path_factory.mktemp("incident"), policy=TWO_CHANNELS, only=("acc",), speed=60.0) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path_factory.mktemp("incident"), monkeypatch, RULES) as made:
        yield made


def marks(env: World, verb: str, channel: str = CRAWL) -> set[str | None]:
    """The incidents of all entries of that verb in that channel."""
    return {row.incident for row in env.audit() if row.verb == verb and row.channel_id == channel}


def moment(at: str) -> str:
    """How a message for Slack begins to write this time."""
    return f"<!date^{int(datetime.fromisoformat(at).timestamp())}"


async def test_what_is_done_in_its_channel_carries_its_name_until_it_is_closed(env: World) -> None:
    """Reads, changes and their ends; another channel is not marked, nor what comes after."""
    await env.does("schedule off acc:shop/prices -- before", "All schedules of shop/prices are off")
    card = await env.does("incident open INC-42 -- checkout is down", "Incident INC-42: checkout is down", "Open")
    assert labels(card) == ["Timeline", "Close INC-42"]
    assert "To say how it ended, type incident close INC-42 -- how it ended." in str(card["blocks"])
    await env.does("start acc:shop/prices -- restore", "start acc:shop/prices", "Succeeded", "incident INC-42")
    await env.does("status acc:shop/prices", "status acc:shop/prices", "newest run")
    await env.does("start acc:shop/prices -- elsewhere", "elsewhere", "Succeeded", channel="C0INC")
    await env.until(lambda: "ended" in env.events("start"))
    assert marks(env, "start") == {"INC-42"}
    assert marks(env, "status") == {"INC-42"}
    assert marks(env, "start", "C0INC") == {None}
    assert marks(env, "schedule off") == {None}
    await env.does("incident close -- prices restored", "INC-42 is closed", "After ", "prices restored")
    await env.does("logs acc:shop/prices@last", "Log of shop/prices")
    assert marks(env, "logs") == {None}
    (opened,), (closed,) = env.audit(event="incident_opened"), env.audit(event="incident_closed")
    assert (opened.incident, opened.reason, opened.user_id) == ("INC-42", "checkout is down", "U0ANA")
    assert (closed.incident, closed.reason) == ("INC-42", "prices restored")


async def test_timeline_is_the_incidents_while_it_is_open(env: World) -> None:
    """It begins with its opening; with `since=` it is the channel's as always."""
    await env.does("schedule off acc:shop/prices -- long before", "All schedules of shop/prices are off")
    await env.does("incident open INC-43", "Incident INC-43")
    await env.does("schedule on acc:shop/prices -- now", "All schedules of shop/prices are on")
    text = shown(await env.does("timeline", "Timeline of INC-43 since"))
    assert "schedule on acc:shop/prices" in text
    assert "schedule off acc:shop/prices" not in text
    whole = shown(await env.does("timeline since=1h", "Timeline since"))
    assert "schedule off acc:shop/prices" in whole


async def test_the_report_is_in_the_order_in_which_things_were_asked_for(env: World) -> None:
    """Its times are those of the requests: one that was confirmed late stands where it was asked for."""
    await env.does("incident open INC-45", "Incident INC-45")
    await env.say("schedule delete acc:news/feed -- it floods us")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed")
    await env.does("start acc:shop/prices", "start acc:shop/prices", "Succeeded")
    await env.ana.press_label(CRAWL, look["ts"], "Run it", seen=look)
    await env.until(lambda: "done" in env.events("schedule delete"))
    report = shown(await env.does("incident close", "INC-45 is closed"))
    assert report.index("`schedule delete acc:news/feed`") < report.index("`start acc:shop/prices`")


async def test_its_end_posts_the_report_for_everyone_with_the_files(env: World) -> None:
    """What happened, how it ended, who did what as typed, the entries with their hashes; the first card says that it is over."""
    await env.does("incident open INC-44 -- checkout is down", "Incident INC-44")
    await env.does(
        "start acc:shop/prices input.region=north -- restore", "start acc:shop/prices", "Succeeded", user="U0RUI"
    )
    await env.until(lambda: "ended" in env.events("start"))
    await env.say("incident close -- back to normal")
    report = await env.sees(
        "INC-44 is closed", "checkout is down", "back to normal", "start acc:shop/prices", user="U0LEE"
    )
    assert not report["ephemeral"]
    assert "1, none failed" in shown(report)
    assert "`start acc:shop/prices input.region=north` (restore): succeeded" in shown(report)
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.thread_ts} or None)
    assert all(file.thread_ts == report["ts"] for file in files.values())
    (opened,) = env.audit(event="incident_opened")
    assert opened.hash in files["timeline.jsonl"].bytes.decode()
    first = await env.sees("Incident INC-44: checkout is down", "Closed by <@U0ANA>")
    assert labels(first) == []


async def test_one_opened_in_a_thread_is_about_that_thread(env: World) -> None:
    """The channel around it is not marked, and its timeline leaves out what was done there."""
    await env.person("U0ANA").post(CRAWL, "checkout is down!")
    alert = next(message for message in env.ana.messages(CRAWL) if "checkout is down!" in shown(message))
    await mention(env, "incident open INC-45 -- checkout", thread_ts=alert["ts"])
    await env.until(lambda: env.audit(event="incident_opened"))
    await env.does("schedule off acc:shop/prices -- around", "All schedules of shop/prices are off")
    await mention(env, "schedule on acc:shop/prices -- within", thread_ts=alert["ts"])
    await env.until(lambda: "done" in env.events("schedule on"))
    assert marks(env, "schedule off") == {None}
    assert marks(env, "schedule on") == {"INC-45"}
    await mention(env, "incident close", thread_ts=alert["ts"])

    def report(person: object) -> str | None:
        texts = [shown(message) for message in env.ana.messages(CRAWL, alert["ts"])]
        return next((text for text in texts if "INC-45 is closed" in text), None)

    text = await env.ana.wait_for(report)
    assert "schedule on acc:shop/prices" in text
    assert "schedule off acc:shop/prices" not in text


async def test_names_places_and_second_times_that_make_no_sense_are_refused(env: World) -> None:
    """No name, a grant's id, two names, an open one, none to close."""
    await env.does("incident", "No incident is open here")
    await env.does("incident open", "Nothing was done", "Name the incident, like `INC-42`")
    await env.does("incident open g-7K2M", "Nothing was done", "Name the incident")
    await env.does("incident open INC-1 INC-2", "Nothing was done", "`incident` doesn't take")
    await env.does("incident close", "Nothing was done", "No incident is open here.")
    await env.does("incident open INC-46", "Incident INC-46", "Open")
    await env.does("incident open INC-47", "Nothing was done", "INC-46 is already open here.")
    await env.does("incident close INC-47", "Nothing was done", "INC-47 isn't open here.")
    await env.does("incident", "Incident INC-46")
    assert len(env.audit(event="incident_opened")) == 1


@pytest.mark.parametrize(
    ("typed", "says", "first"),
    [
        (
            "incident open INC-50 checkout is down",
            "The text comes after `--`.",
            "incident open INC-50 -- checkout is down",
        ),
        ("incident close all good again", "The text comes after `--`.", "incident close -- all good again"),
        ("incident opne INC-51 -- x", "`incident` doesn't take `opne INC-51`.", "incident open INC-51 -- x"),
        ("incident clsoe INC-51", "`incident` doesn't take `clsoe INC-51`.", "incident close INC-51"),
        ("incident report", "`incident` doesn't take `report`.", "timeline"),
        ("incident note database is back", "`incident` doesn't take `note database is back`.", "timeline"),
    ],
)
async def test_a_slip_is_answered_with_the_corrected_command(env: World, typed: str, says: str, first: str) -> None:
    assert labels(await env.does(typed, "Nothing was done", says))[0] == first


async def test_who_closes_it_in_another_place_is_led_to_where_it_is_open_or_was_closed(env: World) -> None:
    """Only a member of that channel is."""
    env.ws.core.state.channels["C0INC"].members.remove("U0LEE")
    await env.does("incident open INC-52 -- checkout", "Incident INC-52", channel="C0INC")
    led = await env.does("incident close INC-52", "Nothing was done", "INC-52 is open in <#C0INC>.")
    assert labels(led) == ["Open INC-52"]
    assert "/archives/C0INC/p" in str(led["blocks"])
    await env.does("incident close INC-52", "Nothing was done", "INC-52 isn't open here.", user="U0LEE")
    await env.does("incident close", "INC-52 is closed", channel="C0INC")
    over = await env.does("incident close INC-52", "Nothing was done", "INC-52 was closed by <@U0ANA> <!date^")
    assert labels(over) == ["Open INC-52"]


async def in_thread(env: World, thread: str, *parts: str, user: str = "U0ANA") -> dict[str, Any]:
    """A message that this person sees in that thread."""

    def look(person: Person) -> dict[str, Any] | None:
        found = (one for one in person.messages(CRAWL, thread) if all(part in shown(one) for part in parts))
        return next(found, None)

    return await env.person(user).wait_for(look)


async def test_the_second_close_in_a_thread_leaves_the_incident_of_the_channel_open(env: World) -> None:
    """It says who closed the thread's, and offers to close that of the channel, with the words that were typed."""
    (thread,) = await in_threads(env, "INC-78")
    await mention(env, "incident close -- selector fixed", thread_ts=thread, user="U0LEE")
    await in_thread(env, thread, "INC-78 is closed")
    await mention(env, "incident close -- selector fixed, thanks", thread_ts=thread, user="U0RUI")
    told = await in_thread(
        env,
        thread,
        "Nothing was done",
        "INC-78 was closed by <@U0LEE> <!date^",
        "INC-42 is open in the channel.",
        user="U0RUI",
    )
    assert labels(told) == ["Close INC-42", "Open INC-78"]
    assert "How it ended: selector fixed, thanks" in str(told["blocks"])
    assert [row.incident for row in env.audit(event="incident_closed")] == ["INC-78"]
    await env.person("U0RUI").press_label(CRAWL, told["ts"], "Close INC-42", seen=told)
    await env.sees("INC-42 is closed", "selector fixed, thanks")
    assert [row.incident for row in env.audit(event="incident_closed")] == ["INC-78", "INC-42"]


async def test_close_in_a_thread_without_an_incident_asks_about_that_of_the_channel(env: World) -> None:
    """Also in a sentence, and below the card of the incident; with its name it is closed at once."""
    card = await env.does("incident open INC-42 -- all of it", "Incident INC-42", "Open")
    await mention(env, "close the incident", thread_ts=card["ts"])
    meant = await in_thread(env, card["ts"], "Did you mean this?")
    await env.ana.press_label(CRAWL, meant["ts"], "incident close", seen=meant)
    told = await in_thread(env, card["ts"], "No incident is open in this thread.", "INC-42 is open in the channel.")
    assert labels(told) == ["Close INC-42"]
    await env.quiet()
    assert not env.audit(event="incident_closed")
    await mention(env, "incident close INC-42", thread_ts=card["ts"])
    await env.sees("INC-42 is closed")


async def test_the_incident_of_the_channel_is_closed_by_name_from_a_thread_with_its_own(env: World) -> None:
    """The end belongs to the incident that was closed. Who closed it is told in the thread that the report is in the channel."""
    (thread,) = await in_threads(env, "INC-78")
    await mention(env, "incident close INC-42 -- all good", thread_ts=thread)
    report = await env.sees("INC-42 is closed", "all good")
    await in_thread(env, thread, "INC-42 is closed. Its report is in the channel.")
    assert report.get("thread_ts") in (None, report["ts"])
    assert [row.incident for row in env.audit(event="incident_closed")] == ["INC-42"]
    await mention(env, "incident close", thread_ts=thread)
    await in_thread(env, thread, "INC-78 is closed")


async def test_who_closes_in_the_channel_what_is_open_in_a_thread_there_is_led_to_it(env: World) -> None:
    await in_threads(env, "INC-78")
    await env.quiet()  # its card is there, to which the answer leads
    led = await env.does("incident close INC-78", "Nothing was done", "INC-78 is open in a thread here.")
    assert labels(led) == ["Open INC-78"]


async def test_its_report_names_a_second_press_on_close(env: World) -> None:
    card = await env.does("incident open INC-42", "Incident INC-42")
    press = partial(env.ana.press_label, CRAWL, card["ts"], "Close INC-42", seen=card)
    await asyncio.gather(press(), press())
    await env.sees("INC-42 is closed", "`incident close INC-42`: denied")


async def test_a_second_close_in_a_channel_says_who_closed_it(env: World) -> None:
    """And leads to its report; a name that was never open is answered with what is open, as a button."""
    await env.does("incident open INC-42", "Incident INC-42")
    await env.does("incident close", "INC-42 is closed", user="U0LEE")
    over = await env.does(
        "incident close -- prices restored", "Nothing was done", "INC-42 was closed by <@U0LEE> <!date^"
    )
    assert labels(over) == ["Open INC-42"]
    await env.does("incident open INC-43", "Incident INC-43")
    again = await env.does(
        "incident close INC-44", "Nothing was done", "INC-44 isn't open here.", "INC-43 is open here."
    )
    assert labels(again) == ["Close INC-43"]


async def test_it_stays_open_over_a_restart(env: World) -> None:
    """The binding is in the store."""
    await env.does("incident open INC-48 -- checkout", "Incident INC-48")
    await env.restart()
    await env.does("start acc:shop/prices -- restore", "start acc:shop/prices", "Succeeded", "incident INC-48")
    assert marks(env, "start") == {"INC-48"}


async def test_a_decision_taken_elsewhere_belongs_to_the_incident_of_the_request(team: Team) -> None:
    """Lee approves in the approvers' channel, where no incident is open: the entry is marked and in the timeline."""
    env = team.env
    await env.does("incident open INC-49 -- checkout", "Incident INC-49")
    await env.say("start acc:shop/prices -- restore")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    (approved,) = env.audit(event="approved")
    assert (approved.channel_id, approved.incident) == (APPROVERS, "INC-49")
    assert "approved" in shown(await env.does("timeline", "Timeline of INC-49 since"))
    await team.event("ended")
    report = shown(await env.does("incident close", "INC-49 is closed"))
    assert "`start acc:shop/prices` (restore), approved by <@U0LEE>: succeeded" in report


async def test_break_glass_within_an_incident_is_marked_as_both(team: Team) -> None:
    """The column names the incident, the rule names the grant; the review still lists what was done under it."""
    env = team.env
    await env.does("incident open INC-50 -- checkout", "Incident INC-50")
    await env.say("breakglass for=30m -- approvers unreachable", user="U0RUI")
    opened = await team.event("breakglass")
    assert opened.incident == "INC-50"
    await env.say("start acc:shop/prices -- restore prices", user="U0RUI")
    sent = await team.event("sent")
    assert (sent.incident, sent.rule) == ("INC-50", opened.rule)
    await team.event("done", sent.request_id)
    grant = opened.rule.removeprefix("grant ")
    await env.does(f"revoke {grant} -- over", "Break-glass ended for", user="U0RUI")
    await env.sees("Break-glass of", "has ended", "start acc:shop/prices", channel="C0SEC")
    text = shown(await env.does("incident close", "INC-50 is closed"))
    assert "`break-glass` (approvers unreachable): started" in text
    assert "`break-glass` (over): revoked from <@U0RUI>" in text
    assert re.search(r"`start acc:shop/prices` \(restore prices\), with BREAK-GLASS: \w", text), text
    assert text.count("with BREAK-GLASS") == text.count("(restore prices)")


async def given_and_ended_elsewhere(team: Team) -> None:
    """Rui uses break-glass and Root grants something in #crawl-ops; Lee ends both and closes the review in other channels."""
    env = team.env
    await env.say("breakglass for=30m -- approvers unreachable", user="U0RUI")
    await env.does("grant <@U0RUI> start acc:labs/* for=1h -- help", "Granted", user="U0ROOT")
    card = await env.sees("Break-glass is active", user="U0LEE", channel=SECURITY)
    await team.press(card, "Close review", channel=SECURITY)
    lee = env.person("U0LEE")
    await lee.wait_for(lambda p: p.modal())
    await lee.submit("modal", {"note": "it was right"})
    await team.event("reviewed")
    (granted,) = env.audit(event="granted")
    await env.does(f"revoke {granted.rule.removeprefix('grant ')} -- done", "revoked", user="U0LEE", channel="C0INC")
    await env.until(lambda: len(env.audit(event="revoked")) == 2)


ENDS = (
    r"break-glass revoked · <@U0LEE> · of <@U0RUI>; the review was closed",
    r"break-glass reviewed · <@U0LEE> · what <@U0RUI> did with it",
)


async def test_its_report_marks_what_was_run_with_a_break_glass_that_was_opened_before(team: Team) -> None:
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    await env.sees("Break-glass is active", user="U0RUI")
    await env.does("incident open INC-50", "Incident INC-50")
    await env.say("start acc:shop/prices", user="U0RUI")
    await team.event("ended")
    assert "`start acc:shop/prices`, with BREAK-GLASS: succeeded" in shown(
        await env.does("incident close", "INC-50 is closed")
    )


async def test_the_end_and_the_review_of_what_was_given_in_an_incident_belong_to_it_wherever_they_are_made(
    team: Team,
) -> None:
    """Its timeline and its report say when it really ended and who ended it. What is done where another incident is open is
    recorded for that one."""
    env = team.env
    await env.does("incident open INC-43 -- checkout", "Incident INC-43")
    await env.does("incident open INC-99 -- another", "Incident INC-99", channel="C0INC", user="U0LEE")
    await given_and_ended_elsewhere(team)
    ends = [row for name in ("revoked", "reviewed") for row in env.audit(event=name)]
    assert {(row.incident, row.channel_id) for row in ends} == {("INC-43", SECURITY), ("INC-99", "C0INC")}
    words = shown(await env.does("timeline", "Timeline of INC-43 since"))
    for end in (*ENDS, "grant of start `acc:labs/*` revoked · <@U0LEE> · of <@U0RUI>"):
        assert end in words, words
    by = {row.rule: row.at for row in env.audit(event="revoked")}
    for given in (*env.audit(event="breakglass"), *env.audit(event="granted")):
        said = re.search(
            r"in <#C0CRAWL> until <!date[^>]*>, ended <!date\^(\d+)", words[words.index(moment(given.at)) :]
        )
        assert said is not None
        assert f"<!date^{said[1]}" == moment(by[given.rule])
    report = shown(await env.does("incident close", "INC-43 is closed"))
    ended = r"ended <!date[^>]*>, <@U0LEE>"
    assert re.search(rf"<@U0RUI> `break-glass` \(approvers unreachable\): started, {ended}", report), report
    assert re.search(rf"<@U0ROOT> `grant of start acc:labs/\*` \(help\): granted to <@U0RUI>, {ended}", report), report
    assert "<@U0LEE> `break-glass` (it was right): reviewed" in report
    assert "<@U0LEE>" in report[report.index("*People:*") :]


async def test_a_channel_s_timeline_tells_the_end_of_what_was_given_there(team: Team) -> None:
    """Also without an incident, and in a thread."""
    env = team.env
    await given_and_ended_elsewhere(team)
    words = shown(await env.does("timeline", "Timeline since"))
    for end in (*ENDS, "grant of start `acc:labs/*` revoked · <@U0LEE> · of <@U0RUI>"):
        assert end in words, words


async def test_its_report_tells_what_was_tried_in_the_words_that_were_typed(env: World) -> None:
    """A start during an outage by its command; a slip with a built-in command is left out; a retried run by its agent."""
    await env.does("incident open INC-51 -- checkout", "Incident INC-51")
    await env.does("incident open g-7K2M", "Nothing was done")
    await env.does("schedule off", "Nothing was done", "needs a target")
    await env.acc.set_fault({"fault": "503"})
    await env.does("start acc:shop/stock -- during the outage", "Nothing was done", "internal error")
    await env.does("history acc:shop/stock", "Couldn't be read", "internal error")
    await env.acc.clear_faults()
    await env.does("start acc:shop/prices -- restore", "start acc:shop/prices", "Succeeded")
    await env.until(lambda: "ended" in env.events("start"))
    await env.does("retry acc:shop/prices@last -- again", "retry acc:shop/prices")
    text = shown(await env.does("incident close", "INC-51 is closed"))
    assert "`start acc:shop/stock` (during the outage): not done: " in text
    assert "`incident" not in text
    assert "needs a target" not in text
    assert "history" not in text
    assert "`retry acc:shop/prices (run " in text


async def test_its_report_names_a_late_press_under_what_was_not_done(team: Team) -> None:
    """A button of an incident that is closed by then, and of a grant that has ended; the audit log has the commands."""
    env = team.env
    await env.does("incident open INC-42 -- checkout", "Incident INC-42", user="U0ROOT")
    old = await env.does("incident", "Incident INC-42", user="U0RUI")
    await env.does("grant <@U0ANA> start acc:shop/* for=1h -- help", "Granted", user="U0ROOT")
    grants = await env.does("grants", "acc:shop/*", user="U0ROOT")
    await env.does("incident close", "INC-42 is closed", user="U0ROOT")
    await env.does("incident open INC-90 -- stale", "Incident INC-90", user="U0ROOT")
    await env.person("U0RUI").press_label(CRAWL, old["ts"], "Close INC-42", seen=old)
    await env.sees("INC-42 was closed by <@U0ROOT> <!date^", "INC-90 is open here.", user="U0RUI")
    (revoke,) = [label for label in labels(grants) if label.startswith("Revoke")]
    for said in ("is revoked", "has already ended"):
        await env.person("U0ROOT").press_label(CRAWL, grants["ts"], revoke, seen=grants)
        await env.sees(said, user="U0ROOT")
        team.later(minutes=2)
    report = shown(await env.does("incident close", "INC-90 is closed", user="U0ROOT"))
    done, _, undone = report[report.index("*What was done*") :].partition("*What was not done*")
    assert "not done" not in done
    assert "`incident close INC-42`: not done: INC-42 was closed by" in undone
    assert re.search(r"`revoke g-\w+` \(ended with a button\): not done: The grant of start", undone), undone
    assert "`grant of start acc:shop/*` (ended with a button): revoked from <@U0ANA>" in done


async def test_the_audit_log_takes_an_incident_by_its_name(team: Team) -> None:
    """As it takes a target: the same entries as for the word alone."""
    env = team.env
    await env.does("incident open INC-46 -- checkout", "Incident INC-46")
    await env.does("incident close", "INC-46 is closed")
    await env.does("incident open INC-47 -- stock", "Incident INC-47")
    told = shown(await env.does("audit incident=INC-46", "Audit log", "checkout"))
    assert "INC-47" not in told


async def test_its_report_is_in_words_that_a_person_reads(team: Team) -> None:
    """A denial names people and channels, and has no ages of facts."""
    env = team.env
    await env.does("incident open INC-52 -- checkout", "Incident INC-52")
    await env.say("grant <@U0GUEST> start acc:shop/* for=1h -- help")
    await env.say("schedule off acc:shop/prices -- not mine", user="U0GUEST")
    await env.until(lambda: len(env.audit(event="denied")) == 2)
    text = shown(await env.does("incident close", "INC-52 is closed"))
    assert "can grant <@U0GUEST>" in text
    assert "person read" not in text
    assert not re.search(r"(?<![#@])\bC0CRAWL|&lt;@", text), text


async def test_its_report_names_what_was_asked_when_a_pause_of_several_schedules_ends(env: World) -> None:
    """Not one of the schedules that are on again."""
    await env.does("incident open INC-53 -- checkout", "Incident INC-53")
    await env.does("schedule off acc:shop/prices for=2h -- closed", "Paused until")
    await env.does("schedule on acc:shop/prices", "schedule on acc:shop/prices", "Ends the pause")
    await env.until(lambda: env.audit(event="resumed"))
    text = shown(await env.does("incident close", "INC-53 is closed"))
    assert "`schedule on acc:shop/prices`: done" in text
    assert "(schedule " not in text


async def test_its_files_hold_the_reason_of_every_entry(env: World) -> None:
    """Also where an entry has a detail."""
    await env.does("incident open INC-54 -- checkout is down", "Incident INC-54")
    await env.does("incident close -- back to normal", "INC-54 is closed")
    files = await env.until(lambda: {file.name: file for file in env.ws.files.values() if file.thread_ts} or None)
    for name in ("timeline.md", "timeline.csv"):
        text = files[name].bytes.decode()
        assert "checkout is down" in text
        assert "back to normal" in text


async def test_the_report_of_many_changes_has_the_newest_whole_and_says_where_the_others_are(env: World) -> None:
    """No line is cut in its middle, and those left out are counted."""
    why = "the prices of the shop are wrong since the release of this morning, see the ticket of the team " * 3
    await env.does("incident open INC-49 -- checkout", "Incident INC-49")
    at = stamp(env.bot.ctx.clock.now())
    common = {"at": at, "channel_id": CRAWL, "user_id": "U0ANA", "incident": "INC-49", "verb": "schedule off"}
    await env.bot.store.append(
        *(
            AuditEntry(
                **common, request_id=f"r-{n}", event=event, backend="acc", target_name=f"acc:shop/n{n}", reason=why
            )
            for n in range(30)
            for event in (Event.REQUESTED, *((Event.SENT, Event.PAUSED) if n else (Event.DENIED,)))
        )
    )
    text = shown(await env.does("incident close", "INC-49 is closed", "29, none failed"))
    (listed,) = re.findall(r"\*What was done\*\n(.*)\*?", text, re.DOTALL)
    assert listed.startswith("9 earlier ones: in the timeline\n")
    assert "*What was not done*\n1 earlier one: in the timeline" in listed
    assert re.findall(r"`schedule off acc:shop/(n\d+)` \(the prices", listed) == [f"n{n}" for n in range(10, 30)]
    assert all(line.endswith(": paused") for line in listed.splitlines() if line.startswith("•")), listed
    assert "characters)" not in listed
    assert "Too long to show" not in text


async def test_the_report_counts_what_is_unknown_and_calls_it_so(env: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the card of the start does. In the timeline, the time at its end is whole."""
    monkeypatch.setattr(reconcile, "LOOK_AGAIN_AFTER", (0.05,))
    await env.does("incident open INC-50 -- checkout", "Incident INC-50")
    await env.acc.set_fault({"fault": "drop_before", "times": 1, "match": "POST .*/cluster/start"})
    await env.does("start acc:shop/prices -- restore", "Unknown: it may or may not have happened")
    message = await env.does("timeline", "Timeline of INC-50 since")
    story = shown(message)
    assert "❔ start acc:shop/prices unknown · <@U0ANA> · restore. " in story
    assert len(re.findall(r"start acc:shop/prices unknown", story)) == len(re.findall(r"restore\. ", story)), story
    assert "0 failed, 1 unknown" in message["text"]
    text = shown(await env.does("incident close", "INC-50 is closed", "1, none failed, 1 unknown"))
    assert re.search(
        r"`start acc:shop/prices` \(restore\): unknown: .*None that can be this one started since <!date", text
    ), text
    for words in (story, text):
        assert "abandoned" not in words
        assert not re.search(r"\d{4}-\d\d-\d\d…", words), words


@pytest_asyncio.fixture(loop_scope="module")
async def later(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world in which everything is allowed, whose time can be moved."""
    async with deciding(tmp_path_factory.mktemp("incident"), monkeypatch, TWO_CHANNELS) as made:
        yield made


async def in_threads(env: World, *incidents: str) -> list[str]:
    """The threads in which these incidents are open; another one is open in the channel."""
    await env.does("incident open INC-42 -- all of it", "Incident INC-42")
    threads = []
    for name in incidents:
        await env.person("U0ANA").post(CRAWL, f"about {name}!")
        threads.append(next(one for one in env.ana.messages(CRAWL) if f"about {name}!" in shown(one))["ts"])
        await mention(env, f"incident open {name}", thread_ts=threads[-1])
        await env.until(lambda name=name: any(row.incident == name for row in env.audit(event="incident_opened")))
    return threads


async def test_the_end_of_a_pause_belongs_to_the_incident_and_thread_of_its_request(later: Team) -> None:
    """Its entries and its card, of every schedule of the agent, and also when the bot was restarted meanwhile."""
    env = later.env
    (thread,) = await in_threads(env, "INC-43")
    await mention(env, "schedule off acc:shop/prices for=1h -- quiet", thread_ts=thread)
    await env.until(lambda: env.audit(event="paused"))
    await env.restart()
    later.later(hours=1)
    over = await env.until(lambda: (rows := env.audit(event="resumed")) and len(rows) == 2 and rows)
    rows = [row for end in over for row in env.audit(request_id=end.request_id)]
    assert {row.incident for row in rows} == {"INC-43"}
    await env.ana.wait_for(lambda person: any("are on again" in shown(one) for one in person.messages(CRAWL, thread)))
    ends = [one for one in env.ana.messages(CRAWL) if "The pause is over" in shown(one)]
    assert [one["thread_ts"] for one in ends] == [thread]
    await mention(env, "incident close", thread_ts=thread)
    report = await env.ana.wait_for(
        lambda person: next(
            (text for one in person.messages(CRAWL, thread) if "INC-43 is closed" in (text := shown(one))), None
        )
    )
    assert "automatic, for <@U0ANA> `schedule on acc:shop/prices (schedule d9c944df)`: done" in report
    assert re.search(r"<@U0ANA> `schedule off acc:shop/prices for=1h` \(quiet\): paused, ended <!date", report), report


async def test_its_report_says_of_a_pause_that_is_over_how_it_ended(later: Team) -> None:
    """Also when it was ended outside the incident."""
    env = later.env
    thread, other = await in_threads(env, "INC-43", "INC-44")
    for name, at in (("shop/prices", thread), ("news/feed", other)):
        await mention(env, f"schedule off acc:{name} for=1h -- quiet", thread_ts=at)
    await env.until(lambda: len(env.audit(event="paused")) == 2)
    await env.does("schedule on acc:shop/prices", "are on", user="U0RUI")
    await mention(env, "incident close", thread_ts=thread)
    await env.until(lambda: len(env.audit(event="incident_closed")) == 1)
    later.later(hours=1)
    await env.until(lambda: [row for row in env.audit(event="resumed") if row.incident == "INC-44"])
    await mention(env, "incident close", thread_ts=other)

    def report(name: str) -> str:
        texts = [shown(one) for at in (thread, other) for one in env.ana.messages(CRAWL, at)]
        return next((text for text in texts if f"{name} is closed" in text), "")

    texts = await env.until(lambda: [report("INC-43"), report("INC-44")] if report("INC-44") else None)
    assert re.search(r"prices for=1h` \(quiet\): paused, ended <!date[^>]*>: `schedule on`, <@U0RUI>", texts[0]), texts[
        0
    ]
    assert re.search(r"feed for=1h` \(quiet\): paused, ended <!date[^>]*>: `schedule on`, automatic", texts[1]), texts[
        1
    ]
    assert "paused until" not in "".join(texts)


async def test_its_report_says_that_a_pause_has_no_end(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has one colon after the name of a backend."""
    folder = tmp_path_factory.mktemp("no-end")
    async with deciding(folder, monkeypatch, TWO_CHANNELS, only=("acc", "res")) as made:
        env = made.env
        await env.does("incident open INC-45 -- slow", "Incident INC-45")
        await env.does("pause res: for=2h", "Paused until")
        await env.does("resume res:", "resumed")
        await env.does("pause res:", "until someone runs")
        await env.does("schedule off acc:shop/prices", "until someone runs")
        report = shown(await env.does("incident close", "INC-45 is closed"))
    assert re.search("`pause res: for=2h`: paused, ended <!date", report), report
    for line in (
        "`resume res`: done",
        "`pause res`: paused without an end",
        "`schedule off acc:shop/prices`: switched off without an end",
    ):
        assert line in report, report


async def test_its_report_takes_no_later_command_for_the_end_of_a_pause(later: Team) -> None:
    """One that names the request in its reason, word for word as the end does."""
    env = later.env
    await env.does("incident open INC-43 -- slow", "Incident INC-43")
    paused = request_id(await env.does("schedule off acc:shop/prices for=1h -- quiet", "Paused until"))
    await env.does("schedule on acc:shop/prices", "are on", user="U0RUI")
    for at, why in enumerate((f"see {paused}", f"ends the pause {paused} of them", f"pause {paused}"), start=1):
        await env.does(f"schedule off acc:news/feed for={at}h -- {why}", "Paused until")
    report = shown(await env.does("incident close", "INC-43 is closed"))
    assert re.search(r"prices for=1h` \(quiet\): paused, ended <!date[^>]*>: `schedule on`, <@U0RUI>", report), report


async def test_the_end_of_a_pause_keeps_its_incident_after_that_was_closed(later: Team) -> None:
    """Also while another one is open in the same thread: it is the end of what was done for the first."""
    env = later.env
    (thread,) = await in_threads(env, "INC-43")
    await mention(env, "schedule off acc:shop/prices for=1h -- quiet", thread_ts=thread)
    await env.until(lambda: env.audit(event="paused"))
    await mention(env, "incident close", thread_ts=thread)
    await env.until(lambda: env.audit(event="incident_closed"))
    await mention(env, "incident open INC-44", thread_ts=thread)
    later.later(hours=1)
    ends = await env.until(lambda: env.audit(event="resumed"))
    assert {end.incident for end in ends} == {"INC-43"}


async def test_a_grant_and_a_watch_end_for_the_incident_in_which_they_began(later: Team) -> None:
    """Each by its own time, in the thread."""
    env = later.env
    (thread,) = await in_threads(env, "INC-43")
    await mention(env, "grant <@U0RUI> start acc:shop/* for=1h -- help", thread_ts=thread)
    await mention(env, "watch acc:shop/prices for=1h", thread_ts=thread)
    await env.until(lambda: env.audit(event="granted"))
    await env.until(lambda: "done" in env.events("watch"))
    later.later(hours=2)
    await env.until(lambda: env.audit(event="expired") and "ended" in env.events("watch"))
    (expired,) = env.audit(event="expired")
    (ended,) = [row for row in env.audit(event="ended") if row.verb == "watch"]
    assert (expired.incident, ended.incident) == ("INC-43", "INC-43")


async def test_its_report_counts_only_those_who_did_something_as_its_people(later: Team) -> None:
    """Not the holder of a grant that ended by itself."""
    env = later.env
    await env.does("incident open INC-61", "Incident INC-61")
    await env.does("grant <@U0RUI> start acc:shop/* for=1h -- help", "Granted")
    later.later(hours=2)
    await env.until(lambda: env.audit(event="expired"))
    report = shown(await env.does("incident close", "INC-61 is closed"))
    assert "automatic, for <@U0RUI>" in report
    assert "expired" not in report  # the line of the grant has its end
    assert "<@U0RUI>" not in report[report.index("*People:*") :].partition("\n")[0]


async def test_its_report_notifies_nobody_whom_a_reason_names(env: World) -> None:
    """It is for everyone in the channel: people in a reason stand there by name."""
    await env.does("incident open INC-62", "Incident INC-62")
    await env.does("schedule off acc:shop/prices -- asked by <@U0RUI> and <@U0ANA>", "are off")
    report = shown(await env.does("incident close -- thanks to <@U0LEE>", "INC-62 is closed"))
    assert "(asked by @Rui Reis and <@U0ANA>): " in report
    assert "thanks to @Lee Ling" in report
    assert "<@U0RUI>" not in report
    assert "<@U0LEE>" not in report


async def test_its_report_tells_a_press_of_try_again_in_the_words_of_the_first_request(env: World) -> None:
    """With its parameters and its reason."""
    await env.does("incident open INC-55 -- checkout", "Incident INC-55")
    await env.acc.set_fault({"fault": "503", "match": "POST .*/off"})
    card = await env.does("schedule off acc:shop/prices for=1h -- closed", "Failed", "Try again")
    await env.acc.clear_faults()
    await env.ana.press_label(CRAWL, card["ts"], "Try again", seen=card)
    await env.until(lambda: [row for row in env.audit(event="paused") if row.code is None])
    text = shown(await env.does("incident close", "INC-55 is closed"))
    assert re.search(r"`schedule off acc:shop/prices for=1h` \(closed\): paused until <!date", text), text
    assert re.search(r"for=1h` \(closed\): failed, may have been paused, ended <!date[^>]*>: `schedule off`", text), (
        text
    )


@pytest.mark.parametrize("again", [False, True])
async def test_its_report_says_that_a_pause_whose_answer_was_lost_is_unknown(env: World, again: bool) -> None:
    """And until when it may be paused, also after another look."""
    name = f"INC-{70 + again}"
    await env.does(f"incident open {name}", f"Incident {name}")
    await env.acc.set_fault({"fault": "drop_after", "match": "POST .*/off"})
    card = await env.does("schedule off acc:shop/prices for=1h -- lost", "Unknown", "Check again")
    await env.acc.clear_faults()
    if again:
        await env.ana.press_label(CRAWL, card["ts"], "Check again", seen=card)
        await env.sees("Unknown", "Checked again", request_id(card))
    text = shown(await env.does("incident close", f"{name} is closed"))
    assert re.search(r"for=1h` \(lost\): unknown, may be paused until <!date", text), text
    assert "1, none failed, 1 unknown" in text


async def test_its_report_counts_no_change_that_the_control_plane_refused(env: World) -> None:
    """Its card says that nothing was done; so do the report and the timeline."""
    await env.does("start acc:labs/slow", "Running")
    await env.does("incident open INC-64 -- refusals", "Incident INC-64")
    await env.does("retry acc:labs/slow@running -- too early", "Refused: nothing was done", "(400)")
    await env.does("timeline", "retry acc:labs/slow", "not done")
    text = shown(await env.does("incident close", "INC-64 is closed"))
    assert re.search(r"`retry acc:labs/slow.*` \(too early\): not done: acc refused the request \(400\)", text), text
    assert "Changes: none" in text, text
    assert "What was done" not in text


async def test_its_report_keeps_what_was_not_done_apart(team: Team) -> None:
    """What was denied, what waits, and what was withdrawn are no changes; a grant is not the operation that it permits."""
    env = team.env
    await env.does("incident open INC-56 -- checkout", "Incident INC-56")
    await env.does("grant <@U0RUI> start acc:shop/* for=1h -- help", "Granted", user="U0ROOT")
    await env.say("schedule off acc:shop/prices -- not mine", user="U0GUEST")
    await env.until(lambda: env.audit(event="denied"))
    await env.say("start acc:shop/prices -- restore")
    await env.until(lambda: env.audit(event="approval_requested"))
    text = shown(await env.does("incident close", "INC-56 is closed"))
    (done, not_done) = re.findall(r"\*What was(?: not)? done\*\n((?:•.*\n)+)", text)
    assert re.search(
        r"<@U0ROOT> `grant of start acc:shop/\*` \(help\): granted to <@U0RUI> until <!date\^\d+\^", done
    ), done
    assert done.count("•") == 1
    assert "`schedule off acc:shop/prices` (not mine): denied" in not_done
    assert "<@U0ANA> `start acc:shop/prices` (restore): waits for approval" in not_done


async def test_its_report_names_people_in_a_command_that_was_not_done(env: World) -> None:
    """Code shows no mention."""
    await env.does("status acc:shop/prices", "shop/prices", user="U0RUI")
    await env.does("incident open INC-65", "Incident INC-65")
    words = "let @rui start shop/prices until the shop opens because I left"
    offered = await env.does(words, "Did you mean this?")
    await env.ana.press_label(CRAWL, offered["ts"], labels(offered)[0], seen=offered)
    await env.until(lambda: "failed" in env.events("grant"))
    text = shown(await env.does("incident close", "INC-65 is closed"))
    assert re.search(r"`grant @Rui Reis start acc:shop/prices[^`]*` \(I left\): not done: ", text), text


async def test_its_report_names_a_person_once_who_used_the_terminal_too(env: World, program: Program) -> None:
    await env.does("incident open INC-66", "Incident INC-66")
    await program(
        "do", "status acc:shop/prices", "--channel", CRAWL, "--user", "U0ANA", folder=env.folder, environ=env.environ
    )
    await env.until(lambda: [row for row in env.audit(verb="status") if row.source == "terminal"])
    text = shown(await env.does("incident close", "INC-66 is closed"))
    assert re.search(r"\*People:\* <@U0ANA>\n", text), text


async def test_its_report_has_the_reason_of_what_was_cancelled_once(env: World) -> None:
    await env.does("incident open INC-67", "Incident INC-67")
    await env.say("schedule delete acc:news/feed -- it floods us")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed")
    await env.ana.press_label(CRAWL, look["ts"], "Cancel", seen=look)
    await env.until(lambda: "abandoned" in env.events("schedule delete"))
    text = shown(await env.does("incident close", "INC-67 is closed"))
    assert "`schedule delete acc:news/feed` (it floods us): cancelled\n" in text


async def test_what_was_refused_under_break_glass_is_marked_as_what_was_done_is(team: Team) -> None:
    env = team.env
    await env.does("incident open INC-68", "Incident INC-68")
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    await env.sees("Break-glass is active", user="U0RUI")
    await env.does("schedule off acc:labs/slow -- quiet", "has no schedules", "BREAK-GLASS", user="U0RUI")
    text = shown(await env.does("incident close", "INC-68 is closed"))
    assert "`schedule off acc:labs/slow` (quiet), with BREAK-GLASS: not done: " in text
