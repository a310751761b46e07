"""Reading a tariff's terms: every sentence a lawyer could get wrong is refused with the place it stands at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from gateway.domain.errors import FieldFault, InvalidError
from gateway.domain.rounding import BASIS_POINTS
from gateway.domain.tariff import (
    AMOUNT_MINOR_MAX,
    Band,
    Concession,
    Fixed,
    Measure,
    Open,
    Percentage,
    PerUnit,
    Terms,
    Tiers,
    tiered,
)
from gateway.domain.text import check_text
from ledger.errors import MoneyError
from ledger.money import exponent_of

QUANTITY_MAX: Final = 10_000
_BANDS_MAX: Final = 50
_CONCESSIONS_MAX: Final = 20
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TEXT_MAX: Final = 500

Faults = Iterator[tuple[str, str]]


def read_terms(value: Any) -> Terms:
    """Read terms as they stand in a file or in the database; all faults are told at once."""
    try:
        terms = msgspec.convert(value, Terms, strict=True)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        pointer = "/terms" + re.sub(r"\.|\[(\d+)\]", lambda found: f"/{found[1] or ''}", _place(path))
        raise InvalidError(what.replace("`", ""), pointer=pointer) from None
    faults = [FieldFault(f"/terms{pointer}", "invalid", detail) for pointer, detail in _faults(terms)]
    if faults:
        raise InvalidError(faults=faults)
    return terms


def _place(path: str) -> str:
    return path.rstrip("`").replace("[...]", "")


def terms_document(terms: Terms) -> dict[str, Any]:
    """Return terms as plain values: what the database, the API and files hold."""
    document: dict[str, Any] = msgspec.to_builtins(terms)
    return document


def _faults(terms: Terms) -> Faults:
    try:
        exponent_of(terms.currency)
    except MoneyError as error:
        yield "/currency", str(error)
    if not 0 <= terms.vat_basis_points <= BASIS_POINTS:
        yield "/vat_basis_points", "0 to 10000"
    if not 1 <= terms.round_to_minor <= AMOUNT_MINOR_MAX:
        yield "/round_to_minor", "1 or more minor units"
    yield from _price_faults(terms)
    if len(terms.concessions) > _CONCESSIONS_MAX:
        yield "/concessions", f"at most {_CONCESSIONS_MAX}"
    codes = [concession.code for concession in terms.concessions]
    for number, concession in enumerate(terms.concessions):
        if concession.code in codes[:number]:
            yield f"/concessions/{number}/code", "stands twice"
        for pointer, detail in _concession_faults(concession):
            yield f"/concessions/{number}{pointer}", detail


def _price_faults(terms: Terms) -> Faults:
    kind = terms.price
    match kind:
        case Fixed():
            yield from _amount("/price/amount_minor", kind.amount_minor)
        case PerUnit():
            yield from _amount("/price/unit_minor", kind.unit_minor, least=1)
            yield from _range(kind.minimum_minor, kind.maximum_minor)
            yield from _texts("/price/unit", kind.unit.ar, kind.unit.en)
        case Percentage():
            if not 1 <= kind.basis_points <= BASIS_POINTS:
                yield "/price/basis_points", "1 to 10000"
            yield from _range(kind.minimum_minor, kind.maximum_minor)
        case Open():
            if kind.minimum_minor < 1:
                yield "/price/minimum_minor", "1 or more"
            yield from _range(kind.minimum_minor, kind.maximum_minor)
            if not terms.vat_included:
                yield "/vat_included", "an open amount is what the payer pays: VAT is included in it"
        case Tiers():
            yield from _tier_faults(kind)


def _tier_faults(tiers: Tiers) -> Faults:
    if not 1 <= len(tiers.bands) <= _BANDS_MAX:
        yield "/price/bands", f"1 to {_BANDS_MAX} bands"
        return
    over_quantity = tiers.measure is Measure.QUANTITY
    most = QUANTITY_MAX if over_quantity else AMOUNT_MINOR_MAX
    for number, band in enumerate(tiers.bands):
        at = f"/price/bands/{number}"
        yield from _amount(f"{at}/flat_minor", band.flat_minor)
        yield from _amount(f"{at}/unit_minor", band.unit_minor, most=AMOUNT_MINOR_MAX if over_quantity else 0)
        if not 0 <= band.basis_points <= (0 if over_quantity else BASIS_POINTS):
            yield f"{at}/basis_points", "a rate belongs to tiers over a base amount, 0 to 10000"
        if band.up_to is None and number < len(tiers.bands) - 1:
            yield f"{at}/up_to", "only the last band is without an end"
        if band.up_to is not None and not 1 <= band.up_to <= most:
            yield f"{at}/up_to", f"1 to {most}"
    for number, (lower, upper) in enumerate(pairwise(tiers.bands), 1):
        yield from _step_faults(tiers, number, lower, upper)


def _step_faults(tiers: Tiers, number: int, lower: Band, upper: Band) -> Faults:
    """Refuse bands out of order, and a fee that falls when more is asked for."""
    if lower.up_to is None:
        return
    if upper.up_to is not None and upper.up_to <= lower.up_to:
        yield f"/price/bands/{number}/up_to", "bands are written from the lowest to the highest"
        return
    ends_before = any(one.up_to is None or one.up_to < 1 for one in tiers.bands[:number])
    if tiers.whole and not ends_before and tiered(tiers, lower.up_to) > tiered(tiers, lower.up_to + 1):
        yield f"/price/bands/{number}", "the fee falls where this band begins"


def _concession_faults(concession: Concession) -> Faults:
    if not _WORD.fullmatch(concession.code):
        yield "/code", "small letters, digits and _"
    yield from _texts("/names", concession.names.ar, concession.names.en)
    yield from _texts("/legal_basis", concession.legal_basis)
    yield from _texts("/approver", concession.approver)
    if not concession.when:
        yield "/when", "says for which answers it is granted"
    for name, wanted in concession.when.items():
        if not _WORD.fullmatch(name):
            yield "/when", "questions have small letters, digits and _"
        if isinstance(wanted, str):
            yield from _texts(f"/when/{name}", wanted)
    share, amount = concession.basis_points, concession.amount_minor
    if share is not UNSET and amount is not UNSET:
        yield "/basis_points", "a share or an amount, not both; neither is a waiver"
    if share is not UNSET and not 1 <= share < BASIS_POINTS:
        yield "/basis_points", "1 to 9999; a waiver of all names neither share nor amount"
    if amount is not UNSET:
        yield from _amount("/amount_minor", amount, least=1)


def _amount(pointer: str, value: int, *, least: int = 0, most: int = AMOUNT_MINOR_MAX) -> Faults:
    if not least <= value <= most:
        yield pointer, f"a whole number of minor units from {least} to {most}"


def _range(least: int, most: int | UnsetType) -> Faults:
    yield from _amount("/price/minimum_minor", least)
    if most is not UNSET:
        yield from _amount("/price/maximum_minor", most)
        if most < least:
            yield "/price/maximum_minor", "is below the minimum"


def _texts(pointer: str, *texts: str) -> Faults:
    for text in texts:
        try:
            check_text(text, length_max=_TEXT_MAX, pointer=pointer)
        except InvalidError as error:
            yield pointer, error.detail
