"""The standing breaks with their age: what is wrong, whose it is, what can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import msgspec

from ledger.money import Money
from reconciliation.breaks import BreakType, Language, age_band, sentence, suggestions, title
from reconciliation.reports.report import Column, Report, Row, Shape, Table
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection, breaks

PAGE_ROWS = 1000


async def break_list(connection: Connection, business_date: date, language: Language) -> Report:
    """Build the list, oldest first raised; it streams a page at a time."""
    columns = (
        Column(word("break", language), Shape.REFERENCE),
        Column(word("type", language)),
        Column(word("value", language), Shape.AMOUNT),
        Column(word("age", language), Shape.COUNT),
        Column(word("band", language), Shape.REFERENCE),
        Column(word("owner", language)),
        Column(word("status", language)),
        Column(word("what", language)),
        Column(word("what_to_do", language)),
    )
    table = Table(word("breaks_table", language), columns, _rows(connection, business_date, language),
                  empty=word("none", language))  # fmt: skip
    return Report("breaks", word("breaks", language), language, business_date, (table,))


async def _rows(connection: Connection, today: date, language: Language) -> AsyncIterator[Row]:
    after = ""
    while page := await breaks.read_open(connection, limit=PAGE_ROWS, after=after):
        after = page[-1]["id"]
        for row in page:
            kind = BreakType(row["type"])
            detail = msgspec.json.decode(row["detail"], type=dict[str, str])
            yield (
                row["id"],
                title(kind, language),
                Money.of_total(row["amount_minor"], row["currency"]) if row["currency"] else None,
                max(0, (today - row["business_date"]).days),
                age_band(row["business_date"], today),
                status_word(row["owner"], language),
                status_word(row["status"], language),
                sentence(kind, detail, language),
                ("؛ " if language is Language.ARABIC else "; ").join(suggestions(kind, language)),
            )
