"""HC-26: an account the bank refuses takes nothing more until people say so; a rejection ends when it is paid."""

from datetime import timedelta

import msgspec
import pytest

from adapters.contract import PayoutReport, PayoutStatus
from ledger.money import Money
from reconciliation.break_words import sentence
from reconciliation.breaks import Action, BreakType, Language
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from reconciliation.resolutions import decide_resolution, propose_resolution

from .conftest import IBAN, MONDAY, TUESDAY, entry, line, settlement


@pytest.fixture
async def two_departments(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("health", "40.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "40.00")]))
    return world


async def lines(world):
    rows = await world.pool.fetch("SELECT id, department, status FROM reconciliation.payout_line ORDER BY department")
    return {row["department"]: (row["id"], row["status"]) for row in rows}


async def rejected(world, reason):
    """A first night in which the bank rejects the line of health, and what it says of it."""
    await world.night()
    (line_id, _) = (await lines(world))["health"]
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(
        PayoutStatus.ACCEPTED, {line_id: PayoutStatus.REJECTED}, f"pl_other: AG01; {line_id}: {reason}"
    )
    await world.night(step="confirm")
    return line_id


async def paid_at_the_bank(world, day):
    """The bank shows the debit of everything it took but did not show yet."""
    rows = await world.pool.fetch(
        "SELECT id, amount_minor FROM reconciliation.payout_line WHERE status IN ('released', 'accepted') ORDER BY id"
    )
    debits = [entry(Money(-row["amount_minor"], "AED").decimal(), end_to_end=row["id"], day=day) for row in rows]
    world.bank.state(*debits, day=day)
    await world.night(day)
    return len(rows)


async def test_hc26_a_refused_account_is_paid_nothing_more_until_two_people_release_it(two_departments):
    world = two_departments
    line_id = await rejected(world, "AC04 Account closed")
    (found,) = await world.pool.fetch(
        "SELECT id, detail::text FROM reconciliation.break WHERE type = 'rejected_payout'"
    )
    detail = msgspec.json.decode(found["detail"])
    english, arabic = (sentence(BreakType.REJECTED_PAYOUT, detail, language) for language in Language)
    assert f"({line_id}): the account is closed (AC04 Account closed). It is owed again." in english
    assert "الحساب مغلق" in arabic

    for day in (MONDAY, TUESDAY):
        await world.night(day)
    assert [kind for kind, _, _ in await world.breaks()].count("rejected_payout") == 1
    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 100.00", "AED 40.00"]
    assert (await world.balances())["department:health:payable"] == "-40.00"

    proposal = await propose_resolution(world.deps, found["id"], Action.ACCEPT, by="amal", reason="opened again")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)
    wednesday, thursday = TUESDAY + timedelta(days=1), TUESDAY + timedelta(days=2)
    await world.night(wednesday)
    assert len(world.bank.instructed()) == 3
    assert await paid_at_the_bank(world, thursday) == 2
    assert (await world.balances()).get("department:health:payable") is None


@pytest.mark.parametrize("reason", ["AC01", "AM05 sent before"], ids=["the account", "the payment"])
async def test_hc26_a_rejection_is_cured_when_the_money_is_paid_to_new_details(two_departments, reason):
    world = two_departments
    await rejected(world, reason)
    details = PayeeDetails("health", "AED", "Health Department", IBAN["courts"])
    change = await propose_payee_change(world.deps, details, by="amal", reason="the old one is closed")
    await decide_payee_change(world.deps, change, by="bilal", approve=True)
    world.clock.advance(hours=48)
    await world.night(TUESDAY)
    assert "rejected_payout" in [kind for kind, _, _ in await world.breaks()]

    assert await paid_at_the_bank(world, TUESDAY + timedelta(days=1)) == 2
    await world.night(TUESDAY + timedelta(days=2))

    assert "rejected_payout" not in [kind for kind, _, _ in await world.breaks()]
    again = [one for file in world.bank.files.values() for one in file.lines if one.amount.decimal() == "40.00"]
    assert [one.creditor_iban for one in again] == [IBAN["health"], IBAN["courts"]]
