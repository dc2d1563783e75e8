"""Shared by both kinds of delivery: the envelope kinds, the app's answer, waiting in workspace time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from .clock import PlaygroundClock
from .state import Json

ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """One delivery: kind is slash_commands, interactive or events_api."""

    kind: str
    payload: Json
    retry_num: int = 0
    retry_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How the app answered. `reason` is Slack's retry reason, `status` the HTTP status in HTTP mode."""

    acked: bool
    ms: float
    body: Any = None
    status: int | None = None
    error: str | None = None
    reason: str | None = None
    no_retry: bool = False


class Transport(Protocol):
    """A transport to the app."""

    async def send(self, envelope: Envelope) -> Answer:
        """Deliver once and wait at most 3 s for the answer."""


async def within_ack_time(clock: PlaygroundClock, work: asyncio.Future[Any]) -> bool:
    """Whether the work finished within 3 s of workspace time; otherwise it is cancelled."""
    timer = asyncio.create_task(clock.wait(ACK_SECONDS))
    try:
        await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        work.cancel()
        raise
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)
    if work.done():
        return True
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    return False
