"""Credentials of a backend, and a session that only one call at a time renews."""

import asyncio
import base64
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from bot.core.ports.services import CHANGES, Clock


@dataclass(frozen=True, slots=True)
class Credential:
    """Headers and query that are added to each call. `base_url` replaces the client's, for vendors that return it at sign-in.

    `secrets` are further values to mask; header and query values are always masked. `lifetime` is how many seconds a session
    uses it; None: until it is refused.
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    base_url: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    lifetime: float | None = None

    def known(self) -> tuple[str, ...]:
        """Every value to mask, each word of a header value separately."""
        words = tuple(word for _, value in self.headers for word in (value, *value.split()[1:]))
        return (*words, *(value for _, value in self.query), *self.secrets)


class Auth(Protocol):
    """The source of a client's credential."""

    async def credential(self) -> Credential:
        """The current credential. May sign in, and raises what the sign-in raises."""

    async def renew(self, refused: Credential) -> Credential | None:
        """A new credential after this one was refused, or None when there can't be a new one."""


class Fixed:
    """A credential that never changes."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def credential(self) -> Credential:
        """The fixed credential."""
        return self._credential

    async def renew(self, refused: Credential) -> Credential | None:
        """None: a fixed credential can't be renewed."""
        return None


class Bearer(Fixed):
    """A fixed token in the Authorization header; blanks and line ends around it are dropped."""

    def __init__(self, token: SecretStr) -> None:
        super().__init__(Credential(headers=(("Authorization", f"Bearer {token.get_secret_value().strip()}"),)))


class Basic(Fixed):
    """A user name and password in the Authorization header of every call."""

    def __init__(self, username: str, password: str) -> None:
        packed = base64.b64encode(f"{username}:{password}".encode()).decode()
        super().__init__(Credential(headers=(("Authorization", f"Basic {packed}"),), secrets=(password,)))


class Session:
    """A credential that is fetched on first use and again when it is refused, its lifetime ends, or it is unused for `idle` s.

    `sign_in` calls with `auth=None`. Only one call at a time renews a session; after that, only an idempotent call is sent again.
    """

    def __init__(self, sign_in: Callable[[], Awaitable[Credential]], clock: Clock, idle: float = math.inf) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._idle = idle
        self._current: Credential | None = None
        self._since = 0.0
        self._used = clock.monotonic()
        self._lock = asyncio.Lock()

    async def credential(self) -> Credential:
        """The current credential, or a new one when it has expired. Concurrent callers share one sign-in."""
        now = self._clock.monotonic()
        if now - self._used >= self._idle:
            self._current = None
        self._used = now
        current = self._fresh()
        if current is not None:
            return current
        async with self._lock:
            return self._fresh() or await self._fetch()

    async def renew(self, refused: Credential) -> Credential | None:
        """A new credential, or the current one if another caller already replaced the refused one."""
        self._used = self._clock.monotonic()
        async with self._lock:
            current = self._fresh()
            if current is not None and current is not refused:
                return current
            return await self._fetch()

    def _fresh(self) -> Credential | None:
        lifetime = self._current.lifetime if self._current is not None else None
        over = lifetime is not None and self._clock.monotonic() - self._since >= lifetime
        return None if over else self._current

    async def _fetch(self) -> Credential:
        self._current = None
        token = CHANGES.set(None)  # a sign-in changes nothing
        try:
            credential = await self._sign_in()
        finally:
            CHANGES.reset(token)
        self._current, self._since = credential, self._clock.monotonic()
        return credential
