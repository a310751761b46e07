"""The bank reconciliation: our cash account against the statement, and what lies between the two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.daily import RECORDED_EARLIER_DAYS
from reconciliation.reports.report import Cell, Column, Report, Row, Shape, Table
from reconciliation.reports.words import word
from reconciliation.store import Connection, Record


async def bank_reconciliation(connection: Connection, business_date: date, language: Language) -> Report:
    """Build the proof of cash, then what is on its way in, on its way out, and nobody's."""
    proof: list[Row] = []
    even = True
    for account in await _accounts(connection, business_date):
        book = Money.of_total(account["book_minor"], account["currency"])
        stated = (
            None if account["closing_minor"] is None else Money.of_total(account["closing_minor"], account["currency"])
        )
        even = even and (stated is None or stated == book)
        proof.append((
            account["account"], account["identifier"] or word("no_statement", language), account["closed_on"], book,
            stated, None if stated is None else stated - book,
        ))  # fmt: skip
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("statement", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("book_balance", "statement_balance", "difference")),
    )
    tables = (
        Table(word("bank_table", language), columns, proof, empty=word("none", language)),
        await _open(connection, "outstanding", "provider:%:in_transit", 1, language),
        await _open(connection, "payouts_under_way", "department:%:payout_in_transit", -1, language),
        await _open(connection, "unidentified", "suspense:unidentified", -1, language),
    )
    note = word("ties" if even else "does_not_tie", language)
    return Report("bank", word("bank", language), language, business_date, tables, (note,))


async def _accounts(connection: Connection, business_date: date) -> Sequence[Record]:
    """Read each cash account's balance at the end of the business date, and the last statement booked by then."""
    since = datetime.combine(business_date, time(0), UTC) - timedelta(days=RECORDED_EARLIER_DAYS)
    rows: Sequence[Record] = await connection.fetch(
        """
        SELECT b.account, b.currency, s.identifier, s.closed_on, s.closing_minor,
               (b.amount_minor - coalesce((
                 SELECT sum(p.amount_minor) FROM ledger.postings p
                 WHERE p.account = b.account AND p.currency = b.currency AND p.recorded_at >= $2
                   AND p.business_date > $1), 0))::bigint AS book_minor
        FROM ledger.balances b
        LEFT JOIN LATERAL (
          SELECT identifier, closed_on, closing_minor FROM reconciliation.statement s
          WHERE s.bank_account = split_part(b.account, ':', 2) AND s.status = 'accepted' AND s.book_date <= $1
          ORDER BY closed_on DESC, sequence DESC NULLS LAST, statement_no DESC LIMIT 1) s ON true
        WHERE b.account LIKE 'bank:%:cash' ORDER BY b.account
        """,
        business_date,
        since,
    )
    return rows


async def _open(connection: Connection, name: str, pattern: str, sign: int, language: Language) -> Table:
    rows = await connection.fetch(
        """
        SELECT account, currency, item, amount_minor, business_date FROM ledger.open_items
        WHERE account LIKE $1 ORDER BY business_date, item
        """,
        pattern,
    )
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("reference", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("amount", language), Shape.AMOUNT),
    )
    body: list[Row] = [
        (row["account"], row["item"], row["business_date"], Money.of_total(sign * row["amount_minor"], row["currency"]))
        for row in rows
    ]
    currencies = {row["currency"] for row in rows}
    foot: list[Cell] | None = None
    if len(currencies) == 1:
        whole = Money.of_total(sign * sum(row["amount_minor"] for row in rows), currencies.pop())
        foot = [word("total", language), None, None, whole]
    return Table(word(name, language), columns, body, foot, word("none", language))
