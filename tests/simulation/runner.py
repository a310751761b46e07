"""Runs many worlds, a few at once, each in a child and on a database of its own."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from tests.simulation.isolation import in_children
from tests.simulation.outcome import Outcome
from tests.simulation.postgres_control import ControlError
from tests.simulation.server import Server
from tests.simulation.simulation import Simulation
from tests.simulation.warmth import keep_warm, warm_up

REGRESSIONS: Final = Path(__file__).with_name("regressions.txt")
WORLD_S_MAX: Final = 3600.0  # against worlds that hang; a crowded machine plays one for many minutes

# A scenario plays one world and returns what was violated.
Scenario = Callable[[Simulation], list[str]]
_real_monotonic = time.monotonic


def play(
    server: Server,
    database: str,
    scenario: Scenario,
    seed: int,
    *,
    keep_trace: bool = False,
    world_seed: int | None = None,
) -> Outcome:
    """Play one world. Call it in a child: nothing is cleaned up."""
    started_s = _real_monotonic()
    keep_warm()
    simulation = Simulation(seed if world_seed is None else world_seed, server, database, keep_trace=keep_trace)
    violations = scenario(simulation)
    story = simulation.trace.readable() if keep_trace or violations else []
    return Outcome(
        seed=seed,
        violations=tuple(violations),
        digest=simulation.trace.digest,
        sometimes=simulation.trace.sometimes,
        virtual_s=simulation.loop.time(),
        steps=simulation.trace.steps,
        real_s=_real_monotonic() - started_s,
        story=tuple(story),
    )


def run_many(
    server: Server,
    jobs: Iterable[tuple[int, Scenario]],
    *,
    at_once: int = 2,
    keep_trace: bool = False,
    world_seed: int | None = None,
    timeout_s: float = WORLD_S_MAX,
) -> Iterator[Outcome]:
    """Play worlds given as (seed, scenario) and yield each outcome as it comes. A crash of the world is a violation.

    With `world_seed` all have that one seed, and the first of the pair only tells them apart.
    """

    warm_up()

    def prepared() -> Iterator[tuple[tuple[int, str], Callable[[], Outcome]]]:
        for number, (seed, scenario) in enumerate(jobs):
            database = f"world_{os.getpid()}_{number}"
            server.create(database)
            world = partial(play, server, database, scenario, seed, keep_trace=keep_trace, world_seed=world_seed)
            yield (seed, database), world

    for (seed, database), ended in in_children(prepared(), at_once=at_once, timeout_s=timeout_s):
        with suppress(ControlError):
            server.drop(database)
        if ended.value is not None:
            yield ended.value
        else:
            failure = ended.failure.strip()
            yield Outcome(seed, (f"the world itself failed: {failure[-3000:]}",), "", Counter(), 0.0, 0, 0.0)


def regressions() -> list[int]:
    """Return the seeds that once failed; each is played again for ever."""
    lines = REGRESSIONS.read_text("utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]
