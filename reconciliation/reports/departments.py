"""What a department is shown: every posting to its account on a day, and every payment inside its last payout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from ledger.accounts import department_payable
from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import kind_word, word
from reconciliation.store import Connection, Record, inside, known

PREFETCH: Final = 1000


async def department_statement(connection: Connection, asked: Asked, department: str) -> Report:
    """Build the account of a day or a period: what it opened with, every line, what it closed with."""
    account, language = department_payable(department), asked.language
    moved = await known.movements(
        connection, asked.business_date, asked.first_date, asked.recorded_since, asked.known, account
    )
    tables = []
    for row in moved:
        columns = (
            Column(word("journal", language), Shape.REFERENCE),
            Column(word("date", language), Shape.DATE),
            Column(word("kind", language)),
            Column(word("payment", language), Shape.REFERENCE),
            Column(word("reference", language), Shape.REFERENCE),
            Column(word("amount", language), Shape.AMOUNT),
        )
        lines = _postings_of(connection, account, row["currency"], asked)
        closing_minor = -row["closing_minor"]
        opening_minor = closing_minor + row["debit_minor"] - row["credit_minor"]
        foot: Row = (
            word("closing", language), None, None, None, None, Money.of_total(closing_minor, row["currency"])
        )  # fmt: skip
        opening = Money.of_total(opening_minor, row["currency"])
        tables.append(
            Table(f"{department} {row['currency']}: {word('opening', language)} {opening}", columns, lines, foot)
        )
    return Report.of("departments", word("departments", language), asked, tables)


async def _postings_of(connection: Connection, account: str, currency: str, asked: Asked) -> AsyncIterator[Row]:
    async for row in connection.cursor(
        """
        SELECT journal_id, business_date, kind, payment, reference, amount_minor FROM ledger.postings
        WHERE account = $1 AND currency = $2 AND business_date BETWEEN $3 AND $4 AND recorded_at >= $5
          AND recorded_at <= $6
        ORDER BY journal_id, seq
        """,
        account,
        currency,
        asked.first_date,
        asked.business_date,
        asked.recorded_since,
        asked.known,
        prefetch=PREFETCH,
    ):
        yield (str(row["journal_id"]), row["business_date"], kind_word(row["kind"], asked.language), row["payment"],
               row["reference"], Money(-row["amount_minor"], currency))  # fmt: skip


async def remittance_advice(connection: Connection, asked: Asked, department: str) -> Report:
    """Build the advice of a department's payouts of one date: everything inside them, down to the amount paid."""
    language = asked.language
    lines = await connection.fetch(
        """
        SELECT l.id, p.currency, l.amount_minor, l.journal_through, l.previous_line, l.revenue_code,
               coalesce(before.journal_through, 0) AS journal_from
        FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id AND p.business_date = $1
        CROSS JOIN LATERAL (SELECT status FROM reconciliation.payout_batch_history h
                            WHERE h.batch_id = p.id AND h.at <= $3 ORDER BY sequence DESC LIMIT 1) h
        LEFT JOIN reconciliation.payout_line before ON before.id = l.previous_line
        WHERE l.department = $2 AND h.status <> 'refused' ORDER BY p.currency, l.revenue_code, l.id
        """,
        asked.business_date,
        department,
        asked.known,
    )
    columns = (
        Column(word("journal", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("kind", language)),
        Column(word("payment", language), Shape.REFERENCE),
        Column(word("reference", language), Shape.REFERENCE),
        Column(word("amount", language), Shape.AMOUNT),
    )
    tables = []
    for line in lines:
        amount = Money(line["amount_minor"], line["currency"])
        foot: Row = (word("total", language), None, None, None, line["id"], amount)
        whose = " ".join(part for part in (department, line["revenue_code"], line["currency"]) if part)
        title = f"{whose}: {word('in_this_payout', language)}"
        tables.append(Table(title, columns, _inside(connection, department, line, language), foot))
    return Report.of("remittance", word("remittance", language), asked, tables)


async def _inside(connection: Connection, department: str, line: Record, language: Language) -> AsyncIterator[Row]:
    sum_minor = 0
    async for row in inside.stream(connection, department, line):
        if row["amount_minor"]:
            sum_minor += row["amount_minor"]
            yield (str(row["journal_id"]), row["business_date"], kind_word(row["kind"], language), row["payment"],
                   row["reference"], Money(row["amount_minor"], line["currency"]))  # fmt: skip
    if rest_minor := line["amount_minor"] - sum_minor:
        yield (None, None, word("not_included", language), None, None, Money(rest_minor, line["currency"]))
