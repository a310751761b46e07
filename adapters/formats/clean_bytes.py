"""Turn a stream of any usual encoding into clean UTF-8 as it flows.

Bytes that do not belong to the encoding are read as Windows-1252 (banks cut and paste), control characters become
spaces, never nothing, so that no amount changes by it; both are counted so that the reader can warn.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, Final

from adapters.errors import FileRefusedError

CHUNK_LENGTH: Final = 256 * 1024
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
        # UTF-8 keeps a stray byte as a lone surrogate: one pasted apostrophe must not stop a whole file.
        keep = "surrogateescape" if encoding == "utf-8" else "strict"
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


class CleanStream(io.RawIOBase):
    """A readable of clean UTF-8 over any stream, for the readers of the standard library."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        first = stream.read(CHUNK_LENGTH)
        self._cleaner = Cleaner(encoding_by_mark(first) or "utf-8")
        self._ready = self._cleaner.clean(first).removeprefix(codecs.BOM_UTF8)
        self._ended = not first

    @property
    def oddities(self) -> list[str]:
        return self._cleaner.oddities

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer is one
        while not self._ready and not self._ended:
            chunk = self._stream.read(CHUNK_LENGTH)
            self._ended = not chunk
            self._ready = self._cleaner.clean(chunk)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
