"""Bugs worth finding, planted one at a time: what a tired engineer might write, and the worlds must notice."""

from __future__ import annotations

from typing import Final

from tests.simulation.mutants_of_counters import OF_COUNTERS
from tests.simulation.mutants_of_days import OF_DAYS
from tests.simulation.mutants_of_nights import OF_NIGHTS
from tests.simulation.mutation import Mutant, plant

MUTANTS: Final[tuple[Mutant, ...]] = (*OF_DAYS, *OF_NIGHTS, *OF_COUNTERS)


def plant_named(name: str) -> None:
    """Plant one mutant, by its number from 1 or by the beginning of its name."""
    chosen = [mutant for number, mutant in enumerate(MUTANTS, 1) if name == str(number) or mutant.name.startswith(name)]
    if len(chosen) != 1:
        raise SystemExit(f"{name!r} names {len(chosen)} mutants")
    plant(chosen[0])
