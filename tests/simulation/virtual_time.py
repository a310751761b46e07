"""Virtual time for everyone who asks for the time by another way than the loop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from aiohttp import connector

from tests.simulation.processes import CURRENT, Process


class VirtualClock:
    """The world's time as an aware UTC datetime, and as each process sees it on its own, skewed clock."""

    def __init__(self, start: datetime, now: list[float]) -> None:
        self.start = start
        self._now = now

    def __call__(self) -> datetime:
        return self.start + timedelta(microseconds=round(self._now[0] * 1_000_000))

    def of(self, process: Process) -> Callable[[], datetime]:
        """Return what product code takes as `clock`."""
        return lambda: self() + timedelta(seconds=process.skew_s)

    def wall(self) -> float:
        process = CURRENT.get()
        return self.start.timestamp() + self._now[0] + (process.skew_s if process else 0.0)

    def monotonic(self) -> float:
        return self._now[0]


@contextmanager
def patched(clock: VirtualClock, random_bytes: Callable[[int], bytes]) -> Iterator[None]:
    """Give virtual time and seeded randomness to whoever asks the machine for them.

    That is asyncpg's budgets, aiohttp's keep-alive and cookies, and the composition root, which alone hands the
    machine's randomness to product code.
    """
    places = [
        (os, "urandom", random_bytes),
        (time, "time", clock.wall),
        (time, "monotonic", clock.monotonic),
        (connector, "monotonic", clock.monotonic),
    ]
    real = [getattr(module, name) for module, name, _ in places]
    for module, name, virtual in places:
        setattr(module, name, virtual)
    try:
        yield
    finally:
        for (module, name, _), original in zip(places, real, strict=True):
            setattr(module, name, original)
