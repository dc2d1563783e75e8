"""Times in a text, in the zone of its reader: for text that Slack's clients don't adapt."""

import re
from datetime import tzinfo
from typing import Final

from bot.render.block_kit import PIECE, moment_of

INDENT: Final = "    "  # before each line of code in a text


def in_zone(text: str, zone: tzinfo) -> str:
    """The text with its times in that zone, each with the name of the zone. Code, such as the lines of a log or a value to type,
    stays as it is."""

    def local(found: re.Match[str]) -> str:
        if found.group(1) is not None:  # a code span
            return found.group()
        moment = moment_of(found.group())
        clock = "%H:%M:%S" if found.group(2).count(":") > 1 else "%H:%M"
        return found.group() if moment is None else moment.astimezone(zone).strftime(f"%Y-%m-%d {clock} %Z")

    return "\n".join(
        PIECE.sub(local, row) if ("Z" in row or "UTC" in row) and not row.startswith(INDENT) else row
        for row in text.split("\n")
    )
