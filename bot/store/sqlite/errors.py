"""Maps errors of sqlite3 to the store's."""

from typing import Final

from bot.store.errors import DAMAGED, StoreProblem
from bot.store.sqlite.driver import sqlite3

_KNOWN: Final = {
    "SQLITE_FULL": ("store_full", "The disk is full, or the file reached its limit. Nothing was recorded.",
        "Free disk space, then try again."),
    "SQLITE_READONLY": ("store_readonly", "The store can't be written. Nothing was recorded.",
        "Give the bot's user write permission on the file and its directory."),
    "SQLITE_BUSY": ("store_busy", "Another program has locked the store. Nothing was recorded.",
        "Find the program that writes to the file (a backup, a shell, a second bot), then try again."),
    "SQLITE_CORRUPT": ("store_corrupt", "The store is damaged.", DAMAGED),
    "SQLITE_NOTADB": ("store_not_a_database", "The store's file is not a SQLite database.",
        "Check `[store] url`: another file is at that path."),
    "SQLITE_CANTOPEN": ("store_unreachable", "The store's file can't be opened.",
        "Check that the directory of `[store] url` exists and that the bot's user may write there."),
    "SQLITE_IOERR": ("store_io", "The disk failed while the store was read or written. Nothing was recorded.",
        "Check the system log for disk errors, then try again."),
    "SQLITE_CONSTRAINT": ("store_refused", "The store refused the entry. Nothing was recorded.",
        "The audit log is append-only, and ids are unique."),
}  # fmt: skip
_ALIASES: Final = {"SQLITE_LOCKED": "SQLITE_BUSY", "SQLITE_PERM": "SQLITE_READONLY", "SQLITE_NOLFS": "SQLITE_FULL"}


def mapped(error: sqlite3.Error) -> StoreProblem:
    """The StoreProblem for an error of SQLite. The original is its `__cause__`."""
    name = getattr(error, "sqlite_errorname", None) or ""
    base = "_".join(name.split("_")[:2])
    base = _ALIASES.get(base, base)
    if base in _KNOWN:
        code, summary, hint = _KNOWN[base]
        problem = StoreProblem(summary, hint, code)
    else:
        problem = StoreProblem(f"The store failed: {error}", "Check the bot's log, then try again.")
    problem.__cause__ = error
    return problem
