"""Many writers at once: no deadlock under any mix, no floor passed, no number skipped."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from ledger.accounts import bank_cash, department_payable
from ledger.audit import verify
from ledger.decisions import close_period, set_floor
from ledger.entry import Entry, credit, debit
from ledger.errors import FloorError
from ledger.journal import Ledger, PostStatus, post_within
from ledger.money import Money
from ledger.statements import balance

WHO = {"reason": "a test", "decided_by": "an officer"}
DEPARTMENT = department_payable("traffic")


def _pay_out(number, clock, minor=10, **more):
    return Entry(
        f"out:{number}", "paid_out", clock().date(), clock(),
        (debit(DEPARTMENT, Money(minor, "AED")), credit(bank_cash("main"), Money(minor, "AED"))), **more,
    )  # fmt: skip


async def test_a_floor_holds_under_concurrency(pool, clock, make_capture):
    async with pool.acquire() as connection:
        await set_floor(connection, DEPARTMENT, Money(0, "AED"), recorded_at=clock(), **WHO)
        await post_within(connection, [make_capture(minor=100)], recorded_at=clock())  # 95 of it is owed

    async def take(number):
        async with pool.acquire() as connection, connection.transaction():
            (answer,) = await post_within(connection, [_pay_out(number, clock)], recorded_at=clock())
            return answer

    answers = await asyncio.gather(*(take(number) for number in range(20)))
    assert [answer.status for answer in answers].count(PostStatus.POSTED) == 9
    assert {type(answer.error) for answer in answers if answer.error} == {FloorError}
    async with pool.acquire() as connection:
        assert await balance(connection, DEPARTMENT, "AED") == Money(-5, "AED")
        (allowed,) = await post_within(connection, [_pay_out(99, clock, below_floor=True)], recorded_at=clock())
        assert allowed.status is PostStatus.POSTED
        rising = make_capture("rising", 2)
        assert (await post_within(connection, [rising], recorded_at=clock()))[0].status is PostStatus.POSTED


async def test_no_mix_of_writers_deadlocks(pool, owner, clock, make_capture):
    """Two group commits and eight transactions over the same references, each in an order of its own."""
    entries = [
        make_capture(f"c:{n}", 100 + n, department=f"d{n % 7}", currency=("AED", "KWD")[n % 2]) for n in range(60)
    ]
    ledgers = [Ledger(pool, clock) for _ in range(2)]

    async def in_transactions(seed):
        mixed = random.Random(seed).sample(entries, len(entries))
        for start in range(0, len(mixed), 9):
            async with pool.acquire() as connection, connection.transaction():
                await post_within(connection, mixed[start : start + 9], recorded_at=clock())

    async def through(ledger, seed):
        await asyncio.gather(*(ledger.post(entry) for entry in random.Random(seed).sample(entries, len(entries))))

    for ledger in ledgers:
        await ledger.start()
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(in_transactions(seed) for seed in range(6)),
            *(through(ledger, seed) for seed, ledger in enumerate(ledgers)),
        )
    for ledger in ledgers:
        await ledger.close()
    report = await verify(owner)
    assert (report.findings, report.journals) == ([], 60)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await owner.fetchval(deadlocks) == 0


async def test_a_closed_instant_is_closed_whatever_the_business_date(pool, clock, make_capture):
    async with pool.acquire() as connection:
        ends_at = clock() + timedelta(hours=1)
        await close_period(connection, until=clock().date(), ends_at=ends_at, recorded_at=clock(), **WHO)
        tomorrow = clock().date() + timedelta(days=1)
        batch = [
            make_capture("closed", at=ends_at - timedelta(microseconds=1), business_date=tomorrow),
            make_capture("open", at=ends_at, business_date=tomorrow),
        ]
        answers = await post_within(connection, batch[:1], recorded_at=ends_at)
        answers += await post_within(connection, batch, recorded_at=ends_at)
        assert [answer.status for answer in answers] == ["refused", "refused", "posted"]


async def test_a_close_lets_no_entry_in_flight_slip_past(pool, owner, clock, make_capture):
    async with pool.acquire() as first, pool.acquire() as second:
        transaction = first.transaction()
        await transaction.start()
        await close_period(first, until=clock().date(), ends_at=clock(), recorded_at=clock(), **WHO)
        posting = asyncio.create_task(post_within(second, [make_capture()], recorded_at=clock()))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not await owner.fetchval(waiting):  # noqa: ASYNC110 - what is awaited happens in the server
            await asyncio.sleep(0.01)
        await transaction.commit()
        (answer,) = await posting
    assert answer.status is PostStatus.REFUSED


async def test_the_database_itself_refuses_what_does_not_balance(owner, clock, make_capture):
    await post_within(owner, [make_capture()], recorded_at=clock())
    columns = "journal_id, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq, currency, item"
    for table in ("posting", "posting_2026_11"):
        with pytest.raises(asyncpg.CheckViolationError, match="out of balance by 3 minor units of AED"):
            await owner.execute(
                f"INSERT INTO ledger.{table} ({columns})"
                " SELECT 9, recorded_at, effective_at, 3, 3, account_id, 9, currency, item"
                " FROM ledger.posting WHERE seq = 1"
            )
    with pytest.raises(asyncpg.CheckViolationError):  # two currencies that would cancel each other out
        await owner.execute(
            f"INSERT INTO ledger.posting ({columns}) SELECT 9, recorded_at, effective_at, x.minor, 3, account_id,"
            " x.minor, x.currency, item FROM ledger.posting, (VALUES (3, 'AED'), (-3, 'KWD')) x(minor, currency)"
            " WHERE seq = 1"
        )


async def test_totals_beyond_a_bigint_are_refused_alone(pool, clock):
    most = Money(10**15, "AED")
    async with pool.acquire() as connection:
        number = 0
        refused = []
        while not refused:
            batch = []
            for _ in range(1_000):
                number += 1
                batch.append(
                    replace(
                        _pay_out(number, clock), postings=(debit(DEPARTMENT, most), credit(bank_cash("main"), most))
                    )
                )
            answers = await post_within(connection, batch, recorded_at=clock())
            refused = [answer for answer in answers if answer.error]
        assert number == 9_000 + 1_000
        assert len(refused) == 1_000
        assert "beyond what its totals hold" in str(refused[0].error)
        assert (await post_within(connection, [_pay_out(0, clock, 1)], recorded_at=clock()))[0].error is not None
        assert (await verify(connection)).findings == []
