"""Deliveries under way from one round of work to the next, so that whoever hangs holds up nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Couriers:
    """Calls to departments' endpoints that may outlast the round that began them.

    An endpoint with a call under way is given nothing new, so that its bound holds over all rounds; one that did not
    take its last delivery is tried with one call at a time until it does.
    """

    def __init__(self) -> None:
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._failing: set[str] = set()

    @property
    def count(self) -> int:
        return sum(not task.done() for task in self._under_way)

    @property
    def busy(self) -> list[str]:
        """Endpoints that have a call under way."""
        return sorted({endpoint for task, endpoint in self._under_way.items() if not task.done()})

    @property
    def failing(self) -> list[str]:
        """Endpoints that are tried with one call at a time."""
        return sorted(self._failing)

    def send(self, endpoint: str, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(delivery, name=f"webhook {endpoint}")
        self._under_way[task] = endpoint

    def note(self, endpoint: str, *, delivered: bool) -> None:
        (self._failing.discard if delivered else self._failing.add)(endpoint)

    async def wait(self, patience_s: float) -> None:
        """Wait for what is under way, but not for long; raise what an earlier call ended with, if it failed."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=patience_s)
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            task.result()

    async def close(self, patience_s: float = 2.0) -> None:
        """Let calls under way end, and break off those that do not: they are made again when their lease is over."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=patience_s)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()
