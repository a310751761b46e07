"""Death of a process: nothing of it runs again, its transaction is gone, and a new one takes over."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientSession

from tests.simulation.conftest import Play
from tests.simulation.sample_app import add_one, ask, connect, start
from tests.simulation.simulation import Simulation


def test_no_finally_runs(play: Play) -> None:
    async def world(simulation: Simulation) -> list[str]:
        ran: list[str] = []

        async def work() -> None:
            try:
                ran.append("begun")
                await asyncio.sleep(10)
                ran.append("woken")
            except BaseException:
                ran.append("except")
                raise
            finally:
                ran.append("finally")

        process = simulation.process("worker")
        simulation.spawn(process, work(), "work")
        await asyncio.sleep(1)
        simulation.kill(process)
        await asyncio.sleep(100)
        return ran

    assert play(world) == ["begun"]


def test_its_transaction_is_rolled_back_and_its_locks_are_free(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        async def hold() -> None:
            pool = await connect(simulation)
            async with pool.acquire() as connection:
                await add_one(connection, "a", pause_s=1000)

        process = simulation.process("worker")
        simulation.spawn(process, hold(), "hold")
        await asyncio.sleep(5)
        pool = await connect(simulation)
        async with pool.acquire() as connection:
            waiting = asyncio.ensure_future(add_one(connection, "a"))
            await asyncio.sleep(5)
            was_waiting = not waiting.done()
            simulation.kill(process)
            return was_waiting, await waiting

    assert play(world) == (True, 1)


def test_the_other_side_hears_a_reset_or_nothing(play: Play) -> None:
    async def world(simulation: Simulation) -> object:
        process = start(simulation, pause_s=60)
        await asyncio.sleep(1)
        async with ClientSession() as session:
            asked = asyncio.ensure_future(ask(session, timeout_s=20))
            await asyncio.sleep(3)
            simulation.kill(process)
            return await asked

    seen = {play(world, seed=seed) for seed in range(1, 13)}
    assert seen == {"ClientOSError", "TimeoutError"}


def test_at_every_step_of_a_request_the_answer_is_kept_or_never_given(play: Play) -> None:
    """The harness's own kill sweep: an acknowledged count is stored, whichever step was the last."""

    def world_with(kill_at_step: int | None) -> Any:
        async def world(simulation: Simulation) -> Any:
            process = start(simulation)
            await asyncio.sleep(1)
            before = process.steps
            if kill_at_step is not None:
                process.kill_at_step = before + kill_at_step
            async with ClientSession() as session:
                first = await ask(session)
                steps = process.steps - before
                if process.dead:
                    start(simulation)
                    await asyncio.sleep(1)
                second = await ask(session, "b")
            stored = simulation.control.value("SELECT value FROM counter WHERE name = 'a'")
            return steps, first, second, stored

        return world

    steps, *_ = play(world_with(None))
    assert steps > 5
    for step in range(1, steps + 1):
        _, first, second, stored = play(world_with(step), seed=step)
        assert second == 1, step
        assert stored == 1 if first == 1 else stored in (None, 1), step


def test_a_kill_with_commit_under_way_goes_either_way(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        async def work() -> None:
            pool = await connect(simulation)
            async with pool.acquire() as connection:
                await add_one(connection, "a")

        process = simulation.process("worker")
        simulation.spawn(process, work(), "work")
        while not any(b"COMMIT" in bytes(link._unsent) for link in simulation.postgres.links):  # noqa: ASYNC110 - watching from outside
            await asyncio.sleep(0.0001)
        simulation.kill(process)
        return simulation.control.value("SELECT count(*) FROM counter")

    assert {play(world, seed=seed) for seed in range(1, 9)} == {0, 1}
