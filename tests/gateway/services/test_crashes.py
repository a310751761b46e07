"""HC-17: the process dies anywhere; after a restart there is one charge, one journal, one receipt, one message."""

from __future__ import annotations

import asyncio

import pytest

from gateway.services.apply_events import apply_events
from gateway.services.apply_refunds import apply_refunds
from gateway.services.deliver_webhooks import deliver_webhooks
from gateway.services.expire_intents import expire_intents
from gateway.services.send_messages import send_messages
from gateway.services.sweep import sweep


async def die_after(turns, work):
    """Let the work go on for some turns of the loop, then cut it off wherever it stands."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        if task.done():
            break
        await asyncio.sleep(0)
    # A dying process has no last words; a cancelled task has, but nothing here catches them.
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def restart(town):
    """Wait out every lease, as the next process would."""
    for _ in range(3):
        town.clock.advance(minutes=3)
        await town.work()


TURNS = [0, 1, 2, 3, 5, 8, 12, 18, 26, 36, 50, 70, 100, 150, 250]


@pytest.mark.parametrize("turns", TURNS)
async def test_hc17_killed_while_starting_a_payment(town, turns):
    intent = await town.intent(expires_at="2026-11-24T06:00:00Z")
    await die_after(turns, town.start(intent))
    await restart(town)
    started = await town.start(intent)
    assert started.next_step is not None
    await town.pay(intent)
    await restart(town)
    await the_fee_is_paid_exactly_once(town, intent)


@pytest.mark.parametrize("turns", TURNS)
async def test_hc17_killed_while_applying_a_callback(town, turns):
    intent = await town.intent(expires_at="2026-11-24T06:00:00Z")
    await town.start(intent)
    await town.pay(intent)
    await town.control("drain", {})
    await die_after(turns, apply_events(town.deps, 10))
    await restart(town)
    await the_fee_is_paid_exactly_once(town, intent)


@pytest.mark.parametrize("turns", TURNS[::2])
@pytest.mark.parametrize("job", [sweep, expire_intents, send_messages, deliver_webhooks])
async def test_hc17_killed_in_any_other_job(town, job, turns):
    intent = await town.intent(expires_at="2026-11-24T06:00:00Z")
    await town.start(intent)
    await town.fault("callback", "none", times=9)
    await town.pay(intent)
    if job in (send_messages, deliver_webhooks):
        town.clock.advance(minutes=2)
        await sweep(town.deps, 10)
    else:
        town.clock.advance(hours=50)
    await die_after(turns, job(town.deps, 10))
    await restart(town)
    await the_fee_is_paid_exactly_once(town, intent)


@pytest.mark.parametrize("turns", TURNS)
async def test_hc17_killed_while_refunding(town, turns):
    intent = await town.paid()
    await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "entered twice"})
    await die_after(turns, apply_refunds(town.deps, 10))
    for _ in range(12):
        town.clock.advance(minutes=10)
        await town.work()
    assert await town.journals(intent) == ["payment_captured", "refund_accepted"]
    async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
        movements = (await answer.json())["movements"]
    assert [row["amount_minor"] for row in movements if row["kind"] == "refund"] == [105_00]


async def the_fee_is_paid_exactly_once(town, intent):
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00
    assert await town.journals(intent) == ["payment_captured"]
    assert (await town.events(intent)).count("payment_intent.paid") == 1
    assert len({message.id for message in town.mailbox.sent}) == 1
    assert (await town.read(intent))["receipt_number"] == "ECONOMY-2026-0000001"
