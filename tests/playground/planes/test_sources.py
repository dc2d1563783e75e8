"""Every reply of a simulated control plane names the document that it comes from, or that it is a guess."""

from __future__ import annotations

import re

import pytest

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes

SOURCE = re.compile(r"\b(SEED|DOC|CODE|GUESS)\b")


@pytest.mark.parametrize("plane", demo_planes(PlaneClock()), ids=lambda plane: plane.kind)
def test_every_operation_names_its_source(plane: Plane) -> None:
    """The docstring of each handler says where its reply is documented."""
    unmarked = [route.pattern.pattern for route in plane.routes() if not SOURCE.search(route.handler.__doc__ or "")]
    assert unmarked == []
