"""A chargeback is a dispute of one payment, however the file names it and whichever file it comes in."""

from __future__ import annotations

import pytest

from adapters.contract import LineKind

from .conftest import line, settlement


@pytest.mark.parametrize("named", ["by the provider's order", "by our reference", "by both"])
async def test_hc23_a_chargeback_in_the_file_of_its_own_capture_is_its_dispute(world, named):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    order = "O-pa_1" if named != "by our reference" else None
    reference = "pa_1" if named != "by the provider's order" else None
    taken = line(2, order, "-100.00", kind=LineKind.CHARGEBACK, reference=reference)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), taken]))

    await world.night()

    assert await world.breaks() == [("chargeback", "pa_1", "-100.00")]
    opened = await world.pool.fetch("SELECT item, payment FROM ledger.postings WHERE account = 'disputes:receivable'")
    captured = await world.pool.fetchval("SELECT payment FROM ledger.postings WHERE kind = 'payment_captured' LIMIT 1")
    assert [tuple(row) for row in opened] == [("pa_1", captured)]
    assert world.bank.instructed() == {}, "what is disputed is not paid out"


async def test_hc23_a_chargeback_before_its_payment_is_settled_is_its_dispute(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "-100.00", kind=LineKind.CHARGEBACK)]))
    await world.night()
    assert ("chargeback", "pa_1", "-100.00") in await world.breaks()


async def test_hc23_a_reference_of_ours_goes_before_the_providers(world):
    """Two payments may share a provider's order; the attempt is one."""
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "100.00"))
    taken = line(3, "O-pa_1", "-100.00", kind=LineKind.CHARGEBACK, reference="pa_2")
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "100.00"), taken]))
    await world.night()
    assert await world.breaks() == [("chargeback", "pa_2", "-100.00")]
