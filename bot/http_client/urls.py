"""Addresses: parts of paths that cannot climb, queries, and what of an address may be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit

from bot.core.errors import BadRequest

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
Query: TypeAlias = Sequence[tuple[str, str]] | str


def segment(text: str) -> str:
    """`text` percent-encoded as exactly one part of a path; raises BadRequest for what could mean another path."""
    if not text or text in (".", "..") or _CONTROL.search(text):
        raise BadRequest(f"`{_CONTROL.sub('?', text[:80])}` cannot be an id")
    return quote(text, safe="")


def query_text(query: Query) -> str:
    """The query string: pairs are encoded, a string is taken as it is."""
    if isinstance(query, str):
        return query
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)


def host_of(url: str) -> str:
    """Host and port of an address, for sentences; never its path or query."""
    parts = urlsplit(url)
    if not parts.hostname:
        return "an unreadable address"
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
