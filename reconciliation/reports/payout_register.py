"""The payout register: every line of the day's files and of those still under way, and how far each has come."""

from __future__ import annotations

from typing import Final

from ledger.money import Money
from reconciliation.break_words import reason_words
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection
from reconciliation.taken_back import taken_back_words

_REGISTER: Final = """
  SELECT p.id AS batch_id, p.currency, b.status AS batch_status, b.reason AS batch_reason,
         p.maker, b.checker, l.id, l.department, l.revenue_code,
         l.creditor_iban, l.amount_minor, h.status, h.paid_on, h.reason, bank.lines AS bank_lines
  FROM reconciliation.payout_batch p
  CROSS JOIN LATERAL (SELECT status, checker, reason FROM reconciliation.payout_batch_history h
                      WHERE h.batch_id = p.id AND h.at <= $2 ORDER BY sequence DESC LIMIT 1) b
  JOIN reconciliation.payout_line l ON l.batch_id = p.id
  CROSS JOIN LATERAL (SELECT status, paid_on, reason FROM reconciliation.payout_line_history h
                      WHERE h.line_id = l.id AND h.at <= $2 ORDER BY sequence DESC LIMIT 1) h
  LEFT JOIN LATERAL (
    SELECT string_agg(concat_ws(' · ', j.file, j.line, j.reference), ', ' ORDER BY j.journal_id) AS lines
    FROM ledger.postings j
    WHERE j.account = 'department:' || l.department || ':payout_in_transit' AND j.currency = p.currency
      AND j.item = l.id AND j.reference LIKE 'bank:%' AND j.recorded_at >= p.released_at AND j.recorded_at <= $2
  ) bank ON true
  WHERE p.business_date = $1
     OR p.business_date < $1 AND b.status NOT IN ('confirmed', 'rejected', 'refused')
  ORDER BY p.business_date, p.id, l.department, l.revenue_code"""


async def payout_register(connection: Connection, asked: Asked) -> Report:
    """Build the register of one business date."""
    language = asked.language
    rows = await connection.fetch(_REGISTER, asked.business_date, asked.known)
    columns = (
        Column(word("payout", language), Shape.REFERENCE),
        Column(word("line", language), Shape.REFERENCE),
        Column(word("department", language), Shape.REFERENCE),
        Column(word("revenue_code", language), Shape.REFERENCE),
        Column(word("iban", language), Shape.REFERENCE),
        Column(word("amount", language), Shape.AMOUNT),
        Column(word("status", language)),
        Column(word("paid_on", language), Shape.DATE),
        Column(word("made_by", language)),
        Column(word("approved_by", language)),
        Column(word("bank_lines", language), Shape.REFERENCE),
        Column(word("reason", language)),
    )
    body: list[Row] = [
        (
            row["batch_id"], row["id"], row["department"], row["revenue_code"] or None, row["creditor_iban"],
            Money(row["amount_minor"], row["currency"]),
            status_word(row["batch_status"] if row["status"] == "draft" else row["status"], language),
            row["paid_on"], status_word(row["maker"], language),
            status_word(row["checker"], language) if row["checker"] else None, row["bank_lines"],
            taken_back_words(row["batch_reason"], language) if row["status"] == "draft"
            else reason_words(row["reason"], language),
        )
        for row in rows
    ]  # fmt: skip
    currencies = {row["currency"] for row in rows}
    foot: Row | None = None
    if len(currencies) == 1:
        whole = Money.of_total(sum(row["amount_minor"] for row in rows), currencies.pop())
        foot = (word("total", language), *[None] * 4, whole, *[None] * 6)
    table = Table(word("payouts", language), columns, body, foot, word("none", language))
    return Report.of("payouts", word("payouts", language), asked, (table,))
