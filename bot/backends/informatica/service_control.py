"""How far a start or a stop of a service is, judged from what the v2 details list.

CODE iics-cli: a start is finished with RUNNING and subState "0", a stop when the service is no longer listed or
USER_STOPPED; it polls up to 300 s. An agent that is not active lists nothing, which proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.backends.informatica.keys import Goal
from bot.backends.informatica.models import Agent, Status
from bot.backends.informatica.states import newest, service_words
from bot.core.outcome import Phase

# GUESS: right after the call the details may still show the state of before, so an unwelcome one counts only after this.
SETTLING: Final = 15.0
NOT_LISTED: Final = "not listed"


@dataclass(frozen=True, slots=True)
class Sight:
    """State in words, where that leaves the movement, and a sentence where one is needed."""

    state: str
    phase: Phase
    message: str = ""


def of_service(agent: Agent, name: str) -> list[Status]:
    """The listed versions of one service."""
    return [status for status in agent.services if status.app_display_name == name]


def judge(goal: Goal, agent: Agent, name: str, *, elapsed: float, limit: float) -> Sight:
    """`elapsed` and `limit` are seconds since the call and until following ends."""
    statuses = of_service(agent, name)
    sight = _start(agent, statuses, elapsed) if goal == "start" else _stop(agent, statuses)
    if sight.phase.ended or elapsed <= limit:
        return sight
    wanted = "up" if goal == "start" else "down"
    return Sight(
        f"not {wanted} in time, last known: {sight.state}",
        Phase.FAILED,
        f"It is not {wanted} after {limit:g} s and is no longer followed. It may still get there: look with `status`.",
    )


def _start(agent: Agent, statuses: Sequence[Status], elapsed: float) -> Sight:
    if not statuses:
        return Sight(NOT_LISTED if agent.active else "not listed, for the agent is not active", Phase.WAITING)
    latest = newest(statuses)
    words, phase = service_words(latest)
    if phase in (Phase.FAILED, Phase.STOPPED) and elapsed < SETTLING:
        return Sight(words, Phase.ACTIVE)
    if phase is Phase.STOPPED:
        return Sight(words, phase, "Somebody stopped it, or the start did not take.")
    return Sight(words, phase)


def _stop(agent: Agent, statuses: Sequence[Status]) -> Sight:
    left = [status for status in statuses if status.status != "USER_STOPPED"]
    if left:
        words, phase = service_words(newest(left))
        still = Phase.UNREADABLE if phase is Phase.UNREADABLE else Phase.ACTIVE
        return Sight(words, still)
    if statuses:
        return Sight("stopped by a user (USER_STOPPED)", Phase.SUCCEEDED)
    if agent.active:
        return Sight("stopped (no longer listed)", Phase.SUCCEEDED)
    return Sight("not listed, for the agent is not active", Phase.UNREADABLE)
