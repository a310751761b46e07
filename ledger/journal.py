"""Posting: within a caller's transaction, or through the group commit that many callers share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import asyncpg

from ledger import store
from ledger.entry import Entry
from ledger.errors import (
    EntryError,
    FloorError,
    LedgerError,
    LedgerUnavailableError,
    PeriodClosedError,
    ReferenceReusedError,
)
from ledger.store import Connection, Pool, Verdict

BATCH_MAX: Final = 256
LANES: Final = 2
LANE_MIN: Final = 64
"""Fewer than this are not worth a batch, and a commit, beside the one in flight: a second statement then costs the
server more than what the client does meanwhile."""

QUEUE_MAX: Final = 20_000
ATTEMPTS_MAX: Final = 6
STATEMENT_TIMEOUT_S: Final = 30.0

_TRY_AGAIN: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""The statement did not happen, or nobody knows whether it did: asking again is safe, since references are keys."""


class PostStatus(StrEnum):
    POSTED = "posted"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Posted:
    """The ledger's answer to one entry; `error` is set if and only if it was refused."""

    status: PostStatus
    journal_id: int | None
    error: LedgerError | None = None


def answer(entry: Entry, verdict: Verdict, journal_id: int | None) -> Posted:
    """Put the database's verdict on an entry into words."""
    error: LedgerError
    match verdict:
        case Verdict.POSTED:
            return Posted(PostStatus.POSTED, journal_id)
        case Verdict.REPEATED:
            return Posted(PostStatus.REPEATED, journal_id)
        case Verdict.REFERENCE_REUSED:
            error = ReferenceReusedError(f"reference {entry.reference} is journal {journal_id} with other content")
        case Verdict.BELOW_FLOOR:
            error = FloorError(f"entry {entry.reference} would take an account below its floor")
        case Verdict.PERIOD_CLOSED:
            error = PeriodClosedError(f"entry {entry.reference} is of {entry.business_date}, which is closed")
        case Verdict.CORRECTS_UNKNOWN:
            error = EntryError(f"entry {entry.reference} corrects journal {entry.corrects}, which does not exist")
        case Verdict.BEYOND_TOTALS:
            error = EntryError(f"entry {entry.reference} would take an account beyond what its totals hold")
    return Posted(PostStatus.REFUSED, None, error)


async def post_within(connection: Connection, entries: Sequence[Entry], *, recorded_at: datetime) -> list[Posted]:
    """Post inside the caller's READ COMMITTED transaction: one answer per entry, in order.

    Takes the ledger's one lock until the transaction ends, so call it last. A refused entry never fails its
    neighbours, nor the transaction.
    """
    if not entries:
        return []
    verdicts = await store.post_batch(connection, entries, recorded_at)
    return [answer(entry, verdict, journal) for entry, (verdict, journal) in zip(entries, verdicts, strict=True)]


async def hold_books(connection: Connection) -> None:
    """Take the ledger's one lock until the transaction ends: what is read from here on is what the posting meets."""
    await connection.execute("SELECT ledger.hold_head()")


@dataclass(slots=True)
class _Waiting:
    entry: Entry
    answer: asyncio.Future[Posted]


class Ledger:
    """The group commit: what queued while the last commit was in flight becomes the next batch.

    No timer. Two lanes, each with a connection of its own: when much is waiting, one batch is packed, sent and answered
    while the other is in the server, where the ledger's lock puts them in line. Run one `Ledger` per database; several
    are correct but share the lock.
    """

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._in_flight = 0
        self._closing = False
        self._lanes: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the writers."""
        self._closing = False
        self._lanes = [asyncio.create_task(self._write(), name=f"ledger lane {number}") for number in range(LANES)]

    async def close(self) -> None:
        """Post what is queued, then stop the writers."""
        self._closing = True
        self._rouse(LANES)
        lanes, self._lanes = self._lanes, []
        await asyncio.gather(*lanes)

    async def post(self, entry: Entry) -> Posted:
        """Post an entry and return when it is durable; raise the `LedgerError` that refused it.

        A caller that is cancelled does not undo its entry: asking again with the same reference tells.
        """
        if not self._lanes or self._closing:
            raise LedgerUnavailableError("the ledger's writer is not running")
        if len(self._queue) >= QUEUE_MAX:
            raise LedgerUnavailableError(f"{QUEUE_MAX} entries are waiting already")
        answer: asyncio.Future[Posted] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(entry, answer))
        if len(self._queue) == (LANE_MIN if self._in_flight else 1):
            self._rouse()
        posted = await answer
        if posted.error is not None:
            raise posted.error
        return posted

    def _rouse(self, lanes: int = 1) -> None:
        for _ in range(min(lanes, len(self._idle))):
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)

    def _take(self) -> list[_Waiting]:
        """Take the next batch: all that waits, or half of it for each lane where that is worth a second statement.

        While a batch is in the server, few that wait are better posted together after it.
        """
        waiting = len(self._queue)
        if self._in_flight and waiting < LANE_MIN:
            return []
        if not self._in_flight and waiting >= 2 * LANE_MIN:
            waiting = (waiting + 1) // 2
        return [self._queue.popleft() for _ in range(min(BATCH_MAX, waiting))]

    async def _write(self) -> None:
        connection: Connection | None = None
        batch: list[_Waiting] = []
        try:
            while self._queue or not self._closing:
                batch = self._take()
                if not batch:
                    idle = asyncio.get_running_loop().create_future()
                    self._idle.append(idle)
                    await idle
                    continue
                self._in_flight += 1
                if len(self._queue) >= LANE_MIN:
                    self._rouse()
                try:
                    connection = await self._post(connection, batch)
                finally:
                    self._in_flight -= 1
        finally:
            self._closing = True
            for waiting in (*batch, *self._queue):
                _resolve(waiting, LedgerUnavailableError("the ledger's writer stopped"))
            self._queue.clear()
            self._rouse(LANES)
            if connection is not None:
                await self._pool.release(connection)

    async def _post(self, connection: Connection | None, batch: list[_Waiting]) -> Connection | None:
        """Post a batch through thick and thin; return the connection to use next."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                if connection is None:
                    connection = await self._pool.acquire(timeout=STATEMENT_TIMEOUT_S)
                async with asyncio.timeout(STATEMENT_TIMEOUT_S):
                    answers = await post_within(
                        connection, [waiting.entry for waiting in batch], recorded_at=self._clock()
                    )
            except _TRY_AGAIN as error:
                fault: Exception = error
                await self._discard(connection)
                connection = None
                await asyncio.sleep(0.05 * 2**attempt)
                continue
            except Exception as error:  # noqa: BLE001 - whatever one entry provokes, its neighbours are answered
                if len(batch) == 1:
                    _resolve(batch[0], error)
                    return connection
                for waiting in batch:
                    connection = await self._post(connection, [waiting])
                return connection
            for waiting, posted in zip(batch, answers, strict=True):
                _resolve(waiting, posted)
            return connection
        unknown = LedgerUnavailableError("the database did not answer; whether the entry is posted is not known")
        unknown.__cause__ = fault
        for waiting in batch:
            _resolve(waiting, unknown)
        return connection

    async def _discard(self, connection: Connection | None) -> None:
        if connection is not None:
            with contextlib.suppress(asyncpg.InterfaceError):  # a connection that broke has left the pool already
                connection.terminate()
            await self._pool.release(connection)


def _resolve(waiting: _Waiting, outcome: Posted | Exception) -> None:
    if waiting.answer.done():  # its caller went away
        return
    if isinstance(outcome, Posted):
        waiting.answer.set_result(outcome)
    else:
        waiting.answer.set_exception(outcome)
