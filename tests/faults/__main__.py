"""Hits replicas under load and checks what the control plane, the audit log and Slack saw.

`python -m tests.faults --kills 100 --stops 20 --restarts 5` starts a PostgreSQL, three replicas, a workspace and a control plane,
types commands all the time, and prints the figures at the end. It ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bot.store.postgres.server import LocalServer
from tests.faults.hits import Plan, campaign
from tests.fork_server import ForkServer


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=20, help="kill -9 of a replica, at a random moment or a named point"
    )
    parser.add_argument("--stops", type=int, default=5, help="SIGSTOP of the leader for 0.5 to 3 leases")
    parser.add_argument("--restarts", type=int, default=2, help="kill and restart of the database")
    parser.add_argument("--rate", type=float, default=5.0, help="commands per second")
    parser.add_argument("--seed", type=int, default=1, help="chooses the moments and the points")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sb-faults-") as folder:
        server, fork_server = LocalServer(Path(folder) / "pg"), ForkServer()
        server.start()
        try:
            plan = Plan(given.kills, given.stops, given.restarts, given.rate, given.seed)
            report = asyncio.run(campaign(Path(folder) / "bot", fork_server, server, plan))
        finally:
            fork_server.close()
            server.stop()
    for line in report.lines():
        print(line)  # noqa: T201  the command's output
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
