"""What of each journal a payout pays to an account of its own revenue code: drafted aside, kept with the lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciliation.store import Connection, Record

_DRAFT: Final = """
  CREATE TEMPORARY TABLE IF NOT EXISTS part_draft (
    department text COLLATE "C", revenue_code text COLLATE "C", journal_id bigint, amount_minor bigint
  ) ON COMMIT DROP"""


async def begin(connection: Connection) -> None:
    await connection.execute(_DRAFT)


async def add(connection: Connection, rows: Sequence[tuple[str, str, int, int]]) -> None:
    """Add parts as department, revenue code, journal and minor units."""
    await connection.copy_records_to_table("part_draft", records=rows, schema_name="pg_temp")


async def sums(connection: Connection, department: str) -> dict[str, int]:
    """Sum what each revenue code of a department is paid."""
    rows: list[Record] = await connection.fetch(
        "SELECT revenue_code, sum(amount_minor)::bigint AS amount_minor FROM part_draft WHERE department = $1"
        " GROUP BY revenue_code",
        department,
    )
    return {row["revenue_code"]: row["amount_minor"] for row in rows}


async def keep(connection: Connection, batch_id: str) -> None:
    """Keep the parts of every account that became a line; the others stay with the department's own."""
    await connection.execute(
        """
        INSERT INTO reconciliation.payout_part (line_id, journal_id, amount_minor)
        SELECT l.id, d.journal_id, sum(d.amount_minor) FROM reconciliation.payout_line l
        JOIN part_draft d ON d.department = l.department AND d.revenue_code = l.revenue_code
        WHERE l.batch_id = $1 GROUP BY l.id, d.journal_id HAVING sum(d.amount_minor) <> 0
        """,
        batch_id,
    )


async def hold_journals(connection: Connection, department: str, journals: Sequence[tuple[int, int]]) -> None:
    """Leave journals out of what is drafted for a department, each with so many minor units: a later payout pays them.

    They are what a refused account waits for, so no single item holds them up.
    """
    await connection.copy_records_to_table(
        "deferred",
        records=[(department, journal_id, "", "held", minor) for journal_id, minor in journals],
        schema_name="pg_temp",
    )


async def codes_of_lines(connection: Connection, line_ids: Sequence[str]) -> dict[str, str]:
    """Return which account each of these payout lines went to, for those that came back."""
    rows: list[Record] = await connection.fetch(
        "SELECT id, revenue_code FROM reconciliation.payout_line WHERE id = ANY ($1::text[]) AND revenue_code <> ''",
        list(line_ids),
    )
    return {row["id"]: row["revenue_code"] for row in rows}
