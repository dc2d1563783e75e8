"""A chart as a value: bars of numbers with their labels. render/ draws it or writes it as text."""

from __future__ import annotations

from typing import Final

from bot.core.value import Value

MOST_POINTS: Final = 20
MOST_SERIES: Final = 6


class Series(Value):
    """One number for each label of the chart; 0 where it has none."""

    name: str
    values: tuple[float, ...]


class Chart(Value):
    """A bar chart, its labels in reading order. `unit` is what the numbers count, `about` what the labels are.

    `words` says in one sentence what the chart shows, for people and places without pictures. `beside` is the column of the
    card's table with the same numbers, in rows that begin with the labels: without pictures, each gets a bar.
    """

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    about: str = ""
    words: str = ""
    beside: str = ""

    @property
    def totals(self) -> dict[str, float]:
        """The sum of all series at each label."""
        return {label: sum(one.values[at] for one in self.series) for at, label in enumerate(self.labels)}
