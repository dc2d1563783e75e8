"""Several replicas as processes of their own on one PostgreSQL, with the workspace and the control planes in this process."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psycopg

from bot.core.ports.store import StoreAddress
from bot.core.records import Filters, StoredEntry
from bot.demo.run import write_config
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, Workspace
from bot.store.open import open_store
from bot.store.store import Store
from tests.faults.link import Link
from tests.fork_server import RUNNING, ForkServer
from tests.ports import free_port
from tests.world import OPEN_POLICY, shown

ENDS = ("done", "failed", "reconciled", "abandoned", "denied")
_LEADER = "SELECT r.name FROM signalbox.leaders l JOIN signalbox.replicas r USING (epoch) WHERE r.state = 'live'"


@dataclass
class Replica:
    """One process, which takes requests over HTTP."""

    name: str
    pid: int
    port: int
    links: tuple[Link, ...] = ()  # to each database server
    clock: float = 0.0  # by how many seconds its wall clock is wrong

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)


@dataclass
class Cluster:
    """The replicas and what is around them."""

    ws: Workspace
    acc: Any
    folder: Path
    environ: dict[str, str]
    fork_server: ForkServer
    store: Store
    database: str
    configured: str  # the address of the database in the configuration file
    session: aiohttp.ClientSession
    lease: float
    servers: tuple[Path, ...] = ()
    replicas: list[Replica] = field(default_factory=list)

    async def start(self, point: str | None = None, clock: float = 0.0) -> Replica:
        """One more replica; returns when it is ready or has ended. It kills itself at that point (see killed.py).

        `clock`: by how many seconds its wall clock is wrong. With `servers` it reaches each of them through a proxy.
        """
        name, port = f"r{len(self.replicas)}-{os.urandom(2).hex()}", free_port()
        config = self.folder / f"{name}.toml"
        text = (self.folder / "signalbox.toml").read_text("utf-8")
        text = text.replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:{port}"', 1)
        links = tuple([await Link(server).open() for server in self.servers])
        if links:
            hosts = ",".join(f"127.0.0.1:{link.port}" for link in links)
            text = text.replace(self.configured, f"postgresql://postgres@{hosts}{urlsplit(self.configured).path}")
        config.write_text(text, "utf-8")
        arguments = ["run", "--config", str(config)]
        where: dict[str, Any] = {"in_flight": 2.0} | ({"point": point} if point else {})
        where |= {"clock": clock} if clock else {}
        pid = self.fork_server.order(
            arguments=arguments, environ=self.environ, err=str(self.folder / f"{name}.log"), **where
        )
        replica = Replica(name, pid, port, links, clock)
        self.replicas.append(replica)
        await self.until(lambda: self._ready_or_gone(replica))
        return replica

    async def _ready_or_gone(self, replica: Replica) -> bool:
        await self.reap()
        return replica not in self.replicas or await self.ready(replica)

    async def ready(self, replica: Replica) -> bool:
        """Whether it may take requests."""
        try:
            async with self.session.get(f"{replica.url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as reply:
                return reply.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def leading(self) -> Replica | None:
        """The replica that leads now, if one does."""
        async with await psycopg.AsyncConnection.connect(
            self.database, autocommit=True, connect_timeout=5
        ) as connection:
            row = await (await connection.execute(_LEADER)).fetchone()
        pid = int(row[0].rpartition(":")[2]) if row is not None else 0
        return next((replica for replica in self.replicas if replica.pid == pid), None)

    async def leader(self) -> Replica:
        """The replica that leads, as soon as one does."""
        leader: Replica = await self.until(self.leading)
        return leader

    async def followers(self) -> list[Replica]:
        """The replicas that don't lead."""
        leader = await self.leader()
        return [replica for replica in self.replicas if replica is not leader]

    async def end(self, replica: Replica, number: signal.Signals = signal.SIGKILL) -> int:
        """Send the signal and wait for the end. Returns how it ended."""
        replica.send(number)
        return await self.gone(replica)

    async def gone(self, replica: Replica) -> int:
        """Wait until it has ended."""
        self.replicas.remove(replica)
        status = await self.fork_server.ended(replica.pid)
        for link in replica.links:
            await link.close()
        return status

    async def reap(self) -> None:
        """Forget the replicas that have ended."""
        for replica in list(self.replicas):
            if self.fork_server.order(ended=replica.pid) != RUNNING:
                self.replicas.remove(replica)
                for link in replica.links:
                    await link.close()

    def moved(self, database: str) -> None:
        """From now on the database is there."""
        self.store.close_sync()
        self.database, self.store = database, open_store(StoreAddress(database))

    def through(self, replica: Replica) -> None:
        """From now on Slack sends requests to this replica, as a load balancer would."""
        self.ws.deliver_http(f"{replica.url}/slack/events")

    async def says(self, text: str, user: str = "U0ANA") -> Any:
        """Type `/ops TEXT`; returns Slack's receipt."""
        return await self.ws.person(user).command("C0CRAWL", f"/ops {text}")

    def rows(self, **filters: Any) -> list[StoredEntry]:
        """The audit log, oldest first."""
        return list(reversed(self.store.search_sync(Filters(**filters), limit=500)))

    def requests(self, verb: str) -> dict[str, list[StoredEntry]]:
        """The entries of each request with that verb."""
        found: dict[str, list[StoredEntry]] = {}
        for row in self.rows():
            if row.event == "requested" and row.verb == verb:
                found[row.request_id] = []
            if row.request_id in found:
                found[row.request_id].append(row)
        return found

    def ended(self, verb: str, number: int) -> bool:
        """Whether that many requests have an outcome."""
        return sum(any(row.event in ENDS for row in rows) for rows in self.requests(verb).values()) >= number

    def card(self, *parts: str, user: str = "U0ANA") -> bool:
        """Whether a person sees a message with all parts."""
        return any(all(part in shown(one) for part in parts) for one in self.ws.person(user).messages("C0CRAWL"))

    async def until(self, condition: Callable[[], Any], within: float = 60.0, every: float = 0.05) -> Any:
        """The condition's first truthy value; it may be a coroutine."""
        async with asyncio.timeout(within):
            while True:
                found = condition()
                found = await found if asyncio.iscoroutine(found) else found
                if found:
                    return found
                await asyncio.sleep(every)


def outcomes(rows: Sequence[StoredEntry]) -> list[str]:
    """The outcomes among the entries of a request."""
    return [str(row.event) for row in rows if row.event in ENDS]


@asynccontextmanager
async def cluster(
    folder: Path,
    fork_server: ForkServer,
    database: str,
    number: int,
    *,
    lease: float = 3.0,
    servers: tuple[Path, ...] = (),
    socket_mode: bool = False,
    policy: str = OPEN_POLICY,
    plane: str = "acc",
) -> AsyncIterator[Cluster]:
    """A workspace, an ACC or another `plane` and that many replicas; the first one leads. `servers`: see `Cluster.start`.

    They take requests over HTTP from whoever calls `through`, or in Socket Mode from Slack.
    """
    async with Workspace(DEMO_SEED, port=0) as ws:
        acc: Any = demo_planes(ws.clock, only=(plane,))[0]
        if plane == "acc":
            acc.world.speed = 60.0
        async with acc, aiohttp.ClientSession() as session:
            ws.register_plane(acc)
            environ = write_config(folder, ws, (acc,), policy) | {"SIGNING": ws.signing_secret}
            settings = folder / "signalbox.toml"
            text = settings.read_text("utf-8")
            if not socket_mode:
                text = text.replace('mode = "socket"', 'mode = "http"\nsigning_secret = "env:SIGNING"')
                text = re.sub(r"app_token = .*\n", "", text)
            text = re.sub(r"security_channel = .*\n", "", text)
            text = text.replace('metrics_listen = "127.0.0.1:0"', 'metrics_listen = ""')
            url = f'url = "{database}"\nlease = {lease}'
            settings.write_text(text.replace('url = "sqlite:///signalbox.db"', url), "utf-8")
            store = open_store(StoreAddress(database))
            made = Cluster(ws, acc, folder, environ, fork_server, store, database, database, session, lease, servers)
            try:
                for _ in range(number):
                    await made.start()
                yield made
            finally:
                for replica in list(made.replicas):
                    replica.send(signal.SIGCONT)
                    await made.end(replica)
                made.store.close_sync()
