"""Kind of control plane -> its plugin, found by name of the folder; the only place that loads one."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Final

from bot.core.command.capability import BackendRows
from bot.core.command.catalog import Catalog
from bot.core.ports.plugin import Plugin

_PACKAGE = "bot.backends"
_NAME: Final = re.compile(r"\b([a-z][a-z0-9_-]*):")


class UnknownKind(ValueError):
    """No folder under backends/ has that name."""


def kinds() -> tuple[str, ...]:
    """Every kind that can be configured, sorted."""
    package = importlib.import_module(_PACKAGE)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg))


def load(kind: str) -> Plugin:
    """The plugin of one kind; raises UnknownKind with the kinds that exist."""
    if kind not in kinds():
        raise UnknownKind(f'kind = "{kind}" is not known; there are: {", ".join(kinds())}')
    plugin = importlib.import_module(f"{_PACKAGE}.{kind}").PLUGIN
    if not isinstance(plugin, Plugin):
        raise TypeError(f"{_PACKAGE}.{kind}.PLUGIN is not a Plugin")
    return plugin


def all_rows() -> tuple[BackendRows, ...]:
    """What every kind of control plane declares, by kind."""
    return tuple(load(kind).rows for kind in kinds())


def usual_name(rows: BackendRows) -> str:
    """The name of a backend of this kind in examples: the one that its rows are written with."""
    for row in rows.capabilities:
        found = _NAME.search(row.example)
        if found is not None:
            return found.group(1)
    return rows.kind


def catalog_of_all_kinds() -> Catalog:
    """One backend of every kind under its usual name."""
    return Catalog({usual_name(rows): rows for rows in all_rows()})
