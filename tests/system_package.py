"""Installs a package of the system for the tests, where that needs no question: with apt, as root or with passwordless sudo.

`python -m tests.system_package PROGRAM FILE` finds or installs a program and writes its place to FILE.
"""

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


def main(program: str, file: Path) -> None:
    """Find this program or install its package of the same name, and write where it is to `file`."""
    if shutil.which(program) is None:
        install(program)
    found = shutil.which(program)
    if found is None:
        sys.exit(
            f"The commands of the docs need `{program}`, and it can't be installed here. Install the package {program}."
        )
    file.write_text(f"{found}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
