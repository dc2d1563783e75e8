"""States of services, running jobs and ended jobs in words, and the progress of a start or a stop of a service.

What is not documented is `unknown (X)`, never a success.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.backends import unknown
from bot.backends.informatica.models import Agent, Status
from bot.backends.informatica.targets import Goal
from bot.core.outcome import Level, Phase, State

# SEED: the table of the page "Secure Agent services". Which states are transitional is inferred from their texts.
SERVICE: Final[Mapping[str, tuple[str, Phase]]] = {
    "NEED_RUNNING": ("start initiated", Phase.WAITING),
    "NEED_STOP": ("stop initiated", Phase.WAITING),
    "DEPLOYING": ("being provisioned", Phase.ACTIVE),
    "DEPLOYED": ("provisioned, will be running soon", Phase.ACTIVE),
    "UNKNOWN": ("in a state that Informatica doesn't know", Phase.UNREADABLE),
    "ERROR": ("in an error state", Phase.FAILED),
    "STARTING": ("starting up", Phase.ACTIVE),
    "RUNNING": ("running and ready for jobs", Phase.SUCCEEDED),
    "RESTARTING": ("restarting, will be running soon", Phase.ACTIVE),
    "STOPPING": ("shutting down", Phase.ACTIVE),
    "USER_STOPPED": ("stopped by a user", Phase.STOPPED),
}
# DOC activityMonitor: the whole list of executionState.
RUNNING: Final[Mapping[str, tuple[str, Phase]]] = {
    "QUEUED": ("queued", Phase.WAITING),
    "INITIALIZED": ("initialized", Phase.WAITING),
    "RUNNING": ("running", Phase.ACTIVE),
    "STOPPING": ("stopping", Phase.ACTIVE),
    "COMPLETED": ("completed", Phase.SUCCEEDED),
    "FAILED": ("failed", Phase.FAILED),
}
# DOC activityLog: completed successfully, completed with errors, failed to complete. Completed with errors counts as failed.
ENDED: Final[Mapping[str, tuple[str, Phase]]] = {
    "1": ("completed", Phase.SUCCEEDED),
    "2": ("completed with errors", Phase.FAILED),
    "3": ("failed", Phase.FAILED),
}
LEVELS: Final[Mapping[Phase, Level]] = {
    Phase.WAITING: Level.WORKING,
    Phase.ACTIVE: Level.WORKING,
    Phase.SUCCEEDED: Level.GOOD,
    Phase.FAILED: Level.BAD,
    Phase.STOPPED: Level.WARN,
    Phase.UNREADABLE: Level.UNSURE,
}
NOT_LISTED: Final = "not listed"
# GUESS: right after the call the details may still show the old state, so a bad state counts only after this time.
_SETTLING: Final = 15.0


def named(table: Mapping[str, tuple[str, Phase]], state: str | int | None) -> tuple[str, Phase]:
    """The words and the phase of a state."""
    return table.get(str(state), (unknown(state), Phase.UNREADABLE))


def service_words(status: Status) -> tuple[str, Phase]:
    """A listed service; RUNNING counts as up only with subState "0", "-1" is still initialising (CODE iics-cli)."""
    words, phase = named(SERVICE, status.status)
    if status.status != "RUNNING" or status.sub_state == "0":
        return words, phase
    sub = "none" if status.sub_state is None else status.sub_state[:20]
    return f"running, still initialising (sub-state {sub})", Phase.ACTIVE


def newest(statuses: Sequence[Status]) -> Status:
    """The latest of the listed versions of a service."""

    def age(one: Status) -> tuple[list[int], str]:
        return [int(part) for part in re.findall(r"\d{1,9}", one.appversion or "")], one.create_time or ""

    return max(statuses, key=age)


def of_service(agent: Agent, name: str) -> list[Status]:
    """The listed versions of one service."""
    return [status for status in agent.services if status.app_display_name == name]


def service_state(agent: Agent, name: str) -> State:
    """The state of a service now. It is known only from the list of an active agent."""
    statuses = of_service(agent, name)
    words, phase = service_words(newest(statuses)) if statuses else (NOT_LISTED, Phase.STOPPED)
    if agent.unseen:
        last = f"; last listed as {words}" if statuses else ""
        return State(text=f"not known, because {agent.unseen}{last}", level=Level.UNSURE if agent.active else Level.BAD)
    return State(text=words, level=Level.UNSURE if not statuses and agent.unnamed else LEVELS[phase])


def agent_state(agent: Agent, unlisted: Collection[str] = ()) -> State:
    """An agent by its own flags and by the worst of its services. `unlisted` are services that it listed before: they are
    stopped, unless its list can't be read completely."""
    if not agent.active:
        return State(text="not active", level=Level.BAD)
    levels = {LEVELS[service_words(one)[1]] for one in agent.services}
    levels |= {Level.UNSURE} if agent.unnamed or agent.unseen else {LEVELS[Phase.STOPPED]} if unlisted else set()
    worst = next((one for one in (Level.BAD, Level.UNSURE, Level.WARN, Level.WORKING) if one in levels), Level.GOOD)
    if not agent.ready_to_run:
        return State(text="active, not ready to run jobs", level=Level.BAD if worst is Level.BAD else Level.WARN)
    return State(text="active", level=worst)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A state in words, the phase of the start or stop, and an optional message."""

    state: str
    phase: Phase
    message: str = ""


def judge(goal: Goal, agent: Agent, name: str, *, elapsed: float, limit: float) -> ServiceState:
    """The progress of a start or a stop; `elapsed` is seconds since the call, `limit` seconds until following ends.

    CODE iics-cli: a start is finished with RUNNING and subState "0", a stop when the service is no longer listed or
    USER_STOPPED; it polls up to 300 s.
    """
    statuses = of_service(agent, name)
    if agent.unseen:
        current = ServiceState(
            f"not known, because {agent.unseen}", Phase.WAITING if goal == "start" else Phase.UNREADABLE
        )
    else:
        current = _start(statuses, elapsed) if goal == "start" else _stop(agent, statuses)
    if current.phase.ended or elapsed <= limit:
        return current
    wanted = "up" if goal == "start" else "down"
    return ServiceState(
        f"not {wanted} in time; last known: {current.state}",
        Phase.FAILED,
        f"It is not {wanted} after {limit:g} s and is no longer followed. Check with `status`; it may still get there.",
    )


def _start(statuses: Sequence[Status], elapsed: float) -> ServiceState:
    if not statuses:
        return ServiceState(NOT_LISTED, Phase.WAITING)
    words, phase = service_words(newest(statuses))
    if phase in (Phase.FAILED, Phase.STOPPED) and elapsed < _SETTLING:
        return ServiceState(words, Phase.ACTIVE)
    return ServiceState(
        words, phase, "A user stopped it, or the start didn't take effect." if phase is Phase.STOPPED else ""
    )


def _stop(agent: Agent, statuses: Sequence[Status]) -> ServiceState:
    left = [status for status in statuses if status.status != "USER_STOPPED"]
    if left:
        words, phase = service_words(newest(left))
        return ServiceState(words, Phase.UNREADABLE if phase is Phase.UNREADABLE else Phase.ACTIVE)
    if statuses:
        return ServiceState("stopped by a user (USER_STOPPED)", Phase.SUCCEEDED)
    if agent.unnamed:
        return ServiceState("not listed by its name, but the agent lists a service without a name", Phase.UNREADABLE)
    return ServiceState("stopped (no longer listed)", Phase.SUCCEEDED)
