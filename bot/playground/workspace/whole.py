"""What is served of the workspace, as the server and the page's JSON see it; the workspace that starts them is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .core import Core
from .person import Person
from .state import StoredFile


class Whole(Protocol):
    """The state, the people to act as, and what stands beside it."""

    core: Core

    @property
    def team_id(self) -> str: ...
    @property
    def connected(self) -> int: ...
    @property
    def files(self) -> Mapping[str, StoredFile]: ...
    @property
    def planes(self) -> Mapping[str, Any]: ...
    def person(self, user_id: str) -> Person: ...
