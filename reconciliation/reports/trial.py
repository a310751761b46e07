"""The trial balance, as the ledger gives it at the end of a business date's effective day."""

from __future__ import annotations

from ledger.money import Money
from ledger.statements import trial_balance
from reconciliation.business_days import Calendar
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import word
from reconciliation.store import Connection


async def trial_balance_report(connection: Connection, asked: Asked) -> Report:
    """Build one table a currency; debits equal credits in each."""
    language = asked.language
    at = Calendar().closing_instant(asked.business_date)
    lines = await trial_balance(connection, at=at, known_at=asked.known_at)
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("debit", "credit", "balance")),
    )
    tables = []
    for currency in sorted({line.currency for line in lines}):
        own = [line for line in lines if line.currency == currency]
        body: list[Row] = [
            (line.account, Money.of_total(line.debit_minor, currency), Money.of_total(line.credit_minor, currency),
             line.balance)
            for line in own
        ]  # fmt: skip
        debit_minor, credit_minor = sum(line.debit_minor for line in own), sum(line.credit_minor for line in own)
        foot: Row = (
            word("total", language), Money.of_total(debit_minor, currency), Money.of_total(credit_minor, currency),
            Money.of_total(debit_minor - credit_minor, currency),
        )  # fmt: skip
        tables.append(Table(currency, columns, body, foot))
    even = all((total := table.foot()) is not None and total[3] == Money(0, table.title) for table in tables)
    note = word("ties" if even else "does_not_tie", language)
    return Report.of("trial-balance", word("trial-balance", language), asked, tables, note)
