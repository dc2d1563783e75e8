"""A primary and its synchronous standby, which can be promoted."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from bot.store.postgres.server import LocalServer

# Commit times are kept for the checker.
SETTINGS = {
    "synchronous_commit": "on",
    "wal_retrieve_retry_interval": "200ms",
    "max_wal_senders": "8",
    "track_commit_timestamp": "on",
}


class Server(LocalServer):
    """One of the two. Its programs run as the server's user."""

    def copy(self, primary: Server) -> None:
        """Forget the own data, copy the primary's, and be its standby at the next start."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        self._own(self.folder)
        self._run("pg_basebackup", "-d", primary.url(), "-D", data, "--write-recovery-conf", "--checkpoint=fast", "-N")

    def promote(self) -> None:
        """From a standby to the primary; returns when it can be read and written."""
        self._run("pg_ctl", "promote", "-D", self.folder / "data", "-w", "-s")

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self.binaries / program, *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, cwd=self.folder, **self._identity
        )
        assert done.returncode == 0, done.stderr.decode()


class Pair:
    """Two servers. `primary` takes writes, `standby` follows it; `socket_folders` never change."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        folder.mkdir()
        folder.chmod(0o755)  # the server's user has to get to its own folder, which is closed to others
        self.servers = tuple(Server(folder / name, durable=durable, settings=SETTINGS) for name in ("one", "two"))
        self.primary, self.standby = self.servers

    def start(self) -> None:
        """Start both. Returns when commits are possible."""
        self.primary.start()
        self.repair()

    def stop(self) -> None:
        """Stop both."""
        for server in self.servers:
            server.stop()

    def kill(self) -> None:
        """Kill the primary. The standby is not promoted."""
        self.primary.kill()

    def restart(self) -> None:
        """Start the killed primary again."""
        self.primary.start()

    def promote(self, *, alone: bool) -> None:
        """Make the standby the primary. The old primary may still run; `repair` makes it the new standby.

        `alone`: commits need no standby until then. Otherwise they wait for it.
        """
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary
        self.wait_for_standbys("" if alone else "*")

    def wait_for_standbys(self, names: str) -> None:
        """The standbys that must have a commit before it is answered."""
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def repair(self) -> None:
        """Make the server that is not the primary its standby; returns when every commit waits for it."""
        self.standby.kill()
        self.standby.copy(self.primary)
        self.standby.start()
        self.wait_for_standbys("*")
        sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            while connection.execute(sql).fetchone() != (1,):
                time.sleep(0.02)

    @property
    def socket_folders(self) -> tuple[Path, ...]:
        """Where the servers listen."""
        return tuple(server.folder for server in self.servers)

    def url(self, database: str = "postgres") -> str:
        """The address of a database, on whichever server takes writes."""
        hosts = quote(",".join(map(str, self.socket_folders)), safe="")
        return f"postgresql://postgres@/{database}?host={hosts}&target_session_attrs=read-write"
