"""A stand for any kind: its simulated plane and the real adapter between the program's own call and a socket."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from bot import config, plugins
from bot.build import secrets_in
from bot.core.card import Card
from bot.core.command.catalog import Catalog, check_params
from bot.core.command.parser import parse, parse_target
from bot.core.effects import Attempt
from bot.core.intent import Actor, Command, Intent, Place, Source
from bot.core.masking.redact import SecretList
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Outcome, RunView
from bot.core.ports.plugin import Plugin
from bot.core.ports.services import Backend
from bot.core.sign_in import SignInPause
from bot.demo.run import backend_table
from bot.operations import backend_call
from bot.playground.planes.clock import PlaneClock
from bot.playground.planes.common import Plane
from bot.playground.planes.demo import demo_planes
from bot.playground.planes.wire import Received
from bot.runtime.context import Context
from bot.runtime.spool import FileSpool
from bot.runtime.task_queue import TaskQueue
from tests.backends.contract_samples import SAMPLES, KindSamples, Sample
from tests.backends.fakes import Attached, CountingIds, Memory
from tests.backends.tape import Tape

CALM = 25.0  # seconds: more than any call on a plane takes that shows no fault


class PlaneTime:
    """The program's clock, and the plane's: sleeping moves both on, at `pace` times the real pace."""

    def __init__(self, clock: PlaneClock, pace: float = 200.0) -> None:
        self.plane = clock
        self.pace = pace
        self._began = clock.now()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.plane.now(), UTC)

    def monotonic(self) -> float:
        return self.plane.now() - self._began

    async def sleep(self, seconds: float) -> None:
        self.plane.advance(seconds)
        await asyncio.sleep(seconds / self.pace)


@dataclass
class Screen:
    """What the asker was shown."""

    cards: list[Card] = field(default_factory=list)

    async def show(self, card: Card, reply: object = None, *, replace: bool = False) -> None:
        self.cards.append(card)


class Files:
    """Every attached file is the same one."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> Attached:
        return Attached("input.csv", b"URL\nhttps://shop.example.com\n")


class Facts:
    """Of the store what a call needs: small things by their key."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def value(self, key: str) -> Any:
        return self.kept.get(key)

    async def set_value(self, key: str, value: Any, at: str) -> None:
        self.kept[key] = value

    async def made_by_others(self, request_id: str, backend: str, since: Any) -> frozenset[str]:
        return frozenset()


@dataclass
class Given:
    """BackendParts, and what a call needs of the context."""

    name: str
    clock: PlaneTime
    ids: CountingIds
    target_cache: Memory
    spool: FileSpool
    files: Files
    presenter: Screen
    zone: str = "UTC"
    tasks: TaskQueue = field(default_factory=TaskQueue)
    store: Facts = field(default_factory=Facts)
    secrets: SecretList = field(default_factory=SecretList)
    may_send: Callable[[], bool] = lambda: True
    sign_in: SignInPause = field(default_factory=SignInPause)
    backends: dict[str, Backend] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=lambda: Catalog({}))


INTENT = Intent(
    request_id="r-0000000000000a",
    dedupe_key="contract",
    actor=Actor(user_id="U0ANA", team_id="T0HOME"),
    place=Place(team_id="T0HOME", channel_id="C0CRAWL"),
    source=Source.COMMAND,
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    payload=Command(verb="status"),
)


@dataclass
class Stand:
    """`plane` and `backend` are joined. `words` fill the blanks of the samples."""

    plugin: Plugin
    plane: Plane
    backend: Backend
    settings: Any
    given: Given
    words: dict[str, str]

    @property
    def catalog(self) -> Catalog:
        return self.given.catalog

    @property
    def told(self) -> list[str]:
        return [card.status for card in self.given.presenter.cards]

    async def target(self, text: str) -> Target:
        """What stands for this text, by the grammar and the backend."""
        ref = parse_target(text, self.catalog)
        assert not isinstance(ref, str), ref
        kind, path = self.catalog.split_path(ref.backend, ref.path)
        return await self.backend.resolve(ref.model_copy(update={"path": path}), kind)

    async def operation(self, typed: str, *, files: bool = False) -> Operation:
        """The operation of a typed command, made as the program makes it."""
        command = parse(typed, self.catalog)
        assert isinstance(command, Command), command
        assert command.target is not None, typed
        target = await self.target(command.target)
        row = self.catalog.capability(self.backend.name, command.verb, target.kind)
        assert row is not None, (command.verb, target.kind)
        return Operation.of(
            row,
            request_id=self.given.ids.request(),
            target=target,
            given=check_params(row.params, command.params),
            reason=command.reason,
            words=command.params,
            files=("F1",) if files else (),
        )

    async def call(self, operation: Operation) -> Outcome:
        """the program's own call: under the row's deadline, and problems mapped to outcomes."""
        async with asyncio.timeout(CALM):
            return await backend_call.call(cast(Context, self.given), Attempt(INTENT, operation))

    async def prepared(self, sample: Sample) -> Operation:
        """The operation of a sample, after what it needs to have happened before."""
        for typed in sample.first:
            result = await self.call(await self.operation(typed.format(**self.words)))
            assert isinstance(result, Done), (typed, result)
            self.words["run"] = result.run.id if result.run else self.words.get("run", "")
            self.given.clock.plane.advance(sample.wait)
        return await self.operation(sample.typed.format(**self.words), files=sample.files)

    async def view(self, run: Target) -> RunView:
        """How a followed run stands now."""
        return (await self.backend.poll(run.group or run.id, [run]))[run.id]

    def requests(self, since: int = 0) -> list[str]:
        """`METHOD path` of what the plane received."""
        return [wire_of(one) for one in self.plane.requests[since:]]


def wire_of(received: Received) -> str:
    return f"{received.method} {received.raw_path}"


def demo_plane(kind: str, clock: PlaneClock) -> Plane:
    """The plane of that kind in the demo, not started."""
    found = demo_planes(clock, only=(samples_of(kind).name,))
    assert [plane.kind for plane in found] == [kind], f"the demo has no plane of the kind {kind}"
    return found[0]


def samples_of(kind: str) -> KindSamples:
    assert kind in SAMPLES, f"tests/backends/contract_samples.py has no table for the kind {kind}"
    return SAMPLES[kind]


def build(
    plane: Plane, folder: Path, clock: PlaneTime, *, name: str | None = None, base_url: str | None = None
) -> tuple[Any, Backend, Given]:
    """Settings, backend and what it was given, from the `[[backend]]` table that the demo writes for this plane.

    `base_url` is where the backend finds the plane, if not at its own address.
    """
    plugin = plugins.load(plane.kind)
    text, environ = backend_table(plane)
    text = text.replace(plane.base_url, base_url or plane.base_url)
    table = tomllib.loads(text)["backend"][0]
    table["name"] = name or table["name"]
    settings = config.backend_settings(table, plugin.settings, folder, environ)
    spool = FileSpool(folder / "spool")
    spool.prepare()
    given = Given(settings.name, clock, CountingIds(), Memory(clock), spool, Files(), Screen())
    given.secrets.configure(*secrets_in(settings))
    given.backends[settings.name] = plugin.build(settings, given)
    given.catalog = Catalog({settings.name: plugin.spec})
    return settings, given.backends[settings.name], given


@asynccontextmanager
async def standing(
    kind: str, folder: Path, *, more: Callable[[Any], None] | None = None, tape: Tape | None = None
) -> AsyncIterator[Stand]:
    """Plane and backend of a kind, both closed again. `more` puts more things on the plane; `tape` stands between the two."""
    samples = samples_of(kind)
    # From the machine's time on, for the Date headers of the planes' replies show that one.
    clock = PlaneClock(rate=0)
    plane = demo_plane(kind, clock)
    words = samples.prepare(plane)
    if more is not None:
        more(plane)
    async with plane, AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(tape.before(plane.base_url)) if tape is not None else None
        settings, backend, given = build(plane, folder, PlaneTime(clock), base_url=base_url)
        try:
            yield Stand(plugins.load(kind), plane, backend, settings, given, words)
        finally:
            await backend.close()
