"""The days on which the calendar package is overruled, for everybody or for one provider."""

from __future__ import annotations

from datetime import date

from reconciliation.store import Connection, Record


async def read(connection: Connection, country: str) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT provider, day, worked, name_en, name_ar FROM reconciliation.holiday WHERE country = $1"
        " ORDER BY day DESC, provider",
        country,
    )
    return rows


async def put(
    connection: Connection, country: str, provider: str, day: date, names: tuple[str, str], *, worked: bool
) -> bool | None:
    """Set a day, and return what it was set to before."""
    before: bool | None = await connection.fetchval(
        "SELECT worked FROM reconciliation.holiday WHERE country = $1 AND provider = $2 AND day = $3 FOR UPDATE",
        country,
        provider,
        day,
    )
    await connection.execute(
        """
        INSERT INTO reconciliation.holiday (country, provider, day, worked, name_en, name_ar)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (country, provider, day) DO UPDATE
          SET worked = excluded.worked, name_en = excluded.name_en, name_ar = excluded.name_ar
        """,
        country,
        provider,
        day,
        worked,
        *names,
    )
    return before


async def remove(connection: Connection, country: str, provider: str, day: date) -> bool | None:
    """Take a day's row away, and return what it was set to."""
    found: bool | None = await connection.fetchval(
        "DELETE FROM reconciliation.holiday WHERE country = $1 AND provider = $2 AND day = $3 RETURNING worked",
        country,
        provider,
        day,
    )
    return found
