"""Installs a package of the system for the tests, where that needs no question: with apt, as root or with passwordless sudo."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock


def attempt(what: str, *commands: list[str]) -> None:
    """Say what happens, and run the commands without output or questions. The caller sees whether they helped."""
    print(what, file=sys.stderr, flush=True)  # noqa: T201  a first start takes minutes; make shows what it does
    for command in commands:
        subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def as_root() -> list[str] | None:
    """What to write before a command that needs root; None when that isn't possible without a password."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") is None or subprocess.run([*sudo, "true"], check=False, capture_output=True).returncode:
        return None
    return sudo


def install(package: str) -> None:
    """Install this package if the system has apt and lets us."""
    root = as_root()
    if root is None or shutil.which("apt-get") is None:
        return
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    with FileLock(Path(sys.prefix) / ".system-package"):  # apt refuses to run twice at once
        attempt(
            f"Installing the package {package} with apt-get, about a minute.",
            [*apt, "update"],
            [*apt, "install", "-y", "--no-install-recommends", package],
        )
