"""The rows of a table file with their line numbers: CSV, the same in gzip, an Excel sheet, or repeated XML elements."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol, cast

from adapters.errors import FileRefusedError
from adapters.formats.camt_entry import LOCAL
from adapters.formats.clean_bytes import CleanLines
from adapters.formats.excel_rows import excel_rows
from adapters.formats.packed import ZIP_MARK, opened
from adapters.formats.settlement_profile import SettlementProfile
from adapters.formats.xml_source import XmlSource, walk

DELIMITERS: Final = ",;\t|"
_HEAD_LENGTH: Final = 64 * 1024
_HEAD_LINES: Final = 5


class Table(Protocol):
    """Rows of cells; `line_num` is the line of the row just given, as the csv module has it."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Rows:
    """The rows of one table file; `oddities` says what had to be put right."""

    def __init__(self, stream: BinaryIO, profile: SettlementProfile) -> None:
        self._source: CleanLines | XmlSource | None = None
        whole = io.BufferedReader(opened(stream), _HEAD_LENGTH)
        head = whole.peek(len(ZIP_MARK))[: len(ZIP_MARK)]
        source = cast("BinaryIO", whole)
        self.table: Table
        if head == ZIP_MARK:
            self.table = _Numbered(excel_rows(source, profile.sheet))
        elif profile.row_element:
            elements = XmlSource(source)
            self._source = elements
            self.table = _Numbered(_element_rows(elements, profile.row_element))
        else:
            clean = CleanLines(source)
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


def _text_table(clean: CleanLines, delimiter: str) -> Table:
    lines = iter(clean)
    head: list[str] = []
    if not delimiter:
        # The delimiter is the mark that the longest of the first lines has most of.
        head = list(itertools.islice(lines, _HEAD_LINES))
        longest = max(head, key=len, default="")
        delimiter = max(DELIMITERS, key=longest.count)
    return cast("Table", csv.reader(itertools.chain(head, lines), delimiter=delimiter, strict=True))


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
