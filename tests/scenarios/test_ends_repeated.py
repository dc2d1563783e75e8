"""An end that was stored and not told, because the store or the program failed at that moment, is told when it is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Problem
from bot.store.parts import StoredDecisions, TimedRows
from bot.store.store import Store
from tests.scenarios.team import APPROVERS, CRAWL, SECURITY, Team, deciding
from tests.scenarios.test_ask_for_it import ask
from tests.world import OPEN_POLICY, labels, shown, world

DOUBT = "store_in_doubt"


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A world whose rules demand approvals."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


class Cut:
    """After the first call of a method of the store is done, its answer is lost: it is in doubt, or never comes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, how: str) -> None:
        self.done = asyncio.Event()
        real = getattr(owner, name)

        async def call(store: object, *given: Any, **named: Any) -> Any:
            result = await real(store, *given, **named)
            if not self.done.is_set():
                self.done.set()
                if how == DOUBT:
                    raise Problem("The store can't say whether this was stored.", code=DOUBT)
                await asyncio.Event().wait()
            return result

        monkeypatch.setattr(owner, name, call)


async def cut(team: Team, lost: Cut, how: str) -> None:
    """Wait for it, and start the program again if it hangs there."""
    await asyncio.wait_for(lost.done.wait(), 30)
    if how != DOUBT:
        await team.env.restart()


def told(team: Team, channel: str, *parts: str) -> list[dict[str, Any]]:
    """The messages in a channel and its threads with all parts."""
    root = team.env.person("U0ROOT")
    tops = root.messages(channel)
    every = {one["ts"]: one for top in tops for one in (top, *root.messages(channel, top["ts"]))}
    return [one for one in every.values() if all(part in shown(one) for part in parts)]


ACCESS = {
    "break-glass": ("breakglass for=30m -- checkout is down", "U0RUI", "Break-glass ended for <@U0RUI>"),
    "grant": (
        "grant @ana start acc:news/* for=30m -- covering for Lee",
        "U0ROOT",
        "Grant ended: start on `acc:news/*`",
    ),
}


@pytest.mark.parametrize("how", [DOUBT, "restart"])
@pytest.mark.parametrize("end", ["time", "revoke"])
@pytest.mark.parametrize("what", ACCESS)
async def test_the_end_of_access_is_told_once(
    team: Team, monkeypatch: pytest.MonkeyPatch, what: str, end: str, how: str
) -> None:
    env, (command, user, notice) = team.env, ACCESS[what]
    await env.say(command, user=user)
    row = await team.event("breakglass" if what == "break-glass" else "granted")
    card = await env.sees("is active for" if what == "break-glass" else "Granted: ", user=user)
    lost = Cut(monkeypatch, TimedRows, "end_grant", how)
    if end == "time":
        team.later(minutes=31)
    else:
        await env.say(f"revoke {str(row.rule).removeprefix('grant ')} -- over", user=user)
    await cut(team, lost, how)
    await env.until(lambda: told(team, CRAWL, notice))
    over = await env.until(lambda: [one for one in told(team, CRAWL) if one["ts"] == card["ts"] and not labels(one)])
    assert "has ended" in shown(over[0]) or what == "grant"
    await env.quiet()
    assert len(told(team, CRAWL, notice, "Its time is over" if end == "time" else f"Revoked by <@{user}>: over")) == 1
    assert len(env.audit(event="expired" if end == "time" else "revoked")) == 1
    if what == "break-glass":
        await env.sees("Break-glass of <@U0RUI>", "has ended", channel=SECURITY, user="U0ROOT")


async def test_an_end_is_told_although_the_bot_starts_much_later(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is too old then to be run."""
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    row = await team.event("breakglass")
    lost = Cut(monkeypatch, TimedRows, "end_grant", "restart")
    await env.say(f"revoke {str(row.rule).removeprefix('grant ')} -- over", user="U0RUI")
    await asyncio.wait_for(lost.done.wait(), 30)
    await env.bot.close()
    team.later(minutes=10)
    await env.start()
    await env.until(lambda: told(team, CRAWL, "Break-glass ended for <@U0RUI>", "Revoked by <@U0RUI>: over"))
    await env.sees("Break-glass of <@U0RUI>", "has ended", channel=SECURITY, user="U0ROOT")
    await env.restart()
    await env.quiet()
    assert len(told(team, CRAWL, "Break-glass ended for <@U0RUI>")) == 1


async def test_an_end_that_was_not_told_is_told_when_somebody_ends_it_again(team: Team) -> None:
    """On the card that still offers it, by anyone who may."""
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    row = await team.event("breakglass")
    card = await env.sees("Break-glass is active for <@U0RUI>", user="U0ROOT")
    entry = row.model_copy(update={"event": "expired", "verb": "*", "request_id": "r-lost"})
    await env.bot.store.end_grant(str(row.incident), "expired", (entry,))
    await team.press(card, "End it now", user="U0ROOT", channel=CRAWL)
    await env.sees("Break-glass has already ended", user="U0ROOT")
    await env.sees("Break-glass ended for <@U0RUI>", "Its time is over", user="U0ROOT")
    await env.sees("Break-glass of <@U0RUI>", "has ended", user="U0ROOT")
    assert not env.audit(event="revoked")


@pytest.mark.parametrize("how", [DOUBT, "restart"])
@pytest.mark.parametrize("what", ACCESS)
async def test_access_that_counts_is_announced(
    team: Team, monkeypatch: pytest.MonkeyPatch, what: str, how: str
) -> None:
    """Also when it was stored and not told: once, and nobody is told that it was not done."""
    env, (command, user, _) = team.env, ACCESS[what]
    lost = Cut(monkeypatch, TimedRows, "add_grant", how)
    await env.say(command, user=user)
    await cut(team, lost, how)
    title = "Break-glass is active for <@U0RUI>" if what == "break-glass" else "Granted: start on"
    await env.until(lambda: told(team, CRAWL, title))
    if what == "break-glass":
        await env.sees(title, channel=SECURITY, user="U0ROOT")
    await env.quiet()
    assert len(told(team, CRAWL, title)) == 1
    assert len(env.audit(event="breakglass" if what == "break-glass" else "granted")) == 1
    assert not env.audit(event="failed")


@pytest.mark.parametrize("how", [DOUBT, "restart"])
async def test_access_that_was_asked_for_is_told_once(team: Team, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Whoever approved it isn't told that it failed, and the requester learns it; nothing more comes with the next start."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    lost = Cut(monkeypatch, TimedRows, "add_grant", how)
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await cut(team, lost, how)
    await team.sees_in_thread("Approved by <@U0ROOT>. You can `start` it here for 30 minutes")
    over = await env.sees("Granted for 30 minutes", user="U0ROOT")
    assert "Approve" not in labels(over)
    await env.restart()
    await env.quiet()
    assert len(told(team, CRAWL, "start acc:news/feed", "You can `start` it here")) == 1
    assert not told(team, CRAWL, "Granted: start on")
    assert len(env.audit(event="granted")) == 1
    assert not env.audit(event="failed")


async def test_access_that_is_told_after_its_end_is_told_as_over(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    lost = Cut(monkeypatch, TimedRows, "add_grant", "restart")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await asyncio.wait_for(lost.done.wait(), 30)
    await env.bot.close()
    team.later(minutes=31)
    await env.start()
    await team.sees_in_thread("Approved by <@U0ROOT> for 30 minutes. That time is over.")


@pytest.mark.parametrize("minutes", [0, 31], ids=["in-time", "late"])
@pytest.mark.parametrize("user", ["U0ROOT", "U0ANA"], ids=["giver", "holder"])
async def test_access_that_is_told_after_it_was_revoked_is_told_as_revoked(
    team: Team, monkeypatch: pytest.MonkeyPatch, user: str, minutes: int
) -> None:
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    lost = Cut(monkeypatch, TimedRows, "add_grant", "restart")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await asyncio.wait_for(lost.done.wait(), 30)
    await env.say("revoke @ana -- changed my mind", user=user)
    await team.event("revoked")
    await env.bot.close()
    team.later(minutes=minutes)
    await env.start()
    await team.sees_in_thread(f"Approved by <@U0ROOT> for 30 minutes. It was revoked by <@{user}>.")
    await env.quiet()
    assert not told(team, CRAWL, "That time is over")


async def test_access_that_is_told_after_its_request_would_have_expired_is_told_as_over(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program was stopped for a day just after the grant was stored."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    lost = Cut(monkeypatch, TimedRows, "add_grant", "restart")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await asyncio.wait_for(lost.done.wait(), 30)
    await env.bot.close()
    team.later(hours=25)
    await env.start()
    await team.sees_in_thread("Approved by <@U0ROOT> for 30 minutes. That time is over.")
    await env.quiet()
    assert not told(team, CRAWL, "Cancelled")
    assert not [entry for entry in env.audit(event="expired") if entry.code == "expired"]


@pytest.mark.parametrize("restarts", [False, True], ids=["at-work", "restarted"])
@pytest.mark.parametrize(
    ("what", "who", "by", "channel", "passes"),
    [
        ("start acc:news/feed", "U0ANA", "U0ROOT", CRAWL, {"hours": 25}),  # long over
        ("start acc:shop/prices", "U0ROOT", "U0LEE", APPROVERS, {"minutes": 11}),  # the grant is in force
    ],
    ids=["over", "in-force"],
)
async def test_access_that_was_given_does_not_expire_as_a_request(
    team: Team, what: str, who: str, by: str, channel: str, passes: dict[str, int], *, restarts: bool
) -> None:
    """The time in which it had to be decided passes: nobody is told that nothing was done. The program may have been stopped by a
    version that left such a request approved."""
    env = team.env
    card = await ask(team, what, "30 minutes", user=who)
    team.later(minutes=20)
    await team.press(card, "Approve", user=by, channel=channel)
    await env.sees("Granted for 30 minutes", user=who)
    await env.quiet()
    if restarts:
        older = "UPDATE pending_decisions SET state = 'approved' WHERE state = 'taken'"
        await env.bot.store.database.write(lambda db: db.execute(older).rowcount)
    team.later(**passes)
    await (env.restart() if restarts else env.bot.leader.timers.beat())
    await env.quiet()
    assert not told(team, CRAWL, "Cancelled") + told(team, channel, "Cancelled")
    assert not [entry for entry in env.audit(event="expired") if entry.code == "expired"]
    assert not await env.bot.store.pending_decisions(state="approved")


async def test_access_that_was_told_is_not_told_again_after_a_fault(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program stops between the message to the requester and the end of the request."""
    env = team.env
    card = await ask(team, "start acc:news/feed", "30 minutes")
    lost = Cut(monkeypatch, StoredDecisions, "end_pending", "restart")
    await team.press(card, "Approve", user="U0ROOT", channel=CRAWL)
    await cut(team, lost, "restart")
    await env.quiet()
    assert len(told(team, CRAWL, "start acc:news/feed", "You can `start` it here")) == 1
    assert not told(team, CRAWL, "Granted: start on")


@pytest.mark.parametrize("how", [DOUBT, "restart"])
async def test_allowed_for_an_hour_is_told(team: Team, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    env = team.env
    await env.say("start acc:shop/prices -- month end")
    card = await team.card("start acc:shop/prices")
    lost = Cut(monkeypatch, TimedRows, "add_grant", how)
    await team.press(card, "Allow for 1 hour")
    await cut(team, lost, how)
    await env.until(lambda: told(team, CRAWL, "Granted: start on acc:shop/prices"))
    await env.quiet()
    assert len(told(team, CRAWL, "Granted: start on acc:shop/prices")) == 1
    assert how != DOUBT or len(team.effects()) == 1


REVIEW = {DOUBT: 0, "restart": 0, "late": 10}


@pytest.mark.parametrize("how", REVIEW)
@pytest.mark.parametrize("step", ["end_grant", "review_grant"])
async def test_the_review_of_a_breakglass_that_was_cut_off_is_shown(
    team: Team, monkeypatch: pytest.MonkeyPatch, step: str, how: str
) -> None:
    """What ended isn't shown as active, and what was reviewed doesn't ask for a review."""
    env, root = team.env, team.env.person("U0ROOT")
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    card = await env.sees("Break-glass is active for <@U0RUI>", channel=SECURITY, user="U0ROOT")
    lost = Cut(monkeypatch, TimedRows, step, how)
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    await root.wait_for(lambda p: p.modal())
    await root.submit("modal", {"note": "all fine"})
    await asyncio.wait_for(lost.done.wait(), 30)
    if how != DOUBT:
        await env.bot.close()
        team.later(minutes=REVIEW[how])
        await env.start()
    words = ("Break-glass of <@U0RUI>", "has ended", "Reviewed by <@U0ROOT>")
    over = await env.sees(*words, channel=SECURITY, user="U0ROOT")
    assert not labels(over)
    await env.quiet()
    assert not told(team, CRAWL, "is active for")
    assert len(env.audit(event="reviewed")) == 1
    assert not env.audit(event="failed")


async def test_a_breakglass_and_its_review_are_stored_at_once(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is left alone by a restart: the request is carried out."""
    env = team.env
    real, lost = TimedRows.add_grant, asyncio.Event()

    async def hang(store: TimedRows, *given: Any) -> None:
        if lost.is_set():
            return await real(store, *given)
        lost.set()
        return await asyncio.Event().wait()

    monkeypatch.setattr(TimedRows, "add_grant", hang)
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    await asyncio.wait_for(lost.wait(), 30)
    assert not await env.bot.store.pending_decisions(state="open")
    await env.restart()
    await env.sees("Break-glass is active for <@U0RUI>", channel=SECURITY, user="U0ROOT")
    assert [one.kind for one in await env.bot.store.pending_decisions(state="open")] == ["review"]
    await env.quiet()
    assert (await env.bot.store.request(team.env.audit(event="breakglass")[0].request_id)).state == "ended"


@pytest.mark.parametrize("how", [DOUBT, "restart"])
async def test_the_end_of_an_open_request_is_told_once(team: Team, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    lost = Cut(monkeypatch, StoredDecisions, "end_pending", how)
    team.later(minutes=31)
    await cut(team, lost, how)
    await env.until(lambda: told(team, CRAWL, "Nobody decided within"))
    over = await env.sees("Expired: `start acc:shop/prices`", channel=APPROVERS, user="U0LEE")
    assert (over["ts"], "Approve" in labels(over)) == (card["ts"], False)
    await env.quiet()
    assert len([row for row in env.audit(event="expired") if row.verb == "start"]) == 1
    assert not env.audit(event="failed")


@pytest.mark.parametrize("how", [DOUBT, "restart"])
@pytest.mark.parametrize("end", ["cancel", "deny"])
async def test_an_open_request_that_a_person_ended_is_shown_as_ended(
    team: Team, monkeypatch: pytest.MonkeyPatch, end: str, how: str
) -> None:
    """Nobody is told that it failed, and no card waits any longer."""
    env = team.env
    mine = await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    lost = Cut(monkeypatch, StoredDecisions, "end_pending" if end == "cancel" else "vote", how)
    if end == "cancel":
        await env.ana.press_label(CRAWL, mine["ts"], "Cancel", seen=mine)
    else:
        await team.deny(card, "not now")
    await cut(team, lost, how)
    words = "Cancelled by <@U0ANA>" if end == "cancel" else "Denied by <@U0LEE>"
    lee = env.person("U0LEE")
    over = await env.until(lambda: [one for one in lee.messages(APPROVERS) if words in shown(one)])
    assert card["ts"] in [one["ts"] for one in over if "Approve" not in labels(one)]
    await env.until(lambda: [one for one in told(team, CRAWL, words) if one["ts"] == mine["ts"]])
    await env.quiet()
    assert not env.audit(event="failed")
    assert not team.effects()


async def test_an_approval_whose_answer_is_lost_is_used(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    lost = Cut(monkeypatch, StoredDecisions, "vote", DOUBT)
    await team.press(card, "Approve")
    await cut(team, lost, DOUBT)
    await env.until(lambda: len(team.effects()) == 1)
    await env.quiet()
    assert len(env.audit(event="approved")) == 1
    assert not env.audit(event="failed")


@pytest.mark.parametrize("how", [DOUBT, "restart"])
async def test_who_looks_at_a_request_is_shown_although_the_answer_was_lost(
    team: Team, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Claim and Release: the card shows what was stored, and nobody hears that it failed."""
    env = team.env
    await env.does("start acc:shop/prices -- month end", "Waiting for approval")
    card = await team.card("start acc:shop/prices")
    lost = Cut(monkeypatch, StoredDecisions, "claim", how)
    await team.press(card, "Claim")
    await cut(team, lost, how)
    card = await team.card("<@U0LEE> is looking at it")
    lost = Cut(monkeypatch, Store, "set_value", how)
    await team.press(card, "Release")
    await cut(team, lost, how)
    await env.until(lambda: "is looking at it" not in shown(told(team, APPROVERS, "wants to run")[0]))
    await env.quiet()
    assert not env.audit(event="failed")
    assert [len(env.audit(event=event)) for event in ("claimed", "released")] == [1, 1]


async def test_the_reminder_of_a_review_is_sent(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    await env.sees("Break-glass is active", channel=SECURITY, user="U0ROOT")
    team.later(minutes=31)
    await team.event("expired")
    lost = Cut(monkeypatch, StoredDecisions, "end_pending", DOUBT)
    team.later(hours=36)
    await cut(team, lost, DOUBT)
    await env.until(lambda: told(team, SECURITY, "is not reviewed yet"))


async def test_the_end_of_a_watch_is_shown_on_its_card(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    env = team.env
    card = await env.does("watch acc:shop/prices", "is told here")
    lost = Cut(monkeypatch, TimedRows, "unsubscribe", DOUBT)
    await env.say("unwatch acc:shop/prices")
    await cut(team, lost, DOUBT)
    over = await env.sees("<@U0ANA> stopped watching")
    assert (over["ts"], labels(over)) == (card["ts"], [])
    await env.sees("You no longer watch")


async def test_a_watch_whose_end_was_not_stored_is_ended(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the store couldn't say so at first."""
    env = team.env
    card = await env.does("watch acc:shop/prices", "is told here")
    real, lost = TimedRows.unsubscribe, asyncio.Event()

    async def unsubscribe(store: TimedRows, *given: Any) -> bool:
        if lost.is_set():
            return await real(store, *given)
        lost.set()
        raise Problem("The store can't say whether this was stored.", code=DOUBT)

    monkeypatch.setattr(TimedRows, "unsubscribe", unsubscribe)
    await env.does("unwatch acc:shop/prices", "You no longer watch")
    over = await env.sees("<@U0ANA> stopped watching")
    assert (over["ts"], labels(over)) == (card["ts"], [])
    assert not await env.bot.store.subscriptions()


async def test_who_reviews_again_what_was_reviewed_shows_it_on_its_card(team: Team) -> None:
    env = team.env
    await env.say("breakglass for=30m -- checkout is down", user="U0RUI")
    row = await team.event("breakglass")
    card = await env.sees("Break-glass is active for <@U0RUI>", channel=SECURITY, user="U0ROOT")
    await env.bot.store.review_grant(str(row.incident), "U0LEE", (), team.now())
    await team.press(card, "Close review", user="U0ROOT", channel=SECURITY)
    await env.sees("<@U0LEE> has already reviewed this", channel=SECURITY, user="U0ROOT")
    await env.sees("Break-glass", "Reviewed by <@U0LEE>", channel=SECURITY, user="U0ROOT")


async def test_the_end_of_a_pause_is_shown_on_its_card_although_the_store_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, policy=OPEN_POLICY) as env:
        card = await env.does("schedule off acc:shop/prices for=1h", "Paused until")
        lost = Cut(monkeypatch, TimedRows, "pauses_of", DOUBT)
        await env.say("schedule on acc:shop/prices")
        await asyncio.wait_for(lost.done.wait(), 30)
        over = await env.sees("This pause is over: switched on by <@U0ANA>")
        assert (over["ts"], labels(over)) == (card["ts"], [])
