"""What is agreed with a provider: when its file and money are due, what it may keep, from which day on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What the contract lets a provider keep of a payment, and the VAT on it."""

    basis_points: int
    fixed_minor: int = 0
    vat_basis_points: int = 500
    tolerance_minor: int = 1

    def expected(self, gross_minor: int) -> tuple[int, int]:
        """Return fee and VAT, each rounded half up as invoices do."""
        fee_minor = (gross_minor * self.basis_points + 5_000) // 10_000 + self.fixed_minor
        return fee_minor, (fee_minor * self.vat_basis_points + 5_000) // 10_000


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """When a provider's file and money are due, in its working days, and what it may keep.

    The fixed part of a fee is in minor units of `currency`: of a payment in another one there is none.
    """

    file_days: int = 1
    settlement_days: int = 2
    credit_days: int = 2
    fees: FeeTerms | None = None
    currency: str = "AED"

    def fees_in(self, currency: str) -> FeeTerms | None:
        """Return what is agreed for payments in a currency; `None` where no fee is agreed."""
        if self.fees is None or currency == self.currency:
            return self.fees
        return FeeTerms(self.fees.basis_points, 0, self.fees.vat_basis_points, self.fees.tolerance_minor)


NOT_AGREED = ProviderTerms()
"""What holds for a provider before its first contract begins: usual days, and no fee to hold its files against."""


@dataclass(frozen=True, slots=True)
class Contracts:
    """Every approved version of every provider's contract, each provider's in the order in which they begin."""

    versions: Mapping[str, Sequence[tuple[date, ProviderTerms]]] = field(default_factory=dict)

    def terms_of(self, provider: str, day: date) -> ProviderTerms:
        """Return the terms in force on a day."""
        known = self.versions.get(provider, ())
        place = bisect_right(known, day, key=lambda version: version[0])
        return known[place - 1][1] if place else NOT_AGREED
