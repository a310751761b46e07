"""A seed's world from beginning to end: drawn, played, proven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tests.simulation.simulation import START, Simulation
from tests.simulation.world.plan import Plan, Profile, draw_plan
from tests.simulation.world.proofs import books, payments, payouts, promises, walls
from tests.simulation.world.world import World

ALWAYS: Final = (*books.ALWAYS, *payments.ALWAYS, *promises.ALWAYS, *payouts.ALWAYS, *walls.ALWAYS)
AT_THE_END: Final = (*payments.AT_THE_END, *promises.AT_THE_END, *payouts.AT_THE_END, *walls.AT_THE_END)
_LOOK_EVERY_S: Final = 300.0
_LOOK_OFTEN_S: Final = 45.0


def play_seed(simulation: Simulation, *, until_first: bool = False) -> list[str]:
    """Play the world of the simulation's seed and return what was violated; on request only until something was."""
    plan = draw_plan(simulation.chance.stream("plan"))
    return play_plan(simulation, plan, until_first=until_first)


def play_plan(
    simulation: Simulation,
    plan: Plan,
    prepare: Callable[[World], None] | None = None,
    afterwards: Callable[[World], None] | None = None,
    *,
    until_first: bool = False,
) -> list[str]:
    """Play a plan. `prepare` sees the world before it begins, `afterwards` when it is over."""
    simulation.begin_at(plan.start)
    simulation.trace.add("world", "plan", str(plan))
    simulation.trace.happened(f"world: {plan.profile}")
    for name in plan.providers:
        simulation.trace.happened(f"provider takes part: {name}")
    world: World | None = None

    async def main() -> list[str]:
        nonlocal world
        world = World(simulation, plan)
        if prepare is not None:
            prepare(world)
        looking = simulation.spawn(None, _look(world), "proofs")
        await (_until_first(world) if until_first else world.play())
        looking.cancel()
        if not (until_first and world.violations):
            prove(world, ALWAYS)
            prove(world, AT_THE_END)
        if afterwards is not None:
            afterwards(world)
        return world.violations

    try:
        return simulation.run(main)
    finally:
        if world is not None:
            world.outside.remove_books()


async def _until_first(world: World) -> None:
    """Play until the end, or until something is violated: a hunt for a planted bug needs no more."""
    playing, noticed = (asyncio.ensure_future(each) for each in (world.play(), world.noticed.wait()))
    await asyncio.wait({playing, noticed}, return_when=asyncio.FIRST_COMPLETED)
    if playing.done():
        playing.result()


async def _look(world: World) -> None:
    """Prove again and again, while everything is under way, what must hold at every instant."""
    await asyncio.sleep(10)
    while True:
        prove(world, ALWAYS)
        often_s = _LOOK_OFTEN_S if world.plan.profile is Profile.CALLBACKS else _LOOK_EVERY_S
        await asyncio.sleep(often_s if world.chaos.on else _LOOK_EVERY_S * 12)


def prove(world: World, proofs: tuple[Callable[[World], list[str]], ...]) -> None:
    for proof in proofs:
        for sentence in proof(world):
            world.note(f"{proof.__name__}: {sentence}")


__all__ = ["ALWAYS", "AT_THE_END", "START", "play_plan", "play_seed", "prove"]
