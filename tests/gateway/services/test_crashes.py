"""HC-17: the process dies at any await; after a restart there is one charge, one journal, one receipt, one message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from gateway.services.attempts.apply_events import apply_events
from gateway.services.attempts.sweep import sweep
from gateway.services.intents.expire_intents import expire_intents
from gateway.services.messages.send_messages import send_emails
from gateway.services.refunds.apply_refunds import apply_refunds

AWAITS_MAX = 400


class Mortal:
    """A piece of work that dies at its n-th await. Its last rites are those of a closed connection: a rollback."""

    def __init__(self, work, dies_at):
        self._work = work
        self._dies_at = dies_at
        self.survived = False

    def __await__(self):
        awaits = 0
        stimulus = None
        while True:
            try:
                waiting_for = self._work.throw(stimulus) if stimulus else self._work.send(None)
            except StopIteration:
                self.survived = awaits <= self._dies_at
                return
            except asyncio.CancelledError:
                return
            stimulus = None
            if awaits == self._dies_at:
                if waiting_for is None:
                    stimulus = asyncio.CancelledError()
                else:
                    waiting_for.cancel()
            awaits += 1
            try:
                yield waiting_for
            except BaseException as error:  # noqa: BLE001 - whatever the awaited thing raised goes on to the work
                stimulus = error


async def die_everywhere(town, prepare, work, prove):
    """Do the same work again and again, dying one await later each time, until it gets through."""
    for dies_at in range(AWAITS_MAX):
        subject = await prepare()
        mortal = Mortal(work(subject), dies_at)
        await mortal
        for _ in range(4):  # every lease and every first check runs out
            town.clock.advance(minutes=3)
            await town.work()
        await prove(subject)
        if mortal.survived:
            return dies_at
    raise AssertionError("the work never ends")


async def prepared(town, *, tell=True, after_s=0):
    """An intent whose payer has paid at the acquirer's page."""
    expires_at = (town.clock() + timedelta(days=20)).isoformat()
    intent = await town.intent(expires_at=expires_at)
    await town.start(intent)
    if not tell:
        await town.fault("callback", "none", times=2)
    await town.pay(intent)
    await town.control("drain", {})
    async with town.session.delete(f"{town.acquirer}/simulator/faults"):
        pass
    town.clock.advance(seconds=after_s)
    return intent


async def prove(town, intent):
    assert (await town.read(intent))["status"] == "paid"
    assert await town.charges(intent) == 105_00
    assert await town.journals(intent) == ["payment_captured"]
    assert (await town.events(intent)).count("payment_intent.paid") == 1
    told = [message for message in town.mailbox.sent if (await town.read(intent))["receipt_number"] in message.text]
    assert len({message.id for message in told}) == 1


async def gapless(town):
    rows = await town.deps.pool.fetch("SELECT receipt_number FROM gateway.intent WHERE status = 'paid' ORDER BY 1")
    by_year = groupby((row[0].rpartition("-") for row in rows), key=itemgetter(0))
    for _, numbers in by_year:
        counted = [int(number) for _, _, number in numbers]
        assert counted == list(range(1, len(counted) + 1))
    assert sum((await town.books()).values()) == 0


async def test_hc17_killed_anywhere_while_starting_a_payment(town):
    async def prepare():
        return await town.intent(expires_at=(town.clock() + timedelta(days=20)).isoformat())

    async def pay_and_prove(intent):
        town.clock.advance(seconds=10)
        started = await town.start(intent)
        assert started.next_step is not None
        await town.pay(intent)
        town.clock.advance(minutes=3)
        await town.work()
        await prove(town, intent)

    assert await die_everywhere(town, prepare, town.start, pay_and_prove) > 10
    await gapless(town)


async def test_hc17_killed_anywhere_while_applying_a_callback(town):
    async def prepare():
        return await prepared(town)

    async def proven(intent):
        await prove(town, intent)

    assert await die_everywhere(town, prepare, lambda _: apply_events(town.deps, 10), proven) > 10
    await gapless(town)


async def test_hc17_killed_anywhere_in_the_sweep(town):
    async def prepare():
        return await prepared(town, tell=False, after_s=120)

    async def proven(intent):
        await prove(town, intent)

    assert await die_everywhere(town, prepare, lambda _: sweep(town.deps, 10), proven) > 10
    await gapless(town)


async def test_hc17_killed_anywhere_while_closing_an_intent_that_was_paid(town):
    async def prepare():
        return await prepared(town, tell=False, after_s=21 * 86_400)

    async def proven(intent):
        await prove(town, intent)

    assert await die_everywhere(town, prepare, lambda _: expire_intents(town.deps, 10), proven) > 5
    await gapless(town)


async def test_hc17_killed_anywhere_while_sending_a_receipt(town):
    async def prepare():
        intent = await prepared(town)
        await apply_events(town.deps, 10)
        return intent

    async def proven(intent):
        await prove(town, intent)

    assert await die_everywhere(town, prepare, lambda _: send_emails(town.deps, 10), proven) > 5


async def test_hc17_killed_anywhere_while_refunding(town):
    async def prepare():
        intent = await prepared(town)
        await town.work()
        await town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", {"reason": "entered twice"})
        return intent

    async def proven(intent):
        for _ in range(24):  # the questions grow rarer, to one in six hours, and one that fails waits for the next
            town.clock.advance(hours=1)
            await town.work()
        assert await town.journals(intent) == ["payment_captured", "refund_accepted"]
        order = (await town.attempt_of(intent))["provider_reference"]
        async with town.session.get(f"{town.acquirer}/simulator/book") as answer:
            movements = (await answer.json())["movements"]
        refunds = [row for row in movements if row["kind"] == "refund" and row["order_reference"] == order]
        assert [row["amount_minor"] for row in refunds] == [105_00]

    assert await die_everywhere(town, prepare, lambda _: apply_refunds(town.deps, 10), proven) > 5
