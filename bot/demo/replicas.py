"""`signalbox demo --replicas N`: the bot as several processes on one PostgreSQL, with buttons to kill, pause and deploy them."""

import asyncio
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.all_of import all_of
from bot.runtime.clock import SystemClock
from bot.runtime.task_queue import TaskQueue
from bot.store.open import local_server

WATCH_EVERY: Final = 0.5
STARTS_AGAIN_AFTER: Final = 2.0  # seconds, so that the page shows that the process is gone
_ASKED_WITHIN: Final = aiohttp.ClientTimeout(total=0.4)


@dataclass
class _Replica:
    """One process. `state`: starting, ready, paused or gone."""

    name: str
    config: Path
    address: str
    metrics: str
    process: asyncio.subprocess.Process | None = None
    state: str = "starting"
    leads: bool = False
    wanted: bool = True


class Replicas:
    """Starts the processes, keeps them running, and does what the page asks for."""

    def __init__(self, folder: Path, number: int, database: str) -> None:
        self._folder = folder
        settings = folder / "signalbox.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("sqlite:///signalbox.db", database), encoding="utf-8")
        self._replicas = [self._configured(f"replica-{index + 1}") for index in range(number)]
        self._clock = SystemClock()
        self._deploying = asyncio.Lock()
        self._tasks = TaskQueue()

    def _configured(self, name: str) -> _Replica:
        address, metrics = f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}"
        text = (self._folder / "signalbox.toml").read_text(encoding="utf-8")
        text = text.replace('\nlisten = "127.0.0.1:0"', f'\nlisten = "{address}"')
        text = text.replace('metrics_listen = "127.0.0.1:0"', f'metrics_listen = "{metrics}"')
        config = self._folder / f"signalbox.{name}.toml"
        config.write_text(text, encoding="utf-8")
        return _Replica(name, config, address, metrics)

    async def rows(self) -> list[dict[str, Any]]:
        """The replicas, for the page."""
        return [{"name": one.name, "state": one.state, "leads": one.leads} for one in self._replicas]

    async def act(self, name: str, action: str) -> None:
        """Kill, pause or resume a replica; deploy restarts all of them, one after the other. Raises ValueError."""
        if action == "deploy":
            self._tasks.start(self._deploy(), "deploy")
            return
        found = next((one for one in self._replicas if one.name == name), None)
        number = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP, "resume": signal.SIGCONT}.get(action)
        if found is None or number is None:
            raise ValueError(f"no replica {name}, or no action {action}")
        if found.process is not None and found.process.returncode is None:
            found.process.send_signal(number)
            found.leads = False
            found.state = {"kill": "gone", "pause": "paused", "resume": "starting"}[action]

    async def _deploy(self) -> None:
        async with self._deploying:
            for replica in sorted(self._replicas, key=lambda one: one.leads):
                replica.wanted = False
                await _ended(replica)
                replica.wanted = True
                await self._start(replica)
                while replica.state != "ready":
                    await self._clock.sleep(WATCH_EVERY)

    async def run(self) -> None:
        """Start all, look at them until cancelled, and start again what is gone."""
        async with aiohttp.ClientSession(timeout=_ASKED_WITHIN) as session:
            for replica in self._replicas:
                await self._start(replica)
            while True:
                await all_of(self._look(session, replica) for replica in self._replicas)
                await self._clock.sleep(WATCH_EVERY)

    async def close(self) -> None:
        await self._tasks.abandon()
        for replica in self._replicas:
            replica.wanted = False
        await all_of(_ended(replica) for replica in self._replicas)

    async def _start(self, replica: _Replica) -> None:
        if replica.process is not None and replica.process.returncode is None:
            return  # it was killed right before a deploy, which has started it again
        with (self._folder / f"{replica.name}.log").open("ab") as log:
            replica.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--config", str(replica.config),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        replica.state, replica.leads = "starting", False

    async def _look(self, session: aiohttp.ClientSession, replica: _Replica) -> None:
        process = replica.process
        if process is None or process.returncode is not None:
            replica.state, replica.leads = "gone", False
            if replica.wanted and process is not None:
                replica.process = None
                self._tasks.start(self._start_later(replica), replica.name)
            return
        if replica.state == "paused":
            replica.leads = False
            return
        before = replica.state
        try:
            async with session.get(f"http://{replica.address}/readyz") as ready:
                state = "ready" if ready.status == 200 else "starting"
            async with session.get(f"http://{replica.metrics}/metrics") as metrics:
                leads = "\nsignalbox_leader 1" in await metrics.text()
        except (aiohttp.ClientError, TimeoutError):
            state, leads = "starting", False
        if replica.state == before:  # otherwise it was killed or paused meanwhile
            replica.state, replica.leads = state, leads

    async def _start_later(self, replica: _Replica) -> None:
        await self._clock.sleep(STARTS_AGAIN_AFTER)
        await self._start(replica)


async def _ended(replica: _Replica) -> None:
    """End it as a system would, and wait."""
    process = replica.process
    if process is None or process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    """Below the ports that the system gives to other programs before the replica listens on it."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@asynccontextmanager
async def replicas_in(folder: Path, number: int) -> AsyncIterator[Replicas]:
    """A PostgreSQL and that many replicas in `folder`. Raises Problem when PostgreSQL isn't installed."""
    server = local_server(folder / "postgres")
    await asyncio.to_thread(server.start)
    replicas, tasks = Replicas(folder, number, server.url()), TaskQueue()
    tasks.serve(replicas.run(), "replicas")
    try:
        yield replicas
    finally:
        await tasks.stop_services()
        await replicas.close()
        await asyncio.to_thread(server.stop)
