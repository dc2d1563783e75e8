"""Who watches a target, and that it is polled once however many do."""

from __future__ import annotations

from typing import Any

from bot.core.audit import Event
from bot.core.intent import Place
from bot.core.records import Filters, Subscription, stamp
from bot.core.runs import SeenRuns
from bot.store.store import Store
from tests.store.samples import NOW, TARGET, after, row


def subscription(id: str = "s1", channel: str = "C0CRAWL", thread: str | None = None, **fields: Any) -> Subscription:
    place = Place(team_id="T0ACME", channel_id=channel, thread_ts=thread)
    given: dict[str, Any] = {"target": TARGET, "user_id": "U0ANA", "made_at": stamp(NOW), "request_id": f"r-{id}"}
    return Subscription(id=id, place=place, **(given | fields))


async def test_a_target_is_due_once_however_many_watch_it_and_for_one_caller(store: Store) -> None:
    await store.subscribe(subscription("s1"), NOW)
    await store.subscribe(subscription("s2", channel="C0OTHER"), NOW)
    await store.subscribe(subscription("s3", thread="1.1"), NOW)
    await store.subscribe(subscription("s4", user_id="U0LEE"), NOW)
    key = subscription().target_key
    assert [one.id for one in await store.subscriptions(key)] == ["s1", "s2", "s3", "s4"]
    (due,) = await store.take_watched(after(1), after(16))
    assert (due.key, due.target, due.seen) == (key, TARGET, None)
    assert await store.take_watched(after(1), after(16)) == ()
    await store.saw_runs(key, SeenRuns(listed=("a",), ended=("a",), failed=True))
    (again,) = await store.take_watched(after(16), after(31))
    assert again.seen == SeenRuns(listed=("a",), ended=("a",), failed=True)


async def test_the_same_person_watches_a_target_once_in_a_place(store: Store) -> None:
    """The later of two ends counts, and no end is the latest."""
    for name, ends, counts in (("s1", 60, 60), ("s2", 30, 60), ("s3", 90, 90), ("s4", None, None), ("s5", 120, None)):
        until = after(ends) if ends is not None else None
        await store.subscribe(subscription(name, until_at=until), NOW)
        (kept,) = await store.subscriptions()
        assert (kept.id, kept.until_at) == ("s1", after(counts) if counts is not None else None), name


async def test_a_target_that_nobody_watches_is_not_due(store: Store) -> None:
    await store.subscribe(subscription("s1"), NOW)
    await store.subscribe(subscription("s2", user_id="U0LEE"), NOW)
    assert await store.unsubscribe("s1", [row(Event.ENDED, code="unwatched")])
    assert not await store.unsubscribe("s1", [row(Event.ENDED, code="unwatched")])
    assert len(await store.search(Filters(event="ended"))) == 1
    assert len(await store.take_watched(after(1), after(16))) == 1
    await store.unsubscribe("s2", [])
    assert await store.take_watched(after(99), after(120)) == ()
    assert await store.subscriptions("acc:agent:7") == []
