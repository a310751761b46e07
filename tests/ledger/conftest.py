"""Entries as the tests write them: short, over the real chart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger.accounts import VAT_PAYABLE, department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from ledger.money import Money

MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def capture(
    reference: str = "capture:1",
    minor: int = 10_000,
    *,
    currency: str = "AED",
    department: str = "traffic",
    at: datetime = MORNING,
    business_date: date | None = None,
    **more: Any,
) -> Entry:
    """A captured payment: gross from the provider, owed to a department, five per cent of it VAT where it is whole."""
    vat = minor // 20
    parts = [credit(department_payable(department), Money(minor - vat, currency))]
    if vat:
        parts.append(credit(VAT_PAYABLE, Money(vat, currency)))
    return Entry(
        reference=reference,
        kind="payment_captured",
        business_date=business_date or at.date(),
        effective_at=at,
        postings=(debit(provider_receivable("alpha"), Money(minor, currency), reference), *parts),
        source=Source(payment=f"pi_{reference}", provider="alpha", provider_reference=f"order-{reference}"),
        **more,
    )


@pytest.fixture
def make_capture() -> Callable[..., Entry]:
    return capture
