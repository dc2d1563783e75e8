"""Every fault that the simulated plane can play, on a read and on a change."""

from __future__ import annotations

from typing import Any

import pytest

from bot.backends.informatica.models import Agent, Status
from bot.backends.informatica.states import ENDED, SERVICE, judge, named, newest
from bot.core.outcome import Phase
from bot.playground.planes.informatica import InformaticaPlane
from tests.backends.kit import Joined
from tests.backends.problems import WHOLE, WHOLE_IDS

from .conftest import SERVER


@pytest.mark.parametrize(("fault", "problem"), WHOLE, ids=WHOLE_IDS)
async def test_a_read_ends_in_the_right_problem(
    infa: Joined, plane: InformaticaPlane, fault: dict[str, Any], problem: type[Exception]
) -> None:
    """Nothing is made up from a broken answer."""
    operation = await infa.operation("status infa:agent/eu-1")
    await plane.set_fault(fault)
    with pytest.raises(problem):
        await infa.run(operation)


@pytest.mark.parametrize(("fault", "problem"), WHOLE, ids=WHOLE_IDS)
async def test_a_change_ends_in_the_right_problem_and_is_sent_once(
    infa: Joined, plane: InformaticaPlane, fault: dict[str, Any], problem: type[Exception]
) -> None:
    """A stop is never sent twice, whatever comes back."""
    operation = await infa.operation(f'stop infa:eu-1/"{SERVER}"')
    matched = fault if fault["fault"] == "refuse" else {**fault, "match": "agent/service"}
    await plane.set_fault(matched)
    before = len(plane.requests)
    with pytest.raises(problem):
        await infa.run(operation)
    sent = [one for one in plane.requests[before:] if one.raw_path.endswith("agent/service")]
    assert len(sent) == (0 if fault["fault"] == "refuse" else 1)


async def test_401_once_is_healed_for_a_read(infa: Joined, plane: InformaticaPlane) -> None:
    """A session that ended costs one more login and nothing else."""
    operation = await infa.operation("status infa:agent/eu-1")
    await plane.set_fault({"fault": "401_once"})
    assert (await infa.run(operation)).kind == "done"
    assert plane.logins == 2


async def test_health_names_what_is_wrong(infa: Joined, plane: InformaticaPlane) -> None:
    """Away or well, health is an answer and never an exception."""
    good = await infa.backend.health()
    assert (good.ok, good.summary) == (True, "infa answers; 1 of 2 agents are active.")
    await plane.set_fault({"fault": "html"})
    bad = await infa.backend.health()
    assert (bad.ok, "web page" in bad.summary) == (False, True)


def test_all_eleven_states_have_words() -> None:
    """The page's table, and UNREADABLE for anything else."""
    assert len(SERVICE) == 11
    assert named(SERVICE, "RUNNING") == ("running and ready for jobs", Phase.SUCCEEDED)
    assert named(SERVICE, "PAUSED") == ("unknown (PAUSED)", Phase.UNREADABLE)
    assert named(ENDED, 9) == ("unknown (9)", Phase.UNREADABLE)


def _agent(*states: tuple[str, str, str], active: bool = True) -> Agent:
    engines = [
        {"agentEngineStatus": {"appDisplayName": "S", "status": state, "subState": sub, "appversion": version}}
        for state, sub, version in states
    ]
    return Agent.model_validate({"id": "1", "name": "a", "active": active, "agentEngines": engines})


@pytest.mark.parametrize("state", sorted(SERVICE))
def test_what_each_state_means_for_a_start(state: str) -> None:
    """Only RUNNING with sub-state 0 ends a start well; ERROR and USER_STOPPED end it once they are not of before."""
    ends = {"RUNNING": Phase.SUCCEEDED, "ERROR": Phase.FAILED, "USER_STOPPED": Phase.STOPPED}
    agent = _agent((state, "0", "1"))
    settled = judge("start", agent, "S", elapsed=60, limit=300).phase
    fresh = judge("start", agent, "S", elapsed=1, limit=300).phase
    assert settled is ends.get(state, settled)
    assert settled.ended is (state in ends)
    assert fresh.ended is (state == "RUNNING")


@pytest.mark.parametrize("state", sorted(SERVICE))
def test_what_each_state_means_for_a_stop(state: str) -> None:
    """Only USER_STOPPED, or not being listed by an active agent, ends a stop; at the limit the last state is told."""
    agent = _agent((state, "0", "1"))
    assert judge("stop", agent, "S", elapsed=60, limit=300).phase.ended is (state == "USER_STOPPED")
    late = judge("stop", agent, "S", elapsed=301, limit=300)
    assert late.phase is (Phase.SUCCEEDED if state == "USER_STOPPED" else Phase.FAILED)


def test_all_versions_must_stop_and_the_latest_must_start() -> None:
    """Of several listed versions, a start looks at the latest and a stop at all."""
    two = _agent(("USER_STOPPED", "0", "70.0.9"), ("RUNNING", "0", "70.0.10"))
    assert judge("stop", two, "S", elapsed=60, limit=300).phase is Phase.ACTIVE
    assert judge("start", two, "S", elapsed=60, limit=300).phase is Phase.SUCCEEDED
    versions = [Status.model_validate({"appDisplayName": "S", "appversion": text}) for text in ("9.2", "10.1", "10.0")]
    assert newest(versions).appversion == "10.1"
