"""Runs the units of a batch in one transaction, with as few round trips as their results allow."""

from typing import TypeVar

import psycopg

from bot.core.ports.store import StoreAddress
from bot.store.database import Job, Unit
from bot.store.postgres.errors import mapped
from bot.store.postgres.session import connect
from bot.store.postgres.tx import WriteTx
from bot.store.tables.audit import Change

T = TypeVar("T")


class UnitFailedError(Exception):
    """A unit of a batch raised; the other units are not affected."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def run_alone(address: StoreAddress, unit: Unit[T]) -> T:
    """Run one unit in a transaction on a connection of its own. Raises StoreProblem."""
    try:
        with connect(address) as connection:
            tx = WriteTx(connection)
            tx.begin(None)
            result = unit(tx)
            tx.flush()
            tx.commit()
            return result
    except psycopg.Error as error:
        raise mapped(error) from error


def run_all(tx: WriteTx, jobs: list[Job]) -> None:
    """Run the units in their order. The statements of neighbouring compare-and-sets are sent together."""
    place = 0
    while place < len(jobs):
        changes = _changes(jobs, place)
        try:
            if changes:
                sent = [tx.execute(*change.statement) for change in changes]
                for job, change, result in zip(jobs[place:], changes, sent, strict=False):
                    job.result = change.complete(tx, result)
            else:
                jobs[place].result = jobs[place].unit(tx)
        except psycopg.Error:
            raise
        except Exception as error:
            raise UnitFailedError(error) from error
        place += len(changes) or 1


def _changes(jobs: list[Job], place: int) -> list[Change]:
    found: list[Change] = []
    for job in jobs[place:]:
        if not isinstance(job.unit, Change):
            break
        found.append(job.unit)
    return found
