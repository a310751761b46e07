"""Departments' own charts of accounts, and the postings that are written out in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final

from reconciliation.store import Connection, Record

PREFETCH: Final = 1000


async def latest(connection: Connection, department: str, known: datetime) -> int | None:
    """Return the version of a department's mapping that stood at an instant."""
    found: int | None = await connection.fetchval(
        "SELECT max(version) FROM reconciliation.account_mapping WHERE department = $1 AND made_at <= $2",
        department,
        known,
    )
    return found


async def insert(
    connection: Connection, department: str, version: int, sha256: str, lines: Sequence[tuple[str, str, str, str]],
    maker: str, now: datetime,
) -> None:  # fmt: skip
    """Store a whole mapping as the next version."""
    await connection.execute(
        "INSERT INTO reconciliation.account_mapping (department, version, made_at, maker, sha256)"
        " VALUES ($1, $2, $3, $4, $5)",
        department,
        version,
        now,
        maker,
        sha256,
    )
    await connection.executemany(
        "INSERT INTO reconciliation.account_mapping_line (department, version, account, kind, theirs, cost_centre)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [(department, version, *line) for line in lines],
    )


async def lines(connection: Connection, department: str, version: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT account, kind, theirs, cost_centre FROM reconciliation.account_mapping_line
        WHERE department = $1 AND version = $2 ORDER BY account, kind
        """,
        department,
        version,
    )
    return rows


_OWN: Final = """
  FROM ledger.postings
  WHERE account LIKE 'department:' || $1 || ':%' AND business_date BETWEEN $2 AND $3 AND recorded_at >= $4
    AND recorded_at <= $5"""
_USED: Final = "SELECT DISTINCT account, kind" + _OWN + " ORDER BY account, kind"
_LEAVING: Final = (
    "SELECT DISTINCT kind FROM (SELECT kind"
    + _OWN
    + " GROUP BY journal_id, kind, currency HAVING sum(amount_minor) <> 0) j ORDER BY kind"
)
_POSTINGS: Final = (
    "SELECT journal_id, reference, kind, business_date, account, currency, amount_minor, payment"
    + _OWN
    + " ORDER BY journal_id, seq"
)


async def used(
    connection: Connection, department: str, since: date, until: date, recorded_since: datetime, known: datetime
) -> set[tuple[str, str]]:
    """Return every account and kind a period's export needs; `contra` where money came in or went out."""
    rows = await connection.fetch(_USED, department, since, until, recorded_since, known)
    leaving = await connection.fetch(_LEAVING, department, since, until, recorded_since, known)
    return {(row["account"], row["kind"]) for row in rows} | {("contra", row["kind"]) for row in leaving}


def postings(
    connection: Connection, department: str, since: date, until: date, recorded_since: datetime, known: datetime
) -> AsyncIterator[Record]:
    """Stream the postings to a department's own accounts, journal by journal."""
    found: AsyncIterator[Record] = connection.cursor(
        _POSTINGS, department, since, until, recorded_since, known, prefetch=PREFETCH
    )
    return found
