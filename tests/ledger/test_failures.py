"""Whatever breaks while a batch is posted, each journal is there whole or not at all, and the answer is honest."""

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from ledger.accounts import provider_receivable
from ledger.audit import verify
from ledger.errors import LedgerUnavailableError
from ledger.journal import Ledger, PostStatus, post_within
from ledger.money import Money
from ledger.statements import balance
from tests.ledger.cutting_proxy import CuttingProxy

WRITTEN = ["account", "posting", "journal", "hourly", "item", "head"]

FUSE = """
CREATE SEQUENCE public.fuse;
GRANT USAGE ON SEQUENCE public.fuse TO PUBLIC;
CREATE FUNCTION public.blow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A sequence does not roll back, so the fuse blows once and stays blown.
  IF nextval('public.fuse') = 1 THEN
    IF TG_ARGV[0] = 'die' THEN
      PERFORM pg_terminate_backend(pg_backend_pid());
    ELSE
      RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full';
    END IF;
  END IF;
  RETURN NULL;
END $$;
"""


@pytest.mark.parametrize("table", WRITTEN)
@pytest.mark.parametrize("fault", ["die", "raise"])
async def test_a_fault_in_any_statement_of_a_batch_loses_and_doubles_nothing(
    pool, owner, clock, make_capture, table, fault
):
    await owner.execute(FUSE)
    await owner.execute(
        f"CREATE TRIGGER blow AFTER INSERT OR UPDATE ON ledger.{table} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION public.blow('{fault}')"
    )
    ledger = Ledger(pool, clock)
    await ledger.start()
    answers = await asyncio.gather(*(ledger.post(make_capture(f"c:{n}", 100)) for n in range(8)))
    await ledger.close()
    assert [answer.status for answer in answers] == [PostStatus.POSTED] * 8
    assert await owner.fetchval("SELECT last_value FROM public.fuse") > 1
    report = await verify(owner)
    assert (report.findings, report.journals) == ([], 8)


@pytest.mark.parametrize("table", [table for table in WRITTEN if table != "account"])
@pytest.mark.parametrize("fault", ["die", "raise"])
async def test_a_fault_while_one_entry_is_posted_loses_and_doubles_nothing(
    pool, owner, clock, make_capture, table, fault
):
    """The short way of a single entry: its accounts are open, and nothing else is special about it."""
    ledger = Ledger(pool, clock)
    await ledger.start()
    await ledger.post(make_capture("opens", 100))
    await owner.execute(FUSE)
    await owner.execute(
        f"CREATE TRIGGER blow AFTER INSERT OR UPDATE ON ledger.{table} FOR EACH STATEMENT"
        f" EXECUTE FUNCTION public.blow('{fault}')"
    )
    answers = [await ledger.post(make_capture(f"c:{n}", 100)) for n in range(3)]
    await ledger.close()
    assert [(answer.status, answer.journal_id) for answer in answers] == [(PostStatus.POSTED, n) for n in (2, 3, 4)]
    assert await owner.fetchval("SELECT last_value FROM public.fuse") > 1
    report = await verify(owner)
    assert (report.findings, report.journals) == ([], 4)


@pytest.mark.parametrize("table", WRITTEN)
async def test_a_backend_terminated_within_a_callers_transaction_leaves_nothing(
    pool, owner, clock, make_capture, table
):
    await owner.execute(FUSE)
    await owner.execute(
        f"CREATE TRIGGER blow AFTER INSERT OR UPDATE ON ledger.{table} FOR EACH STATEMENT"
        " EXECUTE FUNCTION public.blow('die')"
    )
    entries = [make_capture(f"c:{n}", 100) for n in range(3)]
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        async with pool.acquire() as connection, connection.transaction():
            await post_within(connection, entries, recorded_at=clock())
    assert (await verify(owner)).journals == 0
    async with pool.acquire() as connection, connection.transaction():
        answers = await post_within(connection, entries, recorded_at=clock())
    assert [(a.status, a.journal_id) for a in answers] == [(PostStatus.POSTED, n) for n in (1, 2, 3)]
    assert (await verify(owner)).findings == []


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 5])
async def test_a_connection_cut_anywhere_is_answered_honestly(database_url, owner, clock, make_capture, side, chunks):
    """Cut before the statement arrives, or before its answer does: then it is committed, and the repeat says so."""
    address = urlsplit(database_url)
    query = parse_qs(address.query)
    if "host" not in query:
        pytest.skip("the server is not on a Unix socket, so there is no wire to cut here")
    target = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
    with tempfile.TemporaryDirectory() as folder:
        proxy = CuttingProxy(Path(folder), target)
        await proxy.start()
        pool = await asyncpg.create_pool(
            host=folder, port=5432, user=address.username, database=address.path[1:], min_size=1, max_size=2,
            server_settings={"role": "mizan_service"},
        )  # fmt: skip
        ledger = Ledger(pool, clock)
        await ledger.start()
        await ledger.post(make_capture("first", 1_000))
        proxy.cut_after(chunks, side)
        answers = [await ledger.post(make_capture(f"c:{n}", 10)) for n in range(chunks + 1)]
        await ledger.close()
        assert proxy.cuts == 1
        assert [answer.journal_id for answer in answers] == list(range(2, chunks + 3))
        repeated = [answer.status for answer in answers].count(PostStatus.REPEATED)
        assert repeated == (1 if side == "server" else 0)
        await pool.close()
        await proxy.stop()
    report = await verify(owner)
    assert (report.findings, report.journals) == ([], chunks + 2)


async def test_a_connection_lost_in_the_callers_commit_is_told_by_repeating(database_url, owner, clock, make_capture):
    address = urlsplit(database_url)
    query = parse_qs(address.query)
    if "host" not in query:
        pytest.skip("the server is not on a Unix socket, so there is no wire to cut here")
    with tempfile.TemporaryDirectory() as folder:
        proxy = CuttingProxy(Path(folder), f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}")
        await proxy.start()
        connection = await asyncpg.connect(
            host=folder, port=5432, user=address.username, database=address.path[1:],
            server_settings={"role": "mizan_service"},
        )  # fmt: skip
        transaction = connection.transaction()
        await transaction.start()
        await post_within(connection, [make_capture()], recorded_at=clock())
        proxy.cut_after(1, "server")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await transaction.commit()
        connection.terminate()
        await proxy.stop()
    (answer,) = await post_within(owner, [make_capture()], recorded_at=clock())
    assert answer.status is PostStatus.REPEATED
    assert await balance(owner, provider_receivable("alpha"), "AED") == Money(10_000, "AED")


async def test_an_entry_the_database_refuses_fails_alone(pool, owner, clock, make_capture):
    """A poison no rule foresaw: the batch is taken apart, and only its caller hears of it."""
    await owner.execute(
        "CREATE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.reference = 'c:3' THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER poison BEFORE INSERT ON ledger.journal FOR EACH ROW EXECUTE FUNCTION public.poison()"
    )
    ledger = Ledger(pool, clock)
    await ledger.start()
    answers = await asyncio.gather(
        *(ledger.post(make_capture(f"c:{n}", 100)) for n in range(6)), return_exceptions=True
    )
    await ledger.close()
    assert [isinstance(answer, asyncpg.RaiseError) for answer in answers] == [n == 3 for n in range(6)]
    assert (await verify(owner)).journals == 5


async def test_a_cancelled_caller_does_not_stop_the_others(pool, clock, make_capture):
    ledger = Ledger(pool, clock)
    await ledger.start()
    callers = [asyncio.create_task(ledger.post(make_capture(f"c:{n}", 100))) for n in range(5)]
    await asyncio.sleep(0)
    callers[2].cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    await ledger.close()
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [n == 2 for n in range(5)]
    with pytest.raises(LedgerUnavailableError, match="not running"):
        await ledger.post(make_capture("c:9"))
