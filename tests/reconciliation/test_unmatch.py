"""A match can be explained, and undone by two people with a journal that reverses it."""

from dataclasses import replace

import asyncpg
import pytest

from reconciliation.breaks import Action, Language
from reconciliation.errors import NotAllowedError, NotFoundError, SamePersonError
from reconciliation.matching import Leg
from reconciliation.resolutions import Target, decide_resolution, propose_resolution
from reconciliation.unmatch import decide_unmatch, propose_unmatch, read_match, unmatches_to_decide

from .conftest import MONDAY, SUNDAY, TUESDAY, entry, line, settlement


async def undo(world, leg, file_no, number):
    proposal = await propose_unmatch(world.deps, leg, file_no, number, by="amal", reason="the wrong payment")
    await decide_unmatch(world.deps, proposal, by="bilal", approve=True)
    return proposal


async def test_a_match_says_its_rule_keys_score_and_variance_in_both_languages(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "90.00")]))
    await world.night()

    (found,) = await read_match(world.deps, Leg.PROVIDER, 1, 1)

    assert (found.rule, found.keys, found.score) == ("provider_reference", ("provider_reference",), 100)
    assert (str(found.expected), str(found.variance)) == ("AED 100.00", "AED -10.00")
    assert found.sentence(Language.ENGLISH) == "The provider's own reference pa_1 is the one our books hold."
    assert "مرجع المزود" in found.sentence(Language.ARABIC)


async def test_a_settlement_lines_match_is_undone_and_never_made_again_by_rule(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00", fee="1.00", vat="0.05")]))
    world.bank.state(entry("98.95", batch="BATCH-1"))
    await world.night()
    before = await world.balances()
    assert "provider:alpha:receivable" not in before

    proposal = await undo(world, Leg.PROVIDER, 1, 1)

    assert await world.balances() == {
        **before, "provider:alpha:receivable": "100.00", "suspense:unidentified": "-100.00"
    }  # fmt: skip
    assert await world.journals("match_undone") == [
        f"unmatch:{proposal} | provider:alpha:receivable | 100.00 | pa_1",
        f"unmatch:{proposal} | suspense:unidentified | -100.00 | alpha:1:1",
    ]
    corrected = await world.pool.fetchval(
        "SELECT c.reference FROM ledger.journal j JOIN ledger.journal c ON c.id = j.corrects WHERE j.reference = $1",
        f"unmatch:{proposal}",
    )
    assert corrected == "settle:alpha:1:1"
    assert ("missing_in_books", "alpha:1:1", "100.00") in await world.breaks()
    await world.night(MONDAY)  # the same reference would find it again
    assert (await world.balances())["suspense:unidentified"] == "-100.00"
    first, last = await read_match(world.deps, Leg.PROVIDER, 1, 1)
    assert first.undone == "amal, bilal: the wrong payment"
    assert (last.rule, last.outcome) == (None, "missing_in_books")


async def test_what_is_found_after_it_was_undone_is_booked_again_under_its_own_name(world):
    await world.capture("pa_1", ("traffic", "100.00"), order="O-7")
    world.provider.put(settlement([line(1, "O-7", "100.00")]))
    await world.night()
    await undo(world, Leg.PROVIDER, 1, 1)
    await world.capture("pa_2", ("health", "100.00"), order="O-7", day=MONDAY)  # the right one, learned of later

    await world.night(MONDAY)

    books = await world.balances()
    assert "suspense:unidentified" not in books
    assert books["provider:alpha:receivable"] == "100.00"  # the wrong one, open again
    assert (await world.journals("settled_line_identified"))[1].startswith("rematch3:alpha:1:1 | provider:alpha:receiv")
    assert (await world.journals("settled_line_identified"))[1].endswith("| pa_2")
    assert (await read_match(world.deps, Leg.PROVIDER, 1, 1))[-1].rule == "found_later"

    await undo(world, Leg.PROVIDER, 1, 1)
    assert (await world.balances())["suspense:unidentified"] == "-100.00"
    await world.assert_books_hold()


async def test_a_bank_credits_match_is_undone_and_cash_stays(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("99.99", batch="BATCH-1"))
    await world.night()

    await undo(world, Leg.BANK, 1, 1)

    books = await world.balances()
    assert books["bank:main:cash"] == "99.99"
    assert books["provider:alpha:in_transit"] == "100.00"
    assert books["suspense:unidentified"] == "-99.99"
    assert "treasury:rounding" not in books
    assert ("unknown_bank_credit", "1:1", "99.99") in await world.breaks()
    await world.night(MONDAY)
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"
    await world.assert_books_hold()


async def test_a_match_by_hand_is_kept_explained_and_undone(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", remittance="no reference"))
    await world.night()
    found = await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'unknown_bank_credit'")
    target = Target("provider:alpha:in_transit", "BATCH-1")
    proposal = await propose_resolution(
        world.deps, found, Action.MATCH_BY_HAND, by="amal", reason="by telephone", target=target
    )
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)
    by_hand = (await read_match(world.deps, Leg.BANK, 1, 1))[-1]
    assert (by_hand.rule, by_hand.account, by_hand.item, str(by_hand.variance)) == (
        "by_hand", "provider:alpha:in_transit", "BATCH-1", "AED 0.00",
    )  # fmt: skip
    assert by_hand.sentence(Language.ENGLISH) == "Two people matched it to BATCH-1 by hand."
    assert "suspense:unidentified" not in await world.balances()

    await undo(world, Leg.BANK, 1, 1)

    books = await world.balances()
    assert (books["suspense:unidentified"], books["provider:alpha:in_transit"]) == ("-100.00", "100.00")
    assert ("unknown_bank_credit", "1:1", "100.00") in await world.breaks()


async def test_hc27_a_match_is_not_undone_by_one_person(world, owner):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    proposal = await propose_unmatch(world.deps, Leg.PROVIDER, 1, 1, by="amal", reason="wrong")
    assert await unmatches_to_decide(world.deps) == [f"{proposal}  provider 1 line 1  by amal: wrong"]
    with pytest.raises(NotAllowedError, match="waits already"):
        await propose_unmatch(world.deps, Leg.PROVIDER, 1, 1, by="huda", reason="wrong")
    with pytest.raises(SamePersonError):
        await decide_unmatch(world.deps, proposal, by="amal", approve=True)
    with pytest.raises(asyncpg.CheckViolationError, match="unmatch_maker_is_not_checker"):
        await owner.execute(
            "UPDATE reconciliation.unmatch"
            " SET checker = maker, decision = 'approved', checked_at = made_at, journal_id = 1"
        )
    await decide_unmatch(world.deps, proposal, by="bilal", approve=False)
    assert (await read_match(world.deps, Leg.PROVIDER, 1, 1))[-1].rule == "provider_reference"
    with pytest.raises(NotAllowedError, match="refused already"):
        await decide_unmatch(world.deps, proposal, by="bilal", approve=True)


async def test_what_cannot_be_undone_is_refused_with_the_reason(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-unknown", "5.00")]))
    world.bank.state(entry("105.00", batch="BATCH-1"))
    await world.night()
    (paid,) = world.bank.instructed().items()
    world.bank.state(entry(f"-{paid[1].decimal()}", end_to_end=paid[0], day=MONDAY), day=MONDAY)
    world.bank.state(entry(paid[1].decimal(), end_to_end=paid[0], returned=True, day=TUESDAY), day=TUESDAY)
    await world.night(MONDAY)
    await world.night(TUESDAY)

    with pytest.raises(NotAllowedError, match="not matched"):
        await propose_unmatch(world.deps, Leg.PROVIDER, 1, 2, by="amal", reason="x")
    with pytest.raises(NotAllowedError, match="has come back since"):
        await propose_unmatch(world.deps, Leg.BANK, 2, 1, by="amal", reason="x")
    with pytest.raises(NotAllowedError, match="payout_return is not undone"):
        await propose_unmatch(world.deps, Leg.BANK, 3, 1, by="amal", reason="x")
    with pytest.raises(NotAllowedError, match="needs a reason"):
        await propose_unmatch(world.deps, Leg.PROVIDER, 1, 1, by="amal", reason="")
    with pytest.raises(NotFoundError):
        await propose_unmatch(world.deps, Leg.PROVIDER, 9, 1, by="amal", reason="x")
    with pytest.raises(NotFoundError):
        await decide_unmatch(world.deps, "um_none", by="amal", approve=True)


async def test_an_undone_payment_of_a_closed_day_is_reversed_on_the_open_day(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    await world.close(SUNDAY)

    await undo(world, Leg.PROVIDER, 1, 1)

    day = await world.pool.fetchval("SELECT DISTINCT business_date FROM ledger.postings WHERE kind = 'match_undone'")
    assert SUNDAY < day < TUESDAY


async def test_a_debit_that_was_not_the_payouts_leaves_it_waiting_for_the_statement(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    (paid,) = world.bank.instructed()
    world.bank.state(entry("-100.00", end_to_end=paid, day=MONDAY), day=MONDAY)
    await world.night(MONDAY)
    assert await world.pool.fetchval("SELECT status FROM reconciliation.payout_batch") == "confirmed"

    await undo(world, Leg.BANK, 2, 1)

    assert (await world.journals("match_undone"))[0].split(" | ")[1:] == [
        "department:traffic:payout_in_transit", "-100.00", paid,
    ]  # fmt: skip
    books = await world.balances()
    assert (books["department:traffic:payout_in_transit"], books["suspense:unidentified"]) == ("-100.00", "100.00")
    found = await world.pool.fetchrow(
        "SELECT l.status, l.paid_on, b.status AS batch FROM reconciliation.payout_line l"
        " JOIN reconciliation.payout_batch b ON b.id = l.batch_id"
    )
    assert tuple(found) == ("accepted", None, "accepted")
    assert ("unknown_bank_debit", "2:1", "-100.00") in await world.breaks()

    # The right debit comes, and the night takes it for the payout's.
    world.bank.state(entry("-100.00", end_to_end=paid, day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)
    assert "department:traffic:payout_in_transit" not in await world.balances()
    assert await world.pool.fetchval("SELECT status FROM reconciliation.payout_batch") == "confirmed"
    await world.assert_books_hold()


async def test_a_transfer_that_was_another_payers_is_taken_off_the_payment(world):
    world.deps = replace(world.deps, direct=frozenset({"alpha"}), settling={})
    await world.capture("pa_1", ("traffic", "100.00"), order="RF18539007547034")
    world.bank.state(entry("120.00", remittance="RF18539007547034"))
    await world.night()
    assert await world.breaks() == [("transfer_excess", "1:1", "20.00")]

    await undo(world, Leg.BANK, 1, 1)

    books = await world.balances()
    assert (books["provider:alpha:receivable"], books["suspense:unidentified"]) == ("100.00", "-120.00")
    world.bank.state(day=MONDAY)
    await world.night(MONDAY)
    assert (await world.balances())["suspense:unidentified"] == "-120.00"  # no rule puts the two together again
    await world.assert_books_hold()
