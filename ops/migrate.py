"""Forward-only migrations: numbered SQL files, applied in order, each in its own transaction, under one lock."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import asyncpg

_LOCK: Final = 0x6D697A616E
_CONNECT_TRIES: Final = 60
_CONNECT_PAUSE_S: Final = 0.5
_CONNECT_TIMEOUT_S: Final = 5.0
_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LEDGER_OF_MIGRATIONS: Final = """
CREATE TABLE IF NOT EXISTS public.schema_migration (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  sha256     text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)"""


class MigrationError(RuntimeError):
    """The migrations on disk and those in the database do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load() -> list[Migration]:
    """Read the migrations shipped with the package, in order; no number is used twice."""
    folder = files("ops").joinpath("migrations")
    names = [(path, match) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    found = [Migration(int(match[1]), match[2], path.read_text("utf-8")) for path, match in names]
    found.sort(key=lambda migration: migration.version)
    numbers = [migration.version for migration in found]
    if len(set(numbers)) != len(numbers):
        raise MigrationError("two migrations have the same number")
    return found


async def _connect(url: str) -> asyncpg.Connection[Any]:
    """Connect, and wait a while for a server that is only starting: after a crash everything starts at once."""
    tries = _CONNECT_TRIES
    while True:
        try:
            return await asyncpg.connect(url, statement_cache_size=0, timeout=_CONNECT_TIMEOUT_S)
        except socket.gaierror as error:
            raise MigrationError(f"the database's host cannot be found: {error}") from None
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
            tries -= 1
            if not tries:
                raise MigrationError(f"the database cannot be reached: {error}") from None
            await asyncio.sleep(_CONNECT_PAUSE_S)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise MigrationError(f"the database cannot be used: {error}") from None


async def migrate(url: str) -> list[Migration]:
    """Apply what is missing and return it. Safe to run from several processes at once and while others serve."""
    connection = await _connect(url)
    try:
        # A blocking lock would hold a snapshot and deadlock with CREATE INDEX CONCURRENTLY, so it is polled.
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.1)
        await connection.execute(_LEDGER_OF_MIGRATIONS)
        have = {
            row["version"]: row["sha256"] for row in await connection.fetch("SELECT * FROM public.schema_migration")
        }
        known = load()
        if newer := sorted(set(have) - {migration.version for migration in known}):
            raise MigrationError(f"the database has migrations this release does not know: {newer}")
        applied = []
        for migration in known:
            if migration.version in have:
                if have[migration.version] != migration.sha256:
                    raise MigrationError(f"migration {migration.version:04d}_{migration.name} was edited after it ran")
                continue
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '5s'")
                try:
                    await connection.execute(migration.sql)
                except asyncpg.InsufficientPrivilegeError as error:
                    raise MigrationError(f"{error}. {error.hint or ''}".strip()) from None
                await connection.execute(
                    "INSERT INTO public.schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
                    migration.version,
                    migration.name,
                    migration.sha256,
                )
            applied.append(migration)
        return applied
    finally:
        await connection.close()
