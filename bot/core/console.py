"""Addresses of a vendor's console: a template of the configuration, filled for one target."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from bot.core.network import is_loopback
from bot.core.operation import Target

PLACEHOLDERS: Final = ("id", "kind", "name", "path", "parent")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST: Final = 2_900  # Slack refuses a button whose address has more than 3,000 characters


def checked_template(template: str, base_url: str) -> str:
    """The template, if it can become a link; raises ValueError. Plain http only to the host of the API, or to loopback."""
    unknown = [name for name in _FIELD.findall(template) if name not in PLACEHOLDERS]
    if unknown or "{" in _FIELD.sub("", template) or "}" in _FIELD.sub("", template):
        names = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"use only the placeholders {names}")
    parts = urlsplit(_FIELD.sub("x", template))
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or "{" in template.partition("//")[2].partition("/")[0]
    ):
        raise ValueError(
            "write an address like https://console.example.com/runs/{id}, with placeholders after the host"
        )
    if parts.scheme == "http" and not (is_loopback(parts.hostname) or parts.hostname == urlsplit(base_url).hostname):
        raise ValueError("use https; plain http is accepted for the host of base_url only")
    if parts.username or parts.password:
        raise ValueError("leave user and password out of the address")
    return template


def console_url(template: str, target: Target) -> str:
    """The address for a target, each value percent-encoded; empty without a template, or when a value is unknown."""
    values = {
        "id": quote(target.id, safe=""),
        "kind": quote(target.kind, safe=""),
        "name": quote(target.name, safe=""),
        "path": quote((target.scope or target.text).partition(":")[2], safe="/"),
        "parent": quote(target.parent or "", safe=""),
    }
    if any(not values[name] for name in _FIELD.findall(template)):
        return ""
    url = _FIELD.sub(lambda field: values[field[1]], template)
    return url if len(url) <= _LONGEST else ""
