"""What scenarios share: one request followed by its id, from the words typed to its card, its rows and its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.core.records import StoredEntry
from tests.world import World, labels, shown

OUTCOMES = frozenset({"done", "failed", "denied", "reconciled", "abandoned", "expired", "misread"})
UNDER_WAY = "Working on it"


@dataclass
class Asked:
    """One request of a person in a channel. `first_call` is where its requests begin in the plane's log."""

    env: World
    request_id: str
    user: str
    channel: str
    first_call: int

    @property
    def rows(self) -> list[StoredEntry]:
        """Its rows of the audit log, oldest first."""
        return list(self.env.audit(request_id=self.request_id))

    @property
    def events(self) -> list[str]:
        """The events of its rows, oldest first."""
        return [str(row.event) for row in self.rows]

    @property
    def calls(self) -> list[Any]:
        """Everything that the ACC was asked since."""
        return list(self.env.acc.requests[self.first_call :])

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Method and raw path of everything since that was no read."""
        return [(call.method, call.raw_path) for call in self.calls if call.method != "GET"]

    def row(self, event: str) -> StoredEntry:
        """Its only row of that event."""
        (found,) = [row for row in self.rows if row.event == event]
        return found

    async def ends(self, within: float = 30.0) -> str:
        """The event that ended it."""

        def over() -> str | None:
            return next((event for event in reversed(self.events) if event in OUTCOMES), None)

        return str(await self.env.until(over, within))

    async def card(self, *parts: str, but: str = UNDER_WAY, within: float = 30.0) -> dict[str, Any]:
        """Its newest message that shows all parts and not `but`."""

        def look(person: Any) -> dict[str, Any] | None:
            for message in reversed(person.messages(self.channel)):
                words = shown(message)
                if self.request_id in words and but not in words and all(part in words for part in parts):
                    return dict(message)
            return None

        return dict(await self.env.person(self.user).wait_for(look, timeout=within))

    async def press(self, label: str, *, by: str | None = None) -> dict[str, Any]:
        """Press a button of its newest message that has it; the message as it was."""
        person = self.env.person(self.user)

        def look(_: Any) -> dict[str, Any] | None:
            for message in reversed(person.messages(self.channel)):
                if self.request_id in shown(message) and label in labels(message):
                    return dict(message)
            return None

        message = dict(await person.wait_for(look))
        receipt = await self.env.person(by or self.user).press_label(self.channel, message["ts"], label, seen=message)
        assert receipt.acked, receipt
        return message


def newest(env: World, user: str, after: int) -> StoredEntry | None:
    """The first request of a person behind that `seq`."""
    rows = env.audit(user_id=user)
    return next((row for row in rows if row.seq > after and row.event in ("requested", "misread")), None)


def last_seq(env: World) -> int:
    """The seq of the audit log's last row."""
    return int((env.bot.store.head_sync() or "0:").partition(":")[0])


async def ask(env: World, text: str, *, user: str = "U0ANA", channel: str = "C0CRAWL") -> Asked:
    """Type `/ops TEXT`; it is in the audit log once it is acked."""
    seq, calls = last_seq(env), len(env.acc.requests)
    await env.say(text, user=user, channel=channel)
    return _asked(env, user, channel, seq, calls)


async def mention(
    env: World,
    text: str,
    *,
    user: str = "U0ANA",
    channel: str = "C0CRAWL",
    thread_ts: str | None = None,
    files: tuple[tuple[str, bytes], ...] = (),
) -> Asked:
    """Write `@signalbox TEXT`, in a thread when it is named."""
    seq, calls = last_seq(env), len(env.acc.requests)
    receipt = await env.person(user).post(channel, f"<@U0BOT> {text}", thread_ts=thread_ts, files=list(files))
    assert receipt.acked, receipt
    return _asked(env, user, channel, seq, calls)


def _asked(env: World, user: str, channel: str, seq: int, calls: int) -> Asked:
    row = newest(env, user, seq)
    assert row is not None, "acked and not in the audit log"
    return Asked(env, row.request_id, user, channel, calls)


async def do(env: World, text: str, *, user: str = "U0ANA", channel: str = "C0CRAWL") -> Asked:
    """`ask`, and wait for its end."""
    asked = await ask(env, text, user=user, channel=channel)
    await asked.ends()
    return asked


def everything_seen(env: World, user: str, channel: str = "C0CRAWL") -> str:
    """All that a person sees in a channel."""
    return "\n".join(shown(message) for message in env.person(user).messages(channel))


async def private(
    env: World, *parts: str, user: str = "U0ANA", channel: str = "C0CRAWL", within: float = 30.0
) -> dict[str, Any]:
    """The newest ephemeral message of a person that shows all parts."""

    def look(person: Any) -> dict[str, Any] | None:
        for message in reversed(person.messages(channel)):
            words = shown(message)
            if message["ephemeral"] and all(part in words for part in parts):
                return dict(message)
        return None

    return dict(await env.person(user).wait_for(look, timeout=within))


def starts(env: World) -> int:
    """How often the ACC was asked to start an agent."""
    return sum(call.raw_path.endswith("/cluster/start") for call in env.acc.requests)
