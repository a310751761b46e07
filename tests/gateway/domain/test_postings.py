"""Each event's journal, as the table of money.md has it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import postings
from gateway.domain.postings import DepartmentShare, Evidence
from gateway.domain.refund import RefundLine
from ledger.money import Money

EVIDENCE = Evidence(
    intent_id="pi_1",
    attempt_id="pa_1",
    provider="acquirer",
    provider_reference="order-9",
    effective_at=datetime(2026, 11, 22, 20, 30, tzinfo=UTC),
    zone=ZoneInfo("Asia/Dubai"),
)
SHARES = [DepartmentShare("moi", 10_500, 500), DepartmentShare("rta", 4_000, 0), DepartmentShare("moi", 1_000, 0)]


def lines(entry):
    return [(posting.account, posting.amount.amount_minor, posting.item) for posting in entry.postings]


def test_a_capture_credits_every_department_once_and_the_vat():
    entry = postings.captured(EVIDENCE, SHARES, Money(15_500, "AED"))
    assert entry.reference == "capture:pa_1"
    assert entry.kind == "payment_captured"
    assert lines(entry) == [
        ("provider:acquirer:receivable", 15_500, "pa_1"),
        ("department:moi:payable", -11_000, None),
        ("tax:vat_payable", -500, None),
        ("department:rta:payable", -4_000, None),
    ]
    assert (entry.source.payment, entry.source.provider, entry.source.provider_reference) == (
        "pi_1",
        "acquirer",
        "order-9",
    )


def test_the_business_day_is_the_providers_not_utc():
    assert postings.captured(EVIDENCE, SHARES, Money(15_500, "AED")).business_date == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (postings.captured_late(EVIDENCE, Money(700, "JPY")), "late_payment_captured"),
        (postings.captured_for_review(EVIDENCE, Money(700, "JPY")), "payment_captured_for_review"),
    ],
)
def test_money_that_does_not_fit_waits_in_suspense_under_the_attempt(entry, kind):
    assert entry.kind == kind
    assert entry.reference == "capture:pa_1"
    assert lines(entry) == [
        ("provider:acquirer:receivable", 700, "pa_1"),
        ("suspense:late_payments", -700, "pa_1"),
    ]


def test_an_accepted_late_payment_clears_suspense():
    entry = postings.late_accepted(EVIDENCE, SHARES, Money(15_500, "AED"))
    assert entry.reference == "late_accepted:pa_1"
    assert lines(entry)[0] == ("suspense:late_payments", 15_500, "pa_1")


def test_a_refund_takes_from_the_line_s_department_only():
    entry = postings.refunded(EVIDENCE, "re_1", [RefundLine(1, "moi", 2_100, 100)], Money(2_100, "AED"))
    assert entry.reference == "refund:re_1"
    assert lines(entry) == [
        ("department:moi:payable", 2_000, None),
        ("tax:vat_payable", 100, None),
        ("provider:acquirer:refunds_in_transit", -2_100, "re_1"),
    ]


def test_a_late_payment_refunded_never_touches_a_department():
    assert lines(postings.late_refunded(EVIDENCE, "re_1", Money(700, "KWD"))) == [
        ("suspense:late_payments", 700, "pa_1"),
        ("provider:acquirer:refunds_in_transit", -700, "re_1"),
    ]


def test_a_refund_that_failed_later_puts_everything_back():
    accepted = postings.refunded(EVIDENCE, "re_1", [RefundLine(1, "moi", 2_100, 100)], Money(2_100, "AED"))
    undone = postings.refund_failed(accepted, "re_1", EVIDENCE)
    assert undone.reference == "refund_failed:re_1"
    assert [(account, -amount, item) for account, amount, item in lines(undone)] == lines(accepted)


@given(
    st.lists(
        st.tuples(st.sampled_from(["moi", "rta", "ded"]), st.integers(1, 10**9), st.integers(0, 10_000)),
        min_size=1,
        max_size=20,
    )
)
def test_any_basket_balances(rows):
    shares = [DepartmentShare(code, amount, amount * rate // (10_000 + rate)) for code, amount, rate in rows]
    entry = postings.captured(EVIDENCE, shares, Money(sum(share.amount_minor for share in shares), "KWD"))
    assert sum(posting.amount.amount_minor for posting in entry.postings) == 0
