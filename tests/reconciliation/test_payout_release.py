"""A payout that waited for its approval leaves only as what is still proven, to the account that is in force by now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.contract import LineKind
from reconciliation.breaks import Language
from reconciliation.matching import Leg
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.payout_decisions import decide_payout, payouts_to_decide
from reconciliation.payout_terms import Schedule
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.unmatch import decide_unmatch, propose_unmatch

from .conftest import IBAN, MONDAY, SUNDAY, TUESDAY, entry, line, settlement

WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture
async def waiting(world):
    """A payout of 600 to traffic, which a person has to approve."""
    world.deps = replace(world.deps, policy=replace(world.deps.policy, auto_approve_limit_minor=0))
    await world.payee("traffic")
    await world.capture("a1", ("traffic", "100.00"))
    await world.capture("a2", ("traffic", "500.00"))
    world.provider.put(settlement([line(1, "O-a1", "100.00"), line(2, "O-a2", "500.00")]))
    await world.night()
    return world


async def approve(world):
    (pending,) = await payouts_to_decide(world.deps)
    await decide_payout(world.deps, pending.batch_id, by="huda", approve=True)
    return pending.batch_id


async def batches(world):
    rows = await world.pool.fetch(
        "SELECT business_date, status, total_minor, reason FROM reconciliation.payout_batch ORDER BY made_at, id"
    )
    return [(row["business_date"], row["status"], row["total_minor"], row["reason"]) for row in rows]


async def register(world, day, language=Language.ENGLISH):
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, "payouts", day, language)
        return b"".join([chunk async for chunk in render(report, Format.CSV)]).decode()


async def test_what_is_still_proven_leaves_in_the_night_after_its_approval(waiting):
    await waiting.night(MONDAY)
    await approve(waiting)
    await waiting.night(TUESDAY)

    assert [str(amount) for amount in waiting.bank.instructed().values()] == ["AED 600.00"]
    assert await waiting.balances() == {
        "department:traffic:payout_in_transit": "-600.00", "provider:alpha:in_transit": "600.00",
    }  # fmt: skip


async def test_a_dispute_between_draft_and_release_takes_the_batch_back(waiting):
    waiting.provider.put(
        settlement([line(1, "O-a2", "-500.00", kind=LineKind.CHARGEBACK)], batch="BATCH-2", day=MONDAY), MONDAY
    )
    waiting.bank.state(entry("600.00", batch="BATCH-1", day=MONDAY), day=MONDAY)
    await waiting.night(MONDAY)
    await approve(waiting)
    await waiting.night(TUESDAY)

    assert waiting.bank.files == {}
    assert await batches(waiting) == [
        (SUNDAY, "refused", 600_00, "not_proven_now: traffic"), (TUESDAY, "submitted", 100_00, ""),
    ]  # fmt: skip
    assert "the money is no longer proven: traffic" in await register(waiting, SUNDAY)
    assert "لم يعد المبلغ مثبتًا: traffic" in await register(waiting, SUNDAY, Language.ARABIC)

    await approve(waiting)
    await waiting.night(WEDNESDAY)
    assert [str(amount) for amount in waiting.bank.instructed().values()] == ["AED 100.00"]
    assert (await waiting.balances())["department:traffic:payable"] == "-500.00"


async def test_a_match_undone_between_draft_and_release_takes_the_batch_back(waiting):
    unmatch = await propose_unmatch(waiting.deps, Leg.PROVIDER, 1, 2, by="amal", reason="another's line")
    await decide_unmatch(waiting.deps, unmatch, by="bilal", approve=True)
    await approve(waiting)
    await waiting.night(MONDAY)

    assert waiting.bank.files == {}
    assert await batches(waiting) == [
        (SUNDAY, "refused", 600_00, "not_proven_now: traffic"), (MONDAY, "submitted", 100_00, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["", "411600"], ids=["the account", "a new account of a code"])
async def test_an_account_changed_between_draft_and_release_takes_the_batch_back(waiting, code):
    details = PayeeDetails("traffic", "AED", "Traffic Department", IBAN["health"], None, revenue_code=code)
    change = await propose_payee_change(waiting.deps, details, by="amal", reason="the old one is closed")
    await decide_payee_change(waiting.deps, change, by="bilal", approve=True)
    waiting.clock.advance(days=4)
    await approve(waiting)
    await waiting.night(TUESDAY)

    assert waiting.bank.files == {}
    assert [row[1:] for row in await batches(waiting)] == [
        ("refused", 600_00, "account_changed: traffic"), ("submitted", 600_00, ""),
    ]  # fmt: skip
    assert "the bank details changed since the draft: traffic" in await register(waiting, SUNDAY)
    if not code:
        await approve(waiting)
        await waiting.night(WEDNESDAY)
        paid_to = [one.creditor_iban for file in waiting.bank.files.values() for one in file.lines]
        assert paid_to == [IBAN["health"]]


async def test_a_batch_the_policy_approved_and_a_crash_left_is_looked_at_again_too(waiting, owner):
    """The night died between draft and release: what is released later is checked whoever approved it."""
    await owner.execute(
        "UPDATE reconciliation.payout_batch SET status = 'approved', checker = 'policy', checked_at = made_at,"
        " auto_approve_limit_minor = total_minor"
    )
    waiting.provider.put(
        settlement([line(1, "O-a2", "-500.00", kind=LineKind.CHARGEBACK)], batch="BATCH-2", day=MONDAY), MONDAY
    )
    await waiting.night(MONDAY)

    assert waiting.bank.files == {}
    assert [row[1] for row in await batches(waiting)] == ["refused", "submitted"]


async def weekly(world, weekday):
    """Traffic is paid weekly; the batch of health waits for a person from Sunday on."""
    world.deps = replace(world.deps, policy=replace(world.deps.policy, auto_approve_limit_minor=0))
    await world.payee("traffic", schedule=Schedule.WEEKLY, weekday=weekday)
    await world.payee("health")
    await world.capture("a1", ("traffic", "100.00"))
    await world.capture("a2", ("health", "70.00"))
    world.provider.put(settlement([line(1, "O-a1", "100.00"), line(2, "O-a2", "70.00")]))
    await world.night()
    await world.night(MONDAY)


async def drafted(world):
    rows = await world.pool.fetch(
        "SELECT p.business_date, l.department FROM reconciliation.payout_line l"
        " JOIN reconciliation.payout_batch p ON p.id = l.batch_id WHERE p.status <> 'refused' ORDER BY 1, 2"
    )
    return [(row["business_date"], row["department"]) for row in rows]


async def test_a_weekly_department_is_paid_though_anothers_batch_waited_on_its_day(world):
    await weekly(world, MONDAY.weekday())
    assert await drafted(world) == [(SUNDAY, "health")]
    await approve(world)
    await world.night(TUESDAY)
    await world.night(WEDNESDAY)

    assert await drafted(world) == [(SUNDAY, "health"), (TUESDAY, "traffic")]


async def test_a_weekly_department_whose_day_was_not_left_out_waits_for_the_next(world):
    await weekly(world, TUESDAY.weekday())
    await approve(world)
    await world.night(TUESDAY)
    await world.capture("a3", ("traffic", "9.00"), ("health", "3.00"), day=WEDNESDAY)
    world.provider.put(settlement([line(1, "O-a3", "12.00")], batch="B3", day=WEDNESDAY), WEDNESDAY)
    await approve(world)
    await world.night(WEDNESDAY)

    assert await drafted(world) == [(SUNDAY, "health"), (TUESDAY, "traffic"), (WEDNESDAY, "health")]


async def test_a_day_on_which_nothing_was_due_is_not_made_good_on_the_next(world):
    await world.payee("traffic", schedule=Schedule.WEEKLY, weekday=MONDAY.weekday())
    await world.capture("a1", ("traffic", "100.00"))
    await world.night()
    await world.night(MONDAY)  # its day; nothing is settled yet
    world.provider.put(settlement([line(1, "O-a1", "100.00")], day=TUESDAY), TUESDAY)
    await world.night(TUESDAY)

    assert await drafted(world) == []
