"""Turn a stream of any usual encoding into clean UTF-8 as it flows.

Bytes that do not belong to the encoding are read as Windows-1252 (banks cut and paste), control characters become
spaces, never nothing, so that no amount changes by it; both are counted so that the reader can warn.
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from adapters.errors import FileRefusedError

CHUNK_LENGTH: Final = 256 * 1024
LINE_LENGTH_MAX: Final = 1024 * 1024
_CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
_TO_SPACE: Final = bytes(32 if byte in _CONTROLS else byte for byte in range(256))
_STRAY: Final = re.compile("[\udc80-\udcff]")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_by_mark(head: bytes) -> str | None:
    """Return the encoding the byte order mark names, if the file begins with one."""
    return next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None)


class Cleaner:
    """Cleans chunk after chunk; `oddities` says in words what had to be put right."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._controls = 0
        self._foreign = 0
        self._is_utf8 = encoding == "utf-8"
        # UTF-8 keeps a stray byte as a lone surrogate: one pasted apostrophe must not stop a whole file.
        keep = "surrogateescape" if self._is_utf8 else "strict"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=keep)

    @property
    def oddities(self) -> list[str]:
        found = []
        if self._foreign:
            found.append(f"{self._foreign} bytes are not {self._encoding}; they were read as Windows-1252")
        if self._controls:
            found.append(f"{self._controls} control characters were read as spaces")
        return found

    def clean(self, chunk: bytes) -> bytes:
        """Return the chunk as clean UTF-8; an unfinished character at its end waits for the next one."""
        text = self._decode(chunk)
        clean = text.translate(_TO_SPACE)
        if clean != text:
            self._controls += sum(text.count(control) for control in _CONTROLS)
        return clean

    def _decode(self, chunk: bytes) -> bytes:
        if self._is_utf8 and chunk.isascii() and not self._decoder.getstate()[0]:
            return chunk
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            raise FileRefusedError(f"the file is not {self._encoding}") from error
        try:
            return text.encode()
        except UnicodeEncodeError:
            text, count = _STRAY.subn(_as_windows, text)
            self._foreign += count
            return text.encode()


def _as_windows(stray: re.Match[str]) -> str:
    return stray[0].encode("utf-8", "surrogateescape").decode("cp1252", "replace")


class CleanLines:
    """The clean lines of a stream with their ends as they are, for readers of text. A line has a limit."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._first = stream.read(CHUNK_LENGTH)
        self._cleaner = Cleaner(encoding_by_mark(self._first) or "utf-8")
        self._number = 0

    @property
    def oddities(self) -> list[str]:
        return self._cleaner.oddities

    def __iter__(self) -> Iterator[str]:
        return itertools.chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[list[str]]:
        """Yield the lines of one chunk after the other: whole lists, so that no line costs a step of ours."""
        chunk = self._first
        left = self._cleaner.clean(chunk).removeprefix(codecs.BOM_UTF8).decode()
        while chunk:
            lines = _split(left)
            # The last line may go on, and a carriage return at its end may be the first half of a line end.
            left = lines.pop() if lines else ""
            self._number += len(lines)
            if len(left) > LINE_LENGTH_MAX:
                raise FileRefusedError(f"a line is longer than {LINE_LENGTH_MAX} characters", line=self._number + 1)
            yield lines
            chunk = self._stream.read(CHUNK_LENGTH)
            left += self._cleaner.clean(chunk).decode()
        if left:
            yield _split(left)


def _split(text: str) -> list[str]:
    """Split behind line feeds and carriage returns; the other ends `splitlines` knows are controls or not ASCII."""
    return text.splitlines(keepends=True) if text.isascii() else io.StringIO(text, newline="").readlines()
