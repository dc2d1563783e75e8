"""Accepts requests in a new SQLite store, one commit for each: `PYTHONPATH=TREE python tests/bench/accepts.py COUNT`.

It runs with any version of the program, so that two can be compared. On a busy machine, times say little; count instructions:
`valgrind --tool=cachegrind --cache-sim=no python tests/bench/accepts.py 600`, minus the same with 200, is 400 requests.
"""

import asyncio
import gc
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def found(*places: str) -> Any:
    """The first of these that this version of the program has; each is `module:name`."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue
    raise SystemExit(f"none of {', '.join(places)} is in PYTHONPATH")


def main(count: int) -> None:
    """Print the processor time and the median of the time per request."""
    samples = ("tests.store.samples", "tests.store.sqlite.samples")  # since the store has two drivers, and before
    intent, row = (found(*(f"{place}:{name}" for place in samples)) for name in ("intent", "row"))
    opener = found("bot.store.open:open_store", "bot.store.sqlite.store:Store")
    with tempfile.TemporaryDirectory() as folder:
        store = getattr(opener, "open", opener)(str(Path(folder) / "store.db"))
        times = asyncio.run(accepts(store, [(intent(f"r{n}"), [row(request_id=f"r{n}")]) for n in range(count)]))
        store.close_sync()
    print(f"{times[0]:.0f} us of processor time, median {sorted(times[1:])[count // 2]:.0f} us")  # noqa: T201  its output


async def accepts(store: Any, requests: list[tuple[Any, Any]]) -> list[float]:
    """Microseconds: of processor time per request, then of each request."""
    gc.disable()  # a collection in one of two runs would count as a difference
    began, times = time.process_time(), []
    for request, rows in requests:
        since = time.perf_counter()
        await store.accept(request, rows, begun=True)
        times.append((time.perf_counter() - since) * 1e6)
    return [(time.process_time() - began) / len(requests) * 1e6, *times]


if __name__ == "__main__":
    main(int(sys.argv[1]))
