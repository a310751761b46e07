"""The shells a settlement file comes in, the ways amounts and times are written, and bytes that mean harm."""

import gzip
import io
import json
import zipfile
from datetime import UTC, date, datetime

import pytest
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import LineKind
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import SettlementSummary, read_settlement, stream_settlement
from adapters.formats.excel_rows import excel_rows
from adapters.formats.profiles import GENERIC, NGENIUS, PAYPAL, PROFILES
from adapters.formats.settlement_profile import ProfileError, read_profile
from adapters.formats.settlement_values import Amounts, Times
from ledger.money import EXPONENTS, Money

TEXT = "Kind,Reference,Currency,Gross,Fee,Net,Transaction at\nSale,pa_1,AED,10.00,0.25,9.75,2026-11-21 10:00:00\n"


def read(data: bytes, profile=GENERIC):
    return read_settlement(data, profile, name="x.csv")


def profile_with(**changes):
    base = json.loads('{"name":"own","provider":"own","currency":"AED","kinds":{"sale":"payment","refund":"refund"}}')
    columns = {"kind": ["kind"], "gross": ["gross"], "fees": [["fee"]], "transaction_at": ["at"]}
    return read_profile(json.dumps({**base, "columns": columns | changes.pop("columns", {}), **changes}))


def test_gzip_is_unpacked():
    assert read(gzip.compress(TEXT.encode())).lines == read(TEXT.encode()).lines


def test_hc22_a_gzip_that_unfolds_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("adapters.formats.packed.GZIP_UNPACKED_BYTES_MAX", 1 << 20)
    with pytest.raises(FileRefusedError, match="unpacks to more than"):
        read(gzip.compress(TEXT.encode() + b"\n" * (4 << 20)))


@pytest.mark.parametrize("end", [20, 60, -1, -9])
def test_hc21_a_gzip_cut_off_is_refused(end):
    with pytest.raises(FileRefusedError, match="cannot be unpacked"):
        read(gzip.compress(TEXT.encode() * 3)[:end])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_hc22_encodings_line_ends_and_delimiters(encoding, end, delimiter):
    text = TEXT.replace(",", delimiter).replace("\n", end).replace("pa_1", "دائرة")
    assert read(text.encode(encoding)).lines[0].reference == "دائرة"


def test_hc22_odd_bytes_are_told():
    *_, summary = stream_settlement(io.BytesIO(TEXT.encode().replace(b"pa_1", b"p\x92a\x00")), GENERIC)
    assert isinstance(summary, SettlementSummary)
    assert summary.warnings == (
        "1 bytes are not utf-8; they were read as Windows-1252",
        "1 control characters were read as spaces",
    )


def test_hc22_formula_cells_stay_text():
    file = read(TEXT.replace("pa_1", '"=HYPERLINK(""http://x"")"').encode())
    assert file.lines[0].reference == '=HYPERLINK("http://x")'


EXCEL_OPTIONS = {
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def workbook(*rows: list[object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, EXCEL_OPTIONS) as book:
        sheet = book.add_worksheet("Report")
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                sheet.write(number + 2, place, value)
    return out.getvalue()


def test_excel_keeps_numbers_and_dates_exact():
    rows = [
        ["Kind", "Reference", "Currency", "Gross", "Fee", "Net", "Transaction at"],
        ["Sale", 123456789012, "AED", 0.1 + 0.2, 0.1, 0.2, datetime(2026, 11, 21, 10)],  # noqa: DTZ001 - Excel has no zones
        ["Sale", "pa_2", "AED", 12345678.3, 0, 12345678.3, datetime(2026, 11, 21, 11)],  # noqa: DTZ001
    ]
    file = read(workbook(*rows))
    assert [(line.number, line.reference, line.gross.amount_minor) for line in file.lines] == [
        (4, "123456789012", 30), (5, "pa_2", 1_234_567_830),
    ]  # fmt: skip
    assert file.lines[0].transaction_at == datetime(2026, 11, 21, 6, tzinfo=UTC)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hc22_no_damage_to_an_excel_file_crashes_the_reader(data):
    damaged = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(damaged[: data.draw(st.sampled_from([len(damaged), len(damaged) // 2]))]))
    except FileRefusedError:
        return


def repacked(**members: tuple[bytes, bytes]) -> bytes:
    """Give the example workbook with bytes of some members replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            name = member.filename.rpartition("/")[2].partition(".")[0]
            content = old.read(member)
            new.writestr(member, content.replace(*members[name], 1) if name in members else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"sheet1": (b'r="A4"', b'r="XFD4"')}, "more than 2000 columns"),
        ({"sheet1": (b"<v>10.5</v>", b"<v>ten</v>")}, "cannot be read"),
        ({"sheet1": (b"<v>5</v>", b"<v>999</v>")}, "cannot be read"),
        ({"sheet1": (b"<worksheet", b"<!DOCTYPE x><worksheet")}, "DOCTYPE"),
        ({"workbook": (b"<sheet ", b"<nothing ")}, "no sheet"),
    ],
    ids=str,
)
def test_hc22_a_forged_excel_file_is_refused_and_takes_no_memory(members, word):
    with pytest.raises(FileRefusedError, match=word):
        read(repacked(**members))


def test_hc22_a_forged_size_is_not_believed():
    """An address in the last row once made a reader ask for 120 gigabytes."""
    assert read(repacked(sheet1=(b'r="4"', b'r="1048576"'))).lines[0].gross == Money(1050, "AED")
    assert read(repacked(sheet1=(b'<dimension ref="A3:E4"/>', b'<dimension ref="A1:XFD1048576"/>'))).lines


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20),
            st.floats(-1e9, 1e9).map(lambda value: round(value, 2)),
            st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
        ),
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_an_independent_reader_of_excel_reads_the_same(rows):
    data = workbook(["name", "amount", "at"], *[list(row) for row in rows])
    ours = [cells for _, cells in excel_rows(io.BytesIO(data), "")]
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    theirs = [row for row in sheet.to_python() if any(cell != "" for cell in row)]
    assert len(ours) == len(theirs) == len(rows) + 1
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        assert mine[0] == str(other[0])
        assert float(mine[1]) == float(other[1])
        midnight = other[2] if isinstance(other[2], datetime) else datetime.combine(other[2], datetime.min.time())
        assert datetime.fromisoformat(mine[2]) == midnight


def test_hc22_an_excel_file_that_unfolds_is_refused(monkeypatch):
    monkeypatch.setattr("adapters.formats.excel_rows.EXCEL_UNPACKED_BYTES_MAX", 1000)
    with pytest.raises(FileRefusedError, match="unpacks to more than"):
        read(WORKBOOK)


WORKBOOK = workbook(["Kind", "Reference", "Currency", "Gross", "Date"], ["Sale", "pa_1", "AED", 10.5, "2026-11-22"])


def test_rows_as_xml_elements():
    profile = profile_with(row_element="Row", columns={"reference": ["ref"]})
    text = (
        '<Report><Row kind="Sale"><ref>pa_1</ref><gross>10.00</gross><fee>1.00</fee><at>2026-11-21</at></Row></Report>'
    )
    assert [(line.kind, line.reference, line.net) for line in read(text.encode(), profile).lines] == [
        (LineKind.PAYMENT, "pa_1", Money(900, "AED"))
    ]
    with pytest.raises(FileRefusedError, match="DOCTYPE"):
        read(b"<!DOCTYPE x>" + text.encode(), profile)


@pytest.mark.parametrize(
    ("text", "currency", "mark", "minor"),
    [
        ("1234.56", "AED", ".", 123_456), ("1,234.56", "AED", ".", 123_456), ("1.234,56", "AED", ",", 123_456),
        ("-5.00", "AED", ".", -500), ("5.00-", "AED", ".", -500), ("(5.00)", "AED", ".", -500),
        ("\u22125.00", "AED", ".", -500), ("1'234.50", "AED", ".", 123_450), ("1 234.50", "AED", ".", 123_450),
        ("5", "AED", ".", 500), ("5.5", "AED", ".", 550), (".5", "AED", ".", 50), ("5.", "AED", ".", 500),
        ("1.2340", "KWD", ".", 1234), ("700", "JPY", ".", 700), ("700.", "JPY", ".", 700), ("700.00", "JPY", ".", 700),
        ("", "AED", ".", 0), (" ", "AED", ".", 0), ("-", "AED", ".", 0), ("12,34,567.00", "INR", ".", 123_456_700),
        ("+3.10", "AED", ".", 310),
    ],
)  # fmt: skip
def test_hc15_amounts_as_files_write_them(text, currency, mark, minor):
    assert Amounts(currency, minor_units=False, decimal_mark=mark).minor(text) == minor


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1.2.3",
        "1,2345.00",
        "abc",
        "1e5",
        "NaN",
        "0x1",
        "--5",
        "5.001",
        ".700.",
        "²",
        "٣.٠٠٠",
        "٣.٠٠",
        "9" * 19 + ".00",
    ],
)
def test_what_could_be_two_amounts_is_none(text):
    with pytest.raises(ValueError, match=r"amount|decimals"):
        Amounts("AED", minor_units=False, decimal_mark=".").minor(text)


def test_minor_units_are_never_scaled():
    amounts = Amounts("AED", minor_units=True, decimal_mark=".")
    assert (amounts.minor("12345"), amounts.minor("12345.0")) == (12_345, 12_345)
    with pytest.raises(ValueError, match="decimals"):
        amounts.minor("123.45")


@given(st.sampled_from(sorted(EXPONENTS)), st.integers(-(10**14), 10**14))
def test_any_amount_survives_its_writing(currency, minor):
    amounts = Amounts(currency, minor_units=False, decimal_mark=".")
    assert amounts.minor(Money(minor, currency).decimal()) == minor
    grouped = str(Money(minor, currency)).removeprefix(f"{currency} ")
    assert amounts.minor(grouped) == minor


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-21 10:00:00", "", datetime(2026, 11, 21, 6, tzinfo=UTC)),
        ("2026-11-21 10:59:59", "", datetime(2026, 11, 21, 6, 59, 59, tzinfo=UTC)),
        ("2026-11-21 10:00:00", "PST", datetime(2026, 11, 21, 18, tzinfo=UTC)),
        ("2026-07-21 10:00:00", "PST", datetime(2026, 7, 21, 17, tzinfo=UTC)),
        ("2026-11-21 10:00:00", "Europe/Paris", datetime(2026, 11, 21, 9, tzinfo=UTC)),
        ("2026-11-21T10:00:00+05:30", "", datetime(2026, 11, 21, 4, 30, tzinfo=UTC)),
        (" 2026-11-21 10:00:00 ", "", datetime(2026, 11, 21, 6, tzinfo=UTC)),
        ("21/11/2026 10:00:00", "", datetime(2026, 11, 21, 6, tzinfo=UTC)),
        ("21 Nov 2026", "", date(2026, 11, 21)),
        ("2026-11-21", "", date(2026, 11, 21)),
        ("", "", None),
    ],
)
def test_times_find_their_zone(text, zone, expected):
    formats = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S", "%d %b %Y")
    times = Times(formats, "Asia/Dubai", {"PST": "America/Los_Angeles"})
    assert [times.read(text, zone) for _ in range(2)] == [expected] * 2


def test_hc25_the_hour_that_comes_twice_and_the_one_that_never_comes():
    times = Times(("%Y-%m-%d %H:%M:%S",), "Europe/Paris", {})
    read_all = [times.read(f"2026-10-25 0{hour}:30:00") for hour in (1, 2, 3)]
    assert [instant.hour for instant in read_all] == [23, 0, 2]
    assert times.read("2026-03-29 02:30:00") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01 00:00:00", "2026-11-21 25:00:00", "2026-11-21 10:00"])
def test_what_is_no_time_says_so(text):
    times = Times(("%Y-%m-%d %H:%M:%S", "%Y-%m-%d"), "Asia/Dubai", {})
    times.read("2026-11-21 10:00:00")
    if text == "2026-11-21 10:00":
        assert times.read(text) == datetime(2026, 11, 21, 6, tzinfo=UTC)
        return
    with pytest.raises(ValueError, match="is not a time"):
        times.read(text)


def test_signs_by_kind_turn_refunds():
    profile = profile_with(sign="by_kind")
    text = "kind,gross,fee,at\nsale,10.00,0.10,2026-11-21\nrefund,4.00,0,2026-11-21\n"
    assert [line.gross.amount_minor for line in read(text.encode(), profile).lines] == [1000, -400]


def test_fees_written_negative_are_kept_positive():
    text = "kind,gross,fee,at\nsale,10.00,-0.10,2026-11-21\n"
    line = read(text.encode(), profile_with(fee_positive=False)).lines[0]
    assert (line.fee.amount_minor, line.net.amount_minor) == (10, 990)


@pytest.mark.parametrize(
    "change",
    [
        {"zone": "Mars/Phobos"}, {"delimiter": ",,"}, {"decimal_mark": ";"}, {"colour": "red"}, {"currency": ""},
        {"columns": {"gross": []}}, {"derive_gross": True, "columns": {"gross": []}}, {"kinds": {"sale": "gift"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_profile_that_cannot_be_meant_is_refused(change):
    with pytest.raises(ProfileError):
        profile_with(**change)
    with pytest.raises(ProfileError):
        read_profile("{" * 10)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(PROFILES)))
def test_no_bytes_crash_the_readers(data, name):
    with pytest.raises(FileRefusedError):
        read(data, PROFILES[name])
    with pytest.raises(FileRefusedError):
        read(b"PK\x03\x04" + data, PROFILES[name])
    with pytest.raises(FileRefusedError):
        read(b"\x1f\x8b" + data, PROFILES[name])


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_damage_crashes_the_reader(data):
    text, profile = data.draw(st.sampled_from([(TEXT, GENERIC), (TEXT, NGENIUS), (TEXT, PAYPAL)]))
    damaged = bytearray(text.encode() * 2)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(
            st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"-", b"9" * 20, b"\x00", b"\xff", b"(", b"e5"])
        )
        damaged[at : at + data.draw(st.integers(0, 9))] = piece
    try:
        file = read(bytes(damaged), profile)
    except FileRefusedError:
        return
    assert sum(line.net.amount_minor for line in file.lines) == file.total_net.amount_minor
