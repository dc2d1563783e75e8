"""Small laws of English that every sentence of the program keeps."""

from __future__ import annotations


def plural(number: int, unit: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number} {unit}" if number == 1 else f"{number:,} {unit}s"


def sentences(*parts: str) -> str:
    """The parts that say something, one after the other, each closed by a point unless it ends as a sentence does.

    How a part begins is its own business: it may be a name.
    """
    return " ".join(_closed(part.strip()) for part in parts if part.strip())


def _closed(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", ".)", ".”")) else f"{text}."


def no_line(words: str) -> str:
    """What is said of a log that was searched in vain."""
    return f"No line contains “{words}”."
