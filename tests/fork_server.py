"""The real program in a forked process in which everything is imported already. `python -m tests.fork_server` reads orders.

An order is a line of JSON. `{"arguments", "environ"}` runs `signalbox ARGUMENTS` with this environment alone and answers with
its process id; `folder` is where it runs, `out` and `err` are the files that get what it prints, `point` is where it is killed
(see faults/killed.py), `in_flight` how many seconds a call counts as possibly still being sent after its replica has ended,
whatever its timeout, `clock` by how many seconds its wall clock is wrong. `{"ended": PID}` answers with how that process ended,
or with RUNNING.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.cli import audit as auditing
from bot.cli import check as checking
from bot.cli import do as terminal
from bot.cli import run as running
from bot.cli.main import main
from bot.intents import intake
from bot.runtime.clock import SystemClock
from bot.store.postgres import leadership as leading
from tests.own_time import keep_pace

ROOT = Path(__file__).parents[1]
IMPORTED = (auditing, checking, leading, running, terminal)  # what a command imports only when it is called
RUNNING = 1_000


class ForkServer:
    """Forks the program. One for all tests of a file, so that its imports are paid for once.

    `patient`: a request may reach the program later than Slack would wait, as it does on a busy machine, and is still executed.
    What happens to late ones otherwise has tests of its own.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._patient = patient
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def order(self, **order: Any) -> int:
        """Say it and read the answer. Blocks."""
        keep_pace()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order | {"patient": self._patient}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, "the fork server has ended"
        return int(answer)

    async def ended(self, pid: int, within: float = 60.0) -> int:
        """How that process ended: its exit code, or minus the signal. AssertionError when it goes on; it is killed then."""
        try:
            async with asyncio.timeout(within):
                while (status := self.order(ended=pid)) == RUNNING:  # noqa: ASYNC110  a process tells nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError("the process goes on") from None
        return status

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=30)


def live(order: dict[str, Any]) -> None:
    """Be the program until it ends."""
    os.environ.clear()
    os.environ.update(order["environ"])
    os.chdir(order.get("folder", "."))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # not the pipe of the answers: nobody would see its end
    for stream, name in ((1, "out"), (2, "err")):
        if name in order:
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    if order["patient"]:
        intake.IN_TIME = intake.PATIENCE = timedelta(minutes=1)  # type: ignore[misc]
    if "in_flight" in order:
        may_be_sending = leading.PostgresLeadership.may_be_sending
        leading.PostgresLeadership.may_be_sending = (  # type: ignore[method-assign]
            lambda self, silent, timeout: may_be_sending(self, silent, min(timeout, order["in_flight"]))
        )
    if "clock" in order:
        now, wrong = SystemClock.now, timedelta(seconds=order["clock"])
        SystemClock.now = lambda self: now(self) + wrong  # type: ignore[method-assign]
    if "point" in order:
        # Imported here: a process that nobody kills is the program as it is.
        from tests.faults.killed import kill_at  # noqa: PLC0415

        kill_at(order["point"])
    code: Any = 1
    try:
        code = main(order["arguments"])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def obey() -> None:
    """Obey until the input ends. The forked programs share what is imported, and never scan it for garbage."""
    gc.collect()
    gc.freeze()
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
    obey()
