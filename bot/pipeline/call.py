"""What an adapter is given beside the operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.operation import Target
from bot.core.ports import Clock, Ids, SlackFile, SlackFiles, Spool

Told = Callable[[str], Awaitable[None]]
Noted = Callable[[Sequence[Target]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OneCall:
    """Implements core.ports.Call for one operation of one person in one channel."""

    clock: Clock
    ids: Ids
    spool: Spool
    files: SlackFiles
    channel_id: str
    user_id: str
    tell: Told
    note: Noted
    ends: datetime | None = None

    async def progress(self, text: str) -> None:
        """Show how far it is."""
        await self.tell(text)

    async def file(self, file_id: str) -> SlackFile:
        """A file that was attached in this channel or by this person."""
        return await self.files.open(file_id, self.channel_id, self.user_id)

    async def was_on(self, targets: Sequence[Target]) -> None:
        """Remember what is about to be switched off."""
        await self.note(targets)
