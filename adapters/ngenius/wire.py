"""N-Genius requests and answers as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from adapters.calls import Call, read_json, write_json
from adapters.contract import PaymentOrder
from adapters.errors import OutcomeUnknownError
from ledger.errors import MoneyError
from ledger.money import Money

IDENTITY_TYPE: Final = "application/vnd.ni-identity.v1+json"
PAYMENT_TYPE: Final = "application/vnd.ni-payment.v2+json"
ACTIONS: Final = frozenset({"SALE", "AUTH", "PURCHASE"})


class WireAmount(msgspec.Struct, frozen=True, rename="camel"):
    currency_code: str
    value: int

    def money(self) -> Money:
        try:
            return Money(self.value, self.currency_code)
        except MoneyError as error:
            raise OutcomeUnknownError(f"the answer carries an amount that cannot be booked: {error}") from None


class WireMovement(msgspec.Struct, frozen=True, rename="camel"):
    """One capture or one refund inside a payment."""

    state: str = ""
    amount: WireAmount | None = None
    created_time: str | None = None
    links: dict[str, Any] = msgspec.field(name="_links", default_factory=dict)


class WireMovements(msgspec.Struct, frozen=True):
    captures: list[WireMovement] = msgspec.field(name="cnp:capture", default_factory=list)
    refunds: list[WireMovement] = msgspec.field(name="cnp:refund", default_factory=list)


class WireMethod(msgspec.Struct, frozen=True):
    name: str | None = None
    pan: str | None = None
    expiry: str | None = None


class WireAuthorisation(msgspec.Struct, frozen=True, rename="camel"):
    authorization_code: str | None = None
    success: bool | None = None
    result_code: str | None = None
    result_message: str | None = None
    rrn: str | None = None
    mid: str | None = None
    system_audit_trace_number: str | int | None = None


class WireChallenge(msgspec.Struct, frozen=True, rename="camel"):
    """What the hosted page's 3-D Secure told; the older version spells its result `status`."""

    eci: str | None = None
    trans_status: str | None = None
    status: str | None = None
    version: str | None = None
    message_version: str | None = None
    server_transaction: str | None = msgspec.field(name="threeDSServerTransID", default=None)
    directory_transaction: str | None = msgspec.field(name="dsTransID", default=None)


class WirePayment(msgspec.Struct, frozen=True, rename="camel"):
    id: str = msgspec.field(name="_id")
    state: str
    amount: WireAmount | None = None
    update_date_time: str | None = None
    payment_method: WireMethod | None = None
    auth_response: WireAuthorisation | None = None
    challenge: WireChallenge | None = msgspec.field(name="3ds2", default=None)
    challenge_v1: WireChallenge | None = msgspec.field(name="3ds", default=None)
    links: dict[str, Any] = msgspec.field(name="_links", default_factory=dict)
    movements: WireMovements = msgspec.field(name="_embedded", default_factory=WireMovements)


class WirePayments(msgspec.Struct, frozen=True):
    payment: list[WirePayment] = msgspec.field(default_factory=list)


class WireOrder(msgspec.Struct, frozen=True, rename="camel"):
    reference: str
    amount: WireAmount
    action: str | None = None
    outlet_id: str | None = None
    merchant_order_reference: str | None = None
    create_date_time: str | None = None
    links: dict[str, Any] = msgspec.field(name="_links", default_factory=dict)
    embedded: WirePayments = msgspec.field(name="_embedded", default_factory=WirePayments)


class WireOrders(msgspec.Struct, frozen=True):
    order: list[WireOrder] = msgspec.field(default_factory=list)


class WireSearch(msgspec.Struct, frozen=True):
    embedded: WireOrders = msgspec.field(name="_embedded", default_factory=WireOrders)


class WireToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int | None = None


class WireReport(msgspec.Struct, frozen=True):
    name: str
    href: str


class WireReports(msgspec.Struct, frozen=True):
    files: list[WireReport] = msgspec.field(default_factory=list)


def last_part(identifier: str) -> str:
    """Return what stands after the last colon or slash: `urn:payment:<id>` and link addresses both end in the id."""
    return identifier.rstrip("/").replace("/", ":").rsplit(":", 1)[-1]


def href(links: Mapping[str, Any], relation: str) -> str | None:
    """Return a HAL link's address; a list of links gives its first."""
    link = links.get(relation)
    if isinstance(link, list):
        link = link[0] if link else None
    address = link.get("href") if isinstance(link, dict) else None
    return address if isinstance(address, str) and address else None


class Endpoint:
    """Builds every request to one outlet. Links the provider gives are followed only on its own host."""

    def __init__(self, base_url: str, outlet: str) -> None:
        self._base = base_url.rstrip("/")
        self._origin = _origin(self._base)
        self._orders = f"{self._base}/transactions/outlets/{_path(outlet)}/orders"

    def token(self, api_key: str, realm: str) -> Call:
        body = write_json({"grant_type": "client_credentials", "realm": realm}) if realm else b""
        headers = {"Authorization": f"Basic {api_key}", "Content-Type": IDENTITY_TYPE, "Accept": IDENTITY_TYPE}
        return Call("token", "POST", f"{self._base}/identity/auth/access-token", headers, body)

    def create(self, token: str, order: PaymentOrder, action: str) -> Call:
        body: dict[str, Any] = {
            "action": action,
            "amount": _amount(order.amount),
            "language": order.language,
            "merchantOrderReference": order.reference,
            "merchantAttributes": {
                "redirectUrl": order.return_url,
                "cancelUrl": order.cancel_url,
                "skipConfirmationPage": True,
            },
        }
        if order.payer_email:
            body["emailAddress"] = order.payer_email
        return Call("create", "POST", self._orders, _headers(token), write_json(body))

    def read(self, token: str, reference: str) -> Call:
        return Call("query", "GET", f"{self._orders}/{_path(reference)}", _headers(token))

    def search(self, token: str, merchant_reference: str) -> Call:
        query = quote(merchant_reference, safe="")
        return Call("lookup", "GET", f"{self._orders}?merchantOrderReference={query}", _headers(token))

    def capture(self, token: str, order: str, payment: str, amount: Money) -> Call:
        url = f"{self._payment(order, payment)}/captures"
        return Call("capture", "POST", url, _headers(token), write_json({"amount": _amount(amount)}))

    def void(self, token: str, order: str, payment: str) -> Call:
        return Call("void", "PUT", f"{self._payment(order, payment)}/cancel", _headers(token))

    def close_order(self, token: str, link: str) -> Call:
        return Call("void", "PUT", self._own(link), _headers(token))

    def refund(self, token: str, link: str, amount: Money) -> Call:
        return Call("refund", "POST", self._own(link), _headers(token), write_json({"amount": _amount(amount)}))

    def _payment(self, order: str, payment: str) -> str:
        return f"{self._orders}/{_path(order)}/payments/{_path(payment)}"

    def _own(self, link: str) -> str:
        """Refuse to carry our token to another host, whatever a link says."""
        if _origin(link) != self._origin:
            raise OutcomeUnknownError("the answer links to another host than the gateway's")
        return link


def refund_link(payment: WirePayment) -> str | None:
    """Choose where a refund is asked for, as the acquirer's own plugins do: by link, and by the payment's state."""
    captures = payment.movements.captures
    on_capture = href(captures[0].links, "cnp:refund") if captures else None
    if payment.state in {"PURCHASED", "PARTIALLY_REFUNDED"}:
        return href(payment.links, "cnp:cancel") or href(payment.links, "cnp:refund") or on_capture
    if on_capture is None and captures and (itself := href(captures[0].links, "self")):
        return f"{itself}/refund"
    return on_capture


def read_order(body: bytes) -> WireOrder:
    return read_json(body, WireOrder)


def read_search(body: bytes) -> list[WireOrder]:
    return read_json(body, WireSearch).embedded.order


def read_payment(body: bytes) -> WirePayment:
    return read_json(body, WirePayment)


def read_token(body: bytes) -> WireToken:
    return read_json(body, WireToken)


def read_reports(body: bytes) -> list[WireReport]:
    return read_json(body, WireReports).files


def _amount(amount: Money) -> dict[str, Any]:
    return {"currencyCode": amount.currency, "value": amount.amount_minor}


def _headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": PAYMENT_TYPE, "Accept": PAYMENT_TYPE}


def _path(part: str) -> str:
    """Quote one path segment; a dot segment would climb out of the outlet."""
    if part in {"", ".", ".."}:
        raise OutcomeUnknownError("an empty or dotted reference cannot be looked up")
    return quote(part, safe="")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
