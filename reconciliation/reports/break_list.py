"""The standing breaks with their age: what is wrong, whose it is, what can be done."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from ledger.money import Money
from reconciliation.ageing import age_band
from reconciliation.break_words import sentence
from reconciliation.breaks import BreakType, Language, suggestions, title
from reconciliation.reports.report import Asked, Column, Report, Row, Shape, Table
from reconciliation.reports.words import status_word, word
from reconciliation.store import Connection, known

PAGE_ROWS = 1000


async def break_list(connection: Connection, asked: Asked) -> Report:
    """Build the list, oldest first raised; it streams a page at a time."""
    table = break_table(connection, asked)
    return Report.of("breaks", word("breaks", asked.language), asked, (table,))


def break_table(connection: Connection, asked: Asked, pattern: str = "%") -> Table:
    """Give the breaks that stood, of every type or of those whose name is like a pattern."""
    language = asked.language
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
        Column(word("explained", language)),
    )
    rows = _rows(connection, asked, pattern)
    return Table(word("breaks_table", language), columns, rows, empty=word("none", language))


async def _rows(connection: Connection, asked: Asked, pattern: str) -> AsyncIterator[Row]:
    after, today, language = "", asked.business_date, asked.language
    while page := await known.standing_breaks(connection, asked.known, limit=PAGE_ROWS, after=after, pattern=pattern):
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
                ("؛ " if language is Language.ARABIC else "; ").join(suggestions(kind, language, row["leg"])),
                row["reason"],
            )
