"""The database a command works on: the operator's own, or the embedded one for as long as the command lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from ops.migrate import migrate
from ops.postgres import EmbeddedPostgres
from ops.settings import Settings

SERVICE_ROLE: Final = "mizan_service"
_CONNECT_TIMEOUT_S: Final = 5
_COMMAND_TIMEOUT_S: Final = 60


def embedded(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.home / "postgres", binaries=settings.postgres_binaries)


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """Give the URL of a migrated database; an embedded server started for it is stopped afterwards."""
    if settings.database_url is not None:
        await migrate(settings.database_url)
        yield settings.database_url
        return
    server = embedded(settings)
    url = server.start()
    try:
        await migrate(url)
        yield url
    finally:
        server.stop()


async def _keep_state(_connection: object) -> None:
    """Return a connection as it is: the default reset costs a round trip, and nothing of ours leaves state behind."""


def service_pool(
    url: str, *, size_max: int = 8, command_timeout_s: float = _COMMAND_TIMEOUT_S, lock_timeout_s: float = 0
) -> asyncpg.Pool[Any]:
    """Return a pool under the service's role, which may add to the books and never change them."""
    return asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size_max,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=command_timeout_s,
        reset=_keep_state,
        # Whoever waits longer than this for a row gives up and is told to come back; the work is not lost.
        server_settings={
            "role": SERVICE_ROLE,
            "jit": "off",
            "application_name": "mizan",
            "lock_timeout": str(int(lock_timeout_s * 1000)),
        },
    )
