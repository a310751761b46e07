"""The books at size: what one question costs when there are millions of postings, and how it grows."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from ledger import statements
from ledger.accounts import department_payable, provider_receivable
from ledger.audit import verify
from ledger.journal import post_within
from ops.bench.figures import Figure, absolute
from ops.bench.ledger_limits import DEPARTMENTS, payments

BATCH: Final = 1_000
POSTINGS_A_PAYMENT: Final = 4
YEAR: Final = timedelta(days=365)
START: Final = datetime(2026, 1, 1, tzinfo=UTC)

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


async def measure_size(pool: asyncpg.Pool[Any], postings: int, say: Callable[[str], None]) -> list[Figure]:
    """Post a year of payments through the front door; ask at a tenth of the size and at the whole."""
    figures: list[Figure] = []
    count = postings // POSTINGS_A_PAYMENT
    async with pool.acquire() as connection:
        standing = await connection.fetchval("SELECT max(recorded_at) FROM ledger.journal")
        start = max(START, standing) if standing else START
        done = 0
        for share in (0.1, 1.0):
            until = int(count * share)
            began, first = time.perf_counter(), done
            while done < until:
                batch = payments(
                    f"size{done}x", min(BATCH, until - done), start=start + YEAR * (done / count), apart=YEAR / count
                )
                await post_within(connection, batch, recorded_at=batch[-1].effective_at + timedelta(seconds=2))
                done += len(batch)
                if done % 250_000 == 0:
                    say(f"{done * POSTINGS_A_PAYMENT:,} postings")
            took = time.perf_counter() - began
            say(f"posted {(done - first) * POSTINGS_A_PAYMENT:,} postings in {took:.0f} s")
            figures += await _questions(connection, f"{done * POSTINGS_A_PAYMENT:,} postings", start, done / count)
    return figures


async def _questions(connection: Any, size: str, start: datetime, share: float) -> list[Figure]:
    drawn = random.Random(size)
    hot = provider_receivable("alpha")

    def account() -> str:
        return drawn.choice([hot, department_payable(f"d{drawn.randrange(DEPARTMENTS)}")])

    def instant() -> datetime:
        return start + YEAR * (share * drawn.random())

    async def day() -> None:
        begin = instant()
        stream = statements.account_statement(
            connection,
            department_payable(f"d{drawn.randrange(DEPARTMENTS)}"),
            "AED",
            start=begin,
            end=begin + timedelta(1),
        )
        async for _ in stream:
            pass

    questions: list[tuple[str, float | None, Callable[[], Awaitable[Any]]]] = [
        ("balance now", 1, lambda: statements.balance(connection, account(), "AED")),
        ("balance at T", 1, lambda: statements.balance(connection, account(), "AED", at=instant())),
        ("a department's day statement", 5, day),
        ("trial balance at T", 5, lambda: statements.trial_balance(connection, at=instant())),
    ]
    await connection.execute("SET jit = off")
    figures = []
    for name, most_ms, ask in questions:
        waits = []
        for _ in range(40):
            began = time.perf_counter()
            await ask()
            waits.append((time.perf_counter() - began) * 1e3)
        figures.append(absolute(f"{name}, {size}", statistics.median(waits[8:]), "ms", at_most=most_ms))
    began = time.perf_counter()
    joined = await connection.fetchval(_NIGHT, hot)
    figures.append(absolute(f"the night's join over {joined:,} open items", time.perf_counter() - began, "s"))
    began = time.perf_counter()
    report = await verify(connection)
    took = time.perf_counter() - began
    if not report.proven:
        raise RuntimeError(f"the benchmark's own books are not proven: {report.findings[:3]}")
    figures.append(absolute(f"verify by the clock, {size}", report.postings / took, "postings/s"))
    bytes_all = await connection.fetchval(_SIZE)
    figures.append(absolute(f"bytes a posting with indexes, {size}", float(bytes_all) / report.postings, "bytes"))
    return figures
