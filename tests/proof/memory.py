"""The store's database in memory, and where a process that uses it loses its turn or its life.

The units and the SQL are the store's own; they run one after the other on one connection, so that whole steps can be undone and a
process can die after any transaction.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol, TypeVar

import sqlite_utils

from bot.runtime.task_queue import KeyedLock
from bot.store.database import Unit
from bot.store.sqlite.database import SqliteDatabase, SqliteTx
from bot.store.sqlite.driver import sqlite3
from bot.store.sqlite.schema import migrate
from bot.store.tables import audit

T = TypeVar("T")


class Turns(Protocol):
    """Whose turn it is. Awaited before every access to the store, and told every statement and every wait for a lock."""

    async def __call__(self) -> None: ...

    def heard(self, sql: str) -> None: ...

    def waiting(self) -> AbstractContextManager[None]: ...


class Gate:
    """Where a process may lose its turn or its life: before every access to the store, and after every durable thing."""

    def __init__(self, dies_after: int | None = None, turn: Turns | None = None) -> None:
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


Touch = tuple[str, bool]  # a table, and whether it is changed


@cache
def touched(sql: str) -> frozenset[Touch]:
    """The tables of a statement. The head of the audit log is none: each entry follows the last one, whichever that is."""
    if sql == audit.HEAD:
        return frozenset()
    changes = re.match(r"\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM) (\w+)", sql)
    tables = re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE) (\w+)", sql)
    return frozenset((table, changes is not None and table == changes[1]) for table in tables)


def part(turn: set[Touch], others: Iterable[set[Touch]]) -> bool:
    """Whether this turn and each of the others come out the same in either order. One without a statement is of the world
    outside, and so disturbs every other one."""
    return all(
        turn and other and not any(table == its and (changes or too) for table, changes in turn for its, too in other)
        for other in others
    )


TurnsOfTwo = tuple[list[set[Touch]], ...]  # what each turn of each of two works touched


async def every_order(run: Callable[[int, int], Awaitable[TurnsOfTwo]], *, each: bool = False) -> None:
    """Run two works once for every place at which the first loses its turn and every one at which the second does.

    Two turns that touch nothing that the other one changes come out the same in either order. A cut that differs only by
    the order of such turns from one that was tried is not tried again, unless `each`.
    """
    known: dict[tuple[int, int], TurnsOfTwo] = {}
    for first in itertools.count(1):
        for second in itertools.count(1):
            mine, others = known.pop((first, second), None) or await run(first, second)
            if second < len(others) and not each and part(others[second], mine[first:]):
                known[first, second + 1] = mine, others
            if first < len(mine) and not each and part(mine[first], others[:second]):
                known[first + 1, second] = mine, others
            if second >= len(others):
                break
        if first >= len(mine):
            break


_OWNER: ContextVar[int] = ContextVar("owner", default=-1)


class PlannedTurns:
    """Lets several works go on in a given order: `plan` says whose turn it is and for how many accesses, None to the end.
    While that one waits for a lock, the others go on until they release it."""

    def __init__(self, plan: Sequence[tuple[int, int | None]]) -> None:
        self._plan = [segment for segment in plan if segment[1] != 0]
        self._locked_out: list[int] = []
        self.turns: tuple[list[set[Touch]], ...] = tuple([] for _ in {owner for owner, _ in plan})

    async def __call__(self) -> None:
        """Wait until it is the turn of whoever asks. Work that belongs to nobody never waits."""
        owner = _OWNER.get()
        while owner >= 0 and self._plan and self._plan[0][0] not in (owner, *self._locked_out):  # noqa: ASYNC110  yielding is what a turn is
            await asyncio.sleep(0)
        if owner >= 0 and self._plan and self._plan[0][0] == owner:
            left = self._plan[0][1]
            if left is not None:
                self._plan[:1] = [(owner, left - 1)] if left > 1 else []
        if owner >= 0:
            self.turns[owner].append(set())

    def heard(self, sql: str) -> None:
        """A statement of the turn that goes on."""
        owner = _OWNER.get()
        if owner >= 0:
            self.turns[owner][-1] |= touched(sql)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the wait for a lock."""
        owner = _OWNER.get()
        self._locked_out.append(owner)
        try:
            yield
        finally:
            self._locked_out.remove(owner)

    async def as_owner(self, owner: int, work: Coroutine[Any, Any, T]) -> T:
        """Do this work, and what it starts, in its turns."""
        _OWNER.set(owner)
        try:
            return await work
        finally:
            self._plan = [segment for segment in self._plan if segment[0] != owner]


class TurnLocks(KeyedLock):
    """The program's locks, whose waits the gate's turns are told."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of that name."""
        async with AsyncExitStack() as stack:
            with self._gate.turn.waiting() if self._gate.turn is not None else nullcontext():
                await stack.enter_async_context(super().of(name))
            yield


class MemoryDatabase(SqliteDatabase):
    """The store's database in memory, without threads: each unit whole or not at all. `mark` and `back` undo whole steps."""

    def __init__(self) -> None:
        self.path = ":memory:"
        self.gate = Gate()
        self._jobs = queue.SimpleQueue()
        self._closing = threading.Lock()
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=256)
        _template().backup(connection)
        connection.execute("PRAGMA foreign_keys=ON")
        self._tx = SqliteTx(connection)
        self._tx.execute, self._tx.executemany = self._heard(connection.execute), self._heard(connection.executemany)
        self._marks = 0

    def _heard(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def run(sql: str, *parameters: Any) -> Any:
            if self.gate.turn is not None:
                self.gate.turn.heard(sql)
            return execute(sql, *parameters)

        return run

    def mark(self) -> None:
        """Remember how everything is now; marks nest."""
        self._marks += 1
        self._tx.execute(f"SAVEPOINT mark{self._marks}")

    def back(self) -> None:
        """Everything is as it was at the last mark, which is gone."""
        self._tx.execute(f"ROLLBACK TO mark{self._marks}")
        self._tx.execute(f"RELEASE mark{self._marks}")
        self._marks -= 1

    async def write(self, unit: Unit[T], *, urgent: bool = False, fenced: bool = True) -> T:
        """One transaction."""
        await self.gate.enter()
        result = self.write_sync(unit)
        self.gate.leave()
        return result

    def write_sync(self, unit: Unit[T]) -> T:
        """`write` without the gate."""
        execute = self._tx.execute
        execute("SAVEPOINT unit")
        try:
            result = unit(self._tx)
        except BaseException:
            execute("ROLLBACK TO unit")
            raise
        finally:
            execute("RELEASE unit")
        return result

    async def read(self, unit: Unit[T]) -> T:
        """A read of the last commit."""
        await self.gate.enter()
        return unit(self._tx)

    async def glance(self, unit: Unit[T]) -> T:
        """The same."""
        return await self.read(unit)

    def read_sync(self, unit: Unit[T]) -> T:
        """`read` without the gate."""
        return unit(self._tx)

    def close_sync(self) -> None:
        """Forget it."""
        self._tx.connection.close()

    async def close(self) -> None:
        """Forget it."""
        self.close_sync()


@cache
def _template() -> Any:
    """An empty store: its tables, and nothing in them."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(sqlite_utils.Database(connection, execute_plugins=False))
    return connection
