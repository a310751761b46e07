"""Adyen tells of a refund by notification alone, and may take its word back: the whole way through the gateway."""

from __future__ import annotations

import pytest

from tests.gateway.services import test_every_provider
from tests.gateway.services.test_every_provider import told_of

counter = test_every_provider.counter

AT_ADYEN = pytest.mark.parametrize("counter", ["adyen"], indirect=True)


async def refunded_at_adyen(counter):
    """Pay AED 100.00 and give 50.00 back; return the refund, and the lever that lets it fail."""
    intent, attempt = await counter.start()
    await counter.pay(attempt)
    await counter.work()
    asked = {"amount": {"amount": 50_00, "currency": "AED"}, "reason": "overpaid"}
    refund = await counter.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", asked)

    async def fail():
        body = {"reference": refund["id"]}
        async with counter.session.post(f"{counter.simulator}/simulator/fail-refund", json=body) as answer:
            assert answer.status == 200, await answer.text()
        await counter.pay(attempt)  # delivers what waits; the link is paid and takes nothing more
        await counter.work()

    return intent, refund, fail


async def balances(counter):
    rows = await counter.deps.pool.fetch("SELECT account, amount_minor FROM ledger.balances WHERE amount_minor <> 0")
    return {row["account"]: row["amount_minor"] for row in rows}


@AT_ADYEN
async def test_a_refund_that_fails_after_it_was_done_is_failed_and_owed_again(counter):
    """Adyen tells of a refund by notification alone, and takes its word back days later."""
    intent, refund, fail = await refunded_at_adyen(counter)
    await counter.work()
    await counter.pay(await counter.deps.pool.fetchval("SELECT id FROM gateway.attempt"))
    await counter.work()
    assert (await told_of(counter, refund))[-1] == "refund.succeeded"
    assert (await balances(counter))["provider:adyen:refunds_in_transit"] == -50_00
    await fail()
    assert (await told_of(counter, refund))[-2:] == ["refund.succeeded", "refund.failed"]
    after = await balances(counter)
    assert "provider:adyen:refunds_in_transit" not in after
    assert after["provider:adyen:receivable"] == -sum(
        minor for account, minor in after.items() if account.startswith(("department:", "tax:"))
    )
    again = await counter.ask("GET", f"/v1/payment-intents/{intent['id']}")
    assert again["amount_refunded"]["amount"] == 0
    kinds = await counter.deps.pool.fetch("SELECT DISTINCT kind FROM ledger.postings ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["payment_captured", "refund_accepted", "refund_failed"]


@AT_ADYEN
async def test_a_word_about_a_refund_whose_answer_was_lost_proves_it(counter):
    await counter.fault("refund", "drop")
    _, refund, _ = await refunded_at_adyen(counter)
    await counter.work()
    assert (await told_of(counter, refund))[-1] in {"refund.unknown", "refund.succeeded"}
    await counter.pay(await counter.deps.pool.fetchval("SELECT id FROM gateway.attempt"))
    await counter.work()
    assert (await told_of(counter, refund))[-1] == "refund.succeeded"
    assert (await balances(counter))["provider:adyen:refunds_in_transit"] == -50_00
