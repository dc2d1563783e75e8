"""Ports for programs that are told their port before they listen."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A loopback port on which nothing listens. It is below those that the system gives to others meanwhile."""
    for port in random.SystemRandom().sample(range(15_000, 32_000), 1_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
