"""Ports of this machine that nobody listens on."""

from __future__ import annotations

import os
import socket


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_run(length: int) -> int:
    """Return the first of so many free ports in a row, looking where no other process of ours looks first."""
    start = os.getpid() % 2_000 * 20
    for first in ((start + number) % 30_000 + 2_000 for number in range(0, 30_000, 20)):
        if all(is_free(first + number) for number in range(length)):
            return first
    raise OSError("there are no free ports on this machine")
