"""The simulated loop: virtual time, seeded order, and the same world again for the same seed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.simulation.conftest import Play
from tests.simulation.isolation import ChildFailedError
from tests.simulation.network_faults import NetworkFault
from tests.simulation.postgres_faults import DatabaseFault
from tests.simulation.sample_app import ask, start
from tests.simulation.simulation import Simulation

ROOT = Path(__file__).parents[2]


async def busy(simulation: Simulation) -> tuple[str, list[object]]:
    """A little of everything: two servers, four callers, faults, a kill."""
    first, _ = start(simulation, "app"), start(simulation, "other", pause_s=0.01)
    simulation.network.faults.weights = lambda _route: dict.fromkeys(NetworkFault, 0.01)
    simulation.postgres.faults.weights = dict.fromkeys(DatabaseFault, 0.01)
    simulation.postgres.faults.commit_weights = dict.fromkeys(DatabaseFault, 0.05)
    answers: list[object] = []

    async def call(number: int) -> None:
        async with ClientSession() as session:
            for turn in range(5):
                answers.append(await ask(session, f"c{number % 2}", host=("app", "other")[(number + turn) % 2]))
                await asyncio.sleep(0.1 * number)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(call(number))
        await asyncio.sleep(1)
        simulation.kill(first)
        start(simulation, "app")
    return simulation.trace.digest, answers


def test_the_same_seed_is_the_same_world(play: Play) -> None:
    first, again, other = play(busy, seed=5), play(busy, seed=5), play(busy, seed=6)
    assert first == again
    assert first[0] != other[0]


def test_the_order_of_hashes_changes_nothing() -> None:
    code = (
        "from tests.simulation.conftest import *; from tests.simulation.test_harness_time import busy\n"
        "with running_server() as server:\n"
        "    server.create('one', migrated=False)\n"
        "    def work():\n"
        "        simulation = Simulation(7, server, 'one'); simulation.control.rows(SCHEMA)\n"
        "        return simulation.run(lambda: busy(simulation))\n"
        "    print(in_child(work))\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "77")
    }
    assert len(printed) == 1


def test_a_day_passes_at_once(play: Play) -> None:
    async def world(simulation: Simulation) -> tuple[float, str]:
        await asyncio.sleep(86400)
        return simulation.loop.time(), simulation.clock().isoformat()

    started = time.monotonic()
    assert play(world) == (86400.0, "2026-11-23T04:00:00+00:00")
    assert time.monotonic() - started < 5


def test_only_the_order_of_tasks_is_shuffled(play: Play) -> None:
    async def world(simulation: Simulation) -> tuple[list[int], list[int]]:
        tasks: list[int] = []
        callbacks: list[int] = []

        async def step(number: int) -> None:
            tasks.append(number)

        for number in range(6):
            simulation.loop.call_soon(callbacks.append, number)
        await asyncio.gather(*(step(number) for number in range(6)))
        return tasks, callbacks

    orders = [play(world, seed=seed) for seed in range(1, 5)]
    assert len({tuple(tasks) for tasks, _ in orders}) > 1
    assert all(callbacks == sorted(callbacks) for _, callbacks in orders)


def test_a_world_where_nothing_can_happen_says_so(play: Play) -> None:
    async def world(_simulation: Simulation) -> None:
        await asyncio.Event().wait()

    with pytest.raises(ChildFailedError, match="nothing can happen any more"):
        play(world)


def test_each_process_keeps_its_own_clock(play: Play) -> None:
    async def world(simulation: Simulation) -> Any:
        fast = simulation.process("fast", skew_s=90)
        seen: list[float] = []

        async def look() -> None:
            seen.append(time.time() - simulation.clock().timestamp())

        await simulation.spawn(fast, look(), "look")
        return (simulation.clock.of(fast)() - simulation.clock()).total_seconds(), seen

    assert play(world) == (90.0, [90.0])


def test_threads_are_run_inline(play: Play) -> None:
    async def world(_simulation: Simulation) -> int:
        return await asyncio.to_thread(sum, [1, 2, 3])

    assert play(world) == 6


def test_what_is_not_simulated_is_refused(play: Play) -> None:
    async def world(_simulation: Simulation) -> None:
        await asyncio.create_subprocess_exec("true")

    with pytest.raises(ChildFailedError, match="NotSimulatedError"):
        play(world)
