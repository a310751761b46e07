"""The bank reconciliation: our cash account against the statement, and what lies between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ledger.money import Money
from reconciliation.reports.report import Asked, Cell, Column, Report, Row, Shape, Table
from reconciliation.reports.words import word
from reconciliation.store import Connection, Record, known


async def bank_reconciliation(connection: Connection, asked: Asked) -> Report:
    """Build the proof of cash, then what is on its way in, on its way out, and nobody's."""
    language = asked.language
    proof: list[Row] = []
    even = True
    for account in await _accounts(connection, asked):
        book = Money.of_total(account["closing_minor"], account["currency"])
        statement = await _last_statement(connection, asked, account["account"].split(":")[1])
        stated = None if statement is None else Money.of_total(statement["closing_minor"], account["currency"])
        even = even and (stated is None or stated == book)
        proof.append((
            account["account"], statement["identifier"] if statement else word("no_statement", language),
            statement["closed_on"] if statement else None, book, stated, None if stated is None else stated - book,
        ))  # fmt: skip
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("statement", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        *(Column(word(key, language), Shape.AMOUNT) for key in ("book_balance", "statement_balance", "difference")),
    )
    tables = (
        Table(word("bank_table", language), columns, proof, empty=word("none", language)),
        await _open(connection, "outstanding", "provider:%:in_transit", 1, asked),
        await _open(connection, "payouts_under_way", "department:%:payout_in_transit", -1, asked),
        await _nobodys(connection, "unidentified", asked, at_bank=True),
        await _nobodys(connection, "unidentified_settled", asked, at_bank=False),
    )
    return Report.of("bank", word("bank", language), asked, tables, word("ties" if even else "does_not_tie", language))


async def _accounts(connection: Connection, asked: Asked) -> Sequence[Record]:
    """Read each cash account's balance at the end of the business date."""
    day = asked.business_date
    return await known.movements(connection, day, day, asked.recorded_since, asked.known, "bank:%:cash")


async def _last_statement(connection: Connection, asked: Asked, bank_account: str) -> Record | None:
    """Read the last statement booked by the business date."""
    return await connection.fetchrow(
        """
        SELECT identifier, closed_on, closing_minor FROM reconciliation.statement
        WHERE bank_account = $1 AND status = 'accepted' AND book_date <= $2 AND accepted_at <= $3
        ORDER BY closed_on DESC, sequence DESC NULLS LAST, statement_no DESC LIMIT 1
        """,
        bank_account,
        asked.business_date,
        asked.known,
    )


async def _open(connection: Connection, name: str, pattern: str, sign: int, asked: Asked) -> Table:
    """List what stood open, streamed; the totals are summed by the database."""
    language = asked.language
    sums = await known.open_sums(connection, pattern, asked.business_date, asked.recorded_since, asked.known)
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("reference", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("amount", language), Shape.AMOUNT),
    )
    currencies = {row["currency"] for row in sums}
    foot: list[Cell] | None = None
    if len(currencies) == 1:
        whole = Money.of_total(sign * sum(row["amount_minor"] for row in sums), currencies.pop())
        foot = [word("total", language), None, None, whole]
    return Table(word(name, language), columns, open_rows(connection, pattern, sign, asked), foot,
                 word("none", language))  # fmt: skip


async def _nobodys(connection: Connection, name: str, asked: Asked, *, at_bank: bool) -> Table:
    """List what waits in suspense from the bank's statements, or from the providers' files: two different questions."""
    language = asked.language

    async def rows() -> AsyncIterator[Row]:
        async for row in open_rows(connection, "suspense:unidentified", -1, asked):
            # A statement's entry is named by number alone, a file's line by its provider first.
            if str(row[1]).split(":")[0].isdigit() is at_bank:
                yield row

    sums: dict[str, int] = {}
    async for row in rows():
        if isinstance(amount := row[3], Money):
            sums[amount.currency] = sums.get(amount.currency, 0) + amount.amount_minor
    columns = (
        Column(word("account", language), Shape.REFERENCE),
        Column(word("reference", language), Shape.REFERENCE),
        Column(word("date", language), Shape.DATE),
        Column(word("amount", language), Shape.AMOUNT),
    )
    whole = [Money.of_total(minor, currency) for currency, minor in sums.items()]
    foot: list[Cell] | None = [word("total", language), None, None, whole[0]] if len(whole) == 1 else None
    return Table(word(name, language), columns, rows(), foot, word("none", language))


async def open_rows(connection: Connection, pattern: str, sign: int, asked: Asked) -> AsyncIterator[Row]:
    """Stream open items as account, reference, date and amount."""
    async for row in known.open_items(connection, pattern, asked.business_date, asked.recorded_since, asked.known):
        yield (row["account"], row["item"], row["business_date"],
               Money.of_total(sign * row["amount_minor"], row["currency"]))  # fmt: skip
