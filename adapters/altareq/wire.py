"""Open Finance messages as they travel: pure builders, strict shapes, no meaning yet."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from adapters.calls import decode_json
from adapters.contract import PaymentOrder
from adapters.errors import OutcomeUnknownError, RejectedError
from ledger.errors import MoneyError
from ledger.money import Money

T = TypeVar("T")

CONSENT_TYPE: Final = "urn:openfinanceuae:service-initiation-consent:v2.1"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST_LIFE: Final = timedelta(minutes=5)
EARLY: Final = timedelta(seconds=10)
REFERENCE_CHARS_MAX: Final = 35
CURRENCY: Final = "AED"
CONSENT_LIFE_MIN: Final = timedelta(minutes=10)

_AMOUNT: Final = re.compile(r"\d{1,16}\.\d{2}")
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MINTED: Final = re.compile(r"[a-z]{2,4}_([0-7][0-9a-hjkmnp-tv-z]{25})")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class WireAmount(msgspec.Struct, frozen=True, rename="pascal"):
    amount: str
    currency: str

    def money(self) -> Money:
        try:
            if _AMOUNT.fullmatch(self.amount):
                return Money.parse(self.amount, self.currency)
        except MoneyError:
            pass
        raise OutcomeUnknownError("the answer carries an amount that cannot be booked")


class WireInstruction(msgspec.Struct, frozen=True, rename="pascal"):
    amount: WireAmount


class WireReason(msgspec.Struct, frozen=True, rename="pascal"):
    code: str
    message: str = ""


class WirePayment(msgspec.Struct, frozen=True, rename="pascal"):
    payment_id: str
    consent_id: str
    status: str
    instruction: WireInstruction
    status_update_date_time: str | None = None
    payment_transaction_id: str | None = None
    reject_reason_code: list[WireReason] = []


class WireConsent(msgspec.Struct, frozen=True, rename="pascal"):
    consent_id: str
    status: str
    status_update_date_time: str | None = None
    creditor_reference: str | None = None


class WireLinks(msgspec.Struct, frozen=True, rename="pascal"):
    itself: str | None = msgspec.field(name="Self", default=None)
    related: list[str] | str = []


class WirePaymentMessage(msgspec.Struct, frozen=True, rename="pascal"):
    data: WirePayment


class WireConsentMessage(msgspec.Struct, frozen=True, rename="pascal"):
    data: WireConsent
    links: WireLinks = msgspec.field(default_factory=WireLinks)


class WireLookup(msgspec.Struct, frozen=True, rename="pascal"):
    links: WireLinks


class WireAccount(msgspec.Struct, frozen=True, rename="pascal"):
    scheme_name: str
    identification: str
    name: dict[str, str]


class WireRefund(msgspec.Struct, frozen=True, rename="pascal"):
    consent_id: str
    refund_account: WireAccount


class WireRefundMessage(msgspec.Struct, frozen=True, rename="pascal"):
    data: WireRefund


class WirePushed(msgspec.Struct, frozen=True):
    request_uri: str
    expires_in: int


class WireToken(msgspec.Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int


class WireErrors(msgspec.Struct, frozen=True, rename="pascal"):
    errors: list[WireReason]


class _Envelope(msgspec.Struct, frozen=True):
    message: msgspec.Raw


def read_message(payload: bytes, shape: type[T]) -> T:
    """Read the message inside a signed token's payload."""
    try:
        return msgspec.json.decode(decode_json(payload, _Envelope).message, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise OutcomeUnknownError(f"the answer cannot be read: {error}") from None


def write_amount(amount: Money) -> dict[str, str]:
    if amount.currency != CURRENCY:
        raise RejectedError(f"this rail moves {CURRENCY} only")
    return {"Amount": amount.decimal(), "Currency": amount.currency}


def consent_of(reference: str) -> str:
    """Return the UUID our reference travels as; minted references are 128 bits and can be read back from it."""
    if match := _MINTED.fullmatch(reference):
        number = 0
        for character in match[1]:
            number = number * 32 + _CROCKFORD.index(character)
        return str(uuid.UUID(int=number))
    return str(uuid.UUID(bytes=hashlib.sha256(f"altareq:{reference}".encode()).digest()[:16], version=5))


def reference_of(consent: str) -> str | None:
    """Return the minted reference a consent stands for; another's consent gives a reference nobody knows."""
    try:
        number = uuid.UUID(consent).int
    except ValueError:
        return None
    return "pa_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def last_part(link: str) -> str:
    """Return the identifier a link ends with; its host is never followed."""
    identifier = link.rstrip("/").rpartition("/")[2]
    if not _IDENTIFIER.fullmatch(identifier):
        raise OutcomeUnknownError("the answer links to nothing we know")
    return identifier


def path_of(*parts: str) -> str:
    for part in parts:
        if not _IDENTIFIER.fullmatch(part) or part in {".", ".."}:
            raise OutcomeUnknownError("an identifier that is empty, dotted or too long cannot be looked up")
    return "/" + "/".join(quote(part, safe="") for part in parts)


class Derived:
    """What one attempt's authorization needs, derived from a key and our reference, so that nothing is stored."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def _mac(self, purpose: str, reference: str) -> bytes:
        return hmac.new(self._key, f"{purpose}:{reference}".encode(), hashlib.sha256).digest()

    def state(self, reference: str) -> str:
        return f"{reference}.{self._mac('state', reference).hex()[:32]}"

    def reference(self, state: str) -> str | None:
        """Return whose state this is, if it is one of ours."""
        reference = state.rpartition(".")[0]
        return reference if reference and hmac.compare_digest(self.state(reference).encode(), state.encode()) else None

    def verifier(self, reference: str) -> str:
        return base64.urlsafe_b64encode(self._mac("pkce", reference)).rstrip(b"=").decode()

    def challenge(self, reference: str) -> str:
        digest = hashlib.sha256(self.verifier(reference).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Party:
    """Who is paid, and how it is billed: the same for every payment of this installation."""

    client_id: str
    iban: str
    name_en: str
    name_ar: str
    purpose_code: str
    billing_type: str
    merchant_id: str

    def creditor(self) -> dict[str, Any]:
        name = {"en": self.name_en[:70], **({"ar": self.name_ar[:70]} if self.name_ar else {})}
        account = {"SchemeName": "IBAN", "Identification": self.iban, "Name": name, "Type": "GovernmentBody"}
        return {"Creditor": {"Name": self.name_en[:140]}, "CreditorAccount": account}

    def billing(self) -> dict[str, str]:
        return {"Type": self.billing_type, **({"MerchantId": self.merchant_id} if self.merchant_id else {})}


def consent_pii(party: Party) -> dict[str, Any]:
    """Return who is paid, as the consent words it: a list of exactly one."""
    risk = {"CreditorIndicators": {"IsCreditorPrePopulated": True}}
    return {"Initiation": {"Creditor": [party.creditor()]}, "Risk": risk}


def payment_pii(party: Party) -> dict[str, Any]:
    """Return the same as the payment words it: one object."""
    return {"Initiation": party.creditor()}


def debtor_reference(order: PaymentOrder) -> str:
    """Return what the payer's statement shows: the department's reference, in characters every bank prints."""
    text = re.sub(r"[^A-Za-z0-9 /?:().,'+-]", " ", order.description).strip()[:REFERENCE_CHARS_MAX].strip()
    return text or order.reference[:REFERENCE_CHARS_MAX]


def authorization_details(order: PaymentOrder, party: Party, pii: str, now: datetime) -> dict[str, Any]:
    until = max(order.expires_at, now + CONSENT_LIFE_MIN).isoformat(timespec="seconds")
    consent = {
        "ConsentId": consent_of(order.reference),
        "IsSingleAuthorization": True,
        "ExpirationDateTime": until,
        "AuthorizationExpirationDateTime": until,
        "Permissions": ["ReadRefundAccount"],
        "ControlParameters": {
            "ConsentSchedule": {"SinglePayment": {"Type": "SingleInstantPayment", "Amount": write_amount(order.amount)}}
        },
        "PersonalIdentifiableInformation": pii,
        "PaymentPurposeCode": party.purpose_code,
        "DebtorReference": debtor_reference(order),
        "CreditorReference": order.reference[:REFERENCE_CHARS_MAX],
    }
    details: dict[str, Any] = {"type": CONSENT_TYPE, "consent": consent}
    if order.callback_url:
        details["subscription"] = {"Webhook": {"Url": order.callback_url, "IsActive": True}}
    return details


def request_claims(
    order: PaymentOrder, party: Party, derived: Derived, issuer: str, details: dict[str, Any], nonce: str, now: datetime
) -> dict[str, Any]:
    return {
        "iss": party.client_id,
        "aud": issuer,
        "nbf": int((now - EARLY).timestamp()),
        "exp": int((now + REQUEST_LIFE).timestamp()),
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": order.landing_url,
        "scope": "payments openid",
        "state": derived.state(order.reference),
        "nonce": nonce,
        "code_challenge": derived.challenge(order.reference),
        "code_challenge_method": "S256",
        "authorization_details": [details],
    }


def assertion_claims(client_id: str, issuer: str, identifier: str, now: datetime) -> dict[str, Any]:
    at = int(now.timestamp())
    expires = int((now + REQUEST_LIFE).timestamp())
    return {"iss": client_id, "sub": client_id, "aud": issuer, "iat": at, "exp": expires, "jti": identifier}


def message_claims(client_id: str, audience: list[str] | str, message: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "iss": client_id,
        "aud": audience,
        "iat": int(now.timestamp()),
        "nbf": int((now - EARLY).timestamp()),
        "exp": int((now + REQUEST_LIFE).timestamp()),
        "message": message,
    }


def payment_message(order: PaymentOrder, party: Party, pii: str) -> dict[str, Any]:
    """Return the payment; every field that the consent has too is equal to the consent's."""
    data = {
        "ConsentId": consent_of(order.reference),
        "Instruction": {"Amount": write_amount(order.amount)},
        "PersonalIdentifiableInformation": pii,
        "PaymentPurposeCode": party.purpose_code,
        "DebtorReference": debtor_reference(order),
        "CreditorReference": order.reference[:REFERENCE_CHARS_MAX],
        "OpenFinanceBilling": party.billing(),
    }
    return {"Data": data}


def authorization_url(endpoint: str, client_id: str, request_uri: str) -> str:
    query = {"client_id": client_id, "response_type": "code", "scope": "openid", "request_uri": request_uri}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
