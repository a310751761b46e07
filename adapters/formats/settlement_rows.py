"""The rows of a table file with their line numbers: CSV, the same in gzip, an Excel sheet, or repeated XML elements."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final, Protocol, cast

from python_calamine import CalamineError, CalamineWorkbook

from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import LOCAL
from adapters.formats.clean_bytes import CleanStream
from adapters.formats.settlement_profile import SettlementProfile
from adapters.formats.xml_source import XmlSource, walk

XLSX_BYTES_MAX: Final = 64 * 1024 * 1024
XLSX_UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
GZIP_UNPACKED_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
DELIMITERS: Final = ",;\t|"
_HEAD_LENGTH: Final = 64 * 1024
_GZIP_MARK: Final = b"\x1f\x8b"
_ZIP_MARK: Final = b"PK\x03\x04"


class Table(Protocol):
    """Rows of cells; `line_num` is the line of the row just given, as the csv module has it."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Rows:
    """The rows of one table file; `oddities` says what had to be put right."""

    def __init__(self, stream: BinaryIO, profile: SettlementProfile) -> None:
        self._source: CleanStream | XmlSource | None = None
        head = stream.read(len(_ZIP_MARK))
        whole = cast("BinaryIO", io.BufferedReader(_Rejoined(head, stream)))
        if head.startswith(_GZIP_MARK):
            whole = cast("BinaryIO", io.BufferedReader(_Unpacked(whole)))
        self.table: Table
        if head == _ZIP_MARK:
            self.table = _Numbered(_sheet_rows(whole, profile.sheet))
        elif profile.row_element:
            elements = XmlSource(whole)
            self._source = elements
            self.table = _Numbered(_element_rows(elements, profile.row_element))
        else:
            clean = CleanStream(whole)
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


class _Rejoined(io.RawIOBase):
    """The stream with the bytes that were looked at put back in front."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer is one
        data = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(data) :]
        buffer[: len(data)] = data
        return len(data)


class _Unpacked(io.RawIOBase):
    """What a gzip file holds, up to a limit: a small file must not unfold without end."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__()
        self._file = gzip.GzipFile(fileobj=packed, mode="rb")
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer is one
        try:
            count = self._file.readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise FileRefusedError(f"the gzip file cannot be unpacked: {error}") from error
        self._count += count
        if self._count > GZIP_UNPACKED_BYTES_MAX:
            raise FileRefusedError(f"the gzip file unpacks to more than {GZIP_UNPACKED_BYTES_MAX} bytes")
        return count


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
