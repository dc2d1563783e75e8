"""A button is an id and nothing more: whatever is done to it, to its place, to its moment or to what it stands for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.intent import Place, Press, Source
from bot.intents.recovery import recover
from tests.proof.model import Is, Now
from tests.proof.outside import DECIDING, HOME, LIFE, ROOM, START
from tests.proof.play import Play, Step
from tests.proof.test_interleavings import ANA, LEE, RUI, three
from tests.scenarios.team import CRAWL, Team, deciding
from tests.world import request_id

OTHER_LETTERS = "0az-%\u202e"


@pytest.fixture
async def asked() -> AsyncIterator[Play]:
    """Ana asked; one of Lee and Rui decides."""
    play = Play(three(1))
    await play.step(Step("request", ANA))
    yield play
    play.team.close()


@pytest.fixture
async def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """The same through real sockets."""
    async with deciding(tmp_path, monkeypatch) as made:
        yield made


def answer(play: Play, intent_id: str) -> str:
    """What the presser was told."""
    card = play.team.card(f"say:{intent_id}")
    return card.title if card is not None else ""


def nothing_came_of_it(play: Play) -> bool:
    """Open as before: no vote, no call, no decision."""
    return play.stands() is Now.OPEN and not play.votes() and not play.team.outside.calls


async def test_a_button_with_any_byte_changed_is_unknown(asked: Play) -> None:
    """Each byte of the id, each by several others; one byte more, one less, none, and a very long one."""
    button = asked.shown["approve"]
    card = f"approval:{asked.request_id}"
    bent = [button[:at] + other + button[at + 1 :] for at in range(len(button)) for other in OTHER_LETTERS]
    for value in (*bent, button[:-1], f"{button}0", button.upper(), f" {button}", "", "x" * 10_000):
        if value != button and value not in asked.shown.values():
            intent = await asked.team.presses(LEE, value, card)
            assert "not known" in answer(asked, intent.request_id), value
    assert nothing_came_of_it(asked)


async def test_a_value_that_holds_words_instead_of_an_id_decides_nothing(team: Team) -> None:
    """The id of a pending decision, JSON that names a choice, another tag: each is taken for an id, and no such id exists."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    pending = f"{request_id(card)}.1"
    values = (
        pending,
        json.dumps({"tag": "pending1", "pending": pending, "choice": "approve"}),
        "approve",
        "pending1",
        f"approve:{pending}",
    )
    for number, value in enumerate(values):
        payload = {
            "type": "block_actions",
            "user": {"id": LEE, "team_id": env.ws.team_id},
            "team": {"id": env.ws.team_id},
            "api_app_id": env.ws.app_id,
            "trigger_id": f"words.{number}",
            "container": {"type": "message", "channel_id": "C0APPR", "message_ts": card["ts"]},
            "channel": {"id": "C0APPR"},
            "actions": [
                {"type": "button", "action_id": "approve", "value": value, "action_ts": env.ws.clock.next_ts()}
            ],
        }
        assert (await env.ws.deliver("interactive", payload)).acked
    await env.until(lambda: len([row for row in env.audit(event="requested") if row.verb == "approve"]) == len(values))
    await team.sees("not known")
    assert not env.audit(event="approved")
    assert not team.effects()


async def test_a_button_means_what_it_was_made_for_whatever_the_payload_calls_it(asked: Play) -> None:
    """`approve` as the action of Claim's id claims; of Cancel's id on the approvers' card it is nothing."""
    card = f"approval:{asked.request_id}"
    await asked.team.presses(LEE, asked.shown["claim"], card, "approve")
    assert nothing_came_of_it(asked)
    assert asked.team.rows("SELECT 1 FROM audit WHERE event = 'claimed'")
    await asked.team.presses(LEE, asked.shown["cancel"], card, "approve")
    assert nothing_came_of_it(asked)


async def test_a_button_counts_on_its_own_message_of_its_own_request_alone(asked: Play) -> None:
    """Every id of two requests on every card of both: only the two that belong together do anything, and to their own."""
    first = dict(asked.shown), asked.request_id
    second = Play(three(1))
    second.team.close()
    second.team = asked.team
    intent = await asked.team.says(ANA, "pause box:lamp for=2h -- too bright")
    second.request_id = intent.request_id
    second.note()
    assert set(first[0].values()).isdisjoint(second.shown.values())
    for button in (first[0]["approve"], first[0]["deny"], first[0]["claim"]):
        told = await asked.team.presses(LEE, button, f"approval:{second.request_id}")
        assert "copy" in answer(asked, told.request_id)
    for button in (first[0]["approve"], first[0]["cancel"]):
        told = await asked.team.presses(ANA, button, f"op:{second.request_id}")
        assert answer(asked, told.request_id)
    assert nothing_came_of_it(asked)
    assert nothing_came_of_it(second)
    await asked.team.presses(LEE, second.shown["approve"], f"approval:{second.request_id}")
    assert nothing_came_of_it(replace_calls(asked))
    assert second.stands() is Now.DONE


def replace_calls(play: Play) -> Play:
    """The same play, the one call of the other request set aside."""
    assert len(play.team.outside.calls) == 1
    play.team.outside.calls.clear()
    return play


@pytest.mark.parametrize(
    "place",
    [
        Place(team_id=HOME, channel_id=ROOM, message_ts="ts-approval"),
        Place(team_id=HOME, channel_id=DECIDING, message_ts="1700000000.000100"),
        Place(team_id=HOME, channel_id=DECIDING, message_ts=None),
        Place(team_id=HOME, channel_id="", message_ts=None),
        Place(team_id="T0OTHER", channel_id=DECIDING, message_ts="own"),
        Place(team_id="", channel_id=DECIDING, message_ts="own"),
    ],
)
async def test_a_press_from_a_copy_another_channel_or_another_workspace_decides_nothing(
    asked: Play, place: Place
) -> None:
    """Channel, message and workspace have to be those of the card."""
    own = f"ts-approval:{asked.request_id}"
    if place.message_ts in ("own", "ts-approval"):
        place = place.model_copy(update={"message_ts": own})
    ask = Press(action="approve", button=asked.shown["approve"])
    await asked.team.enter(LEE, ask, place, source=Source.BUTTON)
    await asked.team.settle()
    assert nothing_came_of_it(asked)


async def test_a_press_before_the_ts_of_the_card_is_stored_counts_in_its_channel_alone(asked: Play) -> None:
    """Slack shows the card before its answer with the `ts` arrives."""
    asked.team.memory.write_sync(lambda db: db.execute("UPDATE messages SET ts = NULL"))
    card, button = f"approval:{asked.request_id}", asked.shown["approve"]
    elsewhere = Place(team_id=HOME, channel_id=ROOM, message_ts=f"ts-{card}")
    await asked.team.enter(LEE, Press(action="approve", button=button), elsewhere, source=Source.BUTTON)
    await asked.team.settle()
    assert nothing_came_of_it(asked)
    await asked.team.presses(LEE, button, card)
    assert asked.stands() is Now.DONE


async def test_a_button_of_another_version_is_answered_and_does_nothing(asked: Play) -> None:
    """Its meaning in the store has a tag that nobody knows here."""
    later = json.dumps({"tag": "pending2", "pending": f"{asked.request_id}.1", "choice": "approve"})
    asked.team.memory.write_sync(
        lambda db: db.execute("UPDATE buttons SET payload = ? WHERE id = ?", (later, asked.shown["approve"]))
    )
    intent = await asked.team.presses(LEE, asked.shown["approve"], f"approval:{asked.request_id}")
    assert "version" in answer(asked, intent.request_id)
    assert nothing_came_of_it(asked)


async def test_the_button_of_a_card_that_was_renewed_decides_nothing(asked: Play) -> None:
    """The target drifted and it was asked again: the first card's id is retired."""
    await asked.step(Step("drift"))
    await asked.step(Step("approve", LEE))
    await asked.step(Step("old approve", LEE))
    assert nothing_came_of_it(asked)
    await asked.step(Step("approve", LEE))
    assert asked.stands() is Now.DONE


async def test_a_hundred_clicks_at_once_are_one_decision_and_one_call(team: Team) -> None:
    """Two people, fifty clicks each, real sockets: one row `approved`, one call; every other press hears who was first."""
    env = team.env
    env.ws.edit_group("S0LEADS", ["U0LEE", "U0ROOT"])
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    users = ["U0LEE", "U0ROOT"] * 50
    await asyncio.gather(*(team.press(card, "Approve", user=user) for user in users))
    await env.sees("start acc:shop/prices", "Succeeded", timeout=30)
    assert len(team.effects()) == 1
    (winner,) = env.audit(event="approved")
    loser = "U0ROOT" if winner.user_id == "U0LEE" else "U0LEE"
    await team.sees(f"Approved by <@{winner.user_id}>", "Too late", user=loser)
    assert len(env.audit(event="sent")) == 1


async def test_a_hundred_people_at_once_count_as_many_as_are_needed() -> None:
    """A hundred presses of everybody who may and may not decide, two needed: two votes, one call."""
    play = Play(three(2))
    await play.step(Step("request", ANA))
    card = f"approval:{play.request_id}"
    presses = (play.team.presses(who, play.shown["approve"], card) for _ in range(34) for who in (LEE, RUI, ANA))
    await asyncio.gather(*presses)
    assert play.stands() is Now.DONE
    assert play.votes() == {LEE, RUI}
    assert len(play.team.outside.calls) == 1
    play.team.close()


FIELDS = {
    "what is asked for": ("operation", "$.verb", "stop"),
    "the exact target": ("operation", "$.target.id", "lamp-2"),
    "its parameters": ("operation", "$.params.brightness", 11),
    "its reason": ("operation", "$.reason", "another reason"),
    "its files": ("operation", "$.files", ["F0EVIL"]),
    "who asked": ("intent", "$.actor.user_id", RUI),
    "the requester's workspace": ("intent", "$.actor.team_id", "T0OTHER"),
    "the requester's organization": ("intent", "$.actor.enterprise_id", "E0OTHER"),
    "the channel": ("intent", "$.place.channel_id", DECIDING),
    "the workspace": ("intent", "$.place.team_id", "T0OTHER"),
}


@pytest.mark.parametrize("name", FIELDS)
async def test_what_runs_is_what_was_approved_to_the_last_field(asked: Play, name: str) -> None:
    """The vote is in the store, then one of its fields is another: nothing is sent, it is asked again or void."""
    column, path, value = FIELDS[name]
    await asked.voted_and_died(LEE)
    changed = f"UPDATE pending_decisions SET {column} = json_set({column}, ?, json(?)) WHERE request_id = ?"
    values = (path, json.dumps(value), asked.request_id)
    asked.team.memory.write_sync(lambda db: db.execute(changed, values))
    await asked.team.restart()
    assert not asked.team.outside.calls
    assert asked.stands() in (Now.OPEN, Now.VOID)
    assert not asked.votes() or asked.stands() is Now.VOID


@pytest.mark.parametrize("column", ["digest", "policy_version"])
async def test_a_digest_or_a_version_that_does_not_fit_sends_nothing(asked: Play, column: str) -> None:
    """They are compared right before the call."""
    await asked.voted_and_died(LEE)
    changed = f"UPDATE pending_decisions SET {column} = 'ffff' WHERE request_id = ?"
    asked.team.memory.write_sync(lambda db: db.execute(changed, (asked.request_id,)))
    await asked.team.restart()
    assert not asked.team.outside.calls


async def test_an_approved_expiry_cannot_be_stretched(asked: Play) -> None:
    """What was approved in time and comes to its call at its very end is not sent."""
    await asked.voted_and_died(LEE)
    asked.team.outside.now = START + LIFE
    await asked.team.restart()
    assert asked.stands() is Now.EXPIRED
    assert not asked.team.outside.calls


async def test_a_target_that_was_made_anew_under_its_name_is_not_the_one_that_was_approved(asked: Play) -> None:
    """The lamp has another id when it comes to the call."""
    await asked.voted_and_died(LEE)
    asked.team.outside.lamp = "lamp-2"
    await asked.team.restart()
    assert not asked.team.outside.calls
    assert asked.stands() is Now.OPEN
    asked.note()
    await asked.team.presses(RUI, asked.shown["approve"], f"approval:{asked.request_id}")
    assert asked.team.outside.calls == ["lamp-2"]


@pytest.mark.parametrize(
    "change",
    [
        Step("policy", more=(("allowed", False),)),
        Step("policy", more=(("count", 2),)),
        Step("policy"),
        Step("group", more=frozenset({RUI})),
        Step("group", more=None),
        Step("become", LEE, Is.GONE),
        Step("become", LEE, Is.GUEST),
        Step("become", LEE, Is.EXTERNAL),
        Step("become", LEE, Is.UNREADABLE),
        Step("become", ANA, Is.GONE),
        Step("become", ANA, Is.UNREADABLE),
        Step("drift"),
    ],
    ids=str,
)
async def test_whatever_changes_between_the_vote_and_the_call_is_seen_before_the_call(
    asked: Play, change: Step
) -> None:
    """Rules, group, approver, requester and target are read again: nothing is sent."""
    await asked.voted_and_died(LEE)
    await asked.begin(change)
    await asked.team.restart()
    assert not asked.team.outside.calls
    assert asked.stands() in (Now.OPEN, Now.VOID)


async def test_an_approval_is_used_once_however_often_it_is_dispatched(asked: Play) -> None:
    """Two starts at once, three more after them, and a press on the retired button."""
    await asked.voted_and_died(LEE)
    await asyncio.gather(recover(asked.team.ctx), recover(asked.team.ctx))
    await asked.team.settle()
    for _ in range(3):
        await asked.team.restart()
    await asked.team.presses(RUI, asked.shown["approve"], f"approval:{asked.request_id}")
    assert asked.team.outside.calls == ["lamp-1"]
    assert len(asked.team.rows("SELECT 1 FROM audit WHERE event = 'sent'")) == 1


async def test_the_same_request_again_needs_its_own_approval(asked: Play) -> None:
    """What Lee approved for one request opens nothing for the next, though it is the same to the letter."""
    await asked.step(Step("approve", LEE))
    await asked.team.asks(ANA)
    assert len(asked.team.outside.calls) == 1
    assert len(asked.team.rows("SELECT 1 FROM pending_decisions WHERE state = 'open'")) == 1


async def test_a_form_is_sent_by_who_opened_it_or_not_at_all(asked: Play) -> None:
    """Lee opened Deny; Rui, Ana and nobody at all send it."""
    await asked.opened((Step("deny", LEE),))
    kept = asked.team.outside.forms[LEE]
    for other in (RUI, ANA, ""):
        asked.team.outside.forms[other] = kept
        intent = await asked.team.submits(other, "mine now")
        assert "no longer known" in answer(asked, intent.request_id)
    assert nothing_came_of_it(asked)


async def test_what_no_card_can_show_whole_is_not_put_to_anybody(team: Team) -> None:
    """Three thousand letters of parameters."""
    env = team.env
    await env.does(f"start acc:shop/prices input.text={'x' * 3_000}", "Denied", "characters long")
    assert (await team.event("denied")).code == "not_showable"
    assert not env.audit(event="approval_requested")


async def test_the_card_of_an_approval_shows_every_parameter_as_it_will_run(team: Team) -> None:
    """Defaults that nobody typed too, the exact id, and the digest that is compared before the call."""
    env = team.env
    await env.say("start acc:shop/prices input.region=north")
    card = await team.card("start acc:shop/prices")
    row = await team.event("approval_requested")
    words = json.dumps(card["blocks"])
    assert "north" in words
    for name in json.loads(row.params):
        assert name in words, name
    assert row.target_id in words
    assert row.digest in words


async def test_a_press_on_a_channel_that_froze_meanwhile_runs_nothing(team: Team) -> None:
    """The request's channel became shared with others after the card was shown: its rules no longer count."""
    env = team.env
    await env.say("start acc:shop/prices")
    card = await team.card("start acc:shop/prices")
    env.ws.set_channel(CRAWL, is_ext_shared=True)
    await env.until(lambda: env.bot.store.database.read_sync(_frozen))
    await team.press(card, "Approve")
    await team.sees("Nothing was done")
    assert not team.effects()


def _frozen(db: object) -> bool:
    found = db.execute("SELECT value FROM key_values WHERE key = 'channel:C0CRAWL'").fetchone()  # type: ignore[attr-defined]
    return found is not None and json.loads(found[0]).get("frozen") is True
