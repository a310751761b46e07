"""`mizan bench checkout`: what the pay page costs the server and weighs on a phone, and what a receipt costs."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime
from typing import Final

from adapters.contract import Method
from gateway.checkout import TEMPLATES
from gateway.checkout.pay_page import empty_form, render_pay
from gateway.checkout.receipt_pdf import Proof, receipt_data, set_receipt
from gateway.checkout.seal import check_code
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from gateway.services.payers.views import CheckoutView, LineView, ReceiptView
from gateway.web.identity import Identity
from gateway.web.pages import Pages
from ledger.money import Money
from ops.bench.figures import Figure, Options, Rounds, absolute

_PAGES: Final = 200
_RECEIPTS: Final = 10
_KEY: Final = b"a key that signs nothing but figures"
_AT: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
_DEPARTMENT: Final = Names("دائرة الاقتصاد", "Department of Economy")
_LINES: Final = (
    LineView(
        _DEPARTMENT, Names("تجديد الرخصة التجارية", "Trade licence renewal"), Money(124050, "AED"), Money(0, "AED")
    ),
    LineView(_DEPARTMENT, Names("رسم الابتكار", "Innovation fee"), Money(1000, "AED"), Money(48, "AED")),
)
_VIEW: Final = CheckoutView(
    intent_id="pi_01KAMN3Q7T9V8X4Z2C6B1A5D0E",
    token="0" * 58,
    status=IntentStatus.REQUIRES_PAYMENT,
    department_code="economy",
    department=_DEPARTMENT,
    lines=_LINES,
    total=Money(125050, "AED"),
    reference="TL-2026-004417",
    language="ar",
    expires_at=_AT,
    methods=(Method.CARD, Method.MOBILE, Method.BANK),
    return_url="https://economy.example/licences",
    live=True,
)
_RECEIPT: Final = ReceiptView(
    intent_id=_VIEW.intent_id,
    token=_VIEW.token,
    receipt_number="ECONOMY-2026-0000417",
    department_code="economy",
    department=_DEPARTMENT,
    vat_registration="100234567800003",
    lines=_LINES,
    total=_VIEW.total,
    vat=Money(48, "AED"),
    refunded=Money(0, "AED"),
    reference=_VIEW.reference,
    method=Method.CARD,
    paid_at=_AT,
    language="ar",
    return_url=_VIEW.return_url,
    live=True,
)


async def run(options: Options) -> list[Figure]:
    """Measure in Arabic, the heavier language: four font files instead of three."""
    pages = Pages(Identity(), TEMPLATES)
    language = pages.languages["ar"]
    code = check_code(_KEY, _RECEIPT)
    proof = Proof(f"https://pay.example/verify/{_RECEIPT.receipt_number}/{code}", code)
    data = receipt_data(_RECEIPT, proof, pages.identity, language, trial=False)
    rounds, page, document = Rounds(), b"", b""
    for number in range(options.rounds):
        options.say(f"round {number + 1} of {options.rounds}")
        start = time.process_time()
        for _ in range(_PAGES):
            page = render_pay(pages, _VIEW, "ar", _KEY, empty_form(_VIEW, Method.CARD))
        rounds.add("page", (time.process_time() - start) / _PAGES * 1_000)
        start = time.perf_counter()
        for _ in range(_RECEIPTS):
            document = set_receipt(data)
        rounds.add("receipt", (time.perf_counter() - start) / _RECEIPTS * 1_000)
    loaded = ["mizan.css", "mizan.js", "icon.svg"]
    loaded += [f"fonts/{script}-{weight}.woff2" for script in ("arabic", "latin") for weight in (400, 600)]
    weight = len(gzip.compress(page)) + sum(pages.assets.size(name) for name in loaded)
    return [
        absolute("drawing the pay page, CPU", rounds.median("page"), "ms", at_most=3),
        absolute("first view on the wire, without headers", weight / 1_000, "KB", at_most=100),
        absolute("first view, requests", 1 + len(loaded), "", at_most=8),
        absolute("setting a receipt's PDF", rounds.median("receipt"), "ms", at_most=1_000),
        absolute("a receipt's PDF", len(document) / 1_000, "KB", at_most=60),
    ]
