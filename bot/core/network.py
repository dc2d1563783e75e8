"""Addresses: which proxy a request uses, and links to a vendor's console."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from bot.core.operation import Target

FROM_ENVIRONMENT: Final = "env"
_SCHEMES: Final = {"https": "https_proxy", "wss": "https_proxy", "http": "http_proxy", "ws": "http_proxy"}
_ENTRY: Final = re.compile(r"^(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:]+|[0-9a-fA-F:]+:[0-9a-fA-F:.]*))(?::(?P<port>\d+))?$")
PLACEHOLDERS: Final = ("id", "kind", "name", "path", "parent")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST: Final = 2_900  # Slack refuses a button whose address has more than 3,000 characters


@lru_cache(maxsize=256)  # asked for every request, and there are few hosts
def is_loopback(host: str) -> bool:
    """True for `localhost`, names under it, and addresses of the loopback ranges."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and (getattr(address, "ipv4_mapped", None) or address).is_loopback


def checked_proxy(url: str) -> str:
    """The address of a proxy; raises ValueError. `proxy.example.com:3128` means http, as in most tools."""
    full = url.strip() if "://" in url else f"http://{url.strip()}"
    parts = urlsplit(full)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{parts.scheme} proxies aren't supported; write http://HOST:PORT or https://HOST:PORT")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("write the proxy as http://HOST:PORT")
    parts.port  # noqa: B018  raises ValueError for a port that is out of range
    return full.rstrip("/")


@dataclass(frozen=True, slots=True)
class Route:
    """How one address is reached. `proxy` is None for a direct connection; it may hold credentials and is never printed."""

    proxy: str | None = field(repr=False)
    why: str

    def __str__(self) -> str:
        if self.proxy is None:
            return f"directly ({self.why})"
        parts = urlsplit(self.proxy)
        port = f":{parts.port}" if parts.port else ""
        return f"through {parts.scheme}://{parts.hostname}{port} ({self.why})"


@dataclass(frozen=True, slots=True)
class Proxies:
    """The rule for all traffic. Loopback is never proxied. `setting` is `env`, the address of a proxy, or empty.

    NO_PROXY applies to proxies from the environment and from `[network]`, not to a backend's own `proxy`.
    """

    setting: SecretStr = field(default_factory=lambda: SecretStr(""))
    key: str = "[network] proxy"
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    bypassed: bool = True

    def own(self, setting: SecretStr | None, key: str) -> Proxies:
        """The rule of a backend, with its own setting if any."""
        return self if setting is None else replace(self, setting=setting, key=key, bypassed=False)

    def route(self, url: str) -> Route:
        """How to reach this address; raises ValueError for a proxy that can't be used."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
        if is_loopback(host):
            return Route(None, "loopback")
        proxy, key = self.setting.get_secret_value(), self.key
        bypassed = self.bypassed
        if proxy == FROM_ENVIRONMENT:
            proxy, key = self._from_environment(parts.scheme)
            bypassed = True
        if not proxy:
            return Route(None, f"{key} is empty" if key == self.key else f"{key} isn't set")
        entry = matching_entry(self._variable("no_proxy")[0], host, port) if bypassed else None
        if entry is not None:
            return Route(None, f"NO_PROXY has {entry}")
        return Route(checked_proxy(proxy), key)

    def secrets(self) -> tuple[str, ...]:
        """The passwords of all proxies that may be used, to be masked everywhere."""
        known = [
            self.setting.get_secret_value(),
            *(self._variable(name)[0] for name in (*_SCHEMES.values(), "all_proxy")),
        ]
        words = [urlsplit(one if "://" in one else f"http://{one}").password for one in known if "@" in one]
        return tuple(dict.fromkeys(word for password in words if password for word in (password, unquote(password))))

    def _from_environment(self, scheme: str) -> tuple[str, str]:
        own = _SCHEMES.get(scheme, "https_proxy")
        for name in (own, "all_proxy"):
            value, key = self._variable(name)
            if value:
                return value, key
        return "", own.upper()

    def _variable(self, name: str) -> tuple[str, str]:
        """The lower-case name comes first, as in curl."""
        for spelling in (name, name.upper()):
            value = self.environ.get(spelling, "").strip()
            if value:
                return value, spelling
        return "", name.upper()


DIRECT: Final = Proxies()


def matching_entry(no_proxy: str, host: str, port: int) -> str | None:
    """The first entry of NO_PROXY that covers this host: `*`, a name with or without a leading dot, an address, a CIDR
    block, each with an optional port."""
    return next(
        (entry for entry in re.split(r"[,\s]+", no_proxy) if entry and _covers(entry.lower(), host, port)), None
    )


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        return address is not None and _in_block(entry, address)
    match = _ENTRY.match(entry)
    if match is None or (match["port"] and int(match["port"]) != port):
        return False
    named = match["v6"] or match["name"]
    if address is not None:
        return _address(named) == address
    name = named.removeprefix("*").strip(".")
    return host == name or host.endswith(f".{name}")


def _in_block(block: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


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
