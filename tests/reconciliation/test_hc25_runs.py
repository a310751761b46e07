"""HC-25: started twice at once, late, killed, rerun for an old day, no files, a clock change, a moved holiday."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest

from reconciliation.business_days import Calendar
from reconciliation.day_close import Lack, Obstacle, day_status
from reconciliation.errors import (
    FutureDateError,
    LeaseLostError,
    NightRunningError,
    PastDateError,
    ReconciliationError,
)
from reconciliation.nightly import night_status, payments_to_requery, recent_nights, run_night

from .conftest import MONDAY, SUNDAY, TUESDAY, entry, line, settlement


async def test_hc25_two_nights_at_once_are_one(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.clock.set(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))

    ends = await asyncio.gather(*(run_night(world.deps, SUNDAY) for _ in range(5)), return_exceptions=True)

    ran = [end for end in ends if not isinstance(end, BaseException)]
    refused = [end for end in ends if isinstance(end, NightRunningError)]
    assert len(ran) + len(refused) == 5
    assert sum(summary.steps["match"]["lines_posted"] for summary in ran) == 1
    assert len(world.bank.files) == 1
    assert (await world.balances())["department:traffic:payout_in_transit"] == "-100.00"


async def test_hc25_a_night_that_lost_its_lease_commits_nothing_more(world):
    """A night hangs in a download past its lease; another runs meanwhile; the first wakes and must not go on."""
    await world.capture("pa_1", ("traffic", "100.00"))
    first = settlement([line(1, "O-pa_1", "100.00")])
    second = settlement([line(1, "O-stranger", "1.00")], batch="BATCH-2", name="second.csv")
    world.provider.put(first)
    hung, wake = asyncio.Event(), asyncio.Event()
    quick = world.provider.settlement_files

    async def slow(business_date):
        async for file in quick(business_date):
            yield file
        if business_date == SUNDAY and not hung.is_set():
            hung.set()
            await wake.wait()
            yield second

    world.provider.settlement_files = slow
    world.clock.set(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
    sleeper = asyncio.create_task(run_night(world.deps, SUNDAY))
    await hung.wait()
    with pytest.raises(NightRunningError):
        await run_night(world.deps, SUNDAY)
    world.clock.advance(seconds=world.deps.lease_s + 1)
    await run_night(world.deps, SUNDAY)
    before = await world.everything()

    wake.set()
    with pytest.raises(LeaseLostError):
        await sleeper

    assert await world.everything() == before
    assert (await night_status_of(world, SUNDAY)).status == "done"


async def night_status_of(world, day):
    async with world.pool.acquire() as connection:
        return await night_status(connection, day)


async def test_hc25_a_date_that_has_not_begun_is_refused(world):
    world.clock.set(datetime(2026, 11, 22, 19, 59, tzinfo=UTC))  # a minute to midnight in Dubai
    with pytest.raises(FutureDateError):
        await run_night(world.deps, MONDAY)
    world.clock.advance(minutes=1)
    await run_night(world.deps, MONDAY)


async def test_hc25_a_mistyped_date_is_refused_and_says_where_nights_begin(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.clock.set(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
    for day, why in (
        (date(1999, 1, 1), "too long ago: nights are run for 90 days, from 2026-08-25 on"),
        (date(2026, 10, 1), "the books begin on 2026-11-22: there is no night of 2026-10-01"),
    ):
        with pytest.raises(PastDateError, match=why):
            await run_night(world.deps, day)
        assert await night_status_of(world, day) is None
    await world.night()


async def test_hc25_a_night_begun_while_the_books_were_empty_is_seen_through(world, owner):
    yesterday = date(2026, 11, 21)
    await owner.execute(
        "INSERT INTO reconciliation.run (business_date, status, fence, started_at) VALUES ($1, 'failed', 0, $2)",
        yesterday,
        world.clock(),
    )
    await world.capture("pa_1", ("traffic", "100.00"))
    await run_night(world.deps, yesterday)
    assert (await night_status_of(world, yesterday)).status == "done"


async def test_hc25_nights_that_stand_before_the_books_begin_keep_no_day_open(world, owner):
    for day in (date(1999, 1, 1), date(2026, 10, 1)):
        await owner.execute(
            "INSERT INTO reconciliation.run (business_date, status, fence, started_at) VALUES ($1, 'done', 1, now())",
            day,
        )
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state()
    await world.night()
    assert (await day_status(world.deps, SUNDAY)).obstacles == ()
    await world.night(MONDAY)
    first, *_ = (await day_status(world.deps, MONDAY)).obstacles
    assert first == Obstacle(Lack.DAY_BEFORE, "2026-11-22")


async def test_hc25_a_day_with_no_files_and_nothing_due_is_a_quiet_night(world):
    await world.night()

    assert await world.breaks() == []
    found = await night_status_of(world, SUNDAY)
    assert (found.status, [step.status for step in found.steps]) == ("done", ["done"] * 6)


async def test_hc25_a_file_for_an_old_day_is_an_adjustment_on_the_open_day(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.night()
    await world.night(MONDAY)
    await world.night(TUESDAY)
    assert ("file_missing", "alpha:2026-11-22", "") in await world.breaks()
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))

    await world.night(SUNDAY)  # rerun for the old day

    dates = await world.pool.fetch("SELECT DISTINCT kind, business_date FROM ledger.postings ORDER BY 2, 1")
    assert [tuple(row) for row in dates] == [("payment_captured", SUNDAY), ("payment_settled", TUESDAY)]
    kept = await world.pool.fetchrow("SELECT business_date, book_date, late_for FROM reconciliation.settlement_file")
    assert tuple(kept) == (SUNDAY, TUESDAY, SUNDAY)
    kinds = [kind for kind, _, _ in await world.breaks()]
    assert "file_late" in kinds
    assert "missing_at_provider" not in kinds


async def test_hc25_a_failed_step_is_recorded_and_the_next_run_goes_on_from_it(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))

    async def explode(_iban, _day):
        raise RuntimeError("out of memory")
        yield

    good = world.bank.statements
    world.bank.statements = explode
    with pytest.raises(RuntimeError):
        await world.night()
    found = await night_status_of(world, SUNDAY)
    assert [(step.step, step.status) for step in found.steps] == [("settlements", "done"), ("statements", "failed")]
    assert (found.status, found.steps[1].error) == ("failed", "RuntimeError: out of memory")

    world.bank.statements = good
    world.clock.advance(minutes=1)
    await world.night()

    assert (await night_status_of(world, SUNDAY)).status == "done"
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"
    async with world.pool.acquire() as connection:
        assert [night.times_started for night in await recent_nights(connection)] == [2]


async def test_a_step_nobody_knows_is_named(world):
    with pytest.raises(ReconciliationError, match="there is no step 'dance'"):
        await run_night(world.deps, SUNDAY, step="dance")


async def test_a_dry_run_says_what_it_would_find_and_leaves_no_trace(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-x", "1.00")]))
    world.provider.put(settlement([line(1, "O-y", "2.00")], batch="BATCH-2", name="second.csv"))
    world.bank.state(entry("101.00", batch="BATCH-1"))
    world.clock.set(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
    before = await world.everything()

    summary = await run_night(world.deps, SUNDAY, dry_run=True)

    assert await world.everything() == before
    assert summary.steps["settlements"] == {
        "files": 2, "lines": 3, "repeated": 0, "refused": 0, "unreachable": 0, "matched": 1, "missing_in_books": 2,
    }  # fmt: skip
    assert summary.steps["statements"]["entries"] == 1
    assert world.bank.sends == []


async def test_payments_to_ask_about_again_are_named(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-stranger", "50.00", reference="pa_stranger")]))
    await world.night()
    await world.night(MONDAY)

    asked = await payments_to_requery(world.deps)

    assert [(one.type, one.provider, one.reference, one.provider_reference, one.payment) for one in asked] == [
        ("missing_in_books", "alpha", "pa_stranger", "O-stranger", None),
        ("missing_at_provider", "alpha", "pa_1", "O-pa_1", "pi_pa_1"),
    ]


async def test_payments_are_named_in_turn_however_many_there_are(world):
    for number in range(5):
        await world.capture(f"pa_{number}", ("traffic", "1.00"))
    await world.night()
    await world.night(MONDAY)
    await world.night(TUESDAY)
    seen, after = [], ""
    while page := await payments_to_requery(world.deps, limit=2, after=after):
        assert len(page) <= 2
        seen += [one.reference for one in page]
        after = page[-1].break_id
    assert sorted(seen) == [f"pa_{number}" for number in range(5)]


def test_hc25_a_business_day_ends_at_its_cut_off_in_its_own_zone():
    dubai = Calendar()
    assert dubai.business_date(datetime(2026, 11, 22, 19, 59, 59, tzinfo=UTC)) == SUNDAY
    assert dubai.business_date(datetime(2026, 11, 22, 20, 0, tzinfo=UTC)) == MONDAY
    assert dubai.closing_instant(SUNDAY) == datetime(2026, 11, 22, 19, 59, 59, tzinfo=UTC)
    early = Calendar(cut_off=time(18, 0))
    assert early.business_date(datetime(2026, 11, 22, 14, 0, tzinfo=UTC)) == MONDAY
    assert early.closing_instant(SUNDAY) == datetime(2026, 11, 22, 13, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_hc25_a_day_with_a_clock_change_is_as_long_as_it_is(day, hours):
    berlin = Calendar(country="DE", zone="Europe/Berlin")
    length = berlin.closing_instant(day) - berlin.closing_instant(day - timedelta(days=1))
    assert length == timedelta(hours=hours)
    assert berlin.business_date(berlin.closing_instant(day)) == day
    assert berlin.business_date(berlin.closing_instant(day) + timedelta(seconds=1)) == day + timedelta(days=1)


def test_hc25_weekends_holidays_and_month_ends():
    uae = Calendar()
    friday = date(2026, 11, 20)
    assert uae.is_working_day(friday)
    assert not uae.is_working_day(SUNDAY)
    assert uae.after(friday, 1) == MONDAY
    assert uae.after(SUNDAY, 0) == MONDAY
    assert uae.after(date(2026, 12, 1), 1) == date(2026, 12, 4)  # National Day is two days long
    assert uae.after(date(2026, 12, 31), 1) == date(2027, 1, 4)  # New Year's Day, then a weekend
    assert Calendar(country="SA").is_working_day(SUNDAY)


def test_hc25_a_holiday_moved_at_short_notice_wins_over_the_package():
    moved = Calendar(overrides={MONDAY: False, SUNDAY: True})
    assert moved.next_working_day(SUNDAY) == SUNDAY
    assert moved.after(SUNDAY, 1) == TUESDAY


def test_a_calendar_without_a_working_day_says_so():
    closed = Calendar(overrides={SUNDAY + timedelta(days=ahead): False for ahead in range(400)})
    with pytest.raises(ReconciliationError, match="no working day"):
        closed.next_working_day(SUNDAY)


async def test_hc25_a_holiday_in_the_database_moves_what_is_due(world):
    await world.pool.execute(
        "INSERT INTO reconciliation.holiday (country, day, worked, name_en, name_ar)"
        " VALUES ('AE', $1, false, 'Day of mourning', 'يوم حداد')",
        MONDAY,
    )
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([]))
    await world.night()
    world.provider.put(settlement([], batch="BATCH-2", day=MONDAY), MONDAY)
    await world.night(MONDAY)
    assert await world.breaks() == []

    world.provider.put(settlement([], batch="BATCH-3", day=TUESDAY), TUESDAY)
    await world.night(TUESDAY)
    assert [kind for kind, _, _ in await world.breaks()] == ["missing_at_provider"]
