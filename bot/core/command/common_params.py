"""Parameters that mean the same on every control plane that has them."""

from __future__ import annotations

from typing import Final

from bot.core.command.params import Param, ParamType

TAIL: Final = Param(
    name="tail",
    type=ParamType.INTEGER,
    default=20,
    minimum=0,
    maximum=200,
    unit="lines",
    help="How many of the last lines to show",
)
GREP: Final = Param(name="grep", type=ParamType.TEXT, help="Show the lines that contain this text")


def pause(again: str) -> tuple[Param, Param]:
    """`for=` and `until=` of a pause. `again` is what happens at its end: `Resume`."""
    return (
        Param(
            name="for", type=ParamType.DURATION, unit="s", help=f"{again} automatically after this time", example="2h"
        ),
        Param(name="until", type=ParamType.UNTIL, help=f"{again} automatically at this time", example="Mon 07:00"),
    )
