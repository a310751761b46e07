"""What a provider keeps is held against its contract on every line, whatever the line is and was matched to."""

import pytest

from adapters.contract import LineKind
from reconciliation.provider_terms import FeeTerms, ProviderTerms

from .conftest import SUNDAY, line, settlement, sign

FEES = FeeTerms(basis_points=100, fixed_minor=0, vat_basis_points=500, tolerance_minor=1)


async def fee_breaks(world, *lines):
    await sign(world.deps, "alpha", ProviderTerms(file_days=1, settlement_days=1, credit_days=1, fees=FEES), SUNDAY)
    world.provider.put(settlement(lines))
    await world.night()
    rows = await world.pool.fetch(
        "SELECT line, amount_minor, detail->>'theirs', detail->>'ours', detail->>'reference'"
        " FROM reconciliation.break WHERE type = 'fee' ORDER BY line"
    )
    return [tuple(row) for row in rows]


async def test_a_fee_the_contract_does_not_name_is_a_break_on_whatever_line_it_stands(world):
    await world.capture("a1", ("traffic", "1000.00"), order="O-1")
    await world.capture("a2", ("traffic", "1000.00"), order="O-2")
    await world.refund("r1", "traffic", "100.00")

    found = await fee_breaks(
        world,
        line(1, "O-1", "1000.00", fee="10.00", vat="0.50"),
        line(2, "O-2", "1000.00", fee="11.00", vat="0.50"),
        line(3, "R-r1", "-100.00", kind=LineKind.REFUND, fee="75.00"),
        line(4, None, "0.00", fee="400.00", kind=LineKind.FEE, raw_kind="MONTHLY"),
        line(5, "O-zz", "50.00", fee="49.00"),
        line(6, "O-1", "-10.00", kind=LineKind.CHARGEBACK, fee="60.00"),
        line(7, None, "5.00", kind=LineKind.OTHER, fee="2.00", raw_kind="ODD"),
    )

    assert found == [
        (2, 100, "AED 11.50", "AED 10.50", "O-2"),
        (3, 7500, "AED 75.00", "AED 0.00", "R-r1"),
        (4, 40000, "AED 400.00", "AED 0.00", "MONTHLY"),
        (5, 4847, "AED 49.00", "AED 0.53", "O-zz"),
        (6, 6000, "AED 60.00", "AED 0.00", "O-1"),
        (7, 200, "AED 2.00", "AED 0.00", "ODD"),
    ]


@pytest.mark.parametrize(("given_back", "value"), [("0.00", None), ("-1.00", None), ("-1.05", None), ("-1.20", -15)])
async def test_a_refund_may_give_the_fee_of_what_it_takes_back_and_no_more(world, given_back, value):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    await world.refund("r1", "traffic", "100.00")

    found = await fee_breaks(
        world,
        line(1, "O-1", "100.00", fee="1.00", vat="0.05"),
        line(2, "R-r1", "-100.00", kind=LineKind.REFUND, fee=given_back),
    )

    assert [minor for _, minor, *_ in found] == ([] if value is None else [value])


async def test_where_payments_are_settled_gross_the_fees_are_billed_by_lines_of_their_own(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    terms = ProviderTerms(file_days=1, settlement_days=1, credit_days=1, fees=FEES, settles="gross")
    await sign(world.deps, "alpha", terms, SUNDAY)
    world.provider.put(
        settlement([line(1, "O-1", "100.00", fee="0.01"), line(2, None, "0.00", fee="9.00", kind=LineKind.FEE)])
    )

    await world.night()

    assert [(kind, value) for kind, _, value in await world.breaks()] == [("fee", "0.01")]
