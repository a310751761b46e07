import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp

from ops.ports import free_run
from ops.settings import Settings
from ops.web_processes import operations_ports

_ROOT = Path(__file__).parents[2]


def test_each_process_has_an_operations_port_and_none_takes_the_workers():
    settings = Settings(operations_port=9090)
    assert list(operations_ports(settings, 1)) == [9090]
    assert list(operations_ports(settings, 3)) == [9090, 9092, 9093]


async def test_two_processes_share_a_port_and_one_that_dies_is_started_again(database_url, tmp_path):
    port = free_run(5)
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "MIZAN_HOME": str(tmp_path),
        "MIZAN_PORT": str(port),
        "MIZAN_OPERATIONS_PORT": str(port + 1),
    }
    words = [sys.executable, "-m", "ops.cli", "web", "--processes", "2"]
    parent = await asyncio.create_subprocess_exec(*words, env=environment, cwd=_ROOT, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            for place in (port + 1, port + 3):
                await _ready(session, place)
            [first, second] = _children(parent.pid)
            os.kill(second, signal.SIGKILL)
            living = await _others(parent.pid, second)
            assert first in living
            for place in (port + 1, port + 3):
                await _ready(session, place)
            async with session.get(f"http://127.0.0.1:{port}/v1/openapi.json") as answer:
                assert answer.status == 200
    finally:
        parent.terminate()
        assert await parent.wait() == 0
    assert not any(_lives(pid) for pid in living)


async def _others(parent, killed):
    """Wait until there are two children again, and the killed one is not among them."""
    while True:
        living = _children(parent)
        if len(living) == 2 and killed not in living:
            return living
        await asyncio.sleep(0.05)


def _lives(pid):
    return Path(f"/proc/{pid}").exists()


async def _ready(session, port):
    while True:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)


def _children(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(each) for each in text.split()]
