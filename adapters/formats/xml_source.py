"""Open a bank's XML so that nothing in it can harm the reader: no DOCTYPE, no entities, no odd bytes.

The file is turned into clean UTF-8 while it streams. Bytes that do not belong to the declared encoding are read as
Windows-1252 (banks cut and paste), control characters become spaces, and both are counted so that the reader can warn.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from lxml import etree

from adapters.errors import FileRefusedError

PROLOG_LENGTH_MAX: Final = 64 * 1024
UNMARKED_LENGTH_MAX: Final = 64 * 1024 * 1024
_STRAY: Final = re.compile("[\udc80-\udcff]")
_CHUNK: Final = 256 * 1024
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]{1,40})["']""")
_CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
_TO_SPACE: Final = bytes(32 if byte in _CONTROLS else byte for byte in range(256))
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS: Final = {
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii", "iso8859-1", "iso8859-15", "iso8859-6",
    "cp1252", "cp1256", "cp1250", "iso8859-2", "iso8859-9", "cp1254",
}  # fmt: skip


class XmlSource:
    """A readable of clean UTF-8 for lxml. `oddities` says in words what had to be put right."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._controls = 0
        self._foreign = 0
        self._ended = False
        self._unmarked = 0
        head = _read_fully(stream, PROLOG_LENGTH_MAX)
        self._encoding = _encoding_of(head)
        # UTF-8 keeps a stray byte as a lone surrogate: one pasted apostrophe must not stop a whole file.
        keep = "surrogateescape" if self._encoding == "utf-8" else "strict"
        self._decoder = codecs.getincrementaldecoder(self._encoding)(errors=keep)
        first = self._clean(head).lstrip(b"\xef\xbb\xbf \t\r\n")
        _refuse_document_type(first, whole=len(head) < PROLOG_LENGTH_MAX)
        self._ready = first

    @property
    def oddities(self) -> list[str]:
        found = []
        if self._foreign:
            found.append(f"{self._foreign} bytes are not {self._encoding}; they were read as Windows-1252")
        if self._controls:
            found.append(f"{self._controls} control characters were read as spaces")
        return found

    def mark(self) -> None:
        """Say that the reader made use of what it got; a file that never lets it do so is refused."""
        self._unmarked = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of any size; lxml takes what it gets and stops at the empty one."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        while not self._ended:
            chunk = self._stream.read(_CHUNK if size < 0 else max(size, _CHUNK))
            if not chunk:
                self._ended = True
            clean = self._clean(chunk)
            self._unmarked += len(clean)
            if self._unmarked > UNMARKED_LENGTH_MAX:
                raise FileRefusedError(f"{UNMARKED_LENGTH_MAX} bytes without one entry: this is not a statement")
            if clean:
                return clean
        return b""

    def _clean(self, chunk: bytes) -> bytes:
        text = self._decode(chunk)
        clean = text.translate(_TO_SPACE)
        if clean != text:
            self._controls += sum(text.count(control) for control in _CONTROLS)
        return clean

    def _decode(self, chunk: bytes) -> bytes:
        """Return the chunk as UTF-8; an unfinished character at its end waits for the next chunk."""
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


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    pieces, left = [], size
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _encoding_of(head: bytes) -> str:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
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
