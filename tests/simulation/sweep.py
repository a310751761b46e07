"""A kill at every await. One world plays the same day many times over, with one process killed a step later each day.

Kills of one world do not meet: the web process dies in the first payment of a day, the worker in the second, the night
in the night, and all are alive and at rest again before the next one dies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.simulation.isolation import in_child
from tests.simulation.outcome import Outcome
from tests.simulation.runner import Scenario, run_many
from tests.simulation.server import Server
from tests.simulation.simulation import Simulation
from tests.simulation.warmth import keep_warm, warm_up
from tests.simulation.world.plan import Plan, ScriptedDay
from tests.simulation.world.scenario import play_plan

DAYS: Final = 10
_NIGHTS_AFTER: Final = 2  # so that what was paid on the last day is settled, stated and paid out
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Steps:
    """How many steps each process takes in its part of a day: each is an await at which it can be killed."""

    web: int
    worker: int
    night: int

    @property
    def total(self) -> int:
        return self.web + self.worker + self.night

    @property
    def longest(self) -> int:
        return max(self.web, self.worker, self.night)

    def day(self, step: int) -> ScriptedDay:
        """Return the day on which every process that has so many steps dies at this one."""
        return ScriptedDay(
            web=step if step <= self.web else None,
            worker=step if step <= self.worker else None,
            night=step if step <= self.night else None,
        )

    def kills(self, days: tuple[ScriptedDay, ...]) -> int:
        return sum((day.web is not None) + (day.worker is not None) + (day.night is not None) for day in days)


def plan_of(days: tuple[ScriptedDay, ...]) -> Plan:
    return Plan(
        departments=2, skew_s_max=0.0, processes=1, active_days=len(days), nights=len(days) + _NIGHTS_AFTER, script=days
    )


def count_steps(server: Server) -> Steps:
    """Play some scripted days without a kill; return how many steps each process took in its part."""
    days = (ScriptedDay(),) * 4

    warm_up()

    def work() -> dict[str, int]:
        keep_warm()
        simulation = Simulation(_SEED, server, "sweep_rehearsal")
        counted: dict[str, int] = {}
        violations = play_plan(
            simulation, plan_of(days), None, lambda world: counted.update(world.product.steps_of_script)
        )
        if violations:
            raise AssertionError(f"the scripted world fails without a kill: {violations}")
        return counted

    server.create("sweep_rehearsal")
    try:
        counted = in_child(work, timeout_s=300)
    finally:
        server.drop("sweep_rehearsal")
    return Steps(counted["web-1"], counted["worker-1"], counted["night-1"])


def worlds(steps: Steps, *, every: int = 1, first: int = 1) -> list[tuple[int, tuple[ScriptedDay, ...]]]:
    """Share the kill points out over worlds; each is named by the step of its first day. A sample is spread evenly."""
    chosen = range(1 + first % every, steps.longest + 1, every)
    parts = [chosen[start : start + DAYS] for start in range(0, len(chosen), DAYS)]
    return [(part[0], tuple(steps.day(step) for step in part)) for part in parts]


def sweep(
    server: Server, parts: list[tuple[int, tuple[ScriptedDay, ...]]], *, at_once: int = 2, keep_trace: bool = False
) -> Iterator[Outcome]:
    """Play each world and yield what it came to, under the step of its first day."""

    def scenario(days: tuple[ScriptedDay, ...]) -> Scenario:
        return partial(play_plan, plan=plan_of(days))

    jobs = ((number, scenario(days)) for number, days in parts)
    return run_many(server, jobs, at_once=at_once, world_seed=_SEED, keep_trace=keep_trace)
