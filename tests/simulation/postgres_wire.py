"""PostgreSQL's wire protocol, as far as a go-between must read it: where a request ends, when its answer is whole."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

_CANCEL_REQUEST: Final = 80877102
_HEADER: Final = 5
_PARSE, _BIND, _QUERY = b"P", b"B", b"Q"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent in one go: the kinds of its messages, its SQL, and a fingerprint of all but names."""

    kinds: str
    sql: str
    fingerprint: int
    syncs: int
    flushes: int
    is_startup: bool = False
    is_cancel: bool = False

    @property
    def is_commit(self) -> bool:
        return self.sql.startswith("COMMIT")

    @property
    def is_farewell(self) -> bool:
        return self.kinds == "X"


def read_startup(data: bytes) -> Request:
    """Read the first message of a connection, the only one without a kind."""
    code = struct.unpack("!i", data[4:8])[0]
    return Request("^", "", 0, 0, 0, is_startup=code != _CANCEL_REQUEST, is_cancel=code == _CANCEL_REQUEST)


def read_request(data: bytes) -> Request:
    """Read the messages of one flight. asyncpg numbers its statements per process, so their names are left out."""
    kinds, sql, fingerprint, offset = "", "", 0, 0
    while offset + _HEADER <= len(data):
        kind = data[offset : offset + 1]
        (length,) = struct.unpack("!i", data[offset + 1 : offset + _HEADER])
        body = data[offset + _HEADER : offset + 1 + length]
        kinds += kind.decode("latin-1")
        if kind == _QUERY:
            sql = body.rstrip(b"\0").decode(errors="replace")
        elif kind == _PARSE:
            body = body.partition(b"\0")[2]
            sql = body.partition(b"\0")[0].decode(errors="replace")
        elif kind == _BIND:
            body = body.partition(b"\0")[2].partition(b"\0")[2]
        elif kind in (b"D", b"E", b"C"):
            body = b""
        fingerprint = zlib.crc32(body, fingerprint)
        offset += 1 + length
    # The end of a COPY (c, or f when it failed) is answered as a Sync is.
    return Request(kinds, sql, fingerprint, sum(map(kinds.count, "SQcf")), kinds.count("H"))


class Answer:
    """Collects a backend's bytes and says when it has nothing more to say until it is asked again."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.pid = 0
        self.rows = 0
        self.error = ""
        self._read = 0
        self._syncs = 0
        self._flushes = 0
        self._greeting = False

    def expect(self, request: Request) -> None:
        """Add a request whose answer is to come."""
        self._greeting = self._greeting or request.is_startup
        self._syncs += request.syncs
        self._flushes += request.flushes

    def take(self) -> bytes:
        """Hand over what has come, and begin again."""
        data = bytes(self.data)
        self.data.clear()
        self._read = self.rows = 0
        self.error = ""
        return data

    def feed(self, data: bytes) -> None:
        self.data += data
        while self._read + _HEADER <= len(self.data):
            kind = self.data[self._read : self._read + 1]
            (length,) = struct.unpack_from("!i", self.data, self._read + 1)
            if self._read + 1 + length > len(self.data):
                return
            self._see(bytes(kind), bytes(self.data[self._read + _HEADER : self._read + 1 + length]))
            self._read += 1 + length

    def _see(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"Z":
                self._flushes = 0
                if self._greeting:
                    self._greeting = False
                else:
                    self._syncs -= 1
            case b"K":
                (self.pid,) = struct.unpack_from("!i", body)
            case b"T" | b"n" if self._flushes and not self._syncs:
                self._flushes -= 1
            case b"E":
                fields = {part[:1]: part[1:] for part in body.split(b"\0") if part}
                self.error = fields.get(b"C", b"?").decode()
                if not self._syncs:
                    self._flushes = 0
            case b"G":  # the backend waits for the rows of a COPY; its ReadyForQuery is still owed
                self._syncs -= 1
            case b"D":
                self.rows = zlib.crc32(body, self.rows)
            case _:
                pass

    @property
    def complete(self) -> bool:
        whole = self._read == len(self.data)
        return whole and not self._greeting and self._syncs <= 0 and self._flushes <= 0

    @property
    def waits(self) -> bool:
        """Whether anything is expected at all."""
        return self._greeting or self._syncs > 0 or self._flushes > 0
