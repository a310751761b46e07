"""How much may be given back, and from which line it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import refund
from gateway.domain.errors import RefundTooLargeError
from gateway.domain.refund import RefundableLine, RefundStatus
from ledger.money import Money

AMOUNTS = st.integers(min_value=1, max_value=10**9)


def line(number, amount, vat=0):
    return RefundableLine(number, f"dep{number}", amount, vat, 0, 0)


def test_waiting_pending_and_unknown_refunds_use_up_the_captured_amount_and_failed_ones_do_not():
    refunds = [(status, Money(10, "AED")) for status in RefundStatus]
    assert refund.refundable(Money(100, "AED"), refunds) == Money(40, "AED")


def test_a_refund_over_the_rest_is_refused_and_says_what_is_left():
    with pytest.raises(RefundTooLargeError, match=r"AED 0\.50"):
        refund.check_cap(Money(51, "AED"), Money(50, "AED"))


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.data())
def test_hc18_a_spread_refund_sums_to_the_whole_and_takes_no_line_below_zero(amounts, data):
    lines = [line(number, amount) for number, amount in enumerate(amounts, start=1)]
    asked = data.draw(st.integers(min_value=1, max_value=sum(amounts)))
    parts = refund.spread(asked, lines)
    assert sum(part.amount_minor for part in parts) == asked
    assert all(part.amount_minor <= amounts[part.number - 1] for part in parts)


@given(AMOUNTS, st.data())
def test_hc18_a_line_refunded_bit_by_bit_gives_back_exactly_its_vat(amount, data):
    vat = data.draw(st.integers(min_value=0, max_value=amount))
    left, taken_vat, taken = amount, 0, 0
    while left:
        part = data.draw(st.integers(min_value=max(1, left // 5), max_value=left))
        got = refund.take(RefundableLine(1, "dep", amount, vat, taken, taken_vat), part)
        assert 0 <= got.vat_minor <= got.amount_minor
        taken, taken_vat, left = taken + part, taken_vat + got.vat_minor, left - part
    assert taken_vat == vat
