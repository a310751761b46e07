"""CSV that streams, opens in a spreadsheet with Arabic intact, and carries no live formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Final

from ledger.money import Money
from reconciliation.reports.report import Cell, Report, Shape, rows_of
from reconciliation.reports.words import word

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
ROWS_A_CHUNK: Final = 500
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def safe(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, also behind blanks or quotes; drop control characters."""
    text = "".join(character if character.isprintable() else " " for character in text)
    return f"'{text}" if text.lstrip(" '\"").startswith(_FORMULA_STARTS) else text


def cells(cell: Cell, shape: Shape) -> list[str]:
    """Write a cell; an amount is two: the currency's code and the plain decimal."""
    if shape is Shape.AMOUNT:
        return [cell.currency, cell.decimal()] if isinstance(cell, Money) else ["", ""]
    if cell is None:
        return [""]
    if isinstance(cell, int | date):
        return [str(cell)]
    return [safe(str(cell))]


async def render_csv(report: Report) -> AsyncIterator[bytes]:
    """Yield the report in chunks: a table's title, its header, its rows; tables stand apart by an empty line."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")

    def taken() -> bytes:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text.encode()

    yield BYTE_ORDER_MARK
    for number, table in enumerate(report.tables):
        if number:
            writer.writerow([])
        if len(report.tables) > 1:
            writer.writerow([safe(table.title)])
        header: list[str] = []
        for column in table.columns:
            header += (
                [word("currency", report.language), safe(column.title)]
                if column.shape is Shape.AMOUNT
                else [safe(column.title)]
            )
        writer.writerow(header)
        yield taken()
        shapes = [column.shape for column in table.columns]
        count = 0
        async for row in rows_of(table):
            writer.writerow([text for cell, shape in zip(row, shapes, strict=True) for text in cells(cell, shape)])
            count += 1
            if count % ROWS_A_CHUNK == 0:
                yield taken()
        if (foot := table.foot()) is not None:
            writer.writerow([text for cell, shape in zip(foot, shapes, strict=True) for text in cells(cell, shape)])
        yield taken()
