"""`signalbox` as a program: exit code, standard output and standard error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fork_server import ForkServer


@dataclass(frozen=True)
class Ended:
    """A program that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Running:
    """A program that goes on."""

    pid: int
    out: Path
    err: Path
    fork_server: ForkServer

    def said(self) -> str:
        """What it has written so far."""
        return "".join(path.read_text(encoding="utf-8") for path in (self.out, self.err) if path.exists())

    async def ended(self) -> Ended:
        """Wait for its end."""
        code = await self.fork_server.ended(self.pid, within=60)
        return Ended(code, self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8"))


class Program:
    """`signalbox` as a process of its own, forked from one that has everything imported already."""

    def __init__(self, fork_server: ForkServer, printed: Path) -> None:
        self._fork_server = fork_server
        self._printed = printed
        self._count = 0

    async def __call__(self, *arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> Ended:
        """`signalbox ARGUMENTS` in a folder, with this environment alone."""
        return await self.begin(*arguments, folder=folder, environ=environ).ended()

    def begin(self, *arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> Running:
        """The same, without waiting for its end."""
        self._count += 1
        out, err = (self._printed / f"{self._count}.{stream}" for stream in ("out", "err"))
        pid = self._fork_server.order(
            arguments=arguments, folder=str(folder), environ=dict(environ or {}), out=str(out), err=str(err)
        )
        return Running(pid, out, err, self._fork_server)


def one_line(ended: Ended) -> str:
    """The only line that a program wrote which did not start, and no traceback."""
    assert ended.code in (1, 2), ended
    assert "Traceback" not in ended.err
    lines = [line for line in ended.err.splitlines() if line.startswith("signalbox: ")]
    assert len(lines) == 1, ended.err
    return lines[0]
