"""The outbox: a message is what it should be, its newest buttons count, and what was sent is known."""

from __future__ import annotations

import pytest

from bot.store.errors import StoreProblem
from bot.store.store import Store
from tests.store.samples import NOW, after, button, outgoing


async def test_showing_again_replaces_what_is_wanted_and_sends_it_once(store: Store) -> None:
    await store.show(outgoing(body={"n": 1}))
    await store.show(outgoing(body={"n": 2}))
    (due,) = await store.due_messages(NOW)
    assert (due.want, due.have, due.body) == (2, 0, {"n": 2})
    assert await store.sent("m1", due.want, ts="17.1")
    assert await store.due_messages(NOW) == []
    assert await store.next_due() is None


async def test_a_change_while_the_message_is_on_its_way_is_sent_afterwards(store: Store) -> None:
    await store.show(outgoing(body={"n": 1}))
    (first,) = await store.due_messages(NOW)
    await store.show(outgoing(body={"n": 2}))
    assert await store.sent("m1", first.want, ts="17.1")
    (second,) = await store.due_messages(NOW)
    assert (second.ts, second.body, second.want, second.have) == ("17.1", {"n": 2}, 2, 1)
    assert await store.sent("m1", 2)
    assert not await store.sent("m1", 1), "a late answer must not undo a newer one"
    assert not await store.sent("m1", 3), "what was never wanted was not sent"


async def test_a_posted_message_stays_in_its_channel(store: Store) -> None:
    await store.show(outgoing(channel_id="D1", response_url="https://hooks.slack.com/1", response_until=after(1800)))
    await store.sent("m1", 1, ts="17.1")
    await store.show(outgoing(channel_id="C0OTHER", thread_ts="9.9"))
    message = await store.message("m1")
    assert message is not None
    assert (message.channel_id, message.thread_ts, message.ts) == ("D1", None, "17.1")
    assert (message.response_url, message.response_until) == ("https://hooks.slack.com/1", after(1800))


async def test_what_could_not_be_sent_waits_and_is_counted(store: Store) -> None:
    await store.show(outgoing())
    await store.postpone("m1", after(30), "rate_limited")
    assert await store.due_messages(after(29)) == []
    assert await store.next_due() == after(30)
    (due,) = await store.due_messages(after(30))
    assert (due.attempts, due.last_error) == (1, "rate_limited")
    await store.show(outgoing(body={"n": 3}))
    (again,) = await store.due_messages(NOW)
    assert (again.attempts, again.last_error) == (1, None)


async def test_a_new_state_of_a_message_that_waits_keeps_its_place_and_its_tries(store: Store) -> None:
    """A message that changes often must not look as if it had just begun to fail. Once it was sent, it begins anew."""
    await store.show(outgoing(due_at=after(0)))
    await store.postpone("m1", NOW, "http_503")
    await store.show(outgoing(due_at=after(30)))
    (waiting,) = await store.due_messages(after(30))
    assert (waiting.due_at, waiting.attempts, waiting.want) == (after(0), 1, 2)
    await store.sent("m1", 2)
    await store.show(outgoing(due_at=after(60)))
    (anew,) = await store.due_messages(after(60))
    assert (anew.due_at, anew.attempts) == (after(60), 0)


async def test_a_message_that_is_gone_is_never_sent_again(store: Store) -> None:
    await store.show(outgoing())
    await store.sent("m1", 1, gone=True)
    await store.show(outgoing())
    assert await store.due_messages(after(99)) == []


async def test_messages_are_due_by_their_time(store: Store) -> None:
    for number in (2, 1, 3):
        await store.show(outgoing(f"m{number}", due_at=after(number), files=({"path": "x", "size": number},)))
    assert [due.key for due in await store.due_messages(after(2))] == ["m1", "m2"]
    assert [due.key for due in await store.due_messages(after(9), 1)] == ["m1"]
    assert (await store.due_messages(after(9)))[2].files == ({"path": "x", "size": 3},)


LANES = {
    "C1/new": {"channel_id": "C1"},
    "C1/update": {"channel_id": "C1", "ts": "1.1"},
    "C1/private": {"channel_id": "C1", "kind": "ephemeral"},
    "C2/private": {"channel_id": "C2", "kind": "update_response"},
    "C2/upload": {"channel_id": "C2", "kind": "upload"},
    "U0ANA/home": {"channel_id": None, "user_id": "U0ANA", "kind": "home"},
    "/step": {"channel_id": None, "kind": "step"},
}


async def test_what_is_sent_in_turn_is_read_as_the_value_names_it(store: Store) -> None:
    """Each lane, skipped by its name, is not among what is due."""
    for lane, fields in LANES.items():
        await store.show(outgoing(lane, **fields))
    assert {due.key: due.lane for due in await store.due_messages(NOW)} == {lane: lane for lane in LANES}
    for lane in LANES:
        for each in (None, 1):
            found = {due.key for due in await store.due_messages(NOW, each=each, skip=[lane])}
            assert found == set(LANES) - {lane}


async def test_a_full_channel_takes_no_place_from_another(store: Store) -> None:
    for number in range(300):
        await store.show(outgoing(f"busy{number}", channel_id="C1", due_at=after(number / 1000)))
    await store.show(outgoing("other", channel_id="C2", due_at=after(1)))
    due = await store.due_messages(after(2), 100, each=10)
    assert [one.key for one in due if one.channel_id == "C1"] == [f"busy{number}" for number in range(10)]
    assert due[1].key == "other"


@pytest.mark.parametrize("cards", [3, 30])
async def test_a_question_that_others_decide_is_due_before_the_cards_of_its_channel(store: Store, cards: int) -> None:
    for number in range(cards):
        await store.show(outgoing(f"card{number}", due_at=after(number / 1000)))
    await store.show(outgoing("approval:1", body={"question": {"asked_by": "U0ANA"}}, due_at=after(1)))
    assert (await store.due_messages(after(2), 100, each=10))[0].key == "approval:1"


async def test_showing_again_retires_the_buttons_that_were_there(store: Store) -> None:
    await store.show(outgoing(), [button("b1"), button("b2", only_user="U0ANA")])
    await store.show(outgoing(due_at=after(5)), [button("b2", only_user="U0ANA"), button("b3")])
    await store.sent("m1", 2, ts="17.1")
    retired = {name: found.retired_at for name in ("b1", "b2", "b3") if (found := await store.button(name))}
    assert retired == {"b1": after(5), "b2": None, "b3": None}
    live = await store.button("b2")
    assert live is not None
    assert (live.payload, live.only_user, live.channel_id, live.ts) == ({"do": "b2"}, "U0ANA", "C0CRAWL", "17.1")
    assert await store.retire("m1", after(6)) == 2
    assert await store.button("nobody") is None


async def test_a_retired_button_has_its_successor_on_the_same_message(store: Store) -> None:
    old = button("b1")
    await store.show(outgoing(), [old, button("gone")])
    new = old.model_copy(update={"id": "b2"})
    await store.show(outgoing(due_at=after(5)), [new])
    found = await store.same_button(old)
    assert found is not None
    assert found.id == "b2"
    assert await store.same_button(button("gone")) is None
    assert await store.same_button(old.model_copy(update={"message_key": "m2"})) is None


async def test_a_button_of_another_message_cannot_be_taken_over(store: Store) -> None:
    await store.show(outgoing("m1"), [button("b1", "m1")])
    with pytest.raises(StoreProblem):
        await store.show(outgoing("m2"), [button("b1", "m2")])
    kept = await store.button("b1")
    assert kept is not None
    assert kept.message_key == "m1"
    assert await store.message("m2") is None


async def test_pruning_forgets_buttons_that_were_retired_long_ago(store: Store) -> None:
    await store.show(outgoing(), [button("b1")])
    await store.show(outgoing(due_at=after(5)), [button("b2")])
    assert await store.prune(after(5)) == 0
    assert await store.prune(after(6)) == 1
    assert await store.button("b1") is None
    assert await store.button("b2") is not None
