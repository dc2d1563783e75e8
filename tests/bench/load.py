"""Sends signed slash commands as Slack does, from a process of its own, so that sending costs the server nothing.

Reads one order a line from standard input, as JSON, and answers with one line: the seconds of each request, how many were not
answered with 200, and how many with words, which is how a slash command is told that it was not taken. An order: `port`, `text`,
`count`, `rate` (a second, 0 for as fast as it goes), `connections`.
Connections are kept from one order to the next.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import socket
import sys
import threading
import time
from typing import Any
from urllib.parse import urlencode

from tests.crowd import CHANNEL, PEOPLE, SIGNING_SECRET, TEAM


def request(text: str) -> bytes:
    """One slash command as bytes on the wire, about 600 bytes of form, signed now."""
    form = {
        "token": "benchmark-verification-not-a-secret",
        "team_id": TEAM,
        "team_domain": "bench",
        "channel_id": CHANNEL,
        "channel_name": "bench",
        "user_id": secrets.choice(PEOPLE),
        "user_name": "bench",
        "command": "/ops",
        "text": text,
        "api_app_id": "A0BENCH",
        "is_enterprise_install": "false",
        "response_url": f"https://hooks.slack.com/commands/{TEAM}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}",
        "trigger_id": f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}",
    }
    body = urlencode(form).encode()
    stamp = str(int(time.time()))
    signature = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    )
    return head.encode() + body


def exchange(connection: socket.socket, data: bytes) -> tuple[int, bool]:
    """Send it and read the whole answer; the status, and whether there are words in it."""
    connection.sendall(data)
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65_536)
        if not part:
            return 0, False
        got += part
    head, _, rest = got.partition(b"\r\n\r\n")
    lengths = [row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    left = length - len(rest)
    while left > 0:
        left -= len(connection.recv(65_536)) or left
    return int(head.split(b" ", 2)[1]), length > 0


class Lines:
    """Open connections by port, the n-th of a port for the n-th thread of an order."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], socket.socket] = {}

    def get(self, port: int, number: int) -> socket.socket:
        """The connection, opened when it is not."""
        if (port, number) not in self._open:
            made = socket.create_connection(("127.0.0.1", port), timeout=30)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[port, number] = made
        return self._open[port, number]


def one_connection(
    order: dict[str, Any], line: socket.socket, count: int, offset: float, found: list[tuple[float, int, bool]]
) -> None:
    """Send `count` requests. At a rate each is timed from the moment at which it was due, so that a late one is not forgiven."""
    rate, connections = order["rate"], order["connections"]
    began = time.perf_counter() + offset
    for number in range(count):
        data = request(order["text"])
        due = began + number * connections / rate if rate else time.perf_counter()
        if (early := due - time.perf_counter()) > 0:
            time.sleep(early)
        status, words = exchange(line, data)
        found.append((time.perf_counter() - due, status, words))


def work(order: dict[str, Any], lines: Lines) -> dict[str, Any]:
    """Carry out an order on as many connections as it says, a thread each."""
    found: list[tuple[float, int, bool]] = []
    connections = order["connections"]
    shares = [order["count"] // connections] * connections
    threads = []
    for number, share in enumerate(shares):
        offset = number / order["rate"] if order["rate"] else 0.0
        line = lines.get(order["port"], number)
        threads.append(threading.Thread(target=one_connection, args=(order, line, share, offset, found)))
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    return {
        "times": [spent for spent, _, _ in found],
        "bad": sum(status != 200 for _, status, _ in found),
        "told": sum(words for _, _, words in found),
        "took": took,
    }


def main() -> None:
    """Until standard input ends."""
    lines = Lines()
    for order in sys.stdin:
        sys.stdout.write(json.dumps(work(json.loads(order), lines)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
