"""A port that does not wait for ever: who connects and does not say what they want is cut off."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

FIRST_WORDS_S: Final = 20.0
"""How long a new connection may take for its first whole request head. Later ones are under the keep-alive's time."""


class FirstWords:
    """Waits for each new connection's first request head, and cuts off those that do not send one in time.

    aiohttp times neither the first head nor its absence: connections that drip one header a minute, or say nothing,
    would stay until there are no file descriptors left for anybody else.
    """

    def __init__(self, wait_s: float = FIRST_WORDS_S) -> None:
        self._wait_s = wait_s
        self._waiting: dict[object, asyncio.TimerHandle] = {}

    @web.middleware
    async def hear(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Note that this connection's first head is whole."""
        if (timer := self._waiting.pop(request.protocol, None)) is not None:
            timer.cancel()
        response: web.StreamResponse = await handler(request)
        return response

    async def listen(self, runner: web.AppRunner, host: str, port: int) -> asyncio.AbstractServer:
        """Serve the runner's application at an address; several processes share a port."""
        loop = asyncio.get_running_loop()
        server = runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")

        def connect() -> web.RequestHandler:
            connection = server()
            self._waiting[connection] = loop.call_later(self._wait_s, self._cut_off, connection)
            return connection

        return await loop.create_server(connect, host, port, reuse_port=True)

    def _cut_off(self, connection: web.RequestHandler) -> None:
        self._waiting.pop(connection, None)
        if connection.transport is not None:
            connection.transport.abort()
