"""The data that a target carries in its `group` next to its id. The pipeline keeps it and returns it on every poll.

A service has no id of its own: it is the agent's federated id and the display name. The v2 id of its agent is needed to
read it, and a followed start or stop must know which of the two it is and when it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from bot.core.errors import BadReply
from bot.core.operation import Target

Goal = Literal["start", "stop"]
_GOALS: Final[dict[str, Goal]] = {"start": "start", "stop": "stop"}


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """`v2` is the agent's id for v2 paths; `goal` and `since` (UTC) stand for a start or stop under way."""

    v2: str
    goal: Goal | None = None
    since: datetime | None = None

    @property
    def group(self) -> str:
        """`V2` or `V2|start|SECONDS`."""
        if self.goal is None or self.since is None:
            return self.v2
        return f"{self.v2}|{self.goal}|{int(self.since.timestamp())}"

    @classmethod
    def of(cls, group: str) -> ServiceKey:
        """The key in a `group`; raises BadReply for a value that this program didn't write."""
        v2, _, rest = group.partition("|")
        goal, _, since = rest.partition("|")
        if not rest:
            return cls(v2)
        if goal not in _GOALS or not since.isdigit():
            raise BadReply("The stored data of the followed run can't be read.")
        return cls(v2, _GOALS[goal], datetime.fromtimestamp(int(since), UTC))


@dataclass(frozen=True, slots=True)
class TaskKey:
    """`type` is the vendor's task type; `v2` the task's id for v2 calls, empty while unknown; `run` the run followed."""

    type: str
    v2: str = ""
    run: int | None = None
    since: datetime | None = None

    @property
    def group(self) -> str:
        """`TYPE|V2` or `TYPE|V2|RUN|SECONDS`."""
        head = f"{self.type}|{self.v2}"
        if self.run is None or self.since is None:
            return head
        return f"{head}|{self.run}|{int(self.since.timestamp())}"

    @classmethod
    def of(cls, group: str) -> TaskKey:
        """The key in a `group`; raises BadReply for a value that this program didn't write."""
        parts = group.split("|")
        if len(parts) == 2:
            return cls(parts[0], parts[1])
        if len(parts) != 4 or not parts[2].isdigit() or not parts[3].isdigit():
            raise BadReply("The stored data of the followed run can't be read.")
        return cls(parts[0], parts[1], int(parts[2]), datetime.fromtimestamp(int(parts[3]), UTC))


def service_id(federated: str, display_name: str) -> str:
    """The id of a service target."""
    return f"{federated}/{display_name}"


def split_service(target: Target) -> tuple[str, str]:
    """The agent's federated id and the service's display name."""
    federated, _, name = target.id.partition("/")
    return federated, name


def agent_name(target: Target) -> str:
    """The name of a service target's agent, for messages."""
    _, name = split_service(target)
    return target.name.removesuffix(f"/{name}")
