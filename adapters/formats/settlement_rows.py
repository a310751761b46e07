"""The rows of a table file with their line numbers: CSV, the same in gzip, an Excel sheet, or repeated XML elements."""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final, Protocol, cast

from python_calamine import CalamineError, CalamineWorkbook

from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import LOCAL
from adapters.formats.clean_bytes import CleanStream
from adapters.formats.packed import ZIP_MARK, opened
from adapters.formats.settlement_profile import SettlementProfile
from adapters.formats.xml_source import XmlSource, walk

XLSX_BYTES_MAX: Final = 64 * 1024 * 1024
XLSX_UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
DELIMITERS: Final = ",;\t|"
_HEAD_LENGTH: Final = 64 * 1024


class Table(Protocol):
    """Rows of cells; `line_num` is the line of the row just given, as the csv module has it."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Rows:
    """The rows of one table file; `oddities` says what had to be put right."""

    def __init__(self, stream: BinaryIO, profile: SettlementProfile) -> None:
        self._source: CleanStream | XmlSource | None = None
        whole = io.BufferedReader(opened(stream), _HEAD_LENGTH)
        head = whole.peek(len(ZIP_MARK))[: len(ZIP_MARK)]
        source = cast("BinaryIO", whole)
        self.table: Table
        if head == ZIP_MARK:
            self.table = _Numbered(_sheet_rows(source, profile.sheet))
        elif profile.row_element:
            elements = XmlSource(source)
            self._source = elements
            self.table = _Numbered(_element_rows(elements, profile.row_element))
        else:
            clean = CleanStream(source)
            self._source = clean
            self.table = _text_table(clean, profile.delimiter)

    @property
    def oddities(self) -> list[str]:
        return self._source.oddities if self._source is not None else []


class _Numbered:
    """Rows that come with their numbers, in the shape of the csv module's."""

    def __init__(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        self._rows = rows
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        self.line_num, row = next(self._rows)
        return row


def _text_table(stream: CleanStream, delimiter: str) -> Table:
    text = io.TextIOWrapper(io.BufferedReader(stream, _HEAD_LENGTH), encoding="utf-8", newline="")
    head: list[str] = []
    if not delimiter:
        # The delimiter is the mark that the longest of the first lines has most of.
        head = list(itertools.islice(iter(lambda: text.readline(_HEAD_LENGTH), ""), 5))
        longest = max(head, key=len, default="")
        delimiter = max(DELIMITERS, key=longest.count)
    return cast("Table", csv.reader(itertools.chain(head, text), delimiter=delimiter, strict=True))


def _sheet_rows(stream: BinaryIO, sheet: str) -> Iterator[tuple[int, list[str]]]:
    data = stream.read(XLSX_BYTES_MAX + 1)
    if len(data) > XLSX_BYTES_MAX:
        raise FileRefusedError(f"an Excel file of more than {XLSX_BYTES_MAX} bytes is not read; ask for CSV")
    try:
        _refuse_unfolding(data)
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        for number, row in enumerate(found.iter_rows(), 1):
            cells = [_cell(value) for value in row]
            if any(cells):
                yield number, cells
    except FileRefusedError:
        raise
    # The reader of Excel files is written in another language and says what is wrong in exceptions of many kinds.
    except (
        CalamineError,
        zipfile.BadZipFile,
        ValueError,
        OSError,
        IndexError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise FileRefusedError(f"the Excel file cannot be read: {error}") from error


def _refuse_unfolding(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(member.file_size for member in packed.infolist()) > XLSX_UNPACKED_BYTES_MAX:
            raise FileRefusedError(f"the Excel file unpacks to more than {XLSX_UNPACKED_BYTES_MAX} bytes")


def _cell(value: object) -> str:
    """Return a cell as the text a CSV would have: Excel keeps numbers as floats and dates as dates."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Fifteen digits are exact in a float; a sixteenth is the noise of a computed cell.
        return format(value, ".15g")
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)


def _element_rows(source: XmlSource, element: str) -> Iterator[tuple[int, list[str]]]:
    """Yield a header of the first row's names, then each row's values in that order; a new name is a fault."""
    names: list[str] = []
    for event, found in walk(source, tags=(element,)):
        if event == "start":
            continue
        line: object = found.sourceline
        number = line if isinstance(line, int) else 0
        cells = {str(key): str(value) for key, value in found.attrib.items()}
        cells |= {LOCAL[child.tag]: (child.text or "") for child in found}
        if not names:
            names = list(cells)
            yield number, names
        for name in cells:
            if name not in names:
                raise FileRefusedError(f"a row has {name!r}, which the first row did not have", line=number)
        yield number, [cells.get(name, "") for name in names]
        found.clear(keep_tail=True)  # type: ignore[call-arg] # the stubs are older than the argument
        before, parent = found.getprevious(), found.getparent()
        if before is not None and parent is not None:
            parent.remove(before)
