"""The bridge to PostgreSQL: unmodified asyncpg, real locks, and connections lost around COMMIT."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.simulation.conftest import Play
from tests.simulation.postgres_faults import DatabaseFault
from tests.simulation.sample_app import add_one, connect
from tests.simulation.simulation import Simulation

LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)


def test_two_tasks_wait_for_one_row(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)

        async def add() -> int:
            async with pool.acquire() as connection:
                return await add_one(connection, "a", pause_s=1)

        values = await asyncio.gather(*(add() for _ in range(3)))
        return sorted(values), simulation.trace.sometimes["waited for a row lock"] >= 2, simulation.loop.time() > 3

    assert play(world) == ([1, 2, 3], True, True)


@pytest.mark.parametrize(
    ("fault", "lost", "stored"),
    [(DatabaseFault.LOST_BEFORE, True, 0), (DatabaseFault.REPLY_LOST, True, 1), (DatabaseFault.LOST_AFTER, False, 1)],
)
def test_a_connection_is_lost_around_commit(fault: DatabaseFault, lost: bool, stored: int, play: Play) -> None:  # noqa: FBT001 - one row of a table
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        simulation.postgres.faults.plan("COMMIT", fault)
        try:
            async with pool.acquire() as connection:
                await add_one(connection, "a")
            was_lost = False
        except LOST:
            was_lost = True
        await asyncio.sleep(1)
        after = simulation.control.value("SELECT coalesce(sum(value), 0)::bigint FROM counter")
        async with pool.acquire() as connection:
            await add_one(connection, "b")  # the pool has healed
        return was_lost, after, simulation.trace.sometimes[f"{fault} COMMIT"]

    assert play(world) == (lost, stored, 1)


def test_a_deadlock_has_one_victim(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        simulation.control.rows("INSERT INTO counter VALUES ('a', 0), ('b', 0)")

        async def both(first: str, second: str) -> str:
            try:
                async with pool.acquire() as connection, connection.transaction():
                    for name in (first, second):
                        await connection.execute("UPDATE counter SET value = value + 1 WHERE name = $1", name)
                        await asyncio.sleep(1)
            except asyncpg.DeadlockDetectedError:
                return "deadlock"
            return "done"

        outcome = sorted(await asyncio.gather(both("a", "b"), both("b", "a")))
        return outcome, [code for _, code in simulation.postgres.errors_seen]

    assert play(world) == (["deadlock", "done"], ["40P01"])


def test_a_wait_can_be_given_up(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        simulation.control.rows("INSERT INTO counter VALUES ('a', 0)")
        async with pool.acquire() as holder, pool.acquire() as waiter, holder.transaction():
            await holder.execute("UPDATE counter SET value = 1")
            with pytest.raises(TimeoutError):
                await waiter.execute("UPDATE counter SET value = 2", timeout=3)
            await asyncio.sleep(1)  # asyncpg asks for the cancellation after it has given up
        return simulation.control.value("SELECT value FROM counter"), simulation.loop.time() > 3

    assert play(world) == (1, True)


def test_postgresql_is_down_for_a_while(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        simulation.postgres.go_down(10)
        seen = []
        while True:
            try:
                async with pool.acquire() as connection:
                    await add_one(connection, "a")
                break
            except LOST as error:
                seen.append(type(error).__name__)
                await asyncio.sleep(1)
        return len(seen) >= 9, simulation.control.value("SELECT value FROM counter")

    assert play(world) == (True, 1)


def test_one_backend_is_terminated(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        async with pool.acquire() as connection:
            simulation.postgres.terminate_one()
            with pytest.raises(LOST):
                await connection.execute("SELECT 1")
        async with pool.acquire() as connection:
            return await connection.fetchval("SELECT 1")

    assert play(world) == 1


def test_cursors_and_copies_pass(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        pool = await connect(simulation)
        async with pool.acquire() as connection, connection.transaction():
            rows = [(f"n{number:03}", number) for number in range(300)]
            await connection.copy_records_to_table("counter", records=rows)
            cursor = connection.cursor("SELECT value FROM counter ORDER BY name", prefetch=50)
            read = [row["value"] async for row in cursor]
            await connection.executemany("UPDATE counter SET value = $2 WHERE name = $1", rows[:20])
            with pytest.raises(asyncpg.PostgresError):
                async with connection.transaction():
                    await connection.execute("SELECT 1 / 0")
            return read == list(range(300)), await connection.fetchval("SELECT count(*) FROM counter")

    assert play(world) == (True, 300)


def test_a_statement_too_wrong_to_prepare_is_an_error(play: Play) -> None:
    async def world(simulation: Simulation) -> str:
        pool = await connect(simulation)
        async with pool.acquire() as connection:
            with pytest.raises(asyncpg.UndefinedTableError):
                await connection.fetch("SELECT * FROM nowhere WHERE a = $1", 1)
            return str(await connection.fetchval("SELECT 'ok'"))

    assert play(world) == "ok"
