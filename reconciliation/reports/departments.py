"""What a department is shown: every posting to its account on a day, and every payment inside its last payout."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from ledger.accounts import department_payable
from ledger.money import Money
from reconciliation.reports.report import Asked, Cell, Column, PaymentNames, Report, Row, Shape, Table
from reconciliation.reports.words import kind_word, status_word, word
from reconciliation.store import Connection, Record, inside, known

PREFETCH: Final = 1000
_NOT_PAID: Final = frozenset({"submitted", "approved", "rejected", "returned"})
"""A payout of which this is so is not money on its way, and the advice says so."""


def _columns(asked: Asked) -> tuple[Column, ...]:
    own = (Column(word("your_reference", asked.language), Shape.REFERENCE),) if asked.names is not None else ()
    return (
        Column(word("journal", asked.language), Shape.REFERENCE),
        Column(word("date", asked.language), Shape.DATE),
        Column(word("kind", asked.language)),
        Column(word("payment", asked.language), Shape.REFERENCE),
        *own,
        Column(word("reference", asked.language), Shape.REFERENCE),
        Column(word("amount", asked.language), Shape.AMOUNT),
    )


def _line(asked: Asked, first: Sequence[Cell], own: Cell, last: Sequence[Cell]) -> Row:
    """Return a row; the department's own reference stands between, where there is a column for it."""
    return (*first, own, *last) if asked.names is not None else (*first, *last)


async def _named(
    connection: Connection, asked: Asked, rows: AsyncIterator[Record]
) -> AsyncIterator[tuple[Record, str | None]]:
    """Give each row with what its department calls its payment; rows are asked about many at a time, as they stream."""
    if asked.names is None:
        async for row in rows:
            yield row, None
        return
    held: list[Record] = []
    async for row in rows:
        held.append(row)
        if len(held) == PREFETCH:
            for each in await _names_of(connection, asked.names, held):
                yield each
            held = []
    for each in await _names_of(connection, asked.names, held):
        yield each


async def _names_of(
    connection: Connection, names: PaymentNames, rows: Sequence[Record]
) -> list[tuple[Record, str | None]]:
    payments = sorted({row["payment"] for row in rows if row["payment"] is not None})
    known = await names.references(connection, payments) if payments else {}
    return [(row, known.get(row["payment"])) for row in rows]


def _shown(asked: Asked, row: Record, own: str | None, amount: Money) -> Row:
    kind = kind_word(row["kind"], asked.language)
    first = (str(row["journal_id"]), row["business_date"], kind, row["payment"])
    return _line(asked, first, own, (row["reference"], amount))


async def department_statement(connection: Connection, asked: Asked, department: str) -> Report:
    """Build the account of a day or a period: what it opened with, every line, what it closed with.

    What it opened with is a sum over all of its lines, so the head is given out before it is asked for.
    """
    account, language = department_payable(department), asked.language
    columns = _columns(asked)
    tables = []
    for currency in await known.currencies(connection, account, asked.known):
        statement = _Statement(connection, account, currency, asked)
        tables.append(Table(f"{department} {currency}", columns, statement.rows(), statement.closing))
    return Report.of("departments", word("departments", language), asked, tables)


class _Statement:
    """One account in one currency: its opening, the postings to it, and then its closing."""

    def __init__(self, connection: Connection, account: str, currency: str, asked: Asked) -> None:
        self._connection = connection
        self._account = account
        self._currency = currency
        self._asked = asked
        self._closing_minor = 0

    async def rows(self) -> AsyncIterator[Row]:
        asked = self._asked
        for row in await known.movements(
            self._connection, asked.business_date, asked.first_date, asked.recorded_since, asked.known, self._account
        ):
            if row["currency"] == self._currency:
                self._closing_minor = -row["closing_minor"]
                yield self._balance("opening", self._closing_minor + row["debit_minor"] - row["credit_minor"])
        postings = _postings_of(self._connection, self._account, self._currency, asked)
        async for row, own in _named(self._connection, asked, postings):
            yield _shown(asked, row, own, Money(-row["amount_minor"], self._currency))

    def closing(self) -> Row:
        return self._balance("closing", self._closing_minor)

    def _balance(self, name: str, amount_minor: int) -> Row:
        amount = Money.of_total(amount_minor, self._currency)
        return _line(self._asked, (word(name, self._asked.language), None, None, None), None, (None, amount))


async def _postings_of(connection: Connection, account: str, currency: str, asked: Asked) -> AsyncIterator[Record]:
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
        yield row


async def remittance_advice(connection: Connection, asked: Asked, department: str) -> Report:
    """Build the advice of a department's payouts of one date: everything inside them, down to the amount paid."""
    language = asked.language
    lines = await connection.fetch(
        """
        SELECT l.id, p.currency, l.amount_minor, l.journal_through, l.previous_line, l.revenue_code,
               CASE WHEN m.status = 'draft' THEN h.status ELSE m.status END AS status,
               coalesce(before.journal_through, 0) AS journal_from
        FROM reconciliation.payout_line l
        JOIN reconciliation.payout_batch p ON p.id = l.batch_id AND p.business_date = $1
        CROSS JOIN LATERAL (SELECT status FROM reconciliation.payout_batch_history h
                            WHERE h.batch_id = p.id AND h.at <= $3 ORDER BY sequence DESC LIMIT 1) h
        CROSS JOIN LATERAL (SELECT status FROM reconciliation.payout_line_history m
                            WHERE m.line_id = l.id AND m.at <= $3 ORDER BY sequence DESC LIMIT 1) m
        LEFT JOIN reconciliation.payout_line before ON before.id = l.previous_line
        WHERE l.department = $2 AND h.status <> 'refused' ORDER BY p.currency, l.revenue_code, l.id
        """,
        asked.business_date,
        department,
        asked.known,
    )
    columns = _columns(asked)
    tables = []
    for line in lines:
        amount = Money(line["amount_minor"], line["currency"])
        # A table read alone, as CSV, has no title: its total says what became of the money too.
        status = f" ({status_word(line['status'], language)})" if line["status"] in _NOT_PAID else ""
        foot = _line(asked, (word("total", language) + status, None, None, None), None, (line["id"], amount))
        whose = " ".join(part for part in (department, line["revenue_code"], line["currency"]) if part)
        title = f"{whose}: {word('in_this_payout', language)}{status}"
        tables.append(Table(title, columns, _inside(connection, asked, department, line), foot))
    return Report.of("remittance", word("remittance", language), asked, tables)


async def _inside(connection: Connection, asked: Asked, department: str, line: Record) -> AsyncIterator[Row]:
    sum_minor = 0
    async for row, own in _named(connection, asked, inside.stream(connection, department, line)):
        if row["amount_minor"]:
            sum_minor += row["amount_minor"]
            yield _shown(asked, row, own, Money(row["amount_minor"], line["currency"]))
    if rest_minor := line["amount_minor"] - sum_minor:
        rest = Money(rest_minor, line["currency"])
        yield _line(asked, (None, None, word("not_included", asked.language), None), None, (None, rest))
