"""Buttons: the meaning of opaque ids in Slack."""

from collections.abc import Sequence
from typing import Final

from bot.core.records import StoredButton, When, stamp
from bot.store.database import Tx
from bot.store.tables.sql import Table, as_one, dumped, found

_READ: Final = """SELECT b.id, b.message_key, b.payload, b.only_user, b.made_at, b.retired_at, m.channel_id, m.ts
    FROM buttons b LEFT JOIN messages m ON m.key = b.message_key WHERE b.id = ?"""
# A card may show a button again. An id can never move to another message.
_ADD: Final = """
    INSERT INTO buttons (id, message_key, payload, only_user, made_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, only_user = excluded.only_user, retired_at = NULL,
        message_key = CASE WHEN buttons.message_key = excluded.message_key THEN buttons.message_key END"""

TABLE: Final = Table(
    "buttons",
    "id message_key! payload! only_user made_at! retired_at",
    "id",
    indexes=("CREATE INDEX buttons_live ON buttons (message_key) WHERE retired_at IS NULL",),
)


def replace(db: Tx, message_key: str, buttons: Sequence[StoredButton], at: str) -> None:
    """Retire the old buttons of the message and store these."""
    retire(db, message_key, at)
    for button in buttons:
        values = (button.id, button.message_key, dumped(button.payload) or "null", button.only_user, button.made_at)
        db.execute(_ADD, values)


def retire(db: Tx, message_key: str, at: When) -> int:
    """Retire the message's buttons. Returns their number."""
    sql = "UPDATE buttons SET retired_at = ? WHERE message_key = ? AND retired_at IS NULL"
    return db.execute(sql, (stamp(at), message_key)).rowcount


def by_id(db: Tx, button_id: str) -> StoredButton | None:
    """One button, with the place of its message."""
    return as_one(StoredButton, found(db, _READ, (button_id,)), ("payload",))


def same(db: Tx, button: StoredButton) -> StoredButton | None:
    """The button that the message shows now with the meaning of this one, which an update of the message retired."""
    sql = "SELECT id FROM buttons WHERE message_key = ? AND retired_at IS NULL AND payload = ?"
    row = db.execute(sql, (button.message_key, dumped(button.payload) or "null")).fetchone()
    return by_id(db, row[0]) if row is not None else None


def prune(db: Tx, before: str, limit: int) -> int:
    """Delete buttons retired before `before`. Returns their number. A press on one is answered like an unknown button."""
    sql = "DELETE FROM buttons WHERE id IN (SELECT id FROM buttons WHERE retired_at < ? LIMIT ?)"
    return db.execute(sql, (before, limit)).rowcount
