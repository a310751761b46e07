"""Missing files: what should have come and did not, what came for the day, and whether it was booked as it says."""

from __future__ import annotations

from typing import Final

from ledger.money import Money
from reconciliation.break_words import reason_words, refusal_words
from reconciliation.matching import Leg
from reconciliation.reports.break_list import break_table
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection, refused_files

_SETTLEMENTS: Final = """
  SELECT provider, file_no, name, business_date, currency, line_count, total_net_minor, status, reason, imported_at,
         late_for,
         (SELECT sum(p.amount_minor) FROM ledger.postings p
          WHERE p.account = 'provider:' || f.provider || ':in_transit' AND p.currency = f.currency
            AND p.reference LIKE 'settle:' || f.provider || ':' || f.file_no || ':%' AND p.recorded_at >= f.imported_at
            AND p.recorded_at <= $3 AND p.item = f.batch_reference)::bigint AS booked_minor,
         (SELECT coalesce(sum(l.net_minor), 0) FROM reconciliation.settlement_line l
          JOIN reconciliation.break b ON b.leg = 'provider' AND b.file_no = l.file_no AND b.line = l.number
            AND b.type = 'line_refused' WHERE l.file_no = f.file_no)::bigint
         + coalesce((SELECT b.amount_minor FROM reconciliation.break b
                     WHERE b.type = 'total_not_lines' AND b.leg = 'provider' AND b.file_no = f.file_no), 0)
           AS refused_minor
  FROM reconciliation.settlement_file f
  WHERE business_date BETWEEN $1 AND $2 AND imported_at <= $3 ORDER BY provider, business_date, file_no"""
# A statement that was accepted later was waiting at an earlier instant; why is its break's to say.
_STATEMENTS: Final = """
  SELECT bank_account, statement_no, file_name, reason,
         EXISTS (SELECT FROM reconciliation.break b WHERE b.type = 'file_late' AND b.leg = 'bank'
                   AND b.file_no = statement_no AND b.raised_at <= $3) AS late,
          identifier, closed_on, currency, entry_count, closing_minor,
         imported_at,
         CASE WHEN status = 'refused' THEN status WHEN accepted_at <= $3 THEN 'accepted' ELSE 'quarantined' END
           AS status
  FROM reconciliation.statement
  WHERE closed_on BETWEEN $1 AND $2 AND imported_at <= $3 ORDER BY bank_account, closed_on, statement_no"""


async def missing_files(connection: Connection, asked: Asked) -> Report:
    """Build what is wrong with files, then what came."""
    language, span = asked.language, (asked.first_date, asked.business_date, asked.known)
    settlements: list[Row] = []
    even = True
    for row in await connection.fetch(_SETTLEMENTS, *span):
        stated = Money.of_total(row["total_net_minor"], row["currency"])
        booked = Money.of_total(row["booked_minor"] or 0, row["currency"])
        refused = Money.of_total(row["refused_minor"], row["currency"])
        if row["status"] == "accepted":
            even = even and stated == booked + refused
        settlements.append((
            row["provider"], str(row["file_no"]), row["name"], row["business_date"],
            status_word(row["status"], language),
            row["line_count"], stated, booked if row["status"] == "accepted" else None, row["imported_at"].date(),
            row["late_for"], reason_words(row["reason"] or "", language),
        ))  # fmt: skip
    statements: list[Row] = [
        (
            row["bank_account"], str(row["statement_no"]), row["file_name"], row["closed_on"],
            status_word("refused_file" if row["status"] == "refused" else row["status"], language),
            row["entry_count"], Money.of_total(row["closing_minor"], row["currency"]), row["imported_at"].date(),
            row["closed_on"] if row["late"] else None,
            reason_words(row["reason"], language) if row["status"] == "refused" else "",
        )
        for row in await connection.fetch(_STATEMENTS, *span)
    ]  # fmt: skip
    settlement_columns = (
        Column(word("provider", language), Shape.REFERENCE),
        Column(word("file_no", language), Shape.REFERENCE),
        Column(word("file", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("status", language)),
        Column(word("lines", language), Shape.COUNT),
        Column(word("net", language), Shape.AMOUNT),
        Column(word("booked", language), Shape.AMOUNT),
        Column(word("came_on", language), Shape.DATE),
        Column(word("late_for", language), Shape.DATE),
        Column(word("reason", language)),
    )
    for row in await refused_files.came(connection, *span):
        came_on, why = row["came_at"].date(), refusal_words(row["reason"], row["quoted"], language)
        head = (row["source"], None, row["name"], row["business_date"], status_word("refused_file", language), None)
        figure = None if row["currency"] is None else Money.of_total(row["stated_minor"], row["currency"])
        if row["leg"] == Leg.PROVIDER:
            settlements.append((*head, figure, None, came_on, None, why))
        else:
            statements.append((*head, figure, came_on, None, why))
    statement_columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("file_no", language), Shape.REFERENCE),
        Column(word("file", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("status", language)),
        Column(word("lines", language), Shape.COUNT),
        Column(word("closing", language), Shape.AMOUNT),
        Column(word("came_on", language), Shape.DATE),
        Column(word("late_for", language), Shape.DATE),
        Column(word("reason", language)),
    )
    wrong = break_table(connection, asked, "file_%|total_not_lines")
    none = word("none", language)
    tables = (
        Table(word("files_wrong", language), wrong.columns, wrong.rows, empty=none),
        Table(word("settlement_files", language), settlement_columns, settlements, empty=none),
        Table(word("statements", language), statement_columns, statements, empty=none),
    )
    return Report.of("files", word("missing_files", language), asked, tables,
                     word("ties" if even else "does_not_tie", language))  # fmt: skip
