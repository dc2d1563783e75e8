"""Refuses parameters that can't work, before anything is decided, written to the audit log, or sent."""

from __future__ import annotations

from bot.core.command.arguments import Arguments, map_of
from bot.core.errors import BadRequest


def tags(asked: Arguments) -> None:
    """Raises BadRequest if no tag is given."""
    if not map_of(asked, "*"):
        raise BadRequest("Name a tag and its value.", "For example: `tag res: SITE=berlin`.", "missing_parameter")
