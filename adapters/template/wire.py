"""Requests and answers as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from adapters.calls import Call, read_json, write_json
from adapters.contract import PaymentOrder, RefundOrder
from adapters.errors import OutcomeUnknownError
from ledger.errors import MoneyError
from ledger.money import Money


class WirePayment(msgspec.Struct, frozen=True):
    id: str
    reference: str
    status: str
    amount_minor: int
    currency: str
    page: str | None = None
    decline_code: str | None = None
    refunded_minor: int = 0
    updated_at: str | None = None

    def money(self) -> Money:
        return read_money(self.amount_minor, self.currency)


class WirePayments(msgspec.Struct, frozen=True):
    payments: list[WirePayment]


class WireRefund(msgspec.Struct, frozen=True):
    id: str
    status: str
    amount_minor: int
    currency: str


def read_money(amount_minor: int, currency: str) -> Money:
    try:
        return Money(amount_minor, currency)
    except MoneyError as error:
        raise OutcomeUnknownError(f"the answer carries an amount that cannot be booked: {error}") from None


class Endpoint:
    """Builds every request."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def create(self, order: PaymentOrder) -> Call:
        body = {
            "reference": order.reference,
            **_amount(order.amount),
            "return_url": order.return_url,
            "callback_url": order.callback_url,
            "language": order.language,
        }
        return self._post("create", "/payments", body, order.reference)

    def find(self, reference: str) -> Call:
        return Call("query", "GET", f"{self._base}/payments?reference={quote(reference, safe='')}", self._headers)

    def cancel(self, identifier: str) -> Call:
        return self._post("void", f"/payments/{quote(identifier, safe='')}/cancel", {}, f"cancel-{identifier}")

    def refund(self, order: RefundOrder) -> Call:
        path = f"/payments/{quote(order.provider_reference, safe='')}/refunds"
        return self._post("refund", path, _amount(order.amount), order.reference)

    def find_refund(self, reference: str) -> Call:
        return Call("query", "GET", f"{self._base}/refunds/{quote(reference, safe='')}", self._headers)

    def ping(self) -> Call:
        return Call("check", "GET", f"{self._base}/ping", self._headers)

    def _post(self, operation: str, path: str, body: dict[str, Any], key: str) -> Call:
        headers = {**self._headers, "Idempotency-Key": key}
        return Call(operation, "POST", self._base + path, headers, write_json(body))


def read_payment(body: bytes) -> WirePayment:
    return read_json(body, WirePayment)


def read_payments(body: bytes) -> list[WirePayment]:
    return read_json(body, WirePayments).payments


def read_refund_answer(body: bytes) -> WireRefund:
    return read_json(body, WireRefund)


def _amount(amount: Money) -> dict[str, Any]:
    return {"amount_minor": amount.amount_minor, "currency": amount.currency}
