"""`mizan bench night`: from a provider's file on disk to journals, breaks and payouts, by part, beside DuckDB.

The night is run at a tenth of its size first, so that what ten times the lines cost is seen in the same run.
"""

from __future__ import annotations

import csv
import hashlib
import math
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, overload
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from adapters.contract import (
    LineKind,
    PayoutFile,
    PayoutReport,
    PayoutStatus,
    SettlementFile,
    SettlementLine,
    Statement,
    StatementEntry,
)
from ledger.accounts import department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from ledger.journal import post_within
from ledger.money import Money
from ops.bench.duckdb_match import DuckDBTimes, measure_duckdb
from ops.bench.figures import Figure, Options, absolute, resident_bytes, server_cpu_s
from ops.database import service_pool
from ops.migrate import migrate
from reconciliation.breaks import Language
from reconciliation.business_days import Calendar
from reconciliation.contracts import decide_contract, propose_contract
from reconciliation.deps import BankAccount, Deps, Policy
from reconciliation.nightly import STEPS, run_night
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.provider_terms import FeeTerms
from reconciliation.reports.catalogue import Format, build_report, render

DATABASE: Final = "mizan_bench_night"
LINES: Final = 1_000_000
STATEMENT_ENTRIES: Final = 10_000
DEPARTMENTS: Final = 100
SEED_CHUNK: Final = 2_000
DAY: Final = date(2026, 11, 22)
MORNING: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
NIGHT: Final = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
IBAN: Final = "AE070331234567890123456"
FEES: Final = FeeTerms(basis_points=120)


def gross_minor(number: int) -> int:
    return 10_000 + number % 5_000


class LinesOnDisk(Sequence[SettlementLine]):
    """The lines of a file, read again each time they are walked, so that no list of them is ever held."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> SettlementLine: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SettlementLine]: ...
    def __getitem__(self, place: int | slice) -> SettlementLine | Sequence[SettlementLine]:
        raise TypeError("the lines are walked, not looked up")

    def __iter__(self) -> Iterator[SettlementLine]:
        with self._path.open(encoding="utf-8", newline="") as file:
            for number, (reference, gross, fee, vat) in enumerate(csv.reader(file), start=1):
                net = Money(int(gross) - int(fee) - int(vat), "AED")
                yield SettlementLine(
                    number, LineKind.PAYMENT, None, reference, Money(int(gross), "AED"), Money(int(fee), "AED"),
                    Money(int(vat), "AED"), net, None,
                )  # fmt: skip


def write_file(path: Path, lines: int) -> tuple[int, int]:
    """Write 0.5 % missing, 0.5 % strangers, 0.2 % amounts off, 0.1 % twice; return how many lines and their net."""
    rng = random.Random(7)
    count = net_minor = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number in range(lines):
            chance = rng.random()
            if chance < 0.005:
                continue
            reference = f"X-{number:09d}" if chance < 0.010 else f"O-{number:09d}"
            gross = gross_minor(number) - (1 if 0.010 <= chance < 0.012 else 0)
            fee, vat = FEES.expected(gross)
            for _ in range(2 if 0.012 <= chance < 0.013 else 1):
                writer.writerow((reference, gross, fee, vat))
                count += 1
                net_minor += gross - fee - vat
    return count, net_minor


class Provider:
    """Settles with the file on disk."""

    def __init__(self, path: Path, count: int, net_minor: int) -> None:
        self.file = SettlementFile(
            "alpha", path.name, hashlib.sha256(path.name.encode()).hexdigest(), DAY, "BATCH-1", "AED",
            LinesOnDisk(path, count), Money.of_total(net_minor, "AED"),
        )  # fmt: skip

    async def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        if business_date == DAY:
            yield self.file


class Bank:
    """States the batch and thousands of credits nobody expected; takes every file."""

    def __init__(self, net_minor: int) -> None:
        batch = Money.of_total(net_minor, "AED")
        entries = [StatementEntry(1, batch, DAY, DAY, None, None, "BATCH-1", "")]
        entries += [
            StatementEntry(number, Money(100, "AED"), DAY, DAY, None, None, None, f"TRANSFER {number}")
            for number in range(2, STATEMENT_ENTRIES + 1)
        ]
        closing = Money.of_total(net_minor + 100 * (STATEMENT_ENTRIES - 1), "AED")
        self.statement = Statement(
            IBAN, "1", 1, "AED", DAY, DAY, Money(0, "AED"), closing, entries, "statement.xml", "00"
        )

    async def statements(self, account_iban: str, business_date: date) -> AsyncIterator[Statement]:
        if business_date == DAY and account_iban == IBAN:
            yield self.statement

    async def send_payout(self, file: PayoutFile) -> PayoutReport:
        return PayoutReport(PayoutStatus.RECEIVED, reason=file.message_id)

    async def query_payout(self, message_id: str) -> PayoutReport:
        return PayoutReport(PayoutStatus.ACCEPTED, reason=message_id)


@dataclass(slots=True)
class Parts:
    """Seconds of each part of one night, taken from its own progress, and what this process grew to meanwhile."""

    lines: int = 0
    took_s: dict[str, float] = field(default_factory=dict)
    spent_s: dict[str, float] = field(default_factory=dict)
    grown_bytes: int = 0
    peer: DuckDBTimes | None = None
    report_s: tuple[float, float] = (0.0, 0.0)

    @property
    def whole_s(self) -> float:
        return sum(self.took_s.values())


class Watch:
    """Turns the progress a night tells into parts: a file read, its lines decided, lines posted, a statement posted."""

    def __init__(self, parts: Parts, held_bytes: int, backend_pid: int) -> None:
        self._parts = parts
        self._held_bytes = held_bytes
        self._backend_pid = backend_pid
        self.begin()

    def begin(self) -> None:
        self._told, self._since, self._spent = 0, time.perf_counter(), self._cpu_s()

    def _cpu_s(self) -> float:
        """Return the CPU seconds of this process and of the database's server; what else is running is not in them."""
        server_s = server_cpu_s(self._backend_pid)
        return math.nan if server_s is None else server_s + time.process_time()

    def told(self, step: str, counts: Mapping[str, int]) -> None:
        self._told += 1
        if step == "settlements":
            self.end(SETTLEMENT_PARTS[min(self._told, len(SETTLEMENT_PARTS)) - 1])
        elif step == "match" and not counts["entries_posted"]:
            self.end("lines posted")
        self._parts.grown_bytes = max(self._parts.grown_bytes, resident_bytes() - self._held_bytes)

    def end(self, part: str) -> None:
        now, spent = time.perf_counter(), self._cpu_s()
        self._parts.took_s[part] = self._parts.took_s.get(part, 0.0) + now - self._since
        self._parts.spent_s[part] = self._parts.spent_s.get(part, 0.0) + spent - self._spent
        self._since, self._spent = now, spent


SETTLEMENT_PARTS: Final = (
    "file read and proven", "lines matched", "lines kept with their matches", "breaks of lines",
)  # fmt: skip
LAST_PART: Final = {
    "settlements": "breaks of lines", "statements": "statement read and kept", "match": "statement posted",
    "breaks": "breaks", "payouts": "payouts", "confirm": "confirm",
}  # fmt: skip


async def run(options: Options) -> list[Figure]:
    """Measure a night at a tenth and at the whole `size`, the number of payments, each on a database of its own."""
    size = options.size or LINES
    tenth = await _night(options, size // 10)
    whole = await _night(options, size)
    return [*_figures(whole), *_growth(tenth, whole)]


async def _night(options: Options, size: int) -> Parts:
    url = urlunsplit(urlsplit(options.url)._replace(path=f"/{DATABASE}"))
    server: asyncpg.Connection[Any] = await asyncpg.connect(options.url)
    await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await server.execute(f"CREATE DATABASE {DATABASE}")
    try:
        await migrate(url)
        with tempfile.TemporaryDirectory(prefix="mizan-bench-") as folder:
            async with service_pool(url, size_max=4) as pool:
                return await _measure(pool, Path(folder) / "settlement.csv", size, options, server.get_server_pid())
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await server.close()


async def _measure(pool: asyncpg.Pool[Any], path: Path, size: int, options: Options, backend_pid: int) -> Parts:
    options.say(f"preparing {size:,} payments and the provider's file")
    count, net_minor = write_file(path, size)
    await _seed(pool, size)
    deps = Deps(
        pool=pool,
        clock=lambda: NIGHT,
        random_bytes=random.Random(3).randbytes,
        settling={"alpha": Provider(path, count, net_minor)},
        bank=Bank(net_minor),
        account=BankAccount("main", IBAN, "Treasury"),
        calendar=Calendar(overrides={DAY: True}),
        policy=Policy(look_back_days=0, auto_approve_limit_minor=10**15),
    )
    await _contract(deps)
    await _payees(deps)
    parts = Parts(count)
    watch = Watch(parts, resident_bytes(), backend_pid)
    for step in STEPS:
        options.say(f"step {step}")
        watch.begin()
        summary = await run_night(deps, DAY, step=step, progress=watch.told)
        watch.end(LAST_PART[step])
        options.say(f"  {dict(summary.steps[step])}")
    parts.report_s = await _first_bytes(pool)
    parts.peer = await measure_duckdb(pool, path, size, gross_minor)
    return parts


def _figures(parts: Parts) -> list[Figure]:
    took_s, count = parts.took_s, parts.lines
    cpu_s = sum(parts.spent_s.values())
    matching_s, keeping_s = took_s["lines matched"], took_s["lines kept with their matches"]
    figures = [
        Figure("provider's lines", count, "lines"),
        *(
            figure
            for part, seconds in took_s.items()
            for figure in (
                Figure(f"  {part}", seconds, "s"),
                Figure("    CPU, client and server", parts.spent_s[part] / count * 1e6, "us/line"),
            )
        ),
        Figure("file read and proven", count / took_s["file read and proven"], "lines/s"),
        Figure("lines matched", count / matching_s, "lines/s"),
        Figure("lines posted", count / took_s["lines posted"], "lines/s"),
        Figure("whole night", count / parts.whole_s, "lines/s"),
        absolute("payouts", took_s["payouts"], "s", at_most=60),
        absolute("remittance: first bytes", parts.report_s[0], "s", at_most=1),
        Figure("remittance: whole", parts.report_s[1], "s"),
    ]
    peer = parts.peer
    if peer is None:
        return [*figures, Figure("DuckDB is not on this machine, not measured", 0, "")]
    return [
        *figures,
        Figure("DuckDB, load and join the same two sets", peer.join_s, "s"),
        Figure("DuckDB doing all of it: items out, joined, matches back", peer.matching_s, "s"),
        Figure("matching over DuckDB doing all of it", matching_s / peer.matching_s, "times"),
        Figure("matching and keeping over DuckDB doing all of it", (matching_s + keeping_s) / peer.matching_s, "times"),
        Figure("whole night over DuckDB doing all of the matching", parts.whole_s / peer.matching_s, "times"),
        absolute("matching over DuckDB", matching_s / peer.join_s, "times", at_most=3),
        Figure("matching and keeping over DuckDB", (matching_s + keeping_s) / peer.join_s, "times"),
        Figure("reading, matching and keeping over DuckDB",
               (took_s["file read and proven"] + matching_s + keeping_s) / peer.join_s, "times"),
        absolute("whole night over DuckDB", parts.whole_s / peer.join_s, "times", at_most=10),
        *([] if math.isnan(cpu_s) else [
            Figure("CPU of the night, client and server", cpu_s, "s"),
            Figure("CPU of DuckDB", peer.join_cpu_s, "s"),
            Figure("CPU of the night a line", cpu_s / count * 1e6, "us"),
            Figure("CPU of matching over DuckDB's", parts.spent_s["lines matched"] / peer.join_cpu_s, "times"),
            Figure("CPU of the night over DuckDB's", cpu_s / peer.join_cpu_s, "times"),
        ]),
    ]  # fmt: skip


def _growth(tenth: Parts, whole: Parts) -> list[Figure]:
    """Say what ten times the lines cost: more than the lines themselves means that something grows faster."""
    return [
        absolute("ten times the lines, time", whole.whole_s / tenth.whole_s, "times", at_most=11),
        *(
            Figure(f"  {part}", whole.took_s[part] / tenth.took_s[part], "times")
            for part in (*SETTLEMENT_PARTS[:3], "lines posted", "payouts")
        ),
        Figure("memory grown by, at a tenth", tenth.grown_bytes / 2**20, "MiB"),
        absolute("memory grown by, whole", whole.grown_bytes / 2**20, "MiB",
                 at_most=round(tenth.grown_bytes / 2**20 + 16)),
    ]  # fmt: skip


async def _seed(pool: asyncpg.Pool[Any], size: int) -> None:
    """Capture the day's payments as the gateway does, in large batches; this is not measured."""
    for first in range(0, size, SEED_CHUNK):
        entries = [_capture(number) for number in range(first, min(size, first + SEED_CHUNK))]
        async with pool.acquire() as connection, connection.transaction():
            await post_within(connection, entries, recorded_at=MORNING)


def _capture(number: int) -> Entry:
    amount = Money(gross_minor(number), "AED")
    return Entry(
        f"capture:pa_{number:09d}", "payment_captured", DAY, MORNING,
        (debit(provider_receivable("alpha"), amount, f"pa_{number:09d}"),
         credit(department_payable(f"d{number % DEPARTMENTS:03d}"), amount)),
        Source(payment=f"pi_{number:09d}", provider="alpha", provider_reference=f"O-{number:09d}"),
    )  # fmt: skip


async def _contract(deps: Deps) -> None:
    terms = {"settlement_days": 0, "file_days": 0, "credit_days": 0, "fee_basis_points": FEES.basis_points}
    contract = await propose_contract(deps, "alpha", DAY, terms, by="maker", reason="bench")
    await decide_contract(deps, contract, by="checker", approve=True)


async def _payees(deps: Deps) -> None:
    for number in range(DEPARTMENTS):
        details = PayeeDetails(f"d{number:03d}", "AED", f"Department {number}", IBAN)
        change = await propose_payee_change(deps, details, by="maker", reason="bench")
        await decide_payee_change(deps, change, by="checker", approve=True)


async def _first_bytes(pool: asyncpg.Pool[Any]) -> tuple[float, float]:
    """Ask for the largest report there is; return after how long it begins and ends."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        started = time.perf_counter()
        report = await build_report(connection, "remittance", DAY, Language.ENGLISH, department="d000")
        first_s = 0.0
        async for chunk in render(report, Format.CSV):
            if not first_s and len(chunk) > len(b"\xef\xbb\xbf"):
                first_s = time.perf_counter() - started
        return first_s, time.perf_counter() - started
