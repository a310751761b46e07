"""A single entry and a batch take different ways through the database: the books they leave are the same rows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ledger import store
from ledger.accounts import department_payable
from ledger.audit import verify
from ledger.decisions import close_period, set_floor
from ledger.entry import Entry, reversal
from ledger.journal import BATCH_MAX, LANE_MIN, Ledger, PostStatus, post_within
from ledger.money import Money
from tests.ledger.test_model import START, entries

WHO = {"reason": "a test", "decided_by": "an officer"}
WRITTEN = ("account", "journal", "posting", "hourly", "item", "head")


async def _books(connection: Any) -> dict[str, list[str]]:
    return {
        table: [
            row["line"] for row in await connection.fetch(f"SELECT t::text AS line FROM ledger.{table} t ORDER BY 1")
        ]
        for table in WRITTEN
    }


async def _post_both_ways(connection: Any, entry: Entry, at: Any) -> tuple[store.Verdict, int | None]:
    """Post, regret and post again the other way; compare answers and rows; keep the second."""
    regretted = connection.transaction()
    await regretted.start()
    long_answer = await store.post_many(connection, [entry], at)
    long_books = await _books(connection)
    await regretted.rollback()
    (answer,) = await store.post_one(connection, entry, at)
    assert [answer] == long_answer
    assert await _books(connection) == long_books
    return answer


async def test_every_kind_of_entry_leaves_the_same_rows_by_either_way(pool, clock, make_capture):
    """New accounts, known and reused references, back-dating, floors, corrections, closed days, a new month."""
    later = clock() + timedelta(hours=3)
    first = make_capture("first", 1_000)
    doubled = replace(first, reference="doubled", postings=(*first.postings, *first.postings))
    undone = reversal(first, reference="undo", corrects=1, business_date=clock().date(), effective_at=later)
    posted, repeated, reused = store.Verdict.POSTED, store.Verdict.REPEATED, store.Verdict.REFERENCE_REUSED
    async with pool.acquire() as connection:
        for entry, verdict in [
            (first, posted),
            (make_capture("second", 2_000), posted),
            (first, repeated),
            (replace(first, description="other"), reused),
            (make_capture("dinars", 3, currency="KWD"), posted),
            (make_capture("later", 40, at=later), posted),
            (make_capture("earlier", 50, at=clock() - timedelta(days=3)), posted),
            (make_capture("same hour", 60, at=later + timedelta(minutes=9)), posted),
            (doubled, posted),
            (replace(doubled, reference="doubled later", effective_at=later), posted),
            (undone, posted),
            (replace(undone, reference="of nothing", corrects=99), store.Verdict.CORRECTS_UNKNOWN),
        ]:
            assert (await _post_both_ways(connection, entry, clock.advance(seconds=1)))[0] is verdict, entry.reference
        await set_floor(connection, department_payable("traffic"), Money(0, "AED"), recorded_at=clock(), **WHO)
        assert (await _post_both_ways(connection, make_capture("floored", 5, at=later), clock()))[0] is posted
        await close_period(connection, until=clock().date(), ends_at=later, recorded_at=clock(), **WHO)
        closed = make_capture("closed", 5, department="water", at=later)
        assert (await _post_both_ways(connection, closed, clock()))[0] is store.Verdict.PERIOD_CLOSED
        month = clock() + timedelta(days=20)
        assert (await _post_both_ways(connection, make_capture("month", 5, at=month), month))[0] is posted
        assert (await verify(connection)).findings == []


async def test_totals_near_the_end_of_a_bigint_are_decided_by_the_long_way(pool, owner, clock, make_capture):
    async with pool.acquire() as connection:
        await post_within(connection, [make_capture("first", 100)], recorded_at=clock())
        await owner.execute("UPDATE ledger.hourly SET debit_minor = 8999999999999999900 WHERE debit_minor > 0")
        verdict, _ = await _post_both_ways(connection, make_capture("over", 200), clock())
        assert verdict is store.Verdict.BEYOND_TOTALS
        verdict, _ = await _post_both_ways(connection, make_capture("just", 100), clock())
        assert verdict is store.Verdict.POSTED


def test_any_entry_leaves_the_same_rows_by_either_way(database_url):
    """Whatever is drawn, one after the other on growing books."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))

        @settings(
            max_examples=120, deadline=None, derandomize=True, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(entry=entries())
        def post(entry: Entry) -> None:
            runner.run(_post_both_ways(connection, entry, START))

        post()
        assert runner.run(verify(connection)).findings == []
        runner.run(connection.close())


@pytest.mark.parametrize("callers", [LANE_MIN * 2, BATCH_MAX * 3])
async def test_many_callers_go_by_two_lanes_and_each_is_answered_once(pool, owner, clock, make_capture, callers):
    """Every entry comes twice, and its twin may be in the other lane: one is posted, the other repeats it."""
    ledger = Ledger(pool, clock)
    await ledger.start()
    batch = [make_capture(f"c:{n}", 100 + n, department=f"d{n % 5}") for n in range(callers)]
    first, second = await asyncio.gather(
        asyncio.gather(*(ledger.post(entry) for entry in batch)),
        asyncio.gather(*(ledger.post(entry) for entry in reversed(batch))),
    )
    await ledger.close()
    pairs = list(zip(first, reversed(second), strict=True))
    assert all(one.journal_id == other.journal_id for one, other in pairs)
    assert all({one.status, other.status} == {PostStatus.POSTED, PostStatus.REPEATED} for one, other in pairs)
    report = await verify(owner)
    assert (report.findings, report.journals) == ([], callers)
