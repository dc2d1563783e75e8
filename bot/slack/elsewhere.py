"""People who can't be told where a message belongs are told another way, and told again once the message is there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import TypeAdapter

from bot.core.card import Card
from bot.core.intent import Reply
from bot.core.outcome import FileOut
from bot.core.ports.services import Clock
from bot.core.ports.store import MessageStore
from bot.core.records import PRIVATE, Outgoing, stamp
from bot.slack.errors import SlackTrouble
from bot.slack.message_delivery import MessageDelivery
from bot.slack.message_format import (
    HOME_NOTICE,
    SECURITY,
    arrived,
    elsewhere,
    home_refused,
    joined_notice,
    message_limit,
    stand_in_keys,
    step_open,
    stood_for,
    undelivered,
)

LATE_AFTER: Final = timedelta(minutes=2)  # how long a message waits for Slack before people are told
LATE_TRIES: Final = 7  # tries of a message that Slack doesn't take, over one to four minutes
AGAIN_AFTER: Final = timedelta(
    minutes=10
)  # how long a message that stands in for another one waits, before the next way
LIMITED_AGAIN: Final = timedelta(minutes=5)  # until the next try of a message about which they were told
TOLD: Final = "told another way"  # the `last_error` of such a message

_log = logging.getLogger("signalbox.outbox")
_FILES: Final = TypeAdapter(tuple[FileOut, ...])


@dataclass
class Elsewhere:
    """`show` stores a message. `lost` counts the messages that reached nobody."""

    store: MessageStore
    show: Callable[[Card, Reply | None], Awaitable[None]]
    delivery: MessageDelivery
    clock: Clock
    team_id: str
    security: str | None
    lost: int = 0
    _moved: set[str] = field(default_factory=set)
    _notices: asyncio.Lock = field(default_factory=asyncio.Lock)

    def take_over(self, stand_ins: Iterable[str]) -> None:
        """These messages stand in for others since an earlier run of the program."""
        self._moved = {stood_for(key) for key in stand_ins}

    async def tell(self, row: Outgoing, trouble: SlackTrouble, *, waits: bool = False) -> None:
        """Reach the people of a message that Slack refuses. `waits`: it is tried again."""
        if isinstance(row.body, dict) and row.body.get("passing"):  # the answer itself reaches them
            return
        self._moved.add(row.key)
        others = [pair async for pair in self._others(row, trouble, waits=waits)]
        for card, reply in others:
            await self._show(card, reply)
        if not others:
            self.lost += 1
            _log.error("message %s could not be delivered to anyone: %s", row.key, trouble.code)

    async def _others(
        self, row: Outgoing, trouble: SlackTrouble, *, waits: bool
    ) -> AsyncIterator[tuple[Card, Reply | None]]:
        """The messages that stand in for this one."""
        if row.kind == "step":  # its person isn't known: a workflow acts as its app
            if self.security is not None:
                yield step_open(row, self.team_id, self.security, trouble, waits=waits), None
        elif row.kind == "home":
            yield home_refused(row, self.team_id, trouble, waits=waits), None
        elif row.kind == "upload":
            if isinstance(row.body, dict) and row.body.get("card"):  # the answer that was to come as the file's comment
                yield Card.stored(row.body["card"]), None
            yield undelivered(row, _names(row), await self.delivery.under(row), trouble, waits=waits), None
        else:
            for pair in elsewhere(row, trouble, self.security):
                yield pair

    async def _show(self, card: Card, reply: Reply | None) -> None:
        """Once as it is. Refusals of several direct messages about one question become one notice."""
        if not card.key.endswith(":untold"):
            if await self._card(card.key) != card:
                await self.show(card, reply)
            return
        async with self._notices:
            earlier = await self._card(card.key)
            await self.show(joined_notice(earlier, card) if earlier is not None else card, reply)

    async def limited(self, rows: Sequence[Outgoing], trouble: SlackTrouble) -> None:
        """Messages wait until the workspace is below its message limit. The people of those that wait for long are told."""
        now, longest = self.clock.now(), False
        for row in rows:
            if row.last_error == TOLD or row.due_at <= stamp(now - LATE_AFTER):
                longest = True
                if row.last_error != TOLD and "@" not in row.key:
                    await self.tell(row, trouble, waits=True)
                await self.store.postpone(row.key, stamp(now + LIMITED_AGAIN), TOLD)
            else:
                await self.store.postpone(row.key, row.due_at, trouble.code)
        if longest:
            _log.error("messages wait, because Slack takes no more from this workspace: %s", trouble.code)
            card = message_limit(self.team_id, self.security, trouble, now) if self.security is not None else None
            if card is not None and await self.store.message(card.key) is None:
                await self.show(card, None)

    async def failing(self, row: Outgoing, trouble: SlackTrouble) -> str:
        """Tell the people of a message that Slack asks to send again, but doesn't take for minutes. Returns its `last_error`.

        A wait that Slack asks for may be short, so then the tries alone don't count. A message that stands in for another one
        waits longer: when Slack as a whole is away, every way fails.
        """
        if row.last_error == TOLD:
            return TOLD
        stands_in = "@" in row.key
        old = row.due_at <= stamp(self.clock.now() - (AGAIN_AFTER if stands_in else LATE_AFTER))
        if row.attempts < LATE_TRIES or not (old or (trouble.after is None and not stands_in)):
            return trouble.code
        if not row.key.endswith((SECURITY, HOME_NOTICE)):
            await self.tell(row, trouble, waits=True)
        return TOLD

    async def arrived(self, row: Outgoing) -> None:
        """Slack has a message at last: what stands in for it elsewhere says so."""
        late = row.last_error or row.key in self._moved or (row.ts is None and (row.is_question or row.have))
        if row.kind in PRIVATE or not late:  # a private answer may vanish, so its direct message keeps it
            return
        self._moved.discard(row.key)
        for key in stand_in_keys(row):
            stand_in = await self.store.message(key)
            if stand_in is not None and stand_in.kind == "message" and stand_in.key != row.key:
                await self.show(arrived(row, Card.stored(stand_in.body), _names(row)), None)

    async def _card(self, key: str) -> Card | None:
        kept: Any = await self.store.message(key)
        return Card.stored(kept.body) if kept is not None else None


def _names(row: Outgoing) -> str:
    return ", ".join(file.name for file in _FILES.validate_python(row.files))
