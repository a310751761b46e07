"""A workbook streamed row by row: figures are numbers, everything else is text that no spreadsheet will run.

The parts are written into the archive as their rows come, so that the first bytes leave at once and no row is held.
Each text stands in its own cell, and the styles, which are only known when every amount was seen, are written last.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from ledger.money import EXPONENTS, Money
from reconciliation.breaks import Language
from reconciliation.reports.report import Cell, Report, Row, Shape, Table, rows_of
from reconciliation.reports.text import asked_for

ROWS_MAX: Final = 1_048_576
ROWS_A_WRITE: Final = 250
CHUNK_BYTES: Final = 32 << 10
TEXT_MAX: Final = 32_767
"""What one cell of the format holds."""
_LEVEL: Final = 4
_FIRST_DAY: Final = date(1899, 12, 30)
_DIGITS_MAX: Final = 10**15
_FORBIDDEN_IN_SHEET_NAMES: Final = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# The styles every workbook has, by their place; amounts add one for each currency.
_PLAIN, _HEADER, _TITLE, _DATE, _COUNT = range(5)


class _Pipe:
    """Takes what the archive writes, and gives it up a chunk at a time; there is no going back in it."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes) -> int:
        self._written += content
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is opened."""

    def taken(self, least: int = 0) -> Iterator[bytes]:
        if len(self._written) > least:
            yield bytes(self._written)
            self._written.clear()


class _Styles:
    """Numbers the styles of amounts as currencies are met."""

    def __init__(self) -> None:
        self._currencies: dict[str, int] = {}

    def amount(self, currency: str) -> int:
        return self._currencies.setdefault(currency, _COUNT + 1 + len(self._currencies))

    def xml(self) -> str:
        formats = ['<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>']
        cells = [
            '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
            (
                '<xf numFmtId="0" fontId="1" fillId="0" borderId="1" xfId="0" applyAlignment="1">'
                '<alignment wrapText="1"/></xf>'
            ),
            '<xf numFmtId="0" fontId="2" fillId="0" borderId="0" xfId="0"/>',
            '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>',
            '<xf numFmtId="3" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>',
        ]
        for number, currency in enumerate(self._currencies, start=165):
            decimals = EXPONENTS[currency]
            figure = "#,##0" + (f".{'0' * decimals}" if decimals else "")
            code = escape(f'"{currency}" {figure};"{currency}" -{figure}', {'"': "&quot;"})
            formats.append(f'<numFmt numFmtId="{number}" formatCode="{code}"/>')
            cells.append(
                f'<xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"'
                ' applyAlignment="1"><alignment horizontal="right" readingOrder="1"/></xf>'
            )
        return (
            f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(formats)}">{"".join(formats)}</numFmts>'
            '<fonts count="3"><font><sz val="11"/><name val="Calibri"/></font>'
            '<font><b/><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="14"/><name val="Calibri"/></font>'
            '</fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
            '<fill><patternFill patternType="gray125"/></fill></fills><borders count="2">'
            "<border><left/><right/><top/><bottom/><diagonal/></border>"
            '<border><left/><right/><top/><bottom style="thin"/><diagonal/></border></borders>'
            '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            f'<cellXfs count="{len(cells)}">{"".join(cells)}</cellXfs></styleSheet>'
        )


async def render_xlsx(report: Report) -> AsyncIterator[bytes]:
    """Yield the workbook as its rows come."""
    pipe, styles = _Pipe(), _Styles()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as book:
        for name, text in _package(report).items():
            book.writestr(_part(name, report), text)
        for chunk in pipe.taken():
            yield chunk
        for number, table in enumerate(report.tables, start=1):
            with book.open(_part(f"xl/worksheets/sheet{number}.xml", report), "w") as sheet:
                async for text in _sheet(report, table, styles):
                    sheet.write(text.encode())
                    for chunk in pipe.taken(CHUNK_BYTES):
                        yield chunk
        book.writestr(_part("xl/styles.xml", report), styles.xml())
    for chunk in pipe.taken():
        yield chunk


def _part(name: str, report: Report) -> zipfile.ZipInfo:
    """Date a part by what the report is about, so that the same report is the same bytes whenever it is written."""
    day = report.business_date
    info = zipfile.ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 0
    return info


def _package(report: Report) -> dict[str, str]:
    """Write the parts that say what is in the workbook."""
    numbers = range(1, len(report.tables) + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in numbers
    )
    sheets = "".join(
        f'<sheet name="{_quoted(_sheet_name(number, table))}" sheetId="{number}" r:id="rId{number}"/>'
        for number, table in enumerate(report.tables, start=1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    return {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>'
        '<Override PartName="/docProps/core.xml"'
        ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties"'
        ' Target="docProps/core.xml"/></Relationships>',
        "docProps/core.xml": f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_quoted(report.title)}</dc:title><dc:subject>{_quoted(asked_for(report))}</dc:subject>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{report.business_date}T00:00:00Z</dcterms:created>'
        "</cp:coreProperties>",
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{related}'
        f'<Relationship Id="rId{len(report.tables) + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        "</Relationships>",
    }


def _sheet_name(number: int, table: Table) -> str:
    return f"{number} {table.title}".translate(_FORBIDDEN_IN_SHEET_NAMES)[:31]


def _quoted(text: str) -> str:
    return escape(_NOT_IN_XML.sub("", text), {'"': "&quot;"})


async def _sheet(report: Report, table: Table, styles: _Styles) -> AsyncIterator[str]:
    """Write one table: its title, its header, its rows, its total."""
    turned = ' rightToLeft="1"' if report.language is Language.ARABIC else ""
    letters = [_letters(place) for place in range(len(table.columns))]
    shapes = [column.shape for column in table.columns]
    yield (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView{turned} workbookViewId="0">'
        '<pane ySplit="2" topLeftCell="A3" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{len(letters)}" width="22" customWidth="1"/></cols><sheetData>'
    )
    yield f'<row r="1">{_text("A1", f"{report.title}: {table.title} ({asked_for(report)})", _TITLE)}</row>'
    header = "".join(
        _text(f"{letter}2", column.title, _HEADER) for letter, column in zip(letters, table.columns, strict=True)
    )
    yield f'<row r="2">{header}</row>'
    line, waiting = 2, []
    async for row in rows_of(table):
        if line >= ROWS_MAX - 1:
            break  # the format ends here; the CSV has every row
        line += 1
        waiting.append(_row(line, row, shapes, letters, styles))
        if len(waiting) == ROWS_A_WRITE:
            yield "".join(waiting)
            waiting.clear()
    if (foot := table.foot()) is not None:
        waiting.append(_row(line + 1, foot, shapes, letters, styles))
    yield "".join(waiting)
    yield "</sheetData></worksheet>"


def _letters(place: int) -> str:
    """Name a column as spreadsheets do: A to Z, then AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _row(line: int, row: Row, shapes: list[Shape], letters: list[str], styles: _Styles) -> str:
    cells = [
        _cell(f"{letter}{line}", cell, shape, styles)
        for cell, shape, letter in zip(row, shapes, letters, strict=True)
        if cell is not None
    ]
    return f'<row r="{line}">{"".join(cells)}</row>'


def _cell(at: str, cell: Cell, shape: Shape, styles: _Styles) -> str:
    if isinstance(cell, Money):
        # A spreadsheet holds 15 digits; beyond them the exact text is better than a rounded number.
        if abs(cell.amount_minor) < _DIGITS_MAX:
            return f'<c r="{at}" s="{styles.amount(cell.currency)}"><v>{cell.decimal()}</v></c>'
        return _text(at, str(cell))
    if isinstance(cell, int):
        return f'<c r="{at}" s="{_COUNT}"><v>{cell}</v></c>'
    if isinstance(cell, date):
        return f'<c r="{at}" s="{_DATE}"><v>{(cell - _FIRST_DAY).days}</v></c>'
    text = str(cell)
    if shape is not Shape.WORDS and not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    return _text(at, text)


def _text(at: str, text: str, style: int = _PLAIN) -> str:
    """Write a text into its own cell: never a formula, whatever it begins with."""
    text = escape(_NOT_IN_XML.sub("", text)[:TEXT_MAX])
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
