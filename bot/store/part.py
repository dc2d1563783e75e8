"""What the parts of the store share: the open database, and writing rows of the register with a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import sqlite_utils

from bot.core.register import Row
from bot.store.db import Database
from bot.store.tables import register

T = TypeVar("T")


class Part:
    """Base of the store's parts. Every method that writes is one transaction and raises StoreProblem when it fails."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def _change(
        self, change: Callable[[sqlite_utils.Database], bool], rows: Sequence[Row], *, urgent: bool = False
    ) -> bool:
        """Make a compare-and-set and register `rows` with it; when it misses, nothing is written."""

        def unit(db: sqlite_utils.Database) -> bool:
            if not change(db):
                return False
            register.append(db, rows)
            return True

        return await self.database.write(unit, urgent=urgent)
