"""Files on the disk that wait for their upload."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from bot.core.ports.store import StoreAddress
from bot.runtime.spool import FileSpool, spool_folder

POSTGRES = StoreAddress("postgresql://bot@db.internal/signalbox")


def test_what_a_killed_replica_left_is_deleted_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    own = spool_folder(tmp_path, POSTGRES)
    host = socket.gethostname()
    left = [tmp_path / f"signalbox.{host}.{killed.pid}{mark}" for mark in (".spool", ".cli.spool")]
    others = [
        tmp_path / f"signalbox.{host}.{os.getppid()}.spool",  # a replica that runs
        tmp_path / f"signalbox.elsewhere.{killed.pid}.spool",  # of another machine
        tmp_path / "signalbox.spool",
    ]
    for folder in (*left, *others):
        folder.mkdir()
        (folder / "run.log").write_text("x")
    FileSpool(own).prepare()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (own, *others)}
    assert own.stat().st_mode & 0o777 == 0o700


def test_in_a_folder_that_replicas_share_only_old_files_are_deleted(tmp_path: Path) -> None:
    new, old, waiting = (tmp_path / name for name in ("new.log", "old.log", "waiting.log"))
    for file in (new, old, waiting):
        file.write_text("x")
    for file in (old, waiting):
        os.utime(file, (0, 0))
    FileSpool(tmp_path, shared=True).prepare([str(waiting)])
    assert set(tmp_path.iterdir()) == {new, waiting}


def test_each_process_has_its_own_folder_unless_one_is_shared(tmp_path: Path) -> None:
    shared = StoreAddress(POSTGRES.url, files=str(tmp_path / "files"))
    assert spool_folder(tmp_path, shared) == tmp_path / "files"
    assert spool_folder(tmp_path, shared, terminal=True).parent == tmp_path
    assert spool_folder(tmp_path, StoreAddress(str(tmp_path / "s.db"))) == tmp_path / "s.spool"
    assert spool_folder(tmp_path / "missing", POSTGRES).parent != tmp_path / "missing", "it can't be written"
