"""`mizan bench ledger`: posting against COPY and pgbench, reading at size, proving, memory."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from ledger.accounts import provider_receivable
from ledger.audit import verify
from ledger.entry import Entry
from ledger.export import Form, export, whole
from ledger.journal import Ledger, post_within
from ledger.statements import account_statement
from ops.bench.figures import Figure, Options, Rounds, absolute, percentile, resident_bytes, server_cpu_s
from ops.bench.ledger_limits import LIMIT_TABLES, MORNING, copy_rate, payments, pgbench
from ops.bench.ledger_size import measure_size
from ops.migrate import migrate

DATABASE: Final = "mizan_bench_ledger"
CALLERS: Final = (1, 16, 64, 256)
INBOX_BATCH: Final = 128
FASTEST: Final = 20_000
"""More payments a second than this are not prepared for."""

INBOX: Final = """
DROP SCHEMA IF EXISTS worker CASCADE;
CREATE SCHEMA worker;
CREATE TABLE worker.inbox (id bigint PRIMARY KEY, body bytea NOT NULL, applied_at timestamptz);
CREATE INDEX ON worker.inbox (id) WHERE applied_at IS NULL;
CREATE TABLE worker.attempt (id bigint PRIMARY KEY, status text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE worker.outbox (id bigint PRIMARY KEY, body bytea NOT NULL);
INSERT INTO worker.inbox SELECT i, sha256(int8send(i)) FROM generate_series(0, $1 - 1) i;
INSERT INTO worker.attempt SELECT i, 'pending', '2026-11-22Z' FROM generate_series(0, $1 - 1) i;
GRANT USAGE ON SCHEMA worker TO mizan_service;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA worker TO mizan_service
"""


@dataclass(slots=True)
class _Bench:
    options: Options
    url: str
    owner: asyncpg.Connection[Any]
    pool: asyncpg.Pool[Any]
    rounds: Rounds


async def run(options: Options) -> list[Figure]:
    """Measure everything on a database of its own, dropped afterwards."""
    url = urlunsplit(urlsplit(options.url)._replace(path=f"/{DATABASE}"))
    server: asyncpg.Connection[Any] = await asyncpg.connect(options.url)
    await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await server.execute(f"CREATE DATABASE {DATABASE}")
    try:
        await migrate(url)
        owner: asyncpg.Connection[Any] = await asyncpg.connect(url)
        async with asyncpg.create_pool(
            url, min_size=1, max_size=4, reset=_keep, server_settings={"role": "mizan_service"}
        ) as pool:
            bench = _Bench(options, url, owner, pool, Rounds())
            try:
                figures = [*await _posting(bench), *await _proving(bench)]
                if options.size:
                    figures += await measure_size(pool, owner, options.size, options.say)
            finally:
                await owner.close()
        return figures
    finally:
        await server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await server.close()


async def _keep(_connection: object) -> None:
    """Leave a released connection as it is; the default reset costs a round trip."""


async def _posting(bench: _Bench) -> list[Figure]:
    """Measure limits and callers in interleaved rounds, each in an order of its own."""
    options, rounds = bench.options, bench.rounds
    async with bench.pool.acquire() as connection:
        await post_within(connection, payments("warm", 500), recorded_at=MORNING)
    for number in range(options.rounds):
        jobs: list[tuple[str, int]] = [("copy", 0), ("pgbench", 1), ("pgbench", 64), ("worker", 0)]
        jobs += [("post", callers) for callers in CALLERS]
        random.Random(number).shuffle(jobs)
        for job, callers in jobs:
            await bench.owner.execute("CHECKPOINT")
            options.say(f"round {number + 1}: {job} {callers or ''}")
            tag = f"{job}{callers}x{number}x"
            match job:
                case "copy":
                    backend = await bench.owner.fetchval("SELECT pg_backend_pid()")
                    rate, client_us, server_us = await copy_rate(bench.owner, tag, options.seconds, backend)
                    rounds.add("copy", rate)
                    rounds.add("copy us", client_us + server_us)
                case "pgbench":
                    await bench.owner.execute(LIMIT_TABLES)
                    if found := await pgbench(bench.url, callers, options.seconds):
                        rounds.add(f"pgbench {callers}", found[0])
                        rounds.add(f"pgbench {callers} ms", found[1])
                case "worker":
                    rounds.add("worker", await _worker(bench, tag))
                case _:
                    await _closed_loop(bench, callers, tag)
        await bench.owner.execute("CHECKPOINT")
        await _open_loop(bench, f"open{number}x", 0.15 * rounds.values["copy"][-1])
    return _posting_figures(rounds)


def _posting_figures(rounds: Rounds) -> list[Figure]:
    figures = [Figure("limit A: COPY, 5,000 payments a transaction", rounds.median("copy"), "payments/s")]
    if "pgbench 64" in rounds.values:
        figures += [
            Figure(f"limit B: pgbench, one INSERT a commit, {n} clients", rounds.median(f"pgbench {n}"), "payments/s")
            for n in (1, 64)
        ]
    else:
        figures.append(Figure("limit B: pgbench is not on this machine, not measured", 0, ""))
    bars: dict[int, float] = {64: 0.4, 256: 0.5}
    for callers in CALLERS:
        name = f"post {callers}"
        figures.append(
            rounds.figure(
                f"post(), {callers} callers, over A", name, "payments/s", limit="copy", at_least=bars.get(callers)
            )
        )
        figures.append(rounds.figure(f"  client CPU at {callers}", f"{name} client", "us/payment"))
        if f"{name} server" in rounds.values:
            figures.append(rounds.figure(f"  PostgreSQL CPU at {callers}", f"{name} server", "us/payment"))
    return [
        *figures,
        rounds.figure("post(), 64 callers, over B", "post 64", "payments/s", limit="pgbench 64", at_least=1.5),
        rounds.figure("CPU a payment at 64, client and server, over A's", "post 64 us", "us", limit="copy us"),
        rounds.figure("CPU a payment at 256, client and server, over A's", "post 256 us", "us", limit="copy us"),
        rounds.figure("one caller's median over B's", "post 1 ms", "ms", limit="pgbench 1 ms", at_most=1.5),
        Figure("open loop at 0.15 A: median", rounds.median("open p50"), "ms"),
        rounds.figure("open loop: p99 over median", "open p99", "ms", limit="open p50", at_most=10),
        Figure("  of it the generator's own lateness, p99", rounds.median("open late"), "ms"),
        rounds.figure("within a caller's transaction, inbox to books, over A", "worker", "payments/s", limit="copy"),
    ]


async def _closed_loop(bench: _Bench, callers: int, tag: str) -> None:
    """Let callers post one after the other for a while."""
    seconds, rounds = bench.options.seconds, bench.rounds
    entries = iter(payments(tag, int(seconds * (2_000 if callers == 1 else FASTEST))))
    ledger = Ledger(bench.pool, lambda: datetime.now(UTC))
    waits: list[float] = []

    async def call(until: float, left: Iterator[Entry]) -> None:
        for entry in left:
            began = time.perf_counter()
            if began > until:
                return
            await ledger.post(entry)
            waits.append(time.perf_counter() - began)

    backend = await bench.owner.fetchval("SELECT pg_backend_pid()")
    await ledger.start()
    server, client, started = server_cpu_s(backend), time.process_time(), time.perf_counter()
    await asyncio.gather(*(call(started + seconds, entries) for _ in range(callers)))
    elapsed, used = time.perf_counter() - started, time.process_time() - client
    after = server_cpu_s(backend)
    await ledger.close()
    rounds.add(f"post {callers}", len(waits) / elapsed)
    rounds.add(f"post {callers} ms", percentile(waits, 0.5) * 1e3)
    rounds.add(f"post {callers} client", used / len(waits) * 1e6)
    if server is not None and after is not None:
        rounds.add(f"post {callers} server", (after - server) / len(waits) * 1e6)
        rounds.add(f"post {callers} us", (used + after - server) / len(waits) * 1e6)


async def _open_loop(bench: _Bench, tag: str, rate: float) -> None:
    """Let payments arrive by themselves, at random; a wait counts from when its payment was due.

    A generator that falls behind shows in the waits, and by itself in how late it started each call.
    """
    drawn = random.Random(tag)
    arriving = payments(tag, int(rate * max(2.0, bench.options.seconds)))  # made before the clock runs, not on it
    ledger = Ledger(bench.pool, lambda: datetime.now(UTC))
    await ledger.start()
    waits: list[float] = []
    late: list[float] = []
    calls: set[asyncio.Task[None]] = set()

    async def call(entry: Entry, due: float) -> None:
        late.append(time.perf_counter() - due)
        await ledger.post(entry)
        waits.append(time.perf_counter() - due)

    due = time.perf_counter() + 0.05
    for entry in arriving:
        due += drawn.expovariate(rate)
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(call(entry, due))
        calls.add(task)
        task.add_done_callback(calls.discard)
    await asyncio.gather(*calls)
    await ledger.close()
    bench.rounds.add("open p50", percentile(waits, 0.5) * 1e3)
    bench.rounds.add("open p99", percentile(waits, 0.99) * 1e3)
    bench.rounds.add("open late", percentile(late, 0.99) * 1e3)


async def _worker(bench: _Bench, tag: str) -> float:
    """Apply inbox rows as the worker does: claim, state, outbox and journals in one transaction a batch."""
    count = int(bench.options.seconds * FASTEST / 2)
    for statement in INBOX.split(";"):
        await bench.owner.execute(statement.replace("$1", str(count)))
    entries = payments(tag, count)
    started, done = time.perf_counter(), 0
    async with bench.pool.acquire() as connection:
        while done < count and time.perf_counter() - started < bench.options.seconds:
            now = datetime.now(UTC)
            async with connection.transaction():
                claimed = await connection.fetch(
                    "SELECT id, body FROM worker.inbox WHERE applied_at IS NULL ORDER BY id LIMIT $1"
                    " FOR UPDATE SKIP LOCKED",
                    INBOX_BATCH,
                )
                keys = [row["id"] for row in claimed]
                await connection.execute(
                    "UPDATE worker.attempt SET status = 'succeeded', at = $2 WHERE id = ANY ($1)", keys, now
                )
                await connection.execute("UPDATE worker.inbox SET applied_at = $2 WHERE id = ANY ($1)", keys, now)
                await connection.execute(
                    "INSERT INTO worker.outbox SELECT * FROM unnest($1::bigint[], $2::bytea[])",
                    keys,
                    [row["body"] for row in claimed],
                )
                await post_within(connection, [entries[key] for key in keys], recorded_at=now)
            done += len(claimed)
    return done / (time.perf_counter() - started)


async def _proving(bench: _Bench) -> list[Figure]:
    """Prove what was posted, then stream it, watching time and memory."""
    bench.options.say("verify, statement, export")
    await bench.owner.execute("ANALYZE")
    backend = await bench.owner.fetchval("SELECT pg_backend_pid()")
    async with bench.pool.acquire() as connection:
        server, client, started = server_cpu_s(backend), time.process_time(), time.perf_counter()
        report = await verify(connection)
        elapsed, used = time.perf_counter() - started, time.process_time() - client
        after = server_cpu_s(backend)
        if not report.proven:
            raise RuntimeError(f"the benchmark's own books are not proven: {report.findings[:3]}")
        cpu = used + (after - server if server is not None and after is not None else 0)
        lines, held_by_statement = 0, resident_bytes()
        most = held_by_statement
        stream = account_statement(
            connection, provider_receivable("alpha"), "AED", start=MORNING - timedelta(1), end=MORNING + timedelta(400)
        )
        async with aclosing(stream):
            async for _ in stream:
                lines += 1
                if lines % 10_000 == 0:
                    most = max(most, resident_bytes())
        written, held_by_export = 0, resident_bytes()
        peak = held_by_export
        async with aclosing(export(connection, Form.JSONL, await whole(connection))) as pieces:
            async for piece in pieces:
                written += len(piece)
                peak = max(peak, resident_bytes())
    return [
        absolute("verify, by the clock", report.postings / elapsed, "postings/s"),
        absolute("verify, per core (client and server CPU)", report.postings / cpu, "postings/s", at_least=120_000),
        absolute(f"memory over a streamed statement of {lines:,} lines", (most - held_by_statement) / 1e6, "MB"),
        absolute(f"memory over a streamed export of {written / 1e6:,.0f} MB", (peak - held_by_export) / 1e6, "MB"),
    ]
