"""HC-19, HC-24, HC-26: a payout is sent under one id, ends line by line, and an unknown outcome stays unknown."""

from dataclasses import replace

import pytest

from adapters.contract import LineKind, PayoutReport, PayoutStatus
from adapters.errors import RejectedError
from reconciliation.deps import Policy
from reconciliation.errors import BooksDisagreeError
from reconciliation.payout_decisions import decide_payout, payouts_to_decide
from reconciliation.payout_terms import FeeBearer, Proof, Schedule

from .conftest import MONDAY, SUNDAY, TUESDAY, entry, line, settlement


@pytest.fixture
async def two_departments(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("health", "40.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "40.00")]))
    return world


async def batches(world):
    rows = await world.pool.fetch("SELECT status FROM reconciliation.payout_batch ORDER BY made_at")
    return [row["status"] for row in rows]


async def lines(world):
    rows = await world.pool.fetch("SELECT id, department, status FROM reconciliation.payout_line ORDER BY department")
    return {row["department"]: (row["id"], row["status"]) for row in rows}


async def test_hc26_an_answer_that_never_came_is_unknown_and_asked_for_not_sent_again(two_departments):
    world = two_departments
    world.bank.answers = ["lost"]

    await world.night()  # its last step asks the bank, which knows the file
    assert await batches(world) == ["accepted"]
    assert len(world.bank.sends) == 1


async def test_hc26_a_file_the_bank_does_not_know_is_sent_again_under_the_same_id(two_departments):
    world = two_departments
    world.bank.answers = ["refused", "ok"]

    await world.night()
    assert await batches(world) == ["released"]
    world.clock.advance(hours=1)
    await world.night(step="payouts")

    assert await batches(world) == ["sent"]
    assert len(set(world.bank.sends)) == 1
    assert len(world.bank.files) == 1
    assert await world.journals("payout_instructed") != []
    balances = await world.balances()
    assert balances["department:traffic:payout_in_transit"] == "-100.00"


async def test_hc26_a_bank_that_never_answers_leaves_it_unknown_until_the_statement_speaks(two_departments):
    world = two_departments

    class Silent(type(world.bank)):
        async def query_payout(self, _message_id):
            return PayoutReport(PayoutStatus.UNKNOWN)

    world.bank.__class__ = Silent
    world.bank.answers = ["lost", "lost", "lost"]
    await world.night()
    assert await batches(world) == ["unknown"]
    assert {status for _, status in (await lines(world)).values()} == {"released"}
    assert (await world.balances())["department:traffic:payout_in_transit"] == "-100.00"

    debits = [
        entry(f"-{amount.decimal()}", end_to_end=one, day=MONDAY) for one, amount in world.bank.instructed().items()
    ]
    world.bank.state(entry("140.00", batch="BATCH-1", day=MONDAY), *debits, day=MONDAY)
    await world.night(MONDAY)

    assert await batches(world) == ["confirmed"]
    assert await world.balances() == {}
    assert len(world.bank.files) == 1


async def test_hc26_one_line_rejected_is_owed_again_and_the_other_goes_on(two_departments):
    world = two_departments
    await world.night()
    found = await lines(world)
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(
        PayoutStatus.ACCEPTED, {found["health"][0]: PayoutStatus.REJECTED}, "AM05 sent before"
    )

    await world.night(step="confirm")
    await world.night(step="confirm")

    assert {department: status for department, (_, status) in (await lines(world)).items()} == {
        "health": "rejected",
        "traffic": "accepted",
    }
    line_id = found["health"][0]
    assert await world.journals("payout_returned") == [
        f"payout_returned:{line_id} | department:health:payout_in_transit | 40.00 | {line_id}",
        f"payout_returned:{line_id} | department:health:payable | -40.00 |",
    ]
    assert ("rejected_payout", line_id, "40.00") in await world.breaks()

    await world.night(MONDAY)  # the rejected amount is paid again, under a new line id
    new = set(world.bank.instructed()) - {one for one, _ in found.values()}
    assert [str(world.bank.instructed()[one]) for one in new] == ["AED 40.00"]


async def test_hc26_the_whole_file_rejected_is_owed_again_whole(two_departments):
    world = two_departments

    async def refuse(_file):
        raise RejectedError("NARR debtor account blocked")

    world.bank.send_payout = refuse
    await world.night()

    assert await batches(world) == ["rejected"]
    assert await world.balances() == {
        "department:health:payable": "-40.00",
        "department:traffic:payable": "-100.00",
        "provider:alpha:in_transit": "140.00",
    }
    assert [kind for kind, _, _ in await world.breaks()] == ["rejected_payout", "rejected_payout"]


async def test_hc26_a_refusal_of_a_second_send_proves_nothing(two_departments):
    """After a lost answer a refusal may only mean that the bank has the file already."""
    world = two_departments

    class Forgetful(type(world.bank)):
        async def query_payout(self, _message_id):
            return PayoutReport(PayoutStatus.UNKNOWN)

    world.bank.__class__ = Forgetful
    world.bank.answers = ["lost"]
    await world.night()

    async def refuse(_file):
        raise RejectedError("DUPL duplicate message id")

    world.bank.send_payout = refuse
    await world.night(step="payouts")

    assert await batches(world) == ["unknown"]
    assert (await world.balances())["department:traffic:payout_in_transit"] == "-100.00"


async def test_hc26_debited_after_a_rejection_is_a_break_and_cash_is_right(two_departments):
    world = two_departments
    await world.night()
    (line_id, _) = (await lines(world))["health"]
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.ACCEPTED, {line_id: PayoutStatus.REJECTED}, "AC04")
    await world.night(step="confirm")
    world.bank.state(
        entry("140.00", batch="BATCH-1", day=MONDAY), entry("-40.00", end_to_end=line_id, day=MONDAY), day=MONDAY
    )

    await world.night(MONDAY)

    assert ("paid_after_rejection", line_id, "-40.00") in await world.breaks()
    await world.assert_books_hold()


async def test_hc26_one_debit_for_the_whole_file(two_departments):
    world = two_departments
    await world.night()
    (message_id,) = world.bank.files
    world.bank.state(
        entry("140.00", batch="BATCH-1", day=MONDAY), entry("-140.00", batch=message_id, day=MONDAY), day=MONDAY
    )

    await world.night(MONDAY)

    assert await batches(world) == ["confirmed"]
    assert await world.balances() == {}


async def test_hc26_what_was_approved_is_what_is_sent(two_departments, owner):
    world = two_departments
    world.bank.answers = ["refused"]
    await world.night()
    await owner.execute("UPDATE reconciliation.payout_line SET creditor_iban = 'AE430230000000000054321'")

    with pytest.raises(BooksDisagreeError):
        await world.night(step="payouts")
    assert world.bank.files == {}


async def test_hc24_a_returned_payout_is_owed_again(two_departments):
    world = two_departments
    await world.night()
    (line_id, _) = (await lines(world))["traffic"]
    world.bank.state(
        entry("140.00", batch="BATCH-1", day=MONDAY), entry("-100.00", end_to_end=line_id, day=MONDAY), day=MONDAY
    )
    await world.night(MONDAY)
    world.bank.state(
        entry("100.00", end_to_end=line_id, returned=True, remittance="AC04 closed", day=TUESDAY), day=TUESDAY
    )

    await world.night(TUESDAY)

    assert await world.journals("payout_return_received", "payout_returned") == [
        "bank:2:1 | bank:main:cash | 100.00 |",
        f"bank:2:1 | department:traffic:payout_in_transit | -100.00 | {line_id}",
        f"payout_returned:{line_id} | department:traffic:payout_in_transit | 100.00 | {line_id}",
        f"payout_returned:{line_id} | department:traffic:payable | -100.00 |",
    ]
    assert ("returned_payout", "2:1", "100.00") in await world.breaks()
    assert (await lines(world))["traffic"][1] in {"returned", "accepted"}
    await world.assert_books_hold()


async def test_hc19_a_refund_after_the_payout_is_carried_forward(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    await world.refund("re_1", "traffic", "30.00", day=MONDAY)
    world.provider.put(
        settlement([line(1, "R-re_1", "-30.00", kind=LineKind.REFUND)], batch="BATCH-2", day=MONDAY), MONDAY
    )
    await world.night(MONDAY)
    assert (await world.balances())["department:traffic:payable"] == "30.00"  # the department owes us
    assert len(world.bank.files) == 1

    await world.capture("pa_2", ("traffic", "50.00"), day=TUESDAY)
    world.provider.put(settlement([line(1, "O-pa_2", "50.00")], batch="BATCH-3", day=TUESDAY), TUESDAY)
    await world.night(TUESDAY)

    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 100.00", "AED 20.00"]
    assert "department:traffic:payable" not in await world.balances()


async def test_only_what_is_proven_is_paid(world):
    await world.payee("traffic")
    await world.payee("health", proof=Proof.BANKED)
    await world.payee("courts", proof=Proof.CAPTURED)
    await world.capture("pa_1", ("traffic", "100.00"), ("health", "40.00"), ("courts", "10.00"))
    await world.capture("pa_2", ("traffic", "7.00"), ("health", "5.00"), ("courts", "3.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "150.00")]))

    await world.night()
    paid = {one.creditor_name: str(one.amount) for file in world.bank.files.values() for one in file.lines}
    assert paid == {"Traffic Department": "AED 100.00", "Courts Department": "AED 13.00"}

    world.bank.state(entry("150.00", batch="BATCH-1", day=MONDAY), day=MONDAY)
    await world.night(MONDAY)
    assert sorted(str(amount) for amount in world.bank.instructed().values()) == [
        "AED 100.00",
        "AED 13.00",
        "AED 40.00",
    ]


async def test_a_department_that_bears_the_fees_is_paid_net(world):
    await world.payee("traffic", fee_bearer=FeeBearer.DEPARTMENT)
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "10.00"), ("health", "20.00"))
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"), line(2, "O-pa_2", "30.00", fee="0.50", vat="0.02"),
        ])
    )  # fmt: skip

    await world.night()
    await world.night()

    assert await world.journals("provider_fees_borne") == [
        "fees:alpha:1:traffic | department:traffic:payable | 1.76 |",
        "fees:alpha:1:traffic | treasury:provider_fees | -1.67 |",
        "fees:alpha:1:traffic | treasury:provider_fees_vat | -0.09 |",
    ]
    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 108.24", "AED 20.00"]
    assert (await world.balances())["treasury:provider_fees"] == "0.33"


async def test_hc18_fees_that_do_not_divide_evenly_are_split_to_the_last_fil(world):
    for department in ("courts", "health", "traffic"):
        await world.payee(department, fee_bearer=FeeBearer.DEPARTMENT)
    await world.capture("pa_1", ("courts", "10.00"), ("health", "10.00"), ("traffic", "10.00"))
    await world.capture("pa_2", ("courts", "5.00"), ("traffic", "20.00"))
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "30.00", fee="1.00", vat="0.05"), line(2, "O-pa_2", "25.00", fee="0.33", vat="0.02"),
        ])
    )  # fmt: skip

    await world.night()

    # 1.00 over three: 0.34, 0.33, 0.33. 0.33 over 5 and 20: 0.066 and 0.264, the missing fil to the larger remainder.
    borne = [line for line in await world.journals("provider_fees_borne") if ":payable" in line]
    assert borne == [
        "fees:alpha:1:courts | department:courts:payable | 0.43 |",
        "fees:alpha:1:health | department:health:payable | 0.35 |",
        "fees:alpha:1:traffic | department:traffic:payable | 0.62 |",
    ]
    assert (await world.balances()).get("treasury:provider_fees", "0.00") == "0.00"
    assert (await world.balances()).get("treasury:provider_fees_vat", "0.00") == "0.00"


async def test_minimum_schedule_and_holdback(world):
    await world.payee("traffic", minimum_minor=50_00)
    await world.payee("health", schedule=Schedule.WEEKLY, weekday=0)
    await world.payee("courts", holdback_minor=4_00)
    await world.capture("pa_1", ("traffic", "30.00"), ("health", "20.00"), ("courts", "10.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "60.00")]))
    await world.night()
    assert [str(amount) for amount in world.bank.instructed().values()] == ["AED 6.00"]

    await world.capture("pa_2", ("traffic", "30.00"), day=MONDAY)
    world.provider.put(settlement([line(1, "O-pa_2", "30.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    await world.night(MONDAY)

    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 20.00", "AED 6.00", "AED 60.00"]


async def test_above_the_limit_a_person_approves_and_then_it_leaves(two_departments):
    world = two_departments
    world.deps = replace(world.deps, policy=Policy(auto_approve_limit_minor=139_99, look_back_days=1))
    await world.night()
    assert await batches(world) == ["submitted"]
    assert world.bank.files == {}
    assert (await world.balances())["department:traffic:payable"] == "-100.00"

    (pending,) = await payouts_to_decide(world.deps)
    assert (pending.lines, str(pending.total), pending.maker) == (2, "AED 140.00", "night")
    await decide_payout(world.deps, pending.batch_id, by="huda", approve=True)
    await world.night(step="payouts")

    assert await batches(world) == ["sent"]
    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 100.00", "AED 40.00"]


async def test_a_waiting_batch_is_not_drafted_a_second_time_the_next_night(two_departments):
    world = two_departments
    world.deps = replace(world.deps, policy=Policy(look_back_days=1))
    await world.night()
    await world.night(MONDAY)
    assert await batches(world) == ["submitted"]

    (pending,) = await payouts_to_decide(world.deps)
    await decide_payout(world.deps, pending.batch_id, by="huda", approve=False, reason="wait for the court")
    await world.night(MONDAY)

    assert await batches(world) == ["refused", "submitted"]
    assert SUNDAY in world.provider.asked


async def test_money_gone_between_approval_and_release_is_computed_anew(two_departments):
    world = two_departments
    world.deps = replace(world.deps, policy=Policy(look_back_days=1))
    await world.night()
    (pending,) = await payouts_to_decide(world.deps)
    await decide_payout(world.deps, pending.batch_id, by="huda", approve=True)
    await world.refund("re_1", "health", "15.00")

    await world.night(step="payouts")
    await world.night(step="payouts")

    assert await batches(world) == ["refused", "submitted"]
    totals = await world.pool.fetch("SELECT total_minor FROM reconciliation.payout_batch ORDER BY made_at")
    assert [row["total_minor"] for row in totals] == [140_00, 125_00]
