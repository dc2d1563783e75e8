"""One measurement: `(name, value, unit, bar)`. A bar is `< 2` or `> 1000`, or empty when nothing is promised."""

from __future__ import annotations

import math
from collections.abc import Sequence

Measure = tuple[str, float, str, str]


def held(measure: Measure) -> bool | None:
    """Whether the value is within its bar; None when it has none."""
    _, value, _, bar = measure
    if not bar:
        return None
    side, _, number = bar.partition(" ")
    return value < float(number) if side == "<" else value > float(number)


def line(measure: Measure) -> str:
    """The measurement as a line of the report."""
    name, value, unit, bar = measure
    verdict = {None: "", True: f"  bar {bar}: held", False: f"  bar {bar}: MISSED"}[held(measure)]
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"  {name:<66} {shown:>9} {unit}{verdict}"


def percentile(times: Sequence[float], percent: float) -> float:
    """The value that `percent` of `times` do not exceed (nearest rank); `times` is not empty."""
    ordered = sorted(times)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
