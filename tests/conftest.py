"""Fixtures that every test may use."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import pytest
from httpx._urlparse import urlparse
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from bot.features.access import policy_reload
from bot.http_client import transport
from bot.playground.workspace.clock import PlaygroundClock
from bot.runtime import event_loop
from bot.runtime.clock import SystemClock
from bot.store.database import Database
from tests import own_time
from tests.cli.program import Program
from tests.fork_server import ForkServer
from tests.postgres import database_url, empty_store, postgres, store_url  # noqa: F401  fixtures for every test
from tests.world import World, world

# No seconds are asserted anywhere, by nor by Hypothesis: a slow machine isn't a fault of the code. The examples are the same in
# every run, so that a change is judged by what it changed; SIGNALBOX_RANDOM=1 draws new ones.
settings.register_profile("signalbox", deadline=None, derandomize=os.environ.get("SIGNALBOX_RANDOM") != "1")
settings.load_profile("signalbox")


# Files that take longest, longest first. They are handed out before all others, so that no worker ends the run alone with one
# of them. Where a place is wrong the run is only a little longer.
LONGEST = (
    "proof/test_interleavings.py",
    "faults/test_replicas.py",
    "faults/test_scaling_page.py",
    "backends/test_tolerant_readers.py",
    "faults/test_kill.py",
    "playground/test_cards.py",
    "store/postgres/test_in_doubt.py",
    "playground/test_page.py",
    "store/postgres/test_leadership.py",
    "core/policy/test_properties.py",
    "store/postgres/test_restored.py",
    "bench/test_bench.py",
    "faults/test_failover.py",
    "render/test_card.py",
    "store/postgres/test_bot.py",
    "test_docs_commands.py",
    "demo/test_replicas.py",
    "faults/test_two_stores.py",
    "scenarios/test_tour.py",
    "scenarios/test_outsiders.py",
    "scenarios/test_home.py",
    "scenarios/test_slack_refuses.py",
    "scenarios/test_run_card.py",
    "test_docs.py",
    "scenarios/test_troubles.py",
    "scenarios/test_guardrails.py",
    "proof/test_random_histories.py",
    "scenarios/test_retried_card.py",
    "cli/test_cli.py",
    "scenarios/test_suggestions.py",
    "scenarios/test_approvals.py",
    "backends/test_contract_faults.py",
    "scenarios/test_pauses_end.py",
    "cli/test_do.py",
    "scenarios/test_crash_in_a_call.py",
    "scenarios/test_breakglass.py",
    "slack/test_http_strangers.py",
    "backends/test_contract_shown.py",
    "proof/test_identity.py",
    "scenarios/test_one_message_one_request.py",
    "backends/test_contract_side_by_side.py",
    "backends/sequentum/test_files.py",
)
# Files that are so long that their tests are handed out in several parts.
PARTS = {"tests/proof/test_interleavings.py": 3, "tests/backends/test_tolerant_readers.py": 3}
# Files that rather wait for other processes than compute. Half of the workers begin with these and half with the others, so that
# the processors neither stand still nor are short all the time.
WAITING = tuple(
    f"tests/{start}"
    for start in (
        "bench/",
        "cli/",
        "demo/",
        "faults/",
        "playground/test_",
        "scenarios/test_crash_in_a_call",
        "store/",
        "test_docs_commands",
    )
)
TESTS = Path(__file__).parent
# Files in memory cost neither a disk's time nor the wait for it. They are gone when the run ends: set TMPDIR to keep those of
# failed tests.
MEMORY, ROOM = Path("/dev/shm"), 3 * 2**30
IN_USE = ".in-use"
# Where the world of a test is in its process, as a rule.
HURRIED = ("backends", "features", "http_client", "intents", "operations", "proof", "scenarios", "slack")
OF_SEVERAL_PROCESSES = ("faults", "demo")


def _has_room() -> bool:
    """Whether temporary files and programs can be in memory."""
    try:
        found = os.statvfs(MEMORY)
        available = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    except OSError:
        return False
    free = min(found.f_bavail * found.f_frsize, 1024 * int(available[1]) // 2 if available else 0)
    return free >= ROOM and not found.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK)


def _remove_what_killed_runs_left() -> None:
    """A folder whose file nobody has locked is of a run that was killed. One without the file has just been made."""
    for left in MEMORY.glob("tests-*"):
        with suppress(OSError), (left / IN_USE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """xdist would hand out the files with the most tests first; ours come in the order in which they were collected."""
    config.option.loadscopereorder = False
    if "TMPDIR" not in os.environ and _has_room():
        _remove_what_killed_runs_left()
        os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="tests-", dir=MEMORY)
        Path(tempfile.tempdir).chmod(0o1777)  # PostgreSQL runs as another user
        config.add_cleanup(partial(shutil.rmtree, tempfile.tempdir, ignore_errors=True))
        made = os.open(Path(tempfile.tempdir, "made"), os.O_CREAT)  # open until this process ends
        fcntl.flock(made, fcntl.LOCK_EX)
        Path(tempfile.tempdir, "made").rename(Path(tempfile.tempdir, IN_USE))


class Scheduler(LoadFileScheduling):
    """Each file in one process, and each part of the longest ones."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return f"{file} {zlib.crc32(nodeid.encode()) % PARTS[file]}" if file in PARTS else file

    def _assign_work_unit(self, node: Any) -> None:
        waits = self.nodes.index(node) % 2 == 0
        scope = next((scope for scope in self.workqueue if scope.startswith(WAITING) == waits), None)
        if scope is not None:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler | None:
    """For `--dist loadfile`, which is how the whole suite runs."""
    return Scheduler(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they were."""
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Thousands of collected tests live to the end of the run: scanning them for garbage again and again helps nobody. With
    xdist, the process that hands them out collects nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        event_loop.settle()
        gc.enable()


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop of a test goes by the time of its process, unless other processes have to agree with it about the time."""
    folder = item.path.relative_to(TESTS).parts[0]
    return {"time": asyncio.SelectorEventLoop if folder in OF_SEVERAL_PROCESSES else own_time.OwnTimeLoop}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the fixtures, which may begin another process."""
    own_time.OwnTimeLoop.hurries = item.path.relative_to(TESTS).parts[0] in HURRIED


@pytest.fixture(scope="session", autouse=True)
def _clocks_of_own_time() -> Iterator[None]:
    """So do the clocks of the program and of the simulated Slack, while such a loop runs. It knows of the threads of a store and
    of other processes."""
    begin = subprocess.Popen.__init__

    def paced(*args: Any, **kwargs: Any) -> None:
        own_time.keep_pace()
        begin(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _: own_time.now())
        patch.setattr(SystemClock, "monotonic", lambda _: own_time.monotonic())
        patch.setattr(PlaygroundClock, "wall", lambda _: own_time.wall())
        patch.setattr(subprocess.Popen, "__init__", paced)
        patch.setattr(Database, "write", own_time.elsewhere(Database.write))
        patch.setattr(Database, "_in_pool", own_time.elsewhere(Database._in_pool))
        yield


@pytest.fixture(scope="session", autouse=True)
def _authorities_read_once() -> Iterator[None]:
    """All clients share one context of the public authorities: reading those takes longer than most tests with a client."""
    with pytest.MonkeyPatch.context() as patch:
        read_once = cache(transport.tls_context)
        patch.setattr(transport, "tls_context", read_once)
        patch.setattr("bot.http_client.client.tls_context", read_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _addresses_parsed_once() -> Iterator[None]:
    """httpx looks at each letter of each address, and the tests call few addresses often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._urls.urlparse", lru_cache(2_000)(urlparse))
        yield


@pytest.fixture(scope="session", autouse=True)
def _rules_read_once() -> Iterator[None]:
    """Rules are values, and most worlds have the same ones: each text is read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy_reload, "parse_policy", cache(policy_reload.parse_policy))
        yield


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """The process that forks the program, one for all files of a test process."""
    made = ForkServer(patient=True)
    yield made
    made.close()


@pytest.fixture
def program(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program, to be run with arguments."""
    return Program(fork_server, tmp_path_factory.mktemp("printed"))


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[World]:
    """A running world with one simulated ACC and rules that let the crawl team do everything in #crawl-ops."""
    async with world(tmp_path) as made:
        yield made
