"""`systemctl enable --now NAME`, `restart NAME` and `stop NAME`, for services of the type `simple`.

As with the real one, a service inherits nothing from the shell, and starting it doesn't wait until it is ready. `stop` ends with
the service's exit code. What a service writes is in `services/NAME.log`.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

SYSTEM = Path(os.environ["SYSTEM"])


def unit(name: str) -> dict[str, dict[str, str]]:
    """The sections of its file; `%i` is what is written after the `@`."""
    template, at, instance = name.removesuffix(".service").partition("@")
    file = SYSTEM / "units" / f"{template}{at}.service"
    if not file.is_file():
        sys.exit(f"Unit {file.name} could not be found.")
    if shutil.which("systemd-analyze"):  # it names wrong keys and values, and ends with 0 nevertheless
        place = SYSTEM / "units" / f"{template}{at and '@example'}.service"
        said = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", place], check=False, capture_output=True, text=True
        ).stderr
        if file.name in said or place.name in said:
            sys.exit(said)
    sections: dict[str, dict[str, str]] = {}
    for line in file.read_text().replace("\\\n", " ").splitlines():
        if title := re.fullmatch(r"\[(Unit|Service|Install)\]", line):
            section = sections.setdefault(title[1], {})
        elif line and line[0] not in "#;":
            key, value = re.fullmatch(r"([A-Z]\w+)=(.*)", line).groups()
            section[key] = value.replace("%i", instance)
    return sections


def start(name: str) -> None:
    """Start the service in the background, under a process that notes how it ends."""
    service = unit(name)["Service"]
    if service["User"] not in (SYSTEM / "passwd").read_text().split():
        sys.exit(f"{name}: Failed to determine user credentials: No such process")
    environ = {"PATH": os.environ["PATH"], "SYSTEM": str(SYSTEM)}
    if "EnvironmentFile" in service:
        lines = Path(service["EnvironmentFile"]).read_text().splitlines()
        environ |= dict(line.split("=", 1) for line in lines)
    program, *arguments = shlex.split(re.sub(r"\$\{(\w+)\}", lambda found: environ[found[1]], service["ExecStart"]))
    if not os.access(program, os.X_OK):
        sys.exit(f"{name}: Failed at step EXEC spawning {program}")
    (SYSTEM / "services" / f"{name}.ended").unlink(missing_ok=True)
    with (SYSTEM / "services" / f"{name}.log").open("ab") as log:
        if os.fork():
            return
        os.setsid()
        running = subprocess.Popen(
            [program, *arguments],
            env=environ,
            cwd=service.get("WorkingDirectory", "/"),
            umask=int(service.get("UMask", "0022"), 8),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        for stream in range(3):
            os.dup2(log.fileno(), stream)
    (SYSTEM / "services" / f"{name}.pid").write_text(str(running.pid))
    (SYSTEM / "services" / f"{name}.part").write_text(str(running.wait()))
    (SYSTEM / "services" / f"{name}.part").rename(SYSTEM / "services" / f"{name}.ended")
    os._exit(0)


def stop(name: str) -> int:
    """Ask it to end and wait for it; its exit code."""
    pid, ended = (SYSTEM / "services" / f"{name}.{what}" for what in ("pid", "ended"))
    while not pid.exists():
        time.sleep(0.02)
    if not ended.exists():
        os.kill(int(pid.read_text()), signal.SIGTERM)
    for _ in range(2_000):
        if ended.exists():
            pid.unlink()
            return int(ended.read_text())
        time.sleep(0.02)
    sys.exit(f"{name} doesn't stop")


match sys.argv[1:]:
    case ["enable", "--now", name]:
        if "WantedBy" not in unit(name).get("Install", {}):
            sys.exit("The unit files have no installation config")
        start(name)
    case ["restart", name]:
        if (SYSTEM / "services" / f"{name}.pid").exists():
            stop(name)
        start(name)
    case ["stop", name]:
        sys.exit(stop(name))
    case _:
        sys.exit(f"Unknown command {sys.argv[1:]}")
