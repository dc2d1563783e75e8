"""`ssh -N -L ADDRESS:PORT:HOST:HOSTPORT USER@HOST`: forwards the port until it is ended. HOST is this machine."""

import argparse
import re
import socket
import sys
import threading

OPTIONS = {"BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=15", "ServerAliveCountMax=2"}


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Everything that one end says to the other."""
    while part := source.recv(65_536):
        sink.sendall(part)
    sink.shutdown(socket.SHUT_WR)


def main() -> None:
    """Listen, and join each connection with a new one."""
    parser = argparse.ArgumentParser(prog="ssh", allow_abbrev=False)
    parser.add_argument("-N", action="store_true", required=True)
    parser.add_argument("-T", action="store_true")
    parser.add_argument("-o", action="append", choices=OPTIONS, default=[])
    parser.add_argument("-L", required=True)
    parser.add_argument("destination")
    asked = parser.parse_args()
    bind, port, host, host_port = asked.L.split(":")
    if not re.fullmatch(r"[a-z]+@[\w.-]+", asked.destination):
        sys.exit(255)
    try:
        listening = socket.create_server((bind, int(port)))
    except OSError as problem:
        print(f"bind [{bind}]:{port}: {problem}", file=sys.stderr)  # noqa: T201  as the real one
        sys.exit(255)
    while True:
        near, _ = listening.accept()
        far = socket.create_connection((host, int(host_port)))
        for ends in ((near, far), (far, near)):
            threading.Thread(target=copy, args=ends, daemon=True).start()


main()
