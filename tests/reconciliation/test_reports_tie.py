"""Totals on every report are the ledger's own: one test for each report that sums."""

from datetime import timedelta

import pytest

from adapters.contract import LineKind
from ledger.money import Money
from reconciliation.breaks import Language
from reconciliation.payout_terms import FeeBearer
from reconciliation.reports.catalogue import build_report
from reconciliation.reports.report import rows_of

from .conftest import MONDAY, SUNDAY, aed, entry, line, settlement

TIES = "Every total on this page was compared with the ledger and agrees."


@pytest.fixture
async def a_week(world):
    """Two days with everything in them: fees borne, money on its way, suspense, a late payment, a dispute, payouts."""
    await world.payee("traffic", fee_bearer=FeeBearer.DEPARTMENT)
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await world.capture("pa_3", ("health", "25.00"))
    await world.capture_late("pa_4", "9.00")
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"),
            line(2, "O-pa_2", "100.00", fee="1.50", vat="0.08"),
            line(3, "R-re_1", "-30.00", kind=LineKind.REFUND),
            line(4, "O-unknown", "9.00"),
        ])
    )  # fmt: skip
    world.bank.state(entry("100.00", batch="BATCH-1"), entry("5.00", remittance="who knows"))
    await world.night()
    world.provider.put(
        settlement(
            [line(1, "O-pa_3", "25.00", fee="0.40"), line(2, "O-pa_1", "-100.00", kind=LineKind.CHARGEBACK)],
            batch="BATCH-2", day=MONDAY,
        ),
        MONDAY,
    )  # fmt: skip
    paid = [
        entry(f"-{amount.decimal()}", end_to_end=one, day=MONDAY) for one, amount in world.bank.instructed().items()
    ]
    world.bank.state(*paid, day=MONDAY)
    await world.night(MONDAY)
    return world


async def built(world, name, *, day=MONDAY, **changes):
    """Build a report and read its streamed tables into lists."""
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, name, day, Language.ENGLISH, **changes)
        rows = [[row async for row in rows_of(table)] for table in report.tables]
    return report, rows


def amounts(rows, place):
    return sum((row[place] for row in rows if isinstance(row[place], Money)), aed("0"))


async def stands(world, account):
    found = await world.pool.fetchval("SELECT sum(amount_minor) FROM ledger.balances WHERE account LIKE $1", account)
    return Money(int(found or 0), "AED")


async def test_fee_analysis(a_week):
    report, (providers, departments) = await built(a_week, "fees", since=SUNDAY)
    assert report.notes == (TIES,)
    assert amounts(providers, 6) == await stands(a_week, "treasury:provider_fees%")
    assert amounts(providers, 5) == amounts(departments, 2) != aed("0")
    assert providers[0][:4] == ("alpha", 3, aed("225.00"), aed("3.40"))
    assert providers[0][7] == "1.511 %"
    assert report.tables[0].total[6] == amounts(providers, 6)


async def test_suspense_ageing(a_week):
    report, (accounts, items) = await built(a_week, "suspense")
    assert report.notes == (TIES,)
    standing = {row[0]: row[7] for row in accounts}
    for account, amount in standing.items():
        sign = 1 if account.startswith("disputes:") else -1
        assert amount.amount_minor == sign * (await stands(a_week, account)).amount_minor
        assert sum((cell for row in accounts if row[0] == account for cell in row[1:7]), aed("0")) == amount
        assert amounts([row for row in items if row[0] == account], 5) == amount
    assert set(standing) == {"disputes:receivable", "suspense:late_payments", "suspense:unidentified"}


async def test_settlement_to_bank(a_week):
    report, (batches, balances) = await built(a_week, "settlement", since=SUNDAY)
    assert report.notes == (TIES,)
    assert amounts(batches, 8) == await stands(a_week, "provider:%:in_transit") == balances[0][2]
    first = next(row for row in batches if row[1] == "BATCH-1")
    assert first[5:10] == (aed("175.84"), aed("175.84"), aed("100.00"), aed("75.84"), "camt053-0001.xml · 1")


async def test_files_are_booked_as_they_say(a_week):
    report, (_, settlements, statements) = await built(a_week, "files", since=SUNDAY)
    assert report.notes == (TIES,)
    assert [(row[6], row[7]) for row in settlements] == [(aed("175.84"), aed("175.84")), (aed("-75.40"), aed("-75.40"))]
    assert statements[-1][6] == await stands(a_week, "bank:main:cash")


async def test_bank_payouts_departments_and_trial_balance(a_week):
    bank, (proof, outstanding, under_way, unidentified, in_files) = await built(a_week, "bank")
    assert bank.notes == (TIES,)
    assert proof[0][3] == await stands(a_week, "bank:main:cash") == proof[0][4]
    assert amounts(outstanding, 3) == await stands(a_week, "provider:%:in_transit")
    assert -amounts(under_way, 3) == await stands(a_week, "department:%:payout_in_transit")
    assert -amounts(unidentified, 3) - amounts(in_files, 3) == await stands(a_week, "suspense:unidentified")

    _, (lines,) = await built(a_week, "payouts", day=SUNDAY)
    instructed = await a_week.pool.fetchval(
        "SELECT sum(amount_minor) FROM ledger.postings WHERE kind = 'payout_instructed' AND account LIKE '%:payable'"
        " AND business_date = $1",
        SUNDAY,
    )
    assert amounts(lines, 5) == Money(int(instructed), "AED")

    for department in ("traffic", "health"):
        report, (postings,) = await built(a_week, "departments", department=department, since=SUNDAY)
        assert (
            amounts(postings, 5)
            == report.tables[0].foot()[5]
            == -await stands(a_week, f"department:{department}:payable")
        )
        report, (inside,) = await built(a_week, "remittance", day=SUNDAY, department=department)
        assert amounts(inside, 5) == report.tables[0].total[5]
    trial, (accounts,) = await built(a_week, "trial-balance")
    assert trial.notes == (TIES,)
    assert {row[0]: row[3].decimal() for row in accounts if row[3]} == await a_week.balances()


async def test_the_daily_page_and_the_break_list(a_week):
    daily, _ = await built(a_week, "reconciliation")
    assert daily.notes == (TIES,)
    _, (listed,) = await built(a_week, "breaks")
    standing = await a_week.pool.fetchval("SELECT count(*) FROM reconciliation.break WHERE closed_at IS NULL")
    assert len(listed) == standing
    assert sum(row[1] for row in daily.tables[5].rows) == standing


@pytest.mark.parametrize(("later_days", "left"), [(90, "0.00"), (91, "-9.00")])
async def test_a_line_is_looked_for_again_for_ninety_days(world, later_days, left):
    world.provider.put(settlement([line(1, "O-unknown", "9.00")]))
    await world.night()
    day = SUNDAY + timedelta(days=later_days)
    await world.capture("pa_told_late", ("courts", "9.00"), order="O-unknown", day=day)
    await world.night(day, step="match")
    assert (await world.balances()).get("suspense:unidentified", "0.00") == left
