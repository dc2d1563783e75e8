"""The only source of time and randomness in the program."""

import asyncio
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Final

_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_LETTERS: Final = b"0123456789abcdefghjkmnpqrstvwxyz" * 8  # by byte: 32 letters, so that 5 bits name one without bias


class SystemClock:
    """The machine's clock: `now` is aware UTC, `monotonic` never goes back, `sleep` is seconds."""

    def now(self) -> datetime:
        """The wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; only differences mean anything. Time in which the machine was suspended counts."""
        return time.clock_gettime(_STEADY)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking other tasks."""
        await asyncio.sleep(seconds)


class SystemIds:
    """Ids from the system's random generator."""

    def request(self) -> str:
        """`r-` and 14 letters: 9 of the time in milliseconds, so that ids sort, and 5 random ones."""
        at = time.time_ns() // 1_000_000
        head = bytes([(at >> shift) & 31 for shift in range(40, -1, -5)])
        return f"r-{_lettered(head)}{self._chance(5)}"

    def secret(self) -> str:
        """26 letters, 130 bits: impossible to guess."""
        return self._chance(26)

    def guid(self) -> str:
        """A random UUID in its usual form."""
        return str(uuid.uuid4())

    def _chance(self, length: int) -> str:
        return _lettered(secrets.token_bytes(length))  # one call into the system instead of one a letter


def _lettered(data: bytes) -> str:
    return data.translate(_LETTERS).decode()
