"""The base of the store's parts."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.audit import AuditEntry
from bot.store.database import Database, Statement
from bot.store.tables.audit import Change


class StorePart:
    """A method that writes is one transaction and raises StoreProblem when it fails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _change(self, change: Statement, rows: Sequence[AuditEntry] = (), *, urgent: bool = False) -> bool:
        """Run a compare-and-set and append `rows` with it. If it changes no row, nothing is written."""
        return await self.database.write(Change(change, rows), urgent=urgent)
