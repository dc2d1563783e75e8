"""Five simulated control planes: an outside world that speaks HTTP on 127.0.0.1.

`demo.demo_planes(clock)` makes the five of the demo; each is also usable by itself, for example
`async with SequentumPlane("acc") as acc`.
"""

from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.planes.informatica import InformaticaPlane
from bot.playground.planes.itential import ItentialPlane
from bot.playground.planes.prefactor import PrefactorPlane
from bot.playground.planes.resilio import ResilioPlane
from bot.playground.planes.sequentum import SequentumPlane

__all__ = [
    "InformaticaPlane",
    "ItentialPlane",
    "Plane",
    "PlaneClock",
    "PrefactorPlane",
    "ResilioPlane",
    "SequentumPlane",
    "demo_planes",
]
