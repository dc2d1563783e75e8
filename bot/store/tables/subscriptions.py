"""Subscriptions: who is told where how the runs of a target end. Watched targets: each is polled once, however many watch it."""

from typing import Any, Final

from bot.core.records import Subscription, WatchedTarget, When, stamp
from bot.core.runs import SeenRuns
from bot.store.database import Tx
from bot.store.tables.sql import Table, as_models, changed, dumped, found

_JSON: Final = ("target", "place")
TABLE: Final = Table(
    "subscriptions",
    "id target_key! target! place! channel_id! thread_ts! user_id! until_at made_at! request_id!",
    "id",
    indexes=("CREATE UNIQUE INDEX subscriptions_once ON subscriptions (target_key, channel_id, thread_ts, user_id)",),
)
WATCHED: Final = Table("watched_targets", "key target! seen due_at!", "key")
_ADD: Final = """
    INSERT INTO subscriptions (id, target_key, target, place, channel_id, thread_ts, user_id, until_at, made_at, request_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (target_key, channel_id, thread_ts, user_id) DO UPDATE SET until_at =
        CASE WHEN excluded.until_at > subscriptions.until_at OR excluded.until_at IS NULL THEN excluded.until_at
        ELSE subscriptions.until_at END"""
_WATCH: Final = """INSERT INTO watched_targets (key, target, due_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at"""


def add(db: Tx, one: Subscription, due_at: When) -> None:
    """Insert a subscription. The same person in the same place has one for each target; the later end of two counts."""
    place = one.place
    values = (one.id, one.target_key, dumped(one.target), dumped(place), place.channel_id, place.thread_ts or "")
    db.execute(_ADD, (*values, one.user_id, one.until_at, one.made_at, one.request_id))
    db.execute(_WATCH, (one.target_key, dumped(one.target), stamp(due_at)))


def opened(db: Tx, target_key: str | None = None) -> list[Subscription]:
    """Every subscription, or those of one target, oldest first."""
    sql = "SELECT id, target, place, user_id, until_at, made_at, request_id FROM subscriptions"
    if target_key is None:
        rows = found(db, f"{sql} ORDER BY made_at, id")
    else:
        rows = found(db, f"{sql} WHERE target_key = ? ORDER BY made_at, id", (target_key,))
    return as_models(Subscription, rows, _JSON)


def end(db: Tx, subscription_id: str) -> bool:
    """Delete a subscription, and stop watching a target that has none left. False when it had ended already."""
    if not changed(db, ("DELETE FROM subscriptions WHERE id = ?", (subscription_id,))):
        return False
    db.execute("DELETE FROM watched_targets WHERE key NOT IN (SELECT target_key FROM subscriptions)")
    return True


def take_due(db: Tx, now: str, next_at: str, limit: int) -> list[WatchedTarget]:
    """The targets that are due. Each is postponed to `next_at`, so that only one caller gets it."""
    sql = "SELECT key, target, seen, due_at FROM watched_targets WHERE due_at <= ? ORDER BY due_at LIMIT ?"
    rows: list[dict[str, Any]] = found(db, sql, (now, limit))
    take = "UPDATE watched_targets SET due_at = ? WHERE key = ? AND due_at = ?"
    taken = [row for row in rows if changed(db, (take, (next_at, row["key"], row["due_at"])))]
    return as_models(WatchedTarget, taken, ("target", "seen"))


def saw(db: Tx, key: str, seen: SeenRuns) -> None:
    """Store what the last poll found."""
    db.execute("UPDATE watched_targets SET seen = ? WHERE key = ?", (dumped(seen), key))


def any_due(db: Tx, now: str) -> bool:
    """Whether a target is due."""
    return bool(found(db, "SELECT key FROM watched_targets WHERE due_at <= ? LIMIT 1", (now,)))
