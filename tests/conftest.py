"""What every test shares: one PostgreSQL a run, one migrated template, a fresh copy of it for each test."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
import pytest_asyncio

from ops.migrate import migrate
from ops.postgres import EmbeddedPostgres

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("mizan", deadline=None)
hypothesis.settings.load_profile("mizan")

_NUMBERS = itertools.count(1)


class SettableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> None:
        self._now = instant

    def advance(self, **amount: float) -> datetime:
        self._now += timedelta(**amount)
        return self._now


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 11, 22, 6, 0, tzinfo=UTC))


@pytest.fixture
def random_bytes() -> Callable[[int], bytes]:
    return random.Random(20261122).randbytes


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the URL of a server's maintenance database: the operator's own when DATABASE_URL is set, else embedded."""
    if own := os.environ.get("DATABASE_URL"):
        yield own
        return
    with tempfile.TemporaryDirectory(prefix="mizan-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        # A crash of the machine may lose a test's database; nothing else may be lost faster.
        server = EmbeddedPostgres(
            Path(folder) / "data",
            settings={"fsync": "off", "shared_buffers": "128MB", "max_connections": "200", "max_wal_size": "1GB"},
        )
        try:
            yield _database(server.start(), "postgres")
        finally:
            server.stop()


def _database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _administer(url: str, *statements: str) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> str:
    name = f"mizan_template_{os.getpid()}"
    asyncio.run(_administer(postgres_server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"))
    asyncio.run(migrate(_database(postgres_server, name)))
    return name


@pytest_asyncio.fixture
async def database_url(postgres_server: str, template_database: str) -> AsyncIterator[str]:
    """Give the URL of a fresh, migrated database of this test's own, as its owner."""
    name = f"mizan_test_{os.getpid()}_{next(_NUMBERS)}"
    await _administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    yield _database(postgres_server, name)
    await _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool[Any]]:
    """Give a pool as the service has it: under the service's role, which may not touch what is written."""

    async def no_reset(_connection: object) -> None:
        """Leave the connection as it is; the default reset costs a round trip."""

    async with asyncpg.create_pool(
        database_url, min_size=1, max_size=10, reset=no_reset, server_settings={"role": "mizan_service"}
    ) as pool:
        yield pool


@pytest_asyncio.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Give a connection as the owner of the database, past the service's privileges."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
