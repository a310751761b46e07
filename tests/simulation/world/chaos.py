"""What goes wrong and when: kills, outages of PostgreSQL, moods of endpoints, mischief of acquirer and bank."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.postgres_faults import DatabaseFault
from tests.simulation.processes import Process
from tests.simulation.world.departments import Mood

if TYPE_CHECKING:
    from tests.simulation.world.world import World

_DAY_S: Final = 1200.0
_NIGHT_S: Final = 20.0
_SLOW_DISK_S: Final = 90.0
_REFUND_CALLS: Final = ("/refund", "/reversals")


class Chaos:
    """Begins and ends with the rough times of a world. What it began it undoes: endpoints answer, faults cease."""

    def __init__(self, world: World, stream: random.Random) -> None:
        self._world = world
        self._stream = stream
        self._tasks: list[asyncio.Task[None]] = []
        self.on = False

    def begin(self) -> None:
        plan = self._world.plan
        self.on = True
        self._database(plan.database_weights, plan.database_commit_weights)
        self._often(plan.kills, _DAY_S, self._kill)
        self._often(plan.outages, _DAY_S, self._outage)
        self._often(plan.slow_disks, _DAY_S, self._slow_disk)
        self._often(plan.mischief, _DAY_S, self._mischief)
        self._often(len(self._world.departments) if plan.mischief else 0, _DAY_S, self._mood)
        self._world.simulation.network.watch = self._strike if plan.refund_kill_share else None
        if plan.backlog:
            self._world.product.stop_workers()

    def begin_night(self) -> None:
        plan = self._world.plan
        self.on = True
        self._database(plan.database_weights, plan.database_commit_weights)
        self._often(plan.night_kills, _NIGHT_S, self._kill_night)
        self._often(min(plan.outages, 1), _NIGHT_S, self._outage)
        if plan.mischief and self._stream.random() < 0.5:
            self._often(1, 1.0, self._bank_mischief)
        self._often(plan.bank_faults, 1.0, self._bank_mischief)

    async def end(self) -> None:
        """Let things be well again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.on = False
        self._world.simulation.network.watch = None
        self._database({}, {})
        self._world.product.release_workers()
        await self._world.outside.behave()
        for department in self._world.departments.values():
            if department.mood is not Mood.SILENT:
                department.mood = Mood.WELL

    def _database(self, weights: Any, commit_weights: Any) -> None:
        faults = self._world.simulation.postgres.faults
        faults.weights, faults.commit_weights = weights, commit_weights

    def _often(self, times: int, within_s: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for _ in range(times):
            after_s = self._stream.uniform(0, within_s)
            self._tasks.append(self._world.simulation.spawn(None, self._later(after_s, act), act.__name__))

    async def _later(self, after_s: float, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await asyncio.sleep(after_s)
        await act()

    async def _kill(self) -> None:
        alive = [process for process in self._world.product.running.values() if not process.dead]
        if alive:
            # At the start of some step soon, not at the moment the world happens to look.
            process = self._stream.choice(alive)
            process.kill_at_step = process.steps + self._stream.randint(1, 60)

    def _strike(self, process: Process, request: str) -> None:
        """Kill a worker whose refund is on its way, before or after the answer has come."""
        is_refund = request.startswith(("POST", "PUT")) and any(word in request for word in _REFUND_CALLS)
        if (
            is_refund
            and process.host.startswith("worker")
            and self._stream.random() < self._world.plan.refund_kill_share
        ):
            process.kill_at_step = process.steps + self._stream.randint(1, 10)
            self._world.simulation.trace.happened("worker marked for death with a refund under way")

    async def _kill_night(self) -> None:
        nights = [p for name, p in self._world.product.running.items() if name.startswith("night") and not p.dead]
        if nights:
            process = self._stream.choice(nights)
            process.kill_at_step = process.steps + self._stream.randint(1, 200)
            self._world.simulation.trace.happened("night process marked for death")

    async def _outage(self) -> None:
        postgres = self._world.simulation.postgres
        if self._stream.random() < 0.3:
            postgres.terminate_one()
        else:
            postgres.go_down(self._stream.choice((0.5, 3.0, 20.0)))

    async def _slow_disk(self) -> None:
        """Let every COMMIT take seconds for a while, as when a disk is full of other people's writes."""
        plan = self._world.plan
        self._world.simulation.trace.fault("postgres", "disk slow for a while")
        self._database(plan.database_weights, {DatabaseFault.SLOW: 1.0})
        await asyncio.sleep(_SLOW_DISK_S)
        self._database(plan.database_weights, plan.database_commit_weights)

    async def _mischief(self) -> None:
        await self._world.outside.misbehave(self._stream, self._world.plan.callback_share)

    async def _bank_mischief(self) -> None:
        await self._world.outside.misbehave_at_night(self._stream)

    async def _mood(self) -> None:
        department = self._stream.choice(list(self._world.departments.values()))
        if department.mood is not Mood.SILENT:
            department.mood = self._stream.choice([mood for mood in Mood if mood is not Mood.SILENT])
