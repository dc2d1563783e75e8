"""Where the program can be killed with SIGKILL.

A point is `before:NAME:N` or `after:NAME:N`: the Nth time that NAME (see POINTS) is called in this process, the process is
gone before anything of the call happened, or when all of it has happened and nobody was told yet.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from bot.backends.sequentum.adapter import SequentumBackend
from bot.backends.sequentum.client import AccClient
from bot.intents import recovery
from bot.store.postgres.leadership import PostgresLeadership
from bot.store.store import Store

POINTS: dict[str, tuple[Any, str]] = {
    "accept": (Store, "accept"),
    "hand over": (Store, "release"),
    "begin": (Store, "begin"),
    "resolve": (SequentumBackend, "resolve"),
    "sending": (Store, "sending"),
    "start": (AccClient, "start"),
    "switch": (AccClient, "switch_schedule"),
    "finish": (Store, "finish"),
    "post": (Store, "sent"),
    "seen": (Store, "update_watches"),
    "end": (Store, "end_watch"),
}
# The steps of a takeover, in their order; each replica takes over once at most.
TAKEOVER: dict[str, tuple[Any, str]] = {
    "take": (PostgresLeadership, "_take"),  # after: it leads by the database, and has done nothing yet
    "end sessions": (PostgresLeadership, "_end_sessions"),
    "bury": (PostgresLeadership, "_bury"),  # after: marked as dead, in a transaction that is not committed
    "claim": (Store, "claim_unfinished"),
    "show outcomes": (recovery, "show_outcomes"),
    "continue": (recovery, "_not_sent"),
    "wait": (recovery, "_until_it_shows"),
    "look up": (recovery, "look_up"),
}


def kill_at(point: str) -> None:
    """Wrap the method that the point names."""
    when, name, number = point.split(":")
    owner, method = (POINTS | TAKEOVER)[name]
    setattr(owner, method, _mortal(getattr(owner, method), when, int(number)))


def _mortal(method: Callable[..., Awaitable[Any]], when: str, number: int) -> Callable[..., Awaitable[Any]]:
    seen = 0

    @functools.wraps(method)
    async def mortal(*args: Any, **words: Any) -> Any:
        nonlocal seen
        seen += 1
        last = seen == number
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await method(*args, **words)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return mortal
