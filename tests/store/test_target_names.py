"""Names and small values survive a restart."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.audit import Event
from bot.core.ports.services import TargetCache
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters
from bot.store.open import open_store
from bot.store.store import Store, StoreTargetCache
from tests.store.samples import NOW, TARGET, row


class StoppedClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


async def test_names_are_remembered_over_a_restart_and_replaced_by_a_later_sight(address: StoreAddress) -> None:
    clock = StoppedClock()
    first = open_store(address)
    target_cache: TargetCache = StoreTargetCache(first, clock)
    await target_cache.remember([TARGET, TARGET.model_copy(update={"id": "8", "name": "other"})])
    await target_cache.remember([])
    await clock.sleep(60)
    renamed = TARGET.model_copy(update={"name": "shop/new"})
    await target_cache.remember([renamed])
    await first.close()
    second = open_store(address)
    target_cache = StoreTargetCache(second, clock)
    assert await target_cache.by_id("acc", "agent", "7") == renamed
    assert await target_cache.by_id("acc", "run", "7") is None
    seen = {target.id: at for target, at in await target_cache.known("acc")}
    assert seen == {"7": NOW + timedelta(seconds=60), "8": NOW}
    assert await target_cache.known("acc", "run") == []
    await second.close()


async def test_a_fact_is_kept_with_its_row(store: Store) -> None:
    assert await store.value("policy") is None
    await store.set_value("policy", {"version": "p1"}, NOW, [row(Event.POLICY_LOADED)])
    await store.set_value("policy", {"version": "p2"}, NOW)
    assert await store.value("policy") == {"version": "p2"}
    assert len(await store.search(Filters(event="policy_loaded"))) == 1
