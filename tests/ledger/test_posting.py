import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.accounts import department_payable, provider_receivable
from ledger.decisions import archive_month
from ledger.errors import ReferenceReusedError
from ledger.journal import Ledger, PostStatus, post_within
from ledger.money import Money
from ledger.seal import seal_day
from ledger.statements import account_statement, balance, open_items, trial_balance

COLUMN = "SELECT attname FROM pg_attribute WHERE attrelid = ('ledger.' || $1)::regclass AND attnum = 1"
RECEIVABLE = provider_receivable("alpha")


async def test_a_capture_moves_every_account_it_names(pool, clock, make_capture):
    async with pool.acquire() as connection:
        (posted,) = await post_within(connection, [make_capture(minor=10_000)], recorded_at=clock())
        assert posted == type(posted)(PostStatus.POSTED, 1)
        assert await balance(connection, RECEIVABLE, "AED") == Money(10_000, "AED")
        assert await balance(connection, department_payable("traffic"), "AED") == Money(-9_500, "AED")
        lines = await trial_balance(connection)
        assert sum(line.balance.amount_minor for line in lines) == 0
        assert {line.account for line in lines} == {RECEIVABLE, "department:traffic:payable", "tax:vat_payable"}


async def test_the_same_reference_and_content_is_the_same_journal(pool, clock, make_capture):
    async with pool.acquire() as connection:
        entry = make_capture()
        answers = await post_within(connection, [entry, entry], recorded_at=clock())
        answers += await post_within(connection, [entry], recorded_at=clock.advance(hours=1))
        assert [(a.status, a.journal_id) for a in answers] == [("posted", 1), ("repeated", 1), ("repeated", 1)]
        assert await balance(connection, RECEIVABLE, "AED") == Money(10_000, "AED")


async def test_a_reused_reference_posts_nothing_and_spares_its_neighbours(pool, clock, make_capture):
    async with pool.acquire() as connection:
        batch = [make_capture("a", 100), make_capture("a", 200), make_capture("b", 300)]
        answers = await post_within(connection, batch, recorded_at=clock())
        assert [a.status for a in answers] == ["posted", "refused", "posted"]
        assert isinstance(answers[1].error, ReferenceReusedError)
        assert answers[1].journal_id is None
        assert await balance(connection, RECEIVABLE, "AED") == Money(400, "AED")


async def test_callers_share_a_commit(pool, clock, make_capture):
    ledger = Ledger(pool, clock)
    await ledger.start()
    answers = await asyncio.gather(*(ledger.post(make_capture(f"c:{n}", 100 + n)) for n in range(300)))
    with pytest.raises(ReferenceReusedError, match="c:7"):
        await ledger.post(make_capture("c:7", 1))
    await ledger.close()
    assert sorted(a.journal_id for a in answers) == list(range(1, 301))


async def test_a_posting_opens_its_month(pool, clock, make_capture):
    async with pool.acquire() as connection:
        for day in (0, 40, 400):
            at = clock() + timedelta(days=day)
            (posted,) = await post_within(connection, [make_capture(f"d:{day}", at=at)], recorded_at=at)
            assert posted.status is PostStatus.POSTED


TABLES = [
    "account", "journal", "posting", "posting_archive", "decision", "seal", "head", "floor", "hourly",
    "item", "posting_2026_10", "posting_2026_11",
]  # fmt: skip


@pytest.fixture
async def written(pool, make_capture):
    """Something in every append-only table, a month of it archived."""
    october, november = datetime(2026, 10, 30, 9, tzinfo=UTC), datetime(2026, 11, 22, 9, tzinfo=UTC)
    async with pool.acquire() as connection:
        await post_within(connection, [make_capture("a", at=october)], recorded_at=october)
        await seal_day(
            connection,
            date(2026, 10, 31),
            ends_at=datetime(2026, 11, 1, tzinfo=UTC),
            key=Ed25519PrivateKey.from_private_bytes(bytes(32)),
            sealed_at=november,
            sealed_by="an officer",
        )
        await archive_month(connection, date(2026, 10, 1))
        await post_within(connection, [make_capture("b", at=november)], recorded_at=november)


@pytest.mark.usefixtures("written")
async def test_the_service_writes_nothing_past_the_functions(pool, owner):
    columns = {table: await owner.fetchval(COLUMN, table) for table in TABLES}
    async with pool.acquire() as connection:
        for table in TABLES:
            for statement in (
                f"UPDATE ledger.{table} SET {columns[table]} = {columns[table]}",
                f"DELETE FROM ledger.{table}",
                f"TRUNCATE ledger.{table}",
                f"INSERT INTO ledger.{table} SELECT * FROM ledger.{table} LIMIT 0",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        for function in ("open_month('2026-01-01Z')", "guard('ledger.journal')", "guard_balance('ledger.posting')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"SELECT ledger.{function}")


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_not_even_the_owner_changes_what_is_written(owner, role):
    await owner.execute(f"SET session_replication_role = {role}")
    for table in [table for table in TABLES if table not in ("head", "floor", "hourly", "item")]:
        column = await owner.fetchval(COLUMN, table)
        statements = [f"UPDATE ledger.{table} SET {column} = {column}", f"DELETE FROM ledger.{table}"]
        for statement in [*statements, f"TRUNCATE ledger.{table} CASCADE"]:  # a day close refers to its seal
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await owner.execute(statement)


async def test_statement_and_items_follow_an_account(pool, clock, make_capture):
    async with pool.acquire() as connection:
        start = clock()
        late = make_capture("late", 50, at=start - timedelta(days=2))
        entries = [make_capture("one", 100), make_capture("two", 30, at=start + timedelta(seconds=1)), late]
        await post_within(connection, entries, recorded_at=start + timedelta(minutes=1))
        lines = [
            line
            async for line in account_statement(
                connection, RECEIVABLE, "AED", start=start - timedelta(days=1), end=start + timedelta(days=1)
            )
        ]
        assert [(line.reference, line.amount.amount_minor, line.balance.amount_minor) for line in lines] == [
            ("one", 100, 150),
            ("two", 30, 180),
        ]
        assert await balance(connection, RECEIVABLE, "AED", at=start - timedelta(days=1)) == Money(50, "AED")
        undo = replace(
            make_capture("undo", 30, at=start + timedelta(hours=2)),
            postings=tuple(replace(p, amount=-p.amount) for p in entries[1].postings),
        )
        await post_within(connection, [undo], recorded_at=start + timedelta(hours=2))
        assert [i.item async for i in open_items(connection, RECEIVABLE, "AED")] == ["late", "one"]
        at = start + timedelta(hours=1)
        assert [i.item async for i in open_items(connection, RECEIVABLE, "AED", at=at)] == ["late", "one", "two"]
