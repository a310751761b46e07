"""Files that come packed: gzip is unpacked as it streams, up to a limit."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO, Final, cast

from adapters.errors import FileRefusedError

GZIP_UNPACKED_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
GZIP_MARK: Final = b"\x1f\x8b"
ZIP_MARK: Final = b"PK\x03\x04"


def opened(stream: BinaryIO) -> io.RawIOBase:
    """Return the stream, unpacked where its first bytes say that it is packed."""
    head = stream.read(len(GZIP_MARK))
    whole = _Rejoined(head, stream)
    if head == GZIP_MARK:
        return _Unpacked(cast("BinaryIO", io.BufferedReader(whole)))
    return whole


class _Rejoined(io.RawIOBase):
    """The stream with the bytes that were looked at put back in front."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any writable buffer is one
        data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        # Whoever looks ahead sees one piece, so the first must not be the few bytes that were looked at before.
        if len(data) < len(buffer):
            data += self._stream.read(len(buffer) - len(data))
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
