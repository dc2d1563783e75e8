"""A small catalog for tests of the words: the ACC's own rows, and a made-up kind whose backend is a target itself."""

from __future__ import annotations

from bot.backends.sequentum import PLUGIN
from bot.core.command.capability import KindSpec, Risk, TargetKind
from bot.core.command.catalog import Catalog
from bot.core.command.params import Param, ParamType
from tests.rows import row

LEVERS = KindSpec(
    kind="levers",
    title="Levers",
    targets=(
        TargetKind(name="lever", prefix=None, help="A lever, by its name", example="box:1/Points"),
        TargetKind(name="box", prefix="box", help="The box", example="box:box/1"),
    ),
    capabilities=(
        row("stop", "lever", Risk.DANGER, idempotent=False),
        row("tag", "lever", params=(Param(name="*", type=ParamType.MAP, help="any name"),)),
    ),
)
CATALOG = Catalog({"acc": PLUGIN.spec, "acc-prod": PLUGIN.spec, "box": LEVERS})
