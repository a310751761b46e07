"""One payment settled by several lines: together they are what was open, or what is too much stands out."""

import pytest

from adapters.contract import LineKind

from .conftest import MONDAY, line, settlement


async def matches(world):
    rows = await world.pool.fetch(
        "SELECT file_no, line, outcome, rule, expected_minor, variance_minor FROM reconciliation.match"
        " WHERE leg = 'provider' ORDER BY file_no, line"
    )
    return [tuple(row) for row in rows]


async def test_lines_of_one_payment_that_sum_to_it_are_all_matched(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    await world.capture("a2", ("traffic", "30.00"), order="O-2")
    await world.capture("a3", ("traffic", "20.00"), order="O-3")
    parts = [line(1, "O-1", "60.00", fee="0.60"), line(3, "O-1", "25.00"), line(5, None, "15.00", reference="a1")]
    world.provider.put(settlement([parts[0], line(2, "O-2", "30.00"), parts[1], line(4, "O-3", "20.00"), parts[2]]))

    await world.night()

    assert await world.breaks() == []
    assert await matches(world) == [
        (1, 1, "matched", "in_parts", 6000, 0),
        (1, 2, "matched", "provider_reference", 3000, 0),
        (1, 3, "matched", "in_parts", 2500, 0),
        (1, 4, "matched", "provider_reference", 2000, 0),
        (1, 5, "matched", "in_parts", 1500, 0),
    ]
    assert await world.balances() == {
        "department:traffic:payable": "-150.00",
        "provider:alpha:in_transit": "149.40",
        "treasury:provider_fees": "0.60",
    }
    # What came as expected is still one journal, beside one for each part.
    assert len({row.split(" | ")[0] for row in await world.journals("payment_settled")}) == 4
    await world.assert_books_hold()


async def test_lines_of_one_refund_that_sum_to_it_are_all_matched(world):
    await world.capture("a1", ("traffic", "100.00"))
    await world.refund("r1", "traffic", "50.00")
    lines = [
        line(1, "O-a1", "100.00"),
        line(2, "R-r1", "-20.00", kind=LineKind.REFUND),
        line(3, "R-r1", "-30.00", kind=LineKind.REFUND),
    ]
    world.provider.put(settlement(lines))

    await world.night()

    assert await world.breaks() == []
    assert "provider:alpha:refunds_in_transit" not in await world.balances()


@pytest.mark.parametrize(
    ("amounts", "found"),
    [
        (("60.00", "50.00"), [("amount", "-40.00"), ("duplicate", "50.00")]),
        (("100.00", "100.00"), [("duplicate", "100.00")]),
        (("100.00", "60.00", "40.00"), [("duplicate", "60.00"), ("duplicate", "40.00")]),
        (("150.00", "-50.00"), [("amount", "50.00"), ("duplicate", "-50.00")]),
    ],
)
async def test_lines_that_are_not_the_parts_of_their_payment_stand_out(world, amounts, found):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    world.provider.put(settlement([line(number, "O-1", text) for number, text in enumerate(amounts, start=1)]))

    await world.night()

    assert [(kind, value) for kind, _, value in await world.breaks()] == found


async def test_lines_of_one_payment_in_another_currency_are_no_parts(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    lines = [line(1, "O-1", "60.00", currency="USD"), line(2, "O-1", "40.00", currency="USD")]
    world.provider.put(settlement(lines, currency="USD"))

    await world.night()

    assert [kind for kind, _, _ in await world.breaks()] == ["currency", "duplicate"]


@pytest.mark.parametrize("day", [None, MONDAY])
async def test_the_rest_of_a_payment_in_another_file_clears_it(world, day):
    """In the same night both differ from what is open; once both are posted nothing is, and nothing stands."""
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    world.provider.put(settlement([line(1, "O-1", "60.00")]))
    rest = settlement([line(1, "O-1", "40.00")], batch="BATCH-2")
    if day is None:
        world.provider.put(rest)
        await world.night()
    else:
        await world.night()
        assert [(kind, value) for kind, _, value in await world.breaks()] == [("amount", "-40.00")]
        world.provider.put(rest, day)
        await world.night(day)

    assert "amount" not in [kind for kind, _, _ in await world.breaks()]
    assert "provider:alpha:receivable" not in await world.balances()
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"
