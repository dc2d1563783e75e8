"""The parameters of a request: one way to read them, both before the target is resolved and at dispatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, overload

from bot.core.value import Json


class HasParams(Protocol):
    """An operation, or the arguments that it is made from."""

    @property
    def params(self) -> Mapping[str, Json]:
        """All parameters by name, defaults included."""
        ...


@dataclass(frozen=True, slots=True)
class Arguments:
    """The input of a capability's `check`. Nothing in it needs I/O.

    `given` are the parameters that were typed, `params` the same with defaults, `files` the ids of attached files.
    """

    params: dict[str, Json]
    given: dict[str, Json]
    reason: str | None = None
    files: tuple[str, ...] = ()


def text_of(asked: HasParams, name: str) -> str:
    """A text parameter, stripped; empty when absent."""
    value = asked.params.get(name)
    return value.strip() if isinstance(value, str) else ""


@overload
def number_of(asked: HasParams, name: str) -> int | None: ...
@overload
def number_of(asked: HasParams, name: str, default: int) -> int: ...
def number_of(asked: HasParams, name: str, default: int | None = None) -> int | None:
    """A whole number or a duration in seconds."""
    value = asked.params.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag_of(asked: HasParams, name: str) -> bool:
    """A boolean parameter; absent is false."""
    return asked.params.get(name) is True


def map_of(asked: HasParams, name: str) -> dict[str, str]:
    """A map parameter as text by name."""
    value = asked.params.get(name)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
