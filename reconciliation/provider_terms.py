"""What is agreed with a provider: when its file and money are due, what it may keep, from which day on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from reconciliation.matching import EXACT, Tolerance


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


GROSS: Final = "gross"
NOTHING_KEPT: Final = FeeTerms(basis_points=0, tolerance_minor=0)


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """When a provider's file and money are due, in its working days, and what it may keep.

    Absolute amounts are in minor units of `currency`: for a payment in another one they are nothing.
    """

    file_days: int = 1
    settlement_days: int = 2
    credit_days: int = 2
    fees: FeeTerms | None = None
    tolerance: Tolerance = EXACT
    currency: str = "AED"
    settles: str = "net"
    """Whether the provider takes its fees off each payment (`net`), or settles it whole (`gross`) and bills them."""

    def fees_in(self, currency: str) -> FeeTerms | None:
        """Return what may be kept of payments in a currency; `None` where nothing is agreed about it."""
        if self.settles == GROSS:
            return NOTHING_KEPT
        if self.fees is None or currency == self.currency:
            return self.fees
        return FeeTerms(self.fees.basis_points, 0, self.fees.vat_basis_points, self.fees.tolerance_minor)

    def tolerance_in(self, currency: str) -> Tolerance:
        """Return how much a payment in a currency may be settled off by."""
        if currency == self.currency:
            return self.tolerance
        return replace(self.tolerance, above_minor=0, below_minor=0)


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
