"""The outbox: the desired state of each message, and what Slack has. Not a queue of sends."""

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, Final

from bot.core.records import PRIVATE, Outgoing, When, stamp
from bot.store.database import Dialect, Statement, Tx
from bot.store.tables.sql import Table, as_models, as_one, dumped, found

TABLE: Final = Table(
    "messages",
    "key kind! team_id channel_id thread_ts user_id response_url response_until ts files! body due_at! last_error "
    "want#! have#! attempts#! gone#!",
    "key",
    indexes=(
        "CREATE INDEX messages_due ON messages (due_at) WHERE have < want AND gone = 0",
        "CREATE INDEX messages_posted ON messages (channel_id, ts) WHERE ts IS NOT NULL",
        "CREATE INDEX messages_thread ON messages (channel_id, thread_ts) WHERE thread_ts IS NOT NULL",
    ),
)
_JSON: Final = ("files", "body")

# A posted message stays in its channel: an update must go there. Only a newer response_url replaces one. A state that Slack has
# not taken yet keeps its place and its tries: a message that changes often must not look as if it had just begun to fail.
_SHOW: Final = """
    INSERT INTO messages (key, kind, team_id, channel_id, thread_ts, user_id, response_url, response_until, ts, files, body,
                          want, have, due_at, attempts, gone)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?, 0, 0)
    ON CONFLICT (key) DO UPDATE SET
        kind = excluded.kind, team_id = excluded.team_id, user_id = excluded.user_id,
        channel_id = CASE WHEN messages.ts IS NULL THEN excluded.channel_id ELSE messages.channel_id END,
        thread_ts = CASE WHEN messages.ts IS NULL THEN excluded.thread_ts ELSE messages.thread_ts END,
        response_until = CASE WHEN excluded.response_url IS NULL THEN messages.response_until
                              ELSE excluded.response_until END,
        response_url = coalesce(excluded.response_url, messages.response_url),
        ts = coalesce(messages.ts, excluded.ts), files = excluded.files, body = excluded.body,
        due_at = CASE WHEN messages.have < messages.want AND messages.due_at < excluded.due_at THEN messages.due_at
                      ELSE excluded.due_at END,
        attempts = CASE WHEN messages.have < messages.want THEN messages.attempts ELSE 0 END,
        want = messages.want + 1, last_error = NULL"""

_FEW: Final = "SELECT * FROM messages WHERE have < want AND gone = 0 AND due_at <= ? ORDER BY due_at LIMIT ?"


# For more than a few. The lane is `Outgoing.lane`. Of new messages in a channel, questions for other people go first.
@cache
def _due(dialect: Dialect) -> str:
    question = dialect.json_text("body", "question")
    return f"""
    WITH waiting AS (
        SELECT key, due_at, coalesce(channel_id, user_id, '') || '/' || CASE
                WHEN kind IN {PRIVATE} THEN 'private'
                WHEN kind = 'message' THEN CASE WHEN ts IS NULL THEN 'new' ELSE 'update' END
                ELSE kind END AS lane,
            CASE WHEN kind = 'message' AND ts IS NULL AND {question} IS NOT NULL THEN 0 ELSE 1 END AS later
        FROM messages WHERE have < want AND gone = 0 AND due_at <= ?),
    numbered AS (
        SELECT key, due_at, row_number() OVER (PARTITION BY lane ORDER BY later, due_at) AS turn
        FROM waiting WHERE lane NOT IN ({dialect.json_list}))
    SELECT messages.* FROM numbered JOIN messages USING (key)
    WHERE turn <= ? ORDER BY turn, numbered.due_at LIMIT ?"""  # noqa: S608  only constants are put in


def show(db: Tx, outgoing: Outgoing) -> None:
    """Set the desired state of the message. Increases `want`."""
    out = outgoing
    values: tuple[Any, ...] = (
        *(out.key, out.kind, out.team_id, out.channel_id, out.thread_ts, out.user_id, out.response_url),
        *(out.response_until, out.ts, dumped(list(out.files)), dumped(out.body), out.due_at),
    )
    db.execute(_SHOW, values)


def due(
    db: Tx, now: When, limit: int = 100, *, each: int | None = None, skip: Collection[str] = ()
) -> Sequence[Outgoing]:
    """Due messages whose desired state Slack doesn't have, the longest overdue first: at most `each` per lane, without the lanes
    in `skip`. A deleted message is never due."""
    few = min(each or limit, limit)
    rows = found(db, _FEW, (stamp(now), few + 1))
    if len(rows) > few:
        rows = found(db, _due(db.dialect), (stamp(now), json.dumps(sorted(skip)), each or limit, limit))
        return as_models(Outgoing, rows, _JSON)
    messages = as_models(Outgoing, rows, _JSON)
    return sorted((one for one in messages if one.lane not in skip), key=lambda one: not one.is_question)


def sent(key: str, want: int, *, ts: str | None = None, gone: bool = False) -> Statement:
    """Record that Slack has the message as of `want`. False when a later state is recorded already."""
    sql = """UPDATE messages SET have = ?, ts = coalesce(?, ts), gone = ?, attempts = 0, last_error = NULL
        WHERE key = ? AND have < ? AND want >= ?"""
    return sql, (want, ts, int(gone), key, want, want)


def again(key: str, due_at: When) -> Statement:
    """Send the state of a posted message or of a Home once more, although Slack took it: a call that arrived late may have
    undone it. One that is being sent now is sent again afterwards; one that waits keeps its place and its tries."""
    sql = """UPDATE messages SET want = want + 1, due_at = CASE WHEN have = want THEN ? ELSE due_at END,
            attempts = CASE WHEN have = want THEN 0 ELSE attempts END
        WHERE key = ? AND (kind = 'home' OR kind = 'message' AND ts IS NOT NULL) AND gone = 0"""
    return sql, (stamp(due_at), key)


def postpone(key: str, due_at: When, error: str) -> Statement:
    """Try again at `due_at`. Counts the attempt."""
    sql = "UPDATE messages SET due_at = ?, last_error = ?, attempts = attempts + 1 WHERE key = ? AND have < want"
    return sql, (stamp(due_at), error, key)


def stand_ins(db: Tx) -> frozenset[str]:
    """The keys of the messages that stand in for others, elsewhere or about files."""
    rows = db.execute("SELECT key FROM messages WHERE kind = 'message' AND (key LIKE '%@%' OR key LIKE '%:lost')")
    return frozenset(str(row[0]) for row in rows.fetchall())


def by_key(db: Tx, key: str) -> Outgoing | None:
    """One message."""
    return as_one(Outgoing, found(db, "SELECT * FROM messages WHERE key = ?", (key,)), _JSON)


def next_due(db: Tx) -> str | None:
    """When the next message is due; the sender sleeps until then."""
    row = db.execute("SELECT min(due_at) FROM messages WHERE have < want AND gone = 0").fetchone()
    return None if row[0] is None else str(row[0])
