"""Credentials of a backend, and a session that is renewed once and never twice at the same time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from bot.core.ports.services import Clock


@dataclass(frozen=True, slots=True)
class Credential:
    """What is added to each call. `base_url` replaces the client's, for vendors that name it at sign-in.

    `secrets` are the values that must not show anywhere; header and query values count as such by themselves. `lifetime` is
    the number of seconds for which a session uses it; None for as long as it is accepted.
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    base_url: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    lifetime: float | None = None

    def known(self) -> tuple[str, ...]:
        """Every value that must be masked, the words of a header value one by one."""
        words = tuple(word for _, value in self.headers for word in (value, *value.split()[1:]))
        return (*words, *(value for _, value in self.query), *self.secrets)


class Auth(Protocol):
    """Where a client gets its credential."""

    async def credential(self) -> Credential:
        """The one to use now; may sign in, and raises what the sign-in raises."""
        ...

    async def renew(self, refused: Credential) -> Credential | None:
        """Another one after this was refused, or None when there is no other."""
        ...


class Fixed:
    """A credential that never changes."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def credential(self) -> Credential:
        """Always the same."""
        return self._credential

    async def renew(self, refused: Credential) -> Credential | None:
        """None: a fixed credential has no successor."""
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
    """A credential that is fetched when first needed, kept, and fetched again when it is refused or its lifetime is over."""

    def __init__(
        self, sign_in: Callable[[], Awaitable[Credential]], clock: Clock, lifetime: float | None = None
    ) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._lifetime = lifetime  # seconds, for a sign-in that names none
        self._current: Credential | None = None
        self._since = 0.0
        self._lock = asyncio.Lock()

    async def credential(self) -> Credential:
        """The kept one while it is fresh; callers that come during a sign-in wait for it and share what it brings."""
        current = self._fresh()
        if current is not None:
            return current
        async with self._lock:
            return self._fresh() or await self._fetch()

    async def renew(self, refused: Credential) -> Credential | None:
        """A new one, unless another caller has already replaced the refused one."""
        async with self._lock:
            current = self._fresh()
            if current is not None and current is not refused:
                return current
            return await self._fetch()

    def forget(self) -> None:
        """Drop the kept one: the next call signs in."""
        self._current = None

    def _fresh(self) -> Credential | None:
        lifetime = self._lifetime if self._current is None else self._current.lifetime or self._lifetime
        if lifetime is not None and self._clock.monotonic() - self._since >= lifetime:
            return None
        return self._current

    async def _fetch(self) -> Credential:
        self._current = None
        credential = await self._sign_in()
        self._current, self._since = credential, self._clock.monotonic()
        return credential
