"""What is approved is what was proposed, once, and a dispute never takes more than its payment brought."""

from __future__ import annotations

import asyncio

import pytest

from adapters.contract import LineKind
from reconciliation.breaks import MEANINGS, Action
from reconciliation.errors import NightRunningError, NotAllowedError, ReconciliationError
from reconciliation.resolution_targets import TARGETS
from reconciliation.resolutions import Target, decide_resolution, propose_resolution, resolutions_to_decide
from reconciliation.store import leases
from reconciliation.unmatch import Leg, decide_unmatch, propose_unmatch
from tests.reconciliation.conftest import MONDAY, TUESDAY, entry, line, settlement


async def proposed(world, break_id, action, target=None):
    return await propose_resolution(world.deps, break_id, action, by="amal", reason="by letter", target=target)


async def standing(world, kind):
    rows = await world.pool.fetch(
        "SELECT id FROM reconciliation.break WHERE type = $1 AND closed_at IS NULL ORDER BY amount_minor, id", kind
    )
    return [row["id"] for row in rows]


async def approved(world, proposal, by="bilal"):
    """Return whether an approval went through."""
    try:
        await decide_resolution(world.deps, proposal, by=by, approve=True)
    except ReconciliationError:
        return False
    return True


async def at_once(world, owner, made):
    """Approve two proposals so that both are under way before either can post; say which went through."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with owner.transaction():
        await owner.execute("SELECT ledger.hold_head()")
        people = zip(made, ("bilal", "carla"), strict=True)
        under_way = [asyncio.create_task(approved(world, one, by)) for one, by in people]
        for _ in range(1000):
            await owner.execute("SELECT pg_stat_clear_snapshot()")
            if await owner.fetchval(waiting) == len(made):
                break
            await asyncio.sleep(0.02)
    return await asyncio.gather(*under_way)


def taken(number, amount, kind=LineKind.CHARGEBACK):
    return line(number, "O-pa_1", amount, kind=kind)


async def test_two_approvals_at_once_on_one_dispute_take_what_is_open_once(world, owner):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), taken(2, "-50.00"), taken(3, "-50.00")]))
    world.bank.state()
    await world.night()
    made = [await proposed(world, found, Action.BOOK_LOSS) for found in await standing(world, "chargeback")]

    assert await at_once(world, owner, made) == [True, True]

    books = await world.balances()
    assert "disputes:receivable" not in books
    assert "department:traffic:payable" not in books
    await world.assert_books_hold()


async def test_two_approvals_at_once_give_one_payment_to_one_credit(world, owner):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state(entry("100.00", remittance="one"), entry("100.00", remittance="another"))
    await world.night()
    target = Target("provider:alpha:receivable", "pa_1")
    made = [
        await proposed(world, found, Action.MATCH_BY_HAND, target)
        for found in await standing(world, "unknown_bank_credit")
    ]

    assert sorted(await at_once(world, owner, made)) == [False, True]

    books = await world.balances()
    assert "provider:alpha:receivable" not in books
    assert books["suspense:unidentified"] == "-100.00"
    assert len(await standing(world, "unknown_bank_credit")) == 1


async def test_nothing_is_approved_while_a_night_runs(world):
    world.bank.state(entry("1.00", remittance="?"))
    await world.night()
    (found,) = await standing(world, "unknown_bank_credit")
    made = await proposed(world, found, Action.WRITE_OFF)
    async with world.pool.acquire() as connection:
        assert await leases.take(connection, "a night", now=world.clock(), duration_s=600)
    with pytest.raises(NightRunningError):
        await decide_resolution(world.deps, made, by="bilal", approve=True)
    await decide_resolution(world.deps, made, by="bilal", approve=False)


async def test_a_write_off_of_five_is_not_approved_as_one_of_a_hundred(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "95.00")]))
    world.bank.state()
    await world.night()
    (found,) = await standing(world, "amount")
    made = await proposed(world, found, Action.WRITE_OFF)
    undone = await propose_unmatch(world.deps, Leg.PROVIDER, 1, 1, by="amal", reason="the wrong payment")
    await decide_unmatch(world.deps, undone, by="bilal", approve=True)

    with pytest.raises(NotAllowedError, match="have moved since it was proposed"):
        await decide_resolution(world.deps, made, by="bilal", approve=True)

    assert "treasury:write_offs" not in await world.balances()
    await decide_resolution(world.deps, made, by="bilal", approve=False)
    assert await resolutions_to_decide(world.deps) == []


async def test_a_proposal_whose_break_was_cured_is_refused_and_leaves_the_list(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state()
    await world.night()
    world.bank.state(day=MONDAY)
    await world.night(MONDAY)
    (found,) = await standing(world, "missing_at_provider")
    made = await proposed(world, found, Action.ASK_PROVIDER)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], day=TUESDAY), TUESDAY)
    world.bank.state(day=TUESDAY)
    await world.night(TUESDAY)

    (waiting,) = await resolutions_to_decide(world.deps)
    assert waiting.refused == "the break is cured already; refuse the proposal"
    with pytest.raises(NotAllowedError, match="cured already"):
        await decide_resolution(world.deps, made, by="bilal", approve=True)
    await decide_resolution(world.deps, made, by="bilal", approve=False)

    assert await resolutions_to_decide(world.deps) == []
    assert await world.pool.fetchval("SELECT status FROM reconciliation.break WHERE id = $1", found) == "cured"


async def test_a_loss_takes_what_its_break_says_and_never_more_than_was_credited(world):
    await world.capture("pa_1", ("traffic", "66.67"), ("health", "33.33"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), taken(2, "-100.00"), taken(3, "-80.00")]))
    world.bank.state()
    await world.night()
    larger, smaller = await standing(world, "chargeback")

    assert await approved(world, await proposed(world, smaller, Action.BOOK_LOSS))
    books = await world.balances()
    assert (books["disputes:receivable"], books["department:traffic:payable"]) == ("100.00", "-13.33")
    assert await approved(world, await proposed(world, larger, Action.BOOK_LOSS))

    books = await world.balances()
    assert books["disputes:receivable"] == "80.00"
    assert not {"department:traffic:payable", "department:health:payable"} & books.keys()
    (rest,) = await standing(world, "chargeback")
    with pytest.raises(NotAllowedError, match="lost already"):
        await proposed(world, rest, Action.BOOK_LOSS)


async def test_a_dispute_lost_and_then_won_gives_its_departments_their_money_back(world):
    await world.capture("pa_1", ("traffic", "66.67"), ("health", "33.33"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), taken(2, "-50.00")]))
    world.bank.state()
    await world.night()
    (found,) = await standing(world, "chargeback")
    with pytest.raises(NotAllowedError, match="only what came after"):
        await proposed(world, found, Action.RETURN_LOSS)
    assert await approved(world, await proposed(world, found, Action.BOOK_LOSS))
    won = [taken(1, "50.00", LineKind.CHARGEBACK_REVERSED)]
    world.provider.put(settlement(won, batch="BATCH-2", day=MONDAY), MONDAY)
    world.bank.state(day=MONDAY)
    await world.night(MONDAY)
    assert (await world.balances())["disputes:receivable"] == "-50.00"

    (found,) = await standing(world, "chargeback")
    with pytest.raises(NotAllowedError, match="only an open dispute"):
        await proposed(world, found, Action.BOOK_LOSS)
    assert await approved(world, await proposed(world, found, Action.RETURN_LOSS))

    books = await world.balances()
    assert "disputes:receivable" not in books
    assert (books["department:traffic:payable"], books["department:health:payable"]) == ("-66.67", "-33.33")
    corrected = await world.pool.fetchval(
        "SELECT c.kind FROM ledger.journal j JOIN ledger.journal c ON c.id = j.corrects"
        " WHERE j.kind = 'dispute_loss_returned'"
    )
    assert corrected == "dispute_lost"
    assert await standing(world, "chargeback") == []
    await world.assert_books_hold()


async def test_what_came_back_without_a_loss_is_given_to_nobody(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    won = taken(2, "50.00", LineKind.CHARGEBACK_REVERSED)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), won]))
    world.bank.state()
    await world.night()
    (found,) = await standing(world, "chargeback")
    with pytest.raises(NotAllowedError, match="no loss of this dispute"):
        await proposed(world, found, Action.RETURN_LOSS)


def test_every_break_that_may_be_matched_by_hand_says_with_what():
    wants = {Action.MATCH_BY_HAND, Action.EXCHANGE}
    assert {kind for kind, meaning in MEANINGS.items() if wants & set(meaning.suggested)} == TARGETS.keys()
