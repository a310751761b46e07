"""Any statement a bank sends, whatever its format: ISO 20022 or SWIFT, plain or in gzip."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from adapters.errors import FileRefusedError
from adapters.formats.camt import read_camt
from adapters.formats.mt940 import read_mt940
from adapters.formats.packed import opened
from adapters.formats.statement_parts import Part

_HEAD_LENGTH = 4096


def read_statement_file(stream: BinaryIO) -> tuple[str, Iterator[Part]]:
    """Return the format's name and what the file holds, as it streams."""
    whole = io.BufferedReader(opened(stream), _HEAD_LENGTH)
    head = whole.peek(_HEAD_LENGTH)[:_HEAD_LENGTH].replace(b"\0", b"")
    # A byte order mark, in whichever encoding, is no part of the first word.
    start = head.lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")
    if not start:
        raise FileRefusedError("the file is empty")
    if start.startswith(b"PK"):
        raise FileRefusedError("the file is a ZIP archive; unpack it and inspect what is inside")
    source = cast("BinaryIO", whole)
    if start.startswith(b"<"):
        return "ISO 20022", read_camt(source)
    return "SWIFT MT", read_mt940(source)
