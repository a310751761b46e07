"""Adyen Checkout v71 requests and answers as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec

from adapters.calls import Call, read_json, write_json
from adapters.contract import PaymentOrder, RefundOrder
from adapters.errors import OutcomeUnknownError
from ledger.errors import MoneyError
from ledger.money import Money

DESCRIPTION_CHARS_MAX: Final = 280
LOCALES: Final = {"ar": "ar-AE", "en": "en-US"}


class WireAmount(msgspec.Struct, frozen=True):
    currency: str
    value: int

    def money(self) -> Money:
        try:
            return Money(self.value, self.currency)
        except MoneyError as error:
            raise OutcomeUnknownError(f"the answer carries an amount that cannot be booked: {error}") from None


class WireLink(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    reference: str
    status: str
    amount: WireAmount
    url: str
    merchant_account: str
    expires_at: str | None = None
    updated_at: str | None = None


class WireRefund(msgspec.Struct, frozen=True, rename="camel"):
    psp_reference: str
    payment_psp_reference: str
    status: str
    amount: WireAmount
    reference: str | None = None


class WireReport(msgspec.Struct, frozen=True):
    name: str
    href: str


class WireReports(msgspec.Struct, frozen=True):
    files: list[WireReport] = msgspec.field(default_factory=list)


class Endpoint:
    """Builds every request for one merchant account."""

    def __init__(self, base_url: str, *, api_key: str, merchant_account: str, country_code: str) -> None:
        self._base = base_url.rstrip("/")
        self._merchant_account = merchant_account
        self._country_code = country_code
        self._headers = {"X-API-Key": api_key, "Accept": "application/json", "Content-Type": "application/json"}

    def create(self, order: PaymentOrder) -> Call:
        body: dict[str, Any] = {
            "merchantAccount": self._merchant_account,
            "reference": order.reference,
            "amount": _amount(order.amount),
            "countryCode": self._country_code,
            "shopperLocale": LOCALES.get(order.language, "en-US"),
            "description": order.description[:DESCRIPTION_CHARS_MAX],
            "returnUrl": order.return_url,
            "expiresAt": write_instant(order.expires_at),
            "reusable": False,
        }
        if order.payer_email:
            body["shopperEmail"] = order.payer_email
        return self._post("create", "/paymentLinks", body, order.reference)

    def link(self, identifier: str) -> Call:
        return Call("query", "GET", f"{self._base}/paymentLinks/{_path(identifier)}", self._headers)

    def expire(self, identifier: str) -> Call:
        url = f"{self._base}/paymentLinks/{_path(identifier)}"
        return Call("void", "PATCH", url, self._headers, write_json({"status": "expired"}))

    def refund(self, order: RefundOrder) -> Call:
        body = {
            "merchantAccount": self._merchant_account,
            "amount": _amount(order.amount),
            "reference": order.reference,
        }
        return self._post("refund", f"/payments/{_path(order.provider_reference)}/refunds", body, order.reference)

    def probe(self) -> Call:
        """Ask for a link that cannot exist: a key that is accepted is answered, whatever the answer."""
        return Call("check", "GET", f"{self._base}/paymentLinks/PL-health-check", self._headers)

    def _post(self, operation: str, path: str, body: dict[str, Any], key: str) -> Call:
        return Call(operation, "POST", self._base + path, {**self._headers, "Idempotency-Key": key}, write_json(body))


def read_link(body: bytes) -> WireLink:
    return read_json(body, WireLink)


def read_refund(body: bytes) -> WireRefund:
    return read_json(body, WireRefund)


def read_reports(body: bytes) -> list[WireReport]:
    return read_json(body, WireReports).files


def write_instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _amount(amount: Money) -> dict[str, Any]:
    return {"currency": amount.currency, "value": amount.amount_minor}


def _path(part: str) -> str:
    if part in {"", ".", ".."}:
        raise OutcomeUnknownError("an empty or dotted reference cannot be looked up")
    return quote(part, safe="")
