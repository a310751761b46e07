"""HC-30: one department's backlog of closings and refunds holds up nobody else's."""

from __future__ import annotations

from datetime import timedelta

from gateway.store import intents, refunds

FINE = {"lines": [{"service": "fine", "amount": {"amount": 400_00, "currency": "AED"}}]}
LATER = timedelta(minutes=2)


async def test_hc30_intents_are_closed_with_the_departments_in_turn(town):
    ours = [await town.intent() for _ in range(6)]
    town.clock.advance(minutes=1)
    theirs = await town.ask("POST", "/v1/payment-intents", {"reference": "R", **FINE}, department="roads")
    assert theirs.status == 201, theirs.body
    town.clock.advance(days=2)
    async with town.deps.pool.acquire() as connection:
        now = town.clock()
        first = await intents.claim_overdue(connection, now, now + LATER, 2)
        rest = await intents.claim_overdue(connection, now, now + LATER, 100)
        assert await intents.claim_overdue(connection, now, now + LATER, 100) == []
    assert theirs.body["id"] in first
    assert ours[0]["id"] in first
    assert sorted(first + rest) == sorted([theirs.body["id"], *(one["id"] for one in ours)])


async def test_hc30_refunds_are_sent_with_the_departments_in_turn(town):
    asked = await town.ask("POST", "/v1/payment-intents", {"reference": "R", **FINE}, department="roads")
    await town.start(asked.body)
    await town.pay(asked.body)
    ours = [await town.paid() for _ in range(3)]
    for department, intent in [*(("economy", one) for one in ours), ("roads", asked.body)]:
        path = f"/v1/payment-intents/{intent['id']}/refunds"
        assert (await town.ask("POST", path, {"reason": "x"}, department=department)).status == 201
        town.clock.advance(seconds=1)
    async with town.deps.pool.acquire() as connection:
        now = town.clock()
        claimed = await refunds.claim_due(connection, now, now + LATER, 2)
        assert sorted(one.department for one in claimed) == ["economy", "roads"]
        assert [one.department for one in await refunds.claim_due(connection, now, now + LATER, 9)] == ["economy"] * 2
