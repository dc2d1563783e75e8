"""What a request was about, found again from its card, its thread and its target."""

from __future__ import annotations

from bot.core.audit import Event
from bot.store.store import Store
from tests.store.samples import NOW, TARGET, after, intent, operation, outgoing, row

RUN = TARGET.model_copy(update={"kind": "run", "id": "99", "name": "run/99", "parent": "7"})


async def test_the_run_of_a_request_is_found_by_its_card_and_in_its_thread(store: Store) -> None:
    await store.accept(intent("r1"), [row()])
    await store.finish("r1", [row(Event.DONE)], NOW, run=RUN)
    assert await store.run_of("r1") == RUN
    assert await store.run_of("nobody") is None
    await store.show(outgoing("op:r1"))
    await store.sent("op:r1", 1, ts="17.1")
    await store.show(outgoing("op:r2", thread_ts="8.8"))
    assert await store.thread_target("C0CRAWL", "17.1") == RUN
    assert await store.thread_target("C0CRAWL", "8.8") is None
    assert await store.thread_target("C0OTHER", "17.1") is None


async def test_the_last_outcomes_of_a_target_are_those_of_changes(store: Store) -> None:
    await store.append(
        row(Event.DONE, "r1", target_id="7", risk="read", target_kind="agent"),
        row(Event.SENT, "r2", target_id="7", risk="change", target_kind="agent"),
        row(Event.DONE, "r2", target_id="7", risk="change", target_kind="agent"),
        row(Event.FAILED, "r3", target_id="8", risk="change", target_kind="agent"),
        row(Event.UNKNOWN, "r4", target_id="7", risk="danger", target_kind="agent"),
        row(Event.DONE, "r5", target_id="7", risk="change", target_kind="agent", backend="acc2"),
        row(Event.DONE, "r6", target_id="7", risk="change", target_kind="run"),
    )
    assert [entry.request_id for entry in await store.last_outcomes(TARGET, 5)] == ["r4", "r2"]
    assert [entry.request_id for entry in await store.last_outcomes(TARGET, 1)] == ["r4"]


async def test_what_a_call_made_belongs_to_one_request(store: Store) -> None:
    """Of two requests that found the same run, one has it: all that it claims at once, or nothing."""
    for request_id in ("r1", "r2"):
        await store.accept(intent(request_id), [row(request_id=request_id)])
    await store.finish("r1", [row(Event.DONE)], NOW, run=RUN, made=("99",))
    assert not await store.claim_made("r2", "acc", ("98", "99"), NOW)
    assert await store.claim_made("r3", "acc", ("98",), NOW)
    assert await store.claim_made("r1", "acc", ("99",), NOW)
    assert await store.claim_made("r2", "infa", ("99",), NOW)
    assert await store.made_by_others("r1", "acc", NOW) == {"98"}
    assert await store.made_by_others("r2", "acc", NOW) == {"98", "99"}
    assert not await store.made_by_others("r2", "acc", after(60))


async def test_a_call_is_being_sent_until_its_outcome_is_recorded(store: Store) -> None:
    await store.accept(intent(), [row()], begun=True)
    assert not await store.being_sent()
    await store.sending("r1", operation(), row(Event.SENT), NOW)
    assert list(await store.being_sent()) == [operation()]
    await store.finish("r1", [row(Event.DONE)], NOW)
    assert not await store.being_sent()
