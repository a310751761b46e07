"""What a service costs: a tariff's terms, and the one function that prices a line by them, in whole minor units.

Everything is exact integer arithmetic and is rounded once, half up, to the tariff's step. Then come the tariff's own
minimum and maximum, then at most one concession (the one that takes most off; of equals the first written), then VAT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from gateway.domain.department import Names
from gateway.domain.errors import InvalidError
from gateway.domain.rounding import BASIS_POINTS, half_up, vat_inside, vat_on_top

AMOUNT_MINOR_MAX = 10**12
"""What one payment may be at most."""

Answers: TypeAlias = Mapping[str, str | bool]


class Measure(StrEnum):
    """What tiers are counted over."""

    QUANTITY = "quantity"
    BASE_AMOUNT = "base_amount"


class Fixed(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """One fee, once a line. Zero is a service that is free by law."""

    amount_minor: int


class PerUnit(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="per_unit"):
    """So much a page, a day, a square metre."""

    unit_minor: int
    unit: Names
    minimum_minor: int = 0
    maximum_minor: int | UnsetType = UNSET


class Band(Struct, frozen=True, forbid_unknown_fields=True):
    """One tier, written by its upper end, which still belongs to it: gaps and overlaps cannot be written."""

    up_to: int | None = None
    flat_minor: int = 0
    unit_minor: int = 0
    basis_points: int = 0


class Tiers(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="tiers"):
    """Bands over a quantity or a base amount.

    Each band charges for the part that lies in it; with `whole`, the band in which the whole lies charges for it all.
    """

    bands: tuple[Band, ...]
    measure: Measure = Measure.QUANTITY
    whole: bool = False


class Percentage(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="percentage"):
    """A share of a base amount, such as a rent or a value, between a minimum and a maximum."""

    basis_points: int
    minimum_minor: int = 0
    maximum_minor: int | UnsetType = UNSET


class Open(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="open"):
    """The department names the amount, within a range."""

    minimum_minor: int
    maximum_minor: int


Price: TypeAlias = Fixed | PerUnit | Tiers | Percentage | Open


class Concession(Struct, frozen=True, forbid_unknown_fields=True):
    """A discount or, when neither share nor amount is named, a waiver of the whole fee; for whom the answers tell."""

    code: str
    names: Names
    when: dict[str, str | bool]
    legal_basis: str
    approver: str
    """Who granted it, as the legal text has it."""
    basis_points: int | UnsetType = UNSET
    amount_minor: int | UnsetType = UNSET

    def takes_minor(self, fee_minor: int) -> int:
        """Return what it takes off a fee, never more than all of it."""
        if self.basis_points is not UNSET:
            return min(fee_minor, half_up(fee_minor * self.basis_points, BASIS_POINTS))
        return fee_minor if self.amount_minor is UNSET else min(fee_minor, self.amount_minor)

    def applies(self, answers: Answers) -> bool:
        return all(name in answers and answers[name] == wanted for name, wanted in self.when.items())


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a tariff says about money."""

    price: Price
    currency: str = "AED"
    vat_basis_points: int = 0
    vat_included: bool = True
    round_to_minor: int = 1
    concessions: tuple[Concession, ...] = field(default_factory=tuple)

    @property
    def questions(self) -> frozenset[str]:
        """What may be answered about an applicant."""
        return frozenset(name for concession in self.concessions for name in concession.when)

    def concession(self, code: str | None) -> Concession | None:
        return next((each for each in self.concessions if each.code == code), None)


@dataclass(frozen=True, slots=True)
class Tariff:
    """One approved version of one service's terms, in force from its first instant until the next one's."""

    id: str
    service: str
    version: int
    effective_on: date
    effective_at: datetime
    legal_basis: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Applied:
    """How an amount came about, as the line keeps it."""

    tariff: Tariff
    base_minor: int | None = None
    discount_minor: int = 0
    concession: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of one line. `amount_minor` is the open amount; for all other kinds the tariff knows it."""

    quantity: int = 1
    base_minor: int | None = None
    amount_minor: int | None = None
    answers: Answers | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A line's price. `fee_minor` is the tariff's own figure, `discount_minor` what a concession took off it."""

    fee_minor: int
    discount_minor: int
    concession: str | None
    vat_minor: int
    amount_minor: int


def in_force(versions: tuple[Tariff, ...], at: datetime) -> Tariff | None:
    """Return the version in force at an instant, out of one service's versions by their beginning."""
    return next((tariff for tariff in reversed(versions) if tariff.effective_at <= at), None)


def price(terms: Terms, asked: Asked) -> Priced:
    """Price one line; what is missing, superfluous or out of range is refused with the line's field."""
    answers = asked.answers or {}
    for name in answers:
        if name not in terms.questions:
            raise InvalidError("this service's tariff asks no such question", pointer=f"/answers/{name}")
    fee_minor = _fee(terms, asked)
    granted = [each for each in terms.concessions if each.applies(answers)]
    best = max(granted, key=lambda each: each.takes_minor(fee_minor), default=None)
    discount_minor = best.takes_minor(fee_minor) if best else 0
    left_minor = fee_minor - discount_minor
    rate = terms.vat_basis_points
    vat_minor = vat_inside(left_minor, rate) if terms.vat_included else vat_on_top(left_minor, rate)
    amount_minor = left_minor if terms.vat_included else left_minor + vat_minor
    if amount_minor > AMOUNT_MINOR_MAX:
        raise InvalidError("the line is beyond what one payment may be", pointer="/quantity")
    return Priced(fee_minor, discount_minor, best.code if best else None, vat_minor, amount_minor)


def takes_base(kind: Price) -> bool:
    """Tell whether a price is a share of an amount that has to be named."""
    return isinstance(kind, Percentage) or (isinstance(kind, Tiers) and kind.measure is Measure.BASE_AMOUNT)


def _fee(terms: Terms, asked: Asked) -> int:
    kind, step = terms.price, terms.round_to_minor
    base_minor = _base(kind, asked)
    if asked.quantity > 1 and (isinstance(kind, Fixed) or takes_base(kind)):
        raise InvalidError("this service is charged once a line", pointer="/quantity")
    match kind:
        case Fixed():
            return kind.amount_minor
        case PerUnit():
            fee = half_up(kind.unit_minor * asked.quantity, 1, step)
            return _between(fee, kind.minimum_minor, kind.maximum_minor)
        case Percentage():
            fee = half_up(base_minor * kind.basis_points, BASIS_POINTS, step)
            return _between(fee, kind.minimum_minor, kind.maximum_minor)
        case Tiers():
            counted = asked.quantity if kind.measure is Measure.QUANTITY else base_minor
            return half_up(tiered(kind, counted), BASIS_POINTS, step)
        case Open():
            return _open_amount(kind, asked)


def tiered(tiers: Tiers, counted: int) -> int:
    """Return what tiers charge, in ten-thousandths of a minor unit, not rounded."""
    total, below = 0, 0
    for band in tiers.bands:
        last = band.up_to is None or counted <= band.up_to
        part = counted if tiers.whole else (counted if last or band.up_to is None else band.up_to) - below
        if last or not tiers.whole:
            total += BASIS_POINTS * (band.flat_minor + band.unit_minor * part) + band.basis_points * part
        if last:
            return total
        below = band.up_to or 0
    field_name = "/quantity" if tiers.measure is Measure.QUANTITY else "/base_amount/amount"
    raise InvalidError("is beyond the tariff's last tier", pointer=field_name)


def _base(kind: Price, asked: Asked) -> int:
    if not takes_base(kind):
        if asked.base_minor is not None:
            raise InvalidError("this service's fee is not taken of a base amount", pointer="/base_amount")
        return 0
    if asked.base_minor is None:
        raise InvalidError("this service's fee is taken of a base amount: name it", pointer="/base_amount")
    return asked.base_minor


def _between(fee_minor: int, least_minor: int, most_minor: int | UnsetType) -> int:
    fee_minor = max(fee_minor, least_minor)
    return fee_minor if most_minor is UNSET else min(fee_minor, most_minor)


def _open_amount(kind: Open, asked: Asked) -> int:
    if asked.amount_minor is None:
        raise InvalidError("this service has no fixed amount: name one", pointer="/amount")
    if not kind.minimum_minor <= asked.amount_minor <= kind.maximum_minor:
        raise InvalidError(
            f"the tariff allows {kind.minimum_minor} to {kind.maximum_minor} minor units", pointer="/amount/amount"
        )
    return asked.amount_minor
