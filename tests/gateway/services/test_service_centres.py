"""A day at a counter, read in the books: float, cash, slips, cash-up, deposit."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.domain.department import Names
from gateway.domain.errors import (
    InvalidError,
    NotFoundError,
    SamePersonError,
    TransitionError,
    UnauthenticatedError,
)
from gateway.domain.intent import IntentStatus
from gateway.services import links
from gateway.services.attempts.apply_events import apply_events
from gateway.services.catalogue.price_basket import LineRequest
from gateway.services.centres import centre_people as people
from gateway.services.centres import shifts as service
from gateway.services.centres import take_payment as counter
from gateway.services.payers.read_receipt import read_receipt
from ledger.money import Money

CARD = "784-1990-1234567-6"


def aed(text):
    return Money.parse(text, "AED")


@pytest.fixture
async def centre(town):
    """Economy's centre with an agent, a second one, and a supervisor; all of them let in by a second person."""
    deps = town.deps
    await people.add_centre(deps, "deira", "economy", Names("ديرة", "Deira"), "ngenius")
    passwords = {}
    for code, supervisor in (("omar", False), ("sara", False), ("huda", True)):
        await people.propose_agent(deps, code, "deira", code.title(), supervisor=supervisor, by="amal")
        passwords[code] = await people.approve_agent(deps, code, by="faisal")
    return Centre(town, passwords)


class Centre:
    def __init__(self, town, passwords):
        self.town = town
        self.deps = town.deps
        self.passwords = passwords

    async def agent(self, code):
        token = await people.sign_in(self.deps, code, self.passwords[code])
        return await people.signed_in(self.deps, token)

    async def bill(self, agent, once="1", card=CARD):
        line = LineRequest(service="licence")
        return await counter.open_bill(
            self.deps, agent, [line], card, reference=f"WALK-{once}", language="ar", once=once
        )


async def test_a_day_that_balances_is_closed_by_the_agent_alone(centre):
    omar = await centre.agent("omar")
    shift = await service.open_shift(centre.deps, omar, aed("200.00"))
    assert await centre.town.books() == {"centre:deira:cash": 200_00, "treasury:centre_floats": -200_00}

    bill = await centre.bill(omar)
    assert await counter.take_cash(centre.deps, omar, bill) is IntentStatus.PAID
    assert await centre.town.books() == {
        "centre:deira:cash": 305_00,
        "treasury:centre_floats": -200_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }

    closed = await service.count_shift(centre.deps, omar, aed("305.00"))
    assert closed.closed_at is not None
    assert await centre.town.books() == {
        "provider:counter:in_transit": 105_00,  # on its way to the bank
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }
    row = await centre.deps.pool.fetchrow("SELECT item FROM ledger.open_items WHERE account LIKE 'provider:counter:%'")
    assert row["item"] == closed.deposit_reference == f"CASH-{shift.id[3:].upper()}"


async def test_the_citizen_gets_the_receipt_everybody_gets(centre):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    bill = await centre.bill(omar)
    await counter.take_cash(centre.deps, omar, bill)
    receipt = await read_receipt(centre.deps, links.token_of(centre.deps, bill))
    assert (receipt.total, receipt.method.value) == (aed("105.00"), "cash")
    assert await centre.town.journals({"id": bill}) == ["payment_captured"]
    assert "payment_intent.paid" in await centre.town.events({"id": bill})


async def test_missing_cash_waits_for_a_supervisor_and_is_the_treasury_s_loss(centre):
    omar, huda = await centre.agent("omar"), await centre.agent("huda")
    shift = await service.open_shift(centre.deps, omar, aed("200.00"))
    await counter.take_cash(centre.deps, omar, await centre.bill(omar))
    counted = await service.count_shift(centre.deps, omar, aed("300.00"))
    assert (counted.closed_at, counted.difference) == (None, aed("-5.00"))
    assert (await centre.town.books())["centre:deira:cash"] == 305_00  # nothing moves before a second person says so
    with pytest.raises(NotFoundError):
        await service.approve_shift(centre.deps, await centre.agent("sara"), shift.id)
    assert [one.id for one in await service.waiting_shifts(centre.deps, huda)] == [shift.id]
    await service.approve_shift(centre.deps, huda, shift.id)
    assert await centre.town.books() == {
        "provider:counter:in_transit": 100_00,
        "treasury:cash_over_short": 5_00,
        "department:economy:payable": -100_00,
        "tax:vat_payable": -5_00,
    }
    with pytest.raises(TransitionError):
        await service.approve_shift(centre.deps, huda, shift.id)


async def test_cash_beyond_what_is_booked_goes_to_over_and_short_too(centre):
    omar, huda = await centre.agent("omar"), await centre.agent("huda")
    shift = await service.open_shift(centre.deps, omar, aed("50.00"))
    await service.count_shift(centre.deps, omar, aed("51.50"))
    await service.approve_shift(centre.deps, huda, shift.id)
    assert await centre.town.books() == {"provider:counter:in_transit": 1_50, "treasury:cash_over_short": -1_50}


async def test_a_drawer_with_less_than_its_float_still_balances(centre):
    omar, huda = await centre.agent("omar"), await centre.agent("huda")
    shift = await service.open_shift(centre.deps, omar, aed("200.00"))
    await service.count_shift(centre.deps, omar, aed("150.00"))
    await service.approve_shift(centre.deps, huda, shift.id)
    assert await centre.town.books() == {"treasury:centre_floats": -50_00, "treasury:cash_over_short": 50_00}


async def test_a_supervisor_never_approves_their_own_drawer(centre):
    huda = await centre.agent("huda")
    shift = await service.open_shift(centre.deps, huda, aed("10.00"))
    await service.count_shift(centre.deps, huda, aed("9.00"))
    with pytest.raises(SamePersonError):
        await service.approve_shift(centre.deps, huda, shift.id)
    with pytest.raises(asyncpg.CheckViolationError, match="shift_agent_is_not_checker"):
        await centre.deps.pool.execute("UPDATE gateway.shift SET checker = agent, closed_at = counted_at")
    with pytest.raises(asyncpg.CheckViolationError, match="second_person"):
        await centre.deps.pool.execute("UPDATE gateway.shift SET closed_at = counted_at")


async def test_a_slip_is_owed_by_the_terminal_s_provider_and_pays_one_bill(centre):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    bill, other = await centre.bill(omar), await centre.bill(omar, "2")
    assert await counter.take_slip(centre.deps, omar, bill, "632112345678", "a1b2c3") is IntentStatus.PAID
    row = await centre.deps.pool.fetchrow("SELECT * FROM ledger.open_items")
    assert (row["account"], row["amount_minor"]) == ("provider:ngenius:receivable", 105_00)
    assert row["provider_reference"] == "632112345678"  # the acquirer's settlement file names it
    with pytest.raises(TransitionError, match="slip"):
        await counter.take_slip(centre.deps, omar, other, "632112345678", "A1B2C3")
    assert (await counter.read_bill(centre.deps, omar, other)).intent.status is IntentStatus.REQUIRES_PAYMENT
    closed = await service.count_shift(centre.deps, omar, aed("0.00"))  # slips are not cash
    assert closed.closed_at is not None


@pytest.mark.parametrize(
    ("reference", "approval"), [("", "A1B2C3"), ("12", "A1B2C3"), ("632112345678", "A1"), ("4111 1", "A1B2C3")]
)
async def test_what_is_no_slip_is_refused(centre, reference, approval):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    with pytest.raises(InvalidError):
        await counter.take_slip(centre.deps, omar, await centre.bill(omar), reference, approval)


async def test_pressed_twice_is_taken_once(centre):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    bill = await centre.bill(omar)
    assert bill == await centre.bill(omar)
    results = await asyncio.gather(
        *(counter.take_cash(centre.deps, omar, bill) for _ in range(4)), return_exceptions=True
    )
    assert {each for each in results if not isinstance(each, TransitionError)} == {IntentStatus.PAID}
    assert (await centre.town.books())["centre:deira:cash"] == 105_00


async def test_what_was_taken_before_a_crash_is_booked_by_the_worker(centre):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    bill = await centre.bill(omar)
    await counter._store(centre.deps, omar, bill, counter.Method.CASH, None)  # and here the process dies
    with pytest.raises(TransitionError, match="booked"):
        await service.count_shift(centre.deps, omar, aed("105.00"))
    assert await apply_events(centre.deps, 10) == 1
    assert (await counter.read_bill(centre.deps, omar, bill)).intent.status is IntentStatus.PAID
    assert (await service.count_shift(centre.deps, omar, aed("105.00"))).closed_at is not None


async def test_nothing_is_taken_without_a_shift_or_an_identity(centre):
    omar = await centre.agent("omar")
    bill = await centre.bill(omar)
    with pytest.raises(TransitionError, match="shift"):
        await counter.take_cash(centre.deps, omar, bill)
    await service.open_shift(centre.deps, omar, aed("0.00"))
    sent = await centre.town.intent()  # a system's own bill: nobody showed a card for it yet
    with pytest.raises(TransitionError, match="identity"):
        await counter.take_cash(centre.deps, omar, sent["id"])
    await counter.identify_payer(centre.deps, omar, sent["id"], CARD)
    assert await counter.take_cash(centre.deps, omar, sent["id"]) is IntentStatus.PAID
    with pytest.raises(InvalidError):
        await counter.identify_payer(centre.deps, omar, sent["id"], "784-1990-1234567-7")


async def test_of_a_card_only_the_last_digits_are_kept(centre):
    omar = await centre.agent("omar")
    bill = await centre.bill(omar)
    row = await centre.deps.pool.fetchrow("SELECT * FROM gateway.counter_payer WHERE intent = $1", bill)
    assert row["id_ending"] == "5676"
    everything = [
        str(found["row"])
        for table in ("counter_payer", "intent", "event", "audit", "attempt", "idempotency")
        for found in await centre.deps.pool.fetch(f"SELECT t::text AS row FROM gateway.{table} t")
    ]
    assert not [one for one in everything if "1990123456" in one or "1990-1234567" in one]


async def test_a_centre_finds_its_own_department_s_bills_only(centre):
    omar = await centre.agent("omar")
    own = await centre.town.intent(reference="CASE-1")
    amount = {"amount": 100, "currency": "AED"}
    body = {"reference": "CASE-1", "lines": [{"service": "fine", "amount": amount}]}
    foreign = (await centre.town.ask("POST", "/v1/payment-intents", body, department="roads")).body
    for asked in ("CASE-1", own["id"], own["checkout_url"], f"{own['checkout_url']}/result?x=1"):
        assert list(await counter.find_bills(centre.deps, omar, asked)) == [own["id"]]
    for asked in (foreign["id"], foreign["checkout_url"], "CASE-2", "https://pay.example/pay/junk", ""):
        assert list(await counter.find_bills(centre.deps, omar, asked)) == []
    for act in (counter.take_cash, counter.read_bill):
        with pytest.raises(NotFoundError):
            await act(centre.deps, omar, foreign["id"])


async def test_a_payment_begun_on_the_phone_is_given_up_first(centre):
    omar = await centre.agent("omar")
    await service.open_shift(centre.deps, omar, aed("0.00"))
    begun = await centre.town.intent()
    await centre.town.start(begun)
    await counter.identify_payer(centre.deps, omar, begun["id"], CARD)
    assert await counter.take_cash(centre.deps, omar, begun["id"]) is IntentStatus.PAID
    assert await centre.town.charges(begun) == 0


async def test_an_agent_is_let_in_by_a_second_person(centre):
    deps = centre.deps
    await people.propose_agent(deps, "zaid", "deira", "Zaid", supervisor=False, by="amal")
    with pytest.raises(UnauthenticatedError):
        await people.sign_in(deps, "zaid", "")
    with pytest.raises(SamePersonError):
        await people.approve_agent(deps, "zaid", by="amal")
    password = await people.approve_agent(deps, "zaid", by="faisal")
    stored = await deps.pool.fetchval("SELECT password FROM gateway.centre_agent WHERE code = 'zaid'")
    assert stored.startswith("scrypt$")
    assert password not in stored
    token = await people.sign_in(deps, "zaid", password)
    await people.disable_agent(deps, "zaid", by="amal")
    assert await people.signed_in(deps, token) is None
    with pytest.raises(UnauthenticatedError):
        await people.sign_in(deps, "zaid", password)


async def test_a_session_ends_idle_at_the_day_s_end_and_when_another_begins(centre):
    deps, clock = centre.deps, centre.town.clock
    first = await people.sign_in(deps, "omar", centre.passwords["omar"])
    second = await people.sign_in(deps, "omar", centre.passwords["omar"], instead_of=first)
    assert await people.signed_in(deps, first) is None
    clock.advance(minutes=14)
    assert await people.signed_in(deps, second) is not None
    clock.advance(minutes=16)
    assert await people.signed_in(deps, second) is None
    third = await people.sign_in(deps, "omar", centre.passwords["omar"])
    for _ in range(60):
        clock.advance(minutes=12)
        last = await people.signed_in(deps, third)
    assert last is None
    for junk in ("", "x", "0" * 64):
        assert await people.signed_in(deps, junk) is None


async def test_guessing_locks_the_agent_for_a_while(centre):
    for _ in range(5):
        with pytest.raises(UnauthenticatedError, match="wrong"):
            await people.sign_in(centre.deps, "omar", "no such password")
    with pytest.raises(UnauthenticatedError, match="locked"):
        await people.sign_in(centre.deps, "omar", centre.passwords["omar"])
    centre.town.clock.advance(minutes=16)
    assert await people.sign_in(centre.deps, "omar", centre.passwords["omar"])


async def test_a_password_of_one_s_own_ends_every_session(centre):
    token = await people.sign_in(centre.deps, "omar", centre.passwords["omar"])
    omar = await people.signed_in(centre.deps, token)
    with pytest.raises(InvalidError):
        await people.change_password(centre.deps, omar, centre.passwords["omar"], "short")
    await people.change_password(centre.deps, omar, centre.passwords["omar"], "a long one of my own")
    assert await people.signed_in(centre.deps, token) is None
    assert await people.sign_in(centre.deps, "omar", "a long one of my own")


async def test_whoever_sits_down_at_an_open_screen_cannot_guess_the_password(centre):
    token = await people.sign_in(centre.deps, "omar", centre.passwords["omar"])
    omar = await people.signed_in(centre.deps, token)
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            await people.change_password(centre.deps, omar, "a guess", "a long one of my own")
    assert await people.signed_in(centre.deps, token) is None
