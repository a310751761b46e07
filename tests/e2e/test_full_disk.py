"""The database's disk runs full in the middle of the day, twice: work stops, nothing acknowledged is lost."""

import asyncio
import contextlib

import asyncpg
import pytest

from ops.demo.day import play_day
from ops.postgres import EmbeddedPostgres, PostgresError
from ops.settings import Settings
from tests.e2e.small_disk import NoSmallDiskError, fill, small_disk

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(600)]

MEGABYTES = 256
FULL_FOR_S = 6.0
SEGMENTS = 12
SMALL = {"max_wal_size": "64MB", "min_wal_size": "32MB", "shared_buffers": "32MB"}


async def _keep(server: EmbeddedPostgres) -> None:
    """Start the server again whenever it has ended, as an operator's service manager does."""
    while True:
        await asyncio.sleep(0.5)
        if not server.running:
            with contextlib.suppress(PostgresError):
                server.start(timeout_s=5.0)


async def _use_up_the_log(url: str) -> None:
    """Go through the log's segments that are there already, so that the next one needs room."""
    with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        owner = await asyncpg.connect(url, timeout=5)
        try:
            for _ in range(SEGMENTS):
                await owner.execute("SELECT pg_logical_emit_message(true, 'full', 'disk'); SELECT pg_switch_wal()")
        finally:
            owner.terminate()


async def _run_full(server: EmbeddedPostgres, url: str, rounds: asyncio.Semaphore) -> None:
    """Let the disk run full after the first round of citizens and after the second, then with the log used up."""
    for log_too in (False, True):
        await rounds.acquire()
        ballast = fill(server.data.parent)
        if log_too:
            await _use_up_the_log(url)
        await asyncio.sleep(FULL_FOR_S)
        ballast.unlink()


async def test_hc29_a_full_disk_loses_nothing_and_charges_nobody_twice():
    said: list[str] = []
    rounds = asyncio.Semaphore(0)

    def say(line: str) -> None:
        said.append(line)
        if " of 40: " in line:
            rounds.release()

    with contextlib.ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(MEGABYTES))
        except NoSmallDiskError as error:
            pytest.skip(f"no small disk can be mounted here: {error}")
        server = EmbeddedPostgres(disk / "data", settings=SMALL)
        stack.callback(server.stop)
        url = server.start()
        keeping = asyncio.create_task(_keep(server))
        filling = asyncio.create_task(_run_full(server, url, rounds))
        try:
            broken = await play_day(Settings(database_url=url), payments=40, say=say)
        finally:
            keeping.cancel()
            filling.cancel()
        assert broken == 0, "\n".join(said)
        assert filling.done()
        assert not filling.cancelled()
        log = (disk / "data.log").read_text(errors="replace")
        assert "No space left on device" in log
    assert said[-1] == "12 of 12 proofs hold."
