"""Holds: one decision, by the first who decides, in time, with its row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.core.audit import AuditEntry, Event
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters, PendingDecision, VoteResult
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.store import Store
from tests.store.samples import NOW, after, ballot, grant, intent, operation, pending, row

WORDS = {"approved": Event.APPROVED, "rejected": Event.REJECTED, "open": Event.APPROVED}


def entries_of(result: VoteResult) -> Sequence[AuditEntry]:
    return [row(WORDS[result.state], user_id=result.votes[-1].user_id)]


@pytest.fixture
async def held(store: Store) -> PendingDecision:
    await store.accept(intent(), [row()])
    await store.begin("r1", NOW)
    await store.wait("r1", pending(), [row(Event.APPROVAL_REQUESTED)], NOW)
    return pending()


async def decided(store: Store) -> list[str]:
    found = await store.search(Filters(request_id="r1"))
    return [str(entry.event) for entry in reversed(found) if entry.event in WORDS.values()]


async def test_a_hold_comes_back_as_it_was_given(store: Store, held: PendingDecision) -> None:
    assert await store.open_pending("h1") == held
    assert await store.pending_decisions(state="open") == [held]
    assert await store.pending_decisions(user="U0ANA") == [held]
    assert await store.pending_decisions(user="U0BOB") == []


@pytest.mark.usefixtures("held")
async def test_of_a_hundred_votes_at_once_one_decides(store: Store) -> None:
    results = await asyncio.gather(
        *(store.vote("h1", ballot(f"U{n}"), entries_of, needed=1, now=NOW) for n in range(100))
    )
    (winner,) = [result for result in results if result.won]
    assert {result.state for result in results} == {"approved"}
    assert await decided(store) == ["approved"]
    assert winner.pending is not None
    losers = [result.pending for result in results if not result.won]
    assert {loser.decided_by for loser in losers if loser} == {winner.pending.decided_by}


@pytest.mark.usefixtures("held")
async def test_approvals_and_a_denial_at_once_end_in_one_state(store: Store) -> None:
    votes = [ballot(f"U{n}", "deny" if n % 2 else "approve") for n in range(40)]
    results = await asyncio.gather(*(store.vote("h1", vote, entries_of, needed=1, now=NOW) for vote in votes))
    assert sum(result.won for result in results) == 1
    assert len({result.state for result in results}) == 1
    assert len(await decided(store)) == 1


@pytest.mark.usefixtures("held")
async def test_one_person_counts_once_whatever_id_they_use(store: Store) -> None:
    first = await store.vote("h1", ballot("U1", person="lea"), entries_of, needed=2, now=NOW)
    again = await store.vote("h1", ballot("U2", person="lea"), entries_of, needed=2, now=NOW)
    assert (first.counted, first.won, again.counted, again.won) == (True, False, False, False)
    last = await store.vote("h1", ballot("U3"), entries_of, needed=2, now=NOW)
    assert (last.won, last.state, [vote.person for vote in last.votes]) == (True, "approved", ["lea", "U3"])


@pytest.mark.usefixtures("held")
async def test_any_deny_ends_it(store: Store) -> None:
    await store.vote("h1", ballot("U1"), entries_of, needed=3, now=NOW)
    result = await store.vote("h1", ballot("U2", "deny"), entries_of, needed=3, now=NOW)
    assert (result.won, result.state) == (True, "rejected")
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1")


@pytest.mark.usefixtures("held")
async def test_a_vote_when_the_time_is_over_changes_nothing(store: Store) -> None:
    result = await store.vote("h1", ballot(), entries_of, needed=1, now=after(1800))
    assert (result.won, result.counted, result.state) == (False, False, "expired")
    assert await decided(store) == []
    assert [due.id for due in await store.due_pending(after(1800))] == ["h1"]
    assert await store.end_pending("h1", "expired", None, [row(Event.EXPIRED)], after(1800))
    assert not await store.end_pending("h1", "expired", None, [row(Event.EXPIRED)], after(1800))
    assert await store.due_pending(after(1800)) == []


@pytest.mark.usefixtures("held")
async def test_expiry_and_approval_at_once_leave_one_of_them(store: Store) -> None:
    vote, ended = await asyncio.gather(
        store.vote("h1", ballot(), entries_of, needed=1, now=after(1799)),
        store.end_pending("h1", "expired", None, [row(Event.EXPIRED)], after(1800)),
    )
    assert vote.won is not ended


@pytest.mark.usefixtures("held")
async def test_of_a_denial_and_a_new_question_at_once_one_counts(store: Store) -> None:
    async def replace() -> bool:
        return await store.wait("r1", pending("h2"), [], NOW, replaces=pending()) is None

    vote, replaced = await asyncio.gather(
        store.vote("h1", ballot(vote="deny"), entries_of, needed=1, now=NOW), replace()
    )
    assert vote.won is not replaced
    assert (await store.open_pending("h2") is not None) is replaced


@pytest.mark.usefixtures("held")
async def test_an_approval_is_used_once_and_only_for_its_request(store: Store) -> None:
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1")
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    await store.accept(intent("r2"), [row(request_id="r2")])
    await store.begin("r2", NOW)
    assert not await store.sending("r2", operation("r2"), row(Event.SENT, "r2"), NOW, pending_id="h1")
    answers = await asyncio.gather(
        *(store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1") for _ in range(5))
    )
    assert sorted(answers) == [False] * 4 + [True]
    taken = await store.open_pending("h1")
    assert taken is not None
    assert taken.state == "taken"


@pytest.mark.usefixtures("held")
async def test_a_grant_for_one_call_is_stored_with_it_or_not_at_all(store: Store) -> None:
    """Its entry is before that of the call."""
    once = (grant(request_id="r1", state="expired"), row(Event.GRANTED))
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1", grant=once)
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    refused = once[0].model_copy(update={"user_id": None})
    with pytest.raises(StoreProblem):
        await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1", grant=(refused, once[1]))
    assert await store.grant_by_id(once[0].id) is None
    assert [one.id for one in await store.pending_decisions(state="approved")] == ["h1"]
    assert not await store.search(Filters(event=Event.SENT))
    assert await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1", grant=once)
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1", grant=once)
    assert await store.grant_by_id(once[0].id) == once[0]
    newest = await store.search(Filters(request_id="r1"), limit=2)
    assert [entry.event for entry in newest] == [Event.SENT, Event.GRANTED]


@pytest.mark.usefixtures("held")
async def test_a_grant_for_one_call_that_an_older_version_stored_is_kept(store: Store) -> None:
    """It was stored before the approval was used."""
    once = (grant(request_id="r1", state="expired"), row(Event.GRANTED))
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    assert await store.add_grant(once[0], [once[1]])
    assert await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1", grant=once)
    assert len(await store.search(Filters(event=Event.GRANTED))) == 1


@pytest.mark.usefixtures("held")
async def test_a_hold_stays_unused_when_its_request_cannot_be_sent(store: Store) -> None:
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    await store.finish("r1", [], NOW)
    assert not await store.sending("r1", operation(), row(Event.SENT), NOW, pending_id="h1")
    unused = await store.open_pending("h1")
    assert unused is not None
    assert unused.state == "approved"


async def test_an_open_preflight_is_taken_in_time_and_an_open_approval_never(store: Store) -> None:
    for name, kind in (("a", "preflight"), ("b", "preflight"), ("c", "approval")):
        await store.accept(intent(name), [])
        await store.wait(name, pending(f"h-{name}", kind, name), [], NOW)
    assert await store.sending("a", operation("a"), row(Event.SENT, "a"), after(1799), pending_id="h-a")
    assert not await store.sending("b", operation("b"), row(Event.SENT, "b"), after(1800), pending_id="h-b")
    assert not await store.sending("c", operation("c"), row(Event.SENT, "c"), NOW, pending_id="h-c")


@pytest.mark.usefixtures("held")
async def test_what_was_approved_can_be_cancelled_and_not_be_rejected(store: Store) -> None:
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    assert not await store.end_pending("h1", "rejected", "U9", [], NOW)
    assert await store.end_pending("h1", "cancelled", "U0ANA", [row(Event.ABANDONED)], NOW)
    assert not await store.end_pending("h1", "cancelled", "U0ANA", [row(Event.ABANDONED)], NOW)


@pytest.mark.usefixtures("held")
async def test_a_grant_uses_an_approval_once_and_only_while_it_is_approved(store: Store) -> None:
    """Otherwise neither the grant nor its entry is stored. Until its request ends, it is among those to complete."""
    asked = grant(request_id="r1")
    assert not await store.add_grant(asked, [row(Event.GRANTED)], None, "h1")
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    assert not await store.add_grant(
        asked.model_copy(update={"from_at": after(1800)}), [row(Event.GRANTED)], None, "h1"
    )
    assert await store.grant_by_id(asked.id) is None
    assert await store.add_grant(asked, [row(Event.GRANTED)], None, "h1")
    assert not await store.add_grant(grant("g2", request_id="r1"), [row(Event.GRANTED)], None, "h1")
    assert not await store.end_pending("h1", "cancelled", "U0ANA", [row(Event.ABANDONED)], NOW)
    assert [one.id for one in await store.open_grants(NOW)] == [asked.id]
    assert len(await store.search(Filters(event=Event.GRANTED))) == 1
    assert [(one.id, one.state) for one in await store.unfinished_pending()] == [("h1", "taken")]
    await store.finish("r1", [], NOW)
    assert not await store.unfinished_pending()


@pytest.mark.usefixtures("held")
async def test_what_was_approved_can_be_used_up_without_a_call_also_after_its_expiry(store: Store) -> None:
    await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)
    assert await store.end_pending("h1", "taken", "U0LEE", [], after(1801))
    assert not await store.pending_decisions(state="approved")
    assert not await store.end_pending("h1", "cancelled", "U0ANA", [], after(1802))


async def test_a_reminder_is_given_once_at_each_of_its_times(store: Store) -> None:
    await store.accept(intent(), [])
    await store.wait("r1", pending(remind_at=after(60)), [], NOW)
    assert await store.remind_pending(after(59)) == []
    (due,) = await store.remind_pending(after(60))
    assert sorted([await store.reminded(due, after(120)), await store.reminded(due, after(120))]) == [False, True]
    assert await store.remind_pending(after(61)) == []
    assert len(await store.remind_pending(after(120))) == 1


async def test_a_vote_on_nothing_says_so(store: Store) -> None:
    result = await store.vote("nobody", ballot(), entries_of, needed=1, now=NOW)
    assert (result.state, result.won, result.pending) == ("missing", False, None)


@pytest.mark.usefixtures("held")
async def test_a_decision_whose_row_cannot_be_written_is_no_decision(store: Store) -> None:
    def broken(result: VoteResult) -> Sequence[AuditEntry]:
        raise ValueError(result.state)

    with pytest.raises(ValueError, match="approved"):
        await store.vote("h1", ballot(), broken, needed=1, now=NOW)
    untouched = await store.open_pending("h1")
    assert untouched is not None
    assert untouched.state == "open"
    assert await store.votes("h1") == ()


async def test_of_the_same_wishes_at_once_one_waits_and_the_others_get_it(store: Store, address: StoreAddress) -> None:
    """The look for another one and the new one are one unit, also for two processes that share a PostgreSQL database."""
    second = open_store(address) if store.shared else store
    for number in range(10):
        await store.accept(intent(f"r{number}"), [row(request_id=f"r{number}")])

    async def ask(number: int) -> PendingDecision | None:
        rows = [row(Event.APPROVAL_REQUESTED, request_id=f"r{number}")]
        wish = pending(f"h{number}", request_id=f"r{number}")
        side = second if number % 2 else store
        return await side.wait(f"r{number}", wish, rows, NOW, unless=lambda other: other.digest == wish.digest)

    try:
        found = await asyncio.gather(*map(ask, range(10)))
    finally:
        if second is not store:
            await second.close()
    (waiting,) = await store.pending_decisions(state="open")
    assert sorted(one.id for one in found if one is not None) == [waiting.id] * 9
    assert len(await store.search(Filters(event=Event.APPROVAL_REQUESTED))) == 1


@pytest.mark.parametrize("choice", ["approve", "deny"])
async def test_a_decision_that_was_made_is_not_replaced_by_a_newer_question(
    store: Store, held: PendingDecision, choice: str
) -> None:
    """One person sees that the target has changed while another one decides: the request must not be asked about again."""
    assert (await store.vote("h1", ballot("U0LEA", choice), entries_of, needed=1, now=NOW)).won
    assert await store.wait("r1", pending("h1.1"), [row()], NOW, replaces=held) == held
    assert await store.open_pending("h1.1") is None


async def test_a_newer_question_ends_the_older_one(store: Store, held: PendingDecision) -> None:
    assert await store.wait("r1", pending("h1.1"), [row()], NOW, replaces=held) is None
    assert [one.id for one in await store.pending_decisions(state="open")] == ["h1.1"]
    assert not (await store.vote("h1", ballot(), entries_of, needed=1, now=NOW)).won
