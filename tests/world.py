"""A whole world for tests: the workspace, the simulated planes, and the real program joined to them over real sockets."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bot import config
from bot.app import Bot
from bot.core.records import Filters, StoredEntry
from bot.demo.run import write_config
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.workspace import DEMO_SEED, Person, Workspace
from bot.store.database import Tx
from bot.store.open import open_store
from bot.store.store import Store
from bot.store.tables import TABLES

Planes = Callable[[Any], tuple[Plane, ...]]
GROUPS = """\
version = 1
[groups]
crawl = ["S0CRAWL"]
leads = ["S0LEADS"]
admins = ["U0ROOT"]
"""
OPEN_POLICY = f"""\
{GROUPS}
[[channel]]
id = "C0CRAWL"
[[channel.allow]]
verbs = ["*"]
targets = ["*"]
who = ["crawl", "leads", "admins"]
[administrators]
who = ["admins"]
[breakglass]
who = ["admins"]
"""


@dataclass
class World:
    """`ws` is the workspace, `planes` by name, `bot` the running program (restart with `restart`)."""

    ws: Workspace
    planes: dict[str, Any]
    folder: Path
    environ: dict[str, str]
    bot: Bot
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def acc(self) -> Any:
        """The simulated ACC."""
        return self.planes["acc"]

    def person(self, user: str) -> Person:
        """Somebody of the demo workspace."""
        return self.people.setdefault(user, self.ws.person(user))

    @property
    def ana(self) -> Person:
        """Ana, a crawl engineer."""
        return self.person("U0ANA")

    async def say(self, text: str, *, user: str = "U0ANA", channel: str = "C0CRAWL") -> Any:
        """Type `/ops TEXT` and wait for the ack."""
        receipt = await self.person(user).command(channel, f"/ops {text}".rstrip())
        assert receipt.acked, receipt
        return receipt

    async def sees(
        self,
        *parts: str,
        user: str = "U0ANA",
        channel: str = "C0CRAWL",
        timeout: float = 30.0,  # noqa: ASYNC109  the wait asserts with a dump
        but: Collection[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        """The newest message that this person sees whose text and blocks contain all parts (case matters). `but` are the `ts`
        and the words of messages that don't count. It looks again when something has changed in the workspace."""
        news: list[object] = ["the first look"]

        def look(person: Person) -> dict[str, Any] | None:
            if not news:
                return None
            news.clear()
            for message in reversed(person.messages(channel)):
                words = shown(message)
                if all(part in words for part in parts) and (message["ts"], words) not in but:
                    return message
            return None

        listeners = self.ws.core.state.listeners
        listeners.append(news.append)
        try:
            return await self.person(user).wait_for(look, timeout=timeout)
        finally:
            listeners.remove(news.append)

    async def does(self, text: str, *parts: str, user: str = "U0ANA", channel: str = "C0CRAWL") -> dict[str, Any]:
        """Say it and see all parts in one message that is new or was changed since."""
        before = {(message["ts"], shown(message)) for message in self.person(user).messages(channel)}
        await self.say(text, user=user, channel=channel)
        return await self.sees(*parts, user=user, channel=channel, but=before)

    def audit(self, **filters: Any) -> Sequence[StoredEntry]:
        """Rows of the audit log, oldest first."""
        return list(reversed(self.bot.store.search_sync(Filters(**filters), limit=500)))

    def events(self, verb: str) -> list[str]:
        """The events of a verb, oldest first."""
        return [str(entry.event) for entry in self.audit() if entry.verb == verb]

    async def until(self, condition: Callable[[], Any], timeout: float = 30.0) -> Any:  # noqa: ASYNC109  as above
        """Wait for something that is no message."""
        return await self.ana.wait_for(lambda _: condition(), timeout=timeout)

    async def quiet(self) -> None:
        """Wait until the program has nothing under way and no message is left that it never tried to send: what it has not done
        by then does not come by itself."""

        def untried(db: Tx) -> bool:
            found = "SELECT 1 FROM messages WHERE have < want AND gone = 0 AND attempts = 0 LIMIT 1"
            return bool(db.execute(found).fetchall())

        await self.until(lambda: not len(self.bot.tasks) and not self.bot.store.database.read_sync(untried))

    async def start(self) -> None:
        """Start the program anew on the same files, once it was closed."""
        self.bot = Bot(config.load(self.folder / "signalbox.toml", self.environ), self.environ)
        await self.bot.start()

    async def restart(self) -> None:
        """Stop the program and start it again on the same files."""
        await self.bot.close()
        await self.start()


def shown(message: dict[str, Any]) -> str:
    """Every text of a message: notification, blocks, buttons."""
    found: list[str] = [str(message.get("text") or "")]

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                if isinstance(item, (dict, list)):
                    walk(item)
            return
        for key, value in node.items():
            if isinstance(value, str):
                if key in ("text", "fallback", "alt_text", "value"):
                    found.append(value)
                elif key in ("user_id", "channel_id"):
                    found.append(f"<{'@' if key == 'user_id' else '#'}{value}>")
            elif isinstance(value, (dict, list)):
                walk(value)

    walk(message.get("blocks") or [])
    return "\n".join(found)


def labels(message: dict[str, Any]) -> list[str]:
    """The labels of a message's buttons."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "button":
                found.append(node["text"]["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    walk(message.get("blocks") or [])
    return found


def request_id(message: dict[str, Any]) -> str:
    """The request that a card is about."""
    match = re.search(r"r-[0-9a-z]{14}", shown(message))
    assert match is not None, shown(message)
    return match.group()


@asynccontextmanager
async def world(
    folder: Path,
    *,
    policy: str = OPEN_POLICY,
    planes: Planes = demo_planes,
    only: Sequence[str] = ("acc",),
    speed: float = 20.0,
    agents: bool = False,
    store: str = "",
) -> AsyncIterator[World]:
    """Start everything; `only` names the planes that are wanted, `speed` quickens the runs of the ACC, `agents` lists
    its agents in the configuration, `store` is the address of another store than the file."""
    async with AsyncExitStack() as stack:
        ws = await stack.enter_async_context(Workspace(DEMO_SEED, port=0))
        made = demo_planes(ws.clock, only=only) if planes is demo_planes else planes(ws.clock)
        wanted = tuple(plane for plane in made if plane.name in only)
        for plane in wanted:
            if plane.name == "acc":
                plane.world.speed = speed  # type: ignore[attr-defined]
            await stack.enter_async_context(plane)
            ws.register_plane(plane)
        environ = write_config(folder, ws, wanted, policy, agents=agents)
        if store:
            toml = folder / "signalbox.toml"
            toml.write_text(toml.read_text().replace("sqlite:///signalbox.db", store))
        else:
            (folder / "signalbox.db").write_bytes(_new_store())
        bot = Bot(config.load(folder / "signalbox.toml", environ), environ)
        env = World(ws, {plane.name: plane for plane in wanted}, folder, environ, bot)
        try:
            await bot.start()
            yield env
        finally:
            await env.bot.close()


@cache
def _new_store() -> bytes:
    """The file of an empty store. To make its tables takes longer than the rest of a start."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "signalbox.db")
        open_store(str(path)).close_sync()
        return path.read_bytes()


async def stored(store: Store) -> str:
    """All rows of all tables."""
    names = [table.name for table in TABLES]
    return await store.database.read(
        lambda db: "".join(str(db.execute(f"SELECT * FROM {n}").fetchall()) for n in names)
    )
