"""The parts of the workspace that the server and the page's API use; Workspace implements it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .core import Core
from .person import Person
from .state import StoredFile


class Whole(Protocol):
    """The state, the people to act as, and the control planes."""

    core: Core
    processes: Any

    @property
    def team_id(self) -> str: ...
    @property
    def connected(self) -> int: ...
    @property
    def files(self) -> Mapping[str, StoredFile]: ...
    @property
    def planes(self) -> Mapping[str, Any]: ...
    def person(self, user_id: str) -> Person: ...
