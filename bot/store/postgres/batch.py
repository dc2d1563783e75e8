"""Runs the units of a batch in one transaction, with as few round trips as their results allow."""

from __future__ import annotations

import psycopg

from bot.store.database import Job
from bot.store.postgres.tx import WriteTx
from bot.store.tables.audit import Change


class UnitFailedError(Exception):
    """A unit of a batch raised; the other units are not affected."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


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
