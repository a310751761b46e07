"""Callers that arrive while a transaction is under way share the next one.

No timer: a batch is whatever queued while the last commit was in flight, so an idle service answers at once and a
busy one pays one flush of the log for many callers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from gateway.domain.errors import OverloadedError, UnavailableError

_QUIET_TURNS: Final = 4
"""A request comes in over three turns of the loop: its bytes, its connection's task, its own task."""

Row = TypeVar("Row")
Result = TypeVar("Result")


class GroupCommit(Generic[Row, Result]):
    """Gather concurrent rows into batches, each written by one call of `flush`, which returns one result a row.

    A result that is an exception is raised to its own caller only. When `flush` itself fails, its rows are written
    one by one, so that one poisoned row never fails its neighbours.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[Row]], Awaitable[Sequence[Result | Exception]]],
        *,
        batch_max: int = 64,
        queue_max: int = 2_000,
        flushes_max: int = 1,
    ) -> None:
        self._flush = flush
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._flushes_max = flushes_max
        self._queue: deque[tuple[Row, asyncio.Future[Result]]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._gathering = False
        """Whether one of the workers is waiting for its batch to fill: never two at a time."""

    async def submit(self, row: Row) -> Result:
        """Wait for the row's own result. A caller that goes away does not take the batch with it."""
        if len(self._queue) >= self._queue_max:
            raise OverloadedError(retry_after_s=1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append((row, future))
        if not self._gathering and self._may_flush():
            self._gathering = True
            worker = loop.create_task(self._work(), name="group-commit")
            self._workers.add(worker)
        return await future

    def _may_flush(self) -> bool:
        """Tell whether a batch may leave: alone, or behind others that are under way when it is a full one."""
        under_way = len(self._workers)
        return not under_way or (under_way < self._flushes_max and len(self._queue) >= self._batch_max)

    async def drain(self) -> None:
        """Wait until everything queued is written: the last step of a graceful stop."""
        while self._workers:
            await asyncio.gather(*self._workers)

    async def _work(self) -> None:
        try:
            while True:
                try:
                    await self._gather()
                finally:
                    self._gathering = False
                batch = [self._queue.popleft() for _ in range(min(self._batch_max, len(self._queue)))]
                await self._write(batch)
                # Whoever gathers takes what is queued; and no await lies between this and the end of the task.
                if self._gathering or not self._queue:
                    break
                self._gathering = True
        finally:
            worker = asyncio.current_task()
            if worker is not None:
                self._workers.discard(worker)

    async def _gather(self) -> None:
        """Let those join whose requests are being read: wait while the loop's turns go on bringing somebody."""
        quiet = 0
        while quiet < _QUIET_TURNS and len(self._queue) < self._batch_max:
            waiting = len(self._queue)
            await asyncio.sleep(0)
            quiet = 0 if len(self._queue) > waiting else quiet + 1

    async def _write(self, batch: Sequence[tuple[Row, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._flush([row for row, _ in batch])
        except UnavailableError as error:
            for _, future in batch:
                _settle(future, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers, not to this loop
            if len(batch) == 1:
                _settle(batch[0][1], error)
                return
            for item in batch:
                await self._write([item])
            return
        for (_, future), result in zip(batch, results, strict=True):
            _settle(future, result)


def _settle(future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():  # its caller has gone away
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
