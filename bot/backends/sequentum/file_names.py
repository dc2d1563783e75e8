"""File names as labels: a name from the vendor or a person never becomes a path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bot.core.errors import BadRequest

_UNSAFE: Final = re.compile(r"[^\w.() -]+")
LONGEST: Final = 100
_PLAIN: Final = re.compile(rf"[^\s.\x00-\x1f\x7f/\\\"'<>:|?*][^\x00-\x1f\x7f/\\\"'<>:|?*]{{0,{LONGEST - 1}}}")
_DEVICES: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")


def label_of(name: str, usual: str = "file") -> str:
    """The last part of a name with harmless characters only; `usual` if nothing is left."""
    last = re.split(r"[/\\]", name.replace("\x00", ""))[-1]
    label = _UNSAFE.sub("_", last).strip(" .")[-LONGEST:]
    return usual if not label.strip("._ ") or _DEVICES.match(label) else label


def input_name(name: str, endings: tuple[str, ...]) -> str:
    """A name for an input file; raises BadRequest for another form of name or another ending."""
    if not _PLAIN.fullmatch(name) or _DEVICES.match(name):
        raise BadRequest(f"`{name[:80]}` is not a plain file name.")
    if not name.lower().endswith(endings):
        raise BadRequest(f"`{name}` must end in {' or '.join(endings)}.")
    return name


def discard(path: str) -> None:
    """Delete a spool file that is no longer needed."""
    Path(path).unlink(missing_ok=True)
