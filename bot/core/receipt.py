"""What a door may tell its person at once."""

from __future__ import annotations

from typing import NamedTuple


class Receipt(NamedTuple):
    """`say` is a sentence for the person, `errors` go to a modal's fields by name; both None means: an empty ack."""

    say: str | None = None
    errors: dict[str, str] | None = None
