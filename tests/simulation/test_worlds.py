"""Worlds that `make test` plays: some seeds, all that ever failed, a sample of kill points, and one planted bug.

The long forms are commands: `make simulate seeds=5000`, `python -m tests.simulation sweep=yes`, `make mutants`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.outcome import Tally
from tests.simulation.runner import regressions, run_many
from tests.simulation.server import Server
from tests.simulation.sweep import count_steps, kill_points, sweep
from tests.simulation.world.scenario import play_seed

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = int(os.environ.get("MIZAN_SIMULATION_SEEDS", "12"))
FIRST: Final = int(os.environ.get("MIZAN_SIMULATION_FROM", "1"))
KILLS: Final = 12

# Every run of a dozen worlds meets these, whatever the seeds; without them its green would be hollow.
ALWAYS_MET: Final = (
    "process killed",
    "a second night stood back",
    "database connection lost, executed, reply lost COMMIT",
    "database connection lost before COMMIT",
    "request duplicated",
    "waited for a row lock",
    "department sent a request twice at once",
)

pytestmark = [pytest.mark.timeout(1800), pytest.mark.xdist_group("simulation")]


def _said(tally: Tally) -> str:
    return "\n".join(
        f"{violation}\n  replay: make simulate seed={outcome.seed}"
        for outcome in tally.failed
        for violation in outcome.violations
    )


def test_worlds_hold(simulation_server: Server) -> None:
    tally = Tally()
    seeds = sorted({*range(FIRST, FIRST + SEEDS), *regressions()})
    for outcome in run_many(simulation_server, ((seed, play_seed) for seed in seeds)):
        tally.add(outcome)
    assert not tally.failed, _said(tally)
    assert [name for name in ALWAYS_MET if not tally.sometimes[name]] == []


def test_the_same_seed_is_the_same_day(simulation_server: Server) -> None:
    digests = {outcome.digest for outcome in run_many(simulation_server, [(3, play_seed), (3, play_seed)])}
    assert len(digests) == 1


def test_a_kill_at_any_await_loses_nothing(simulation_server: Server) -> None:
    steps = count_steps(simulation_server)
    points = kill_points(steps, every=max(1, sum(steps.values()) // KILLS), offset=FIRST)
    failed = [swept for swept in sweep(simulation_server, points) if swept.violations]
    assert failed == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_planted_bug_still_fits_the_code(mutant: object) -> None:
    mutant.check()  # type: ignore[attr-defined]


def test_a_planted_bug_is_noticed() -> None:
    number = next(n for n, each in enumerate(MUTANTS, 1) if each.name.startswith("a payment taken over without"))
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", f"mutant={number}", "seeds=10", "until=first"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "replay: make simulate seed=" in done.stdout
