"""Long random histories against the model: anybody does anything, the world moves, the process dies anywhere.

The suite tells a few hundred of them, always the same ones. With SIGNALBOX_HISTORIES=100000 in the environment
`pytest tests/proof/test_random_histories.py` tells that many new ones; expect about an hour on one core.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.proof.model import Is, Policy, State
from tests.proof.play import Play, Step, members

ANA, LEE, RUI = "U0ANA", "U0LEE", "U0RUI"
EVERYBODY: Final = (ANA, LEE, RUI)
HISTORIES: Final = os.environ.get("SIGNALBOX_HISTORIES")
STEPS: Final = 10

people = st.sampled_from(EVERYBODY)
groups = st.one_of(st.none(), st.frozensets(people))
aliases = st.sampled_from([(), (), (), ((LEE, ANA),), ((LEE, RUI),), ((RUI, LEE), (LEE, ANA))])
acts = st.builds(
    Step, st.sampled_from(["approve", "approve", "approve", "old approve", "deny", "claim", "cancel"]), people
)
edits = st.one_of(
    st.just(()),
    st.sampled_from([(("allowed", False),), (("allowed", True),), (("count", 1),), (("count", 2),), (("count", 3),)]),
    st.builds(lambda named: (("named", named),), st.frozensets(people)),
)
moves = st.one_of(
    st.builds(lambda ticks: Step("wait", more=ticks), st.integers(1, 10)),
    st.builds(lambda edit: Step("policy", more=edit), edits),
    st.builds(lambda group: Step("group", more=group), groups),
    st.builds(lambda who, status: Step("become", who, status), people, st.sampled_from(list(Is))),
    st.just(Step("drift")),
    st.just(Step("crash")),
)


class Histories(RuleBasedStateMachine):
    """One history: a world, a request, and what follows."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.play: Play | None = None

    @initialize(
        count=st.integers(1, 2),
        group=st.frozensets(people, min_size=1),
        named=st.frozensets(people, max_size=1),
        same=aliases,
    )
    def ask(self, count: int, group: frozenset[str], named: frozenset[str], same: tuple[tuple[str, str], ...]) -> None:
        """Ana asks."""
        flat = tuple((one, {LEE: other}.get(other, other)) for one, other in same)
        state = State(
            requester=ANA,
            statuses=members(*EVERYBODY),
            group=group,
            aliases=_resolved(flat),
            policy=Policy(count=count, named=named),
        )
        self.play = Play(state)
        self._run(self._asked(self.play))

    async def _asked(self, play: Play) -> None:
        await play.step(Step("request", ANA))

    @rule(step=acts)
    def act(self, step: Step) -> None:
        """Somebody presses."""
        self._step(step)

    @rule(step=moves)
    def move(self, step: Step) -> None:
        """The world moves."""
        self._step(step)

    @rule(step=st.one_of(acts, moves), after=st.integers(1, 12))
    def die(self, step: Step, after: int) -> None:
        """The process dies within a step, and starts again."""
        self._step(step, after)

    @invariant()
    def called_once_at_most(self) -> None:
        """And never without its row before the call."""
        if self.play is not None:
            calls = len(self.play.team.outside.calls)
            sent = self.play.team.rows("SELECT count(*) AS sent FROM audit WHERE event = 'sent'")[0]["sent"]
            assert calls <= sent <= 1

    def _step(self, step: Step, after: int | None = None) -> None:
        play = self.play
        assert play is not None
        if play.shown:
            self._run(play.step(step, dies_after=after))

    def _run(self, work: object) -> None:
        self.loop.run_until_complete(work)  # type: ignore[arg-type]

    def teardown(self) -> None:
        """The world ends."""
        if self.play is not None:
            self.play.team.close()
        self.loop.close()


def _resolved(aliases: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    known = dict(aliases)

    def last(who: str) -> str:
        return last(known[who]) if who in known else who

    return tuple((one, last(one)) for one in known)


@pytest.mark.timeout(0 if HISTORIES else 120)
def test_random_histories_are_as_the_model_says() -> None:
    """As many as SIGNALBOX_HISTORIES says, else 250 that are always the same."""
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=int(HISTORIES or 250),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=HISTORIES is None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
