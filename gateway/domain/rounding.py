"""The only two roundings of prices: half up to a step, and VAT taken out of an amount or put on it."""

from __future__ import annotations

from typing import Final

BASIS_POINTS: Final = 10_000
"""A hundred per cent."""


def half_up(numerator: int, denominator: int, step: int = 1) -> int:
    """Round a fraction that is not negative to the nearest multiple of a step; exactly half goes up."""
    unit = denominator * step
    return (2 * numerator + unit) // (2 * unit) * step


def vat_inside(amount_minor: int, vat_basis_points: int) -> int:
    """Return the VAT that an amount includes."""
    return half_up(amount_minor * vat_basis_points, BASIS_POINTS + vat_basis_points) if vat_basis_points else 0


def vat_on_top(net_minor: int, vat_basis_points: int) -> int:
    """Return the VAT that comes on top of a net amount."""
    return half_up(net_minor * vat_basis_points, BASIS_POINTS)
