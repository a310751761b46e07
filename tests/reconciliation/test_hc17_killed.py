"""HC-17: kill -9 at every moment of the night and of a payout; the next run ends where an undisturbed one would."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.contract import LineKind
from reconciliation.business_days import Calendar
from reconciliation.deps import Policy
from reconciliation.nightly import run_night

from .conftest import SUNDAY, entry, line, settlement
from .killing import Deathbed, Killed, MortalCaller, MortalPool

EVERY_DAY = Calendar(overrides={SUNDAY + timedelta(days=number): True for number in range(-10, 400)})


async def a_days_business(world, number, day, paid):
    """One department's day: two captures, a refund, a stranger; the bank pays the batch and yesterday's payout."""
    world.clock.set(datetime(day.year, day.month, day.day, 8, 0, tzinfo=UTC))
    await world.capture(f"pa_{number}a", ("traffic", "100.00"), day=day)
    await world.capture(f"pa_{number}b", ("traffic", "60.00"), ("health", "40.00"), day=day)
    await world.refund(f"re_{number}", "traffic", "30.00", day=day)
    world.provider.put(
        settlement([
            line(1, f"O-pa_{number}a", "100.00", fee="1.00"),
            line(2, f"O-pa_{number}b", "100.00", fee="1.00"),
            line(3, f"R-re_{number}", "-30.00", kind=LineKind.REFUND),
            line(4, f"O-stranger-{number}", "5.00"),
        ], batch=f"BATCH-{number}", day=day), day,
    )  # fmt: skip
    debits = [entry(f"-{amount.decimal()}", end_to_end=line_id, day=day) for line_id, amount in paid.items()]
    world.bank.state(entry("173.00", batch=f"BATCH-{number}", day=day), *debits, day=day)
    world.clock.set(datetime(day.year, day.month, day.day, 22, 0, tzinfo=UTC))


async def the_books_of(world, day):
    """What the night must come to, whatever happened on the way; minted ids are left out."""
    balances = await world.balances()
    journals = await world.pool.fetch(
        "SELECT kind, account, sum(amount_minor) AS amount, count(*) AS postings FROM ledger.postings"
        " WHERE business_date = $1 GROUP BY 1, 2 ORDER BY 1, 2",
        day,
    )
    batches = await world.pool.fetch(
        "SELECT line_count, total_minor, status FROM reconciliation.payout_batch WHERE business_date = $1", day
    )
    raised = await world.pool.fetch(
        "SELECT type, count(*) FROM reconciliation.break WHERE business_date = $1 GROUP BY 1 ORDER BY 1", day
    )
    for grows in ("treasury:provider_fees", "suspense:unidentified", "bank:main:cash"):
        balances.pop(grows)
    await world.assert_books_hold()
    return balances, *([tuple(row) for row in rows] for rows in (journals, batches, raised))


async def one_day(world, number, day, die_at):
    """Do a day's business, run its night mortally, then again in good health; return the moments it had."""
    before = world.bank.instructed()
    owed_yesterday = {line_id: amount for line_id, amount in before.items() if line_id not in world.paid_lines}
    await a_days_business(world, number, day, owed_yesterday)
    world.paid_lines |= owed_yesterday.keys()
    deathbed = Deathbed(die_at)
    mortal = replace(
        world.deps,
        pool=MortalPool(world.pool, deathbed),
        settling={"alpha": MortalCaller(world.provider, deathbed)},
        bank=MortalCaller(world.bank, deathbed),
    )
    try:
        await run_night(mortal, day)
    except Killed:
        # Nobody gave the lease back: the next run comes when it has run out.
        world.clock.advance(seconds=world.deps.lease_s + 1)
    await run_night(world.deps, day)
    new = {line_id: amount for line_id, amount in world.bank.instructed().items() if line_id not in before}
    return deathbed.moments, sorted(str(amount) for amount in new.values())


SHARES = 4
"""The moments are dealt out to as many tests, so that they can run side by side."""


@pytest.mark.parametrize("share", range(SHARES))
async def test_hc17_a_night_killed_anywhere_ends_in_the_same_books(world, share):
    world.deps = replace(
        world.deps, calendar=EVERY_DAY, policy=Policy(look_back_days=1, auto_approve_limit_minor=10**12)
    )
    world.paid_lines = set()
    await world.payee("traffic")
    await world.payee("health")
    await one_day(world, 0, SUNDAY, None)
    day = SUNDAY + timedelta(days=1)
    moments, instructed = await one_day(world, 1, day, None)
    expected = await the_books_of(world, day)
    assert moments > 60
    assert instructed == ["AED 130.00", "AED 40.00"]

    dealt = range(1 + share, moments + 1, SHARES)
    for die_at in dealt:
        day += timedelta(days=1)
        died_after, found = await one_day(world, die_at + 1, day, die_at)
        assert died_after == die_at
        assert found == instructed, f"killed at moment {die_at}"
        assert await the_books_of(world, day) == expected, f"killed at moment {die_at}"

    assert len(world.bank.files) == len(dealt) + 2
    statuses = await world.pool.fetch("SELECT DISTINCT status FROM reconciliation.run")
    assert [row["status"] for row in statuses] == ["done"]
