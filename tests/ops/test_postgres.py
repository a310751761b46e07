import asyncio
import contextlib
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncpg
import pytest

from ops.postgres import EmbeddedPostgres, PostgresError


@pytest.fixture
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("embedded")
    for parent in (path, *path.parents[:2]):
        parent.chmod(0o755)  # run as root, the server is another account's
    return path


def _alive(pid):
    """Whether a process still runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def _value(url, query):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_outlives_the_server_and_fsync_is_on(folder):
    server = EmbeddedPostgres(folder / "data")
    try:
        url = server.start()
        assert await _value(url, "SHOW fsync") == "on"
        await _value(url, "CREATE TABLE kept AS SELECT 7 AS n")
        server.stop()
        assert await _value(server.start(), "SELECT n FROM kept") == 7
    finally:
        server.stop()


async def test_a_second_starter_on_the_same_folder_is_refused(folder):
    server = EmbeddedPostgres(folder / "data")
    try:
        server.start()
        with pytest.raises(PostgresError, match="in use by another Mizan"):
            EmbeddedPostgres(folder / "data").start()
    finally:
        server.stop()


async def test_hc29_killed_server_starts_again_at_the_same_address_with_all_that_was_acknowledged(folder):
    server = EmbeddedPostgres(folder / "data")
    try:
        url = server.start()
        await _value(url, "CREATE TABLE kept AS SELECT 7 AS n")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        assert not server.running
        assert server.start() == url
        assert await _value(url, "SELECT n FROM kept") == 7
    finally:
        server.stop()


async def test_hc17_killing_the_parent_stops_the_server_and_the_next_start_is_clean(folder):
    script = textwrap.dedent(f"""
        import pathlib, sys, time
        from ops.postgres import EmbeddedPostgres
        server = EmbeddedPostgres(pathlib.Path({str(folder / "data")!r}))
        server.start()
        print(server.process.pid, flush=True)
        sys.stdin.read()
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    server_pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    server = EmbeddedPostgres(folder / "data")
    try:
        assert await _value(server.start(), "SELECT 1") == 1
        assert not _alive(server_pid)
    finally:
        server.stop()


async def test_a_stale_pid_file_never_stops_an_unrelated_process(folder):
    server = EmbeddedPostgres(folder / "data")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        server.start()
        server.stop()
        (server.data / "postmaster.pid").write_text(f"{bystander.pid}\n{server.data}\n")
        assert await _value(server.start(), "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        server.stop()
        bystander.kill()
        bystander.wait()


async def test_hc29_a_session_that_outlives_its_killed_server_delays_the_next_start_and_loses_nothing(folder):
    """The orphan still works on the folder; until it ends, PostgreSQL refuses, and starting again is tried again."""
    server = EmbeddedPostgres(folder / "data")
    try:
        url = server.start()
        await _value(url, "CREATE TABLE kept AS SELECT 7 AS n")
        busy = await asyncpg.connect(url)
        loop = (
            "DO $$ DECLARE t timestamptz := clock_timestamp();"
            " BEGIN WHILE clock_timestamp() < t + '3 s' LOOP END LOOP; END $$"
        )
        working = asyncio.create_task(busy.execute(loop))
        await asyncio.sleep(0.5)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for _ in range(60):
            try:
                assert server.start() == url
                break
            except PostgresError:
                await asyncio.sleep(0.25)
        assert await _value(url, "SELECT n FROM kept") == 7
        with contextlib.suppress(Exception):
            await working
        busy.terminate()
    finally:
        server.stop()
