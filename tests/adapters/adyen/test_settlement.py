"""The Settlement Details Report: what is read, what is listed, what is refused whole."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.adyen.settlement import KINDS, read_settlement
from adapters.contract import LineKind
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import read_settlement as read_by_profile
from adapters.formats.profiles import ADYEN
from ledger.money import Money

HEADER = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,"
    "Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),Interchange (NC),"
    "Payment Method Variant,Modification Merchant Reference,Batch Number,Reserved4"
)
SETTLED = (
    "C,Gov,PSP1,pa_01,visa,2026-11-21 23:59:59,PST,Settled,MOD1,AED,,125.50,1,AED,,123.50,1.00,0.50,0.25,0.25,visa,,2,"
)
REFUNDED = "C,Gov,PSP1,,visa,2026-11-22 10:00:00,GST,Refunded,MOD2,AED,5.50,,1,AED,5.50,,,,,,visa,re_01,2,"
FEE = "C,Gov,,,,2026-11-22 10:00:00,GST,Fee,Fee text,,,,,AED,3.00,,,,,,,,2,"
PAYOUT = "C,Gov,,,,2026-11-22 10:00:00,GST,MerchantPayout,TX1XT batch 2,,,,,AED,115.00,,,,,,,,2,"


def content(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def read(data: bytes):
    return read_settlement("file.csv", data, merchant_account="Gov", business_date=date(2026, 11, 22))


def test_a_report_is_read_whole():
    file = read(content(HEADER, SETTLED, REFUNDED, FEE, PAYOUT))
    assert (file.total_net, file.batch_reference, file.currency) == (Money(11_500, "AED"), "TX1XT batch 2", "AED")
    settled, refunded, fee = file.lines
    assert (settled.kind, settled.reference, settled.provider_reference) == (LineKind.PAYMENT, "pa_01", "PSP1")
    assert (settled.gross, settled.fee, settled.net) == tuple(Money(minor, "AED") for minor in (12_550, 200, 12_350))
    assert settled.transaction_at == datetime(2026, 11, 22, 7, 59, 59, tzinfo=UTC)  # PST is a text of its own column
    assert (refunded.kind, refunded.reference, refunded.provider_reference) == (LineKind.REFUND, "re_01", "MOD2")
    assert refunded.net == Money(-550, "AED")
    assert (fee.kind, fee.net, fee.gross) == (LineKind.FEE, Money(-300, "AED"), Money(-300, "AED"))


@pytest.mark.parametrize("word", sorted(set(KINDS) - {"MerchantPayout"}))
def test_every_known_type_has_its_kind(word):
    assert read(content(HEADER, SETTLED.replace("Settled", word), REFUNDED, FEE, PAYOUT)).lines[0].kind is KINDS[word]


JOURNAL = """\
settled,Settled,PSP1,pa_01,MOD1,,125.50,,123.50,2.00,payment
part of an instalment plan,SettledInstallment,PSP2,pa_02,MOD2,,50.00,,49.00,1.00,payment
refunded,Refunded,PSP1,pa_01,MOD3,5.50,,5.60,,0.10,refund
the refund came back,RefundedReversed,PSP1,pa_01,MOD3,,5.50,,5.50,,adjustment
disputed,Chargeback,PSP1,pa_01,MOD4,125.50,,133.00,,7.50,chargeback
dispute won,ChargebackReversed,PSP1,pa_01,MOD4,,125.50,,125.50,,chargeback_reversed
disputed again,SecondChargeback,PSP1,pa_01,MOD5,125.50,,125.50,,,chargeback
the month's fees,Fee,,,Transaction fees,,,3.00,,,fee
fees given back,Fee,,,Correction of fees,,,,1.00,,fee
invoice,InvoiceDeduction,,,INV1,,,10.00,,,fee
correction,DepositCorrection,,,DC1,,,,2.00,,adjustment
kept back,ReserveAdjustment,,,RA1,,,20.00,,,adjustment
let go,ReserveAdjustment,,,RA2,,,,4.00,,adjustment
carried from the last batch,Balancetransfer,,,BT1,,,,300.00,,adjustment
payout returned,BankInstructionReturned,,,BI1,,,,6.60,,adjustment
""".splitlines()


def journal() -> list[str]:
    """Write one line of each of the report's journal types, in the report's columns."""
    lines = []
    for told in JOURNAL:
        _, word, psp, ours, modification, debit, credit, net_debit, net_credit, fee, _ = told.split(",")
        lines.append(
            f"C,Gov,{psp},{ours},visa,2026-11-21 10:00:00,GST,{word},{modification},{'AED' if psp else ''},{debit},"
            f"{credit},1,AED,{net_debit},{net_credit},{fee},,,,visa,{'re_01' if word == 'Refunded' else ''},2,"
        )
    return lines


def test_every_journal_type_counts_with_its_sign():
    nets = []
    for told in JOURNAL:
        *_, net_debit, net_credit, _, _ = told.split(",")
        nets.append(Money.parse(net_credit or "0", "AED") - Money.parse(net_debit or "0", "AED"))
    paid = sum((net.amount_minor for net in nets), 0)
    payout = PAYOUT.replace("115.00", Money(paid, "AED").decimal())
    data = content(HEADER, *journal(), payout)
    file = read(data)
    assert file.total_net == Money(paid, "AED")
    assert [line.net for line in file.lines] == nets
    assert [line.kind.value for line in file.lines] == [told.rpartition(",")[2] for told in JOURNAL]
    assert all(line.net == line.gross - line.fee for line in file.lines)
    disputed = file.lines[4]
    assert (disputed.gross, disputed.fee) == (Money(-12_550, "AED"), Money(750, "AED"))
    # `mizan settlement inspect` reads the same by the profile.
    shown = read_by_profile(data, ADYEN, name="x")
    assert [(line.kind, line.net) for line in shown.lines] == [(line.kind, line.net) for line in file.lines]
    assert shown.total_net == file.total_net
    with pytest.raises(FileRefusedError, match="sum to"):
        read(content(HEADER, *journal()[1:], payout))


def test_a_batch_that_owes_is_carried_and_pays_nothing():
    """No payout closes it: what it owes is carried to the next batch, and so it adds up to zero."""
    carried = "C,Gov,,,,2026-11-22 10:00:00,GST,Balancetransfer,BT,,,,,AED,,8.50,,,,,,,2,"
    file = read(content(HEADER, REFUNDED, FEE, carried))
    assert (file.total_net, file.batch_reference) == (Money(0, "AED"), "batch 2")
    assert [line.net.amount_minor for line in file.lines] == [-550, -300, 850]
    for broken in ((REFUNDED, carried), (REFUNDED, FEE, carried.replace(",,,2,", ",,,,"))):
        with pytest.raises(FileRefusedError, match=r"cut off|no batch"):
            read(content(HEADER, *broken))


def test_hc11_an_unknown_type_is_other_and_keeps_its_word():
    line = read(content(HEADER, SETTLED, REFUNDED, FEE.replace("Fee,", "Clawback,"), PAYOUT)).lines[2]
    assert (line.kind, line.raw_kind) == (LineKind.OTHER, "Clawback")


def test_columns_may_stand_in_any_order_and_new_ones_do_not_matter():
    order = [7, 1, 0, *range(2, 7), *range(8, 24)]
    shuffled = [
        ",".join([*(line.split(",")[place] for place in order), extra])
        for line, extra in ((HEADER, "ARN"), (SETTLED, "74"), (REFUNDED, ""), (FEE, ""), (PAYOUT, ""))
    ]
    assert read(content(*shuffled)).total_net == Money(11_500, "AED")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (",123.50,|,123.49,", "is not gross"),
        (",1,AED,|,1,USD,", "converted"),
        (",125.50,|,12x.50,", "decimal amount"),
        ("PST|Nowhere", "Nowhere"),
        ("2026-11-21|21/11/2026", "does not match"),
        ("C,Gov|C,Other", "another merchant account"),
    ],
)
def test_hc21_a_bad_line_is_listed_and_the_others_stand(change, reason):
    old, new = change.split("|")
    file = read(content(HEADER, SETTLED.replace(old, new, 1), REFUNDED, FEE, PAYOUT))
    ((number, said),) = file.refused_lines
    assert (number, len(file.lines)) == (2, 2)
    assert reason in said


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (content(HEADER), "cut off"),
        (content(HEADER, SETTLED, REFUNDED, FEE), "cut off"),
        (content(HEADER, SETTLED, REFUNDED, PAYOUT), "sum to"),
        (content(HEADER, SETTLED, SETTLED, REFUNDED, FEE, PAYOUT), "sum to"),
        (content(HEADER, SETTLED, REFUNDED, FEE, PAYOUT.replace("115.00", "115.01")), "sum to"),
        (content(HEADER, SETTLED, REFUNDED, FEE, PAYOUT, PAYOUT), "second payout"),
        (content(HEADER, SETTLED, REFUNDED, FEE, PAYOUT.replace("TX1XT batch 2", "")), "no batch"),
        (content(HEADER, SETTLED, REFUNDED, FEE, PAYOUT.replace("AED", "USD")), "in a report in USD"),
        (content(HEADER.replace("Type", "Kind"), SETTLED), "missing: Type"),
        (content(HEADER.replace("Reserved4", "Type"), SETTLED), "twice"),
        (content(HEADER, SETTLED + "more,", PAYOUT), "cells"),
        (content(HEADER, SETTLED).replace(b"visa", b"\0isa"), "NUL"),
        (content(HEADER, SETTLED).replace(b"visa", b"\xff\xfe"), "not UTF-8"),
        (content(HEADER, SETTLED.replace("pa_01", "x" * 3000), PAYOUT), "longer than"),
    ],
)
def test_hc21_hc22_what_cannot_be_trusted_is_refused_whole(data, reason):
    with pytest.raises(FileRefusedError, match=reason):
        read(data)


@given(st.binary(max_size=2000))
def test_no_bytes_crash_the_reader(data):
    with pytest.raises(FileRefusedError):
        read(data)


@given(st.lists(st.tuples(st.integers(0, 23), st.text(max_size=20)), max_size=8), st.integers(0, 300))
def test_no_damaged_report_crashes_the_reader(changes, cut):
    rows = [line.split(",") for line in (HEADER, SETTLED, REFUNDED, FEE, PAYOUT)]
    for number, (place, text) in enumerate(changes):
        rows[number % 5][place] = text
    data = "\n".join(",".join(row) for row in rows).encode("utf-8", "replace")
    try:
        file = read(data[: len(data) - cut] if cut else data)
    except FileRefusedError:
        return
    if not file.refused_lines:
        assert sum(line.net.amount_minor for line in file.lines) == file.total_net.amount_minor
