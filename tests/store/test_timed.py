"""What waits for time: watches, pauses and grants end once, each with its row."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.audit import Event
from bot.core.outcome import Phase, RunView
from bot.core.records import Filters
from bot.store.errors import StoreProblem
from bot.store.store import Store
from tests.store.samples import NOW, after, grant, intent, pause, row, watch


async def test_a_watch_ends_once_with_its_row(store: Store) -> None:
    await store.watch(watch())
    ends = [store.end_watch("w1", "ended", [row(Event.ENDED, code="Completed")], after(9)) for _ in range(10)]
    assert sorted(await asyncio.gather(*ends)) == [False] * 9 + [True]
    assert len(await store.search(Filters(event="ended"))) == 1
    await store.update_watches([("w1", None, after(20))])
    assert await store.open_watches() == []


async def test_watches_are_due_in_the_order_of_their_time(store: Store) -> None:
    for number in (3, 1, 2):
        await store.watch(watch(f"w{number}", due_at=after(number), user_id=f"U{number % 2}"))
    assert [due.id for due in await store.due_watches(after(2))] == ["w1", "w2"]
    view = RunView(state="Running", phase=Phase.ACTIVE)
    await store.update_watches([("w1", view, after(50)), ("w2", None, after(60))])
    assert [(open_watch.id, open_watch.view) for open_watch in await store.open_watches()] == [
        ("w3", None),
        ("w1", view),
        ("w2", None),
    ]
    await store.update_watches([("w1", None, after(70))])
    assert {open_watch.id: open_watch.view for open_watch in await store.open_watches("U1")} == {
        "w1": view,
        "w3": None,
    }


async def test_a_pause_ends_once_when_it_is_due(store: Store) -> None:
    await store.accept(intent(), [row()])
    await store.finish("r1", [row(Event.PAUSED)], NOW, pauses=[pause()])
    assert await store.due_pauses(after(7199)) == []
    assert await store.due_pauses(after(7200)) == [pause()]
    assert await store.postpone_pause("p1", after(7260))
    assert await store.due_pauses(after(7259)) == []
    assert [(found.id, found.tries) for found in await store.due_pauses(after(7260))] == [("p1", 1)]
    await store.finish("r1", [row(Event.RESUMED)], NOW, over=[pause()], over_state="resumed")
    assert await store.open_pauses() == []
    assert not await store.postpone_pause("p1", after(7300))
    await store.finish("r1", [], NOW, over=[pause()], over_state="failed")
    ended = await store.pause_by_id("p1")
    assert ended is not None
    assert ended.state == "resumed"


@pytest.mark.parametrize(
    ("user", "channel", "seconds", "found"),
    [
        ("U0ANA", "C0CRAWL", 0, True),
        ("U0ANA", "C0OTHER", 0, False),
        ("U0BOB", "C0CRAWL", 0, False),
        ("U0ANA", "C0CRAWL", -1, False),
        ("U0ANA", "C0CRAWL", 3599, True),
        ("U0ANA", "C0CRAWL", 3600, False),
    ],
)
async def test_a_grant_is_in_force_for_its_user_channel_and_time(
    store: Store, user: str, channel: str, seconds: int, found: bool
) -> None:
    await store.add_grant(grant(channel_id="C0CRAWL"), [row(Event.GRANTED)])
    assert bool(await store.grants_for(user, channel, after(seconds))) is found


async def test_a_grant_without_a_channel_is_in_force_everywhere_until_it_ends(store: Store) -> None:
    await store.add_grant(grant(), [row(Event.GRANTED)])
    assert await store.grants_for("U0ANA", "C0ANY", NOW) == [grant()]
    assert await store.due_grants(after(3600)) == [grant()]
    ends = await asyncio.gather(*(store.end_grant("g1", "revoked", [row(Event.REVOKED)]) for _ in range(5)))
    assert sorted(ends) == [False] * 4 + [True]
    assert await store.grants_for("U0ANA", "C0ANY", NOW) == []
    assert await store.open_grants(NOW) == []


async def test_break_glass_is_reviewed_once_and_not_by_its_user(store: Store) -> None:
    await store.add_grant(grant("bg", breakglass=True), [row(Event.BREAKGLASS)])
    await store.add_grant(grant("plain"), [row(Event.GRANTED)])
    assert not await store.review_grant("bg", "U0ANA", [row(Event.REVIEWED)], NOW)
    assert not await store.review_grant("plain", "U0LEA", [row(Event.REVIEWED)], NOW)
    assert await store.review_grant("bg", "U0LEA", [row(Event.REVIEWED)], after(9))
    assert not await store.review_grant("bg", "U0LEA", [row(Event.REVIEWED)], after(9))
    reviewed = await store.grant_by_id("bg")
    assert reviewed is not None
    assert (reviewed.reviewed_by, reviewed.reviewed_at) == ("U0LEA", after(9))
    assert len(await store.search(Filters(event="reviewed"))) == 1


async def test_a_grant_whose_row_cannot_be_written_is_not_given(store: Store) -> None:
    with pytest.raises(StoreProblem):
        await store.add_grant(grant(), [row(Event.GRANTED).model_copy(update={"at": None})])
    assert await store.open_grants(NOW) == []
