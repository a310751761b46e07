"""Clients that stall: they neither hold a connection for ever nor keep anybody else waiting."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from ops.first_words import FirstWords


@pytest.fixture
async def port():
    app = web.Application()
    app.router.add_get("/", lambda _: _answer())
    words = FirstWords(wait_s=1.5)
    app.middlewares.insert(0, words.hear)
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        number = unused_port()
        server = await words.listen(runner, "127.0.0.1", number)
        stack.callback(server.close)
        yield number


async def _answer() -> web.Response:
    await asyncio.sleep(2.5)  # longer than first words may take: an answer may
    return web.Response(text="here")


async def _is_cut_off(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(30):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["nothing", "half a head"])
async def test_who_does_not_say_what_they_want_is_cut_off(port, said):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    assert await _is_cut_off(reader)
    writer.close()


async def test_who_asked_in_time_is_answered_however_long_it_takes(port):
    async with aiohttp.ClientSession() as session:
        for _ in range(2):  # and the connection is kept for the next request
            async with session.get(f"http://127.0.0.1:{port}/") as answer:
                assert await answer.text() == "here"
