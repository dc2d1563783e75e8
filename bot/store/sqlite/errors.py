"""What can go wrong in the store, in words for people. Errors of sqlite3 are mapped here only."""

from __future__ import annotations

from typing import Final

from bot.core.errors import Problem
from bot.store.sqlite.driver import sqlite3


class StoreProblem(Problem):
    """The store refused or failed, and nothing was written.

    Codes: store_full, store_readonly, store_busy, store_corrupt, store_not_a_database, store_closed, store_locked,
    store_newer, store_unreachable, store_io, store_refused (a guard or constraint said no), store_conflict, store_failed,
    store_replaced (the file on the disk is another one), store_rolled_back (it is older than it was).
    """

    code = "store_failed"


_KNOWN: Final = {
    "SQLITE_FULL": (
        "store_full",
        "The disk is full, or the file reached its limit. Nothing was recorded.",
        "Free disk space, then try again.",
    ),
    "SQLITE_READONLY": (
        "store_readonly",
        "The store can't be written. Nothing was recorded.",
        "Give the bot's user write permission on the file and its directory.",
    ),
    "SQLITE_BUSY": (
        "store_busy",
        "Another program has locked the store. Nothing was recorded.",
        "Find the program that writes to the file (a backup, a shell, a second bot), then try again.",
    ),
    "SQLITE_CORRUPT": (
        "store_corrupt",
        "The store is damaged.",
        "Stop the bot, keep a copy of the file, restore the last backup, and run `signalbox audit verify`.",
    ),
    "SQLITE_NOTADB": (
        "store_not_a_database",
        "The store's file is not a SQLite database.",
        "Check `[store] url`: another file is at that path.",
    ),
    "SQLITE_CANTOPEN": (
        "store_unreachable",
        "The store's file can't be opened.",
        "Check that the directory of `[store] url` exists and that the bot's user may write there.",
    ),
    "SQLITE_IOERR": (
        "store_io",
        "The disk failed while the store was read or written. Nothing was recorded.",
        "Look for disk errors in the system's log, then try again.",
    ),
    "SQLITE_CONSTRAINT": (
        "store_refused",
        "The store refused the entry. Nothing was recorded.",
        "The audit log is append-only, and an id is used once.",
    ),
}
_ALIASES: Final = {"SQLITE_LOCKED": "SQLITE_BUSY", "SQLITE_PERM": "SQLITE_READONLY", "SQLITE_NOLFS": "SQLITE_FULL"}


def closed() -> StoreProblem:
    """The store was closed before the call."""
    return StoreProblem("The store is closed.", "The program is stopping. Try again when it is back.", "store_closed")


def corrupt(answer: str) -> StoreProblem:
    """SQLite's own check found damage; `answer` is its first finding."""
    code, summary, hint = _KNOWN["SQLITE_CORRUPT"]
    return StoreProblem(f"{summary} {answer}", hint, code)


def conflict(what: str) -> StoreProblem:
    """A row that a unit of work relies on is not in the state that it needs."""
    return StoreProblem(
        f"{what}. Nothing was recorded.", "Another change came first. Look at the card.", "store_conflict"
    )


def for_everyone(error: Exception) -> StoreProblem:
    """The problem for one caller whose change was lost through `error`. Each caller gets its own, because each raises it."""
    if isinstance(error, sqlite3.Error):
        return mapped(error)
    if isinstance(error, StoreProblem):
        return StoreProblem(error.summary, error.hint, error.code)
    problem = StoreProblem("The store failed. Nothing was recorded.", "See the log, then try again.")
    problem.__cause__ = error
    return problem


def mapped(error: sqlite3.Error) -> StoreProblem:
    """The StoreProblem that says what this error of SQLite means. The original is its `__cause__`."""
    name = getattr(error, "sqlite_errorname", None) or ""
    base = "_".join(name.split("_")[:2])
    base = _ALIASES.get(base, base)
    if base in _KNOWN:
        code, summary, hint = _KNOWN[base]
        problem = StoreProblem(summary, hint, code)
    else:
        problem = StoreProblem(f"The store failed: {error}", "See the log, then try again.")
    problem.__cause__ = error
    return problem
