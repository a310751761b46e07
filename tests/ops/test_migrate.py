import asyncio

import asyncpg
import pytest

from ops import migrate as migrations
from ops.migrate import Migration, MigrationError, load, migrate


async def _empty(postgres_server, name):
    connection = await asyncpg.connect(postgres_server)
    await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return postgres_server.replace("/postgres?", f"/{name}?")


async def test_five_migrators_at_once_apply_each_migration_once(postgres_server):
    url = await _empty(postgres_server, "migrate_at_once")
    applied = await asyncio.gather(*(migrate(url) for _ in range(5)))
    assert sorted(len(run) for run in applied) == [0, 0, 0, 0, len(load())]
    assert await migrate(url) == []


async def test_an_edited_migration_is_refused(database_url, monkeypatch):
    known = load()
    first = known[0]
    edited = [Migration(first.version, first.name, first.sql + "-- edited"), *known[1:]]
    monkeypatch.setattr(migrations, "load", lambda: edited)
    with pytest.raises(MigrationError, match="0001_ops was edited"):
        await migrate(database_url)


async def test_a_database_newer_than_the_code_is_refused(database_url, monkeypatch):
    monkeypatch.setattr(migrations, "load", lambda: load()[:0])
    with pytest.raises(MigrationError, match="does not know"):
        await migrate(database_url)
