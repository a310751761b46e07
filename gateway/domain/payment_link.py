"""An address a department hands out: what it is for, what its payer may choose, and how long it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gateway.domain.department import Names
from gateway.domain.errors import InvalidError
from ledger.money import Money


class LinkState(StrEnum):
    USABLE = "usable"
    EXPIRED = "expired"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """`amount` is fixed; `least` and `most` bound what the payer names; without all three the tariff says."""

    id: str
    department: str
    reference: str
    service: str | None
    names: Names
    revenue_code: str
    quantity: int
    base_minor: int | None
    answers: Mapping[str, str | bool]
    """What the tariff is told of the applicant, each time the link is priced."""
    currency: str
    amount: Money | None
    least: Money | None
    most: Money | None
    single_use: bool
    language: str
    return_url: str | None
    metadata: Mapping[str, str]
    live: bool
    created_at: datetime
    expires_at: datetime | None
    disabled_at: datetime | None

    @property
    def payer_names_amount(self) -> bool:
        return self.least is not None

    def state(self, at: datetime) -> LinkState:
        if self.disabled_at is not None:
            return LinkState.DISABLED
        return LinkState.EXPIRED if self.expires_at is not None and self.expires_at <= at else LinkState.USABLE

    def within(self, least_minor: int, most_minor: int) -> PaymentLink:
        """Return the link with its payer's bounds no wider than these, which a tariff has set since it was made."""
        if self.least is None or self.most is None:
            return self
        least = max(self.least, Money(least_minor, self.currency))
        return replace(self, least=least, most=min(self.most, Money(most_minor, self.currency)))

    def check_amount(self, named: Money | None) -> Money | None:
        """Return the amount to ask for: the fixed one, the payer's within the bounds, or None for the tariff's."""
        if self.least is None or self.most is None:
            return self.amount
        if named is None or named < self.least or self.most < named:
            raise InvalidError(f"from {self.least} to {self.most}", pointer="/amount")
        return named
