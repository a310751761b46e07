"""One fee of one department, as its payer sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Method
from gateway.checkout import TEMPLATES
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from gateway.services.views import CheckoutView, LineView, ReceiptView
from gateway.web.identity import Identity
from gateway.web.pages import Pages
from ledger.money import Money

DEPARTMENT = Names("دائرة الاقتصاد", "Department of Economy")
LINES = (
    LineView(
        DEPARTMENT, Names("تجديد الرخصة التجارية", "Trade licence renewal"), Money(124050, "AED"), Money(0, "AED")
    ),
    LineView(DEPARTMENT, Names("رسم الابتكار", "Innovation fee"), Money(1000, "AED"), Money(48, "AED")),
)


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages(Identity(address="pay.gov.example"), TEMPLATES)


@pytest.fixture
def view_of() -> Callable[..., CheckoutView]:
    def make(**changes: Any) -> CheckoutView:
        view = CheckoutView(
            intent_id="pi_01KAMN3Q7T9V8X4Z2C6B1A5D0E",
            token="a-token",
            status=IntentStatus.REQUIRES_PAYMENT,
            department_code="economy",
            department=DEPARTMENT,
            lines=LINES,
            total=Money(125050, "AED"),
            reference="TL-2026-004417",
            language="ar",
            expires_at=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
            methods=(Method.CARD,),
            return_url="https://economy.example/back",
            live=True,
        )
        return replace(view, **changes)

    return make


@pytest.fixture
def receipt_of() -> Callable[..., ReceiptView]:
    def make(**changes: Any) -> ReceiptView:
        receipt = ReceiptView(
            intent_id="pi_01KAMN3Q7T9V8X4Z2C6B1A5D0E",
            token="a-token",
            receipt_number="ECONOMY-2026-000417",
            department_code="economy",
            department=DEPARTMENT,
            vat_registration="100234567800003",
            lines=LINES,
            total=Money(125050, "AED"),
            vat=Money(48, "AED"),
            refunded=Money(0, "AED"),
            reference="TL-2026-004417",
            method=Method.CARD,
            paid_at=datetime(2026, 11, 22, 6, 5, tzinfo=UTC),
            language="ar",
            return_url="https://economy.example/back",
            live=True,
            payer_email="fatima@example.ae",
            card={"scheme": "Visa", "card": "•••• 1234"},
        )
        return replace(receipt, **changes)

    return make
