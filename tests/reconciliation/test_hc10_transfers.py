"""HC-10 by night: money that came straight to our account is matched by reference, or parked with a work item."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ledger.accounts import department_payable, provider_receivable
from ledger.entry import Entry, Source, credit, debit
from tests.reconciliation.conftest import SUNDAY, ScriptedBank, ScriptedProvider, World, aed, entry, make_deps

RF = "RF18539007547034"
MONDAY = SUNDAY + timedelta(days=1)


@pytest.fixture
def direct(pool, clock, random_bytes) -> World:
    provider, bank = ScriptedProvider(), ScriptedBank()
    deps = make_deps(pool, clock, random_bytes, provider, bank, direct=frozenset({"transfer"}))
    return World(pool, clock, deps, provider, bank)


async def paid(world: World, attempt: str, amount: str, reference: str | None = RF, day: date = SUNDAY) -> None:
    """The gateway holds a transfer for complete."""
    await world.post(
        Entry(
            reference=f"capture:{attempt}",
            kind="payment_captured",
            business_date=day,
            effective_at=world.clock(),
            postings=(
                debit(provider_receivable("transfer"), aed(amount), attempt),
                credit(department_payable("roads"), aed(amount)),
            ),
            source=Source(payment=f"pi_{attempt}", provider="transfer", provider_reference=reference),
        )
    )


def naming(amount: str, *references: str, **known):
    return replace(entry(amount, **known), references=references)


async def test_a_transfer_goes_straight_from_the_payment_to_the_bank(direct):
    await paid(direct, "pa_1", "125.50")
    direct.bank.state(naming("125.50", RF, remittance="rf18 5390 0754 7034"))
    await direct.night()
    assert await direct.journals("transfer_received") == [
        "bank:1:1 | bank:main:cash | 125.50 |",
        "bank:1:1 | provider:transfer:receivable | -125.50 | pa_1",
    ]
    assert await direct.breaks() == []
    rule = await direct.pool.fetchrow("SELECT rule, score, item FROM reconciliation.current_match WHERE leg = 'bank'")
    assert tuple(rule) == ("transfer_reference", 100, "pa_1")
    await direct.assert_books_hold()


@pytest.mark.parametrize(
    ("shown", "rule"),
    [
        ({"end_to_end": "pa_1"}, "transfer_end_to_end"),
        ({"end_to_end": "8f14e45f-ceea-467f-a0e6-1c2b3d4e5f60"}, "transfer_end_to_end"),
        ({"remittance": "INSTANT 8f14e45f-ceea-467f-a0e6-1c2b3d4e5f60 FATIMA"}, "transfer_in_remittance"),
    ],
)
async def test_an_instant_payment_is_named_by_its_own_or_the_providers_id(direct, shown, rule):
    await paid(direct, "pa_1", "10.00", reference="8f14e45f-ceea-467f-a0e6-1c2b3d4e5f60")
    direct.bank.state(entry("10.00", **shown))
    await direct.night()
    assert await direct.pool.fetchval("SELECT rule FROM reconciliation.current_match") == rule
    assert (await direct.balances())["bank:main:cash"] == "10.00"
    assert await direct.breaks() == []


async def test_the_right_amount_without_a_reference_matches_nothing(direct):
    await paid(direct, "pa_1", "125.50")
    direct.bank.state(entry("125.50", remittance="trade licence"))
    await direct.night()
    assert [kind for kind, _, _ in await direct.breaks()] == ["unknown_bank_credit"]
    assert (await direct.balances())["suspense:unidentified"] == "-125.50"


async def test_two_transfers_for_one_payment_clear_it_together(direct):
    await paid(direct, "pa_1", "100.00")
    direct.bank.state(naming("60.00", RF), naming("40.00", RF))
    await direct.night()
    assert await direct.breaks() == []
    assert (await direct.balances()).get("provider:transfer:receivable") is None
    rules = await direct.pool.fetch("SELECT rule FROM reconciliation.current_match ORDER BY line")
    assert [row["rule"] for row in rules] == ["transfer_in_part", "transfer_reference"]


async def test_the_first_part_waits_in_suspense_until_the_payment_is_complete(direct):
    direct.bank.state(naming("60.00", RF))
    await direct.night()
    assert await direct.breaks() == [("transfer_waiting", "1:1", "60.00")]
    assert (await direct.balances())["suspense:unidentified"] == "-60.00"
    await paid(direct, "pa_1", "100.00", day=MONDAY)
    direct.bank.state(naming("40.00", RF), day=MONDAY)
    await direct.night(MONDAY)
    assert await direct.journals("transfer_identified") == [
        "rematch:bank:1:1 | suspense:unidentified | 60.00 | 1:1",
        "rematch:bank:1:1 | provider:transfer:receivable | -60.00 | pa_1",
    ]
    assert await direct.breaks() == []
    assert (await direct.balances()).get("suspense:unidentified") is None
    await direct.assert_books_hold()


async def test_what_was_transferred_too_much_waits_for_two_people(direct):
    await paid(direct, "pa_1", "100.00")
    direct.bank.state(naming("120.00", RF))
    await direct.night()
    assert await direct.journals("transfer_received") == [
        "bank:1:1 | bank:main:cash | 120.00 |",
        "bank:1:1 | provider:transfer:receivable | -100.00 | pa_1",
        "bank:1:1 | suspense:unidentified | -20.00 | 1:1",
    ]
    assert await direct.breaks() == [("transfer_excess", "1:1", "20.00")]


@pytest.mark.parametrize("later", [False, True], ids=["same statement", "next day"])
async def test_a_second_transfer_for_a_paid_bill_is_too_much_not_a_stranger(direct, later):
    await paid(direct, "pa_1", "100.00")
    first, again = naming("100.00", RF), naming("100.00", RF)
    if later:
        direct.bank.state(first)
        await direct.night()
        direct.bank.state(again, day=MONDAY)
        await direct.night(MONDAY)
    else:
        direct.bank.state(first, again)
        await direct.night()
    assert [(kind, value) for kind, _, value in await direct.breaks()] == [("transfer_excess", "100.00")]
    assert (await direct.balances())["suspense:unidentified"] == "-100.00"


async def test_one_transfer_for_two_bills_clears_both_only_when_it_is_their_sum(direct):
    other = "RF712348231"
    await paid(direct, "pa_1", "100.00")
    await paid(direct, "pa_2", "50.00", reference=other)
    direct.bank.state(naming("149.00", RF, other))
    await direct.night()
    assert await direct.breaks() == [("transfer_waiting", "1:1", "149.00")]
    direct.bank.state(naming("150.00", RF, other), day=MONDAY)
    await direct.night(MONDAY)
    assert (await direct.balances()).get("provider:transfer:receivable") is None
    assert await direct.pool.fetchval("SELECT rule FROM reconciliation.current_match WHERE file_no = 2") == (
        "transfers_joined"
    )


async def test_a_returned_credit_and_a_provider_that_settles_are_left_alone(direct):
    await paid(direct, "pa_1", "100.00")
    await direct.capture("pa_card", ("roads", "30.00"), order=RF)
    direct.bank.state(naming("100.00", RF, returned=True))
    await direct.night()
    assert (await direct.balances())["provider:transfer:receivable"] == "100.00"
    assert (await direct.balances())["provider:alpha:receivable"] == "30.00"


async def test_a_transfer_no_statement_shows_is_missing_at_the_bank_when_due_and_no_file_is_awaited(direct):
    await paid(direct, "pa_1", "100.00")
    for number in range(5):
        day = SUNDAY + timedelta(days=number)
        direct.bank.state(day=day)
        await direct.night(day)
    assert [found for found in await direct.breaks() if found[0] != "file_missing"] == [
        ("missing_at_bank", "pa_1", "100.00")
    ]
    assert "file_missing" not in [kind for kind, _, _ in await direct.breaks()]


async def test_a_night_run_again_changes_nothing(direct):
    await paid(direct, "pa_1", "100.00")
    direct.bank.state(naming("120.00", RF), naming("5.00", "RF712348231"))
    await direct.night()
    before = await direct.everything()
    await direct.night()
    assert await direct.everything() == before
