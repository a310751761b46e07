"""Several accounts of one department: what a revenue code earned goes to the account of that code, and totals tie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.contract import LineKind, PayoutReport, PayoutStatus
from reconciliation.breaks import Action, Language
from reconciliation.department_payouts import DepartmentPayouts
from reconciliation.errors import SamePersonError
from reconciliation.nightly import run_night
from reconciliation.payees import PayeeDetails, decide_payee_change, list_payees, propose_payee_change
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.resolutions import decide_resolution, propose_resolution
from reconciliation.revenue_accounts import paid_to_each

from .conftest import IBAN, MONDAY, SUNDAY, TUESDAY, aed, entry, line, settlement

TUESDAY_IBAN = IBAN["courts"]
WEDNESDAY = TUESDAY + timedelta(days=1)


@dataclass
class Codes:
    """Says what payments and refunds were for, as the gateway would."""

    known: dict[str, dict[str, int]] = field(default_factory=dict)

    async def weights(self, _connection: Any, _department: str, references: Sequence[str]) -> dict[str, dict[str, int]]:
        return {one: self.known[one] for one in references if one in self.known}


@pytest.fixture
async def divided(world):
    """Traffic has an account of its own and one for fines; the second waits until two people and two days agree."""
    await world.payee("traffic")
    fines = PayeeDetails("traffic", "AED", "Traffic Fines Fund", TUESDAY_IBAN, revenue_code="fines")
    change = await propose_payee_change(world.deps, fines, by="amal", reason="the fines fund")
    with pytest.raises(SamePersonError):
        await decide_payee_change(world.deps, change, by="amal", approve=True)
    await decide_payee_change(world.deps, change, by="bilal", approve=True)
    assert any("fines" in said and "in force from" in said for said in await list_payees(world.deps))
    world.deps = replace(world.deps, revenue_codes=Codes())
    return world


def instructed(world) -> dict[str, str]:
    """What the bank was told to pay, by account."""
    return {
        one.creditor_iban: one.amount.decimal() for file in world.bank.files.values() for one in file.lines
    }  # fmt: skip


async def settled(world, attempt: str, amount: str, codes: dict[str, int], *, fee: str = "0", day=SUNDAY) -> None:
    await world.capture(attempt, ("traffic", amount), day=day)
    world.deps.revenue_codes.known[f"capture:{attempt}"] = codes
    batch = f"BATCH-{attempt}"
    world.provider.put(settlement([line(1, f"O-{attempt}", amount, fee=fee)], batch=batch, day=day), day)
    world.bank.state(entry((aed(amount) - aed(fee)).decimal(), batch=batch, day=day), day=day)


async def test_an_account_for_a_code_waits_like_any_change_of_bank_details(divided):
    await settled(divided, "pa_1", "100.00", {"fines": 6000, "permits": 4000})
    await divided.night()
    assert instructed(divided) == {IBAN["traffic"]: "100.00"}


async def test_each_account_is_paid_its_codes_and_the_lines_sum_to_what_is_owed(divided):
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.01", {"fines": 1, "permits": 2})
    await divided.night()

    assert instructed(divided) == {IBAN["traffic"]: "66.67", TUESDAY_IBAN: "33.34"}
    rows = await divided.pool.fetch("SELECT department, revenue_code, amount_minor FROM reconciliation.payout_line")
    assert {(row["revenue_code"], row["amount_minor"]) for row in rows} == {("", 66_67), ("fines", 33_34)}
    assert (await divided.balances())["department:traffic:payout_in_transit"] == "-100.01"
    assert "department:traffic:payable" not in await divided.balances()
    await divided.assert_books_hold()

    # The advice lists what is in each line, and each table sums to its line.
    async with divided.pool.acquire() as connection, connection.transaction():
        advice = await build_report(connection, "remittance", SUNDAY, Language.ENGLISH, department="traffic")
        written = b"".join([chunk async for chunk in render(advice, Format.CSV)]).decode()
        register = await build_report(connection, "payouts", SUNDAY, Language.ENGLISH)
        listed = b"".join([chunk async for chunk in render(register, Format.CSV)]).decode()
        parts = {}
        for one in await DepartmentPayouts().list_payouts(connection, "traffic", before=None, limit=10):
            inside = await DepartmentPayouts().read_payout(connection, "traffic", one.id, after=0, limit=10)
            assert inside is not None
            parts[inside.payout.amount.decimal()] = (
                [(part.reference, part.amount.decimal()) for part in inside.parts],
                inside.not_itemised.decimal(),
            )
    assert "traffic fines AED" in written
    assert "not included" not in written.lower()
    assert '"fines","AE430230000000000054321"' in listed
    assert parts == {
        "66.67": ([("capture:pa_1", "66.67")], "0.00"),
        "33.34": ([("capture:pa_1", "33.34")], "0.00"),
    }


async def test_what_is_deferred_is_divided_when_it_is_paid_and_refunds_lower_their_own_code(divided):
    divided.clock.advance(hours=49)
    codes = divided.deps.revenue_codes.known
    await settled(divided, "pa_1", "100.00", {"fines": 1, "permits": 1})
    await divided.capture("pa_2", ("traffic", "40.00"))  # not settled: it waits for Monday
    codes["capture:pa_2"] = {"fines": 1}
    await divided.night()
    assert instructed(divided) == {IBAN["traffic"]: "50.00", TUESDAY_IBAN: "50.00"}
    divided.bank.files.clear()

    await divided.refund("re_1", "traffic", "10.00", day=MONDAY)
    codes["refund:re_1"] = {"fines": 1}
    divided.provider.put(
        settlement([line(1, "O-pa_2", "40.00"), line(2, "R-re_1", "-10.00", kind=LineKind.REFUND)], batch="B-2",
                   day=MONDAY), MONDAY,
    )  # fmt: skip
    await divided.night(MONDAY)
    assert instructed(divided) == {TUESDAY_IBAN: "30.00"}
    await divided.assert_books_hold()


async def test_what_an_account_sends_back_is_owed_to_that_account_again(divided):
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.00", {"fines": 3, "permits": 1})
    await divided.night()
    (fines,) = [one for one, amount in divided.bank.instructed().items() if amount == aed("75.00")]
    (own,) = [one for one, amount in divided.bank.instructed().items() if amount == aed("25.00")]
    divided.bank.files.clear()
    divided.bank.state(
        entry("-75.00", end_to_end=fines, day=MONDAY), entry("-25.00", end_to_end=own, day=MONDAY),
        entry("75.00", end_to_end=fines, returned=True, day=MONDAY), day=MONDAY,
    )  # fmt: skip
    await divided.night(MONDAY)
    assert instructed(divided) == {TUESDAY_IBAN: "75.00"}
    await divided.assert_books_hold()


@pytest.mark.parametrize(
    ("total", "sums", "paid"),
    [
        (100, {"a": 60}, {"": 40, "a": 60}),
        (100, {"a": 100}, {"": 0, "a": 100}),
        (100, {"a": -20}, {"": 100}),  # a code below zero is borne by the department's own account
        (50, {"a": 60, "b": 30}, {"": 0, "a": 20, "b": 30}),  # fees and holdback come off the largest
        (10, {"a": 60, "b": 30}, {"": 0, "a": 0, "b": 10}),
        (5, {}, {"": 5}),
    ],
)
def test_the_parts_always_sum_to_the_whole_and_none_is_below_zero(total, sums, paid):
    assert paid_to_each(total, sums) == paid
    assert sum(paid.values()) == total


async def refused_by_the_bank(world) -> str:
    """The bank rejects the line of the fines and takes the other; return the break."""
    rows = {row["revenue_code"]: row for row in await world.pool.fetch("SELECT * FROM reconciliation.payout_line")}
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(
        PayoutStatus.ACCEPTED, {rows["fines"]["id"]: PayoutStatus.REJECTED}, f"{rows['fines']['id']}: AC04"
    )
    await world.night(step="confirm")
    world.bank.files.clear()
    return str(await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'rejected_payout'"))


async def released(world, break_id: str) -> None:
    proposal = await propose_resolution(world.deps, break_id, Action.ACCEPT, by="amal", reason="opened again")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)


async def test_hc26_a_refused_account_of_a_code_is_held_and_the_others_are_paid(divided):
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.00", {"fines": 3, "permits": 1})
    await divided.night()
    refused = await refused_by_the_bank(divided)

    codes = divided.deps.revenue_codes.known
    await settled(divided, "pa_2", "40.00", {"permits": 1}, day=MONDAY)
    await settled(divided, "pa_3", "20.00", {"fines": 1}, day=MONDAY)
    await settled(divided, "pa_4", "8.00", {"fines": 1, "permits": 1}, day=MONDAY)
    await divided.refund("re_1", "traffic", "5.00", day=MONDAY)
    codes["refund:re_1"] = {"fines": 1}
    await divided.night(MONDAY)

    assert instructed(divided) == {IBAN["traffic"]: "40.00"}
    waiting = await divided.pool.fetchval(
        "SELECT unproven_minor FROM reconciliation.payout_line WHERE amount_minor = 4000"
    )
    assert waiting == 75_00 + 20_00 + 8_00 - 5_00
    assert (await divided.balances())["department:traffic:payable"] == "-98.00"
    divided.bank.files.clear()

    await divided.night(TUESDAY)
    assert instructed(divided) == {}

    await released(divided, refused)
    await divided.night(WEDNESDAY)
    assert instructed(divided) == {TUESDAY_IBAN: "94.00", IBAN["traffic"]: "4.00"}
    assert "department:traffic:payable" not in await divided.balances()
    await divided.assert_books_hold()

    async with divided.pool.acquire() as connection, connection.transaction():
        inside = {}
        for one in await DepartmentPayouts().list_payouts(connection, "traffic", before=None, limit=10):
            found = await DepartmentPayouts().read_payout(connection, "traffic", one.id, after=0, limit=10)
            assert found is not None
            assert found.not_itemised.amount_minor == 0
            inside[one.amount.decimal()] = [part.amount.decimal() for part in found.parts]
    assert inside["40.00"] == ["40.00"]
    assert sorted(inside["94.00"]) == ["-5.00", "20.00", "4.00", "75.00"]


async def test_a_refused_account_that_is_owed_less_than_nothing_stops_the_department(divided):
    """To leave out a debit would pay the others more than the department is owed."""
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.00", {"fines": 1, "permits": 1})
    await divided.night()
    refused = await refused_by_the_bank(divided)
    await settled(divided, "pa_2", "40.00", {"permits": 1}, day=MONDAY)
    await divided.refund("re_1", "traffic", "70.00", day=MONDAY)
    divided.deps.revenue_codes.known["refund:re_1"] = {"fines": 1}

    await divided.night(MONDAY)
    assert instructed(divided) == {}

    await released(divided, refused)
    await divided.night(TUESDAY)
    assert instructed(divided) == {IBAN["traffic"]: "20.00"}
    await divided.assert_books_hold()


async def test_a_department_s_own_refused_account_still_stops_all_of_it(divided):
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.00", {"fines": 1, "permits": 1})
    await divided.night()
    (own,) = await divided.pool.fetch("SELECT id FROM reconciliation.payout_line WHERE revenue_code = ''")
    (message_id,) = divided.bank.files
    divided.bank.reports[message_id] = PayoutReport(
        PayoutStatus.ACCEPTED, {own["id"]: PayoutStatus.REJECTED}, f"{own['id']}: AC04"
    )
    await divided.night(step="confirm")
    divided.bank.files.clear()
    await settled(divided, "pa_2", "40.00", {"fines": 1}, day=MONDAY)
    await divided.night(MONDAY)
    assert instructed(divided) == {}


async def test_a_dry_run_computes_what_the_night_will_pay(divided):
    divided.clock.advance(hours=49)
    await settled(divided, "pa_1", "100.00", {"fines": 3, "permits": 1})
    await divided.night()
    await refused_by_the_bank(divided)
    await settled(divided, "pa_2", "40.00", {"permits": 1}, day=MONDAY)
    await divided.night(MONDAY, step="settlements")
    await divided.night(MONDAY, step="statements")
    await divided.night(MONDAY, step="match")
    told = await run_night(divided.deps, MONDAY, dry_run=True)
    assert told.steps["payouts"]["amount_minor"] == 40_00
