"""Whatever is changed behind the ledger's back, by somebody who may do anything, the proof finds and names."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.accounts import provider_receivable
from ledger.audit import verify
from ledger.decisions import archive_month, close_period, lift_floor, open_months, set_floor
from ledger.entry import into_open_period, reversal
from ledger.errors import PeriodClosedError
from ledger.journal import post_within
from ledger.money import Money
from ledger.seal import seal_day

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {KEY.public_key().public_bytes_raw()}
WHO = {"reason": "a test", "decided_by": "an officer"}
COLUMNS = """
account id path currency type side by_item opened_by opened_at
journal id reference kind business_date effective_at recorded_at payment provider provider_reference file line corrects
journal late_for below_floor description fingerprint hash
posting journal_id recorded_at effective_at amount_minor balance_minor account_id seq currency item
decision id kind path currency floor_minor closed_until closed_before reason decided_by recorded_at journal_id hash
seal number business_date journal_id journal_hash decision_id decision_hash sealed_at trial_balance previous public_key
seal signature
head one journal_id hash recorded_at account_id decision_id decision_hash seal_number seal_hash closed_until
head closed_before months_from months_until hour_latest
floor path currency floor_minor
hourly account_id hour debit_minor credit_minor
item account_id item amount_minor opened_at moved_at business_date journal_id payment provider_reference moved_by
"""
PAIRS = [(line.split()[0], column) for line in COLUMNS.strip().splitlines() for column in line.split()[1:]]
TABLES = list(dict(PAIRS))
ANOTHER = {
    "smallint": "{0} + 7",
    "integer": "coalesce({0}, 0) + 7",
    "bigint": "coalesce({0}, 0) + 7",
    "text": "coalesce({0}, '') || '~'",
    "character": "'JPY'",
    "boolean": "NOT {0}",
    "bytea": "set_byte({0}, length({0}) - 1, get_byte({0}, length({0}) - 1) # 1)",
    "date": "coalesce({0}, '2026-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, '2026-01-01Z') + interval '1 microsecond'",
}


@pytest.fixture
async def books(pool, clock, make_capture):
    """A ledger with something in every table: two months, two currencies, an archive, floors, seals, a reversal."""
    october = datetime(2026, 10, 30, 9, 0, tzinfo=UTC)
    async with pool.acquire() as connection:
        await open_months(connection, months=1, at=october)
        await set_floor(connection, provider_receivable("alpha"), Money(0, "AED"), recorded_at=october, **WHO)
        first = [make_capture("a", 10_000, at=october), make_capture("b", 7_777, currency="KWD", at=october)]
        await post_within(connection, first, recorded_at=october)
        await seal_day(
            connection,
            date(2026, 10, 31),
            ends_at=datetime(2026, 11, 1, tzinfo=UTC),
            key=KEY,
            sealed_at=datetime(2026, 11, 1, 1, tzinfo=UTC),
            sealed_by="an officer",
        )
        await set_floor(connection, "department:traffic:payable", Money(-5, "AED"), recorded_at=clock(), **WHO)
        await lift_floor(connection, "department:traffic:payable", "AED", recorded_at=clock(), **WHO)
        undo = reversal(
            first[0], reference="a:undo", corrects=1, business_date=date(2026, 11, 22), effective_at=clock()
        )
        second = [
            undo,
            make_capture("c", 500, at=clock(), description="à la carte"),
            make_capture("d", 300, at=clock(), late_for=date(2026, 10, 30), below_floor=True),
        ]
        await post_within(connection, second, recorded_at=clock.advance(minutes=3))
        await archive_month(connection, date(2026, 10, 1))
        await seal_day(
            connection,
            date(2026, 11, 22),
            ends_at=datetime(2026, 11, 23, tzinfo=UTC),
            key=KEY,
            sealed_at=clock.advance(hours=12),
            sealed_by="an officer",
        )
        after = clock.advance(days=1)
        await post_within(connection, [make_capture("e", 999, at=after)], recorded_at=after)
    return pool


async def _unguard(owner):
    """Take every trigger and check away, as a superuser can."""
    months = await owner.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE c.relkind = 'r' AND relnamespace = 'ledger'::regnamespace"
    )
    for table in [*(f"ledger.{table}" for table in [*TABLES, "posting_archive"]), *(month["name"] for month in months)]:
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    checks = await owner.fetch(
        "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint"
        " WHERE contype = 'c' AND coninhcount = 0 AND connamespace = 'ledger'::regnamespace"
    )
    for check in checks:
        await owner.execute(f'ALTER TABLE {check["name"]} DROP CONSTRAINT "{check["conname"]}"')


async def _findings(connection) -> list[str]:
    return [str(finding) for finding in (await verify(connection, trusted_keys=TRUSTED)).findings]


async def test_untouched_books_are_proven(books):
    async with books.acquire() as connection:
        report = await verify(connection, trusted_keys=TRUSTED)
    assert report.findings == []
    assert (report.journals, report.postings, report.seals, report.decisions) == (6, 18, 2, 5)
    assert report.unsealed_journals == 1


async def test_the_list_of_columns_is_complete(owner):
    rows = await owner.fetch(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0"
        " AND NOT c.relispartition AND c.relname <> 'posting_archive'"
    )
    assert sorted(tuple(row) for row in rows) == sorted(PAIRS)


def _parts(table: str) -> list[str]:
    return ["posting", "posting_archive"] if table == "posting" else [table]


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("table", TABLES)
async def test_any_changed_value_is_found_and_named(owner, table):
    names = {"posting": ("posting", "journal"), "account": ("account", "journal")}.get(table, (table,))
    unnamed, tried = [], 0
    await _unguard(owner)
    for part, column in [(part, column) for part in _parts(table) for of, column in PAIRS if of == table]:
        kind = await owner.fetchval(
            "SELECT data_type FROM information_schema.columns"
            " WHERE table_schema = 'ledger' AND table_name = $1 AND column_name = $2",
            part,
            column,
        )
        for row in await owner.fetch(f"SELECT ctid, tableoid, {column} AS old FROM ledger.{part}"):
            changed = await owner.fetchval(
                f"UPDATE ledger.{part} SET {column} = {ANOTHER[kind].format(column)}"
                " WHERE ctid = $1 AND tableoid = $2 RETURNING ctid",
                row["ctid"],
                row["tableoid"],
            )
            found = await _findings(owner)
            if not any(finding.split()[0] in names for finding in found):
                unnamed.append((part, column, row["old"], found))
            await owner.execute(
                f"UPDATE ledger.{part} SET {column} = $3 WHERE ctid = $1 AND tableoid = $2",
                changed,
                row["tableoid"],
                row["old"],
            )
            tried += 1
    assert tried
    assert unnamed == []
    assert await _findings(owner) == []


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("table", TABLES)
async def test_a_removed_row_is_found_and_named(owner, table):
    await _unguard(owner)
    for part in _parts(table):
        await owner.execute(f"CREATE TEMP TABLE kept_{part} (LIKE ledger.{part})")
        for row in await owner.fetch(f"SELECT ctid, tableoid, t::text AS text FROM ledger.{part} t"):
            await owner.execute(
                f"WITH gone AS (DELETE FROM ledger.{part} WHERE ctid = $1 AND tableoid = $2 RETURNING *)"
                f" INSERT INTO kept_{part} SELECT * FROM gone",
                row["ctid"],
                row["tableoid"],
            )
            found = await _findings(owner)
            await owner.execute(f"INSERT INTO ledger.{part} SELECT * FROM kept_{part}; TRUNCATE kept_{part}")
            assert any(finding.split()[0] in (table, "journal", "head") for finding in found), (row["text"], found)
    assert await _findings(owner) == []


@pytest.mark.usefixtures("books")
async def test_a_balanced_forgery_is_found_by_the_chain(owner):
    await _unguard(owner)
    await owner.execute(
        "UPDATE ledger.posting SET amount_minor = amount_minor + sign(amount_minor)::int"
        " WHERE journal_id = 4 AND seq < 3"
    )
    assert any(finding.startswith("journal 4:") for finding in await _findings(owner))


@pytest.mark.usefixtures("books")
async def test_an_inserted_posting_or_journal_is_found(owner):
    await _unguard(owner)
    await owner.execute(
        "INSERT INTO ledger.posting SELECT 77, recorded_at, effective_at, amount_minor, balance_minor, account_id, seq,"
        " currency, item FROM ledger.posting WHERE journal_id = 4"
    )
    assert "posting 77/1: belongs to no journal" in await _findings(owner)
    await owner.execute("DELETE FROM ledger.posting WHERE journal_id = 77")
    await owner.execute(
        "INSERT INTO ledger.journal SELECT 7, 'forged', kind, business_date, effective_at, recorded_at, payment,"
        " provider, provider_reference, file, line, corrects, late_for, below_floor, description, fingerprint, hash"
        " FROM ledger.journal WHERE id = 6"
    )
    assert any(finding.startswith("journal 7:") for finding in await _findings(owner))


@pytest.mark.usefixtures("books")
async def test_a_seal_of_another_key_is_not_trusted(pool, clock):
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    async with pool.acquire() as connection:
        await seal_day(
            connection,
            date(2026, 11, 23),
            ends_at=datetime(2026, 11, 24, tzinfo=UTC),
            key=other,
            sealed_at=clock.advance(days=1),
            sealed_by="somebody",
        )
        found = await _findings(connection)
        assert found == ["seal 3: is signed with a key that is not trusted"]
        assert (await verify(connection)).proven


@pytest.mark.usefixtures("books")
async def test_the_proof_keeps_up_with_posting(pool, clock, make_capture):
    at = clock.advance(hours=1)

    async def post_more() -> None:
        async with pool.acquire() as connection:
            for number in range(40):
                await post_within(connection, [make_capture(f"more:{number}", at=at)], recorded_at=at)

    posting = asyncio.create_task(post_more())
    async with pool.acquire() as connection:
        while not posting.done():
            report = await verify(connection, trusted_keys=TRUSTED)
            assert report.findings == []
        await posting
        assert (await verify(connection, trusted_keys=TRUSTED)).journals == 46


@pytest.mark.usefixtures("books")
async def test_closing_is_final_and_late_entries_go_to_the_open_period(pool, clock, make_capture):
    async with pool.acquire() as connection:
        late = make_capture("late", at=clock() - timedelta(days=1), business_date=date(2026, 11, 22))
        (refused,) = await post_within(connection, [late], recorded_at=clock())
        assert isinstance(refused.error, PeriodClosedError)
        moved = into_open_period(late, business_date=date(2026, 11, 23), effective_at=clock())
        (posted,) = await post_within(connection, [moved], recorded_at=clock())
        assert posted.error is None
        assert moved.late_for == date(2026, 11, 22)
        with pytest.raises(PeriodClosedError):
            await close_period(connection, until=date(2026, 11, 21), ends_at=clock(), recorded_at=clock(), **WHO)
