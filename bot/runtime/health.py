"""The health of the control planes: checked concurrently, so that one that is down delays no other, and remembered."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.all_of import all_of
from bot.core.errors import Problem
from bot.core.outcome import Health
from bot.core.ports.services import Backend, Clock
from bot.core.sign_in import SignInPause

WITHIN = 8.0


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and when it was made."""

    health: Health
    at: datetime


class HealthBoard:
    """The last check of every backend."""

    def __init__(
        self, backends: Mapping[str, Backend], clock: Clock, sign_ins: Mapping[str, SignInPause] | None = None
    ) -> None:
        self._backends = backends
        self._clock = clock
        self._sign_ins = sign_ins or {}
        self._last: dict[str, Checked] = {}
        self._began: dict[str, float] = {}

    async def check_all(self) -> Mapping[str, Checked]:
        """Ask every backend now; at most eight seconds."""
        checks = await all_of(self.check(name) for name in self._backends)
        return dict(zip(self._backends, checks, strict=True))

    async def check(self, name: str, *, sign_in: bool = False) -> Checked:
        """Ask one backend now. `sign_in`: also with a credential that was refused shortly before."""
        if sign_in and name in self._sign_ins:
            self._sign_ins[name].lift()
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(WITHIN):
                health = await self._backends[name].health()
        except TimeoutError:
            health = Health(ok=False, summary=f"no answer within {WITHIN:g} s")
        except Problem as problem:
            health = Health(ok=False, summary=problem.summary)
        if health.latency_ms is None:
            health = health.model_copy(update={"latency_ms": round((self._clock.monotonic() - started) * 1000, 1)})
        checked = Checked(health, self._clock.now())
        # A check that began earlier and took longer is older than the stored one.
        if started >= self._began.get(name, started):
            self._began[name], self._last[name] = started, checked
        return checked

    def latest(self, name: str) -> Checked | None:
        """The last check, None before the first."""
        return self._last.get(name)
