import dataclasses
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from schwifty import IBAN

from adapters.contract import PayoutFile, PayoutLine
from adapters.errors import RejectedError
from adapters.formats.pain001 import ChargeBearer, OrderProfile, Version, schema_of, write_payment_order
from ledger.money import Money

TREASURY = "AE070331234567890123456"
NS9 = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


def line(**changes) -> PayoutLine:
    given_line = PayoutLine(
        end_to_end_id="pl_01JD0000000000000000000001",
        creditor_name="Roads and Transport Authority",
        creditor_iban="AE460261001015500123401",
        creditor_bic="EBILAEAD",
        amount=Money(125_050, "AED"),
        remittance="Mizan payout 2026-11-22, 40 receipts",
    )
    return dataclasses.replace(given_line, **changes)


def payout(*lines: PayoutLine, **changes) -> PayoutFile:
    file = PayoutFile(
        message_id="po_01JD0000000000000000000001",
        created_at=datetime(2026, 11, 22, 20, 0, 5, 999, tzinfo=UTC),
        execution_date=date(2026, 11, 23),
        debtor_name="Government Treasury",
        debtor_iban=TREASURY,
        debtor_bic="BOMLAEAD",
        lines=lines or (line(creditor_iban=str(IBAN.generate("AE", "026", "1001015500123401"))),),
    )
    return dataclasses.replace(file, **changes)


def good_line(**changes) -> PayoutLine:
    return line(**{"creditor_iban": str(IBAN.generate("AE", "026", "1001015500123401")), **changes})


def test_one_order_reads_as_the_bank_expects():
    two = payout(good_line(), good_line(end_to_end_id="second", amount=Money(1, "AED"), creditor_bic=None))
    tree = etree.fromstring(write_payment_order(two))

    def values(path: str) -> list[str]:
        return [node.text for node in tree.iterfind(path, NS9)]

    assert values(".//p:GrpHdr/p:MsgId") == ["po-01JD0000000000000000000001"]
    assert values(".//p:GrpHdr/p:CreDtTm") == ["2026-11-22T20:00:05Z"]
    assert values(".//p:NbOfTxs") == ["2", "2"]
    assert values(".//p:CtrlSum") == ["1250.51", "1250.51"]
    assert values(".//p:ReqdExctnDt/p:Dt") == ["2026-11-23"]
    assert values(".//p:EndToEndId") == ["pl-01JD0000000000000000000001", "second"]
    assert values(".//p:InstdAmt") == ["1250.50", "0.01"]
    assert values(".//p:ChrgBr") == ["DEBT"]
    assert values(".//p:Purp/p:Prtry") == ["GOS", "GOS"]
    assert values(".//p:RgltryRptg/p:Dtls/p:Inf") == ["/BENEFRES/AE//GOS"] * 2
    assert values(".//p:CdtrAgt//p:BICFI") == ["EBILAEAD"]


def test_the_same_payout_is_the_same_bytes():
    assert write_payment_order(payout()) == write_payment_order(payout())


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("bearer", ChargeBearer)
def test_every_profile_stands_before_the_official_schema(version, bearer):
    profile = OrderProfile(version=version, charge_bearer=bearer, book_as_one_debit=True)
    document = etree.fromstring(write_payment_order(payout(debtor_bic=None), profile))
    schema_of(version).assertValid(document)
    assert f"<ChrgBr>{bearer}</ChrgBr>".encode() in etree.tostring(document)


def test_version_03_says_bic_and_a_bare_date():
    text = write_payment_order(payout(), OrderProfile(version=Version.V03)).decode()
    assert "<BIC>EBILAEAD</BIC>" in text
    assert "<ReqdExctnDt>2026-11-23</ReqdExctnDt>" in text


@pytest.mark.parametrize(("amount", "written"), [(Money(1_234_567, "KWD"), "1234.567"), (Money(700, "JPY"), "700")])
def test_hc15_amounts_keep_the_decimals_of_their_currency(amount, written):
    text = write_payment_order(payout(good_line(amount=amount))).decode()
    assert f'<InstdAmt Ccy="{amount.currency}">{written}</InstdAmt>' in text
    assert f"<CtrlSum>{written}</CtrlSum>" in text
    assert "/ORDERRES/AE//GOS" in text


@pytest.mark.parametrize(
    ("file", "word"),
    [
        (payout(lines=()), "at least one line"),
        (payout(good_line(), good_line()), "two lines"),
        (payout(good_line(), good_line(end_to_end_id="b", amount=Money(1, "USD"))), "USD in an order of AED"),
        (payout(good_line(amount=Money(0, "AED"))), "not an amount to pay"),
        (payout(good_line(amount=Money(-5, "AED"))), "not an amount to pay"),
        (payout(good_line(end_to_end_id="x" * 36)), "end-to-end id"),
        (payout(good_line(end_to_end_id="/x")), "end-to-end id"),
        (payout(message_id="a//b"), "message id"),
        (payout(good_line(creditor_iban="AE070331234567890123457")), "not an account"),
        (payout(good_line(creditor_bic="NOTABIC")), "not an account"),
        (payout(good_line(creditor_name="هيئة الطرق والمواصلات")), "SWIFT character set"),
        (payout(good_line(remittance="دفعة")), "SWIFT character set"),
        (payout(good_line(purpose="gos")), "three-letter code"),
        (payout(debtor_iban="AE00"), "the debtor"),
        (
            payout(*(good_line(end_to_end_id=f"l{n}", amount=Money(10**15, "AED")) for n in range(9001))),
            "control sum does not stand",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "order",
)
def test_an_order_no_bank_would_take_never_leaves(file, word):
    with pytest.raises(RejectedError, match=word):
        write_payment_order(file)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=200))
def test_any_remittance_is_written_in_the_alphabet_or_refused(text):
    try:
        written = write_payment_order(payout(good_line(remittance=text)))
    except RejectedError as error:
        assert "SWIFT character set" in str(error)  # noqa: PT017 - either outcome is right, each has its own proof
        return
    remittances = [node.text for node in etree.fromstring(written).iterfind(".//p:Ustrd", NS9)]
    assert all(len(r) <= 140 and r.isascii() and r.isprintable() for r in remittances)
