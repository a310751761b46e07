"""A workbook written row by row: figures are numbers, everything else is text that no spreadsheet will run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from ledger.money import EXPONENTS, Money
from reconciliation.breaks import Language
from reconciliation.reports.report import Cell, Report, Shape, Table, rows_of
from reconciliation.reports.text import asked_for

ROWS_MAX: Final = 1_048_576
CHUNK_BYTES: Final = 64 << 10
_FORBIDDEN_IN_SHEET_NAMES: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


async def render_xlsx(report: Report) -> AsyncIterator[bytes]:
    """Write the workbook to a temporary file in constant memory, then yield it."""
    with tempfile.TemporaryDirectory(prefix="mizan-report-") as folder:
        path = Path(folder) / "report.xlsx"
        book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": folder,
            },
        )
        # Dated by what it is about, so that the same report is the same bytes whenever it is written.
        book.set_properties(
            {
                "title": report.title,
                "subject": asked_for(report),
                "created": datetime.combine(report.business_date, time(0)),
            }
        )
        formats = _Formats(book)
        for number, table in enumerate(report.tables, start=1):
            await _sheet(book, formats, report, table, number)
        # Packing the parts is one long blocking call.
        await asyncio.to_thread(book.close)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


class _Formats:
    """Cell formats, made once a workbook."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._amounts: dict[str, Any] = {}
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.date = book.add_format({"num_format": "yyyy-mm-dd"})
        self.count = book.add_format({"num_format": "#,##0"})

    def amount(self, currency: str) -> Any:
        """Return the format of a currency: its code, and as many decimals as it has."""
        if currency not in self._amounts:
            decimals = EXPONENTS[currency]
            figure = "#,##0" + (f".{'0' * decimals}" if decimals else "")
            self._amounts[currency] = self._book.add_format(
                {"num_format": f'"{currency}" {figure};"{currency}" -{figure}', "align": "right", "reading_order": 1}
            )
        return self._amounts[currency]


async def _sheet(book: Any, formats: _Formats, report: Report, table: Table, number: int) -> None:
    name = f"{number} {table.title}".translate(_FORBIDDEN_IN_SHEET_NAMES)[:31]
    sheet = book.add_worksheet(name)
    if report.language is Language.ARABIC:
        sheet.right_to_left()
    sheet.set_column(0, len(table.columns) - 1, 22)
    sheet.freeze_panes(2, 0)
    sheet.write_string(0, 0, f"{report.title}: {table.title} ({asked_for(report)})", formats.title)
    for place, column in enumerate(table.columns):
        sheet.write_string(1, place, column.title, formats.head)
    line = 2
    async for row in rows_of(table):
        if line >= ROWS_MAX - 1:
            break  # the format ends here; the CSV has every row
        for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            _write(sheet, formats, line, place, cell, column.shape)
        line += 1
    if table.total is not None:
        for place, (cell, column) in enumerate(zip(table.total, table.columns, strict=True)):
            _write(sheet, formats, line, place, cell, column.shape)


def _write(sheet: Any, formats: _Formats, line: int, place: int, cell: Cell, shape: Shape) -> None:
    if isinstance(cell, Money):
        # A spreadsheet holds 15 digits; beyond them the exact text is better than a rounded number.
        if abs(cell.amount_minor) < 10**15:
            sheet.write_number(line, place, float(cell.decimal()), formats.amount(cell.currency))
        else:
            sheet.write_string(line, place, str(cell))
    elif isinstance(cell, int):
        sheet.write_number(line, place, cell, formats.count)
    elif isinstance(cell, date):
        sheet.write_datetime(line, place, cell, formats.date)
    elif cell is not None:
        text = "".join(character for character in str(cell) if character.isprintable() or shape is Shape.WORDS)
        sheet.write_string(line, place, text)
