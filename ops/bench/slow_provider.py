"""A provider's simulator that takes its time, as a process of its own: what `bench adapters` asks.

It keeps how long it had each request, by the correlation id the request carries, so that what the provider took can be
taken off what the whole took.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from adapters import registry
from adapters.http import CORRELATION_HEADER
from ops.clock import system_clock
from ops.wiring import random_bytes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TOOK_PATH: Final = "/bench/took"
PLAIN_PATH: Final = "/bench/plain"


def build(name: str, delay_s: float) -> web.Application:
    """Build the simulator with its delay; `TOOK_PATH` gives seconds by correlation id and forgets them."""
    took_s: dict[str, float] = defaultdict(float)
    chance = random.Random(1)

    @web.middleware
    async def slowly(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == TOOK_PATH or request.path.startswith("/simulator/"):
            return await handler(request)
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        try:
            # Not always the same, or all calls in flight would come back in one instant and queue for nothing.
            await asyncio.sleep(delay_s * (0.5 + chance.random()))
            return await handler(request)
        finally:
            took_s[request.headers.get(CORRELATION_HEADER, "")] += loop.time() - started_at

    async def took(_: web.Request) -> web.Response:
        told = dict(took_s)
        took_s.clear()
        return web.json_response(told)

    async def plain(_: web.Request) -> web.Response:
        return web.json_response({"reference": "plain", "state": "STARTED"})

    app = registry.PROVIDERS[name].simulator(clock=system_clock, random_bytes=random_bytes)
    app.middlewares.append(slowly)
    app.router.add_get(TOOK_PATH, took)
    app.router.add_get(PLAIN_PATH, plain)
    return app


async def serve(name: str, delay_s: float) -> None:
    """Serve on a free port, which is said on the standard output, until the standard input ends."""
    runner = web.AppRunner(build(name, delay_s), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)  # the other end closes when whoever measures is done, or is gone


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2])))
