"""Hundreds of clients that stall, against a real web process: others are served, and the stalled are let go."""

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from ops.demo.stage import set_stage
from ops.settings import Settings

pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.timeout(300)]

SILENT, DRIPPING, DEAF = 150, 150, 50
LET_GO_S = 90.0


async def _open(stack: AsyncExitStack, host: str, port: int, said: bytes) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection(host, port, limit=1)
    stack.callback(writer.close)
    writer.write(said)
    return reader


async def _until_let_go(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(1 << 16):
            pass
    except ConnectionError:
        pass


async def test_stalled_clients_keep_nobody_waiting(tmp_path):
    async with set_stage(Settings(), home=tmp_path / "home", own_ports=True) as stage, AsyncExitStack() as stack:
        host, port = stage.settings.host, stage.settings.port
        head = b"GET /robots.txt HTTP/1.1\r\nHost: pay.example\r\n"
        silent = [await _open(stack, host, port, b"") for _ in range(SILENT)]
        dripping = [await _open(stack, host, port, head) for _ in range(DRIPPING)]
        body = b"POST /v1/payment-intents HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"
        drips = [await _open(stack, host, port, body) for _ in range(DRIPPING)]
        # They ask for one page after another and never read an answer.
        deaf = [await _open(stack, host, port, (head + b"\r\n") * 200) for _ in range(DEAF)]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        slowest_s = 0.0
        for _ in range(50):
            started_s = time.monotonic()
            async with session.get(f"{stage.web_url}/v1/payment-intents") as answer:
                assert answer.status == 401
            slowest_s = max(slowest_s, time.monotonic() - started_s)
        assert slowest_s < 10.0
        async with asyncio.timeout(LET_GO_S):
            await asyncio.gather(*map(_until_let_go, [*silent, *dripping, *drips]))
        assert all(not reader.at_eof() for reader in deaf[:1])  # whoever is only deaf harms nobody
        async with session.get(f"{stage.web_url}/v1/payment-intents") as answer:
            assert answer.status == 401
