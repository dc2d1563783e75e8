"""The SQLite library of this program, its known bugs, and its errors as the store's.

sqlite-utils prefers the `pysqlite3` module to the standard library's. Two copies of SQLite that open the same file in one
process drop each other's POSIX locks, so every module imports `sqlite3` from here.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
else:
    from sqlite_utils.utils import sqlite3

from bot.store.errors import DAMAGED, StoreProblem

__all__ = ["mapped", "sqlite3", "sqlite_version", "sqlite_warning"]

_WAL_RESET_SINCE: Final = (3, 7, 0)
_WAL_RESET_FIXED: Final = (3, 51, 3)
_WAL_RESET_BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}
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


def sqlite_version() -> str:
    """The version of the SQLite library in use, as `3.51.3`."""
    return str(sqlite3.sqlite_version)


def sqlite_warning(version: str | None = None) -> str | None:
    """A warning about this SQLite for administrators, or None.

    `version` replaces the version in use. Source: sqlite.org/wal.html, "The WAL-Reset Bug": with 3.7.0 to
    3.51.2 a checkpoint during a commit of another connection can lose committed rows (fixed in 3.51.3, 3.50.7, 3.44.6).
    This store never lets the two overlap, in one process or several. Other programs that write the file could.
    """
    text = version or sqlite_version()
    major, minor, patch = (int(part) for part in text.split(".")[:3])
    if not _WAL_RESET_SINCE <= (major, minor, patch) < _WAL_RESET_FIXED:
        return None
    backport = _WAL_RESET_BACKPORTS.get((major, minor))
    if backport is not None and patch >= backport:
        return None
    return (
        f"SQLite {text} has the WAL-reset bug (fixed in 3.51.3). Signalbox avoids it by letting one connection write "
        "at a time. No other program may write or checkpoint the file. To remove the limit, install pysqlite3 0.6.1 or later."
    )


def mapped(error: sqlite3.Error) -> StoreProblem:
    """The StoreProblem for an error of SQLite. The original is its `__cause__`."""
    name = getattr(error, "sqlite_errorname", None) or ""
    base = "_".join(name.split("_")[:2])
    base = _ALIASES.get(base, base)
    if base in _KNOWN:
        code, summary, hint = _KNOWN[base]
        problem = StoreProblem(summary, hint, code)
    else:
        problem = StoreProblem(
            f"The store failed ({name or type(error).__name__}).", "Check the bot's log, then try again."
        )
    problem.__cause__ = error
    return problem
