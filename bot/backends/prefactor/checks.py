"""What the words alone tell to be impossible: refused before anything is decided, registered as sent, or sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.core.command.arguments import Arguments
from bot.core.command.params import Param
from bot.core.errors import BadRequest


def any_of(params: Sequence[Param]) -> Callable[[Arguments], None]:
    """A check that raises BadRequest when none of these is given."""
    names = ", ".join(f"`{param.name}=`" for param in params)

    def check(asked: Arguments) -> None:
        if not asked.given:
            raise BadRequest(f"Say what to change: {names}.", code="missing_parameter")

    return check
