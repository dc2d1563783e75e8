"""Approvals when something changes between the question and the call: people, rules, targets, the program itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.ports.store import CLUSTER
from bot.core.records import CastVote, stamp
from bot.features.approvals import cards as approval_cards
from bot.features.approvals import dispatch, snapshot
from bot.store.errors import StoreProblem
from bot.store.store import Store
from tests.scenarios.steps import mention, private
from tests.scenarios.team import APPROVERS, CRAWL, NO_REVIEWER, RULES, Team, deciding
from tests.scenarios.test_ask_for_it import ask
from tests.scenarios.test_crash_in_a_call import crash
from tests.scenarios.test_ends_repeated import told
from tests.world import labels, request_id, shown


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


async def test_somebody_outside_the_groups_cannot_decide(team: Team) -> None:
    """Rui is no lead: refused, registered, and the request stays open."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.press(card, "Approve", user="U0RUI")
    await team.sees("You can't decide this", user="U0RUI")
    assert (await team.event("denied")).code == "not_eligible"
    assert labels(await team.card("start acc:shop/prices")) == ["Approve", "Deny", "Claim", "Allow for 1 hour"]


async def test_a_lead_who_left_the_group_cannot_decide_any_more(team: Team) -> None:
    """Membership is read when the button is pressed, not when the card was posted; the answer names who can decide now."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    team.regroup("S0LEADS", ["U0ROOT"])
    await team.press(card, "Approve")
    await team.sees("You can't decide this: not one of the approvers. <@U0ROOT> can.")
    assert not team.effects()


async def test_a_deactivated_requester_runs_nothing(team: Team) -> None:
    """The requester is read anew at press: gone means void."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    env.ws.set_user("U0ANA", deleted=True)
    await team.press(card, "Approve")
    await team.sees("Nothing was done", "deactivated")
    assert not team.effects()
    assert (await team.event("abandoned")).code == "void"


async def test_a_changed_target_is_shown_and_asked_again(team: Team) -> None:
    """A run began since the card was shown: the press is not counted, the card shows it, and the next press is."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices", "idle")
    env.acc.world.speed = 0.001
    env.acc.add_run("shop/prices", ago=1)
    await team.press(card, "Approve")
    await team.sees("Not counted", "1 run active")
    assert not team.effects()
    again = await team.card("start acc:shop/prices", "Asked again", "1 run active")
    await team.press(again, "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    rows = env.audit(event="approval_requested")
    assert [row.code for row in rows] == [None, "asked_again"]


async def test_a_run_that_ended_since_needs_no_second_look(team: Team) -> None:
    """Less goes on than the card showed: the press counts."""
    env = team.env
    env.acc.world.speed = 0.001
    run = env.acc.add_run("shop/prices", ago=1)
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices", "1 run active")
    env.acc.finish_run(run.run_id)
    await team.press(card, "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    assert [row.code for row in env.audit(event="approval_requested")] == [None]


async def test_a_denial_that_came_first_is_not_asked_again(team: Team) -> None:
    """Root denies while Lee's approval still reads the target, which has changed: the denial ends the request."""
    env = team.env
    env.ws.edit_group("S0LEADS", ["U0LEE", "U0ROOT"])
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices", "idle")
    env.acc.world.speed = 0.001
    env.acc.add_run("shop/prices", ago=1)
    await env.acc.set_fault({"fault": "delay", "match": "GET", "seconds": 2.0})
    await team.press(card, "Approve")
    await team.deny(card, "not now", user="U0ROOT")
    await team.sees("Too late", "Denied by <@U0ROOT>")
    assert not await env.bot.store.pending_decisions(state="open")
    assert [entry.event for entry in env.audit() if entry.event in ("approval_requested", "approved", "rejected")] == [
        "approval_requested",
        "rejected",
    ]


async def test_changed_rules_void_or_renew_what_was_asked(team: Team) -> None:
    """With stricter rules the old card's vote does not count; with a deny it is void."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.new_rules(RULES.replace('expires = "30m", in', 'expires = "20m", in'))
    await team.press(card, "Approve")
    told = await team.sees(
        "Not counted: the rules changed (new ones are in force since <!date^", "Request:* `start acc:shop/prices`"
    )
    assert env.bot.rules.now.policy.version not in shown(told)  # it is in the details of the card
    assert not team.effects()
    again = await team.card("start acc:shop/prices", "Asked again")
    deny = '  [[channel.deny]]\n  verbs = ["start"]\n  because = "closed for today"\n'
    await team.new_rules(RULES.replace('[[channel]]\nid = "C0INC"', deny + '[[channel]]\nid = "C0INC"'))
    await team.press(again, "Approve")
    await team.sees("Nothing was done", "closed for today")
    assert not team.effects()


@pytest.mark.parametrize("choice", ["Approve", "Deny"])
async def test_who_is_an_approver_by_newer_rules_is_asked_again(team: Team, choice: str) -> None:
    """The old ones are none then, and the press of the new one counts on the card that shows the new rules."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.new_rules(
        RULES.replace('count = 1, from = ["leads"], expires', 'count = 1, from = ["others"], expires').replace(
            "[groups]", '[groups]\nothers = ["U0RUI"]'
        )
    )
    await team.press(card, choice, user="U0RUI")
    await team.sees("Not counted: the rules changed", user="U0RUI")
    again = await team.card("start acc:shop/prices", "Asked again", user="U0RUI")
    await team.press(again, "Approve", user="U0LEE")
    await team.sees("You can't decide this", user="U0LEE")
    await team.press(again, "Approve", user="U0RUI")
    await env.until(team.effects)


async def test_who_is_an_approver_by_no_rules_asks_nothing_again(team: Team) -> None:
    """Not by those of the card and not by newer ones."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    await team.new_rules(RULES.replace('expires = "30m", in', 'expires = "20m", in'))
    await team.press(card, "Approve", user="U0RUI")
    await team.sees("You can't decide this", user="U0RUI")
    assert not any("Asked again" in shown(one) for one in env.person("U0LEE").messages(APPROVERS))


async def test_it_survives_a_restart_before_the_decision_and_works_days_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked, restarted, two days later approved: run once, though no response_url lives any more."""
    async with deciding(tmp_path, monkeypatch, RULES.replace('"30m"', '"5d"')) as team:
        env = team.env
        await env.say("start acc:shop/prices")
        card = await team.card("start acc:shop/prices")
        team.later(days=2)
        await env.restart()
        await team.press(card, "Approve")
        await env.until(lambda: len(team.effects()) == 1)
        await env.sees("start acc:shop/prices", "approved by <@U0LEE>")


async def test_what_was_approved_when_the_program_died_is_run_once_after_the_restart(team: Team) -> None:
    """The vote is on the disk and nothing was sent: the next start reads everything anew and sends it once."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    await approved_and_died(team)
    await env.restart()
    await env.until(lambda: len(team.effects()) == 1)
    await env.restart()
    await env.sees("start acc:shop/prices", "approved by <@U0LEE>")
    await env.until(team.effects)
    assert len(team.effects()) == 1


async def test_what_was_approved_by_somebody_who_left_is_not_run_after_the_restart(team: Team) -> None:
    """Who agreed is read again before the call; without them it is asked again or void, and nothing is sent."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    await approved_and_died(team)
    env.ws.edit_group("S0LEADS", ["U0ROOT"])
    await env.restart()
    await team.card("Asked again", "can no longer decide", user="U0ROOT")
    assert not team.effects()


async def test_what_was_approved_before_the_database_was_restored_does_not_run(team: Team) -> None:
    """It may have run in the part that is lost."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    await approved_and_died(team)
    await env.bot.store.set_value(CLUSTER, {"cluster": "7/1", "changed_at": stamp(team.now())}, team.now())
    await env.restart()
    await team.sees("the database was restored after the request")
    assert not team.effects()
    assert (await team.event("abandoned")).code == "void"


async def approved_and_died(team: Team) -> None:
    """Leave the store as a crash between the vote and the call leaves it."""
    store = team.env.bot.store
    (pending,) = await store.pending_decisions(state="open")
    cast = CastVote(user_id="U0LEE", person="U0LEE", vote="approve", at=stamp(team.now()))
    assert (await store.vote(pending.id, cast, lambda _: (), needed=1, now=team.now())).won


async def test_a_restart_between_the_look_and_the_press_changes_nothing(team: Team) -> None:
    """Asked, claimed, half approved; restarted after each; the second person makes it run once."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await env.restart()
    await team.press(card, "Claim", channel=CRAWL)
    await team.sees("is looking at it", channel=CRAWL)
    await env.restart()
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("1 of 2 agreed", channel=CRAWL)
    await env.restart()
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("mark acc:shop/prices", "approved by <@U0LEE>, <@U0ROOT>")
    await env.restart()
    assert team.events(request_id(card)).count("sent") == 1


async def test_a_vote_of_somebody_who_left_counts_no_more(team: Team) -> None:
    """Lee agreed and is deactivated: Root's is one of two again, and Rui's place in the group makes it two."""
    env = team.env
    await env.say("mark acc:shop/prices as=failed -- bad data")
    card = await team.card("mark acc:shop/prices", channel=CRAWL)
    await team.press(card, "Approve", channel=CRAWL)
    await team.sees("1 of 2 agreed", channel=CRAWL)
    env.ws.set_user("U0LEE", deleted=True)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await env.sees("Your vote counts. 1 more needed", user="U0ROOT")
    assert [row.detail for row in env.audit(event="approved")] == ["1 of 2 agreed", "1 of 2 agreed"]
    assert not team.effects("mark")
    team.regroup("S0LEADS", ["U0RUI"])
    await team.press(card, "Approve", user="U0RUI", channel=CRAWL)
    await env.until(lambda: "sent" in team.events(request_id(card)))
    sent = next(row for row in env.audit(request_id=request_id(card)) if row.event == "sent")
    assert sent.detail.startswith("approved by U0ROOT, U0RUI;")


async def test_a_denial_that_was_not_shown_is_shown_after_the_restart(team: Team) -> None:
    """Died between the vote and the cards: both cards lose their buttons and the requester reads the reason."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    store = env.bot.store
    (pending,) = await store.pending_decisions(state="open")
    row = env.audit(event="approval_requested")[0]
    entry = AuditEntry(
        at=stamp(team.now()), request_id=row.request_id, event=Event.REJECTED, approval_id=pending.id, detail="no"
    )
    cast = CastVote(user_id="U0LEE", person="U0LEE", vote="deny", reason="no", at=stamp(team.now()))
    assert (await store.vote(pending.id, cast, lambda _: (entry,), needed=1, now=team.now())).won
    await env.restart()
    assert labels(await team.sees("Denied by <@U0LEE>")) == []
    assert labels(await env.sees("start acc:shop/prices", "Denied by <@U0LEE>", "no")) == []


async def test_a_target_that_was_made_anew_is_another_one(team: Team) -> None:
    """The agent was deleted and made again under its name: not counted, shown, and the next approval runs the new one."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    old = env.acc.agent("shop/prices").agent_id
    new = "0b7d3c61-1f3a-4b52-9f0e-6a4f4f3f9a10"
    env.acc.add_agent("shop/prices", agent_id=new, description="made anew")
    assert old != new
    await team.press(card, "Approve")
    await team.sees("Not counted", "means another target")
    assert not team.effects()
    await team.press(await team.card("Asked again", new), "Approve")
    await env.until(lambda: len(team.effects()) == 1)
    assert (await team.event("sent")).target_id == new


async def test_a_target_that_is_gone_voids_it(team: Team) -> None:
    """Nothing answers to the name any more: void, and nothing is called."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    del env.acc.world.by_path["shop/prices"]
    await team.press(card, "Approve")
    await team.sees("Nothing was done", "no longer exists")
    assert not team.effects()


async def test_a_control_plane_that_does_not_answer_lets_nothing_through(team: Team) -> None:
    """Shown idle and not readable at the press: that is a change, shown and asked again."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices", "idle")
    await env.acc.set_fault({"fault": "503", "match": "GET"})
    await team.press(card, "Approve")
    await team.sees("Not counted", "not readable")
    assert not team.effects()


async def test_rules_that_forbid_it_after_the_vote_stop_it_before_the_call(team: Team) -> None:
    """Approved, died, forbidden, restarted: void."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    await approved_and_died(team)
    deny = '  [[channel.deny]]\n  verbs = ["start"]\n  because = "closed for today"\n[[channel]]\nid = "C0INC"'
    team.rules(RULES.replace('[[channel]]\nid = "C0INC"', deny))
    await env.restart()
    await env.sees("Nothing was done", "closed for today")
    assert (await team.event("abandoned")).code == "void"
    assert not team.effects()


async def test_what_was_approved_and_is_over_by_the_restart_is_not_run(team: Team) -> None:
    """The end of its time holds for what was approved too."""
    env = team.env
    await env.say("start acc:shop/prices")
    await team.card("start acc:shop/prices")
    await approved_and_died(team)
    team.later(minutes=30)
    await env.restart()
    await env.sees("expired before it could run")
    assert not team.effects()


async def test_in_a_direct_message_an_approver_is_led_to_where_they_can_decide(team: Team) -> None:
    """Nothing is decided there: whatever they call it, the answer lists what waits, and leads to each card and the Home tab."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    lee = env.person("U0LEE")
    for said in (
        "approvals",
        "approve acc:shop/prices",
        "yes",
        "I deny it",
        "claim it",
        "decline",
        "go ahead",
        "what waits for me?",
    ):
        before = len(lee.messages("D0LEE"))
        await lee.post("D0LEE", said)
        answer = await lee.wait_for(lambda one: (one.messages("D0LEE")[before + 1 :] or [None])[0])  # noqa: B023
        words = shown(answer)
        assert "start acc:shop/prices" in words, said
        assert "Approve or deny on the card, or on my Home tab." in words
        assert labels(answer) == ["Open start acc:shop/prices for Ana Alves"]
        assert f"/archives/{APPROVERS}/p{card['ts'].replace('.', '')}" in str(answer["blocks"])
    assert team.effects() == []
    await lee.post("D0LEE", "help")
    await env.sees("`/ops approvals` shows what waits for approval.", user="U0LEE", channel="D0LEE")
    await env.say("help", user="U0LEE", channel=APPROVERS)
    await env.sees(f"I don't run commands in <#{APPROVERS}>", user="U0LEE", channel=APPROVERS)
    await team.new_rules(NO_REVIEWER)
    await env.person("U0RUI").post("D0RUI", "help")
    told = await env.sees("I don't run commands in this direct message", user="U0RUI", channel="D0RUI")
    assert "approvals" not in shown(told)
    await env.person("U0RUI").post("D0RUI", "approve acc:shop/prices")
    await env.sees("I don't run commands in this direct message", user="U0RUI", channel="D0RUI")


@pytest.mark.parametrize("where", [APPROVERS, "D0LEE"])
async def test_where_nothing_can_be_run_the_form_is_answered_once(team: Team, where: str) -> None:
    """`/ops` alone; not again after a restart."""
    env, lee = team.env, team.env.person("U0LEE")
    await env.say("", user="U0LEE", channel=where)
    await env.sees("I don't run commands", user="U0LEE", channel=where)
    await env.quiet()
    before = len(lee.messages(where))
    await env.restart()
    await env.say("whoami")
    await env.sees("Who you are here")
    await env.quiet()
    assert len(lee.messages(where)) == before
    open_ = "SELECT request_id FROM requests WHERE state <> 'ended'"
    assert env.bot.store.database.read_sync(lambda db: db.execute(open_).fetchall()) == []


async def killed_before_the_grant(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """An approver allows an hour, and the bot ends between the entry `sent` and the grant."""
    env, sending, stuck = team.env, Store.sending, asyncio.Event()

    async def stops(*args: Any, **words: Any) -> bool:
        await sending(*args, **words)
        stuck.set()
        return bool(await asyncio.sleep(3600, False))

    await env.say("start acc:shop/prices -- month end")
    card = await team.card("start acc:shop/prices")
    monkeypatch.setattr(Store, "sending", stops)
    await team.press(card, "Allow for 1 hour")
    await stuck.wait()
    monkeypatch.setattr(Store, "sending", sending)
    await crash(env)


async def test_an_hour_that_was_allowed_survives_a_kill_just_before_the_call(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of the hour is granted after the restart, and the requester is told who approved."""
    env = team.env
    await killed_before_the_grant(team, monkeypatch)
    await env.start()
    granted = await team.event("granted")
    assert granted.user_id == "U0LEE"
    assert "to U0ANA until" in (granted.detail or "")
    await env.sees("Granted: start on acc:shop/prices", user="U0ANA")
    await env.sees("Approved by <@U0LEE>", "for 1 hour without asking again", user="U0ANA")
    await team.sees("Approved by <@U0LEE>", "Allowed for 1 hour, with any parameters")
    await env.restart()
    assert len(env.audit(event="granted")) == 1


async def test_of_an_allowed_hour_only_what_is_left_is_promised(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot starts again after fifty minutes."""
    env = team.env
    await killed_before_the_grant(team, monkeypatch)
    team.later(minutes=50)
    await env.start()
    await env.sees("Approved by <@U0LEE>", "can run it here for 10 minutes without asking again", user="U0ANA")
    await team.sees("Approved by <@U0LEE>", "Allowed for 10 minutes, with any parameters")


async def test_an_allowed_hour_that_was_over_before_it_could_be_granted_is_told(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both the requester and the approver learn that there is no grant."""
    env = team.env
    await killed_before_the_grant(team, monkeypatch)
    team.later(minutes=70)
    await env.start()
    over = "The allowed hour was over before I was started again, so it was not granted"
    await env.sees("Approved by <@U0LEE>", over, user="U0ANA")
    await team.sees("Approved by <@U0LEE>", over)
    assert not env.audit(event="granted")


async def test_an_approval_that_the_store_delays_is_told_as_tried_again(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lee reads that it is tried again, and soon it runs, once."""
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    card = await team.card("start acc:shop/prices")
    with monkeypatch.context() as locked:
        locked.setattr(env.bot.store, "sending", _locked)
        await team.press(card, "Approve")
        await private(env, "Nothing was sent yet. It is tried again", user="U0LEE", channel=APPROVERS)
    assert not team.effects()
    team.later(minutes=2)
    await env.bot.leader.timers.beat()
    await env.until(team.effects)
    await env.quiet()
    assert len(team.effects()) == 1


@pytest.mark.parametrize("step", ["before", "sending", "told"])
async def test_once_survives_a_restart_around_the_moment_in_which_it_is_sent(
    team: Team, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before that it runs once after the restart, with its grant. After that it is not sent again, and its grant is there."""
    env, stuck = team.env, asyncio.Event()
    owner, name = (approval_cards, "tell_requester") if step == "told" else (Store, "sending")
    card, real = await ask(team, "start acc:news/feed", "once"), getattr(owner, name)

    async def stops(*given: Any, **named: Any) -> None:
        if step != "before":
            await real(*given, **named)
        stuck.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stops)
        await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
        await asyncio.wait_for(stuck.wait(), 30)
        await crash(env)
    await env.start()
    await env.until(lambda: told(team, CRAWL, "start acc:news/feed", "Approved by <@U0ROOT>. "))
    await team.event("ended" if step == "before" else "abandoned")
    await env.restart()
    await env.quiet()
    assert len(team.effects()) == (1 if step == "before" else 0)
    sent, granted = env.audit(event="sent"), env.audit(event="granted")
    assert [entry.rule for entry in sent] == [entry.rule for entry in granted]
    assert len(sent) == len(told(team, CRAWL, "start acc:news/feed", "Approved by <@U0ROOT>. ")) == 1


async def test_an_approval_that_can_never_be_used_ends_when_it_expires(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requester is told; the one that was approved after it runs meanwhile."""
    env = team.env
    for target in ("acc:shop/prices", "acc:shop/stock"):
        await env.say(f"start {target} -- month end")
        await team.card(f"start {target}")
    asked = env.audit(event="approval_requested")
    monkeypatch.setattr(dispatch, "look", _only(asked[1].request_id))
    for target in ("acc:shop/prices", "acc:shop/stock"):
        with monkeypatch.context() as locked:
            locked.setattr(env.bot.store, "sending", _locked)
            await team.press(await team.card(f"start {target}"), "Approve")
            await env.until(lambda: len(env.audit(event="failed")) == (1 if target == "acc:shop/prices" else 2))  # noqa: B023
    team.later(minutes=2)
    await env.bot.leader.timers.beat()
    await env.until(team.effects)
    team.later(minutes=30)
    await env.bot.leader.timers.beat()
    await env.sees("It was approved but expired before it could run. Nothing was done.", user="U0ANA")
    assert len(team.effects()) == 1


async def _locked(*_: Any, **__: Any) -> None:
    raise StoreProblem("Another program has locked the store.", code="store_busy")


def _only(request: str) -> Any:
    """A look that has a fault for every other request."""

    async def look(ctx: Any, approval: Any, capability: Any) -> Any:
        if approval.pending.request_id != request:
            raise RuntimeError
        return await snapshot.look(ctx, approval, capability)

    return look


@pytest.mark.parametrize("card", ["waiting", "denied"])
async def test_in_the_thread_of_a_request_its_target_counts(team: Team, card: str) -> None:
    """Before it is decided, and after a denial."""
    env = team.env
    asked = await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    question = await team.card("start acc:shop/prices")
    if card == "denied":
        await team.deny(question, "not today")
        await team.event("rejected")
    await mention(env, "status", user="U0LEE", thread_ts=asked["ts"])
    done = await env.until(lambda: env.audit(verb="status", event="done"))
    assert done[-1].target_name == "acc:shop/prices"
