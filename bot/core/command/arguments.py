"""What was asked for in parameters: the one way to read them, before there is a target and when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, overload

from bot.core.value import Json


class HasParams(Protocol):
    """An operation, or what it is made of."""

    @property
    def params(self) -> Mapping[str, Json]:
        """Every parameter by its name, defaults included."""
        ...


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a row's check may look at: nothing of it has to be read from anywhere.

    `given` are the parameters that were written, `params` the same with the defaults, `files` the ids of attached files.
    """

    params: dict[str, Json]
    given: dict[str, Json]
    reason: str | None = None
    files: tuple[str, ...] = ()


def text_of(asked: HasParams, name: str) -> str:
    """A text parameter, stripped; empty when it is not there."""
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
    """A map parameter as names and texts."""
    value = asked.params.get(name)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
