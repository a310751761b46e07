"""What is open is somebody's work until it is at zero: what a decision leaves, what nobody named, on either side."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from adapters.contract import LineKind
from ledger.accounts import DISPUTES_RECEIVABLE, SUSPENSE_UNIDENTIFIED, department_payable
from ledger.entry import Entry, credit, debit
from reconciliation.break_words import sentence
from reconciliation.breaks import Action, BreakType, Language
from reconciliation.day_close import Lack, day_status, propose_day
from reconciliation.errors import NotAllowedError
from reconciliation.resolutions import Target, decide_resolution, propose_resolution
from reconciliation.unmatch import Leg, decide_unmatch, propose_unmatch
from tests.reconciliation.conftest import MONDAY, SUNDAY, TUESDAY, aed, entry, line, settlement

WEDNESDAY = TUESDAY + timedelta(days=1)


async def only(world, kind):
    (found,) = await world.pool.fetch("SELECT id FROM reconciliation.break WHERE type = $1 AND closed_at IS NULL", kind)
    return found["id"]


async def both(world, kind, action, target=None):
    made = await propose_resolution(
        world.deps, await only(world, kind), action, by="amal", reason="by letter", target=target
    )
    await decide_resolution(world.deps, made, by="bilal", approve=True)


async def nights(world, *days):
    for day in days:
        world.bank.state(day=day)
        await world.night(day)


async def test_a_credit_matched_in_part_leaves_a_break_of_the_rest_which_is_matched_in_turn(world):
    await world.capture("pa_1", ("traffic", "60.00"))
    world.bank.state(entry("100.00", remittance="something odd"))
    await world.night()

    await both(world, "unknown_bank_credit", Action.MATCH_BY_HAND, Target("provider:alpha:receivable", "pa_1"))

    assert await world.breaks() == [("unknown_bank_credit", "1:1", "40.00")]
    detail = await world.pool.fetchval("SELECT detail::text FROM reconciliation.break WHERE closed_at IS NULL")
    said = sentence(BreakType.UNKNOWN_BANK_CREDIT, msgspec.json.decode(detail, type=dict[str, str]), Language.ENGLISH)
    assert said.endswith("AED 40.00 of it is still open.")
    assert "40.00" in sentence(
        BreakType.UNKNOWN_BANK_CREDIT, msgspec.json.decode(detail, type=dict[str, str]), Language.ARABIC
    )
    await nights(world, MONDAY)
    assert await world.breaks() == [("unknown_bank_credit", "1:1", "40.00")]

    await world.capture("pa_2", ("traffic", "40.00"), day=MONDAY)
    await both(world, "unknown_bank_credit", Action.MATCH_BY_HAND, Target("provider:alpha:receivable", "pa_2"))
    assert await world.breaks() == []
    assert "suspense:unidentified" not in await world.balances()


async def test_a_payment_matched_in_part_stays_missing(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state(entry("60.00", remittance="something odd"))
    await world.night()
    await nights(world, MONDAY)

    await both(world, "missing_at_provider", Action.MATCH_BY_HAND, Target(SUSPENSE_UNIDENTIFIED, "1:1"))

    assert await world.breaks() == [
        ("file_missing", "alpha:2026-11-22", ""), ("missing_at_provider", "pa_1", "40.00"),
        ("unknown_bank_credit", "1:1", "60.00"),
    ]  # fmt: skip
    await nights(world, TUESDAY, WEDNESDAY)
    assert ("missing_at_provider", "pa_1", "40.00") in await world.breaks()
    assert "unknown_bank_credit" not in {kind for kind, _, _ in await world.breaks()}


async def test_an_item_whose_break_ended_while_it_was_open_is_raised_again_and_no_day_is_closed_before(world, owner):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state(entry("5.00", remittance="odd"))
    await world.night()
    await nights(world, MONDAY)
    # As decisions about a part once left them.
    await owner.execute(
        "UPDATE reconciliation.break SET status = 'resolved', closed_at = raised_at WHERE item IS NOT NULL"
    )
    await world.explain_all()

    stands = {(one.lack, one.what) for one in (await day_status(world.deps, MONDAY)).obstacles}

    assert (Lack.ITEM, "suspense:unidentified 1:1, AED 5.00") in stands
    assert (Lack.ITEM, "provider:alpha:receivable pa_1, AED 100.00") in stands
    with pytest.raises(NotAllowedError, match="no break says why yet"):
        await propose_day(world.deps, SUNDAY, by="amal")
    await nights(world, TUESDAY)
    standing = await world.breaks()
    assert ("unknown_bank_credit", "1:1", "5.00") in standing
    assert ("missing_at_provider", "pa_1", "100.00") in standing
    await world.explain_all()
    assert Lack.ITEM not in {one.lack for one in (await day_status(world.deps, SUNDAY)).obstacles}


@pytest.mark.parametrize(("moved", "kind"), [("3.00", "unknown_bank_debit"), ("-3.00", "unknown_bank_credit")])
async def test_what_lies_in_suspense_without_ever_having_had_a_break_gets_one(world, moved, kind):
    side, other = (debit, credit) if moved == "3.00" else (credit, debit)
    await world.post(
        Entry(
            reference="by:hand", kind="by_hand", business_date=SUNDAY, effective_at=world.clock(),
            postings=(
                side(SUSPENSE_UNIDENTIFIED, aed("3.00"), "who:knows"),
                other(DISPUTES_RECEIVABLE, aed("3.00"), "pa_9"),
            ),
        )
    )  # fmt: skip
    world.bank.state()
    await world.night()
    value = f"{-aed(moved).amount_minor / 100:.2f}"
    assert await world.breaks() == sorted([
        ("chargeback", "pa_9", moved), (kind, "who:knows", value),
    ])  # fmt: skip


async def test_a_refund_found_later_with_another_amount_is_a_break_of_its_amount(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    refunded = line(2, "R-re_1", "-60.00", reference="re_1", kind=LineKind.REFUND)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), refunded]))
    world.bank.state(entry("40.00", batch="BATCH-1"))
    await world.night()
    await world.refund("re_1", "traffic", "50.00", day=MONDAY)

    await nights(world, MONDAY)

    assert await world.breaks() == [("amount", "re_1", "-10.00")]
    await nights(world, TUESDAY, WEDNESDAY)
    assert await world.breaks() == [("amount", "re_1", "-10.00")]


async def test_a_payment_found_later_with_another_amount_is_a_break_of_its_amount(world):
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    await world.capture("pa_1", ("traffic", "60.00"), day=MONDAY)
    await nights(world, MONDAY)
    assert await world.breaks() == [("amount", "pa_1", "40.00")]


async def test_more_taken_back_than_our_books_refunded_is_a_break(world):
    await world.refund("re_1", "traffic", "30.00")
    refunded = line(1, "R-re_1", "-30.00", reference="re_1", kind=LineKind.REFUND)
    world.provider.put(settlement([refunded]))
    world.bank.state(entry("-30.00", batch="BATCH-1"))
    await world.night()
    await world.post(
        Entry(
            reference="failed:re_1", kind="refund_failed", business_date=MONDAY, effective_at=world.clock(),
            postings=(
                debit("provider:alpha:refunds_in_transit", aed("30.00"), "re_1"),
                credit(department_payable("traffic"), aed("30.00")),
            ),
        )
    )  # fmt: skip
    await nights(world, MONDAY)
    assert await world.breaks() == [("refund_beyond", "re_1", "30.00")]


@pytest.mark.parametrize(
    "target",
    [
        Target("suspense:late_payments", "pa_late"),
        Target("department:traffic:payout_in_transit", "pl_1"),
        Target("provider:beta:receivable", "pa_beta"),
    ],
)
async def test_a_break_is_matched_by_hand_only_with_what_its_type_may_be(world, target):
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture_late("pa_late", "100.00")
    for account, item in (("department:traffic:payout_in_transit", "pl_1"), ("provider:beta:receivable", "pa_beta")):
        await world.post(
            Entry(
                reference=f"for:{item}", kind="by_hand", business_date=SUNDAY, effective_at=world.clock(),
                postings=(
                    credit(account, aed("100.00"), item), debit(department_payable("traffic"), aed("100.00")),
                ),
            )
        )  # fmt: skip
    world.bank.state()
    await world.night()
    await nights(world, MONDAY)
    (found,) = await world.pool.fetch(
        "SELECT id FROM reconciliation.break WHERE type = 'missing_at_provider' AND item = 'pa_1'"
    )
    with pytest.raises(NotAllowedError, match="is not matched with an item of"):
        await propose_resolution(
            world.deps, found["id"], Action.MATCH_BY_HAND, by="amal", reason="same sum", target=target
        )


async def test_a_match_undone_after_a_part_was_matched_by_hand_is_a_break_again(world):
    await world.capture("pa_1", ("traffic", "60.00"))
    world.bank.state(entry("100.00", remittance="something odd"))
    await world.night()
    await both(world, "unknown_bank_credit", Action.MATCH_BY_HAND, Target("provider:alpha:receivable", "pa_1"))
    undone = await propose_unmatch(world.deps, Leg.BANK, 1, 1, by="amal", reason="the wrong payment")
    await decide_unmatch(world.deps, undone, by="bilal", approve=True)
    assert (await world.balances())["suspense:unidentified"] == "-100.00"
    assert await world.breaks() == [("unknown_bank_credit", "1:1", "100.00")]  # and the rest's is one with it


async def test_a_line_of_which_people_matched_a_part_is_not_moved_as_a_whole_later(world):
    await world.capture("pa_1", ("traffic", "60.00"), order="O-other")
    world.provider.put(settlement([line(1, "O-pa_2", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    await nights(world, MONDAY)
    await both(world, "missing_at_provider", Action.MATCH_BY_HAND, Target(SUSPENSE_UNIDENTIFIED, "alpha:1:1"))
    await world.capture("pa_2", ("traffic", "100.00"), day=TUESDAY)

    await nights(world, TUESDAY)

    books = await world.balances()
    assert (books["suspense:unidentified"], books["provider:alpha:receivable"]) == ("-40.00", "100.00")
    assert ("missing_in_books", "alpha:1:1", "100.00") in await world.breaks()
