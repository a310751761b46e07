"""Amounts as integers in minor units with an ISO 4217 code.

The exponent comes from this table and never from a locale library: CLDR rounds some currencies for display
(IQD to 0), the books do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import MoneyError

EXPONENTS: Final[dict[str, int]] = {
    "AED": 2, "AFN": 2, "ALL": 2, "AMD": 2, "AOA": 2, "ARS": 2, "AUD": 2, "AWG": 2, "AZN": 2, "BAM": 2,
    "BBD": 2, "BDT": 2, "BHD": 3, "BIF": 0, "BMD": 2, "BND": 2, "BOB": 2, "BRL": 2, "BSD": 2, "BTN": 2,
    "BWP": 2, "BYN": 2, "BZD": 2, "CAD": 2, "CDF": 2, "CHF": 2, "CLP": 0, "CNY": 2, "COP": 2, "CRC": 2,
    "CUP": 2, "CVE": 2, "CZK": 2, "DJF": 0, "DKK": 2, "DOP": 2, "DZD": 2, "EGP": 2, "ERN": 2, "ETB": 2,
    "EUR": 2, "FJD": 2, "FKP": 2, "GBP": 2, "GEL": 2, "GHS": 2, "GIP": 2, "GMD": 2, "GNF": 0, "GTQ": 2,
    "GYD": 2, "HKD": 2, "HNL": 2, "HTG": 2, "HUF": 2, "IDR": 2, "ILS": 2, "INR": 2, "IQD": 3, "IRR": 2,
    "ISK": 0, "JMD": 2, "JOD": 3, "JPY": 0, "KES": 2, "KGS": 2, "KHR": 2, "KMF": 0, "KPW": 2, "KRW": 0,
    "KWD": 3, "KYD": 2, "KZT": 2, "LAK": 2, "LBP": 2, "LKR": 2, "LRD": 2, "LSL": 2, "LYD": 3, "MAD": 2,
    "MDL": 2, "MGA": 2, "MKD": 2, "MMK": 2, "MNT": 2, "MOP": 2, "MRU": 2, "MUR": 2, "MVR": 2, "MWK": 2,
    "MXN": 2, "MYR": 2, "MZN": 2, "NAD": 2, "NGN": 2, "NIO": 2, "NOK": 2, "NPR": 2, "NZD": 2, "OMR": 3,
    "PAB": 2, "PEN": 2, "PGK": 2, "PHP": 2, "PKR": 2, "PLN": 2, "PYG": 0, "QAR": 2, "RON": 2, "RSD": 2,
    "RUB": 2, "RWF": 0, "SAR": 2, "SBD": 2, "SCR": 2, "SDG": 2, "SEK": 2, "SGD": 2, "SHP": 2, "SLE": 2,
    "SOS": 2, "SRD": 2, "SSP": 2, "STN": 2, "SVC": 2, "SYP": 2, "SZL": 2, "THB": 2, "TJS": 2, "TMT": 2,
    "TND": 3, "TOP": 2, "TRY": 2, "TTD": 2, "TWD": 2, "TZS": 2, "UAH": 2, "UGX": 0, "USD": 2, "UYU": 2,
    "UZS": 2, "VED": 2, "VES": 2, "VND": 0, "VUV": 0, "WST": 2, "XAD": 2, "XAF": 0, "XCD": 2, "XCG": 2,
    "XOF": 0, "XPF": 0, "YER": 2, "ZAR": 2, "ZMW": 2, "ZWG": 2,
}  # fmt: skip
"""ISO 4217:2015 minor-unit exponents of the currencies Mizan books."""

AMOUNT_MINOR_MAX: Final = 10**15
"""Bound of an amount that comes in: ten trillion of a two-decimal currency."""

TOTAL_MINOR_MAX: Final = 9 * 10**18
"""Bound of sums and balances: what a bigint holds, less some room."""

_DECIMAL: Final = re.compile(r"(-?)(\d{1,16})(?:\.(\d{1,3}))?")


def exponent_of(currency: str) -> int:
    """Return how many decimals the currency has; `MoneyError` names a currency that is not kept."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise MoneyError(f"currency {currency!r} is not one Mizan books (ISO 4217, upper case)") from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """A signed amount in minor units of one currency: `Money(125050, "AED")` is AED 1,250.50."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        # asyncpg turns 1.999999 into 1 and takes True for a bigint, so the border stands here.
        if type(self.amount_minor) is not int:
            kind = type(self.amount_minor).__name__
            raise MoneyError(f"amount_minor must be a whole number of minor units, not {kind}")
        if not -AMOUNT_MINOR_MAX <= self.amount_minor <= AMOUNT_MINOR_MAX:
            raise MoneyError(f"amount_minor {self.amount_minor} is beyond ±{AMOUNT_MINOR_MAX}")
        exponent_of(self.currency)

    @classmethod
    def of_total(cls, amount_minor: int, currency: str) -> Money:
        """Return a sum of amounts, which may be larger than an amount that comes in."""
        if not -TOTAL_MINOR_MAX <= amount_minor <= TOTAL_MINOR_MAX:
            raise MoneyError(f"total {amount_minor} is beyond ±{TOTAL_MINOR_MAX}")
        money = object.__new__(cls)
        object.__setattr__(money, "amount_minor", amount_minor)
        object.__setattr__(money, "currency", currency)
        return money

    def _same(self, other: Money) -> None:
        if not isinstance(other, Money):
            raise MoneyError(f"{self} cannot be added to or compared with a {type(other).__name__}")
        if self.currency != other.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be added or compared")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money.of_total(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money.of_total(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> Money:
        return Money.of_total(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def decimal(self) -> str:
        """Return the plain decimal text banks and files use: `1250.50`, `-0.005`, `700` for JPY."""
        exponent = EXPONENTS[self.currency]
        sign = "-" if self.amount_minor < 0 else ""
        digits = str(abs(self.amount_minor)).rjust(exponent + 1, "0")
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"

    def __str__(self) -> str:
        """Return the amount as a person reads it: `AED 1,250.50`."""
        whole, _, fraction = self.decimal().partition(".")
        sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        grouped = f"{int(whole):,}"
        return f"{self.currency} {sign}{grouped}" + (f".{fraction}" if fraction else "")

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read decimal text exactly; more decimals than the currency has are an error unless they are zeros."""
        exponent = exponent_of(currency)
        match = _DECIMAL.fullmatch(text) if isinstance(text, str) and text.isascii() else None
        if match is None:
            raise MoneyError(f"{text!r} is not a decimal amount")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        kept, dropped = fraction[:exponent].ljust(exponent, "0"), fraction[exponent:]
        if dropped.strip("0"):
            raise MoneyError(f"{text!r} has more decimals than {currency} ({exponent})")
        minor = int(whole + kept)
        return cls(-minor if sign else minor, currency)

    def allocate(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Split by weights with the largest remainder, so that the parts always sum to the whole."""
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise MoneyError("weights must be non-negative and not all zero")
        sign = -1 if self.amount_minor < 0 else 1
        amount = abs(self.amount_minor)
        floors = [amount * weight // total for weight in weights]
        remainders = [amount * weight % total for weight in weights]
        left = amount - sum(floors)
        # Ties go to the earlier part, so that the same split always gives the same parts.
        for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:left]:
            floors[index] += 1
        return tuple(Money.of_total(sign * part, self.currency) for part in floors)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Sum amounts of one currency; an empty sum is zero of that currency."""
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result
