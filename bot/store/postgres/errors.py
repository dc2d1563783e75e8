"""Maps errors of PostgreSQL and psycopg to the store's."""

from typing import Final

import psycopg

from bot.store.errors import DAMAGED, StoreProblem

_UNREACHABLE: Final = (
    "store_unreachable",
    "The database can't be reached. Nothing was recorded.",
    "Check that PostgreSQL runs and `[store] url` is right. The bot connects again by itself.",
)
_REFUSED: Final = (
    "store_refused",
    "The store refused the entry. Nothing was recorded.",
    "The audit log is append-only, and ids are unique.",
)
_BUSY: Final = (
    "store_busy",
    "Another replica or program has locked the store. Nothing was recorded.",
    "Try again. If it stays, look for a long transaction in pg_stat_activity.",
)
_LOGIN: Final = (
    "store_unreachable",
    "The database refuses the login.",
    "Check the user in `[store] url`, `[store] password`, and the rights of that user.",
)
_NO_SLOT: Final = (
    "store_unreachable",
    "The database has no connection left for this user. Nothing was recorded.",
    "Each replica uses at most 7 connections: raise `max_connections` or the limit of the role.",
)
_NO_DATABASE: Final = (
    "store_unreachable",
    "The database doesn't exist.",
    "Create it, for example with `createdb`, or correct `[store] url`.",
)
_CERTIFICATE: Final = (
    "store_unreachable",
    "The database's certificate can't be verified, or it doesn't offer TLS.",
    "Check that it has not expired and names the host of `[store] url`; for a private authority, add `sslrootcert=/PATH`.",
)
_READ_ONLY: Final = (
    "store_readonly",
    "The database is read-only: a standby, an old primary, or one with default_transaction_read_only. Nothing was recorded.",
    "Check that `[store] url` leads to the primary.",
)
_DAMAGED: Final = ("store_corrupt", "The database is damaged. Nothing was recorded.", DAMAGED)
_TABLES: Final = (
    "store_corrupt",
    "The tables of the bot are missing, or were changed by another program. Nothing was recorded.",
    "Restore the database, or name the right one in `[store] url`.",
)
_CONNECTING: Final = {  # an error of the connection has no code, only words; the first that fits counts
    "root certificate file": _CERTIFICATE,
    "certificate verify failed": _CERTIFICATE,
    "server certificate for": _CERTIFICATE,
    "server does not support SSL": _CERTIFICATE,
    "authentication": _LOGIN,
    "no password supplied": _LOGIN,
    "no pg_hba.conf entry": _LOGIN,
    "too many connections": _NO_SLOT,
    "too many clients": _NO_SLOT,
    "connection slots are reserved": _NO_SLOT,
    "session is read-only": _READ_ONLY,
    "permission denied for database": _LOGIN,
    "not currently accepting connections": _LOGIN,
    'role "': _LOGIN,
    "does not exist": _NO_DATABASE,
}
_KNOWN: Final = {
    "53300": _NO_SLOT,
    "53": ("store_full", "The database has no space or connection left. Nothing was recorded.",
        "Free disk space or connections."),
    "53100": ("store_full", "The database's disk is full. Nothing was recorded.", "Free disk space, then try again."),
    "25006": _READ_ONLY,
    "42501": ("store_readonly", "The database user lacks a right. Nothing was recorded.",
        "Run `signalbox store prepare OWNER_URL` as the owner of the database."),
    "58": ("store_io", "The database can't read or write its files. Nothing was recorded.", "Look at PostgreSQL's log."),
    "3D000": _NO_DATABASE,
    "28": _LOGIN,
    "08": _UNREACHABLE,
    "57": _UNREACHABLE,
    "25P03": _UNREACHABLE,
    "25P04": _UNREACHABLE,
    "40": _BUSY,
    "55": _BUSY,
    "57014": _BUSY,
    "23": _REFUSED,
    "22": ("store_refused", "The database can't keep a value. Nothing was recorded.", "Look at PostgreSQL's log."),
    "42P01": _TABLES,
    "42703": _TABLES,
    "42883": _TABLES,
    "3F000": _TABLES,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}  # fmt: skip
# 26000: the server has forgotten a prepared statement; 0A000: a newer version has added a column to the table of one.
_AGAIN: Final = ("40001", "40P01", "26000", "0A000")


def mapped(error: psycopg.Error) -> StoreProblem:
    """The StoreProblem for an error of PostgreSQL. The original is its `__cause__`."""
    state = error.sqlstate or ""
    known = _KNOWN.get(state) or _KNOWN.get(state[:2])
    if known is None and lost(error):
        known = next((problem for phrase, problem in _CONNECTING.items() if phrase in str(error)), _UNREACHABLE)
    if known is None:
        what = state or type(error).__name__
        known = ("store_failed", f"The store failed ({what}). Nothing was recorded.", "Look at PostgreSQL's log.")
    problem = StoreProblem(known[1], known[2], known[0])
    problem.__cause__ = error
    return problem


def reason(error: Exception) -> str:
    """What the error means, for the program's log."""
    if isinstance(error, psycopg.Error):
        error = mapped(error)
    if isinstance(error, StoreProblem):
        return f"{error.summary.removesuffix(' Nothing was recorded.')} {error.hint} ({error.code})"
    return type(error).__name__


def lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, and the same may work on a new one."""
    state = error.sqlstate or ""
    if state:
        return state[:2] == "08" or state in ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
    # libpq's own words about a connection have no code, and psycopg has no class for them.
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or type(error) is psycopg.DatabaseError


def refused(error: Exception) -> bool:
    """Whether the primary said no, for example because another session holds the row. One that takes no writes anymore isn't the
    primary: only a new connection leads to that."""
    return isinstance(error, psycopg.Error) and bool(error.sqlstate) and error.sqlstate != "25006" and not lost(error)


def again(error: Exception) -> bool:
    """Whether the same may work on a new connection, or in another order."""
    return isinstance(error, psycopg.Error) and (lost(error) or error.sqlstate in _AGAIN)


def fenced() -> StoreProblem:
    """This replica was declared dead."""
    return StoreProblem(
        "Another replica has replaced this one, because it was silent. Nothing was recorded.",
        "Try again in a moment: this replica takes part again at once.",
        "store_fenced",
    )


def in_doubt(error: psycopg.Error) -> StoreProblem:
    """The connection was lost in the commit, and the database can't say how it ended."""
    problem = StoreProblem(
        "The connection to the database was lost while it recorded this, so it may be recorded or not.",
        "Look at the card and at the target before you try again.",
        "store_in_doubt",
    )
    problem.__cause__ = error
    return problem
