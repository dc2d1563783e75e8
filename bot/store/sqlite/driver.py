"""The SQLite library of this program, and its known bugs.

sqlite-utils prefers the `pysqlite3` module to the standard library's. Two copies of SQLite that open the same file in one
process drop each other's POSIX locks, so every module imports `sqlite3` from here.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
else:
    from sqlite_utils.utils import sqlite3

__all__ = ["sqlite3", "sqlite_version", "sqlite_warning"]

_WAL_RESET_SINCE: Final = (3, 7, 0)
_WAL_RESET_FIXED: Final = (3, 51, 3)
_WAL_RESET_BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}


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
