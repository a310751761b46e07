"""Cash refunded after its shift: asked for through the API, collected at any centre, handed out by two people."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.department import Names
from gateway.domain.errors import InvalidError, NotFoundError, SamePersonError, TransitionError
from gateway.services import links
from gateway.services.catalogue.import_catalogue import import_catalogue
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.centres import centre_people as people
from gateway.services.centres import hand_out, shifts, take_payment
from gateway.services.payers.where_is_my_money import where_is_my_money
from gateway.services.refunds.decide_refund import decide_refund
from ledger.money import Money
from tests.gateway.conftest import DEPARTMENTS

CARD, OTHER_CARD = "784-1990-1234567-6", "784-1985-7654321-3"
STAFF = {"deira": ("omar", "huda"), "bur_dubai": ("sara", "maha")}


def aed(text):
    return Money.parse(text, "AED")


class Counters:
    def __init__(self, town):
        self.town, self.deps, self.agents = town, town.deps, {}

    async def found(self):
        for centre, (agent, supervisor) in STAFF.items():
            await people.add_centre(self.deps, centre, "economy", Names(centre, centre), None)
            for code in (agent, supervisor):
                await people.propose_agent(self.deps, code, centre, code, supervisor=code == supervisor, by="amal")
                password = await people.approve_agent(self.deps, code, by="faisal")
                session = await people.sign_in(self.deps, code, password)
                self.agents[code] = await people.signed_in(self.deps, session)

    def __getitem__(self, code):
        return self.agents[code]

    async def paid_in_cash(self, once="1"):
        """Take AED 105.00 in a shift of Omar's at Deira that is then counted and closed; return the intent."""
        await shifts.open_shift(self.deps, self["omar"], aed("0"))
        line = LineRequest(service="licence")
        bill = await take_payment.open_bill(
            self.deps, self["omar"], [line], CARD, reference=f"WALK-{once}", language="ar", once=once
        )
        await take_payment.take_cash(self.deps, self["omar"], bill)
        await shifts.count_shift(self.deps, self["omar"], aed("105.00"))
        return {"id": bill}

    async def refund(self, intent, minor=None, **headers):
        asked = {"reason": "the licence was refused"}
        if minor is not None:
            asked["amount"] = {"amount": minor, "currency": "AED"}
        return await self.town.ask("POST", f"/v1/payment-intents/{intent['id']}/refunds", asked, **headers)

    async def status(self, refund_id):
        return (await self.town.ask("GET", f"/v1/refunds/{refund_id}")).body["status"]


@pytest.fixture
async def counters(town):
    made = Counters(town)
    await made.found()
    return made


async def test_a_refund_of_cash_waits_and_is_handed_out_at_another_centre(counters):
    deps, town = counters.deps, counters.town
    intent = await counters.paid_in_cash()
    asked = await counters.refund(intent, 100_00)
    assert (asked.status, asked.body["status"]) == (201, "awaiting_collection")
    refund_id = asked.body["id"]
    await town.work()
    town.clock.advance(hours=20)
    await town.work()  # nobody asks any provider about it
    assert await counters.status(refund_id) == "awaiting_collection"
    journey = await where_is_my_money(deps, links.token_of(deps, intent["id"]))
    assert [(back.to_collect, back.at) for back in journey.given_back] == [(True, None)]
    before = await town.books()

    sara, maha = counters["sara"], counters["maha"]
    assert await take_payment.find_bills(deps, sara, "WALK-1") == [intent["id"]]
    [waits] = await hand_out.to_collect(deps, sara, intent["id"])
    assert waits.id == refund_id
    with pytest.raises(TransitionError, match="open a shift"):
        await hand_out.ask_hand_out(deps, sara, refund_id, CARD)
    await shifts.open_shift(deps, sara, aed("150.00"))
    await hand_out.ask_hand_out(deps, sara, refund_id, CARD)
    assert await hand_out.to_collect(deps, sara, intent["id"]) == []
    with pytest.raises(TransitionError, match="waits to be given back"):
        await shifts.count_shift(deps, sara, aed("150.00"))
    assert await hand_out.waiting_hand_outs(deps, counters["huda"]) == []  # another centre's supervisor
    [asked_for] = await hand_out.waiting_hand_outs(deps, maha)
    assert (asked_for.refund, asked_for.agent, asked_for.amount) == (refund_id, "sara", aed("100.00"))
    with pytest.raises(NotFoundError):
        await hand_out.decide_hand_out(deps, counters["huda"], refund_id, approve=True)
    with pytest.raises(NotFoundError):
        await hand_out.decide_hand_out(deps, sara, refund_id, approve=True)
    await hand_out.decide_hand_out(deps, maha, refund_id, approve=True)

    assert await counters.status(refund_id) == "succeeded"
    after = await town.books()
    assert after["centre:bur_dubai:cash"] == 50_00
    assert before["department:economy:payable"] + before["tax:vat_payable"] == -105_00
    assert after["department:economy:payable"] + after["tax:vat_payable"] == -5_00
    told = await town.events({"id": refund_id})
    assert told == ["refund.awaiting_collection", "refund.succeeded"]
    closed = await shifts.count_shift(deps, sara, aed("50.00"))
    assert closed.closed_at is not None
    deed = await deps.pool.fetchrow("SELECT actor, action FROM gateway.audit WHERE subject = $1", refund_id)
    assert tuple(deed) == ("maha", "cash_given_back")
    with pytest.raises(TransitionError, match="does not wait"):
        await hand_out.decide_hand_out(deps, maha, refund_id, approve=True)
    again = await counters.refund(intent, 10_00)
    assert again.status == 422  # five dirhams are left


async def test_only_the_card_that_paid_collects_it_out_of_a_drawer_that_holds_it(counters):
    deps = counters.deps
    intent = await counters.paid_in_cash()
    refund_id = (await counters.refund(intent)).body["id"]
    sara = counters["sara"]
    await shifts.open_shift(deps, sara, aed("104.99"))
    for card, pointer in ((OTHER_CARD, "/card"), ("784-1", "/emirates_id")):
        with pytest.raises(InvalidError) as refused:
            await hand_out.ask_hand_out(deps, sara, refund_id, card)
        assert refused.value.faults[0].pointer == pointer
    with pytest.raises(TransitionError, match="holds less"):
        await hand_out.ask_hand_out(deps, sara, refund_id, CARD)
    assert await counters.status(refund_id) == "awaiting_collection"


async def test_nobody_hands_out_alone_and_what_is_refused_waits_on(counters):
    deps = counters.deps
    intent = await counters.paid_in_cash()
    refund_id = (await counters.refund(intent)).body["id"]
    huda = counters["huda"]
    await shifts.open_shift(deps, huda, aed("200.00"))
    await hand_out.ask_hand_out(deps, huda, refund_id, CARD)
    with pytest.raises(TransitionError, match="being given back already"):
        await hand_out.ask_hand_out(deps, huda, refund_id, CARD)
    with pytest.raises(SamePersonError):
        await hand_out.decide_hand_out(deps, huda, refund_id, approve=True)
    await people.propose_agent(deps, "noor", "deira", "Noor", supervisor=True, by="amal")
    password = await people.approve_agent(deps, "noor", by="faisal")
    noor = await people.signed_in(deps, await people.sign_in(deps, "noor", password))
    await hand_out.decide_hand_out(deps, noor, refund_id, approve=False)
    assert await counters.status(refund_id) == "awaiting_collection"
    assert (await counters.town.books())["centre:deira:cash"] == 200_00
    await shifts.count_shift(deps, huda, aed("200.00"))


async def test_pressed_twice_at_once_it_is_handed_out_once(counters):
    deps = counters.deps
    intent = await counters.paid_in_cash()
    refund_id = (await counters.refund(intent)).body["id"]
    await shifts.open_shift(deps, counters["sara"], aed("300.00"))
    await hand_out.ask_hand_out(deps, counters["sara"], refund_id, CARD)
    decide = [hand_out.decide_hand_out(deps, counters["maha"], refund_id, approve=True) for _ in range(3)]
    results = await asyncio.gather(*decide, return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [TransitionError, TransitionError]
    assert (await counters.town.books())["centre:bur_dubai:cash"] == 195_00


async def test_it_can_be_cancelled_until_it_is_handed_out(counters):
    deps, town = counters.deps, counters.town
    intent = await counters.paid_in_cash()
    refund_id = (await counters.refund(intent)).body["id"]
    path = f"/v1/refunds/{refund_id}/cancel"
    assert (await town.ask("POST", path, {}, department="roads")).status == 404
    await shifts.open_shift(deps, counters["sara"], aed("300.00"))
    await hand_out.ask_hand_out(deps, counters["sara"], refund_id, CARD)
    refused = await town.ask("POST", path, {})
    assert (refused.status, refused.body["code"]) == (409, "state_conflict")
    await hand_out.decide_hand_out(deps, counters["maha"], refund_id, approve=False)
    cancelled = await town.ask("POST", path, {}, key="once")
    assert (cancelled.status, cancelled.body["status"]) == (200, "failed")
    assert (await town.ask("POST", path, {}, key="once")).body == cancelled.body
    assert (await town.ask("POST", path, {})).body == cancelled.body  # cancelling twice is one cancellation
    assert (await town.read(intent))["amount_refundable"]["amount"] == 105_00
    assert await town.events({"id": refund_id}) == ["refund.awaiting_collection", "refund.failed"]
    with pytest.raises(TransitionError, match="does not wait"):
        await hand_out.ask_hand_out(deps, counters["sara"], refund_id, CARD)


async def test_one_sent_to_a_provider_cannot_be_cancelled(counters):
    paid = await counters.town.paid()
    refund_id = (await counters.refund(paid)).body["id"]
    assert (await counters.town.ask("POST", f"/v1/refunds/{refund_id}/cancel", {})).status == 409


async def test_nobody_came_in_ninety_days(counters):
    town = counters.town
    intent = await counters.paid_in_cash()
    refund_id = (await counters.refund(intent)).body["id"]
    town.clock.advance(seconds=timedelta(days=89).total_seconds())
    await town.work()
    assert await counters.status(refund_id) == "awaiting_collection"
    town.clock.advance(seconds=timedelta(days=2).total_seconds())
    await town.work()
    assert await counters.status(refund_id) == "failed"
    assert (await town.read(intent))["amount_refundable"]["amount"] == 105_00


async def test_above_the_limit_a_second_person_agrees_before_it_can_be_collected(counters):
    town = counters.town
    imported = await import_catalogue(town.deps, [{**DEPARTMENTS[0], "refund_limits": "AED 50.00"}], [])
    assert not imported.faults
    intent = await counters.paid_in_cash()
    asked = await counters.refund(intent)
    assert asked.body["status"] == "awaiting_approval"
    decided = await decide_refund(town.deps, asked.body["id"], by="salem", approve=True)
    assert decided["status"] == "awaiting_collection"


async def test_whoever_pays_is_whom_the_cash_goes_back_to(counters):
    """One card was recorded, its holder left, and somebody else paid: the agent records that one's card instead."""
    deps, omar = counters.deps, counters["omar"]
    await shifts.open_shift(deps, omar, aed("0"))
    intent = await counters.town.intent()
    await take_payment.identify_payer(deps, omar, intent["id"], CARD)
    await take_payment.identify_payer(deps, omar, intent["id"], OTHER_CARD)
    await take_payment.identify_payer(deps, omar, intent["id"], OTHER_CARD)
    await take_payment.take_cash(deps, omar, intent["id"])
    with pytest.raises(TransitionError, match="money was taken on the card that was shown"):
        await take_payment.identify_payer(deps, omar, intent["id"], CARD)
    await shifts.count_shift(deps, omar, aed("105.00"))
    refund = (await counters.refund(intent)).body
    await shifts.open_shift(deps, counters["sara"], aed("200.00"))
    with pytest.raises(InvalidError):
        await hand_out.ask_hand_out(deps, counters["sara"], refund["id"], CARD)
    await hand_out.ask_hand_out(deps, counters["sara"], refund["id"], OTHER_CARD)
    deeds = await deps.pool.fetch("SELECT actor, before, after FROM gateway.audit WHERE action = 'payer_card_replaced'")
    assert [(row["actor"], row["before"], row["after"]) for row in deeds] == [
        ("omar", '{"ending": "5676"}', '{"ending": "3213"}')
    ]
