"""The payout register: every line of the day's files and of those still under way, and how far each has come."""

from __future__ import annotations

from datetime import date

from ledger.money import Money
from reconciliation.breaks import Language, reason_words
from reconciliation.reports.report import Column, Report, Row, Shape, Table
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection


async def payout_register(connection: Connection, business_date: date, language: Language) -> Report:
    """Build the register of one business date."""
    rows = await connection.fetch(
        """
        SELECT p.id AS batch_id, p.currency, p.status AS batch_status, p.maker, p.checker, l.id, l.department,
               l.creditor_iban, l.amount_minor, l.status, l.paid_on, l.reason
        FROM reconciliation.payout_batch p JOIN reconciliation.payout_line l ON l.batch_id = p.id
        WHERE p.business_date = $1
           OR p.business_date < $1 AND p.status NOT IN ('confirmed', 'rejected', 'refused')
        ORDER BY p.business_date, p.id, l.department
        """,
        business_date,
    )
    columns = (
        Column(word("payout", language), Shape.REFERENCE),
        Column(word("line", language), Shape.REFERENCE),
        Column(word("department", language), Shape.REFERENCE),
        Column(word("iban", language), Shape.REFERENCE),
        Column(word("amount", language), Shape.AMOUNT),
        Column(word("status", language)),
        Column(word("paid_on", language), Shape.DATE),
        Column(word("made_by", language)),
        Column(word("approved_by", language)),
        Column(word("reason", language)),
    )
    body: list[Row] = [
        (
            row["batch_id"], row["id"], row["department"], row["creditor_iban"],
            Money(row["amount_minor"], row["currency"]),
            status_word(row["batch_status"] if row["status"] == "draft" else row["status"], language),
            row["paid_on"], status_word(row["maker"], language),
            status_word(row["checker"], language) if row["checker"] else None, reason_words(row["reason"], language),
        )
        for row in rows
    ]  # fmt: skip
    currencies = {row["currency"] for row in rows}
    foot: Row | None = None
    if len(currencies) == 1:
        whole = Money.of_total(sum(row["amount_minor"] for row in rows), currencies.pop())
        foot = (word("total", language), None, None, None, whole, None, None, None, None, None)
    table = Table(word("payouts", language), columns, body, foot, word("none", language))
    return Report("payouts", word("payouts", language), language, business_date, (table,))
