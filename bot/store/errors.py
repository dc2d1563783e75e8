"""Errors of the store, with text for people. Each driver maps its library's errors to these."""

from bot.core.errors import Problem

DAMAGED = "Stop the bot, keep a copy of the store, restore the last backup, and run `signalbox audit verify`."


class StoreProblem(Problem):
    """The store refused or failed, and nothing was written.

    Codes: store_full, store_readonly, store_busy, store_corrupt, store_not_a_database, store_closed, store_locked,
    store_newer, store_too_old, store_unreachable, store_io, store_refused (by a guard or constraint), store_conflict,
    store_failed, store_replaced (the file on the disk is another one), store_rolled_back (the database is older than at the
    last run), store_moved (it was copied to another database), store_fenced (another replica has replaced this one),
    store_pooler (each transaction would get another session).
    After store_in_doubt nobody knows whether it was written: the connection was lost and the database can't say.
    """

    code = "store_failed"


def closed() -> StoreProblem:
    """The store was closed before the call."""
    return StoreProblem(
        "The store is closed.", "The program is stopping. Try again after it has restarted.", "store_closed"
    )


def corrupt(answer: str) -> StoreProblem:
    """The check of the database found damage. `answer` is its first finding."""
    return StoreProblem(f"The store is damaged. {answer}", DAMAGED, "store_corrupt")


def conflict(what: str) -> StoreProblem:
    """A row is not in the state that a unit of work needs."""
    return StoreProblem(
        f"{what}. Nothing was recorded.", "Another change came first. Check the card.", "store_conflict"
    )


def for_everyone(error: Exception) -> StoreProblem:
    """The problem for one caller whose change failed with `error`. Each caller gets its own object, because each raises it."""
    if isinstance(error, StoreProblem):
        return StoreProblem(error.summary, error.hint, error.code)
    what = type(error).__name__
    problem = StoreProblem(f"The store failed ({what}). Nothing was recorded.", "Check the bot's log, then try again.")
    problem.__cause__ = error
    return problem


class UnreadableError(Exception):
    """An entry of the audit log can't be read as what it was written."""
