"""GSMA Mobile Money requests and answers as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from adapters.calls import Call, read_json, write_json
from adapters.contract import PaymentOrder, RefundOrder
from adapters.errors import OutcomeUnknownError
from ledger.errors import MoneyError
from ledger.money import Money

DESCRIPTION_CHARS_MAX: Final = 160
REFERENCE_CHARS_MAX: Final = 256

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MINTED: Final = re.compile(r"[a-z]{2,4}_([0-7][0-9a-hjkmnp-tv-z]{25})")
_LINK: Final = re.compile(r"(?:.*/)?(transactions|requeststates)/([A-Za-z0-9._~:-]{1,256})")


class WireParty(msgspec.Struct, frozen=True):
    key: str
    value: str


class WireFee(msgspec.Struct, frozen=True, rename="camel"):
    fee_type: str
    fee_amount: str
    fee_currency: str


class WireError(msgspec.Struct, frozen=True, rename="camel"):
    error_category: str
    error_code: str
    error_date_time: str | None = None


class WireTransaction(msgspec.Struct, frozen=True, rename="camel"):
    """A payment or a reversal as the provider keeps it. A reversal's amount is optional in the specification."""

    transaction_reference: str
    transaction_status: str
    type: str
    amount: str | None = None
    currency: str | None = None
    requesting_organisation_transaction_reference: str | None = None
    original_transaction_reference: str | None = None
    transaction_receipt: str | None = None
    creation_date: str | None = None
    modification_date: str | None = None
    fees: list[WireFee] = msgspec.field(default_factory=list)

    def money(self) -> Money | None:
        if self.amount is None or self.currency is None:
            return None
        try:
            return read_amount(self.amount, self.currency)
        except MoneyError as error:
            raise OutcomeUnknownError(f"the answer carries an amount that cannot be booked: {error}") from None


class WireState(msgspec.Struct, frozen=True, rename="camel"):
    server_correlation_id: str
    status: str
    notification_method: str | None = None
    object_reference: str | None = None
    expiry_time: str | None = None
    error: WireError | None = None


class WireLink(msgspec.Struct, frozen=True):
    link: str


class WireHeartbeat(msgspec.Struct, frozen=True, rename="camel"):
    service_status: str


def write_amount(amount: Money) -> str:
    """Write the amount as the specification's pattern wants it: a fraction never ends in zero (200, 200.5)."""
    text = amount.decimal()
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_amount(text: str, currency: str) -> Money:
    """Read an amount; providers that write `200.50` all the same are understood."""
    return Money.parse(text.rstrip("0").rstrip(".") if "." in text else text, currency)


def correlation_of(reference: str) -> str:
    """Return the UUID our reference travels as; minted references are 128 bits and can be read back from it."""
    if match := _MINTED.fullmatch(reference):
        number = 0
        for character in match[1]:
            number = number * 32 + _CROCKFORD.index(character)
        return str(uuid.UUID(int=number))
    return str(uuid.UUID(bytes=hashlib.sha256(f"gsma:{reference}".encode()).digest()[:16], version=5))


def reference_of(correlation: str, prefix: str) -> str | None:
    """Return the minted reference a correlation id stands for; another's id gives a reference nobody knows."""
    try:
        number = uuid.UUID(correlation).int
    except ValueError:
        return None
    characters = [_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(characters)}"


class Endpoint:
    """Builds every request to one provider for one organisation."""

    def __init__(self, base_url: str, *, api_key: str, client_id: str, organisation: str) -> None:
        self._base = base_url.rstrip("/")
        self._organisation = organisation
        self._headers = {"X-API-Key": api_key, "Accept": "application/json"}
        if client_id:
            self._headers["X-Client-Id"] = client_id

    def collect(self, order: PaymentOrder, mobile: str, at: datetime) -> Call:
        body = {
            "amount": write_amount(order.amount),
            "currency": order.amount.currency,
            "debitParty": [{"key": "msisdn", "value": mobile}],
            "creditParty": [{"key": "organisationid", "value": self._organisation}],
            "requestingOrganisationTransactionReference": order.reference,
            "descriptionText": order.description[:DESCRIPTION_CHARS_MAX],
            "requestDate": write_instant(at),
        }
        url = f"{self._base}/transactions/type/merchantpay"
        return self._post("create", url, body, order.reference, at, order.callback_url)

    def reverse(self, order: RefundOrder, at: datetime) -> Call:
        body = {
            "type": "reversal",
            "amount": write_amount(order.amount),
            "currency": order.amount.currency,
            "requestingOrganisationTransactionReference": order.reference,
            "requestDate": write_instant(at),
        }
        url = f"{self._base}/transactions/{_path(order.provider_reference)}/reversals"
        return self._post("refund", url, body, order.reference, at, None)

    def response(self, reference: str) -> Call:
        """Ask what became of the request that carried our reference."""
        return self._get("lookup", f"{self._base}/responses/{correlation_of(reference)}")

    def transaction(self, reference: str) -> Call:
        return self._get("query", f"{self._base}/transactions/{_path(reference)}")

    def state(self, server_correlation_id: str) -> Call:
        return self._get("query", f"{self._base}/requeststates/{_path(server_correlation_id)}")

    def heartbeat(self) -> Call:
        return self._get("heartbeat", f"{self._base}/heartbeat")

    def transactions(self, start: datetime, end: datetime, *, limit: int, offset: int) -> Call:
        query = urlencode(
            {
                "fromDateTime": write_instant(start),
                "toDateTime": write_instant(end),
                "transactionStatus": "completed",
                "limit": limit,
                "offset": offset,
            }
        )
        path = f"accounts/organisationid/{_path(self._organisation)}/transactions"
        return self._get("statement", f"{self._base}/{path}?{query}")

    def _get(self, operation: str, url: str) -> Call:
        return Call(operation, "GET", url, self._headers)

    def _post(
        self, operation: str, url: str, body: dict[str, Any], reference: str, at: datetime, callback_url: str | None
    ) -> Call:
        content = write_json(body)
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "X-CorrelationID": correlation_of(reference),
            "X-Date": write_instant(at),
            "X-Content-Hash": hashlib.sha256(content).hexdigest(),
        }
        if callback_url:
            headers["X-Callback-URL"] = callback_url
        return Call(operation, "POST", url, headers, content)


def read_link(body: bytes) -> tuple[str, str]:
    """Return what kind of resource a response points to, and its id; its host is never followed."""
    link = read_json(body, WireLink).link
    match = _LINK.fullmatch(link)
    if match is None:
        raise OutcomeUnknownError("the response links to nothing we know")
    return match[1], match[2]


def read_transaction(body: bytes) -> WireTransaction:
    return read_json(body, WireTransaction)


def read_transactions(body: bytes) -> list[WireTransaction]:
    return read_json(body, list[WireTransaction])


def read_state(body: bytes) -> WireState:
    return read_json(body, WireState)


def read_error(body: bytes) -> WireError | None:
    """Return the error object of a refusal, if that is what it carries."""
    try:
        return read_json(body, WireError)
    except OutcomeUnknownError:
        return None


def write_instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _path(part: str) -> str:
    if part in {"", ".", ".."} or len(part) > REFERENCE_CHARS_MAX:
        raise OutcomeUnknownError("a reference that is empty, dotted or too long cannot be looked up")
    return quote(part, safe="")
