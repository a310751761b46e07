"""A small service that exists only to prove the harness: counters in PostgreSQL behind an HTTP server."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from tests.simulation.processes import Process
from tests.simulation.simulation import Simulation

SCHEMA = "CREATE TABLE counter (name text PRIMARY KEY, value bigint NOT NULL)"


async def connect(simulation: Simulation) -> asyncpg.Pool[Any]:
    async def keep_state(_connection: object) -> None:
        """As the product's pool does: a reset on release would be one more exchange."""

    return await asyncpg.create_pool(
        simulation.database_url, min_size=1, max_size=4, timeout=5, command_timeout=10, reset=keep_state
    )


async def add_one(connection: asyncpg.Connection[Any], name: str, pause_s: float = 0.0) -> int:
    """Read, think, write, under the row's lock."""
    async with connection.transaction():
        await connection.execute("INSERT INTO counter VALUES ($1, 0) ON CONFLICT DO NOTHING", name)
        value: int = await connection.fetchval("SELECT value FROM counter WHERE name = $1 FOR UPDATE", name)
        await asyncio.sleep(pause_s)
        await connection.execute("UPDATE counter SET value = $2 WHERE name = $1", name, value + 1)
    return value + 1


async def serve(simulation: Simulation, host: str, *, pause_s: float = 0.0) -> None:
    """Run the service until its process dies."""
    pool = await connect(simulation)

    async def add(request: web.Request) -> web.Response:
        async with pool.acquire() as connection:
            value = await add_one(connection, request.match_info["name"], pause_s)
        return web.json_response({"value": value})

    app = web.Application()
    app.router.add_post("/counters/{name}", add)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, simulation.network.name(host), 80).start()
    await asyncio.Event().wait()


def start(simulation: Simulation, host: str = "app", *, pause_s: float = 0.0) -> Process:
    process = simulation.process(host)
    simulation.spawn(process, serve(simulation, host, pause_s=pause_s), f"serve {host}")
    return process


async def ask(session: ClientSession, name: str = "a", *, host: str = "app", timeout_s: float = 5) -> object:
    """Return the new value, the HTTP status when it is no success, or the name of what went wrong."""
    try:
        async with session.post(f"http://{host}/counters/{name}", timeout=ClientTimeout(total=timeout_s)) as response:
            return (await response.json())["value"] if response.status == 200 else response.status
    except (ClientError, TimeoutError) as error:
        return type(error).__name__
