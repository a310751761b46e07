"""Each built-in layout on a file as its provider writes it."""

from datetime import UTC, date, datetime

import pytest

from adapters.contract import LineKind, SettlementLine
from adapters.errors import FileRefusedError
from adapters.formats.csv_profile import read_settlement, read_settlements
from adapters.formats.profiles import ADYEN, CHECKOUT, GENERIC, NGENIUS, PAYPAL, PROFILES, STRIPE, guess_profile
from ledger.money import Money

ADYEN_HEADER = (
    "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,"
    "Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,"
    "Net Currency,Net Debit (NC),Net Credit (NC),Commission (NC),Markup (NC),Scheme Fees (NC),"
    "Interchange (NC),Payment Method Variant,Modification Merchant Reference,Batch Number,Reserved4"
)
ADYEN_FILE = f"""{ADYEN_HEADER}
C,M,88A,pa_1,visa,2026-11-21 10:00:00,PST,Settled,88CAP,AED,,100.00,1,AED,,97.50,0.50,,1.00,1.00,visacredit,,231,
C,M,88A,pa_1,visa,2026-11-21 12:00:00,PST,Refunded,88REF,AED,40.00,,1,AED,40.10,,0.10,,,,visacredit,re_1,231,
C,M,,,,2026-11-22 01:00:00,PST,Fee,Transaction Fees November,,,,,AED,7.40,,,,,,,,231,
C,M,,,,2026-11-22 02:00:00,PST,MerchantPayout,"TX1 batch 231, M",,,,,AED,50.00,,,,,,,,231,
"""


def fils(line: SettlementLine) -> tuple[int, ...]:
    return tuple(m.amount_minor for m in (line.gross, line.fee, line.fee_vat, line.net))


def test_adyen_settlement_details():
    file = read_settlement(ADYEN_FILE.encode(), ADYEN, name="settlement_detail_report_batch_231.csv")
    assert (file.batch_reference, file.currency, file.total_net) == ("231", "AED", Money(5000, "AED"))
    paid, refunded, fee = file.lines
    assert (paid.kind, paid.reference, paid.provider_reference, fils(paid)) == (
        LineKind.PAYMENT, "pa_1", "88A", (10_000, 250, 0, 9_750),
    )  # fmt: skip
    assert (refunded.kind, refunded.reference, refunded.provider_reference, fils(refunded)) == (
        LineKind.REFUND, "re_1", "88REF", (-4_000, 10, 0, -4_010),
    )  # fmt: skip
    assert (fee.kind, fils(fee)) == (LineKind.FEE, (0, 740, 0, -740))
    # Ten in the morning in Los Angeles is ten in the evening in Dubai, and noon there is the next day here.
    assert paid.transaction_at == datetime(2026, 11, 21, 18, tzinfo=UTC)
    assert file.business_date == date(2026, 11, 22)
    assert file.expected_credit_date == date(2026, 11, 22)


def test_hc23_a_payout_that_is_not_its_lines_is_refused_beyond_rounding():
    near = ADYEN_FILE.replace("AED,50.00", "AED,50.01")
    assert read_settlement(near.encode(), ADYEN, name="x").total_net == Money(5001, "AED")
    with pytest.raises(FileRefusedError, match=r"states a total of AED 50\.02, its lines sum to AED 50\.00"):
        read_settlement(ADYEN_FILE.replace("AED,50.00", "AED,50.02").encode(), ADYEN, name="x")


def test_checkout_leaves_the_fee_between_gross_and_net():
    text = (
        "Client Entity ID,Type,Payment ID,Action ID,Reference,Processed On,Holding Currency,Payout ID,"
        "Gross In Holding Currency,Deduction In Holding Currency,Net In Holding Currency\n"
        "e,Capture,pay_1,act_1,pa_1,2026-11-21T09:00:00,AED,PO1,100.00,-2.50,97.50\n"
        "e,Refund,pay_1,act_2,re_1,2026-11-21T10:00:00,AED,PO1,-18.00,0.00,-18.00\n"
        "e,Mystery,pay_1,act_3,,2026-11-21T10:00:00,AED,PO1,0.00,0.00,0.00\n"
        "e,Charge,pay_2,act_4,pa_2,2026-11-21T10:00:00.000,AED,PO1,0,-0.25,-0.25\n"
        "e,Merchant Payout,,,,2026-11-21T10:00:00.000,AED,PO1,0,-2,-2\n"
        "e,Charge,pay_3,act_5,pa_3,2026-11-21T10:00:00.000,AED,PO1,10,-0.145,9.855\n"
    )
    file = read_settlement(text.encode(), CHECKOUT, name="x")
    assert [(line.kind, line.provider_reference, fils(line)) for line in file.lines] == [
        (LineKind.PAYMENT, "pay_1", (10_000, 250, 0, 9_750)),
        (LineKind.REFUND, "act_2", (-1_800, 0, 0, -1_800)),
        (LineKind.OTHER, "pay_1", (0, 0, 0, 0)),
        (LineKind.FEE, "pay_2", (0, 25, 0, -25)),
        (LineKind.FEE, None, (0, 200, 0, -200)),
        (LineKind.PAYMENT, "pay_3", (1_000, 14, 0, 986)),
    ]
    assert file.lines[2].raw_kind == "Mystery"
    assert file.total_net == Money(8_711, "AED")


def test_stripe_splits_a_file_into_its_payouts():
    text = (
        "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id,"
        "automatic_payout_id,automatic_payout_effective_at_utc,payment_metadata[reference]\n"
        "txn_1,2026-11-20 08:00:00,aed,100.00,3.90,96.10,charge,ch_1,pi_1,po_1,2026-11-23 00:00:00,pa_1\n"
        "txn_2,2026-11-20 09:00:00,aed,-20.00,0.00,-20.00,refund,re_9,pi_1,po_1,2026-11-23 00:00:00,\n"
        "txn_3,2026-11-21 08:00:00,aed,50.00,2.00,48.00,charge,ch_2,pi_2,po_2,2026-11-24 00:00:00,pa_2\n"
        "txn_4,2026-11-21 09:00:00,aed,-1.00,0.00,-1.00,fee,fee_1,,po_2,2026-11-24 00:00:00,\n"
    )
    first, second = read_settlements(text.encode(), STRIPE, name="x")
    assert (first.batch_reference, first.total_net, first.expected_credit_date) == (
        "po_1", Money(7_610, "AED"), date(2026, 11, 23),
    )  # fmt: skip
    assert [line.provider_reference for line in first.lines] == ["pi_1", "re_9"]
    assert (second.total_net, fils(second.lines[1])) == (Money(4_700, "AED"), (0, 100, 0, -100))
    with pytest.raises(FileRefusedError, match="2 batches where one is expected"):
        read_settlement(text.encode(), STRIPE, name="x")


PAYPAL_FILE = """\
"RH","2026/11/22 00:00:00 -0800","A","X","009"
"FH",1
"SH","2026/11/21 00:00:00 -0800","2026/11/21 23:59:59 -0800","ACC",""
"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type","Transaction Event Code",\
"Transaction Initiation Date","Transaction Completion Date","Transaction  Debit or Credit",\
"Gross Transaction Amount","Gross Transaction Currency","Fee Debit or Credit","Fee Amount","Fee Currency"
"SB","T1","pa_1","","","T0006","2026/11/21 07:41:18 -0800","2026/11/21 07:41:18 -0800","CR",10000,"USD","DR",420,"USD"
"SB","T2","re_1","T1","TXN","T1107","","2026/11/21 08:41:18 -0800","DR",2500,"USD","CR",105,"USD"
"SF","USD",10000,2500
"SC",2
"RF","USD"
"RC",2
"FF",2
"""


def test_a_withdrawal_from_paypal_is_a_line_and_no_total():
    row = '"SB","T3","","","","T0400","","2026/11/21 09:00:00 -0800","DR",100,"USD","","",""\n"SF"'
    file = read_settlement(PAYPAL_FILE.replace('"SF"', row, 1).replace('"SC",2', '"SC",3').encode(), PAYPAL, name="x")
    assert [line.kind for line in file.lines] == [LineKind.PAYMENT, LineKind.REFUND, LineKind.PAYOUT]
    assert file.total_net == Money(7_085, "USD")


def test_hc11_a_payment_that_takes_money_away_is_for_people_to_look_at():
    text = PAYPAL_FILE.replace('"T1107"', '"T0006"')
    assert [line.kind for line in read_settlement(text.encode(), PAYPAL, name="x").lines] == [
        LineKind.PAYMENT, LineKind.OTHER,
    ]  # fmt: skip


def test_paypal_frames_its_rows_and_counts_them():
    file = read_settlement(PAYPAL_FILE.encode(), PAYPAL, name="STL-20261121.R.01.009.CSV")
    assert [(line.kind, line.reference, line.provider_reference, fils(line)) for line in file.lines] == [
        (LineKind.PAYMENT, "pa_1", "T1", (10_000, 420, 0, 9_580)),
        (LineKind.REFUND, "re_1", "T2", (-2_500, -105, 0, -2_395)),
    ]
    assert file.lines[0].transaction_at == datetime(2026, 11, 21, 15, 41, 18, tzinfo=UTC)
    assert file.batch_reference == "STL-20261121"
    with pytest.raises(FileRefusedError, match="counts 3 rows and holds 2"):
        read_settlement(PAYPAL_FILE.replace('"SC",2', '"SC",3').encode(), PAYPAL, name="x")
    strange = read_settlement(PAYPAL_FILE.replace('"SF"', '"QQ"').encode(), PAYPAL, name="x")
    assert strange.refused_lines == ((7, "a row of kind 'QQ' is not known"),)


NGENIUS_FILE = """\
Outlet ID,Batch Reference,Transaction Type,Order Reference,Merchant Order Reference,Transaction Reference,\
Transaction Date,Posting Date,Currency,Gross Amount,MDR,VAT on MDR,Net Amount,Payout Date
o1,B1,SALE,ord-1,pa_1,t1,21/11/2026 23:30:00,22/11/2026,AED,"1,000.00",10.00,0.50,989.50,23/11/2026
o1,B1,REFUND,ord-1,pa_1,t2,21/11/2026 23:40:00,22/11/2026,AED,-100.00,0.00,0.00,-100.00,23/11/2026
TOTAL,B1,2,,,,,22/11/2026,AED,900.00,10.00,0.50,889.50,23/11/2026
"""


def test_ngenius_is_closed_by_totals():
    file = read_settlement(NGENIUS_FILE.encode(), NGENIUS, name="x")
    assert [(line.kind, line.reference, line.provider_reference, fils(line)) for line in file.lines] == [
        (LineKind.PAYMENT, "pa_1", "ord-1", (100_000, 1_000, 50, 98_950)),
        (LineKind.REFUND, None, "t2", (-10_000, 0, 0, -10_000)),
    ]
    assert (file.total_net, file.business_date, file.expected_credit_date) == (
        Money(88_950, "AED"), date(2026, 11, 22), date(2026, 11, 23),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("900.00,10.00,0.50,889.50", "900.01,10.00,0.50,889.51"), "the totals say|states a total"),
        (("900.00,10.00,0.50,889.50", "900.00,10.00,0.50,889.51"), "net 88951 is not gross 90000"),
        (("TOTAL,B1,2", "TOTAL,B1,3"), "count 3 lines, the file has 2"),
        ((NGENIUS_FILE[NGENIUS_FILE.index("TOTAL") :], ""), "totals is missing"),
        (("TOTAL,B1,2,,,,,22/11/2026,AED,900.00", "TOTAL,B1,2,,,,,22/11/2026,USD,900.00"), "totals in USD"),
        (("TOTAL,B1,2,,,,,22/11/2026,AED,900.00", "TOTAL,B1,2,,,,,22/11/2026,AED,nine"), "totals cannot be read"),
        (("TOTAL", NGENIUS_FILE[NGENIUS_FILE.index("TOTAL") :] + "TOTAL"), "second row of totals"),
        (("Gross Amount", "Brutto"), "column 'Gross Amount' is missing"),
        (("Transaction Type", "Art"), "no row of the first 4 has the column"),
        (('AED,"1,000', 'AED,"1,000.00" x"'), "the table breaks"),
        ((NGENIUS_FILE, ""), "the file is empty"),
        ((NGENIUS_FILE, NGENIUS_FILE.split("\n", maxsplit=1)[0] + "\n"), "totals is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hc21_a_file_that_contradicts_itself_is_refused(change, word):
    with pytest.raises(FileRefusedError, match=word):
        read_settlement(NGENIUS_FILE.replace(*change).encode(), NGENIUS, name="x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((",10.00,0.50,989.50", ",10.00,0.50,989.51"), "net 98951 is not gross 100000 less fee 1000 and VAT 50"),
        (('"1,000.00"', '"1,00"'), "'1,00' is not an amount"),
        (('"1,000.00"', "1000.005"), "more decimals"),
        (("21/11/2026 23:30:00", "31/11/2026 23:30:00"), "is not a time"),
        (('22/11/2026,AED,"1', '22/11/2026,QQQ,"1'), "not one Mizan books"),
        (("989.50,23/11/2026", "989.50,23/11/2026,extra"), "15 cells under a header of 14"),
        (("o1,B1,SALE,ord-1", "o1,B1,SALE," + "x" * 500), "references are longer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hc21_a_bad_line_is_listed_and_the_good_ones_load(change, reason):
    file = read_settlement(NGENIUS_FILE.replace(*change, 1).encode(), NGENIUS, name="x")
    ((number, text),) = file.refused_lines
    assert number == 2
    assert reason in text
    assert [line.provider_reference for line in file.lines] == ["t2"]


def test_generic_reads_what_a_person_would_make():
    text = "Some bank\n\nKind;Reference;Currency;Amount;Fee;Date\nSale;pa_1;aed;10.00;0.10;2026-11-21\n"
    file = read_settlement(text.encode(), GENERIC, name="in/may.csv")
    assert (file.batch_reference, file.total_net) == ("may", Money(990, "AED"))
    assert file.lines[0].transaction_at == date(2026, 11, 21)


def test_a_layout_is_recognised_by_its_header():
    files = {"adyen": ADYEN_FILE, "paypal": PAYPAL_FILE, "ngenius": NGENIUS_FILE}
    for name, text in files.items():
        assert guess_profile(text) is PROFILES[name]
    assert guess_profile("a,b,c") is None
