"""What the migrations of both databases have in common.

A migration expands: it only adds tables, indexes and columns that may be empty, so that the previous version can work beside
this one and start again. What is left over is removed by a later migration, which contracts: its name has `_contract_` in it. It
runs when no replica of an older version is live, and an older version refuses a database that has it.
"""

from collections.abc import Sequence
from typing import Final

from bot.store.errors import StoreProblem

_CONTRACTS: Final = "_contract_"


def contracts(name: str) -> bool:
    """Whether an older version can't work with a database that has this migration."""
    return _CONTRACTS in name


def refuse_unreadable(applied: Sequence[str], known: Sequence[str]) -> None:
    """Raises StoreProblem: store_too_old for tables from before the first release, which began with another migration, and
    store_newer when a newer version has applied a migration that contracts."""
    if applied and known[0] not in applied:
        raise StoreProblem(
            "The store was written before the first release. This version can't read it.",
            "Move the file away, or use another database. The next start makes new tables.",
            "store_too_old",
        )
    unknown = [name for name in applied if name not in known and contracts(name)]
    if unknown:
        raise StoreProblem(
            f"A newer signalbox changed this store (it has {', '.join(unknown)}).",
            "Install that version again, or restore the backup that was made before the upgrade.",
            "store_newer",
        )
