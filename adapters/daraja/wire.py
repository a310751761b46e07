"""Daraja requests and answers as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from adapters.calls import Call, read_json, write_json
from adapters.contract import PaymentOrder
from adapters.errors import OutcomeUnknownError
from ledger.errors import MoneyError
from ledger.money import Money

CURRENCY: Final = "KES"
SHILLING_MINOR: Final = 100
AMOUNT_MINOR_MAX: Final = 250_000 * SHILLING_MINOR
"""M-Pesa's own limit of one transaction."""

ACCOUNT_CHARS: Final = 12
DESCRIPTION_CHARS_MAX: Final = 13
CHECKOUT_PREFIX: Final = "ws_CO_"
"""How the id of a prompt begins; a receipt of M-Pesa is ten letters and digits."""

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class WireToken(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: str | int | None = None


class WirePrompt(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to a push: the prompt is on its way to the phone. It names no amount."""

    merchant_request_id: str = msgspec.field(name="MerchantRequestID")
    checkout_request_id: str = msgspec.field(name="CheckoutRequestID")
    response_code: str | int
    response_description: str = ""


class WireResult(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to a question about a prompt: its result code, and no amount either."""

    checkout_request_id: str = msgspec.field(name="CheckoutRequestID")
    result_code: str | int
    result_desc: str = ""


class WireError(msgspec.Struct, frozen=True, rename="camel"):
    """How every refusal is worded, whatever its HTTP status."""

    error_code: str
    error_message: str = ""


class WireMovement(msgspec.Struct, frozen=True, rename="lower"):
    """One payment into our account, as the Pull Transactions API lists it, in small letters unlike all the rest."""

    transaction_id: str = msgspec.field(name="transactionId")
    trx_date: str = msgspec.field(name="trxDate")
    amount: str | int | float
    transactiontype: str = ""
    billreference: str | int | None = None

    def money(self) -> Money:
        return read_amount(self.amount)

    def account(self) -> str:
        return "" if self.billreference is None else str(self.billreference)


class WirePage(msgspec.Struct, frozen=True, rename="pascal"):
    response_code: str | int
    response: list[list[WireMovement]] | str | None = None

    def movements(self) -> list[WireMovement]:
        """Flatten the list of lists; an empty period is worded as the text `[[]]`."""
        if self.response is None or isinstance(self.response, str):
            return []
        return [movement for inner in self.response for movement in inner]


class WireItem(msgspec.Struct, frozen=True, rename="pascal"):
    name: str
    value: str | int | float | None = None


class WireMetadata(msgspec.Struct, frozen=True, rename="pascal"):
    item: list[WireItem]


class WireCallback(msgspec.Struct, frozen=True, rename="pascal"):
    merchant_request_id: str = msgspec.field(name="MerchantRequestID")
    checkout_request_id: str = msgspec.field(name="CheckoutRequestID")
    result_code: int | str
    result_desc: str = ""
    callback_metadata: WireMetadata | None = None


class WireCallbackBody(msgspec.Struct, frozen=True):
    callback: WireCallback = msgspec.field(name="stkCallback")


class WireEnvelope(msgspec.Struct, frozen=True):
    body: WireCallbackBody = msgspec.field(name="Body")


def refusal(amount: Money) -> str | None:
    """Return why M-Pesa cannot take this amount; None when it can."""
    if amount.currency != CURRENCY:
        return f"M-Pesa takes {CURRENCY}, not {amount.currency}"
    if amount.amount_minor % SHILLING_MINOR:
        return "M-Pesa takes whole shillings"
    if not SHILLING_MINOR <= amount.amount_minor <= AMOUNT_MINOR_MAX:
        return f"M-Pesa takes from KES 1 to {Money(AMOUNT_MINOR_MAX, CURRENCY)} at a time"
    return None


def write_amount(amount: Money) -> int:
    """Write whole shillings; anything else must never leave."""
    if (reason := refusal(amount)) is not None:
        raise ValueError(reason)
    return amount.amount_minor // SHILLING_MINOR


def read_amount(value: str | float) -> Money:
    """Read an amount, which is text or a number with or without decimals."""
    try:
        return Money.parse(str(value), CURRENCY)
    except MoneyError as error:
        raise OutcomeUnknownError(f"the answer carries an amount that cannot be booked: {error}") from None


def account_of(reference: str) -> str:
    """Return the account reference our own travels as: twelve letters and digits that are hard to misread."""
    number = int.from_bytes(hashlib.sha256(f"daraja:{reference}".encode()).digest()[:8])
    return "".join(_LETTERS[number >> 5 * place & 31] for place in range(ACCOUNT_CHARS))


class Endpoint:
    """Builds every request for one short code."""

    def __init__(
        self, base_url: str, *, short_code: str, passkey: str, transaction_type: str, till: str, zone: ZoneInfo
    ) -> None:
        self._base = base_url.rstrip("/")
        self._short_code = short_code
        self._passkey = passkey
        self._type = transaction_type
        self._till = till or short_code
        self._zone = zone

    def token(self, key: str, secret: str) -> Call:
        basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
        url = f"{self._base}/oauth/v1/generate?grant_type=client_credentials"
        return Call("token", "GET", url, {"Authorization": f"Basic {basic}", "Accept": "application/json"})

    def push(self, order: PaymentOrder, mobile: str, callback_url: str, at: datetime) -> Call:
        digits = mobile.removeprefix("+")
        body = {
            **self._signed(at),
            "TransactionType": self._type,
            "Amount": write_amount(order.amount),
            "PartyA": digits,
            "PartyB": self._till,
            "PhoneNumber": digits,
            "CallBackURL": callback_url,
            "AccountReference": account_of(order.reference),
            "TransactionDesc": _plain(order.description) or "Payment",
        }
        return self._post("create", "/mpesa/stkpush/v1/processrequest", body)

    def query(self, checkout_request_id: str, at: datetime) -> Call:
        body = {**self._signed(at), "CheckoutRequestID": checkout_request_id}
        return self._post("query", "/mpesa/stkpushquery/v1/query", body)

    def pull(self, start: datetime, end: datetime, offset: int, *, operation: str) -> Call:
        """List payments into the account; the offset counts rows."""
        body = {
            "ShortCode": self._short_code,
            "StartDate": f"{start.astimezone(self._zone):%Y-%m-%d %H:%M:%S}",
            "EndDate": f"{end.astimezone(self._zone):%Y-%m-%d %H:%M:%S}",
            "OffSetValue": str(offset),
        }
        return self._post(operation, "/pulltransactions/v1/query", body)

    def _signed(self, at: datetime) -> dict[str, str]:
        stamp = f"{at.astimezone(self._zone):%Y%m%d%H%M%S}"
        password = base64.b64encode(f"{self._short_code}{self._passkey}{stamp}".encode()).decode()
        return {"BusinessShortCode": self._short_code, "Password": password, "Timestamp": stamp}

    def _post(self, operation: str, path: str, body: dict[str, Any]) -> Call:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return Call(operation, "POST", f"{self._base}{path}", headers, write_json(body))


def callback_url(base: str, reference: str, key: str) -> str:
    """Lengthen the callback's address: Daraja sends back nothing of ours but the address itself."""
    return f"{base.rstrip('/')}/{quote(reference, safe='')}/{key}"


def read_token(body: bytes) -> WireToken:
    return read_json(body, WireToken)


def read_prompt(body: bytes) -> WirePrompt:
    return read_json(body, WirePrompt)


def read_result(body: bytes) -> WireResult:
    return read_json(body, WireResult)


def read_page(body: bytes) -> list[WireMovement]:
    return read_json(body, WirePage).movements()


def read_error(body: bytes) -> WireError | None:
    """Return the error of a refusal, if that is what it carries."""
    try:
        return read_json(body, WireError)
    except OutcomeUnknownError:
        return None


def _plain(text: str) -> str:
    """Keep what the prompt can show: the first plain letters and digits of a description."""
    kept = "".join(character if character.isascii() and character.isalnum() else " " for character in text)
    return " ".join(kept.split())[:DESCRIPTION_CHARS_MAX].strip()
