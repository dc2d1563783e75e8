"""Kind of control plane -> its plugin, found by name of the folder; the only place that loads one."""

from __future__ import annotations

import importlib
import pkgutil

from bot.core.plugin import Plugin

_PACKAGE = "bot.backends"


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
