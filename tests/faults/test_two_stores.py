"""Two stores on one PostgreSQL against a model: whatever two replicas do, alone or at once, each thing has one owner and one end.

The suite tells a few histories, always the same ones. With SIGNALBOX_HISTORIES=5000 in the environment
`.venv/bin/python -m pytest tests/faults/test_two_stores.py` tells that many new ones.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.core.audit import AuditEntry, Event
from bot.core.ports.store import StoreAddress
from bot.core.records import Filters, VoteResult
from bot.store.errors import StoreProblem
from bot.store.open import open_store
from bot.store.store import Store
from tests.store.samples import NOW, after, ballot, intent, operation, pending, row

HISTORIES: Final = os.environ.get("SIGNALBOX_HISTORIES")
STEPS: Final = 30
KEYS: Final = 2  # requests of one history
FENCED: Final = "store_fenced"
_PREFIXES = itertools.count(1)

requests = st.integers(0, KEYS - 1)
sides = st.integers(0, 1)
people = st.sampled_from(["U0LEA", "U0RUI", "U0BOB"])
choices = st.sampled_from(["approve", "approve", "deny"])


@dataclass
class Request:
    """What the model knows about a request."""

    state: str
    owner: int | None = None
    hold: str | None = None  # the state of its pending decision
    voters: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)


class Later:
    """The methods of a store. Each is called when it is awaited, because a write begins with its call and needs the loop."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **options: Any) -> Any:
            return await getattr(self._store, name)(*args, **options)

        return call


@dataclass
class Side:
    """One replica: its store, its epoch, and whether that was declared dead."""

    store: Store
    epoch: int = 0
    dead: bool = False


class Opened:
    """The two stores and the superuser's connection, for all histories."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.sides = [Side(open_store(StoreAddress(url))) for _ in range(2)]
        self.admin = psycopg.connect(url, autocommit=True)
        self.admin.execute("SET search_path = signalbox")

    def close(self) -> None:
        for side in self.sides:
            side.store.fence(None)
            side.store.close_sync()
        self.admin.close()
        self.loop.close()


class TwoReplicas(RuleBasedStateMachine):
    """One history with its own requests."""

    opened: ClassVar[Opened]

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"h{next(_PREFIXES)}-"
        self.model: dict[int, Request] = {}
        self.opened.admin.execute("DELETE FROM votes; DELETE FROM pending_decisions; DELETE FROM requests")
        self.opened.admin.execute("DELETE FROM replicas")
        for side in self.opened.sides:
            self._join(side)

    @initialize(held=st.booleans())
    def one_waits(self, *, held: bool) -> None:
        """Half of the histories begin with a request that waits for an approval."""
        if held:
            self.accept(0, 0, begun=True)
            self.wait(0, 0)

    # What replicas do

    @rule(side=sides, key=requests, begun=st.booleans())
    def accept(self, side: int, key: int, *, begun: bool) -> None:
        """A delivery of Slack, perhaps one of several."""
        self._judge(side, self._accept(side, key, begun), lambda: self._accepted(side, key, begun))

    @rule(key=requests)
    def accept_at_both(self, key: int) -> None:
        """The same delivery reaches both replicas at once: one takes it."""
        answers = self._at_once(self._accept(0, key, True), self._accept(1, key, True))
        self._one_wins(answers, key not in self.model)
        if True in answers:
            self._accepted(answers.index(True), key, True)

    @rule(side=sides, key=requests)
    def begin(self, side: int, key: int) -> None:
        """New -> working."""
        self._judge(side, self._store(side).begin(self._id(key), NOW), lambda: self._moved(side, key, "new", "working"))

    @rule(side=sides, key=requests)
    def release(self, side: int, key: int) -> None:
        """Working -> new, by its owner alone."""

        def expected() -> bool:
            request = self.model.get(key)
            if request is None or request.state != "working" or request.owner != self.opened.sides[side].epoch:
                return False
            request.state, request.owner = "new", None
            return True

        self._judge(side, self._store(side).release(self._id(key), NOW), expected)

    @rule(side=sides, key=requests, held=st.booleans())
    def send(self, side: int, key: int, *, held: bool) -> None:
        """Working or waiting -> sending, with the decision that allows it."""
        self._judge(side, self._send(side, key, held), lambda: self._sent(side, key, held))

    @rule(key=requests, held=st.booleans())
    def send_from_both(self, key: int, *, held: bool) -> None:
        """Two presses of the same button at once, or an old and a new leader: one sends."""
        can_send = self._can_send(key, held)
        answers = self._at_once(self._send(0, key, held), self._send(1, key, held))
        self._one_wins(answers, can_send)
        if True in answers:
            self._sent(answers.index(True), key, held)

    @rule(side=sides, key=requests)
    @precondition(lambda self: self.model)
    def finish(self, side: int, key: int) -> None:
        """Its owner records the outcome."""
        request = self.model.get(key)
        if request is None or request.owner not in (None, self.opened.sides[side].epoch) or request.state == "ended":
            return

        def ended() -> None:
            request.state, request.owner = "ended", None
            request.events.append("done")

        work = self._store(side).finish(self._id(key), [row(Event.DONE, self._id(key))], NOW)
        self._judge(side, work, ended)

    @rule(side=sides, key=requests)
    def wait(self, side: int, key: int) -> None:
        """Ask for an approval, once."""
        request = self.model.get(key)
        if request is None or request.hold is not None:
            return
        can_wait = request.state in ("new", "working", "waiting")
        hold = pending(self._hold(key), request_id=self._id(key))
        entry = row(Event.APPROVAL_REQUESTED, self._id(key))
        answer = self._run(self._store(side).wait(self._id(key), hold, [entry], NOW))
        if self.opened.sides[side].dead:
            assert answer == FENCED
        elif can_wait:
            assert answer is None
            request.state, request.owner, request.hold = "waiting", None, "open"
            request.events.append("approval_requested")
        else:
            assert answer == "store_conflict"

    @rule(side=sides, key=requests, who=people, choice=choices)
    def vote(self, side: int, key: int, who: str, choice: str) -> None:
        """A person presses a button of an approval."""
        expected = self._expected_vote(key, who, choice)
        answer = self._run(self._vote(side, key, who, choice))
        if self.opened.sides[side].dead:
            assert answer == FENCED
            return
        assert isinstance(answer, VoteResult)
        assert (answer.counted, answer.won) == expected
        self._voted(key, who, answer)

    @rule(key=requests, first=choices, second=choices)
    def vote_at_both(self, key: int, first: str, second: str) -> None:
        """Two last votes at once: one of them decides."""
        request = self.model.get(key)
        was_open = request is not None and request.hold == "open"
        before = len(request.voters) if request is not None else 0
        works = self._vote(0, key, "U0LEA", first), self._vote(1, key, "U0RUI", second)
        answers = [one for one in self._at_once(*works) if isinstance(one, VoteResult)]
        won = [one for one in answers if one.won]
        assert len(won) <= 1
        if was_open and request is not None and len(answers) == 2 and before == 0:
            assert len(won) == 1, "two votes are enough for every decision"
        for answer in sorted(answers, key=lambda one: len(one.votes)):
            if answer.counted:
                self._voted(key, answer.votes[-1].user_id, answer)

    # What happens to replicas

    @rule(side=sides)
    def die(self, side: int) -> None:
        """The other one declares it dead."""
        self.opened.admin.execute(
            "UPDATE replicas SET state = 'dead' WHERE epoch = %s", (self.opened.sides[side].epoch,)
        )
        self.opened.sides[side].dead = True

    @rule(side=sides)
    def join(self, side: int) -> None:
        """It takes part again, under a new epoch."""
        if self.opened.sides[side].dead:
            self._join(self.opened.sides[side])

    @rule(side=sides)
    def cut(self, side: int) -> None:
        """Its sessions end; it connects again by itself."""
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        self.opened.admin.execute(sql, (f"signalbox/{self.opened.sides[side].epoch}",))

    @rule(side=sides)
    def take_over(self, side: int) -> None:
        """Claim what no live replica works on."""
        live = {one.epoch for one in self.opened.sides if not one.dead}
        free = [
            key
            for key, request in self.model.items()
            if request.state in ("new", "working", "sending") and request.owner not in live
        ]
        answer = self._run(self._store(side).claim_unfinished())
        if self.opened.sides[side].dead:
            assert answer == FENCED
            return
        assert {request.request_id for request in answer} == {self._id(key) for key in free}
        for key in free:
            self.model[key].owner = self.opened.sides[side].epoch

    @rule()
    def both_take_over(self) -> None:
        """Nothing is claimed twice."""
        live = {one.epoch for one in self.opened.sides if not one.dead}
        free = {
            self._id(key)
            for key, request in self.model.items()
            if request.state in ("new", "working", "sending") and request.owner not in live
        }
        answers = self._at_once(*(self._store(side).claim_unfinished() for side in (0, 1)))
        claimed = [(one.request_id, side) for side, answer in enumerate(answers) if answer != FENCED for one in answer]
        assert len(claimed) == len({request_id for request_id, _ in claimed})
        assert {request_id for request_id, _ in claimed} == (free if live else set())
        for request_id, side in claimed:
            self.model[int(request_id.rpartition("-")[2])].owner = self.opened.sides[side].epoch

    # What must always be so

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        """States, owners, decisions, and the audit log of each request."""
        found = {
            request_id: (state, owner)
            for request_id, state, owner in self.opened.admin.execute(
                "SELECT request_id, state, owner_epoch FROM requests"
            )
        }
        live = {one.epoch for one in self.opened.sides if not one.dead}
        for key, request in self.model.items():
            state, owner = found[self._id(key)]
            assert state == request.state
            # A dead owner is nobody.
            assert (owner if owner in live else None) == (request.owner if request.owner in live else None)
        assert len(found) == len(self.model)

    def teardown(self) -> None:
        """The audit log has what was done, once, in an unbroken chain."""
        reader = self.opened.sides[0].store
        for key, request in self.model.items():
            entries = self._run(reader.search(Filters(request_id=self._id(key))))
            assert [str(entry.event) for entry in reversed(entries)] == ["requested", *request.events]
            assert request.events.count("sent") <= 1
            assert request.events.count("done") <= 1
        assert reader.verify_sync(reader.head_sync()).ok

    # Helpers

    def _id(self, key: int) -> str:
        return f"{self.prefix}{key}"

    def _hold(self, key: int) -> str:
        return f"hold-{self.prefix}{key}"

    def _store(self, side: int) -> Any:
        return Later(self.opened.sides[side].store)

    def _join(self, side: Side) -> None:
        (side.epoch,) = self.opened.admin.execute("SELECT nextval('epochs')").fetchone() or (0,)
        sql = "INSERT INTO replicas (id, epoch, state, beat_at, name) VALUES (%s, %s, 'live', now(), '')"
        self.opened.admin.execute(sql, (f"r{side.epoch}", side.epoch))
        side.dead = False
        side.store.fence(side.epoch)

    def _run(self, work: Awaitable[Any]) -> Any:
        """The answer, or the code of the problem."""
        return self._at_once(work)[0]

    def _at_once(self, *works: Awaitable[Any]) -> list[Any]:
        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*works, return_exceptions=True)

        answers = self.opened.loop.run_until_complete(all_of_them())
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, StoreProblem):
                raise answer
        return [answer.code if isinstance(answer, StoreProblem) else answer for answer in answers]

    def _judge(self, side: int, work: Awaitable[Any], expected: Callable[[], Any]) -> None:
        """The answer is the expected one; a dead replica's is always a refusal, and changes nothing."""
        answer = self._run(work)
        if self.opened.sides[side].dead:
            assert answer == FENCED
        else:
            assert answer == expected()

    def _one_wins(self, answers: Sequence[Any], possible: bool) -> None:
        live = [not side.dead for side in self.opened.sides]
        assert [answer == FENCED for answer in answers] == [not one for one in live]
        assert answers.count(True) == (1 if possible and any(live) else 0)

    def _accept(self, side: int, key: int, begun: bool) -> Awaitable[bool]:
        return self._store(side).accept(intent(self._id(key)), [row(request_id=self._id(key))], begun=begun)

    def _accepted(self, side: int, key: int, begun: bool) -> bool:
        if key in self.model:
            return False
        owner = self.opened.sides[side].epoch if begun else None
        self.model[key] = Request("working" if begun else "new", owner)
        return True

    def _moved(self, side: int, key: int, old: str, new: str) -> bool:
        request = self.model.get(key)
        if request is None or request.state != old:
            return False
        request.state, request.owner = new, self.opened.sides[side].epoch
        return True

    def _can_send(self, key: int, held: bool) -> bool:
        request = self.model.get(key)
        if request is None or request.state not in ("working", "waiting"):
            return False
        return not held or request.hold == "approved"

    def _send(self, side: int, key: int, held: bool) -> Awaitable[bool]:
        entry = row(Event.SENT, self._id(key))
        hold = self._hold(key) if held else None
        return self._store(side).sending(self._id(key), operation(self._id(key)), entry, NOW, pending_id=hold)

    def _sent(self, side: int, key: int, held: bool) -> bool:
        if not self._can_send(key, held):
            return False
        request = self.model[key]
        request.state, request.owner = "sending", self.opened.sides[side].epoch
        request.hold = "taken" if held else request.hold
        request.events.append("sent")
        return True

    def _vote(self, side: int, key: int, who: str, choice: str) -> Awaitable[VoteResult]:
        def entries(result: VoteResult) -> Sequence[AuditEntry]:
            return [row(Event.APPROVED if choice == "approve" else Event.REJECTED, self._id(key), user_id=who)]

        return self._store(side).vote(self._hold(key), ballot(who, choice), entries, needed=2, now=after(1))

    def _expected_vote(self, key: int, who: str, choice: str) -> tuple[bool, bool]:
        """Whether it is counted, and whether it decides."""
        request = self.model.get(key)
        if request is None or request.hold != "open" or who in request.voters:
            return False, False
        return True, choice == "deny" or len(request.voters) == 1

    def _voted(self, key: int, who: str, answer: VoteResult) -> None:
        if not answer.counted:
            return
        request = self.model[key]
        request.voters.add(who)
        request.events.append("approved" if answer.votes[-1].vote == "approve" else "rejected")
        request.hold = answer.state


@pytest.mark.timeout(0 if HISTORIES else 120)
def test_two_replicas_on_one_database_are_as_the_model_says(database_url: str) -> None:
    """As many histories as SIGNALBOX_HISTORIES says, else a few that are always the same."""
    opened = TwoReplicas.opened = Opened(database_url)
    try:
        run_state_machine_as_test(
            TwoReplicas,
            settings=settings(
                max_examples=int(HISTORIES or 20),
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=HISTORIES is None,
                database=None,
                print_blob=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        opened.close()
