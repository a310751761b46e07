"""What operators and their machines read of a process: metrics, whether it lives, whether it can serve."""

from __future__ import annotations

from typing import Any, Final

import asyncpg
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_READY_TIMEOUT_S: Final = 2.0


def build_app(pool: asyncpg.Pool[Any]) -> web.Application:
    """Serve `/metrics`, `/healthz` and `/readyz`, on a port of their own that the public never reaches."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        try:
            async with pool.acquire(timeout=_READY_TIMEOUT_S) as connection:
                await connection.fetchval("SELECT 1", timeout=_READY_TIMEOUT_S)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return web.json_response({"status": "waiting for the database"}, status=503, headers={"Retry-After": "2"})
        return web.json_response({"status": "ready"})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app
