"""A real process on the store, for tests that kill it or run several: python child_writer.py MODE PATH NAME COUNT."""

from __future__ import annotations

import asyncio
import sys

from bot.core.audit import Event
from bot.store.open import open_store
from bot.store.store import Store
from tests.store.samples import NOW, intent, operation, row, watch


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def requests(store: Store, name: str, count: int) -> None:
    """Work requests through; every step is told once it is committed."""
    for number in range(count):
        key = f"{name}-{number}"
        await store.accept(intent(key), [row(request_id=key)])
        say(f"{key} requested")
        await store.begin(key, NOW)
        say(f"{key} working")
        await store.sending(key, operation(key), row(Event.SENT, key), NOW)
        say(f"{key} sent")
        await store.finish(key, [row(Event.DONE, key)], NOW, watch=watch(f"w-{key}"))
        say(f"{key} done")


async def appends(store: Store, name: str, count: int) -> None:
    """Append rows one by one."""
    for number in range(count):
        await store.append(row(request_id=f"{name}-{number}"))
        say(f"{name}-{number} requested")


async def main(mode: str, path: str, name: str, count: int) -> None:
    store = open_store(path)
    say("ready")
    await {"requests": requests, "appends": appends}[mode](store, name, count)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
