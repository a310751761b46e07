"""The test cards: the number decides what the simulated issuer says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Behaviour(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    CHALLENGE = "challenge"  # 3-D Secure page asks for a code
    PENDING = "pending"  # stays pending until somebody resolves it
    SILENT = "silent"  # paid, but the merchant is never told and the payer never returns


@dataclass(frozen=True, slots=True)
class CardSample:
    """One row of the table that the demo prints."""

    number: str
    scheme: str
    behaviour: Behaviour
    result_code: str
    english: str
    arabic: str

    @property
    def spaced(self) -> str:
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))


CHALLENGE_CODE: Final = "123456"
"""What the 3-D Secure page accepts; any other code fails the authentication."""

_APPROVE, _DECLINE = Behaviour.APPROVE, Behaviour.DECLINE

TEST_CARDS: Final[tuple[CardSample, ...]] = (
    CardSample("4111111111111111", "VISA", _APPROVE, "00", "Approved", "مقبولة"),
    CardSample("5555555555554444", "MASTERCARD", _APPROVE, "00", "Approved", "مقبولة"),
    CardSample("4000000000000002", "VISA", _DECLINE, "05", "Declined by the bank", "مرفوضة من البنك"),
    CardSample("4000000000009995", "VISA", _DECLINE, "51", "Insufficient funds", "الرصيد غير كافٍ"),
    CardSample("4000000000000069", "VISA", _DECLINE, "54", "Expired card", "بطاقة منتهية الصلاحية"),
    CardSample("4000000000000127", "VISA", _DECLINE, "82", "Wrong security code", "رمز الأمان خاطئ"),
    CardSample("4000000000000119", "VISA", _DECLINE, "96", "Issuer out of order", "عطل لدى البنك المُصدر"),
    CardSample(
        "4000000000003220",
        "VISA",
        Behaviour.CHALLENGE,
        "00",
        f"3-D Secure, the code is {CHALLENGE_CODE}",
        f"تحقق ثلاثي الأبعاد، الرمز {CHALLENGE_CODE}",
    ),
    CardSample("4000000000000077", "VISA", Behaviour.PENDING, "00", "Stays pending", "تبقى قيد الانتظار"),
    CardSample(
        "4000000000000341",
        "VISA",
        Behaviour.SILENT,
        "00",
        "Paid, but nobody is told: found by the sweep",
        "مدفوعة دون إشعار: يكتشفها التدقيق الدوري",
    ),
)

_UNKNOWN: Final = CardSample("", "VISA", _DECLINE, "14", "Unknown card", "بطاقة غير معروفة")
_BY_NUMBER: Final = {card.number: card for card in TEST_CARDS}


def find_card(number: str) -> CardSample:
    """Return the card; a number outside the table is declined as invalid."""
    return _BY_NUMBER.get("".join(number.split()), _UNKNOWN)


def masked(number: str) -> str:
    digits = "".join(number.split())
    return f"{digits[:6]}{'*' * max(len(digits) - 10, 0)}{digits[-4:]}"
