"""What a request was about, found again from its card, its thread and its target."""

from __future__ import annotations

from bot.core.audit import Event
from bot.store.store import Store
from tests.store.samples import NOW, TARGET, intent, outgoing, row

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
        row(Event.DONE, "r1", target_id="7", risk="read"),
        row(Event.SENT, "r2", target_id="7", risk="change"),
        row(Event.DONE, "r2", target_id="7", risk="change"),
        row(Event.FAILED, "r3", target_id="8", risk="change"),
        row(Event.UNKNOWN, "r4", target_id="7", risk="danger"),
    )
    assert [entry.request_id for entry in await store.last_outcomes("7", 5)] == ["r4", "r2"]
    assert [entry.request_id for entry in await store.last_outcomes("7", 1)] == ["r4"]
