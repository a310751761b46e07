"""One PostgreSQL for all simulations of a test run, and a way to run a world in it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.simulation.isolation import in_child
from tests.simulation.sample_app import SCHEMA
from tests.simulation.server import Server, running_server
from tests.simulation.simulation import Simulation

_NUMBERS = itertools.count(1)

World = Callable[[Simulation], Coroutine[Any, Any, Any]]
Play = Callable[..., Any]


@pytest.fixture(scope="session")
def simulation_server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def play(simulation_server: Server) -> Play:
    """Run a world's coroutine under a seed, in a child and on an empty database, and return what it returns."""

    def run(world: World, seed: int = 1) -> Any:
        database = f"sample_{os.getpid()}_{next(_NUMBERS)}"
        simulation_server.create(database, migrated=False)

        def work() -> Any:
            simulation = Simulation(seed, simulation_server, database)
            simulation.control.rows(SCHEMA)
            return simulation.run(lambda: world(simulation))

        try:
            return in_child(work)
        finally:
            simulation_server.drop(database)

    return run
