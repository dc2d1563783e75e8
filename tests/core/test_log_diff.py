"""The difference of two logs."""

from __future__ import annotations

from bot.core.log_diff import difference


def test_a_long_difference_says_how_many_lines_it_leaves_out() -> None:
    """Two header lines and the place are lines too."""
    now = [f"line {'x' * number}" for number in range(100)]
    *shown, last = difference([], now, "run/1", "run/2").splitlines()
    assert len(shown) == 60
    assert last == "... and 43 more lines"
    assert "more line" not in difference([], now[:50], "run/1", "run/2")
