"""What a provider settles off by no more than its contract tolerates is matched, the rest rounding; each side apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.contract import LineKind
from reconciliation.contracts import list_contracts
from reconciliation.matching import Leg, Tolerance
from reconciliation.provider_terms import FeeTerms, ProviderTerms
from reconciliation.unmatch import decide_unmatch, propose_unmatch, read_match

from .conftest import MONDAY, SUNDAY, line, settlement, sign

RECEIVABLE = "provider:alpha:receivable"


async def settle(world, *grosses: str, tolerance: Tolerance, kind: LineKind = LineKind.PAYMENT):
    """Payments of a hundred each, settled as these."""
    await sign(world.deps, "alpha", ProviderTerms(settlement_days=1, tolerance=tolerance), SUNDAY)
    for number in range(1, len(grosses) + 1):
        await world.capture(f"pa_{number}", ("traffic", "100.00"))
    lines = [line(number, f"O-pa_{number}", gross, kind=kind) for number, gross in enumerate(grosses, start=1)]
    world.provider.put(settlement(lines))
    await world.night()


@pytest.mark.parametrize(
    ("tolerance", "within"),
    [
        (Tolerance(), []),
        (Tolerance(above_minor=2), ["100.01", "100.02"]),
        (Tolerance(below_minor=1), ["99.99"]),
        (Tolerance(above_basis_points=3, below_minor=2), ["99.98", "99.99", "100.01", "100.02", "100.03"]),
        (Tolerance(below_basis_points=2), ["99.98", "99.99"]),
    ],
)
async def test_each_side_has_its_own_tolerance(world, tolerance, within):
    grosses = ["99.97", "99.98", "99.99", "100.01", "100.02", "100.03", "100.04"]
    await settle(world, *grosses, tolerance=tolerance)

    off = [gross for gross in grosses if gross not in within]
    assert [subject for kind, subject, _ in await world.breaks() if kind == "amount"] == [
        f"pa_{grosses.index(gross) + 1}" for gross in off
    ]
    balances = await world.balances()
    left = sum(round(float(gross) * 100) - 100_00 for gross in within)
    assert balances.get("treasury:rounding", "0.00") == f"{-left / 100:.2f}"
    await world.assert_books_hold()


async def test_what_is_tolerated_is_kept_with_its_match_and_undone_with_it(world):
    await settle(world, "99.99", "100.00", tolerance=Tolerance(below_minor=1))
    (found,) = await read_match(world.deps, Leg.PROVIDER, 1, 1)
    assert (found.rule, str(found.variance)) == ("provider_reference", "AED -0.01")
    assert (await world.balances())["treasury:rounding"] == "0.01"

    proposed = await propose_unmatch(world.deps, Leg.PROVIDER, 1, 1, by="amal", reason="another payer's")
    await decide_unmatch(world.deps, proposed, by="bilal", approve=True)

    balances = await world.balances()
    assert balances[RECEIVABLE] == "100.00"
    assert balances["suspense:unidentified"] == "-99.99"
    assert "treasury:rounding" not in balances


async def test_an_absolute_tolerance_is_of_its_own_currency_alone(world):
    terms = ProviderTerms(tolerance=Tolerance(above_minor=100, above_basis_points=5), currency="AED")
    assert terms.tolerance_in("KWD") == Tolerance(above_basis_points=5)
    await sign(world.deps, "alpha", replace(terms, fees=FeeTerms(basis_points=100)), SUNDAY)
    assert (await list_contracts(world.deps))[-1].endswith(
        "; settled AED 1.00 or 0.05 % more or AED 0.00 or 0.0 % less is rounding"
    )


@pytest.mark.parametrize(
    ("gross", "outcome", "rounding", "left"),
    [
        ("99.98", "matched", "0.02", None),
        ("100.01", "matched", "-0.01", None),
        ("99.97", "amount", None, "0.03"),
        ("100.02", "amount", None, "-0.02"),
    ],
)
async def test_what_our_books_learn_of_later_has_the_tolerance_of_its_file_s_day(world, gross, outcome, rounding, left):
    tolerance = Tolerance(above_minor=1, below_minor=2)
    await sign(world.deps, "alpha", ProviderTerms(settlement_days=1, tolerance=tolerance), SUNDAY)
    await sign(world.deps, "alpha", ProviderTerms(settlement_days=1), MONDAY)
    world.provider.put(settlement([line(7, "O-pa_late", gross)]))
    await world.night()
    await world.capture("pa_late", ("traffic", "100.00"))

    await world.night(MONDAY)

    found = (await read_match(world.deps, Leg.PROVIDER, 1, 7))[-1]
    assert (found.rule, found.outcome) == ("found_later", outcome)
    balances = await world.balances()
    assert balances.get("treasury:rounding") == rounding
    assert balances.get(RECEIVABLE) == left
    assert "suspense:unidentified" not in balances
    await world.assert_books_hold()


async def test_what_was_tolerated_later_is_undone_with_its_match(world):
    await sign(world.deps, "alpha", ProviderTerms(tolerance=Tolerance(below_minor=2)), SUNDAY)
    world.provider.put(settlement([line(7, "O-pa_late", "99.98")]))
    await world.night()
    await world.capture("pa_late", ("traffic", "100.00"))
    world.clock.advance(hours=1)
    await world.night()

    proposed = await propose_unmatch(world.deps, Leg.PROVIDER, 1, 7, by="amal", reason="another payer's")
    await decide_unmatch(world.deps, proposed, by="bilal", approve=True)

    balances = await world.balances()
    assert balances[RECEIVABLE] == "100.00"
    assert balances["suspense:unidentified"] == "-99.98"
    assert "treasury:rounding" not in balances
    await world.assert_books_hold()
