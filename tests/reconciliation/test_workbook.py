"""The streamed workbook: sound as an archive and as XML, the same bytes each time, and read by another's reader."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import date

from lxml import etree
from python_calamine import CalamineWorkbook

from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.reports.report import Column, Report, Row, Shape, Table
from reconciliation.reports.xlsx_file import CHUNK_BYTES, render_xlsx

DAY = date(2026, 11, 22)
COLUMNS = (
    Column("words"), Column("amount", Shape.AMOUNT), Column("count", Shape.COUNT), Column("day", Shape.DATE),
)  # fmt: skip


def report(*tables: Table) -> Report:
    return Report("n", "Break's list", Language.ARABIC, DAY, tables)


async def written(asked: Report) -> bytes:
    return b"".join([chunk async for chunk in render_xlsx(asked)])


async def test_every_part_is_sound_and_what_is_read_back_is_what_was_written():
    rows: list[Row] = [
        ("=1+1\x00<&\ufffe>'\"", Money(-12_345, "KWD"), 7, DAY),
        (None, Money(10**15, "AED"), None, None),  # beyond what a spreadsheet's figures hold: text
        (" دائرة المرور ", Money(5, "JPY"), 0, None),
    ]
    table = Table("T's [x]: y? " + "long " * 10, COLUMNS, rows, ("Total", Money(500, "AED"), 7, None))
    content = await written(report(table, table))
    assert content == await written(report(table, table))

    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    for name in archive.namelist():
        etree.fromstring(archive.read(name))
    sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 'rightToLeft="1"' in sheet

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert len(book.sheet_names) == len(set(book.sheet_names)) == 2
    assert all(len(name) <= 31 for name in book.sheet_names)
    assert book.get_sheet_by_index(1).to_python()[1:] == [
        ["words", "amount", "count", "day"],
        ["=1+1<&>'\"", -12.345, 7.0, DAY],
        ["", "AED 10,000,000,000,000.00", "", ""],
        [" دائرة المرور ", 5.0, 0.0, ""],
        ["Total", 5.0, 7.0, ""],
    ]


async def test_the_first_bytes_come_before_the_first_row_and_no_chunk_holds_many():
    asked: list[int] = []

    async def endless() -> AsyncIterator[Row]:
        for number in range(20_000):
            asked.append(number)
            yield (f"row {number} {hash(number)}", Money(number, "AED"), number, DAY)

    chunks = render_xlsx(report(Table("t", COLUMNS, endless())))
    first = await anext(chunks)
    assert (first[:2], asked) == (b"PK", [])
    sizes = [len(chunk) async for chunk in chunks]
    assert max(sizes) < 4 * CHUNK_BYTES
    assert len(asked) == 20_000


async def test_a_sheet_has_columns_beyond_z_and_no_row_is_lost_without_rows():
    wide = tuple(Column(f"c{number}") for number in range(28))
    content = await written(report(Table("t", wide, [[f"v{number}" for number in range(28)]]), Table("e", wide, [])))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.get_sheet_by_index(0).to_python()[2][25:] == ["v25", "v26", "v27"]
    assert len(book.get_sheet_by_index(1).to_python()) == 2
