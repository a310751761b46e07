"""MT940 and MT942 as banks send them, held against an independent reader of the same files."""

import io
import logging
from datetime import date

import mt940 as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import FileRefusedError
from adapters.formats.mt940 import read_mt940, read_mt940_statements
from adapters.formats.statement_parts import Kind
from ledger.money import Money

logging.getLogger("mt940").setLevel(logging.CRITICAL)

DAYS = st.dates(date(2026, 3, 1), date(2026, 9, 1))
MOVES = st.lists(st.tuples(st.integers(1, 10**10), st.booleans(), DAYS), max_size=8)

PLAIN = """\
:20:STARTUMS
:25:AE070331234567890123456
:28C:00231/001
:60F:C261121AED1000,00
:61:2611221122C250,50NTRFNONREF//BANKREF1
SETTLEMENT
:86:NGENIUS SETTLEMENT B20261121
NETWORK INTERNATIONAL
:61:261122D100,NMSC/PO1234
:86:/EREF/pl-01JD0000000000000000000001/BENM//NAME/Roads Authority/REMI/payout one
:62F:C261122AED1150,50
:64:C261122AED1150,50
-
"""


def parts(text: str | bytes):
    return list(read_mt940(io.BytesIO(text if isinstance(text, bytes) else text.encode())))


def test_a_plain_statement():
    (statement,) = read_mt940_statements(PLAIN.encode(), name="a.sta")
    assert (statement.account_iban, statement.sequence, statement.identifier) == (
        "AE070331234567890123456", 231, "STARTUMS-20261122-231",
    )  # fmt: skip
    assert (statement.opening, statement.closing) == (Money(100_000, "AED"), Money(115_050, "AED"))
    first, second = statement.entries
    assert (first.amount, first.booked_on, first.bank_reference) == (
        Money(25_050, "AED"),
        date(2026, 11, 22),
        "BANKREF1",
    )
    assert first.remittance == "NGENIUS SETTLEMENT B20261121 NETWORK INTERNATIONAL"
    assert first.end_to_end_id is None
    assert (second.amount, second.end_to_end_id, second.counterparty, second.remittance) == (
        Money(-10_000, "AED"), "pl_01JD0000000000000000000001", "Roads Authority", "payout one",
    )  # fmt: skip


def test_an_envelope_and_any_line_ends():
    wrapped = "{1:F01BOMLAEADAXXX0000000000}{2:O9400000261122BOMLAEADAXXX00000000002611220000N}{4:\n"
    for text in (wrapped + PLAIN.replace("\n-\n", "\n-}{5:{CHK:ABC}}\n"), wrapped[:-1] + PLAIN):
        for end in ("\n", "\r\n", "\r"):
            *entries, summary = parts(text.replace("\n", end))
            assert len(entries) == 2
            assert summary.proven
            assert summary.warnings == ()


def test_several_statements_stay_several_where_others_merge_them():
    second = (
        PLAIN.replace("00231", "00232").replace("1000,00", "1150,50").replace("C261122AED1150,50", "C261123AED1301,00")
    )
    first, then = read_mt940_statements((PLAIN + second).encode(), name="two")
    assert (first.sequence, then.sequence) == (231, 232)
    assert first.closing == then.opening
    assert len(first.entries) == len(then.entries) == 2


def test_pages_are_joined():
    one, two = PLAIN.split(":61:261122D", 1)
    page = one + ":62M:C261122AED1250,50\n-\n:20:STARTUMS\n:25:AE070331234567890123456\n:28C:00231/002\n"
    (statement,) = read_mt940_statements((page + ":60M:C261122AED1250,50\n:61:261122D" + two).encode(), name="pages")
    assert [(e.number, e.amount.amount_minor) for e in statement.entries] == [(1, 25_050), (2, -10_000)]
    assert statement.warnings == ()
    with pytest.raises(FileRefusedError, match="does not open where"):
        parts(page + ":60M:C261122AED1250,51\n:61:261122D" + two)
    *_, summary = parts(
        page.split(":20:STARTUMS")[0] + ":20:" + page.split(":20:")[1].split(":62M:")[0] + ":62M:C261122AED1250,50"
    )
    assert "last page is missing" in summary.warnings[0]


def test_an_interim_report_proves_its_sums():
    text = (
        ":20:X\n:25:AE070331234567890123456\n:28C:1/1\n:34F:AED0,\n:13D:2611221200+0400\n"
        ":61:261122C5,00NTRFA\n:61:261122D2,00NTRFB\n:90D:1AED2,00\n:90C:1AED5,00\n"
    )
    *entries, summary = parts(text)
    assert [e.amount.amount_minor for e in entries] == [500, -200]
    assert summary.kind is Kind.INTERIM
    with pytest.raises(FileRefusedError, match=r"credits sum to AED 5\.00"):
        parts(text.replace("90C:1AED5,00", "90C:1AED6,00"))
    with pytest.raises(FileRefusedError, match="interim"):
        read_mt940_statements(text.encode(), name="x")


@pytest.mark.parametrize(
    ("mark", "minor", "reversal"), [("C", 100, False), ("D", -100, False), ("RC", -100, True), ("RD", 100, True)]
)
def test_reversals_turn_the_sign(mark, minor, reversal):
    closing = 100_000 + minor
    text = (
        PLAIN.split(":61:", maxsplit=1)[0]
        + f":61:261122{mark}R1,00NTRFNONREF\n:62F:C261122AED{closing // 100},{closing % 100:02d}\n"
    )
    (entry,) = read_mt940_statements(text.encode(), name="x")[0].entries
    assert (entry.amount.amount_minor, entry.returned) == (minor, reversal)


def test_expected_entries_are_left_out():
    text = PLAIN.replace(":61:261122D100", ":61:261122EC7,00NTRFLATER\n:61:261122D100")
    *entries, summary = parts(text)
    assert len(entries) == 2
    assert summary.pending_count == 1


@pytest.mark.parametrize(
    ("value", "month_day", "booked"),
    [
        ("270101", "1231", date(2026, 12, 31)),
        ("261231", "0102", date(2027, 1, 2)),
        ("261122", "1121", date(2026, 11, 21)),
    ],
)
def test_hc25_the_booking_day_finds_its_year(value, month_day, booked):
    text = PLAIN.replace(":61:2611221122C", f":61:{value}{month_day}C")
    assert parts(text)[0].booked_on == booked


@pytest.mark.parametrize(
    ("narrative", "expected"),
    [
        (
            "166?00CREDIT?20EREF+RF18539007547034?21SVWZ+Fee 77 for lice?22nce?31AE080261001015500123401?32Ais?33ha",
            ("Fee 77 for licence", "RF18539007547034", "Aisha", "AE080261001015500123401", "NTRF+166"),
        ),
        (
            "/TRCD/00100/EREF/NOTPROVIDED/ORDP//NAME/Aisha/REMI/USTD//Fee 77",
            ("Fee 77", None, "Aisha", None, "NTRF+00100"),
        ),
        (
            "VIRTUAL ACCOUNT SUSPENSE / 9000123 AISHA / FEE 77",
            ("VIRTUAL ACCOUNT SUSPENSE / 9000123 AISHA / FEE 77", None, None, None, "NTRF"),
        ),
    ],
)
def test_the_free_text_tells_who_and_why(narrative, expected):
    text = PLAIN.split(":86:", maxsplit=1)[0] + f":86:{narrative}\n:62F:C261122AED1250,50\n"
    (entry,) = read_mt940_statements(text.encode(), name="x")[0].entries
    found = (entry.remittance, entry.end_to_end_id, entry.counterparty, entry.counterparty_iban, entry.code)
    assert found == expected


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((":62F:C261122AED1150,50", ":62F:C261122AED1150,51"), "the gap is 0.01"),
        ((":62F:C261122AED1150,50", ":62F:C261122USD1150,50"), "a balance in USD"),
        ((":62F:C261122AED1150,50\n", ""), "breaks off before its closing"),
        ((":64:C261122AED1150,50", ":61:261122C1,NTRFX"), "behind the closing balance"),
        ((":25:AE070331234567890123456\n", ""), "names no account"),
        ((":20:STARTUMS\n", ""), "before any :20:"),
        (("C250,50", "X250,50"), "is not an entry"),
        (("250,50", "250,505"), "more decimals"),
        (("2611221122C", "2613221122C"), "is not a date"),
        ((":60F:C", ":60F:?"), "is not a balance"),
        (("AED", "QQQ"), "not one Mizan books"),
        ((PLAIN, ""), "no field :20:"),
        ((PLAIN, "<html>\n" * 1001), "outside any field"),
        ((PLAIN, "<html>"), "no field :20:"),
        ((PLAIN, ":20:X\n"), "inside a header"),
        ((":28C:", ":86:" + "x\n" * 300 + ":28C:"), "more than 200 lines"),
        (("SETTLEMENT\n", "x" * 70_000 + "\n"), "a line is longer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hc21_what_does_not_stand_is_refused_with_its_line(change, word):
    with pytest.raises(FileRefusedError, match=word) as refused:
        parts(PLAIN.replace(*change, 1) if change[1:] != ("QQQ",) else PLAIN.replace(*change))
    assert refused.value.line or word in {"no field :20:", "the gap is 0.01"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ABNANL2A\n940\nABNANL2A\n", "-\n"),
        ("0000 01INGBNL2AXXXX00001\n0000 01INGBNL2AXXXX00001\n940 00\n", "-" + 3 * "X" + "\n"),
        (":940:\n", ""),
        ("\x01{1:F01BANKXXXX}{4:\n", "-}\x03\n"),
    ],
)
def test_a_banks_own_words_around_the_messages_do_not_matter(before, after):
    body = PLAIN.removesuffix("-\n")
    second = body.replace("00231", "00232").replace("1150,50", "1301,00").replace("1000,00", "1150,50")
    text = before + body + after + before + second + after
    assert [s.sequence for s in read_mt940_statements(text.encode(), name="x")] == [231, 232]


def test_a_time_broken_over_two_lines_stays_text():
    text = PLAIN.replace("NETWORK INTERNATIONAL", "PAID AT 10\n:26:58 SHARP")
    assert "10 :26:58 SHARP" in parts(text)[0].remittance


def test_hc25_the_thirtieth_of_february_is_its_last_day():
    text = PLAIN.replace(":61:2611221122C", ":61:260230C")
    assert parts(text)[0].value_on == date(2026, 2, 28)


def test_unknown_fields_and_odd_bytes_are_told():
    text = PLAIN.replace(":64:", ":99:ODD\n:64:").encode().replace(b"NETWORK", b"NETW\x92\x00RK")
    *_, summary = parts(text)
    assert summary.warnings == (
        "line 12: field :99: is not one of a statement; it is left out",
        "1 lines are not UTF-8; they were read as Windows-1252",
        "1 control characters were read as spaces",
    )


def test_utf_16_is_read():
    assert len(parts(PLAIN.encode("utf-16"))) == 3


@settings(max_examples=80, deadline=None)
@given(MOVES)
def test_an_independent_reader_reads_the_same(moves):
    closing = sum(amount if credit else -amount for amount, credit, _ in moves)
    lines = "".join(
        f":61:{day:%y%m%d%m%d}{'C' if credit else 'D'}{amount // 100},{amount % 100:02d}NTRFREF{n}//BANK{n}\n:86:t{n}\n"
        for n, (amount, credit, day) in enumerate(moves)
    )
    sign = "C" if closing >= 0 else "D"
    text = (
        f":20:X\n:25:AE070331234567890123456\n:28C:1/1\n:60F:C260301AED0,00\n{lines}"
        f":62F:{sign}260901AED{abs(closing) // 100},{abs(closing) % 100:02d}\n-\n"
    )
    (ours,) = read_mt940_statements(text.encode(), name="x")
    theirs = oracle.parse(text)
    assert [(e.amount.decimal(), e.value_on, e.booked_on, e.end_to_end_id, e.bank_reference) for e in ours.entries] == [
        (
            f"{t.data['amount'].amount:.2f}",
            t.data["date"],
            t.data["entry_date"],
            t.data["customer_reference"],
            t.data["bank_reference"],
        )
        for t in theirs
    ]


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data):
    with pytest.raises(FileRefusedError):
        parts(data)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_no_damage_crashes_the_reader(data):
    damaged = bytearray(PLAIN.encode())
    pieces = [
        b"",
        b":",
        b"\n",
        b":61:",
        b":86:",
        b":62F:",
        b"99999999",
        b"\x00",
        b"\xff",
        b"{4:",
        b"-",
        b"RC",
        b"\xd9\xa3",
    ]
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.sampled_from(pieces))
    try:
        found = parts(bytes(damaged))
    except FileRefusedError:
        return
    assert found[-1].opening is None or found[-1].proven
