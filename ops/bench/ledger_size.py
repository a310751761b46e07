"""The books at size: what one question costs when there are millions of postings, and how it grows."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from ledger import statements
from ledger.accounts import department_payable, provider_receivable
from ledger.audit import verify
from ledger.decisions import open_months
from ledger.entry import Entry
from ledger.export import Form, export, whole
from ledger.journal import post_within
from ops.bench.figures import Figure, absolute, held, resident_bytes, server_cpu_s
from ops.bench.ledger_limits import DEPARTMENTS, payments

BATCH: Final = 1_000
POSTINGS_A_PAYMENT: Final = 4
YEAR: Final = timedelta(days=365)
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SMALLER: Final = 0.1
"""Everything is asked at a tenth of the size too, to see how it grows."""

ASKED: Final = 25
PASSES: Final = 4
"""The same questions are asked this often; the first pass warms the cache and is not counted."""

STREAMED: Final = 1_000_000

_SIZE: Final = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
 WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r'
"""

# As the night asks: lines of a settlement file against open items, by the provider's reference.
_NIGHT: Final = """
SELECT count(*) FROM ledger.open_items i
  JOIN (SELECT provider_reference, sum(amount_minor) FILTER (WHERE amount_minor > 0) AS gross_minor
          FROM ledger.item WHERE provider_reference IS NOT NULL GROUP BY provider_reference) line
    ON line.provider_reference = i.provider_reference AND line.gross_minor = i.amount_minor
 WHERE i.account = $1 AND i.currency = 'AED'
"""


@dataclass(slots=True)
class _Books:
    """The books as they grow, and what was measured of them at each size."""

    connection: Any
    owner: Any
    say: Callable[[str], None]
    start: datetime
    count: int
    done: int = 0
    figures: list[Figure] = field(default_factory=list)
    smaller: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> str:
        return f"{self.done * POSTINGS_A_PAYMENT:,} postings"

    def add(self, name: str, figure: Figure, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """Keep a figure; at the whole size, hold it against the same at the tenth."""
        if before := self.smaller.get(name):
            ratio = figure.value / before
            bar, met = held(ratio, at_least=at_least, at_most=at_most)
            grown = Figure(
                f"  grown from a tenth of the size: {name}", figure.value, figure.unit, before, ratio, bar, met
            )
            self.figures += [figure, grown]
        else:
            self.figures.append(figure)
        self.smaller[name] = figure.value


async def measure_size(
    pool: asyncpg.Pool[Any], owner: asyncpg.Connection[Any], postings: int, say: Callable[[str], None]
) -> list[Figure]:
    """Post a year of payments through the front door; ask at a tenth of the size and at the whole."""
    async with pool.acquire() as connection:
        standing = await connection.fetchval("SELECT max(recorded_at) FROM ledger.journal")
        start = max(START, standing) if standing else START
        books = _Books(connection, owner, say, start, postings // POSTINGS_A_PAYMENT)
        # Every month is open at either size, so that what grows is the number of postings and not that of months.
        await open_months(connection, months=12, at=start)
        for share in (SMALLER, 1.0):
            await _grow(books, int(books.count * share))
            await owner.execute("VACUUM ANALYZE", timeout=1_800)  # as autovacuum would have by then
            await _ask(books, share)
            await _join_and_prove(books)
        return [*books.figures, *await _stream(books)]


async def _grow(books: _Books, until: int) -> None:
    """Post up to a number of payments, making the next batch while the server has the last."""
    began, first = time.perf_counter(), books.done
    posting: asyncio.Task[Any] | None = None
    while books.done < until:
        batch = _batch(books, min(BATCH, until - books.done))
        if posting:
            await posting
        posting = asyncio.create_task(
            post_within(books.connection, batch, recorded_at=batch[-1].effective_at + timedelta(seconds=2))
        )
        await asyncio.sleep(0)  # lets the statement leave
        books.done += len(batch)
        if books.done % 250_000 == 0:
            books.say(books.size)
    if posting:
        await posting
    took = time.perf_counter() - began
    books.say(f"posted {(books.done - first) * POSTINGS_A_PAYMENT:,} postings in {took:.0f} s")


def _batch(books: _Books, payments_in_it: int) -> list[Entry]:
    at = books.start + YEAR * (books.done / books.count)
    return payments(f"size{books.done}x", payments_in_it, start=at, apart=YEAR / books.count)


async def _ask(books: _Books, share: float) -> None:
    """Ask each question of many accounts and instants, over and over: the median on a warm cache."""
    drawn = random.Random(books.size)
    hot = provider_receivable("alpha")

    def department() -> str:
        return department_payable(f"d{drawn.randrange(DEPARTMENTS)}")

    def instant() -> datetime:
        return books.start + YEAR * (share * drawn.random())

    async def day(account: str, begin: datetime) -> None:
        stream = statements.account_statement(books.connection, account, "AED", start=begin, end=begin + timedelta(1))
        async for _ in stream:
            pass

    connection = books.connection
    accounts = [drawn.choice([hot, department()]) for _ in range(ASKED)]
    instants = [instant() for _ in range(ASKED)]
    departments = [department() for _ in range(ASKED)]
    questions: list[tuple[str, float, Callable[[int], Awaitable[Any]]]] = [
        ("balance now", 1, lambda n: statements.balance(connection, accounts[n], "AED")),
        ("balance at T", 1, lambda n: statements.balance(connection, accounts[n], "AED", at=instants[n])),
        ("a department's day statement", 5, lambda n: day(departments[n], instants[n])),
        ("trial balance now", 5, lambda _: statements.trial_balance(connection)),
        ("trial balance at T", 5, lambda n: statements.trial_balance(connection, at=instants[n])),
    ]
    await connection.execute("SET jit = off")
    for name, most_ms, ask in questions:
        waits = []
        for round_number in range(PASSES):
            for number in range(ASKED):
                began = time.perf_counter()
                await ask(number)
                if round_number:
                    waits.append((time.perf_counter() - began) * 1e3)
        figure = absolute(f"{name}, {books.size}", statistics.median(waits), "ms", at_most=most_ms)
        # A day's statement has as many more lines as the books have postings; what is looked up has not.
        books.add(name, figure, at_most=None if "day" in name else 1.5)


async def _join_and_prove(books: _Books) -> None:
    connection = books.connection
    began = time.perf_counter()
    joined = await connection.fetchval(_NIGHT, provider_receivable("alpha"), timeout=1_800)
    took = time.perf_counter() - began
    books.figures.append(absolute(f"the night's join over {joined:,} open items", took, "s"))
    backend = await books.owner.fetchval("SELECT pg_backend_pid()")
    server, client, began = server_cpu_s(backend), time.process_time(), time.perf_counter()
    report = await verify(connection)
    took, used, after = time.perf_counter() - began, time.process_time() - client, server_cpu_s(backend)
    if not report.proven:
        raise RuntimeError(f"the benchmark's own books are not proven: {report.findings[:3]}")
    books.add("verify", absolute(f"verify by the clock, {books.size}", report.postings / took, "postings/s"))
    if server is not None and after is not None:
        rate = report.postings / (used + after - server)
        books.add(
            "verify per core",
            absolute(f"verify per core, {books.size}", rate, "postings/s", at_least=120_000),
            at_least=0.8,
        )
    bytes_all = await connection.fetchval(_SIZE)
    figure = absolute(f"bytes a posting with indexes, {books.size}", float(bytes_all) / report.postings, "bytes")
    books.add("bytes a posting", figure, at_most=1.2)


async def _stream(books: _Books) -> list[Figure]:
    """Stream a statement and an export of a million rows each, where there are so many, watching memory."""
    connection = books.connection
    stream = statements.account_statement(
        connection, provider_receivable("alpha"), "AED", start=books.start - YEAR, end=books.start + 2 * YEAR
    )
    lines, held_before, began = 0, resident_bytes(), time.perf_counter()
    most = held_before
    async with aclosing(stream):
        async for _ in stream:
            lines += 1
            if lines % 10_000 == 0:
                most = max(most, resident_bytes())
            if lines == STREAMED:
                break
    lines_a_second = lines / (time.perf_counter() - began)
    extent = await whole(connection)
    extent = replace(extent, until=min(extent.until, STREAMED // POSTINGS_A_PAYMENT))
    written, exporting, began = 0, resident_bytes(), time.perf_counter()
    peak = exporting
    async with aclosing(export(connection, Form.JSONL, extent)) as pieces:
        async for piece in pieces:
            written += len(piece)
            peak = max(peak, resident_bytes())
    took = time.perf_counter() - began
    postings = extent.until * POSTINGS_A_PAYMENT
    return [
        absolute(f"memory over a streamed statement of {lines:,} lines", (most - held_before) / 1e6, "MB"),
        absolute("  lines a second", lines_a_second, "lines/s"),
        absolute(
            f"memory over a streamed export of {postings:,} postings, {written / 1e6:,.0f} MB",
            (peak - exporting) / 1e6,
            "MB",
        ),
        absolute("  postings a second", postings / took, "postings/s"),
    ]
