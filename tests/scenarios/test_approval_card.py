"""What approvers see and press: a card of five lines, one line once it is decided, and one card for the same wish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.team import APPROVERS, CRAWL, INCIDENT, RULES, Team, deciding
from tests.world import labels, shown

MANY = RULES.replace('who = ["crawl"]\n  approvals = { count = 1, from = ["leads"], expires = "30m"', 'who = ["*"]\n'
                     '  approvals = { count = 1, from = ["leads"], expires = "30m"')  # fmt: skip
MANY = MANY.replace('from = ["lonely"] }', 'from = ["leads"], expires = "1h", in = "C0APPR" }')


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals; everyone may ask to start the shop."""
    async with deciding(tmp_path, monkeypatch, MANY) as made:
        yield made


def kinds(message: dict[str, Any]) -> list[str]:
    """The types of its blocks."""
    return [block["type"] for block in message["blocks"]]


def lines(message: dict[str, Any]) -> list[str]:
    """The lines of its sections, as Slack shows them above the buttons."""
    texts = [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]
    return "\n".join(texts).split("\n")


def collapsed(message: dict[str, Any]) -> str:
    """What is in its collapsed section."""
    return shown({"blocks": [block for block in message["blocks"] if block["type"] == "container"]})


async def test_the_card_is_five_lines_and_buttons(team: Team) -> None:
    """Who wants what, why, what will happen, what is there now, when it expires; the rest is collapsed."""
    await team.env.say("start acc:shop/prices input.region=north -- month end")
    card = await team.card("start acc:shop/prices")
    who, why, what, now, expires = lines(card)
    assert who == "✋ *<@U0ANA> wants to run `start acc:shop/prices input.region=north`*"
    assert why == "*Why:* month end"
    assert what.startswith("*What happens:* ")
    assert now == "*Now:* idle"
    assert expires.startswith("*Expires:* <!date^")
    assert expires.endswith(" (within 30 min). Waiting for one of `leads`: <@U0LEE>.")
    assert kinds(card) == ["section", "section", "actions", "container"]
    for part in ("Digest", "Exact id", "Last outcomes", "Rule", "Request", '"north"'):
        assert part in collapsed(card), part
    assert "*Rule*\n<#C0CRAWL> allow " in collapsed(card)
    row = await team.event("approval_requested")
    assert row.digest in collapsed(card)


async def test_long_parameters_have_a_line_of_their_own(team: Team) -> None:
    """Nothing that would run is cut away, and there are still five lines."""
    regions = "-".join(str(number) for number in range(60))
    await team.env.say(f"start acc:shop/prices input.region={regions}")
    card = await team.card("start acc:shop/prices")
    assert f"*With:* input.region={regions}" in lines(card)
    assert len(lines(card)) == 5


async def test_what_would_push_the_buttons_off_the_screen_is_cut_and_whole_in_the_details(team: Team) -> None:
    """Both say so: the parameters, and the reason."""
    regions, why = "-".join(str(number) for number in range(300)), "month end, " * 40
    await team.env.say(f"start acc:shop/prices input.region={regions} -- {why}")
    card = await team.card("start acc:shop/prices")
    _, given, reason, _, _ = lines(card)
    assert given.endswith("… (all in Details)")
    assert reason.endswith("… (all in Details)")
    assert len(given) + len(reason) < 450
    assert regions in collapsed(card)
    assert why.strip() in collapsed(card)


async def test_a_decided_card_is_one_line_that_leads_to_the_run(team: Team) -> None:
    """Who decided what; the link opens the request's card."""
    env = team.env
    waiting = await env.does("start acc:shop/prices", "Waiting for approval")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    closed = await team.sees("Approved by <@U0LEE>")
    url = f"{env.ws.core.base_url}/archives/{CRAWL}/p{waiting['ts'].replace('.', '')}"
    assert lines(closed) == [f"✅ *Approved by <@U0LEE>: `start acc:shop/prices` for <@U0ANA>.* <{url}|Open the run>"]
    assert kinds(closed) == ["section"]


async def test_the_link_of_a_decided_card_promises_no_run_where_none_was_started(team: Team) -> None:
    """The control plane refused the call, or the command starts no run."""
    env = team.env
    await env.acc.set_fault({"fault": "401", "match": "POST .*/cluster/start"})
    await env.say("start acc:shop/prices")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    await team.event("failed")
    closed = await team.sees("Approved by <@U0LEE>: `start acc:shop/prices`", "Open the request")
    assert "Open the run" not in shown(closed)
    await env.say("schedule off acc:shop/prices")
    await team.press(await team.card("schedule off acc:shop/prices"), "Approve")
    await team.sees("Approved by <@U0LEE>: `schedule off acc:shop/prices`", "Open the request")


async def test_a_denied_card_says_why_in_its_line(team: Team) -> None:
    await team.env.say("start acc:shop/prices")
    await team.deny(await team.card("start acc:shop/prices"), "the shop is closed")
    closed = await team.sees("Denied by <@U0LEE>")
    (line,) = lines(closed)
    assert line.startswith("❌ *Denied by <@U0LEE>: `start acc:shop/prices` for <@U0ANA>. Reason: the shop is closed.*")


async def test_one_card_where_requester_and_approvers_share_a_channel(team: Team) -> None:
    """It carries Cancel too; the approved run then has a card of its own."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- checked by hand")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    assert labels(card) == ["Approve", "Deny", "Claim", "Cancel"]
    assert len([one for one in env.ana.messages(CRAWL) if "mark acc:shop/prices" in shown(one)]) == 1
    await team.press(card, "Cancel", user="U0LEE", channel=CRAWL)
    await team.sees("Only the requester can press this", channel=CRAWL)
    await team.press(card, "Cancel", user="U0ANA", channel=CRAWL)
    closed = await team.sees("Cancelled by <@U0ANA>: `mark acc:shop/prices as=failed`", channel=CRAWL)
    assert kinds(closed) == ["section"]
    told = await team.sees_in_thread("mark acc:shop/prices", "Cancelled by <@U0ANA>. Nothing was done.")
    timeline = await env.does("timeline since=1h", "mark acc:shop/prices cancelled · <@U0ANA> · Nothing was done.")
    for message in (closed, told, timeline):
        assert shown({**message, "text": ""}).lower().count("cancelled") == 1, shown(message)


async def test_a_workspace_that_refuses_the_collapsed_section_gets_the_same_card_without_it(team: Team) -> None:
    """Buttons stay, and the details are small print."""
    env = team.env
    env.ws.faults.fail("chat.postMessage", error="invalid_blocks", times=1, channel=APPROVERS)
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    assert kinds(card) == ["section", "section", "actions", "context"]
    assert "Digest: " in shown(card)
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)


async def test_a_claim_is_released_by_the_person_who_holds_it(team: Team) -> None:
    env = team.env
    env.ws.edit_group("S0LEADS", ["U0LEE", "U0ROOT"])
    await env.say("start acc:shop/prices")
    await team.press(await team.card("start acc:shop/prices"), "Claim")
    card = await team.card("<@U0LEE> is looking at it")
    assert labels(card)[2] == "Release"
    await team.press(card, "Release", user="U0ROOT")
    await team.sees("Only <@U0LEE> can release it", user="U0ROOT")
    await team.press(card, "Release")
    assert (await team.event("released")).user_id == "U0LEE"
    card = await team.env.person("U0LEE").wait_for(lambda _: _with(team, "Claim"))
    assert "is looking at it" not in shown(card)
    await team.press(card, "Claim", user="U0ROOT")
    await team.card("<@U0ROOT> is looking at it")


def _with(team: Team, label: str) -> dict[str, Any] | None:
    found = [one for one in team.env.person("U0LEE").messages(APPROVERS) if label in labels(one)]
    return found[-1] if found else None


async def test_an_approver_may_allow_the_same_for_an_hour(team: Team) -> None:
    """It runs now; for an hour it runs without asking; then it is asked again. The grant is recorded and announced."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    allowed = (
        "Ana Alves can run start acc:shop/prices in the channel of the request without asking, with any parameters."
    )
    assert allowed in str(card["blocks"])
    await team.press(card, "Allow for 1 hour")
    await env.until(lambda: len(team.effects()) == 1)
    grant = await team.event("granted")
    assert (grant.user_id, grant.verb, grant.target_name) == ("U0LEE", "start", "acc:shop/prices")
    await env.sees("Granted: start on acc:shop/prices, with any parameters", "<@U0LEE>")
    await team.sees_in_thread("<@U0ANA> can run it here for 1 hour without asking again, with any parameters.")
    await env.sees("Approved by <@U0LEE>", "Allowed for 1 hour, with any parameters", user="U0LEE", channel=APPROVERS)
    await env.say("start acc:shop/prices input.region=south")
    await env.until(lambda: len(team.effects()) == 2)
    assert [row.rule for row in env.audit(event="sent")][-1] == grant.rule
    await env.does("start acc:shop/stock", "Waiting for approval", "start acc:shop/stock")
    await env.say("start acc:shop/prices", user="U0RUI")
    await team.card("<@U0RUI> wants to run `start acc:shop/prices`")
    team.later(hours=1)
    await team.sees_in_thread("Grant ended", "<@U0ANA>")
    await env.say("start acc:shop/prices")
    await team.card("<@U0ANA> wants to run `start acc:shop/prices`")
    assert len(team.effects()) == 2


async def test_such_a_grant_is_told_as_the_act_of_its_approver(team: Team) -> None:
    """The report of the incident lists it, and a search of the audit log for the approver finds it."""
    env = team.env
    await env.does("incident open INC-70 -- wrong prices", "Incident INC-70")
    await env.say("start acc:shop/prices -- month end")
    await team.press(await team.card("start acc:shop/prices"), "Allow for 1 hour")
    await team.event("ended")
    report = shown(await env.does("incident close -- fixed", "INC-70 is closed"))
    assert "`start acc:shop/prices` (month end), approved by <@U0LEE>: succeeded" in report
    assert "<@U0LEE> `grant of start acc:shop/prices` (month end): granted" in report
    listed = shown(await env.does("audit <@U0LEE> granted", "Audit log", user="U0ROOT"))
    assert "grant of start acc:shop/prices" in listed


async def test_such_a_grant_counts_only_while_its_approver_may_approve(team: Team) -> None:
    env = team.env
    await env.say("start acc:shop/prices")
    await team.press(await team.card("start acc:shop/prices"), "Allow for 1 hour")
    await env.sees("Granted: start on acc:shop/prices")
    await env.until(team.effects)  # the approver is checked again before the call
    env.ws.edit_group("S0LEADS", ["U0ROOT"])
    team.later(minutes=2)
    await env.say("start acc:shop/prices")
    await team.card("<@U0ANA> wants to run `start acc:shop/prices`", user="U0ROOT")
    assert len(team.effects()) == 1


async def test_what_is_dangerous_or_needs_two_people_is_never_allowed_for_a_time(team: Team) -> None:
    env = team.env
    await env.say("schedule delete acc:news/feed -- no longer needed")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed")
    await team.press(look, "Ask for approval", user="U0ANA", channel=CRAWL)
    assert "Allow for 1 hour" not in labels(await team.card("schedule delete acc:news/feed"))
    await env.say("mark acc:shop/prices as=failed -- checked")
    assert "Allow for 1 hour" not in labels(await team.card("mark acc:shop/prices", channel=CRAWL))


async def test_an_hour_of_a_joined_request_is_told_with_who_has_it(team: Team) -> None:
    """Rui asked for the same, but the hour is for Ana, who asked first."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    await env.does("start acc:shop/prices", "already asked for this", user="U0RUI")
    await team.press(await team.card("<@U0ANA> and <@U0RUI> want to run"), "Allow for 1 hour")
    await team.sees("for <@U0ANA> and <@U0RUI>. Allowed for 1 hour, with any parameters, only for <@U0ANA>")


async def test_the_same_wish_of_a_second_person_joins_the_first(team: Team) -> None:
    """One card names both, one run follows, both are told; the second one can't decide it."""
    env = team.env
    env.ws.edit_group("S0LEADS", ["U0LEE"])
    await env.does("start acc:shop/prices input.region=north -- month end", "Waiting for approval")
    await team.card("start acc:shop/prices")
    answer = await env.does("start acc:shop/prices input.region=north", "already asked for this", user="U0RUI")
    assert "<@U0ANA> already asked for this. I added you to the request, and I'll tell you how it ends." in shown(
        answer
    )
    card = await team.card("<@U0ANA> and <@U0RUI> want to run `start acc:shop/prices input.region=north`")
    team.regroup("S0LEADS", ["U0LEE", "U0RUI"])
    await team.press(card, "Approve", user="U0RUI")
    await team.sees("You asked for this too", user="U0RUI")
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    await team.sees_in_thread("Approved by <@U0LEE>", "<@U0ANA>", "<@U0RUI>")
    await team.sees("Approved by <@U0LEE>: `start acc:shop/prices input.region=north` for <@U0ANA> and <@U0RUI>")
    assert len(env.audit(event="approval_requested")) == 1
    (row,) = [row for row in env.audit(event="abandoned") if row.code == "joined"]
    assert row.user_id == "U0RUI"
    timeline = {**await env.does("timeline since=1h", "Timeline since"), "text": ""}
    told = [line for line in shown(timeline).split("\n") if "<@U0RUI>" in line]
    assert len(told) == 1, told
    assert "start acc:shop/prices asked again · <@U0RUI> · <@U0ANA> already asked for the same" in told[0]
    await env.say("start acc:shop/prices input.region=north", user="U0RUI")
    await env.until(lambda: len(env.audit(event="approval_requested")) == 2)


async def test_the_same_wish_at_the_same_moment_is_one_card(team: Team) -> None:
    env = team.env
    await asyncio.gather(*(env.say("start acc:shop/prices", user=user) for user in ("U0ANA", "U0RUI", "U0ANA")))
    await team.card("start acc:shop/prices")
    await env.quiet()
    assert len(env.audit(event="approval_requested")) == 1


async def test_another_parameter_is_another_wish(team: Team) -> None:
    env = team.env
    await env.say("start acc:shop/prices input.region=north")
    await env.say("start acc:shop/prices input.region=south", user="U0RUI")
    await env.until(lambda: len(env.audit(event="approval_requested")) == 2)


async def test_an_approver_who_wants_the_same_is_led_to_the_card(team: Team) -> None:
    """They can decide it, so they don't join it."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    answer = await env.does("start acc:shop/prices", "you can decide it", "Open the request", user="U0LEE")
    assert f"/archives/{APPROVERS}/p{card['ts'].replace('.', '')}" in shown(answer)
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)


@pytest.mark.parametrize("channel", [CRAWL, APPROVERS, INCIDENT, "D0LEE"])
async def test_an_approver_who_may_not_run_it_is_led_to_the_card_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: str
) -> None:
    """Where it was asked, where it is decided, where other rules count, and in a direct message. Others are denied."""
    async with deciding(tmp_path, monkeypatch, RULES) as team:
        env, lee = team.env, team.env.person("U0LEE")
        await env.say("start acc:shop/prices input.region=north -- month end")
        card = await team.card("start acc:shop/prices")
        link = f"/archives/{APPROVERS}/p{card['ts'].replace('.', '')}"
        if channel[0] == "D":
            await lee.post(channel, "start acc:shop/prices input.region=north")
        else:
            await env.say("start acc:shop/prices input.region=north", user="U0LEE", channel=channel)
        where = "" if channel == CRAWL else f" in <#{CRAWL}>"
        answer = await env.sees(
            f"<@U0ANA> already asked for this{where}, and you can decide it",
            "Open the request",
            user="U0LEE",
            channel=channel,
        )
        assert link in shown(answer)
        await env.does("start acc:shop/prices input.region=south", "Denied", user="U0LEE")
        await env.does("start acc:shop/prices input.region=north", "Denied", user="U0ROOT")
        assert team.effects() == []


FREE = RULES.replace("""id = "C0INC"
""", """id = "C0INC"
  [[channel.allow]]
  verbs = ["start", "schedule delete"]
  targets = ["acc:*"]
  who = ["leads"]
""").replace('who = ["U0RUI"]', 'who = ["U0RUI", "leads"]')  # fmt: skip


async def test_an_approver_who_may_run_it_is_led_to_the_card_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing runs until they choose: the request, or the same once more. Other people just run it."""
    async with deciding(tmp_path, monkeypatch, FREE) as team:
        env = team.env
        await env.say("start acc:shop/prices input.region=north -- month end")
        card = await team.card("start acc:shop/prices")
        link = f"/archives/{APPROVERS}/p{card['ts'].replace('.', '')}"
        lee = {"user": "U0LEE", "channel": INCIDENT}
        answer = await env.does(
            "start acc:shop/prices input.region=north -- ok",
            f"<@U0ANA> already asked for this in <#{CRAWL}>, and you can decide it",
            **lee,
        )
        assert link in shown(answer)
        assert "If you run it, the request still waits." in shown(answer)
        assert labels(answer) == ["Run it", "Cancel"]
        assert team.effects() == []
        await team.press(answer, "Run it", **lee)
        await env.until(lambda: len(team.effects()) == 1)
        await env.does("start acc:shop/prices input.region=south", "start acc:shop/prices", **lee)
        await env.until(lambda: len(team.effects()) == 2)
        assert [row.event for row in env.audit(event="abandoned")] == []


async def test_an_approver_who_may_do_what_is_dangerous_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question that dangerous commands have anyway says that the same waits."""
    async with deciding(tmp_path, monkeypatch, FREE) as team:
        env, lee = team.env, {"user": "U0LEE", "channel": INCIDENT}
        question = await env.does("schedule delete acc:shop/prices -- gone", "Dangerous")
        await team.press(question, "Ask for approval", user="U0ANA", channel=CRAWL)
        await team.card("schedule delete acc:shop/prices")
        answer = await env.does("schedule delete acc:shop/prices -- gone", "you can decide it", "Dangerous", **lee)
        assert labels(answer) == ["Run it", "Cancel"]
        assert "Open the request" in shown(answer)


async def test_the_end_of_a_pause_is_in_each_readers_time_where_it_is_decided_and_where_it_was_asked(
    team: Team,
) -> None:
    """`until=18:00` is typed in the bot's time zone, and an approver elsewhere has another clock."""
    ends = (team.now() + timedelta(hours=3)).replace(second=0, microsecond=0)
    await team.env.say(f"schedule off acc:shop/prices until={ends:%H:%M} -- the shop is closed")
    card = await team.card("schedule off acc:shop/prices")
    moment = f"<!date^{int(ends.timestamp())}^"
    assert f"wants to run `schedule off acc:shop/prices` until {moment}" in lines(card)[0]
    asked = await team.sees("schedule off acc:shop/prices", "Waiting for approval", user="U0ANA", channel=CRAWL)
    assert f"*With:* until={moment}" in shown(asked)


async def test_the_end_of_a_pause_is_the_moment_that_was_approved_not_the_same_time_a_day_later(team: Team) -> None:
    ends = team.now() + timedelta(minutes=20)
    await team.env.say(f"schedule off acc:shop/prices until={ends:%H:%M} -- the shop is closed")
    card = await team.card("schedule off acc:shop/prices")
    team.later(minutes=30)
    await team.press(card, "Approve")
    await team.sees_in_thread("is in the past")
    assert not [effect for effect in team.env.acc.effects if "schedule" in effect.action]


async def test_the_card_names_the_incident_of_its_channel_or_thread(team: Team) -> None:
    """Who decides elsewhere sees that it is an emergency; on the Home tab too."""
    env = team.env
    await env.does("incident open INC-42 -- checkout is down", "Incident INC-42")
    await env.say("start acc:shop/prices input.region=north -- month end")
    card = await team.card("start acc:shop/prices")
    who = lines(card)[0]
    assert who == "✋ *<@U0ANA> wants to run `start acc:shop/prices input.region=north` for incident INC-42*"
    lee = env.person("U0LEE")
    await lee.open_home()
    await lee.wait_for(lambda _: "Review" in labels(lee.home() or {}))
    await lee.press_label("home", label="Review")
    await lee.wait_for(lambda _: "for incident INC-42" in shown(lee.home() or {}))


async def test_the_reason_of_a_person_who_joins_is_on_the_card(team: Team) -> None:
    """Each reason with the name of the person who gave it; the card still has five lines."""
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    await team.card("start acc:shop/prices")
    await env.does("start acc:shop/prices -- the audit needs it", "already asked for this", user="U0RUI")
    card = await team.card("<@U0ANA> and <@U0RUI> want to run")
    assert lines(card)[1] == "*Why:* month end · <@U0RUI>: the audit needs it"
    assert len(lines(card)) == 5


async def test_a_decided_card_names_the_parameters(team: Team) -> None:
    """Who, what with which parameters, and who decided; long ones are cut, and whole on the card of the run."""
    env = team.env
    await env.say("start acc:shop/prices input.region=north -- month end")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    (line,) = lines(await team.sees("Approved by <@U0LEE>"))
    assert line.startswith("✅ *Approved by <@U0LEE>: `start acc:shop/prices input.region=north` for <@U0ANA>.*")
    regions = "-".join(str(number) for number in range(90))
    await env.say(f"start acc:shop/prices input.region={regions}")
    await team.deny(await team.card("start acc:shop/prices", "region=0-1"), "too many")
    (line,) = lines(await team.sees("Denied by <@U0LEE>"))
    assert line.startswith("❌ *Denied by <@U0LEE>: `start acc:shop/prices input.region=0-1-2-3-")
    assert "…` for <@U0ANA>. Reason: too many.*" in line
    assert regions not in line


async def test_people_and_channels_in_a_reason_are_shown_by_name_and_notify_nobody(team: Team) -> None:
    """On the card of the approvers, the waiting card, the Home tab, the cancelled card and a denial."""
    env, rui = team.env, team.env.person("U0RUI")
    why = "asked by @Rui Reis in <#C0INC>"
    await env.say("start acc:shop/prices -- asked by <@U0RUI> in <#C0INC>")
    await team.card("start acc:shop/prices", why)
    waiting = await env.sees("Waiting for approval", f"<@U0ANA>: {why}")
    await env.person("U0LEE").open_home()
    assert why in shown(await env.person("U0LEE").wait_for(lambda person: person.home()))
    await team.press(waiting, "Cancel", user="U0ANA", channel=CRAWL)
    await env.sees("Cancelled", f"<@U0ANA>: {why}")
    await env.does("start acc:news/feed -- asked by <@U0RUI> in <#C0INC>", "Denied")
    posted = [shown(message) for channel in (CRAWL, APPROVERS) for message in rui.messages(channel)]
    assert not [words for words in posted if "<@U0RUI>" in words]


async def test_a_person_in_a_reason_is_named_on_the_card_of_a_run(team: Team) -> None:
    await team.env.say("status acc:shop/prices -- for <@U0RUI>, <@U0LEE>'s run")
    await team.env.sees("status acc:shop/prices", "<@U0ANA>: for @Rui Reis, @Lee Ling's run")
    await team.env.say("start acc:shop/prices -- for <@U0RUI>")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve")
    await team.env.sees("<@U0ANA>: for @Rui Reis", "approved by <@U0LEE>")


async def test_a_card_does_not_wait_long_for_the_name_of_a_person(team: Team) -> None:
    """Where Slack is slow to tell it, the card shows the id, and notifies nobody. The next card shows the name."""
    await team.env.does("status acc:shop/prices", "Succeeded")
    team.env.ws.faults.fail("users.info", delay=3.0, times=1)
    await team.env.does("status acc:shop/prices -- for <@U0RUI>", "<@U0ANA>: for &lt;@U0RUI&gt;")
    await asyncio.sleep(4)
    await team.env.does("status acc:shop/prices -- for <@U0RUI>", "<@U0ANA>: for @Rui Reis")


async def test_whose_name_a_card_waits_for_may_use_the_bot_meanwhile(team: Team) -> None:
    """Slack is asked once for the name and for the rights of the same person."""
    env = team.env
    await env.does("status acc:shop/prices", "Succeeded")
    env.ws.faults.fail("users.info", delay=2.0)
    await env.say("status acc:shop/prices -- for <@U0RUI>")
    await asyncio.sleep(0.5)
    await env.does("history acc:shop/prices", "history acc:shop/prices", user="U0RUI")
    assert not env.audit(event="denied")


async def test_slack_is_asked_once_a_minute_for_a_person_whom_it_does_not_know(team: Team) -> None:
    """However often the card of a run is shown anew."""
    env = team.env
    await env.say("start acc:shop/prices -- for <@U0NOBODY1>")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    await env.sees("start acc:shop/prices", "Succeeded", "for &lt;@U0NOBODY1&gt;")
    asked = [call for call in env.ws.calls if call.method == "users.info" and call.args["user"] == "U0NOBODY1"]
    assert len(asked) == 1


async def test_a_person_in_a_parameter_is_shown_as_it_is_sent(team: Team) -> None:
    """The name is that person's own choice; what is approved and sent is the id."""
    env = team.env
    await env.say("start acc:shop/prices input.owner=<@U0RUI>")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve")
    run = await env.sees("start acc:shop/prices", "Succeeded")
    for message in (card, run):
        assert "U0RUI" in shown(message)
        assert "Rui Reis" not in shown(message)
