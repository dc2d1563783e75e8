"""Parameters that several control planes have, and short forms for the others."""

from __future__ import annotations

from typing import Final

from bot.core.command.params import Param, ParamType


def text(
    name: str, help: str, example: str | None = None, *, default: str | None = None, required: bool = False
) -> Param:
    """A text."""
    return Param(name=name, type=ParamType.TEXT, help=help, example=example, default=default, required=required)


def items(name: str, help: str, example: str = "a,b") -> Param:
    """A list of texts."""
    return Param(name=name, type=ParamType.LIST, help=help, example=example)


def mapping(name: str, help: str, example: str) -> Param:
    """Texts by key."""
    return Param(name=name, type=ParamType.MAP, help=help, example=example)


def flag(name: str, help: str, default: bool | None = None) -> Param:
    """True or false."""
    return Param(name=name, type=ParamType.BOOLEAN, help=help, default=default)


def choice(
    name: str, choices: tuple[str, ...], help: str, default: str | None = None, *, required: bool = False
) -> Param:
    """One of the given words."""
    return Param(name=name, type=ParamType.CHOICE, choices=choices, help=help, default=default, required=required)


def number(
    name: str, help: str, minimum: int, maximum: int | None = None, default: int | None = None, unit: str | None = None
) -> Param:
    """A whole number between the bounds."""
    return Param(
        name=name, type=ParamType.INTEGER, help=help, minimum=minimum, maximum=maximum, default=default, unit=unit
    )


def count(unit: str, default: int, most: int = 100, help: str = "How many of the latest to show") -> Param:
    """How many rows of a list to show."""
    return number("count", help, 1, most, default, unit)


TAIL: Final = number("tail", "How many of the last lines to show", 0, 200, 20, "lines")
GREP: Final = text("grep", "Show the lines that contain this text")


def pause(again: str) -> tuple[Param, Param]:
    """`for=` and `until=` of a pause. `again` is what happens at its end: `Resume`."""
    return (
        Param(
            name="for", type=ParamType.DURATION, unit="s", help=f"{again} automatically after this time", example="2h"
        ),
        Param(name="until", type=ParamType.UNTIL, help=f"{again} automatically at this time", example="Mon 07:00"),
    )
