"""The real program, killed with SIGKILL at one named point. `python -m tests.faults.killed` reads orders from its input.

An order is a line of JSON. `{"point", "arguments", "environ"}` runs `signalbox ARGUMENTS` in a forked process of its own, in
which everything is imported already, and answers with its process id. `{"ended": PID}` answers with how that process ended,
or with RUNNING.

A point is `before:NAME:N` or `after:NAME:N`: the Nth time that NAME (see POINTS) is called in this process, the process is
gone before anything of the call happened, or when all of it has happened and nobody was told yet. `never` kills nothing.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from bot.backends.sequentum.adapter import SequentumBackend
from bot.backends.sequentum.client import AccClient
from bot.cli import main
from bot.running import run_bot
from bot.store.unit import Store

IMPORTED = (run_bot,)  # what `signalbox run` imports only when it is called

RUNNING = 1_000
POINTS: dict[str, tuple[type, str]] = {
    "accept": (Store, "accept"),
    "resolve": (SequentumBackend, "resolve"),
    "sending": (Store, "sending"),
    "start": (AccClient, "start"),
    "switch": (AccClient, "switch_schedule"),
    "finish": (Store, "finish"),
    "post": (Store, "sent"),
}


def kill_at(point: str) -> None:
    """Wrap the method that the point names."""
    when, name, number = point.split(":")
    owner, method = POINTS[name]
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


def live(order: dict[str, Any]) -> None:
    """Be the program until it ends."""
    os.environ.update(order["environ"])
    if order["point"] != "never":
        kill_at(order["point"])
    code = 1
    try:
        code = main(order["arguments"])
    finally:
        os._exit(code)


def nursery() -> None:
    """Obey until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if "ended" in order:
            pid, status = os.waitpid(order["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else RUNNING
        else:
            answer = os.fork()
            if answer == 0:
                os.close(sys.stdin.fileno())
                live(order)
        print(answer, flush=True)  # noqa: T201  the answer to the order


if __name__ == "__main__":
    nursery()
