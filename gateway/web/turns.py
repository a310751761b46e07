"""Departments take turns: one that floods us waits in its own line, and the others do not notice."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from aiohttp import web

from gateway import metrics
from gateway.domain.errors import OverloadedError


class Turns:
    """So many places for requests, of which one department may hold no more than its share.

    What a department sends beyond that waits a moment in a short line of its own. A place that falls free goes to the
    next line that may have it, not to the longest: with n departments waiting, each gets every n-th place.
    """

    def __init__(self, places: int, *, share: int, wait_s: float) -> None:
        self._places = places
        self._share = max(1, min(share, places))
        self._wait_s = wait_s
        self._taken = 0
        self._held: dict[str, int] = {}
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, department: str) -> None:
        """Take a place, or wait for one; `give_back` must follow. Raises when there is none in good time."""
        if self._taken < self._places and self._held.get(department, 0) < self._share and not self._lines:
            self._seat(department)
            return
        line = self._lines.setdefault(department, deque())
        if len(line) >= self._share:
            metrics.REFUSED.labels("department").inc()
            raise OverloadedError(retry_after_s=1)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(place)
        self._deal()
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.give_back(department)  # it came in the very moment its request was given up
            else:
                self._leave(department, place)
            if isinstance(error, TimeoutError):
                metrics.REFUSED.labels("department").inc()
                raise OverloadedError(retry_after_s=1) from None
            raise

    def give_back(self, department: str) -> None:
        self._taken -= 1
        left = self._held[department] - 1
        if left:
            self._held[department] = left
        else:
            del self._held[department]
        if self._lines:
            self._deal()

    def _seat(self, department: str) -> None:
        self._taken += 1
        self._held[department] = self._held.get(department, 0) + 1

    def _deal(self) -> None:
        """Give free places out, one a line, round and round."""
        while self._taken < self._places:
            next_line = (name for name in self._lines if self._held.get(name, 0) < self._share)
            department = next(next_line, None)
            if department is None:
                return
            line = self._lines.pop(department)
            place = line.popleft()
            if line:
                self._lines[department] = line  # at the end: every other line comes before this one again
            if not place.done():
                self._seat(department)
                place.set_result(None)

    def _leave(self, department: str, place: asyncio.Future[None]) -> None:
        line = self._lines.get(department)
        if line is not None and place in line:
            line.remove(place)
            if not line:
                del self._lines[department]


TURNS: Final = web.AppKey("turns", Turns)
TURN: Final = web.RequestKey("turn", str)
"""The department whose place this request holds."""
