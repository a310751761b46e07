"""Turn the bytes of a bank's text file into numbered lines: any line end, any usual encoding, no control marks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final

from adapters.errors import FileRefusedError

LINE_LENGTH_MAX: Final = 64 * 1024
_CHUNK: Final = 256 * 1024
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 13} | {127}
_TO_SPACE: Final = bytes(32 if byte in _CONTROLS else byte for byte in range(256))
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class TextLines:
    """Numbered lines of a stream, decoded one by one, so that one odd byte costs one line and not the file."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.controls = 0
        self.foreign = 0
        self.number = 0

    @property
    def oddities(self) -> list[str]:
        found = []
        if self.foreign:
            found.append(f"{self.foreign} lines are not UTF-8; they were read as Windows-1252")
        if self.controls:
            found.append(f"{self.controls} control characters were read as spaces")
        return found

    def __iter__(self) -> Iterator[str]:
        """Yield lines without their ends; `number` is the one just given."""
        chunks = self._chunks()
        left = b""
        for chunk in chunks:
            lines = (left + chunk).splitlines(keepends=True)
            # A carriage return at the very end may be the first half of a line end, so it waits as well.
            left = lines.pop() if lines else b""
            for line in lines:
                yield self._decoded(line)
            if len(left) > LINE_LENGTH_MAX:
                break
        if left:
            yield self._decoded(left)

    def _decoded(self, line: bytes) -> str:
        self.number += 1
        line = line.rstrip(b"\r\n")
        if len(line) > LINE_LENGTH_MAX:
            raise FileRefusedError(f"a line is longer than {LINE_LENGTH_MAX} bytes", line=self.number)
        clean = line.translate(_TO_SPACE)
        if clean != line:
            self.controls += sum(a != b for a, b in zip(line, clean, strict=True))
        try:
            return clean.decode()
        except UnicodeDecodeError:
            self.foreign += 1
            return clean.decode("cp1252", "replace")

    def _chunks(self) -> Iterator[bytes]:
        """Yield the bytes as UTF-8 or as they are; a byte order mark says when they are something else."""
        first = self._stream.read(_CHUNK)
        for mark, encoding in _BOMS:
            if first.startswith(mark):
                first = first[len(mark) :]
                if encoding != "utf-8":
                    yield from self._recoded(first, encoding)
                    return
        while first:
            yield first
            first = self._stream.read(_CHUNK)

    def _recoded(self, first: bytes, encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        while first:
            yield decoder.decode(first).encode()
            first = self._stream.read(_CHUNK)
        yield decoder.decode(b"", final=True).encode()
