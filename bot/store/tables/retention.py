"""Deletes old ended requests with everything that only their cards need. The audit log keeps everything."""

from typing import Final

from bot.core.records import When, stamp
from bot.store.database import Tx
from bot.store.tables import buttons

# Without cards of approvals, grants and reviews: a start reads those to know which messages exist.
_CARDS: Final = ("op", "say", "file", "skipped")
# A message that replaced one of these has its key as a prefix, followed by `:` or `@`.
_BESIDE: Final = (*_CARDS, "approval")
_VALUES: Final = ("run", "note", "was_on", "unread_card", "asking", "closed")
# An open watch or pause still needs its request.
_ENDED: Final = """
    SELECT request_id FROM requests WHERE state = 'ended' AND updated_at < ?
    AND request_id NOT IN (SELECT request_id FROM watches WHERE state = 'open')
    AND request_id NOT IN (SELECT request_id FROM pauses WHERE state = 'open') ORDER BY updated_at LIMIT ?"""
# Rows are in the order of their creation, so the old ones need no index.
_WATCHES: Final = """
    DELETE FROM watches WHERE state <> 'open' AND ended_at < ?
    AND rowid IN (SELECT rowid FROM watches ORDER BY rowid LIMIT ?)"""
_KEYS: Final = """
    DELETE FROM key_values WHERE key IN (SELECT key FROM key_values WHERE key >= ? AND key < ? AND at < ? LIMIT ?)"""


def prune(db: Tx, before: When, limit: int = 1000) -> int:
    """Delete what ended before `before`, at most `limit` of each sort. Returns how many requests, watches, forms and buttons.

    Keeps messages that Slack doesn't have yet. A press on a deleted button is answered like an unknown one.
    """
    before = stamp(before)
    ended = [request for (request,) in db.execute(_ENDED, (before, limit))]
    cards = [(f"{card}:{request}",) for request in ended for card in _CARDS]
    values = [(f"{value}:{request}",) for request in ended for value in _VALUES]
    execute, each = db.execute, db.executemany
    each("DELETE FROM buttons WHERE retired_at IS NULL AND message_key = ?", cards)
    each("DELETE FROM messages WHERE key = ? AND (have >= want OR gone = 1)", cards)
    beside = [(f"{card}:{request}:", f"{card}:{request}A") for request in ended for card in _BESIDE]
    each("DELETE FROM messages WHERE key >= ? AND key < ? AND (have >= want OR gone = 1)", beside)
    execute("DELETE FROM messages WHERE key >= 'step:' AND key < 'step;' AND have >= want AND due_at < ?", (before,))
    each("DELETE FROM key_values WHERE key = ?", values)
    each("DELETE FROM requests WHERE request_id = ?", [(request,) for request in ended])
    watches = execute(_WATCHES, (before, limit)).rowcount
    forms = execute(_KEYS, ("form:", "form;", before, limit)).rowcount
    for kept in ("press", "newer", "made", "unread"):
        forms += execute(_KEYS, (f"{kept}:", f"{kept};", before, limit)).rowcount
    return len(ended) + watches + forms + buttons.prune(db, before, limit)
