"""Hits replicas under load and checks what the control plane, the audit log and Slack saw.

`python -m tests.faults --kills 100 --stops 20 --restarts 5` starts a PostgreSQL, three replicas, a workspace and a control plane,
types commands all the time, and prints the figures at the end. It ends with 1 when a promise was broken. With `--failovers` there
are two servers, of which one is a synchronous standby. With `--cuts` or `--failovers` each replica reaches them through a proxy.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.store.postgres.server import LocalServer
from tests.faults.hits import Plan, campaign
from tests.faults.standby import Pair
from tests.fork_server import ForkServer


def planned(arguments: Sequence[str] | None = None) -> Plan:
    """What these arguments ask for; without any, those of the program."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=20, help="kill -9 of a replica, at a random moment or a named point"
    )
    parser.add_argument("--stops", type=int, default=5, help="SIGSTOP of the leader for 0.5 to 3 leases")
    parser.add_argument("--restarts", type=int, default=2, help="kill and restart of the database")
    parser.add_argument("--cuts", type=int, default=0, help="connections to the database reset, slow, or deaf")
    parser.add_argument("--failovers", type=int, default=0, help="the synchronous standby is promoted")
    parser.add_argument(
        "--clock", type=float, default=0.0, help="seconds by which one replica's clock is wrong at most"
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=1.0,
        help="commands per second; Slack takes about one message per second and channel",
    )
    parser.add_argument("--seed", type=int, default=1, help="chooses the moments and the points")
    return Plan(**vars(parser.parse_args(arguments)))


def main(plan: Plan, fork_server: ForkServer) -> int:
    """Run it; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="sb-faults-") as folder:
        Path(folder).chmod(0o755)  # the database's user has to get to its own folder
        place = Path(folder) / "pg"
        server = Pair(place) if plan.failovers else LocalServer(place, settings={"track_commit_timestamp": "on"})
        server.start()
        try:
            report = asyncio.run(campaign(Path(folder) / "bot", fork_server, server, plan))
        finally:
            server.stop()
    for line in report.lines():
        print(line)  # noqa: T201  the command's output
    return 1 if report.broken else 0


if __name__ == "__main__":
    with closing(ForkServer()) as processes:
        sys.exit(main(planned(), processes))
