"""The acquirer's CSV: what is read, what is listed, what is refused whole."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import LineKind
from adapters.errors import FileRefusedError
from adapters.formats.profiles import NGENIUS
from adapters.formats.settlement_profile import SettlementProfile
from adapters.ngenius.settlement import read_profile, read_settlement
from ledger.money import Money

OUTLET = "outlet-1"
HEADER = (
    "Outlet ID,Batch Reference,Transaction Type,Order Reference,Merchant Order Reference,Transaction Reference,"
    "Transaction Date,Posting Date,Card Scheme,Masked PAN,Auth Code,RRN,Currency,Gross Amount,MDR,VAT on MDR,"
    "Net Amount,Payout Date"
)
SALE = (
    "outlet-1,B1,SALE,order-1,pa_01,capture-1,22/11/2026 10:00:00,22/11/2026,VISA,411111******1111,831000,62380912,"
    "AED,125.50,1.51,0.08,123.91,23/11/2026"
)
REFUND = (
    "outlet-1,B1,REFUND,order-1,pa_01,refund-1,22/11/2026 23:59:59,22/11/2026,VISA,411111******1111,,,"
    "AED,-5.50,0,0,-5.50,23/11/2026"
)
TOTAL = "TOTAL,B1,2,,,,,22/11/2026,,,,,AED,120.00,1.51,0.08,118.41,23/11/2026"


def content(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def read(data: bytes, profile: SettlementProfile | None = None):
    return read_settlement("file.csv", data, outlet=OUTLET, profile=profile or NGENIUS)


def test_a_report_is_read_whole():
    file = read(content(HEADER, SALE, REFUND, TOTAL))
    assert (file.business_date, file.batch_reference, file.currency) == (date(2026, 11, 22), "B1", "AED")
    assert (file.total_net, file.expected_credit_date) == (Money(11_841, "AED"), date(2026, 11, 23))
    sale, refund = file.lines
    assert (sale.kind, sale.reference, sale.provider_reference) == (LineKind.PAYMENT, "pa_01", "order-1")
    assert (sale.gross, sale.fee, sale.fee_vat, sale.net) == tuple(
        Money(minor, "AED") for minor in (12_550, 151, 8, 12_391)
    )
    assert sale.transaction_at == datetime(2026, 11, 22, 6, 0, tzinfo=UTC)  # the report's times are Dubai's
    # A refund is named by the acquirer's id of it: our reference of the payment would be mistaken for the payment.
    assert (refund.kind, refund.reference, refund.provider_reference) == (LineKind.REFUND, None, "refund-1")
    assert refund.net == Money(-550, "AED")
    assert file.refused_lines == ()


@pytest.mark.parametrize("word", sorted(NGENIUS.kinds))
def test_every_known_type_has_its_kind_in_any_case(word):
    if NGENIUS.kinds[word] is LineKind.FEE:
        fee = "outlet-1,B1,FEE,,,f,,22/11/2026,,,,,AED,0,5.00,0,-5.00,"
        total = "TOTAL,B1,1,,,,,22/11/2026,,,,,AED,0,5.00,0,-5.00,"
        file = read(content(HEADER, fee, total))
    else:
        file = read(content(HEADER, SALE.replace("SALE", word.upper()), REFUND, TOTAL))
    assert file.lines[0].kind is NGENIUS.kinds[word]


def test_hc11_an_unknown_type_is_other_and_keeps_its_word():
    file = read(content(HEADER, SALE.replace("SALE", "LOYALTY CLAWBACK"), REFUND, TOTAL))
    assert (file.lines[0].kind, file.lines[0].raw_kind) == (LineKind.OTHER, "LOYALTY CLAWBACK")


@pytest.mark.parametrize(
    ("currency", "gross", "net", "minor"),
    [("KWD", "1234.567", "1234.567", 1_234_567), ("JPY", "700", "700", 700), ("AED", '"1,250.50"', "1250.50", 125_050)],
)
def test_hc15_amounts_keep_the_decimals_of_their_currency(currency, gross, net, minor):
    line = f"outlet-1,B1,SALE,o,pa,c,,22/11/2026,,,,,{currency},{gross},0,,{net},"
    total = f"TOTAL,B1,1,,,,,22/11/2026,,,,,{currency},{gross},0,0,{net},"
    assert read(content(HEADER, line, total)).lines[0].gross == Money(minor, currency)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("1.51,0.08,123.91|1.52,0.08,123.91", "is not gross"),
        ("125.50|125.505", "more decimals"),
        ("125.50|twelve", "is not an amount"),
        ("AED|ZZZ", "not one Mizan books"),
        ("22/11/2026 10:00:00|2026-11-22", "is not a time"),
        ("outlet-1|outlet-2", "another account"),
        (",23/11/2026|,23/11/2026,more", "cells"),
    ],
)
def test_hc21_a_bad_line_is_listed_and_the_others_stand(change, reason):
    old, new = change.split("|")
    file = read(content(HEADER, SALE.replace(old, new, 1), REFUND, TOTAL))
    assert [line.kind for line in file.lines] == [LineKind.REFUND]
    ((number, said),) = file.refused_lines
    assert number == 2
    assert reason in said


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty|no row"),
        (content(HEADER), "cut off"),
        (content(HEADER, SALE, REFUND), "cut off"),
        (content(HEADER, SALE, TOTAL), "count 2 lines"),
        (content(HEADER, SALE, SALE, TOTAL), "the totals say"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("118.41", "118.42")), "totals cannot be read: net"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("120.00", "121.00")), "totals cannot be read: net"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("120.00,1.51,0.08", "120.08,1.51,0.16")), "gross: the totals"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("1.51,0.08", "1.50,0.09")), "fees: the totals"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("AED", "USD")), "totals in USD"),
        (content(HEADER, SALE, REFUND, TOTAL, SALE), "lines follow"),
        (content(HEADER, SALE, REFUND, TOTAL.replace("TOTAL,B1,2", "outlet-2,B1,TOTAL")), "another account"),
        (content(HEADER, SALE, REFUND, "TOTAL"), "totals"),
        (content(HEADER.replace("Gross Amount", "Gross")), "'Gross Amount' is missing"),
        (content(HEADER.replace("Outlet ID", "Shop")), "'Outlet ID' is missing"),
        (content(HEADER, SALE.replace("VISA", '"VISA'), REFUND, TOTAL), "breaks|totals is missing"),
    ],
)
def test_hc21_hc22_what_cannot_be_trusted_is_refused_whole(data, reason):
    with pytest.raises(FileRefusedError, match=reason):
        read(data)


def test_a_byte_order_mark_and_blank_lines_do_not_matter():
    file = read(b"\xef\xbb\xbf" + content(HEADER, "", SALE, "", REFUND, TOTAL, "", ""))
    assert len(file.lines) == 2


def test_columns_may_stand_in_any_order_and_under_any_title():
    order = [3, 0, 2, 1, *range(4, 18)]
    shuffled = [",".join(line.split(",")[place] for place in order) for line in (HEADER, SALE, REFUND)]
    total = ",".join(["TOTAL", "", "2", "B1", *TOTAL.split(",")[4:]])
    assert read(content(*shuffled, total)).total_net == Money(11_841, "AED")
    profile = read_profile('{"columns": {"gross": ["Amount"]}, "delimiter": ";"}')
    assert (profile.columns.gross, profile.columns.net) == (("Amount",), ("Net Amount",))
    renamed = [line.replace("Gross Amount", "Amount").replace(",", ";") for line in (HEADER, SALE, REFUND, TOTAL)]
    assert read(content(*renamed), profile).total_net == Money(11_841, "AED")


@given(st.binary(max_size=2000))
def test_no_bytes_crash_the_reader(data):
    try:
        read(data)
    except FileRefusedError:
        return


@given(st.lists(st.tuples(st.integers(0, 17), st.text(max_size=20)), max_size=8), st.integers(0, 400))
def test_no_damaged_report_crashes_the_reader(changes, cut):
    """Change cells anywhere and cut the end: the report is refused, lines are listed, or it still proves."""
    rows = [line.split(",") for line in (HEADER, SALE, REFUND, TOTAL)]
    for number, (place, text) in enumerate(changes):
        rows[number % 4][place] = text
    data = "\r\n".join(",".join(row) for row in rows).encode("utf-8", "replace")
    try:
        file = read(data[: len(data) - cut] if cut else data)
    except FileRefusedError:
        return
    if not file.refused_lines:
        assert sum(line.net.amount_minor for line in file.lines) == file.total_net.amount_minor
