"""The lines of a file that are next to be posted: those settled as expected in sums, the others one by one."""

from __future__ import annotations

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
_LINES: Final = """
  FROM (SELECT * FROM reconciliation.settlement_line
        WHERE file_no = $1 AND number > $2 AND number <= $3 ORDER BY number) l
  CROSS JOIN LATERAL (SELECT * FROM reconciliation.match m
                      WHERE m.leg = 'provider' AND m.file_no = l.file_no AND m.line = l.number
                        AND m.version = 1 LIMIT 1) m"""
_AS_EXPECTED: Final = (
    """
  SELECT count(*) AS lines, min(number) AS first_line, sum(fee_minor)::bigint AS fee_minor,
         sum(fee_vat_minor)::bigint AS fee_vat_minor, sum(net_minor)::bigint AS net_minor,
         array_agg(item) AS items, array_agg(gross_minor) AS gross_minor
  FROM (SELECT l.number, l.fee_minor, l.fee_vat_minor, l.net_minor, l.gross_minor, m.item"""
    + _LINES
    + """
        WHERE l.kind = 'payment' AND m.outcome = 'matched' ORDER BY l.number) expected"""
)
_TO_POST: Final = (
    """
  SELECT l.number, l.kind, l.provider_reference, l.gross_minor, l.fee_minor, l.fee_vat_minor, l.net_minor,
         m.outcome, m.account, m.item, m.payment"""
    + _LINES
    + """
  WHERE NOT ($4 AND l.kind = 'payment' AND m.outcome = 'matched') ORDER BY l.number"""
)


async def as_expected(connection: Connection, file_no: int, after: int, last: int) -> Record:
    """Sum the payments that came as our books expected them, with the item and the amount of each, in order."""
    row = await connection.fetchrow(_AS_EXPECTED, file_no, after, last)
    if row is None:  # an aggregate always answers one row
        raise RuntimeError("a sum gave no answer")
    return row


async def lines_to_post(
    connection: Connection, file_no: int, after: int, last: int, *, but_as_expected: bool
) -> list[Record]:
    """Read lines with the match they were given when they came: all, or all but those that came as expected."""
    rows: list[Record] = await connection.fetch(_TO_POST, file_no, after, last, but_as_expected)
    return rows
