"""A dispute that is lost is booked by two people, against whoever the payment was credited to."""

import pytest

from adapters.contract import LineKind
from reconciliation.breaks import Action
from reconciliation.errors import NotAllowedError, SamePersonError
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.resolutions import decide_resolution, propose_resolution

from .conftest import IBAN, MONDAY, entry, line, settlement


@pytest.fixture
async def disputed(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "66.67"), ("health", "33.33"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.provider.put(
        settlement([line(1, "O-pa_1", "-50.00", kind=LineKind.CHARGEBACK)], batch="BATCH-2", day=MONDAY), MONDAY
    )
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    world.bank.state(entry("-50.00", batch="BATCH-2", day=MONDAY), day=MONDAY)
    await world.night(MONDAY)
    return world


async def the_dispute(world):
    return await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'chargeback'")


async def lose(world):
    proposal = await propose_resolution(
        world.deps, await the_dispute(world), Action.BOOK_LOSS, by="amal", reason="the card scheme decided"
    )
    with pytest.raises(SamePersonError):
        await decide_resolution(world.deps, proposal, by="amal", approve=True)
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)


async def test_hc19_a_lost_dispute_is_given_back_by_those_who_were_paid_and_carried_forward(disputed):
    before = await disputed.balances()
    assert before["disputes:receivable"] == "50.00"

    await lose(disputed)

    books = await disputed.balances()
    assert "disputes:receivable" not in books
    # paid out already: the balances turn to debits, two thirds and one third, and are carried forward
    assert (books["department:traffic:payable"], books["department:health:payable"]) == ("33.33", "16.67")
    journal = (await disputed.journals("dispute_lost"))[-1].split(" | ")
    assert journal[1:] == ["disputes:receivable", "-50.00", "pa_1"]
    assert "chargeback" not in {kind for kind, _, _ in await disputed.breaks()}
    await disputed.assert_books_hold()


async def test_the_treasury_bears_the_part_of_a_department_whose_contract_says_so(disputed):
    details = PayeeDetails("health", "AED", "Health Department", IBAN["health"], chargebacks_by_treasury=True)
    change = await propose_payee_change(disputed.deps, details, by="amal", reason="a new contract")
    await decide_payee_change(disputed.deps, change, by="bilal", approve=True)
    disputed.clock.advance(hours=49)
    await disputed.night(MONDAY, step="payouts")  # the waiting time is over: the contract is in force
    await lose(disputed)
    books = await disputed.balances()
    assert books["treasury:chargeback_losses"] == "16.67"
    assert books["department:traffic:payable"] == "33.33"
    await disputed.assert_books_hold()


async def test_a_dispute_of_a_payment_nobody_knows_is_the_treasurys_loss(world):
    world.provider.put(settlement([line(1, "O-stranger", "-7.00", kind=LineKind.CHARGEBACK)]))
    await world.night()
    await lose(world)
    assert (await world.balances())["treasury:chargeback_losses"] == "7.00"


async def test_a_loss_of_a_payment_captured_in_the_same_file_is_its_departments(world):
    await world.capture("pa_1", ("traffic", "66.67"), ("health", "33.33"))
    taken = line(2, "O-pa_1", "-100.00", kind=LineKind.CHARGEBACK)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), taken]))
    await world.night()
    await lose(world)
    books = await world.balances()
    assert "treasury:chargeback_losses" not in books
    assert not {"department:traffic:payable", "department:health:payable", "disputes:receivable"} & books.keys()
    await world.assert_books_hold()


async def test_only_a_dispute_can_be_lost(world):
    world.bank.state(entry("1.00", remittance="?"))
    await world.night()
    found = await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'unknown_bank_credit'")
    with pytest.raises(NotAllowedError, match="does not end by book_loss"):
        await propose_resolution(world.deps, found, Action.BOOK_LOSS, by="amal", reason="x")
