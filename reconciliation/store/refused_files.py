"""The register of files that could not be read: nothing of them is booked, and what they were is kept."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from adapters.errors import FileRefusedError
from reconciliation.store import Connection, Record


async def keep(
    connection: Connection, source: str, leg: str, day: date, error: FileRefusedError, now: datetime
) -> bool:
    """Keep a refused file once, and say whether it is new. Without its bytes, day and reason tell it from others."""
    digest = error.sha256 or hashlib.sha256(f"{day}:{error}".encode()).hexdigest()
    kept = await connection.execute(
        """
        INSERT INTO reconciliation.refused_file (source, leg, sha256, name, business_date, reason, quoted, currency,
                                                 stated_minor, found_minor, came_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING
        """,
        source,
        leg,
        digest,
        error.file or str(day),
        day,
        error.cause,
        str(error)[:500],
        error.stated.currency if error.stated else None,
        error.stated.amount_minor if error.stated else None,
        error.found.amount_minor if error.found else None,
        now,
    )
    return bool(kept == "INSERT 0 1")


async def came(connection: Connection, since: date, until: date, known: datetime) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        """
        SELECT source, leg, name, business_date, reason, quoted, currency, stated_minor, came_at
        FROM reconciliation.refused_file
        WHERE business_date BETWEEN $1 AND $2 AND came_at <= $3 ORDER BY source, business_date, name, sha256
        """,
        since,
        until,
        known,
    )
    return rows
