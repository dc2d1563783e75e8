"""Requests: taken in once, sent once, and never without their row."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.audit import Event
from bot.core.records import Filters
from bot.store.errors import StoreProblem
from bot.store.store import Store
from tests.store.samples import (
    NOW,
    TARGET,
    after,
    button,
    intent,
    operation,
    outgoing,
    pause,
    pending,
    row,
    watch,
)


async def events(store: Store, request_id: str = "r1") -> list[str]:
    return [str(entry.event) for entry in reversed(await store.search(Filters(request_id=request_id)))]


async def test_two_accepts_at_once_with_one_dedupe_key_take_one_request(store: Store) -> None:
    answers = await asyncio.gather(
        store.accept(intent("r1", "same"), [row()]), store.accept(intent("r2", "same"), [row(request_id="r2")])
    )
    assert sorted(answers) == [False, True]
    assert len(await store.search(Filters())) == 1


async def test_a_request_is_begun_by_one_caller_only(store: Store) -> None:
    await store.accept(intent(), [row()])
    assert sorted(await asyncio.gather(*(store.begin("r1", NOW) for _ in range(10)))) == [False] * 9 + [True]


async def test_a_request_that_is_begun_as_it_is_accepted_is_worked_on_from_there(store: Store) -> None:
    assert await store.accept(intent(), [row()], begun=True)
    assert not await store.begin("r1", NOW)
    assert [request.state for request in await store.unfinished()] == ["working"]
    assert await store.sending("r1", operation(), row(Event.SENT), NOW)


async def test_sending_is_given_once_and_keeps_what_is_sent(store: Store) -> None:
    await store.accept(intent(), [row()])
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW)
    await store.begin("r1", NOW)
    answers = await asyncio.gather(*(store.sending("r1", operation(), row(Event.SENT), NOW) for _ in range(10)))
    assert sorted(answers) == [False] * 9 + [True]
    assert await events(store) == ["requested", "sent"]
    (open_request,) = await store.unfinished()
    assert open_request.state == "sending"
    assert open_request.operation == operation()
    assert open_request.sent_at == after(0)


async def test_what_was_sent_can_neither_be_sent_nor_wait_again(store: Store) -> None:
    await store.accept(intent(), [row()])
    await store.begin("r1", NOW)
    await store.sending("r1", operation(), row(Event.SENT), NOW)
    with pytest.raises(StoreProblem, match="can't wait"):
        await store.wait("r1", pending(), [row(Event.APPROVAL_REQUESTED)], NOW)
    await store.finish("r1", [row(Event.DONE)], NOW)
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW)
    assert await store.open_pending("h1") is None
    assert await events(store) == ["requested", "sent", "done"]


async def test_finish_keeps_what_is_to_be_followed_and_switched_back(store: Store) -> None:
    await store.accept(intent(), [row()])
    await store.finish("r1", [row(Event.DONE)], NOW, watch=watch(), pauses=[pause()])
    assert await store.open_watches() == [watch()]
    assert await store.open_pauses() == [pause()]
    assert await store.unfinished() == []


async def test_a_finish_that_fails_leaves_nothing_behind(store: Store) -> None:
    await store.accept(intent(), [row()])
    await store.watch(watch())
    with pytest.raises(StoreProblem) as problem:
        await store.finish("r1", [row(Event.DONE)], NOW, watch=watch())
    assert problem.value.code == "store_refused"
    assert await events(store) == ["requested"]
    assert [request.state for request in await store.unfinished()] == ["new"]


async def test_finishing_an_unknown_request_is_refused(store: Store) -> None:
    with pytest.raises(StoreProblem, match="is unknown"):
        await store.finish("nobody", [row(Event.DONE)], NOW)
    assert await store.head() is None


async def test_unfinished_is_what_a_start_must_look_at(store: Store) -> None:
    for name in ("new", "working", "waiting", "sending", "ended"):
        await store.accept(intent(name), [row(request_id=name)])
    for name in ("working", "waiting", "sending"):
        await store.begin(name, NOW)
    await store.wait("waiting", pending(request_id="waiting"), [], NOW)
    await store.sending("sending", operation("sending"), row(Event.SENT, "sending"), NOW)
    await store.finish("ended", [], NOW)
    assert [(request.request_id, request.state) for request in await store.unfinished()] == [
        ("new", "new"),
        ("working", "working"),
        ("sending", "sending"),
    ]
    waiting = await store.request("waiting")
    assert waiting is not None
    assert waiting.intent == intent("waiting")


async def test_pruning_forgets_what_served_the_card_of_an_ended_request(store: Store) -> None:
    for name in ("old", "young"):
        await store.accept(intent(name), [row(request_id=name)])
        await store.show(outgoing(f"op:{name}"), [button(f"b-{name}", f"op:{name}")])
        await store.sent(f"op:{name}", 1, ts=f"1.{name}")
        for value in ("note", "unread_card", "asking", "closed"):
            await store.set_value(f"{value}:{name}", "lost", NOW)
        await store.finish(name, [row(Event.DONE, name)], NOW if name == "old" else after(60), run=TARGET)
    assert await store.prune(after(1)) == 1
    assert await store.message("op:old") is None
    assert await store.button("b-old") is None
    assert await store.run_of("old") is None
    assert not [
        value for value in ("note", "unread_card", "asking", "closed") if await store.value(f"{value}:old") is not None
    ]
    assert await store.message("op:young") is not None
    assert await store.button("b-young") is not None
    assert await store.run_of("young") == TARGET
    assert await store.value("note:young") == "lost"
    assert await events(store, "old") == ["requested", "done"]


async def test_pruning_keeps_what_is_still_followed_or_to_be_switched_on_again(store: Store) -> None:
    for name in ("followed", "paused"):
        await store.accept(intent(name), [row(request_id=name)])
    await store.finish("followed", [], NOW, watch=watch(request_id="followed"))
    await store.finish("paused", [], NOW, pauses=[pause(request_id="paused")])
    assert await store.prune(after(60)) == 0
    assert await store.end_watch("w1", "ended", [], after(60))
    await store.finish("paused", [], NOW, over=[pause()], over_state="resumed")
    assert await store.prune(after(61)) == 3, "both requests and the watch"
    assert await store.request("followed") is None
    assert await store.prune(after(61)) == 0


async def test_pruning_forgets_what_told_of_an_ended_request_another_way(store: Store) -> None:
    """Direct messages, the security channel's, and ended workflow steps; not those that Slack does not have yet."""
    for name in ("r-1", "r-12"):
        await store.accept(intent(name), [row(request_id=name)])
    stand_ins = ("op:r-1@U0ANA", "say:r-1@@U0ANA", "op:r-1@security", "file:r-1:lost", "approval:r-1@U0LEE", "step:Fx1")
    kept = ("approval:r-1", "op:r-12", "op:r-12@U0ANA")
    for key in (*stand_ins, *kept):
        await store.show(outgoing(key))
        await store.sent(key, 1, ts="1.1")
    await store.show(outgoing("say:r-1@@U0LEE"))
    await store.finish("r-1", [], NOW)
    assert await store.prune(after(1)) == 1
    assert [key for key in stand_ins if await store.message(key) is not None] == []
    assert [key for key in (*kept, "say:r-1@@U0LEE") if await store.message(key) is None] == []


async def test_pruning_keeps_what_slack_does_not_have_yet(store: Store) -> None:
    await store.accept(intent("old"), [row(request_id="old")])
    await store.show(outgoing("op:old"))
    await store.finish("old", [], NOW)
    assert await store.prune(after(1)) == 1
    assert await store.message("op:old") is not None


async def test_pruning_forgets_forms_that_nobody_sent_and_no_other_fact(store: Store) -> None:
    for key in ("form:token", "former", "head:published"):
        await store.set_value(key, "x", NOW)
    await store.set_value("form:new", "x", after(60))
    assert await store.prune(after(1)) == 1
    assert await store.value("form:token") is None
    assert [await store.value(key) for key in ("form:new", "former", "head:published")] == ["x", "x", "x"]


async def test_pruning_forgets_ended_requests_and_no_row_of_the_audit_log(store: Store) -> None:
    await store.accept(intent("old"), [row(request_id="old")])
    await store.accept(intent("open"), [row(request_id="open")])
    await store.finish("old", [row(Event.DONE, "old")], NOW)
    assert await store.prune(after(-1)) == 0
    assert await store.prune(after(1)) == 1
    assert await store.request("old") is None
    assert await store.request("open") is not None
    assert await events(store, "old") == ["requested", "done"]


async def test_a_request_and_its_entries_are_stored_with_the_incident_of_the_thread_or_else_of_the_channel(
    store: Store,
) -> None:
    keys = ("incident:C0:", "incident:C0:1.1")
    assert await store.accept(intent("r1"), [row(request_id="r1")], incidents=keys) is True
    await store.set_value(keys[0], {"name": "INC-channel"}, NOW)
    assert await store.accept(intent("r2"), [row(request_id="r2")], incidents=keys) == "INC-channel"
    await store.set_value(keys[1], {"name": "INC-thread"}, NOW)
    assert await store.accept(intent("r3"), [row(request_id="r3")], incidents=keys) == "INC-thread"
    assert await store.accept(intent("r4", "key-r3"), [row(request_id="r4")], incidents=keys) is False
    await store.set_value(keys[1], None, NOW)  # closed
    assert await store.accept(intent("r5"), [row(request_id="r5")], incidents=keys[:1]) == "INC-channel"

    marks = {entry.request_id: entry.incident for entry in await store.search(Filters())}
    assert marks == {"r1": None, "r2": "INC-channel", "r3": "INC-thread", "r5": "INC-channel"}
    for request_id, mark in marks.items():
        found = await store.request(request_id)
        assert found is not None
        assert found.intent.incident == mark
