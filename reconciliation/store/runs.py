"""The nights that ran and how far each came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from reconciliation.store import Connection, Record


async def start(connection: Connection, business_date: date, fence: int, now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO reconciliation.run AS r (business_date, status, fence, started_at) VALUES ($1, 'running', $2, $3)
        ON CONFLICT (business_date) DO UPDATE
          SET status = 'running', fence = $2, started_at = $3, finished_at = NULL, times_started = r.times_started + 1
        """,
        business_date,
        fence,
        now,
    )


async def finish(connection: Connection, business_date: date, now: datetime) -> None:
    """Close a night whose last run of every step went well; one step run alone does not close it."""
    await connection.execute(
        """
        UPDATE reconciliation.run SET finished_at = $2, status = CASE
          WHEN (SELECT count(*) FROM reconciliation.run_step WHERE business_date = $1 AND status = 'done') = 6
          THEN 'done' WHEN EXISTS (SELECT FROM reconciliation.run_step WHERE business_date = $1 AND status = 'failed')
          THEN 'failed' ELSE 'partial' END
        WHERE business_date = $1
        """,
        business_date,
        now,
    )


async def fail(connection: Connection, business_date: date, now: datetime) -> None:
    await connection.execute(
        "UPDATE reconciliation.run SET status = 'failed', finished_at = $2 WHERE business_date = $1",
        business_date,
        now,
    )


async def start_step(connection: Connection, business_date: date, step: str, fence: int, now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO reconciliation.run_step (business_date, step, status, fence, started_at)
        VALUES ($1, $2, 'running', $3, $4)
        ON CONFLICT (business_date, step) DO UPDATE
          SET status = 'running', fence = $3, started_at = $4, finished_at = NULL, error = NULL
        """,
        business_date,
        step,
        fence,
        now,
    )


async def finish_step(
    connection: Connection, business_date: date, step: str, counts: Mapping[str, int], error: str | None, now: datetime
) -> None:
    await connection.execute(
        """
        UPDATE reconciliation.run_step SET status = $3, counts = $4::jsonb, error = $5, finished_at = $6
        WHERE business_date = $1 AND step = $2
        """,
        business_date,
        step,
        "done" if error is None else "failed",
        msgspec.json.encode(dict(counts)).decode(),
        error,
        now,
    )


async def latest_date(connection: Connection) -> date | None:
    """Return the latest business date a night ran for: the open day that late evidence is booked on."""
    found: date | None = await connection.fetchval("SELECT max(business_date) FROM reconciliation.run")
    return found


async def read(connection: Connection, business_date: date) -> Record | None:
    return await connection.fetchrow(
        "SELECT business_date, status, times_started, started_at, finished_at FROM reconciliation.run"
        " WHERE business_date = $1",
        business_date,
    )


async def read_steps(connection: Connection, business_date: date) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT step, status, started_at, finished_at, counts::text, error FROM reconciliation.run_step"
        " WHERE business_date = $1 ORDER BY started_at, step",
        business_date,
    )
    return rows


async def recent(connection: Connection, limit: int) -> list[Record]:
    rows: list[Record] = await connection.fetch(
        "SELECT business_date, status, times_started, started_at, finished_at FROM reconciliation.run"
        " ORDER BY business_date DESC LIMIT $1",
        limit,
    )
    return rows
