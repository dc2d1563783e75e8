"""The store's methods for messages and their buttons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.core.records import Outgoing, StoredButton, stamp
from bot.store.database import Tx
from bot.store.part import StorePart
from bot.store.tables import buttons, messages


class StoredMessages(StorePart):
    """Messages are stored in their desired state; the message sender updates Slack."""

    async def show(self, outgoing: Outgoing, shown: Sequence[StoredButton] = ()) -> None:
        """Set the desired state of a message, retire its old buttons, and store these. `due_at` is when to send."""

        def unit(db: Tx) -> None:
            messages.show(db, outgoing)
            buttons.replace(db, outgoing.key, shown, outgoing.due_at)

        await self.database.write(unit)

    async def due_messages(
        self, now: datetime | str, limit: int = 100, *, each: int | None = None, skip: Collection[str] = ()
    ) -> Sequence[Outgoing]:
        """The messages due now, the longest overdue first: at most `each` per lane, without the lanes in `skip`.

        A deleted message is never due.
        """
        return await self.database.read(lambda db: messages.due(db, stamp(now), limit, each or limit, skip))

    async def next_due(self) -> str | None:
        """When the next message is due, or None when Slack has everything."""
        return await self.database.read(messages.next_due)

    async def sent(self, key: str, want: int, *, ts: str | None = None, gone: bool = False) -> bool:
        """Record that Slack has the message as of `want`. False when a later state is recorded already."""
        return await self._change(messages.sent(key, want, ts, gone=gone))

    async def postpone(self, key: str, due_at: datetime | str, error: str) -> bool:
        """Try again at that time. Counts the attempt and stores the error."""
        return await self._change(messages.postpone(key, stamp(due_at), error))

    async def stand_ins(self) -> frozenset[str]:
        """The keys of the messages that stand in for others, which Slack didn't take."""
        return await self.database.read(messages.stand_ins)

    async def message(self, key: str) -> Outgoing | None:
        """One message."""
        return await self.database.glance(lambda db: messages.by_key(db, key))

    async def button(self, button_id: str) -> StoredButton | None:
        """The meaning of a button, retired or not, with the place of its message."""
        return await self.database.glance(lambda db: buttons.by_id(db, button_id))

    async def same_button(self, button: StoredButton) -> StoredButton | None:
        """The button with the same meaning that the message shows now, None when it shows none."""
        return await self.database.glance(lambda db: buttons.same(db, button))

    async def retire(self, message_key: str, at: datetime | str) -> int:
        """Retire every button of a message. Returns their number."""
        return await self.database.write(lambda db: buttons.retire(db, message_key, stamp(at)))
