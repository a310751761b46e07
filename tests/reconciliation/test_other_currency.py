"""Settled in another currency than it was paid in, or credited in another than the batch: named, and booked by two."""

from __future__ import annotations

import pytest

from reconciliation.breaks import Action
from reconciliation.errors import NotAllowedError
from reconciliation.matching import Leg
from reconciliation.resolutions import Target, decide_resolution, propose_resolution, read_break
from reconciliation.unmatch import decide_unmatch, propose_unmatch, read_match

from .conftest import MONDAY, entry, line, settlement

IN_TRANSIT = "provider:alpha:in_transit"


@pytest.fixture
async def abroad(world):
    """A fee of AED 367.25 is settled as USD 100.00, of which the bank credits AED 366.90."""
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "367.25"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00", currency="USD")], currency="USD"))
    world.bank.state(entry("366.90", batch="BATCH-1"))
    await world.night()
    return world


async def exchange(world, kind: str, target: Target, by: str = "amal") -> None:
    found = await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = $1 AND closed_at IS NULL", kind)
    proposed = await propose_resolution(
        world.deps, found, Action.EXCHANGE, by=by, reason="at the rate of the provider's advice", target=target
    )
    await decide_resolution(world.deps, proposed, by="bilal", approve=True)


async def test_both_halves_are_named_breaks_and_nothing_is_guessed(abroad):
    assert await abroad.breaks() == [("currency", "alpha:1:1", "100.00"), ("other_currency", "1:1", "366.90")]
    assert (await abroad.balances())["suspense:unidentified"] == "-366.90"
    assert await abroad.balances("USD") == {IN_TRANSIT: "100.00", "suspense:unidentified": "-100.00"}
    found = await abroad.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'other_currency'")
    assert '"ours": "USD 100.00"' in (await read_break(abroad.deps, found)).detail
    await abroad.assert_books_hold()


async def test_two_people_book_the_exchange_and_what_is_left_is_its_loss(abroad):
    await exchange(abroad, "currency", Target("provider:alpha:receivable", "pa_1"))
    assert await abroad.journals("exchanged") == [
        f"resolution:{await the_break(abroad, 'currency')} | suspense:unidentified | 100.00 | alpha:1:1",
        f"resolution:{await the_break(abroad, 'currency')} | treasury:exchange | -100.00 |",
        f"resolution:{await the_break(abroad, 'currency')} | provider:alpha:receivable | -367.25 | pa_1",
        f"resolution:{await the_break(abroad, 'currency')} | treasury:exchange | 367.25 |",
    ]
    await exchange(abroad, "other_currency", Target(IN_TRANSIT, "BATCH-1"))

    assert await abroad.balances("USD") == {}
    books = await abroad.balances()
    assert (books["treasury:exchange"], books["bank:main:cash"]) == ("0.35", "366.90")
    assert "suspense:unidentified" not in books

    # What is proven by now is paid, to the last fils: the loss is the treasury's.
    await abroad.night(MONDAY)
    assert [amount.decimal() for amount in abroad.bank.instructed().values()] == ["367.25"]
    assert await abroad.breaks() == []
    await abroad.assert_books_hold()


async def the_break(world, kind: str) -> str:
    return await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = $1", kind)


async def test_an_exchange_is_undone_as_any_match_is(abroad):
    await exchange(abroad, "other_currency", Target(IN_TRANSIT, "BATCH-1"))
    assert (await read_match(abroad.deps, Leg.BANK, 1, 1))[-1].rule == "exchanged"
    proposed = await propose_unmatch(abroad.deps, Leg.BANK, 1, 1, by="amal", reason="another batch")
    await decide_unmatch(abroad.deps, proposed, by="bilal", approve=True)
    assert (await abroad.balances("USD"))[IN_TRANSIT] == "100.00"
    assert (await abroad.balances())["suspense:unidentified"] == "-366.90"
    assert "treasury:exchange" not in await abroad.balances()
    await abroad.assert_books_hold()


async def test_an_exchange_needs_the_item_in_another_currency_on_the_other_side(abroad):
    found = await the_break(abroad, "other_currency")
    for target, said in (
        (None, "names the item"),
        (Target(IN_TRANSIT, "BATCH-9"), "not open in one other currency"),
        (Target("suspense:unidentified", "alpha:1:1"), "opposite sides"),
    ):
        with pytest.raises(NotAllowedError, match=said):
            await propose_resolution(abroad.deps, found, Action.EXCHANGE, by="amal", reason="x", target=target)
