"""Every history up to a length, each step done once from each state that differs: explicit-state model checking.

Histories are merged where everything that the future can depend on is equal (`Play.print_of`), two people in the same part are
told apart only once one of them acted, and what only changes the world is not done as the last step, where nobody would
see it. A press of the first button is the same step as one of the shown button where both are the same. `Map.histories` counts
the histories that the map stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tests.proof.play import ENDED, DifferenceError, Play, Step

WORLD = ("policy", "group", "become", "drift")
LATE = ("approve", "old approve", "deny", "cancel", "crash", "wait")

Spot = tuple[str, bool]
END: Spot = ("", False)  # after the last step: where it led is compared and nothing follows, so it isn't told apart


class Map:
    """What was found: from each spot, where each step leads. `differences` are histories where program and model part."""

    def __init__(self, letters: Sequence[Step], twins: tuple[str, str]) -> None:
        self.letters = tuple(letters)
        self.twins = twins
        self.steps = 0
        self.differences: list[str] = []
        self._walked: dict[Spot, int] = {}
        self._leads: dict[Spot, dict[Step, Spot]] = {}

    async def walk(self, play: Play, left: int, told_apart: bool = False) -> Spot:
        """Do every step from here, as deep as `left`."""
        if left == 0:
            return END
        spot = (play.print_of(), told_apart)
        if self._walked.get(spot, -1) >= left:
            return spot
        self._walked[spot] = left
        leads: dict[Step, Spot] = {}
        for step in self.letters:
            if not self._makes_sense(step, play, left, told_apart):
                continue
            if (same := play.plain(step)) in leads:
                leads[step] = leads[same]
                continue
            mark = play.mark()
            try:
                self.steps += 1
                await play.step(step)
                leads[step] = await self.walk(play, left - 1, told_apart or step.who == self.twins[0])
            except DifferenceError as difference:
                self.differences.append(str(difference))
            finally:
                play.back(mark)
        self._leads[spot] = leads
        return spot

    def _makes_sense(self, step: Step, play: Play, left: int, told_apart: bool) -> bool:
        if step.who == self.twins[1] and not told_apart:
            return False
        if step.what in WORLD:
            return left > 1 and play.state.now not in ENDED
        return play.state.now not in ENDED or step.what in LATE

    @property
    def states(self) -> int:
        """How many differ, of those from which something was done."""
        return len(self._walked)

    def histories(self, spot: Spot, left: int) -> int:
        """How many histories of at most `left` further steps were told from there."""

        @cache
        def count(env: Spot, still: int) -> int:
            if still == 0:
                return 1
            return 1 + sum(count(there, still - 1) for there in self._leads.get(env, {}).values())

        return count(spot, left)
