"""The lines of a file that are next to be posted: those settled as expected in sums, the others one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciliation.store import Connection, Record


async def next_line(connection: Connection, file_no: int, after: int) -> int | None:
    number: int | None = await connection.fetchval(
        "SELECT number FROM reconciliation.settlement_line WHERE file_no = $1 AND number > $2 ORDER BY number LIMIT 1",
        file_no,
        after,
    )
    return number


# Lateral, so that a chunk costs its own lines however the planner sees tables just filled.
_SUMS: Final = """
  SELECT count(*) FILTER (WHERE expected) AS lines, min(number) AS first_line,
         (sum(fee_minor) FILTER (WHERE expected))::bigint AS fee_minor,
         (sum(fee_vat_minor) FILTER (WHERE expected))::bigint AS fee_vat_minor,
         (sum(net_minor) FILTER (WHERE expected))::bigint AS net_minor,
         array_agg(item) FILTER (WHERE expected) AS items,
         array_agg(gross_minor) FILTER (WHERE expected) AS gross_minor,
         array_agg(number) FILTER (WHERE NOT expected) AS others, array_agg(number) AS numbers
  FROM (SELECT l.number, l.fee_minor, l.fee_vat_minor, l.net_minor, l.gross_minor, coalesce(l.item, m.item) AS item,
               -- A journal names an item once, so the parts of one are posted line by line.
               l.kind = 'payment' AND (l.rule IS NOT NULL OR m.outcome = 'matched' AND m.variance_minor = 0
                                       AND m.rule IS DISTINCT FROM 'in_parts') AS expected
        FROM (SELECT * FROM reconciliation.settlement_line
              WHERE file_no = $1 AND number > $2 AND number <= $3 ORDER BY number) l
        -- A match that does not stand with its line, as those found before that was so.
        LEFT JOIN LATERAL (SELECT item, outcome, rule, variance_minor FROM reconciliation.match_entry m
                           WHERE l.rule IS NULL AND m.leg = 'provider' AND m.file_no = l.file_no AND m.line = l.number
                             AND m.version = 1 LIMIT 1) m ON true
        ORDER BY l.number) chunk"""
_LINES: Final = """
  SELECT l.number, l.kind, l.provider_reference, l.gross_minor, l.fee_minor, l.fee_vat_minor, l.net_minor,
         m.outcome, m.account, m.item, m.payment,
         CASE m.outcome WHEN 'matched' THEN m.variance_minor ELSE 0 END AS tolerated_minor
  FROM (SELECT * FROM reconciliation.settlement_line WHERE file_no = $1 AND number = ANY ($2::integer[])) l
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                      WHERE m.leg = 'provider' AND m.file_no = l.file_no AND m.line = l.number
                        AND m.version = 1 LIMIT 1) m
  ORDER BY l.number"""


async def chunk(connection: Connection, file_no: int, after: int, last: int) -> Record:
    """Sum the payments that came as our books expected them, with each one's item and gross, and number all lines."""
    row = await connection.fetchrow(_SUMS, file_no, after, last)
    if row is None:  # an aggregate always answers one row
        raise RuntimeError("a sum gave no answer")
    return row


async def lines(connection: Connection, file_no: int, numbers: Sequence[int]) -> list[Record]:
    """Read some lines with the match they were given when they came, in order."""
    if not numbers:
        return []
    rows: list[Record] = await connection.fetch(_LINES, file_no, numbers)
    return rows
