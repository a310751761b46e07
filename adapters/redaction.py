"""What may be shown of a conversation with a provider: everything but secrets, card numbers and contacts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

REDACTED: Final = "[redacted]"
SECRET_LENGTH_MIN: Final = 6
"""A shorter value is a word, not a secret; blotting it out would blot out half of every transcript."""

SHOWN_HEADERS: Final = frozenset(
    {
        "accept",
        "content-length",
        "content-type",
        "date",
        "retry-after",
        "x-correlation-id",
        "x-correlationid",
        "x-request-id",
        "idempotency-key",
        "location",
    }
)
"""The only headers a transcript shows: a new secret header is hidden before anybody thinks of it."""

_PRIVATE_KEYS: Final = (
    "access_token|refresh_token|client_secret|api_?key|password|passkey|authorization|secret|hmacSignature"
    "|cvv|cvc|cardholderName|emailAddress|payerEmail|shopperEmail|telephoneNumber|subscriber|msisdn|PhoneNumber|PartyA"
)
_PRIVATE_FIELD: Final = re.compile(rf'("(?:{_PRIVATE_KEYS})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?\d+)', re.IGNORECASE)
_FORM_FIELD: Final = re.compile(r"(?<![A-Za-z_])((?:code|code_verifier|client_secret|refresh_token)=)[^&\s\"']+")
_PARTY_VALUE: Final = re.compile(r'("key"\s*:\s*"msisdn"\s*,\s*"value"\s*:\s*)"[^"]*"', re.IGNORECASE)
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_MOBILE: Final = re.compile(r"\+\d{8,15}(?!\d)")
_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z-])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z-])")


def passes_luhn(digits: str) -> bool:
    """Say whether the digits carry a card number's check digit."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2  # noqa: PLR2004 (a doubled digit above 4 has two digits)
        total += value
    return total % 10 == 0


def mask_card(number: str) -> str:
    """Keep the first six and the last four of a card number, as receipts may show; masked ones come back unchanged."""
    digits = re.sub(r"[ -]", "", number)
    if not digits.isdecimal():
        return number
    return f"{digits[:6]}{'*' * max(len(digits) - 10, 0)}{digits[-4:]}"


def _blot_card(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return mask_card(digits) if passes_luhn(digits) else match[0]


class Redaction:
    """Blots out the given secrets, and whatever looks like a token, a card number or a contact."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        kept = {secret for secret in secrets if len(secret) >= SECRET_LENGTH_MIN}
        # The longest first, so that no secret survives as the tail of another.
        self._secrets = sorted(kept, key=lambda secret: (-len(secret), secret))

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        text = _PRIVATE_FIELD.sub(rf'\1"{REDACTED}"', text)
        text = _FORM_FIELD.sub(rf"\1{REDACTED}", text)
        text = _PARTY_VALUE.sub(rf'\1"{REDACTED}"', text)
        text = _BEARER.sub(rf"\1 {REDACTED}", text)
        for pattern in (_TOKEN, _EMAIL, _MOBILE):
            text = pattern.sub(REDACTED, text)
        return _DIGITS.sub(_blot_card, text)

    def body(self, body: bytes) -> str:
        return self.text(body.decode("utf-8", "replace"))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            name: self.text(value) if name.lower() in SHOWN_HEADERS else REDACTED for name, value in headers.items()
        }
