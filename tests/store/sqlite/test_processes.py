"""Real processes: a kill -9 at any step loses no committed row, and two writers keep one chain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.core.audit import Event
from bot.core.records import Filters
from bot.store.open import open_store
from tests.store.samples import NOW, operation, row

HERE = Path(__file__).parent


def started(mode: str, path: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.sqlite.child_writer", mode, path, name, str(count)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), str(HERE)])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def killed_after(path: str, lines: int) -> list[str]:
    """What a child told before it was killed, the last lines of its pipe included."""
    with started("requests", path, "a", 10_000) as child:
        assert child.stdout is not None
        lines_read = [child.stdout.readline().strip() for _ in range(lines + 1)]
        child.send_signal(signal.SIGKILL)
        lines_read += child.stdout.read().split("\n")
    return [line for line in lines_read if line and line != "ready"]


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5, 6, 7, 41, 137])
async def test_a_killed_process_loses_nothing_that_it_was_told_is_written(path: str, lines: int) -> None:
    lines_read = killed_after(path, lines)
    assert len(lines_read) >= lines
    store = open_store(path, exclusive=True)
    assert store.verify_sync(await store.head()).ok
    open_requests = {request.request_id: request.state for request in await store.unfinished()}
    for line in lines_read:
        request_id, event = line.split()
        if event == "working":
            continue
        found = [entry.event for entry in await store.search(Filters(request_id=request_id))]
        assert event in found, line
    assert len(open_requests) <= 1, "one request was under way"
    for request_id, state in open_requests.items():
        events = [entry.event for entry in await store.search(Filters(request_id=request_id))]
        assert (state == "sending") is (Event.SENT in events), "the state and the row are one step"
        if state == "sending":
            assert not await store.begin(request_id, NOW)
            assert not await store.sending(request_id, operation(request_id), row(Event.SENT, request_id), NOW)
    finished = {line.split()[0] for line in lines_read if line.endswith("done")}
    assert {f"w-{request_id}" for request_id in finished} <= {watch.id for watch in await store.open_watches()}
    assert await store.append(row(request_id="afterwards")) > 0
    await store.close()


async def test_two_processes_that_write_at_once_keep_one_chain(path: str) -> None:
    open_store(path).close_sync()
    count = 150
    children = [started("appends", path, name, count) for name in ("a", "b")]
    store = open_store(path)
    for number in range(count):
        await store.append(row(request_id=f"own-{number}"))
    for child in children:
        output, _ = child.communicate(timeout=200)
        assert child.returncode == 0
        assert len(output.split("\n")) == count + 2
    verdict = store.verify_sync(await store.head())
    assert verdict.ok, verdict.why
    assert verdict.rows == 3 * count
    seen = await store.search(Filters(), limit=500)
    writers = [entry.request_id.split("-")[0] for entry in seen]
    assert {name: writers.count(name) for name in ("own", "a", "b")} == {"own": count, "a": count, "b": count}
    await store.close()
