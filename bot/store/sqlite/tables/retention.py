"""What is forgotten in time: ended requests with all that only served their cards. The audit log keeps everything."""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from bot.store.sqlite.tables import buttons

# Cards of approvals, grants and reviews are not among them: a start looks at those to know what was told.
_CARDS: Final = ("op", "say", "file", "skipped")
# What told of one of these another way has its key as a beginning, followed by `:` or `@`.
_BESIDE: Final = (*_CARDS, "approval")
_FACTS: Final = ("run", "note", "was_on")
# While a run is followed or a schedule waits to be switched on again, its request is still needed.
_ENDED: Final = """
    SELECT request_id FROM requests WHERE state = 'ended' AND updated_at < ?
    AND request_id NOT IN (SELECT request_id FROM watches WHERE state = 'open')
    AND request_id NOT IN (SELECT request_id FROM pauses WHERE state = 'open') ORDER BY updated_at LIMIT ?"""
# Rows lie in the order in which they were made, so the old ones are found without an index of their own.
_WATCHES: Final = """
    DELETE FROM watches WHERE state <> 'open' AND ended_at < ?
    AND rowid IN (SELECT rowid FROM watches ORDER BY rowid LIMIT ?)"""
_KEYS: Final = """
    DELETE FROM facts WHERE key IN (SELECT key FROM facts WHERE key >= ? AND key < ? AND at < ? LIMIT ?)"""


def prune(db: Database, before: str, limit: int) -> int:
    """Forget what ended before `before`, at most `limit` of each sort; how many requests, watches, forms and retired buttons.

    What Slack does not have yet is kept. A press on a forgotten button answers as for an unknown one.
    """
    ended = [request for (request,) in db.conn.execute(_ENDED, (before, limit))]
    cards = [(f"{card}:{request}",) for request in ended for card in _CARDS]
    facts = [(f"{fact}:{request}",) for request in ended for fact in _FACTS]
    execute, each = db.conn.execute, db.conn.executemany
    each("DELETE FROM buttons WHERE retired_at IS NULL AND message_key = ?", cards)
    each("DELETE FROM messages WHERE key = ? AND (have >= want OR gone = 1)", cards)
    beside = [(f"{card}:{request}:", f"{card}:{request}A") for request in ended for card in _BESIDE]
    each("DELETE FROM messages WHERE key >= ? AND key < ? AND (have >= want OR gone = 1)", beside)
    execute("DELETE FROM messages WHERE key >= 'step:' AND key < 'step;' AND have >= want AND due_at < ?", (before,))
    each("DELETE FROM facts WHERE key = ?", facts)
    each("DELETE FROM requests WHERE request_id = ?", [(request,) for request in ended])
    watches = execute(_WATCHES, (before, limit)).rowcount
    forms = execute(_KEYS, ("form:", "form;", before, limit)).rowcount
    forms += execute(_KEYS, ("press:", "press;", before, limit)).rowcount
    return len(ended) + watches + forms + buttons.prune(db, before, limit)
