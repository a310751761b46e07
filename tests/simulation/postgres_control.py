"""A synchronous way into the same database: how the world looks at the books between two steps of the simulation."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

_INTEGERS: Final = frozenset({20, 21, 23, 26})
_BOOLEAN: Final = 16

Row = dict[str, Any]


class ControlError(RuntimeError):
    """PostgreSQL refused a statement of the simulation's own."""


class Control:
    """A connection as the owner of the database, by simple queries, blocking."""

    def __init__(self, path: str, database: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")
        words = f"user\0mizan\0database\0{database}\0client_min_messages\0error\0timezone\0UTC\0\0".encode()
        self._socket.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        self._read_answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.sendall(b"X\0\0\0\4")
        self._file.close()
        self._socket.close()

    def rows(self, sql: str) -> list[Row]:
        """Run statements and return the rows of the last: integers and booleans as such, all else as text."""
        body = sql.encode() + b"\0"
        self._socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self._read_answer()

    def value(self, sql: str) -> Any:
        rows = self.rows(sql)
        return next(iter(rows[0].values())) if rows else None

    def _read_answer(self) -> list[Row]:
        columns: list[tuple[str, int]] = []
        rows: list[Row] = []
        error = ""
        while True:
            kind = self._file.read(1)
            if not kind:
                raise ControlError("the connection to PostgreSQL is gone")
            (length,) = struct.unpack("!i", self._file.read(4))
            body = self._file.read(length - 4)
            if kind == b"T":
                columns, rows = _columns(body), []
            elif kind == b"D":
                rows.append(_row(columns, body))
            elif kind == b"E":
                error = body.replace(b"\0", b" ").decode(errors="replace")
            elif kind == b"Z":
                if error:
                    raise ControlError(error)
                return rows


def _columns(body: bytes) -> list[tuple[str, int]]:
    (count,) = struct.unpack_from("!h", body)
    columns, offset = [], 2
    for _ in range(count):
        end = body.index(b"\0", offset)
        (oid,) = struct.unpack_from("!i", body, end + 7)
        columns.append((body[offset:end].decode(), oid))
        offset = end + 19
    return columns


def _row(columns: list[tuple[str, int]], body: bytes) -> Row:
    row: Row = {}
    offset = 2
    for name, oid in columns:
        (length,) = struct.unpack_from("!i", body, offset)
        offset += 4
        if length < 0:
            row[name] = None
            continue
        text = body[offset : offset + length].decode()
        offset += length
        row[name] = int(text) if oid in _INTEGERS else text == "t" if oid == _BOOLEAN else text
    return row
