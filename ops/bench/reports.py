"""`mizan bench reports`: a report of a million rows in every form: when its first bytes come, and what it holds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from ledger.accounts import department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from ledger.journal import post_within
from ledger.money import Money
from ops.bench.figures import Figure, Options, absolute, resident_bytes
from ops.migrate import migrate
from reconciliation.breaks import Language
from reconciliation.reports.catalogue import Format, build_report, render

DATABASE: Final = "mizan_bench_reports"
ROWS: Final = 1_000_000
DEPARTMENT: Final = "d000"
SEED_CHUNK: Final = 2_000
DAY: Final = date(2026, 11, 22)
MORNING: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
FIRST_S_MAX: Final = 1.0
GROWN_MIB_MAX: Final = 64.0
LEAST_BYTES: Final = 4
"""A mark of byte order alone is no byte of the report."""
PAGE_BYTES: Final = 1 << 16
"""More than any report's head: when its rows are coming."""

ASKED: Final = (
    ("departments", Format.CSV), ("departments", Format.TEXT), ("departments", Format.HTML),
    ("departments", Format.XLSX), ("remittance", Format.CSV), ("remittance", Format.XLSX), ("breaks", Format.CSV),
)  # fmt: skip


async def run(options: Options) -> list[Figure]:
    """Make the rows, then write each report whole, counting its bytes and throwing them away."""
    size = options.size or ROWS
    parts = urlsplit(options.url)
    url = urlunsplit(parts._replace(path=f"/{DATABASE}"))
    await _execute(options.url, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE}")
    await migrate(url)
    async with asyncpg.create_pool(url, min_size=1, max_size=2, server_settings={"role": "mizan_service"}) as pool:
        began = time.perf_counter()
        await _seed(pool, size)
        await _execute(url, *_PAYOUT, _BREAKS.replace("$size", str(size)), "VACUUM ANALYZE")
        options.say(
            f"{size:,} payments, breaks and a payout of all of them made in {time.perf_counter() - began:.0f} s"
        )
        figures = [Figure("rows", size, "rows")]
        for name, form in ASKED:
            figures += await _written(pool, name, form, size)
            options.say(f"{name} as {form}")
    await _execute(options.url, f"DROP DATABASE {DATABASE} WITH (FORCE)")
    return figures


async def _execute(url: str, *statements: str) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement, timeout=3_600)
    finally:
        await connection.close()


async def _seed(pool: asyncpg.Pool[Any], size: int) -> None:
    for first in range(0, size, SEED_CHUNK):
        entries = [_capture(number) for number in range(first, min(size, first + SEED_CHUNK))]
        async with pool.acquire() as connection, connection.transaction():
            await post_within(connection, entries, recorded_at=MORNING)


def _capture(number: int) -> Entry:
    amount, key = Money(10_000 + number % 5_000, "AED"), f"{number:026d}"
    return Entry(
        f"capture:pa_{key}", "payment_captured", DAY, MORNING,
        (debit(provider_receivable("alpha"), amount, f"pa_{key}"), credit(department_payable(DEPARTMENT), amount)),
        Source(payment=f"pi_{key}", provider="alpha", provider_reference=f"order-{key}"),
    )  # fmt: skip


_PAYOUT: Final = (
    """
    INSERT INTO reconciliation.payout_batch (id, business_date, currency, bank_account, debtor_name, debtor_iban,
      execution_date, line_count, total_minor, content_sha256, status, maker, made_at, checker, checked_at,
      released_at, book_date, moved_at)
    SELECT 'po_1', '2026-11-22', 'AED', 'main', 'Treasury', 'AE07', '2026-11-22', 1, -amount_minor, '', 'released',
           'night', '2026-11-22T22:00Z', 'huda', '2026-11-22T22:00Z', '2026-11-22T22:00Z', '2026-11-22',
           '2026-11-22T22:00Z'
    FROM ledger.balances WHERE account = 'department:d000:payable'
    """,
    """
    INSERT INTO reconciliation.payout_line (id, batch_id, department, creditor_name, creditor_iban, purpose,
      amount_minor, remittance, payable_minor, unproven_minor, holdback_minor, journal_through, status, moved_at)
    SELECT 'pl_1', 'po_1', 'd000', 'Department', 'AE840261001015033304101', 'GOS', -amount_minor, 'MIZAN',
           -amount_minor, 0, 0, (SELECT max(journal_id) FROM ledger.head), 'released', '2026-11-22T22:00Z'
    FROM ledger.balances WHERE account = 'department:d000:payable'
    """,
)
_BREAKS: Final = """
  INSERT INTO reconciliation.break (id, type, subject, status, owner, provider, currency, amount_minor, account, item,
    business_date, raised_at, detail)
  SELECT 'br_' || lpad(n::text, 26, '0'), 'missing_at_provider', n::text, 'open', 'finance', 'alpha', 'AED', 100,
         'provider:alpha:receivable', 'pa_' || lpad(n::text, 26, '0'), '2026-11-22', '2026-11-22T22:00Z',
         jsonb_build_object('provider', 'alpha', 'amount', 'AED 1.00', 'reference', n::text, 'due', '2026-11-24')
  FROM generate_series(1, $size) n
"""


async def _written(pool: asyncpg.Pool[Any], name: str, form: Format, size: int) -> list[Figure]:
    """Ask for one report, write all of it nowhere, and say when it began and what was held meanwhile."""
    held = most = resident_bytes()
    first_s, page_s, written, looked = 0.0, 0.0, 0, 0
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        began = time.perf_counter()
        department = DEPARTMENT if name != "breaks" else None
        report = await build_report(connection, name, DAY, Language.ENGLISH, department=department)
        async for chunk in render(report, form):
            written += len(chunk)
            if not first_s and written >= LEAST_BYTES:
                first_s = time.perf_counter() - began
            if not page_s and written >= PAGE_BYTES:
                page_s = time.perf_counter() - began
            if (looked := looked + 1) % 50 == 0:
                most = max(most, resident_bytes())
        took_s = time.perf_counter() - began
    most = max(most, resident_bytes())
    title = f"{name} as {form}"
    return [
        absolute(f"{title}: first bytes", first_s, "s", at_most=FIRST_S_MAX),
        absolute("  memory grown by", (most - held) / 2**20, "MiB", at_most=GROWN_MIB_MAX),
        Figure(f"  first {PAGE_BYTES >> 10} KiB", page_s, "s"),
        Figure("  rows a second", size / took_s, "rows/s"),
        Figure("  whole", written / 1e6, "MB"),
    ]
