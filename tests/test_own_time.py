"""Which waits of a test may be shortened."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.store.open import open_store
from bot.store.store import Store
from tests.own_time import OwnTimeLoop


@pytest.fixture
def _hurried() -> None:
    """As in a test whose world is all in this process."""
    OwnTimeLoop.hurries = True


@pytest.fixture
async def store(tmp_path: Path, _hurried: None) -> Store:
    return open_store(str(tmp_path / "signalbox.db"))


def counted() -> Callable[[], float]:
    """By how many seconds the loop gets ahead of the machine from now on: at most 0 where nothing is shortened. The machine's
    time is read first and last."""
    loop = asyncio.get_running_loop()
    before = -time.monotonic() + loop.time()
    return lambda: loop.time() - time.monotonic() - before


async def ticks() -> None:
    """Timers that would be waited for in a hundredth of their time."""
    while True:  # noqa: ASYNC110  it is about the sleep
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("_hurried")
async def test_a_wait_in_which_nothing_happens_is_shortened() -> None:
    ahead = counted()
    while ahead() <= 0:  # noqa: ASYNC110  a busy machine may need several
        await asyncio.sleep(1)


@pytest.mark.usefixtures("_hurried")
async def test_a_thread_at_work_takes_its_own_time() -> None:
    ahead, ticking = counted(), asyncio.ensure_future(ticks())
    await asyncio.to_thread(threading.Event().wait, 0.2)
    assert ahead() <= 0
    ticking.cancel()


@pytest.mark.parametrize("access", ["read", "write"])
async def test_the_store_at_work_takes_its_own_time(store: Store, access: str) -> None:
    ahead, ticking = counted(), asyncio.ensure_future(ticks())
    await getattr(store.database, access)(lambda _: threading.Event().wait(0.2))
    assert ahead() <= 0
    ticking.cancel()
    await store.close()


@pytest.mark.usefixtures("_hurried")
async def test_nothing_is_shortened_once_another_process_takes_part() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])  # noqa: ASYNC220  it begins at once
    ahead = counted()
    await asyncio.sleep(0.2)
    assert ahead() <= 0
    process.wait()


async def test_a_write_begins_when_it_is_called_as_in_the_program(store: Store) -> None:
    """Not when it is first waited for: a request is handed to the store before anything else may run."""
    began = threading.Event()
    writing = store.database.write(lambda _: began.set())
    assert began.wait(30)
    await writing
    await store.close()
