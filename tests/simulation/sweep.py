"""A kill at every await: the same small world again and again, each time with one process dead one step later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from tests.simulation.isolation import in_child
from tests.simulation.runner import Scenario, run_many
from tests.simulation.server import Server
from tests.simulation.simulation import Simulation
from tests.simulation.world.plan import Plan
from tests.simulation.world.scenario import play_plan
from tests.simulation.world.world import World

PLAN: Final = Plan(departments=2, nights=3, skew_s_max=0.0, processes=1, scripted=True)

# The processes of the scripted world: what a payment and a refund go through, and the nights that settle and pay out.
SWEPT: Final = ("web-1", "worker-1", "night-1", "night-1#2", "night-1#3")
_SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Swept:
    """One kill point and what it led to."""

    process: str
    step: int
    violations: tuple[str, ...]


def count_steps(server: Server) -> dict[str, int]:
    """Play the scripted world without a kill; return how many steps each process took while there was work."""

    def work() -> dict[str, int]:
        simulation = Simulation(_SEED, server, "sweep_rehearsal")
        counted: dict[str, int] = {}

        def prepare(world: World) -> None:
            world.when_evening = lambda: counted.update({n: p.steps for n, p in world.product.running.items()})

        violations = play_plan(simulation, PLAN, prepare, lambda world: counted.update(world.product.steps))
        if violations:
            raise AssertionError(f"the scripted world fails without a kill: {violations}")
        return {name: counted[name] for name in SWEPT}

    server.create("sweep_rehearsal")
    try:
        return in_child(work, timeout_s=300)
    finally:
        server.drop("sweep_rehearsal")


def kill_points(steps: dict[str, int], *, every: int = 1, offset: int = 0) -> list[tuple[str, int]]:
    """List the kill points, or an even sample of them."""
    points = [(name, step) for name in SWEPT for step in range(1, steps[name] + 1)]
    return points[offset % every :: every]


def sweep(server: Server, points: list[tuple[str, int]], *, at_once: int = 2) -> Iterator[Swept]:
    """Play each kill point and yield what it led to."""

    def scenario(point: tuple[str, int]) -> Scenario:
        return partial(play_plan, plan=replace(PLAN, kill_at=point))

    by_number = dict(enumerate(points))
    # The seed stays the same in every world; the runner's key tells the points apart.
    jobs = ((number, scenario(point)) for number, point in by_number.items())
    for outcome in run_many(server, jobs, at_once=at_once, world_seed=_SEED):
        process, step = by_number[outcome.seed]
        yield Swept(process, step, outcome.violations)
