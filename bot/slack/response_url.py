"""Answers through a response_url: only to configured hosts, without redirects, within its 30 minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from bot.core.errors import Problem
from bot.core.network import is_loopback

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class BadResponseUrl(Problem):
    """Answers must not go to this address."""

    code = "response_url"


def allowed(url: str, hosts: Sequence[str]) -> bool:
    """Whether it is https (or http to loopback) to one of `hosts`, each HOST or HOST:PORT."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.scheme not in ("https", "http"):
        return False
    if parts.scheme == "http" and not is_loopback(host):
        return False
    default = 443 if parts.scheme == "https" else 80
    try:
        port = parts.port or default
    except ValueError:
        return False
    named = {f"{host}:{port}"} | ({host} if port == default else set())
    return not named.isdisjoint(hosts)


class Responder:
    """Sends to response_urls with one session."""

    def __init__(self, session: aiohttp.ClientSession, hosts: Sequence[str]) -> None:
        self._session = session
        self._hosts = tuple(hosts)

    async def send(self, url: str, message: Mapping[str, Any]) -> int:
        """The HTTP status of the answer; raises BadResponseUrl before anything is sent to a wrong host."""
        if not allowed(url, self._hosts):
            raise BadResponseUrl("The response_url is not on a host named in slack.response_hosts.")
        async with self._session.post(url, json=message, allow_redirects=False, timeout=_TIMEOUT) as reply:
            await reply.content.read(2_000)
            return reply.status
