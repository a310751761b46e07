"""HC-24, HC-26: what the bank took although it had refused it, and what it sent back less than it took."""

from datetime import timedelta

import pytest

from adapters.contract import PayoutReport, PayoutStatus
from reconciliation.breaks import Action
from reconciliation.errors import NotAllowedError, SamePersonError
from reconciliation.matching import Leg
from reconciliation.resolutions import decide_resolution, foresee_break, propose_resolution
from reconciliation.store import inside, payouts
from reconciliation.unmatch import read_match

from .conftest import MONDAY, TUESDAY, entry, line, settlement

WEDNESDAY, THURSDAY = TUESDAY + timedelta(days=1), TUESDAY + timedelta(days=2)


async def instructed(world):
    """Traffic's 100 is instructed on Sunday; return the line's id."""
    await world.payee("traffic")
    await world.capture("a1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-a1", "100.00")]))
    world.bank.state()
    await world.night()
    return await world.pool.fetchval("SELECT id FROM reconciliation.payout_line")


@pytest.fixture
async def paid_after_all(world):
    """The bank rejects the payout on Sunday, and Monday's statement shows its debit."""
    line_id = await instructed(world)
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.REJECTED, {}, "system error")
    await world.night(step="confirm")
    assert (await world.balances())["department:traffic:payable"] == "-100.00"
    world.bank.state(
        entry("100.00", batch="BATCH-1", day=MONDAY), entry("-100.00", end_to_end=line_id, day=MONDAY), day=MONDAY
    )
    await world.night(MONDAY)
    return world, line_id


async def earn(world, attempt, amount, day):
    await world.capture(attempt, ("traffic", amount), day=day)
    world.provider.put(settlement([line(1, f"O-{attempt}", amount)], batch=f"B-{attempt}", day=day), day)
    world.bank.state(day=day)
    await world.night(day)


async def break_of(world, kind):
    found = await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = $1 AND closed_at IS NULL", kind)
    assert found, await world.breaks()
    return found


async def decided(world, kind, action):
    break_id = await break_of(world, kind)
    proposal = await propose_resolution(world.deps, break_id, action, by="amal", reason="the bank's letter of Monday")
    with pytest.raises(SamePersonError):
        await decide_resolution(world.deps, proposal, by="amal", approve=True)
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)
    return break_id


def paid(world):
    return [amount.decimal() for amount in world.bank.instructed().values()]


async def lines(world):
    rows = await world.pool.fetch("SELECT amount_minor, status FROM reconciliation.payout_line ORDER BY id")
    return [(row["amount_minor"], row["status"]) for row in rows]


async def test_hc26_what_was_debited_after_its_rejection_is_not_paid_a_second_time(paid_after_all):
    world, line_id = paid_after_all
    assert paid(world) == ["100.00"]
    assert ("paid_after_rejection", line_id, "-100.00") in await world.breaks()

    await earn(world, "a2", "300.00", TUESDAY)  # what is owed beyond it goes on being paid
    assert paid(world) == ["100.00", "300.00"]
    assert (await world.balances())["department:traffic:payable"] == "-100.00"
    await world.assert_books_hold()


async def test_hc26_two_people_book_it_as_paid_and_everything_is_settled(paid_after_all):
    world, line_id = paid_after_all
    break_id = await decided(world, "paid_after_rejection", Action.BOOK_PAID)

    assert await world.journals("payout_booked_paid") == [
        f"resolution:{break_id} | department:traffic:payable | 100.00 |",
        f"resolution:{break_id} | department:traffic:payout_in_transit | -100.00 | {line_id}",
    ]
    assert await lines(world) == [(100_00, "paid")]
    assert await world.balances() == {}
    world.bank.state(day=TUESDAY)
    await world.night(TUESDAY)
    assert await world.breaks() == []  # the rejection is made good by it
    assert paid(world) == ["100.00"]

    await earn(world, "a2", "300.00", WEDNESDAY)
    assert paid(world) == ["100.00", "300.00"]
    await world.assert_books_hold()


async def test_hc26_debited_only_after_it_was_paid_again_comes_off_the_next_payout(world):
    first = await instructed(world)
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.REJECTED, {}, "system error")
    await world.night(step="confirm")
    world.bank.state(entry("100.00", batch="BATCH-1", day=MONDAY), day=MONDAY)
    await world.night(MONDAY)
    assert paid(world) == ["100.00", "100.00"]
    second = max(world.bank.instructed())
    debits = [entry("-100.00", end_to_end=one, day=TUESDAY) for one in (first, second)]
    world.bank.state(*debits, day=TUESDAY)
    await world.night(TUESDAY)

    await earn(world, "a2", "300.00", WEDNESDAY)
    assert paid(world) == ["100.00", "100.00", "200.00"]
    await decided(world, "paid_after_rejection", Action.BOOK_PAID)
    assert "department:traffic:payable" not in await world.balances()
    await earn(world, "a3", "50.00", THURSDAY)
    assert paid(world) == ["100.00", "100.00", "200.00", "50.00"]
    await world.assert_books_hold()


async def test_only_a_debit_of_a_payout_is_booked_as_paid(world):
    await world.capture("a1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-a1", "100.00")]))
    world.bank.state(entry("90.00", batch="BATCH-1"))
    await world.night()
    break_id = await break_of(world, "bank_amount")
    with pytest.raises(NotAllowedError, match="booked as paid"):
        await propose_resolution(world.deps, break_id, Action.BOOK_PAID, by="amal", reason="a try")


@pytest.fixture
async def returned_less(world):
    """A payout of 100 is paid, and 98 of it come back under its own id."""
    line_id = await instructed(world)
    world.bank.state(
        entry("100.00", batch="BATCH-1", day=MONDAY), entry("-100.00", end_to_end=line_id, day=MONDAY), day=MONDAY
    )
    await world.night(MONDAY)
    world.bank.state(
        entry("98.00", end_to_end=line_id, returned=True, remittance="RETURN LESS CHARGE", day=TUESDAY), day=TUESDAY
    )
    await world.night(TUESDAY)
    return world, line_id


async def test_hc24_a_payout_returned_less_a_charge_is_owed_again_and_the_charge_waits(returned_less):
    world, line_id = returned_less
    assert await world.journals("payout_return_received", "payout_returned") == [
        "bank:3:1 | bank:main:cash | 98.00 |",
        f"bank:3:1 | department:traffic:payout_in_transit | -98.00 | {line_id}",
        f"payout_returned:{line_id} | department:traffic:payout_in_transit | 100.00 | {line_id}",
        f"payout_returned:{line_id} | department:traffic:payable | -100.00 |",
    ]
    standing = await world.breaks()
    assert ("returned_payout", "3:1", "98.00") in standing
    assert ("bank_amount", line_id, "-2.00") in standing
    assert not [kind for kind, _, _ in standing if kind == "unknown_bank_credit"]
    assert paid(world) == ["100.00", "98.00"]  # what came back leaves again, and nothing else
    async with world.pool.acquire() as connection:
        again = await payouts.one_of_department(connection, "traffic", max(world.bank.instructed()))
        assert await inside.total(connection, "traffic", again) == 98_00  # its advice explains it to the last fil
    (match,) = await read_match(world.deps, Leg.BANK, 3, 1)
    assert (match.rule, str(match.variance)) == ("payout_return_less", "AED -2.00")
    await world.assert_books_hold()


@pytest.mark.parametrize("action", [Action.WRITE_OFF, Action.BOOK_PAID], ids=["the treasury", "the department"])
async def test_hc24_two_people_say_who_bears_the_charge(returned_less, action):
    world, _ = returned_less
    foreseen = {one.action: one for one in await foresee_break(world.deps, await break_of(world, "bank_amount"))}
    assert foreseen[action].entry is not None, foreseen
    await decided(world, "bank_amount", action)
    world.bank.state(day=WEDNESDAY)
    await world.night(WEDNESDAY)

    by_treasury = action is Action.WRITE_OFF
    assert paid(world) == ["100.00", "98.00", *(["2.00"] if by_treasury else [])]
    balances = await world.balances()
    assert balances.get("treasury:write_offs") == ("2.00" if by_treasury else None)
    assert "department:traffic:payable" not in balances
    assert (await lines(world))[0] == (100_00, "returned")
    await world.assert_books_hold()


async def test_hc24_a_return_of_more_than_was_paid_is_for_a_person(world):
    line_id = await instructed(world)
    world.bank.state(
        entry("100.00", batch="BATCH-1", day=MONDAY), entry("-100.00", end_to_end=line_id, day=MONDAY),
        entry("101.00", end_to_end=line_id, returned=True, day=MONDAY), day=MONDAY,
    )  # fmt: skip
    await world.night(MONDAY)
    assert [kind for kind, _, _ in await world.breaks()] == ["unknown_bank_credit"]
    assert "department:traffic:payable" not in await world.balances()
