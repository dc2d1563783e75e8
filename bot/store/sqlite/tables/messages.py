"""The outbox: the desired state of each message, and what Slack has. Not a queue of sends."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlite_utils import Database

from bot.core.records import PRIVATE, Outgoing
from bot.store.sqlite.tables.sql import as_model, changed, dumped, found, table

_TEXTS: Final = (
    "key kind team_id channel_id thread_ts user_id response_url response_until ts files body due_at last_error"
)
_INTEGERS: Final = ("want", "have", "attempts", "gone")
_JSON: Final = ("files", "body")

# A posted message stays in its channel: an update must go there. Only a newer response_url replaces one.
_SHOW: Final = """
    INSERT INTO messages (key, kind, team_id, channel_id, thread_ts, user_id, response_url, response_until, ts, files, body,
                          want, have, due_at, attempts, gone)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, 0, 0)
    ON CONFLICT (key) DO UPDATE SET
        kind = excluded.kind, team_id = excluded.team_id, user_id = excluded.user_id,
        channel_id = iif(ts IS NULL, excluded.channel_id, channel_id),
        thread_ts = iif(ts IS NULL, excluded.thread_ts, thread_ts),
        response_until = iif(excluded.response_url IS NULL, response_until, excluded.response_until),
        response_url = coalesce(excluded.response_url, response_url),
        ts = coalesce(ts, excluded.ts), files = excluded.files, body = excluded.body,
        want = want + 1, due_at = excluded.due_at, attempts = 0, last_error = NULL"""

_FEW: Final = "SELECT * FROM messages WHERE have < want AND gone = 0 AND due_at <= ? ORDER BY due_at LIMIT ?"
# For more than a few. The lane is `Outgoing.lane`. Of new messages in a channel, questions for other people go first.
_DUE: Final = f"""
    WITH waiting AS (
        SELECT key, due_at, iif(kind = 'message' AND ts IS NULL, json_extract(body, '$.question') IS NULL, 1) AS later,
            coalesce(channel_id, user_id, '') || '/' || CASE
                WHEN kind IN {PRIVATE} THEN 'private'
                WHEN kind = 'message' THEN iif(ts IS NULL, 'new', 'update')
                ELSE kind END AS lane
        FROM messages WHERE have < want AND gone = 0 AND due_at <= ?),
    numbered AS (
        SELECT key, due_at, row_number() OVER (PARTITION BY lane ORDER BY later, due_at) AS turn
        FROM waiting WHERE lane NOT IN (SELECT value FROM json_each(?)))
    SELECT messages.* FROM numbered JOIN messages USING (key)
    WHERE turn <= ? ORDER BY turn, numbered.due_at LIMIT ?"""  # noqa: S608  only a constant is put in


def create(db: Database) -> None:
    """Make the table. Its index only has unsent messages."""
    messages = table(db, "messages")
    messages.create(
        {**dict.fromkeys(_TEXTS.split(), str), **dict.fromkeys(_INTEGERS, int)},
        pk="key",
        not_null=("kind", "files", "want", "have", "due_at", "attempts", "gone"),
    )
    db.execute("CREATE INDEX messages_due ON messages (due_at) WHERE have < want AND gone = 0")
    db.execute("CREATE INDEX messages_posted ON messages (channel_id, ts) WHERE ts IS NOT NULL")
    db.execute("CREATE INDEX messages_thread ON messages (channel_id, thread_ts) WHERE thread_ts IS NOT NULL")


def show(db: Database, outgoing: Outgoing) -> None:
    """Set the desired state of the message. Increases `want`."""
    out = outgoing
    values: tuple[Any, ...] = (
        *(out.key, out.kind, out.team_id, out.channel_id, out.thread_ts, out.user_id, out.response_url),
        *(out.response_until, out.ts, dumped(list(out.files)), dumped(out.body), out.due_at),
    )
    db.conn.execute(_SHOW, values)


def due(db: Database, now: str, limit: int, each: int, skip: Collection[str]) -> Sequence[Outgoing]:
    """Due messages whose desired state Slack doesn't have, the longest overdue first: at most `each` per lane, without the lanes
    in `skip`."""
    few = min(each, limit)
    rows = found(db, _FEW, (now, few + 1))
    if len(rows) > few:
        rows = found(db, _DUE, (now, json.dumps(sorted(skip)), each, limit))
        return [as_model(Outgoing, row, _JSON) for row in rows]
    messages = [as_model(Outgoing, row, _JSON) for row in rows]
    return sorted((one for one in messages if one.lane not in skip), key=lambda one: not one.is_question)


def sent(db: Database, key: str, want: int, ts: str | None, *, gone: bool) -> bool:
    """Record that Slack has the message as of `want`. False when a later state is recorded already."""
    sql = (
        "UPDATE messages SET have = ?, ts = coalesce(?, ts), gone = ?, attempts = 0, last_error = NULL "
        "WHERE key = ? AND have < ? AND want >= ?"
    )
    return changed(db, sql, (want, ts, int(gone), key, want, want))


def postpone(db: Database, key: str, due_at: str, error: str) -> bool:
    """Try again at `due_at`. Counts the attempt."""
    sql = "UPDATE messages SET due_at = ?, last_error = ?, attempts = attempts + 1 WHERE key = ? AND have < want"
    return changed(db, sql, (due_at, error, key))


def by_key(db: Database, key: str) -> Outgoing | None:
    """One message."""
    rows = found(db, "SELECT * FROM messages WHERE key = ?", (key,))
    return as_model(Outgoing, rows[0], _JSON) if rows else None


def next_due(db: Database) -> str | None:
    """When the next message is due; the sender sleeps until then."""
    row = db.conn.execute("SELECT min(due_at) FROM messages WHERE have < want AND gone = 0").fetchone()
    return None if row[0] is None else str(row[0])
