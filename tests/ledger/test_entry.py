"""The border: what is not money, not an account or not a journal is refused by name before any SQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from ledger.entry import Entry, Posting, Source, credit, debit, into_open_period, reversal
from ledger.errors import AccountError, EntryError, LedgerError, MoneyError
from ledger.money import AMOUNT_MINOR_MAX, EXPONENTS, Money

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PAYABLE, CASH, RECEIVABLE = "department:traffic:payable", "bank:main:cash", "provider:alpha:receivable"


def aed(minor):
    return Money(minor, "AED")


def entry(*postings, **more):
    fields = {"reference": "r", "kind": "k", "business_date": AT.date(), "effective_at": AT, "postings": postings}
    return Entry(**{**fields, **more})


@pytest.mark.parametrize(
    ("amount", "currency", "names"),
    [
        (1.999999, "AED", "float"),
        (1.0, "AED", "float"),
        (float("nan"), "AED", "float"),
        (float("inf"), "AED", "float"),
        (True, "AED", "bool"),
        (Decimal("1.5"), "AED", "Decimal"),
        ("100", "AED", "str"),
        (None, "AED", "NoneType"),
        (AMOUNT_MINOR_MAX + 1, "AED", "beyond"),
        (-(2**63), "AED", "beyond"),
        (1, "XYZ", "XYZ"),
        (1, "aed", "aed"),
        (1, "", "''"),
        (1, None, "None"),
        (1, ["AED"], "AED"),
    ],
)
def test_what_is_not_money_is_refused_by_name(amount, currency, names):
    with pytest.raises(MoneyError, match=names):
        Money(amount, currency)


@pytest.mark.parametrize(
    "path", ["", "cash", "provider::receivable", "provider:Alpha:receivable", "bank:main:cash:x", "tax:vat_payable ",
             "department:a'b:payable", None, 7, ["tax:vat_payable"]],
)  # fmt: skip
def test_a_path_off_the_chart_is_refused_by_name(path):
    with pytest.raises(AccountError, match="chart"):
        Posting(path, aed(1))


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (entry, "0 postings"),
        (lambda: entry(debit(CASH, aed(1))), "1 postings"),
        (lambda: entry(debit(CASH, aed(2)), credit(PAYABLE, aed(1))), "AED 0.01"),
        (lambda: entry(debit(CASH, aed(1)), credit(PAYABLE, Money(1, "KWD"))), "out of balance"),
        (lambda: entry(debit(CASH, aed(5)), credit(CASH, aed(5))), f"{CASH} on both sides"),
        (lambda: entry(debit(CASH, aed(0)), credit(PAYABLE, aed(0))), "positive"),
        (lambda: debit(CASH, aed(-1)), "positive"),
        (lambda: Posting(CASH, aed(0)), "zero"),
        (lambda: Posting(CASH, 5), "int for an amount"),
        (lambda: Posting(CASH, Money.of_total(AMOUNT_MINOR_MAX * 2, "AED")), "beyond"),
        (lambda: Posting(RECEIVABLE, aed(1)), "needs an item"),
        (lambda: Posting(CASH, aed(1), "i"), "takes no item"),
        (lambda: Posting(RECEIVABLE, aed(1), ""), "1 to 100"),
        (lambda: Posting(RECEIVABLE, aed(1), "x" * 101), "1 to 100"),
        (lambda: Posting(RECEIVABLE, aed(1), 5), "must be text"),
        (lambda: entry(debit(CASH, aed(1)), "no posting"), "str for a posting"),
        (lambda: good(reference=""), "reference"),
        (lambda: good(reference="a\x00b"), "reference"),
        (lambda: good(reference="a\nb"), "reference"),
        (lambda: good(reference="\ud800"), "reference"),
        (lambda: good(reference="x" * 201), "reference"),
        (lambda: good(reference=7), "reference"),
        (lambda: good(kind=""), "kind"),
        (lambda: good(description=None), "description"),
        (lambda: good(business_date=AT), "business_date"),
        (lambda: good(business_date="2026-11-22"), "business_date"),
        (lambda: good(effective_at=AT.replace(tzinfo=None)), "effective_at"),
        (lambda: good(effective_at=AT.date()), "effective_at"),
        (lambda: good(corrects=0), "corrects"),
        (lambda: good(corrects=True), "corrects"),
        (lambda: good(corrects=2**63), "corrects"),
        (lambda: good(late_for=AT.date()), "late_for"),
        (lambda: good(below_floor=1), "below_floor"),
        (lambda: good(source=None), "source"),
        (lambda: Source(line=1.0), "line"),
        (lambda: Source(line=-1), "line"),
        (lambda: Source(line=2**31), "line"),
        (lambda: Source(file=""), "file"),
        (lambda: Source(payment="p\x00"), "payment"),
    ],
)
def test_what_is_no_journal_is_refused_by_name(build, names):
    with pytest.raises(EntryError, match=names):
        build()


def good(**more):
    return entry(debit(CASH, aed(100)), credit(PAYABLE, aed(100)), **more)


def test_every_refusal_is_a_ledger_error_with_a_code():
    codes = [error.code for error in LedgerError.__subclasses__()]
    assert len(set(codes)) == len(codes) >= 8


def test_one_instant_has_one_fingerprint_whatever_its_zone():
    dubai = timezone(timedelta(hours=4))
    assert good().fingerprint() == good(effective_at=AT.astimezone(dubai)).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"}, {"business_date": date(2026, 11, 23)}, {"effective_at": AT + timedelta(microseconds=1)},
        {"source": Source(payment="p")}, {"corrects": 3}, {"description": "d"}, {"late_for": date(2026, 1, 1)},
        {"below_floor": True}, {"postings": (debit(CASH, aed(99)), credit(PAYABLE, aed(99)))},
    ],
)  # fmt: skip
def test_any_change_changes_the_fingerprint(change):
    assert replace(good(), **change).fingerprint() != good().fingerprint()


def test_a_reversal_undoes_and_a_late_entry_refers_back():
    undone = reversal(good(), reference="u", corrects=1, business_date=AT.date(), effective_at=AT)
    assert [p.amount.amount_minor for p in undone.postings] == [-100, 100]
    assert undone.corrects == 1
    late = into_open_period(good(), business_date=date(2026, 12, 1), effective_at=AT + timedelta(days=9))
    assert (late.late_for, late.business_date) == (AT.date(), date(2026, 12, 1))


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_decimals_round_trip_in_every_currency(currency):
    for minor in (0, 1, -1, 999, 1000, 123_456_789, -AMOUNT_MINOR_MAX):
        money = Money(minor, currency)
        assert Money.parse(money.decimal(), currency) == money


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.005", "AED"), ("0.0001", "KWD"), ("1.1", "JPY"), ("1e3", "AED"), ("", "AED"), (" 1", "AED"), ("NaN", "AED"),
     ("١٢", "AED"), ("1,000.00", "AED"), (1, "AED"), (None, "AED"), ("9999999999999999", "AED")],
)  # fmt: skip
def test_text_that_is_no_exact_amount_is_refused(text, currency):
    with pytest.raises(MoneyError):
        Money.parse(text, currency)


def test_sums_may_be_larger_than_what_comes_in():
    most = aed(AMOUNT_MINOR_MAX)
    assert (most + most).amount_minor == 2 * AMOUNT_MINOR_MAX
    assert -(most + most) < aed(0)
    with pytest.raises(MoneyError, match="beyond"):
        Money.of_total(10**19, "AED")
    with pytest.raises(MoneyError, match="cannot be added"):
        most + 1
