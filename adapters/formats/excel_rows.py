"""The rows of an Excel sheet (XLSX), read as they stream out of its archive.

A reader of its own, on purpose: the fast ones believe the size a file claims to have, and one forged cell address made
the best of them ask for 120 gigabytes and take the process with it.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO, Final, cast

from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import LOCAL, Element
from adapters.formats.xml_source import XmlSource, walk

EXCEL_BYTES_MAX: Final = 64 * 1024 * 1024
EXCEL_UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
STRINGS_LENGTH_MAX: Final = 128 * 1024 * 1024
COLUMNS_MAX: Final = 2000
LETTERS: Final = 26
SERIAL_MAX: Final = 2_958_465  # the last day of 9999
EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones
EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
DATE_FORMATS: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NO_DATE_MARKS: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|General', re.IGNORECASE)
_ADDRESS: Final = re.compile(r"([A-Z]{1,3})\d{1,7}", re.ASCII)
_FAULTS: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, KeyError, IndexError, RuntimeError,
    OverflowError,
)  # fmt: skip


def excel_rows(stream: BinaryIO, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each row that has any; the first sheet, or the named one."""
    data = stream.read(EXCEL_BYTES_MAX + 1)
    if len(data) > EXCEL_BYTES_MAX:
        raise FileRefusedError(f"an Excel file of more than {EXCEL_BYTES_MAX} bytes is not read; ask for CSV")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_unfolding(archive)
            yield from _Book(archive).rows(sheet)
    except FileRefusedError:
        raise
    except _FAULTS as error:
        raise FileRefusedError(f"the Excel file cannot be read: {error}") from error


def _refuse_unfolding(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if sum(member.file_size for member in members) > EXCEL_UNPACKED_BYTES_MAX:
        raise FileRefusedError(f"the Excel file unpacks to more than {EXCEL_UNPACKED_BYTES_MAX} bytes")
    if any(member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for member in members):
        raise FileRefusedError("the Excel file is packed in a way that Excel does not use")


class _Book:
    """An open workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set(archive.namelist())
        self._epoch = EPOCH
        self._strings = self._read_strings()
        self._dated = self._read_styles()

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        for number, row in enumerate(self._ends(self._sheet_member(sheet), "row"), 1):
            cells = self._cells(row)
            stated = row.get("r", "")
            _free(row)
            if any(cells):
                yield int(stated) if stated.isdecimal() and len(stated) < 8 else number, cells  # noqa: PLR2004 - Excel has seven digits of rows

    def _ends(self, member: str, *tags: str) -> Iterator[Element]:
        with self._archive.open(member) as opened:
            for event, element in walk(XmlSource(cast("BinaryIO", opened)), tags=tags):
                if event == "end":
                    yield element

    def _sheet_member(self, wanted: str) -> str:
        targets = {
            link.get("Id", ""): link.get("Target", "")
            for link in self._ends("xl/_rels/workbook.xml.rels", "Relationship")
        }
        for element in self._ends("xl/workbook.xml", "workbookPr", "sheet"):
            if LOCAL[element.tag] == "workbookPr":
                if element.get("date1904") in {"1", "true"}:
                    self._epoch = EPOCH_1904
            elif not wanted or element.get("name") == wanted:
                links = [value for name, value in element.attrib.items() if LOCAL[str(name)] == "id"]
                target = targets.get(str(links[0]) if links else "", "")
                member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                if member in self._names:
                    return member
        raise FileRefusedError(f"the Excel file has no sheet {wanted!r}" if wanted else "the Excel file has no sheet")

    def _read_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._names:
            return []
        strings: list[str] = []
        length = 0
        for element in self._ends("xl/sharedStrings.xml", "si"):
            text = _text(element)
            _free(element)
            strings.append(text)
            length += len(text) + 50
            if length > STRINGS_LENGTH_MAX:
                raise FileRefusedError(f"the Excel file holds more than {STRINGS_LENGTH_MAX} bytes of texts")
        return strings

    def _read_styles(self) -> list[bool]:
        """Return for each cell style whether it shows a number as a date."""
        if "xl/styles.xml" not in self._names:
            return []
        own: dict[str, bool] = {}
        dated: list[bool] = []
        for element in self._ends("xl/styles.xml", "numFmt", "cellXfs"):
            if LOCAL[element.tag] == "numFmt":
                marks = _NO_DATE_MARKS.sub("", element.get("formatCode", "")).lower()
                own[element.get("numFmtId", "")] = any(mark in marks for mark in "ymdhs")
            else:
                for style in element:
                    form = style.get("numFmtId", "0")
                    dated.append(own.get(form, form.isdecimal() and int(form) in DATE_FORMATS))
        return dated

    def _cells(self, row: Element) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if LOCAL[cell.tag] != "c":
                continue
            place = _column(cell.get("r", ""), len(cells))
            if place >= COLUMNS_MAX:
                raise FileRefusedError(f"the sheet has more than {COLUMNS_MAX} columns")
            if place >= len(cells):
                cells.extend([""] * (place + 1 - len(cells)))
            cells[place] = self._value(cell)
        return cells

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell)
        value = next((child.text or "" for child in cell if LOCAL[child.tag] == "v"), "")
        if kind == "s":
            return self._strings[int(value)]
        if kind == "b":
            return "true" if value == "1" else "false"
        if kind != "n" or not value:
            return value
        style = cell.get("s", "")
        if style.isdecimal() and int(style) < len(self._dated) and self._dated[int(style)]:
            return self._date(float(value))
        # Fifteen digits are exact in a float; a sixteenth is the noise of a computed cell.
        return value if value.isdecimal() else format(float(value), ".15g")

    def _date(self, serial: float) -> str:
        if not 0 <= serial <= SERIAL_MAX:
            raise FileRefusedError(f"{serial!r} is not a day Excel knows")
        at = self._epoch + timedelta(seconds=round(serial * 86_400))
        return at.date().isoformat() if serial.is_integer() else at.isoformat(" ", "seconds")


def _column(address: str, following: int) -> int:
    """Return the place of `C7`, which is 2; a cell without address follows the one before."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return following
    place = 0
    for letter in match[1]:
        place = place * LETTERS + ord(letter) - ord("A") + 1
    return place - 1


def _text(element: Element) -> str:
    """Return the text of all runs, without the reading aids (`rPh`) of some scripts."""
    pieces = []
    for child in element.iter():
        parent = child.getparent()
        if LOCAL[child.tag] == "t" and not (parent is not None and LOCAL[parent.tag] == "rPh"):
            pieces.append(child.text or "")
    return "".join(pieces)


def _free(element: Element) -> None:
    element.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None:
        parent.remove(before)
