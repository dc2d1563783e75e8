"""Status numbers as names and phases. The same number means different things for runs, job runs and schedules.

Source: the tables on the vendor's pages; which states are final is inferred from their names. The pages don't
distinguish `Failure` from `Failed`; both end a run badly, and people see one word for both. `Delivery`, in which a run exports
its data, doesn't say by itself who delivers what.
"""

from collections.abc import Mapping
from typing import Final

from bot.backends import unknown
from bot.core.outcome import Phase

RUN: Final[Mapping[int, tuple[str, Phase]]] = {
    0: ("Never Run", Phase.WAITING),
    1: ("Starting", Phase.ACTIVE),
    2: ("Running", Phase.ACTIVE),
    3: ("Delivering data", Phase.ACTIVE),
    4: ("Succeeded", Phase.SUCCEEDED),
    5: ("Failed", Phase.FAILED),
    6: ("Stopped", Phase.STOPPED),
    7: ("Failed", Phase.FAILED),
}
JOB: Final[Mapping[int, tuple[str, Phase]]] = {
    0: ("Never Run", Phase.WAITING),
    1: ("In Progress", Phase.ACTIVE),
    2: ("In Progress With Failure", Phase.ACTIVE),
    3: ("Succeeded", Phase.SUCCEEDED),
    4: ("Failed", Phase.FAILED),
    5: ("Failed", Phase.FAILED),
}
SCHEDULE: Final[Mapping[int, tuple[str, Phase]]] = {
    0: ("Waiting", Phase.WAITING),
    1: ("Running", Phase.ACTIVE),
    2: ("Succeeded", Phase.SUCCEEDED),
    3: ("Failed", Phase.FAILED),
}
# What people write for a status of a job run, with the vendor's names: `in-progress`.
MARKS: Final[Mapping[str, int]] = {
    "never-run": 0,
    "in-progress": 1,
    "in-progress-with-failure": 2,
    "succeeded": 3,
    "failure": 4,
    "failed": 5,
}


def named(table: Mapping[int, tuple[str, Phase]], status: int | str | None) -> tuple[str, Phase]:
    """Name and phase of a status, also of a number in quotes; an undocumented one is `unknown (9)`, never a success."""
    number = int(status) if isinstance(status, str) and status.isascii() and status.isdigit() else status
    if isinstance(number, int) and number in table:
        return table[number]
    return unknown(status), Phase.UNREADABLE
