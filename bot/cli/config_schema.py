"""JSON Schema of signalbox.toml, for editors that complete and check TOML. The schema of policy.toml is in core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from bot import config, plugins
from bot.core.ports.store import StoreSettings

_REFERENCE: Final = {
    "type": "string",
    "pattern": "^(env:.+|file:.+|keyring:.+/.+)$",
    "description": "A secret is written by reference: env:NAME, file:PATH or keyring:SERVICE/NAME",
}
_SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "slack": config.SlackSettings,
    "store": StoreSettings,
    "policy": config.PolicySettings,
    "time": config.TimeSettings,
    "network": config.NetworkSettings,
}


def config_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the whole file, with one alternative per kind under `backend`."""
    definitions: dict[str, Any] = {}
    properties = {name: _of(model, definitions) for name, model in _SECTIONS.items()}
    slack = properties["slack"]["properties"]
    slack["signing_secret"] = {"anyOf": [_REFERENCE, {"type": "array", "items": _REFERENCE, "minItems": 1}]}
    kinds = []
    for kind in plugins.kinds():
        table = _of(plugins.load(kind).settings, definitions)
        table["properties"]["kind"] = {"const": kind}
        kinds.append(table)
    properties["backend"] = {"type": "array", "items": {"anyOf": kinds}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signalbox configuration",
        "type": "object",
        "additionalProperties": False,
        "required": ["slack"],
        "properties": properties,
        "$defs": definitions,
    }


def _of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(_by_reference(schema.pop("$defs", {})))
    referred: dict[str, Any] = _by_reference(schema)
    return referred


def _by_reference(node: Any) -> Any:
    """The schema, with a reference in place of every secret."""
    if isinstance(node, dict):
        if node.get("format") == "password":
            return dict(_REFERENCE)
        return {key: _by_reference(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_by_reference(item) for item in node]
    return node
