"""Maps each kind of control plane to its plugin, which is found by the folder's name. Only this module loads plugins."""

import importlib
import pkgutil
import re
from functools import cache
from typing import Final

from bot.core.command.capability import KindSpec
from bot.core.command.catalog import Catalog
from bot.core.file_faults import did_you_mean
from bot.core.ports.plugin import Plugin

_PACKAGE = "bot.backends"
_NAME: Final = re.compile(r"\b([a-z][a-z0-9_-]*):")


class UnknownKind(ValueError):
    """No folder under backends/ has that name."""


def kinds() -> tuple[str, ...]:
    """Every kind that can be configured, sorted."""
    return _kinds_in(*importlib.import_module(_PACKAGE).__path__)


@cache
def _kinds_in(*folders: str) -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders) if module.ispkg))


def load(kind: str) -> Plugin:
    """The plugin of one kind. Raises UnknownKind, which names the near one or the kinds that exist."""
    if kind not in kinds():
        raise UnknownKind(f'kind = "{kind}" is unknown{did_you_mean(kind, kinds())}')
    plugin = importlib.import_module(f"{_PACKAGE}.{kind}").PLUGIN
    if not isinstance(plugin, Plugin):
        raise TypeError(f"{_PACKAGE}.{kind}.PLUGIN is not a Plugin")
    return plugin


def all_specs() -> tuple[KindSpec, ...]:
    """The capabilities of every kind of control plane, by kind."""
    return tuple(load(kind).spec for kind in kinds())


def usual_name(spec: KindSpec) -> str:
    """The default name of a backend of this kind, as the examples of its capabilities use it."""
    for row in spec.capabilities:
        found = _NAME.search(row.example)
        if found is not None:
            return found.group(1)
    return spec.kind


def catalog_of_all_kinds() -> Catalog:
    """One backend of every kind under its default name."""
    return Catalog({usual_name(spec): spec for spec in all_specs()})
