"""Approvals through Slack: asked, decided, refused, expired, drifted, survived; the plane is called once or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.card import approval_key
from bot.core.records import CastVote, VoteResult
from tests.scenarios.team import APPROVERS, CRAWL, INCIDENT, NO_REVIEWER, RULES, SECURITY, Team, deciding
from tests.world import labels, request_id, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_approvers_who_cannot_be_told_are_told_once_the_bot_is_invited(team: Team) -> None:
    """Outside the approvers' channel: the requester reads what to do; let in, the bot posts the card there."""
    env = team.env
    members = list(env.ws.core.state.channels[APPROVERS].members)
    env.ws.set_channel(APPROVERS, members=[one for one in members if one != "U0BOT"])
    await env.does("start acc:shop/prices", "Waiting for approval", "Not asked yet", f"<#{APPROVERS}>", "invite it")
    await env.sees("I can't write in", f"<#{APPROVERS}>", "I keep trying")
    env.ws.set_channel(APPROVERS, members=members)
    team.later(seconds=15)
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve")
    await env.sees("start acc:shop/prices", "Succeeded", timeout=30)


async def test_doctor_names_the_channels_that_are_of_no_use(team: Team) -> None:
    """An administrator reads which one, what it is for, and the remedy."""
    env = team.env
    env.ws.set_channel(APPROVERS, members=["U0LEE"])
    await env.does("doctor", "Doctor", f"<#{APPROVERS}>", "approvals are requested", "invite it", user="U0ROOT")


async def test_an_approved_start_runs_once_and_names_who_approved_it(team: Team) -> None:
    """Asked in #approvals, waiting in #crawl-ops, approved by Lee, run, told in the thread, buttons retired."""
    env = team.env
    await env.say("start acc:shop/prices input.region=north -- month end")
    mine = await env.sees("Waiting for approval", "start acc:shop/prices")
    assert labels(mine) == ["Cancel"]
    card = await team.card("start acc:shop/prices")
    words = shown(card)
    for part in ("U0ANA", "north", "month end", "What happens", "Now", "idle", "Expires", "Digest", "U0LEE"):
        assert part in words, (part, words)
    assert labels(card) == ["Approve", "Deny", "Claim", "Allow for 1 hour"]
    assert not team.effects()
    await team.press(card, "Approve")
    await env.sees("start acc:shop/prices", "Succeeded", "approved by <@U0LEE>", timeout=30)
    request = request_id(mine)
    assert len(team.effects()) == 1
    assert team.events(request)[:5] == ["requested", "approval_requested", "approved", "sent", "done"]
    rows = {str(row.event): row for row in env.audit(request_id=request)}
    assert rows["approved"].user_id == "U0LEE"
    assert rows["approved"].channel_id == APPROVERS
    assert rows["sent"].approval_id == rows["approved"].approval_id is not None
    assert "U0LEE" in rows["sent"].detail
    closed = await team.sees("Approved by <@U0LEE>", "start acc:shop/prices")
    assert labels(closed) == []
    await team.sees_in_thread("Approved by <@U0LEE>", "<@U0ANA>")


async def test_a_denial_needs_a_reason_and_ends_it(team: Team) -> None:
    """The modal shows the whole command and refuses an empty reason; with one the requester reads it and nothing ran."""
    env = team.env
    await env.does("start acc:shop/prices input.region=north", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Deny")
    lee = env.person("U0LEE")
    form = await lee.wait_for(lambda p: p.modal())
    assert "start acc:shop/prices input.region=north" in json.dumps(form)
    assert (await lee.submit("modal", {"reason": "  "})).errors
    assert not (await lee.submit("modal", {"reason": "the shop is closed"})).errors
    await env.sees("Denied by <@U0LEE>", "the shop is closed")
    await team.sees_in_thread("the shop is closed", "<@U0ANA>")
    closed = await team.sees("Denied by <@U0LEE>")
    assert labels(closed) == []
    row = await team.event("rejected")
    assert (row.user_id, row.detail) == ("U0LEE", "the shop is closed")
    assert not team.effects()


async def test_deny_answers_at_once_someone_who_may_not_decide(team: Team) -> None:
    """Rui isn't one of the approvers: his press is answered with who can decide, and no form opens."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Deny", user="U0RUI")
    await team.sees("You can't decide this", "<@U0LEE>", user="U0RUI")
    assert env.person("U0RUI").modal() is None
    assert (await team.event("denied")).user_id == "U0RUI"


async def test_deny_opens_its_form_for_someone_who_joined_the_approvers_later(team: Team) -> None:
    """Ana asked while Lee alone could decide; Rui joins the leads, and his denial with a reason counts."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    env.ws.edit_group("S0LEADS", ["U0LEE", "U0RUI"])
    team.later(minutes=1)
    await team.deny(card, "the shop is closed", user="U0RUI")
    await team.sees("Denied by <@U0RUI>")


async def test_it_expires_at_its_very_moment_and_the_requester_is_told(team: Team) -> None:
    """Thirty minutes later both cards carry no buttons, and a late press runs nothing."""
    env = team.env
    await env.does("start acc:shop/prices", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    team.later(minutes=30)
    await env.sees("Expired", "start acc:shop/prices")
    await team.sees_in_thread("Nobody decided", "<@U0ANA>")
    await team.press(card, "Approve")
    await team.sees("Too late. Expired")
    assert not team.effects()
    assert (await team.event("expired")).approval_id is not None


async def test_the_approvers_are_reminded_once_at_half_time(team: Team) -> None:
    """Fifteen minutes into thirty a message in the card's thread calls those who may decide."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    team.later(minutes=15, seconds=1)
    await team.sees_in_thread("Still waiting", "<@U0LEE>", user="U0LEE", channel=APPROVERS)


async def test_the_requester_cancels_and_nobody_else_may(team: Team) -> None:
    """Cancel on the requester's card ends it; Rui's press does not."""
    env = team.env
    await env.say("start acc:shop/prices")
    mine = await env.sees("Waiting for approval")
    card = await team.card("start acc:shop/prices")
    await team.press(mine, "Cancel", user="U0RUI", channel=CRAWL)
    await env.sees("Only the requester can", user="U0RUI")
    await team.press(mine, "Cancel", user="U0ANA", channel=CRAWL)
    await team.sees("Cancelled by <@U0ANA>")
    await team.press(card, "Approve")
    await team.sees("Too late. Cancelled by <@U0ANA>", "Request:* `start acc:shop/prices`")
    assert not team.effects()


async def test_the_requester_never_decides_their_own_request(team: Team) -> None:
    """Ana is in the group that decides marks; her press is refused and registered, Lee's and Root's count."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", user="U0ANA", channel=CRAWL)
    await env.sees("your own request")
    assert (await team.event("denied")).code == "own_request"


async def test_two_distinct_people_are_needed_and_one_counts_once(team: Team) -> None:
    """Lee is in both groups and presses twice: one of two. Root makes it two."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("1 of 2 agreed (<@U0LEE>), still to decide: <@U0ROOT>", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("already counts", channel=CRAWL)
    assert not team.effects("mark")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("mark acc:shop/prices", "approved by <@U0LEE>, <@U0ROOT>")
    assert [row.detail for row in env.audit(event="approved")] == ["1 of 2 agreed", "2 of 2 agreed"]
    await team.sees("Approved by <@U0LEE> and <@U0ROOT>", "mark acc:shop/prices", channel=CRAWL)


async def test_a_vote_that_is_shown_late_does_not_open_a_decided_card_again(team: Team) -> None:
    """Root's vote decides while Lee's is stored and not shown yet: the card says what was decided, and has no buttons."""
    env, first = team.env, asyncio.Event()
    vote = env.bot.store.vote

    async def slow(pending_id: str, cast: CastVote, *args: Any, **words: Any) -> VoteResult:
        result = await vote(pending_id, cast, *args, **words)
        if cast.user_id == "U0LEE":
            first.set()
            await team.sees("Approved by <@U0LEE> and <@U0ROOT>", channel=CRAWL)
        return result

    env.bot.store.vote = slow  # type: ignore[method-assign,assignment]
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await first.wait()
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Your vote counts", user="U0LEE")
    shown_last = await env.bot.store.message(approval_key(request_id(card)))
    assert shown_last is not None
    assert "Approved by" in str(shown_last.body)


async def test_one_who_agreed_may_still_deny(team: Team) -> None:
    """Any denial ends it, that of somebody who had agreed too."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("1 of 2 agreed", channel=CRAWL)
    await team.deny(card, "on second thought, no", channel=CRAWL)
    await env.sees("Denied by <@U0LEE>", "on second thought")
    assert (await team.event("rejected")).user_id == "U0LEE"


async def test_what_nobody_can_approve_is_refused_at_once(team: Team) -> None:
    """The only member of the group asks: refused with the gap, and no card is posted."""
    env = team.env
    await env.does("schedule off acc:shop/prices", "Denied", "lonely", "requester can't decide")
    row = await team.event("denied")
    assert row.code == "no_approvers"
    assert not env.audit(event="approval_requested")


async def test_claim_tells_who_looks_and_binds_nobody(team: Team) -> None:
    """Lee claims; Root still decides."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Claim", channel=CRAWL)
    await team.sees("<@U0LEE> is looking at it", channel=CRAWL)
    assert (await team.event("claimed")).user_id == "U0LEE"
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await team.sees("1 of 2 agreed", channel=CRAWL)


async def test_a_dangerous_verb_is_looked_at_and_then_approved(team: Team) -> None:
    """Run it asks the approvers; Approve deletes."""
    env = team.env
    await env.say("schedule delete acc:news/feed -- no longer needed")
    look = await env.sees("Dangerous", "schedule delete acc:news/feed")
    assert labels(look) == ["Ask for approval", "Cancel"]
    assert not env.audit(event="approval_requested")
    await team.press(look, "Ask for approval", user="U0ANA", channel=CRAWL)
    card = await team.card("schedule delete acc:news/feed")
    await team.press(card, "Approve")
    await env.until(lambda: not [s for s in env.acc.world.schedules.values() if s.agent.path == "news/feed"])


async def test_a_copy_of_the_card_and_another_channel_decide_nothing(team: Team) -> None:
    """The button counts on its own message alone."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    posted, database = approval_key(request_id(card)), env.bot.store.database
    own = "SELECT 1 FROM messages WHERE key = ? AND ts IS NOT NULL"
    await env.until(lambda: database.read_sync(lambda db: db.execute(own, (posted,)).fetchone()))
    await team.forged(card, ts="1700000000.000100")
    await team.sees("copy of the message")
    await team.forged(card, channel=CRAWL)
    await env.sees("another channel", user="U0LEE")
    await team.forged(card, channel="", ts="")
    await env.until(lambda: len([r for r in env.audit(event="requested") if r.verb == "approve"]) == 3)
    assert not env.audit(event="approved")
    assert not team.effects()


async def test_an_approval_lists_the_user_groups_at_most_three_times(team: Team) -> None:
    """Slack allows about 20 lists a minute, so the number doesn't grow with the groups in the rules."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.press(await team.card("start acc:shop/prices"), "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    groups = [call.method for call in env.ws.calls if call.method.startswith("usergroups.")]
    assert groups in (["usergroups.list"] * count for count in (1, 2, 3))


async def test_an_approval_is_used_once(team: Team) -> None:
    """Twenty presses at once are one decision and one call; the late ones hear who decided."""
    env = team.env
    env.ws.edit_group("S0LEADS", ["U0LEE", "U0ROOT"])
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    users = ["U0LEE", "U0ROOT"] * 10
    await asyncio.gather(*(team.press(card, "Approve", user=user) for user in users))
    await env.until(lambda: len(team.effects()) >= 1)
    await env.sees("start acc:shop/prices", "Succeeded", timeout=30)
    assert len(team.effects()) == 1
    assert len(env.audit(event="approved")) == 1
    winner = env.audit(event="approved")[0].user_id
    loser = "U0ROOT" if winner == "U0LEE" else "U0LEE"
    await team.sees(f"Approved by <@{winner}>", "Too late", user=loser)


async def test_a_text_that_hides_signs_cannot_be_approved(team: Team) -> None:
    """A right-to-left mark in a parameter is refused at once; in a reason nobody could check it, so nobody is asked."""
    env = team.env
    await env.does("start acc:shop/prices input.region=no\u202erth", "Nothing was done", "U+202E")
    await env.does("start acc:shop/prices -- no\u202erth", "Denied", "U+202E")
    assert (await team.event("denied")).code == "not_showable"


async def test_approvals_are_listed_and_decided_on_the_home_tab(team: Team) -> None:
    """`approvals` lists what waits here; Lee's Home tab shows it with its buttons, Rui's does not."""
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    await team.card("start acc:shop/prices")
    await env.does("approvals", "Waiting for approval", "start acc:shop/prices", APPROVERS)
    lee, rui = env.person("U0LEE"), env.person("U0RUI")
    await rui.open_home()
    view = await rui.wait_for(lambda p: p.home())
    assert "Waiting for your decision" not in shown(view)
    await lee.open_home()
    await lee.wait_for(lambda p: "Review 1" in shown(p.home() or {}))
    await lee.press_label("home", label="Review 1")
    view = await lee.wait_for(lambda p: found if "wants to run" in shown(found := p.home() or {}) else None)
    assert "<@U0ANA> wants to run `start acc:shop/prices`" in shown(view)
    assert "month end" in shown(view)
    await lee.press_label("home", label="Approve")
    await env.until(lambda: len(team.effects()) == 1)
    await team.sees("Approved by <@U0LEE>")
    await lee.wait_for(lambda p: "wants to run" not in shown(p.home() or {}))


async def test_what_waits_for_a_person_is_listed_where_they_ask_also_in_a_channel_without_rules(team: Team) -> None:
    """Lee decides and Ana asked: both read it in the channel where it is decided. Rui has no part in it."""
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    await team.card("start acc:shop/prices")
    for user, channel in (("U0LEE", APPROVERS), ("U0LEE", INCIDENT), ("U0ANA", APPROVERS)):
        found = await env.does("approvals", "Waiting for approval", user=user, channel=channel)
        assert "start acc:shop/prices" in shown(found), (user, channel)
    await env.does("approvals", "Nothing waits for your decision.", user="U0ROOT", channel=APPROVERS)
    await env.does("watches", "Denied", user="U0LEE", channel=APPROVERS)
    await team.new_rules(NO_REVIEWER)
    await env.does("approvals", "Denied", user="U0RUI", channel=APPROVERS)


@pytest.mark.parametrize("channel", [APPROVERS, SECURITY])
async def test_who_decides_or_reviews_is_told_that_nothing_waits_where_no_rule_is(team: Team, channel: str) -> None:
    """Not that commands are run elsewhere, as others are told. Lee approves, Root and Rui close reviews of break-glass."""
    env, none = team.env, "Nothing waits for your decision."
    for user in ("U0LEE", "U0ROOT", "U0RUI"):
        await env.does("approvals", none, user=user, channel=channel)
    await env.person("U0LEE").post("D0LEE", "approve")
    await env.sees(none, user="U0LEE", channel="D0LEE")
    await team.new_rules(NO_REVIEWER)
    await env.does("approvals", "Denied", user="U0RUI", channel=channel)


@pytest.mark.parametrize("greeting", ["hi", "hello"])
async def test_a_greeting_in_a_direct_message_leads_to_what_waits_for_the_person(team: Team, greeting: str) -> None:
    await team.env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    lee, root = team.env.person("U0LEE"), team.env.person("U0ROOT")
    for person in (lee, root):
        await person.post(f"D{person.id[1:]}", greeting)
    answer = await lee.wait_for(lambda p: next((one for one in p.messages("D0LEE") if labels(one)), None))
    assert labels(answer)[0] == "approvals"
    await team.env.quiet()
    assert not any("approvals" in labels(one) for one in root.messages("D0ROOT"))


@pytest.mark.parametrize("said", ["denied", "cancelled"])
async def test_the_audit_log_finds_an_end_by_the_name_that_cards_give_it(team: Team, said: str) -> None:
    """As a parameter, too: an approver's denial is `rejected` there, and what a person cancels `abandoned`."""
    waiting = await team.env.does("start acc:shop/prices", "Waiting for approval")
    if said == "denied":
        await team.deny(await team.card("start acc:shop/prices"), "not today")
    else:
        await team.env.ana.press_label(CRAWL, waiting["ts"], "Cancel")
    await team.event("rejected" if said == "denied" else "abandoned")
    await team.env.does(f"audit event={said}", "Audit log", "start acc:shop/prices", user="U0ROOT")


@pytest.mark.parametrize("ending", ["denied from home", "denied", "cancelled", "expired", "approved"])
async def test_home_tabs_follow_however_an_approval_ends(team: Team, ending: str) -> None:
    """What was shown to approver and requester on their Home tabs is gone, whoever ended it and where."""
    env = team.env
    lee = env.person("U0LEE")
    waiting = await env.does("start acc:shop/prices", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    for person, words in ((lee, "Waiting for your decision"), (env.ana, "start acc:shop/prices")):
        await person.open_home()
        await person.wait_for(lambda p, words=words: words in shown(p.home() or {}))
    if ending == "denied from home":
        await lee.press_label("home", label="Review 1")
        await lee.wait_for(lambda p: "wants to run" in shown(p.home() or {}))
        await lee.press_label("home", label="Deny")
        await lee.wait_for(lambda p: p.modal())
        await lee.submit("modal", {"reason": "not today"})
    elif ending == "denied":
        await team.deny(card, "not today")
    elif ending == "cancelled":
        await env.ana.press_label(CRAWL, waiting["ts"], "Cancel")
    elif ending == "expired":
        team.later(minutes=31)
    else:
        await team.press(card, "Approve")
    await lee.wait_for(lambda p: "Waiting for your decision" not in shown(p.home() or {}))
    await env.ana.wait_for(lambda p: "Your requests" not in shown(p.home() or {}))
    assert env.person("U0RUI").home() is None


async def test_a_bot_cannot_ask_for_an_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell who made it ask, so nobody could tell whether they approve their own request."""
    mine = 'verbs = ["start"]\n  targets = ["acc:shop/*"]\n  who = '
    async with deciding(tmp_path, monkeypatch, RULES.replace(mine + '["crawl"]', mine + '["U0RUI"]')) as team:
        env = team.env
        env.ws.set_user("U0RUI", is_bot=True)
        await env.say("start acc:shop/prices", user="U0RUI")
        row = await team.event("denied")
        assert (row.user_id, row.code) == ("U0RUI", "no_approvers")
        assert not env.audit(event="approval_requested")
        assert not team.effects()


async def test_a_reason_with_a_character_that_no_database_keeps_is_approved_as_any_other(team: Team) -> None:
    """The digest is over the reason: what is stored of it must be what it was made of."""
    env = team.env
    await env.say("start acc:shop/prices -- month\0end")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve")
    await env.sees("start acc:shop/prices", "Succeeded", "approved by <@U0LEE>", timeout=30)
    assert len(team.effects()) == 1
