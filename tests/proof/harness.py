"""The real pipeline on the real store, with an outside world of plain values: Slack, people, a control plane, the clock.

Nothing of the program is replaced but its ports. Requests come in by `Pipeline.submit`, built as the doors build them, and a
press carries the id of a button that was shown. The store runs its own units and SQL, one after the other on one
connection in memory, so that a world can be copied and a process can die after any transaction.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import zlib
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlite_utils

from bot.core.capability import BackendRows, Capability, Risk, TargetKind
from bot.core.card import Card, Delivery, FormView, HomeView
from bot.core.catalog import Catalog
from bot.core.ids import TargetRef
from bot.core.intent import Actor, Ask, Command, Door, Due, Form, Intent, Place, Press, Reply
from bot.core.operation import Operation, Target
from bot.core.outcome import Done, Health, LookBack, Named, RunView
from bot.core.policy import Member, Policy, Subject, Where, parse_policy
from bot.core.ports import Call
from bot.core.problems import NoSuchTarget
from bot.core.receipt import Receipt
from bot.core.rows import ButtonRow, Outgoing, stamp
from bot.pipeline.deps import Deps, PolicyNow
from bot.pipeline.drain import Drain
from bot.pipeline.front import Pipeline
from bot.pipeline.health import HealthBoard
from bot.pipeline.recover import recover
from bot.store.db import Database
from bot.store.driver import sqlite3
from bot.store.names import StoreNames
from bot.store.unit import Store

T = TypeVar("T")
Unit = Callable[[sqlite_utils.Database], T]

HOME: Final = "T0ACME"
ELSEWHERE: Final = "T0OTHER"
ROOM: Final = "C0ROOM"
DECIDING: Final = "C0APPR"
GROUP: Final = "S0DECIDE"
START: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIFE: Final = timedelta(minutes=10)
ROWS: Final = BackendRows(
    kind="box",
    title="Box",
    targets=(TargetKind(name="lamp", prefix=None, help="A lamp", example="box:lamp"),),
    capabilities=(
        Capability(
            verb="start",
            target="lamp",
            risk=Risk.CHANGE,
            repeat_safe=False,
            deadline=30.0,
            help="Light it",
            example="start box:lamp",
            effect="The lamp burns.",
        ),
    ),
)


class Gate:
    """Where a process may lose its turn or its life: before every access to the store, and after every durable thing."""

    def __init__(self, dies_after: int | None = None, turn: Callable[[], Awaitable[None]] | None = None) -> None:
        self.dies_after = dies_after
        self.turn = turn
        self.durable = 0
        self.dead = False

    async def enter(self) -> None:
        """Wait for the turn; a dead process goes no further."""
        if self.turn is not None:
            await self.turn()
        if self.dead:
            raise asyncio.CancelledError

    def leave(self) -> None:
        """Something durable was done: the moment at which the process may die."""
        self.durable += 1
        if self.dies_after is not None and self.durable >= self.dies_after:
            self.dead = True
        if self.dead:
            raise asyncio.CancelledError


_OWNER: ContextVar[int] = ContextVar("owner", default=-1)


class Turns:
    """Lets several works go on in a given order: `plan` says whose turn it is and for how many accesses, None to the end."""

    def __init__(self, plan: Sequence[tuple[int, int | None]]) -> None:
        self._plan = [segment for segment in plan if segment[1] != 0]
        self.used_all = True

    async def __call__(self) -> None:
        """Wait until it is the turn of whoever asks. Work that belongs to nobody never waits."""
        owner = _OWNER.get()
        while owner >= 0 and self._plan and self._plan[0][0] != owner:
            await asyncio.sleep(0)
        if owner >= 0 and self._plan:
            left = self._plan[0][1]
            if left is not None:
                self._plan[:1] = [(owner, left - 1)] if left > 1 else []

    async def as_owner(self, owner: int, work: Coroutine[Any, Any, T]) -> T:
        """Do this work, and what it starts, in its turns."""
        _OWNER.set(owner)
        try:
            return await work
        finally:
            if any(mine == owner and left is not None for mine, left in self._plan):
                self.used_all = False
            self._plan = [segment for segment in self._plan if segment[0] != owner]


class MemoryDatabase(Database):
    """The store's database in memory: the same units, each whole or not at all, without threads. `mark` and `back` undo whole steps."""

    def __init__(self, image: bytes | None = None) -> None:
        self.path = ":memory:"
        self.gate = Gate()
        self._jobs = queue.SimpleQueue()
        self._closing = threading.Lock()
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=256)
        if image is not None:
            _load(connection, image)
        connection.execute("PRAGMA foreign_keys=ON")
        self._db = sqlite_utils.Database(connection, execute_plugins=False)
        self._marks = 0

    def mark(self) -> None:
        """Remember how everything is now; marks nest."""
        self._marks += 1
        self._db.conn.execute(f"SAVEPOINT mark{self._marks}")

    def back(self) -> None:
        """Everything is as it was at the last mark, which is gone."""
        self._db.conn.execute(f"ROLLBACK TO mark{self._marks}")
        self._db.conn.execute(f"RELEASE mark{self._marks}")
        self._marks -= 1

    async def write(self, unit: Unit[T]) -> T:
        """One transaction."""
        await self.gate.enter()
        result = self.write_sync(unit)
        self.gate.leave()
        return result

    def write_sync(self, unit: Unit[T]) -> T:
        """`write` without the gate."""
        execute = self._db.conn.execute
        execute("SAVEPOINT unit")
        try:
            result = unit(self._db)
        except BaseException:
            execute("ROLLBACK TO unit")
            raise
        finally:
            execute("RELEASE unit")
        return result

    async def read(self, unit: Unit[T]) -> T:
        """A read of the last commit."""
        await self.gate.enter()
        return unit(self._db)

    def read_sync(self, unit: Unit[T]) -> T:
        """`read` without the gate."""
        return unit(self._db)

    def image(self) -> bytes:
        """The whole database, packed."""
        return zlib.compress(_dumped(self._db.conn), 1)

    def close_sync(self) -> None:
        """Forget it."""
        self._db.conn.close()

    async def close(self) -> None:
        """Forget it."""
        self.close_sync()


def _scratch() -> Path:
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    return folder / f"signalbox-proof-{threading.get_native_id()}.db"


def _dumped(connection: Any) -> bytes:
    path = _scratch()
    path.unlink(missing_ok=True)
    other = sqlite3.connect(str(path))
    connection.backup(other)
    other.close()
    found = path.read_bytes()
    path.unlink()
    return found


def _load(connection: Any, image: bytes) -> None:
    path = _scratch()
    path.write_bytes(zlib.decompress(image))
    other = sqlite3.connect(str(path))
    other.backup(connection)
    other.close()
    path.unlink()


@cache
def empty_image() -> bytes:
    """A store that has its tables and nothing in them."""
    path = _scratch().with_suffix(".empty")
    path.unlink(missing_ok=True)
    Store.open(str(path)).close_sync()
    found = path.read_bytes()
    for leftover in path.parent.glob(path.name + "*"):
        leftover.unlink()
    return zlib.compress(found, 1)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as Slack has it. `flags` are those of a Subject; `team` is the person's own workspace."""

    flags: tuple[str, ...] = ()
    team: str = HOME
    known: bool = True


@dataclass(slots=True)
class Outside:
    """Everything that survives the process: Slack's people and groups, the control plane, the clock, the ids given out."""

    people: dict[str, Account]
    groups: dict[str, tuple[str, ...] | None]
    policy: str
    now: datetime = START
    ids: int = 0
    asked: int = 0
    lamp: str = "lamp-1"
    lamp_state: str = "dark"
    calls: list[str] = field(default_factory=list)
    form: tuple[str, str, str] | None = None
    frozen: bool = False

    def copy(self) -> Outside:
        """One that can change alone."""
        return replace(self, people=dict(self.people), groups=dict(self.groups), calls=list(self.calls))


class OutsideClock:
    """A clock that stands until a test moves it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def now(self) -> datetime:
        return self._outside.now

    def monotonic(self) -> float:
        return (self._outside.now - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class CountedIds:
    """Ids that count up, so that a history can be told again."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def request(self) -> str:
        return f"r-{self._next():014d}"

    def secret(self) -> str:
        return f"s{self._next():025d}"

    def guid(self) -> str:
        return f"00000000-0000-4000-8000-{self._next():012d}"

    def _next(self) -> int:
        self._outside.ids += 1
        return self._outside.ids


class OutsideDirectory:
    """What Slack says of people, groups and the one channel; always read anew."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def subject(self, actor: Actor, groups: Collection[str], *, max_age: float) -> Subject:
        account = self._outside.people.get(actor.user_id, Account(known=False))
        members = {group: self._member(group, actor.user_id) for group in groups}
        flags: dict[str, Any] = dict.fromkeys(account.flags, True)
        known = account.known and actor.team_id in ("", account.team, HOME)
        return Subject(user_id=actor.user_id, team_id=account.team, known=known, groups=members, **flags)

    def _member(self, group: str, user: str) -> Member:
        members = self._outside.groups.get(group)
        if members is None:
            return Member.UNREADABLE
        return Member.YES if user in members else Member.NO

    async def where(self, place: Place, *, max_age: float) -> Where:
        return Where(team_id=place.team_id, channel_id=place.channel_id, known=True, frozen=self._outside.frozen)

    async def members(self, group: str, *, max_age: float) -> tuple[str, ...] | None:
        return self._outside.groups.get(group)


class OutsideBackend:
    """A control plane with one lamp. It does what it is told, and cannot say afterwards what it was told."""

    name = "box"
    rows = ROWS

    def __init__(self, outside: Outside, gate: Gate) -> None:
        self._outside = outside
        self._gate = gate

    async def resolve(self, ref: TargetRef, kind: str | None) -> Target:
        if ref.path != "lamp":
            raise NoSuchTarget("There is no such lamp.")
        return Target(backend="box", kind="lamp", id=self._outside.lamp, name="lamp", scope="box:lamp")

    async def run(self, operation: Operation, call: Call) -> Done:
        await self._gate.enter()
        self._outside.calls.append(operation.target.id)
        self._gate.leave()
        return Done(summary="It burns.")

    async def state_of(self, target: Target) -> str:
        return self._outside.lamp_state

    async def preflight(self, operation: Operation) -> Sequence[tuple[str, str]]:
        return ()

    async def look_back(self, operation: Operation, sent_at: datetime) -> LookBack:
        return LookBack(evidence="A lamp keeps no record.")

    async def poll(self, group: str, runs: Sequence[Target]) -> Mapping[str, RunView]:
        return {}

    async def health(self) -> Health:
        return Health(ok=True, summary="here")

    async def targets(self) -> Sequence[Named]:
        return ()

    async def close(self) -> None:
        return None


class OutsideSlack:
    """The presenter: a message is stored as what it should be, as the outbox does, and is posted at once."""

    def __init__(self, store: Store, outside: Outside) -> None:
        self._store = store
        self._outside = outside

    async def show(self, card: Card, reply: Reply | None = None, *, replace: bool = False) -> None:
        made = stamp(self._outside.now)
        outgoing = Outgoing(
            key=card.key,
            kind="message" if card.only_for is None else "ephemeral",
            team_id=card.place.team_id,
            channel_id=card.place.channel_id,
            thread_ts=card.place.thread_ts,
            user_id=card.only_for,
            ts=f"ts-{card.key}" if card.only_for is None else None,
            body=card.model_dump(mode="json"),
            due_at=made,
        )
        buttons = [
            ButtonRow(id=b.id, message_key=card.key, payload=b.means, only_user=b.only_user, made_at=made)
            for b in card.buttons
        ]
        await self._store.show(outgoing, buttons)

    async def open_form(self, trigger_id: str, form: FormView) -> bool:
        self._outside.form = (form.form, form.token, trigger_id)
        return True

    async def deliver(self, delivery: Delivery) -> None:
        return None

    async def home(self, view: HomeView) -> None:
        return None

    async def step(self, step_id: str, *, ok: bool, text: str) -> None:
        return None


class NoFiles:
    """Nothing is attached and nothing is spooled here."""

    async def open(self, file_id: str, channel_id: str, user_id: str) -> Any:
        raise AssertionError("no files here")

    def create(self, suffix: str) -> Any:
        raise AssertionError("no files here")


@cache
def read_policy(text: str) -> Policy:
    """Policies are values: each text is read once."""
    return parse_policy(text)


class Town:
    """A process on its store, in its outside world."""

    def __init__(self, outside: Outside, image: bytes | None = None) -> None:
        self.outside = outside
        self.database = MemoryDatabase(empty_image() if image is None else image)
        self.boot()

    def boot(self, gate: Gate | None = None) -> None:
        """New objects on the same store, as after a start; `recover` is not part of it."""
        self.gate = self.database.gate = gate or Gate()
        self.store = Store(self.database, None)
        clock = OutsideClock(self.outside)
        backends = {"box": OutsideBackend(self.outside, self.gate)}
        self.drain = Drain()
        self.deps = Deps(
            clock=clock,
            ids=CountedIds(self.outside),
            catalog=Catalog({"box": ROWS}),
            backends=backends,
            store=self.store,
            names=StoreNames(self.store, clock),
            directory=OutsideDirectory(self.outside),
            presenter=OutsideSlack(self.store, self.outside),
            files=NoFiles(),
            spool=NoFiles(),
            drain=self.drain,
            policy=lambda: PolicyNow.of(read_policy(self.outside.policy), START),
            health=HealthBoard(backends, clock),
            home_team=HOME,
            zone="Europe/Berlin",
            command="/ops",
        )
        self.pipeline = Pipeline(self.deps)

    def image(self) -> bytes:
        """What is on the disk now."""
        return self.database.image()

    def close(self) -> None:
        """Forget it."""
        self.database.close_sync()

    async def settle(self) -> None:
        """Let everything that is under way come to its end."""
        while len(self.drain):
            await asyncio.sleep(0)

    async def ended(self, intent: Intent) -> None:
        """Wait for the end of this one request."""
        while any(task.get_name() == intent.request_id for task in self.drain._tasks):
            await asyncio.sleep(0)

    async def restart(self) -> None:
        """The process dies where it is, and the next one starts on the same store."""
        await self.drain.close(0)
        self.boot()
        await recover(self.deps)
        await self.settle()

    async def enter(
        self, user: str, ask: Ask, place: Place, *, door: Door, team: str = "", trigger: str | None = None
    ) -> tuple[Intent, Receipt | None]:
        """Through the front door; None instead of a receipt when the process died at it."""
        outside = self.outside
        outside.asked += 1
        number = outside.asked
        intent = Intent(
            request_id=self.deps.ids.request(),
            dedupe_key=f"door:{number}",
            actor=Actor(user_id=user, team_id=team or self._team(user)),
            place=place,
            door=door,
            at=outside.now,
            ask=ask,
            reply=Reply(trigger_id=trigger),
        )
        receipt = None
        with suppress(asyncio.CancelledError):
            receipt = await self.pipeline.submit(intent)
        return intent, receipt

    def _team(self, user: str) -> str:
        account = self.outside.people.get(user)
        return account.team if account is not None else HOME

    async def asks(self, user: str, reason: str = "it is dark") -> Intent:
        """Type the command."""
        ask = Command(verb="start", target="box:lamp", reason=reason)
        intent, _ = await self.enter(user, ask, Place(team_id=HOME, channel_id=ROOM), door=Door.COMMAND)
        await self.ended(intent)
        return intent

    async def presses(self, user: str, button: str, card: str, action: str = "approve") -> Intent:
        """Press a button by its id, on that card, and wait for what comes of it."""
        channel = DECIDING if card.startswith("approval:") else ROOM
        place = Place(team_id=HOME, channel_id=channel, message_ts=f"ts-{card}")
        trigger = f"trigger-{self.outside.asked}"
        intent, _ = await self.enter(
            user, Press(action=action, button=button), place, door=Door.BUTTON, trigger=trigger
        )
        await self.ended(intent)
        return intent

    async def submits(self, user: str, reason: str) -> Intent:
        """Send the modal that is open."""
        assert self.outside.form is not None
        form, token, _ = self.outside.form
        self.outside.form = None
        ask = Form(form=form, token=token, values={"reason": reason})
        intent, _ = await self.enter(user, ask, Place(team_id=HOME, channel_id=""), door=Door.MODAL)
        await self.ended(intent)
        return intent

    async def beats(self) -> None:
        """What the timers do: every hold whose time has come is said once."""
        for what, holds in (
            ("hold", await self.store.due_holds(self.outside.now)),
            ("remind", await self.store.remind_holds(self.outside.now)),
        ):
            for hold in holds:
                key = f"due:{what}:{hold.id}" + (f":{hold.remind_at}" if what == "remind" else "")
                intent = Intent(
                    request_id=self.deps.ids.request(),
                    dedupe_key=key,
                    actor=Actor(user_id=hold.intent.actor.user_id, team_id=HOME),
                    place=Place(team_id=HOME, channel_id=ROOM),
                    door=Door.TIMER,
                    at=self.outside.now,
                    ask=Due(what=what, row=hold.id),
                )
                with suppress(asyncio.CancelledError):
                    await self.pipeline.submit(intent)
                await self.ended(intent)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """A look into the file."""
        cursor = self.database.read_sync(lambda db: db.conn.execute(sql, values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def card(self, key: str) -> Card | None:
        """What Slack should show under that key now."""
        found = self.rows("SELECT body FROM messages WHERE key = ?", key)
        return Card.model_validate(json.loads(found[0]["body"])) if found else None
