"""DuckDB beside the night, on the same two sets: only loaded and joined, and doing the whole work of matching.

The whole work is what a second engine beside PostgreSQL has to do: take the open items out, load both sets, join them,
see who is named twice, and put what became of every line and item back.
"""

from __future__ import annotations

import asyncio
import csv
import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class DuckDBTimes:
    """Seconds of loading and joining with its CPU, and of the whole work of matching."""

    join_s: float
    join_cpu_s: float
    matching_s: float


async def measure_duckdb(
    pool: asyncpg.Pool[Any], lines: Path, size: int, gross_minor: Callable[[int], int]
) -> DuckDBTimes | None:
    """Measure both, where DuckDB is installed."""
    if importlib.util.find_spec("duckdb") is None:
        return None
    books = lines.with_name("books.csv")
    _write_books(books, size, gross_minor)
    spent_before, started = time.process_time(), time.perf_counter()
    await asyncio.to_thread(_join, books, lines)
    join_s, join_cpu_s = time.perf_counter() - started, time.process_time() - spent_before
    return DuckDBTimes(join_s, join_cpu_s, await _match(pool, books, lines))


def _write_books(books: Path, size: int, gross_minor: Callable[[int], int]) -> None:
    with books.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows((f"pa_{number:09d}", f"O-{number:09d}", gross_minor(number)) for number in range(size))


def _loaded(books: Path, lines: Path) -> Any:
    connection = importlib.import_module("duckdb").connect()
    connection.execute("CREATE TABLE book (item text, reference text, amount bigint)")
    connection.execute("CREATE TABLE line (reference text, gross bigint, fee bigint, vat bigint)")
    connection.execute("INSERT INTO book SELECT * FROM read_csv($1, header = false)", [str(books)])
    connection.execute("INSERT INTO line SELECT * FROM read_csv($1, header = false)", [str(lines)])
    return connection


def _join(books: Path, lines: Path) -> None:
    _loaded(books, lines).execute(
        "SELECT CASE WHEN b.item IS NULL THEN 1 WHEN l.reference IS NULL THEN 2 WHEN b.amount <> l.gross THEN 3 END,"
        " count(*) FROM book b FULL JOIN line l USING (reference) GROUP BY 1"
    ).fetchall()


async def _match(pool: asyncpg.Pool[Any], books: Path, lines: Path) -> float:
    """Return how long the whole work takes; the table it takes the items from is filled before."""
    taken, found = books.with_name("taken.csv"), books.with_name("found.csv")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE bench_book (item text, reference text, amount_minor bigint) ON COMMIT DROP;"
            "CREATE TEMP TABLE bench_found (line bigint, item text, outcome smallint) ON COMMIT DROP"
        )
        await connection.copy_to_table("bench_book", source=str(books), format="csv", timeout=None)
        started = time.perf_counter()
        await connection.copy_from_table("bench_book", output=str(taken), format="csv", timeout=None)
        await asyncio.to_thread(_sort_out, taken, lines, found)
        await connection.copy_to_table("bench_found", source=str(found), format="csv", timeout=None)
        return time.perf_counter() - started


def _sort_out(books: Path, lines: Path, found: Path) -> None:
    """Write one row for each line and for each item that no line names: which, and what became of it."""
    connection = _loaded(books, lines)
    became = connection.sql(
        """
        WITH twice AS (SELECT reference FROM line GROUP BY reference HAVING count(*) > 1)
        SELECT l.rowid, b.item,
               CASE WHEN b.item IS NULL THEN 1 WHEN l.reference IS NULL THEN 2 WHEN t.reference IS NOT NULL THEN 3
                    WHEN b.amount <> l.gross THEN 4 ELSE 0 END
          FROM book b FULL JOIN line l USING (reference) LEFT JOIN twice t ON t.reference = l.reference
        """
    )
    became.write_csv(str(found), header=False)
