"""Bytes meant to harm, bytes broken on the way, and any bytes at all: the reader refuses, and never falls."""

import io
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.contract import StatementEntry
from adapters.errors import FileRefusedError
from adapters.formats.camt import read_camt
from adapters.formats.pain002 import read_status_report

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{"&" + a + ";"}{("&" + a + ";") * 9}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


def parts(data: bytes):
    return list(read_camt(io.BytesIO(data)))


@pytest.mark.parametrize(
    "prolog",
    [
        BOMB,
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1/evil.dtd">',
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:/etc/passwd">]>',
        "<!-- a comment first --><?note too?>\n<!DOCTYPE Document>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_hc22_a_document_type_is_refused_before_anything_is_parsed(paper, prolog, encoding):
    text = prolog + paper.document(paper.statement(paper.entry())).decode()
    if encoding == "utf-16-le":
        text = '<?xml version="1.0" encoding="utf-16"?>' + text.removeprefix('<?xml version="1.0"?>')
    with pytest.raises(FileRefusedError, match="DOCTYPE"):
        parts(text.encode(encoding))
    with pytest.raises(FileRefusedError, match="DOCTYPE"):
        read_status_report(text.encode(encoding))


def test_hc22_an_entity_nobody_declared_is_refused(paper):
    data = paper.document(paper.statement(paper.entry())).replace(b"B1", b"&secret;")
    with pytest.raises(FileRefusedError, match="not whole XML"):
        parts(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso-8859-1", "windows-1256", "ascii"])
def test_hc22_encodings_banks_use_are_read(paper, encoding):
    name = {"iso-8859-1": "Señor Müller", "windows-1256": "دائرة المالية", "ascii": "Treasury"}.get(encoding, "دائرة ü")
    details = f"<NtryDtls><TxDtls><RmtInf><Ustrd>{name}</Ustrd></RmtInf></TxDtls></NtryDtls>"
    declared = encoding.removesuffix("-sig")
    data = paper.document(
        paper.statement(paper.entry(details=details)), declaration=f'<?xml version="1.0" encoding="{declared}"?>'
    )
    entry, summary = parts(data.decode().encode(encoding))
    assert entry.remittance == name
    assert summary.warnings == ()


def test_hc22_pasted_bytes_and_control_characters_are_read_and_counted(paper):
    details = "<NtryDtls><TxDtls><RmtInf><Ustrd>it@s \x00\x1f fine</Ustrd></RmtInf></TxDtls></NtryDtls>"
    data = paper.document(paper.statement(paper.entry(details=details))).replace(b"@", b"\x92")
    entry, summary = parts(data + b"\x1a\r\n")
    assert entry.remittance == "it’s    fine"
    assert summary.warnings == (
        "1 bytes are not utf-8; they were read as Windows-1252",
        "3 control characters were read as spaces",
    )


def test_hc22_a_control_character_inside_an_amount_never_changes_it(paper):
    with pytest.raises(FileRefusedError, match="not an amount"):
        parts(paper.document(paper.statement(paper.entry("1\x000.00"))))


def test_leading_blank_lines_before_the_declaration_are_forgiven(paper):
    data = paper.document(paper.statement(paper.entry()), declaration='<?xml version="1.0" encoding="UTF-8"?>')
    assert len(parts(b"\xef\xbb\xbf\r\n  " + data)) == 2


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"<!-- -->", "no element"),
        (b"not xml", "not XML"),
        (b":20:STARTUMS", "not XML"),
        (b"<?xml version='1.0' encoding='ebcdic-cp-us'?><a/>", "encoding"),
        (b"<?xml version='1.0' encoding='utf-7'?><a/>", "encoding"),
        (b"<?xml version='1.0'", "ends inside its prolog"),
        (b"<!--" + b"x" * 70_000, "prolog longer"),
        (b"<a/>", "holds no statement"),
        (b"<html><body>502</body></html>", "holds no statement"),
        (b"<a>" * 300, "not whole XML"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
def test_hc21_what_is_not_a_statement_says_why(data, word):
    with pytest.raises(FileRefusedError, match=word):
        parts(data)


def test_hc21_a_file_cut_anywhere_is_refused(paper):
    data = paper.document(paper.statement(paper.entry() + paper.entry("-0.00")))
    for end in range(len(data)):
        with pytest.raises(FileRefusedError):
            parts(data[:end])


def test_a_file_without_entries_cannot_fill_the_memory(monkeypatch):
    monkeypatch.setattr("adapters.formats.xml_source.UNMARKED_LENGTH_MAX", 1 << 20)
    with pytest.raises(FileRefusedError, match="without one entry"):
        parts(b"<a>" + b"<b>x</b>" * 400_000 + b"</a>")


class Endless(io.RawIOBase):
    """A statement of so many entries that keeping them would show."""

    def __init__(self, head: bytes, entry: bytes, count: int, tail: bytes) -> None:
        self._left = [head, *[entry * 500] * count, tail][::-1]

    def read(self, size: int = -1) -> bytes:
        return self._left.pop() if self._left and size else b""


def test_memory_does_not_grow_with_the_file(paper):
    def peak(count: int) -> int:
        closing = f"{100 + 10 * 500 * count}.00"
        whole = paper.document(paper.statement("@" + "\n", closing=closing)).partition(b"@")
        entry = (paper.entry(details=batch_of_two()) + "\n").encode()
        tracemalloc.start()
        entries = sum(isinstance(part, StatementEntry) for part in read_camt(Endless(whole[0], entry, count, whole[2])))
        assert entries == 1000 * count
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    assert peak(20) < peak(2) * 1.5 + 200_000


def batch_of_two() -> str:
    line = '<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><Amt Ccy="AED">5.00</Amt></TxDtls>'
    return f"<NtryDtls>{line}{line}</NtryDtls>"


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
@example(b"\xff\xfe<\x00?\x00")
@example(b"\x00<\x00?\x00x")
@example(b"<?xml encoding='utf-16'?><a/>")
def test_no_bytes_crash_the_readers(data):
    for read in (parts, read_status_report):
        with pytest.raises(FileRefusedError):
            read(data)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_good_file_crashes_the_reader(paper, data):
    good = paper.document(
        paper.statement(paper.entry(details=batch_of_two()) + paper.entry("5.00", "DBIT"), closing="105.00")
    )
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"<", b">", b"</", b"&", b"9", b"\x00", b"\xff", b"-", b"Ntry", b"e99", b"\xd9\xa3"])
        )
        damaged[at : at + data.draw(st.integers(0, 12))] = piece
    try:
        found = parts(bytes(damaged))
    except FileRefusedError:
        return
    assert found[-1].opening is None or found[-1].closing is None or found[-1].proven
