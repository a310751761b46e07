"""One fee of one department, as its payer sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.contract import Method
from gateway.checkout import TEMPLATES
from gateway.checkout.routes import add_routes
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.payers.views import CheckoutView, LineView, ReceiptView
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


@dataclass
class Window:
    """A plain HTTP client at the checkout: no scripts, no redirects followed unless asked."""

    town: Any
    url: str
    session: aiohttp.ClientSession

    def path(self, intent: Mapping[str, Any]) -> str:
        return f"/pay/{links.token_of(self.town.deps, intent['id'])}"

    async def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
        address = f"{self.url}{path}"
        async with self.session.get(address, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> tuple[int, Mapping[str, str], str]:
        address = f"{self.url}{path}"
        async with self.session.post(address, data=fields, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def csrf(self, path: str, which: int = 0) -> str:
        _, _, page = await self.get(path)
        return re.findall(r'name="csrf" value="([0-9a-f]+)"', page)[which]

    async def press_pay(self, intent: Mapping[str, Any], **fields: str) -> tuple[int, Mapping[str, str], str]:
        path = self.path(intent)
        return await self.post(path, {"csrf": await self.csrf(path), "method": "card", **fields})


@pytest.fixture
async def window(town: Any) -> AsyncIterator[Window]:
    app = web.Application()
    add_routes(app, town.deps, Identity(trial=True), result_wait_s=0.0)
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Window(town, str(server.make_url("")).rstrip("/"), session)
    await server.close()
