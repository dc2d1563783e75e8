"""What a folder under backends/ exports: its rows, its settings, and how it is built."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from bot.core.command.capability import BackendRows
from bot.core.ports.services import Backend, BackendParts


def is_loopback(host: str) -> bool:
    """True for `localhost` and addresses of the loopback ranges."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """`url` without a trailing slash; https, or http to a loopback address, and no user, query or fragment in it."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("write an address like https://acc.example.com")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("plain http is accepted for loopback addresses only; use https")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("leave user, password, query and fragment out of the address")
    return url.rstrip("/")


class RereadSecret(SecretStr):
    """A secret of a file that another program may replace while the bot runs."""

    def __init__(self, value: str, read: Callable[[], str | None]) -> None:
        super().__init__(value)
        self._read = read

    def latest(self) -> str:
        """What the file holds now; the value read at the start where it is empty or can't be read. Blocks."""
        return (self._read() or "").strip() or self.get_secret_value()


class BackendSettings(BaseModel):
    """One `[[backend]]` table. A field of type SecretStr is written as a reference and resolved before it gets here.

    `ca_file` is a PEM file for a private authority; there is no way to switch verification off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    kind: str
    base_url: str = ""
    ca_file: str | None = None

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, url: str) -> str:
        return checked_url(url) if url else url


class Plugin(NamedTuple):
    """`build(settings, parts)` makes one backend; it must not open a connection yet."""

    rows: BackendRows
    settings: type[BackendSettings]
    build: Callable[[Any, BackendParts], Backend]
