"""What the night cannot explain is asked about again, and the provider's answer goes the way of every answer."""

from __future__ import annotations

from gateway.services.attempts.recheck import recheck


async def test_hc23_money_in_a_file_for_an_attempt_we_gave_up_is_found_by_asking(town):
    intent = await town.intent()
    await town.start(intent)
    await town.fault("void", "http", times=9, status=503)
    await town.fault("callback", "none", times=9)
    town.clock.advance(hours=25)
    await town.work()
    assert (await town.read(intent))["status"] == "expired"
    await town.pay(intent)

    attempt = await town.attempt_of(intent)
    assert await recheck(town.deps, [attempt["id"], "pa_nobody"]) == 1

    assert (await town.read(intent))["late_payment"] is True
    assert await town.books() == {"provider:ngenius:receivable": 105_00, "suspense:late_payments": -105_00}


async def test_asking_again_about_a_settled_payment_changes_nothing(town):
    intent = await town.paid()
    before = await town.books()
    attempt = await town.attempt_of(intent)
    assert await recheck(town.deps, [attempt["id"]]) == 1
    assert await town.books() == before
