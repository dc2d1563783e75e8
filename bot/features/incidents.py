"""Incidents: a channel or a thread is bound to one, and every request in it carries its name in the audit log."""

from typing import Final

from bot.core.intent import Place
from bot.core.ports.store import Store
from bot.core.value import Value

_KEY: Final = "incident:"


class Incident(Value):
    """An incident that is open in a channel, or in one thread of it. `opened_at` is a stamp."""

    name: str
    text: str
    channel_id: str
    thread_ts: str | None = None
    opened_at: str
    opened_by: str
    request_id: str

    @property
    def key(self) -> str:
        """Where the store keeps what is open in its place."""
        return _key(self.channel_id, self.thread_ts)


def thread_of(place: Place) -> str | None:
    """The thread that a message is in. The first message of a thread belongs to the channel."""
    return place.thread_ts if place.thread_ts != place.message_ts else None


async def open_in(store: Store, place: Place) -> Incident | None:
    """The incident of the thread, otherwise of the channel; None when none is open there."""
    if not place.channel_id:
        return None
    in_thread = await at(store, place.channel_id, place.thread_ts) if place.thread_ts is not None else None
    return in_thread or await at(store, place.channel_id, None)


async def at(store: Store, channel_id: str, thread_ts: str | None) -> Incident | None:
    """The incident that is open in exactly this place."""
    kept = await store.value(_key(channel_id, thread_ts))
    return Incident.stored(kept) if kept is not None else None


def keys(place: Place) -> tuple[str, ...]:
    """Where the store keeps the incident of the channel and that of the thread."""
    if not place.channel_id:
        return ()
    return tuple({_key(place.channel_id, None), _key(place.channel_id, place.thread_ts)})


def _key(channel_id: str, thread_ts: str | None) -> str:
    return f"{_KEY}{channel_id}:{thread_ts or ''}"
