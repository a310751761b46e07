"""Open a bank's XML so that nothing in it can harm the reader: no DOCTYPE, no entities, no odd bytes.

Banks declare one encoding and write another, put blank lines before the declaration, or a mark behind the last
element; what can be put right without touching an amount is put right, counted and told.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from lxml import etree

from adapters.errors import FileRefusedError
from adapters.formats.clean_bytes import CHUNK_LENGTH, Cleaner, encoding_by_mark

PROLOG_LENGTH_MAX: Final = 64 * 1024
UNMARKED_LENGTH_MAX: Final = 64 * 1024 * 1024
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_ENCODINGS: Final = {
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii", "iso8859-1", "iso8859-15", "iso8859-6",
    "cp1252", "cp1256", "cp1250", "iso8859-2", "iso8859-9", "cp1254",
}  # fmt: skip


class XmlSource:
    """A readable of clean UTF-8 for lxml. `oddities` says in words what had to be put right."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ended = False
        self._unmarked = 0
        head = _read_fully(stream, PROLOG_LENGTH_MAX)
        self._cleaner = Cleaner(_encoding_of(head))
        first = self._cleaner.clean(head).lstrip(b"\xef\xbb\xbf \t\r\n")
        _refuse_document_type(first, whole=len(head) < PROLOG_LENGTH_MAX)
        self._ready = first

    @property
    def oddities(self) -> list[str]:
        return self._cleaner.oddities

    def mark(self) -> None:
        """Say that the reader made use of what it got; a file that never lets it do so is refused."""
        self._unmarked = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of any size; lxml takes what it gets and stops at the empty one."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        while not self._ended:
            chunk = self._stream.read(max(size, CHUNK_LENGTH))
            if not chunk:
                self._ended = True
            clean = self._cleaner.clean(chunk)
            self._unmarked += len(clean)
            if self._unmarked > UNMARKED_LENGTH_MAX:
                raise FileRefusedError(f"{UNMARKED_LENGTH_MAX} bytes without one entry: this is not a statement")
            if clean:
                return clean
        return b""


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    pieces, left = [], size
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _encoding_of(head: bytes) -> str:
    if (marked := encoding_by_mark(head)) is not None:
        return marked
    if head.startswith((b"<\0?\0", b"<\0D\0")):
        return "utf-16-le"
    if head.startswith((b"\0<\0?", b"\0<\0D")):
        return "utf-16-be"
    declared = _DECLARED.search(head[:400])
    if declared is None:
        return "utf-8"
    try:
        name = codecs.lookup(declared[1].decode("ascii")).name
    except LookupError:
        raise FileRefusedError(f"encoding {declared[1].decode('ascii')!r} is not known", line=1) from None
    if name not in _ENCODINGS:
        raise FileRefusedError(f"encoding {name!r} is not one a bank's file may have", line=1)
    # A file that declares UTF-16 in single bytes is not UTF-16; the declaration was copied from another.
    return "utf-8" if name.startswith("utf-") or name == "ascii" else name


def _refuse_document_type(head: bytes, *, whole: bool) -> None:
    """Walk the prolog up to the root element. What may stand there is a comment or an instruction, nothing else."""
    position = 0
    while True:
        position += len(head[position:]) - len(head[position:].lstrip(b" \t\r\n"))
        rest = head[position : position + 9]
        closing = b"?>" if rest.startswith(b"<?") else b"-->" if rest.startswith(b"<!--") else None
        if closing is not None:
            end = head.find(closing, position + 2)
            if end < 0:
                reason = "ends inside its prolog" if whole else f"has a prolog longer than {PROLOG_LENGTH_MAX} bytes"
                raise FileRefusedError(f"the file {reason}", line=1)
            position = end + len(closing)
        elif rest[:2] == b"<!":
            raise FileRefusedError("a DOCTYPE is never read: it can name entities and outside files", line=1)
        elif not rest:
            raise FileRefusedError("the file is empty" if not head else "the file holds no element", line=1)
        elif not rest.startswith(b"<"):
            raise FileRefusedError("the file is not XML", line=1)
        else:
            return


def walk(source: XmlSource, *, tags: tuple[str, ...]) -> Iterator[tuple[str, etree._Element]]:
    """Yield start and end of the elements with these local names, in any namespace; refuse what is not XML."""
    try:
        events = etree.iterparse(
            source,
            events=("start", "end"),
            tag=tuple(f"{{*}}{tag}" for tag in tags),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        for event, element in events:
            source.mark()
            yield event, element
    except etree.XMLSyntaxError as error:
        line = error.lineno or None
        raise FileRefusedError(f"the file is not whole XML: {_first_sentence(error)}", line=line) from error


def _first_sentence(error: etree.XMLSyntaxError) -> str:
    return str(error.msg or "it cannot be read").split(", line")[0]
