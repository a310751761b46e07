"""Worlds that `make test` plays: a hundred new seeds, all that ever failed, a sample of kill points, one planted bug.

Each state of the code has seeds of its own, so that the same code is never judged twice by different worlds; a failure
prints the command that plays it again. The long forms are `make simulate seeds=5000`, `make sweep every=1` and
`make mutants`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.expected import EXPECTED_OF_HALF, WORLDS, never_met
from tests.simulation.mutants import MUTANTS
from tests.simulation.outcome import Tally
from tests.simulation.runner import regressions, run_many
from tests.simulation.server import Server
from tests.simulation.sweep import count_steps, sweep, worlds
from tests.simulation.world.scenario import play_seed

ROOT: Final = Path(__file__).parents[2]
SEEDS: Final = int(os.environ.get("MIZAN_SIMULATION_SEEDS", "100"))
KILL_EVERY: Final = int(os.environ.get("MIZAN_SIMULATION_KILL_EVERY", "8"))
_NEW_FROM: Final = 1_000_000  # below are the seeds people play by hand


def _first_seed() -> int:
    """Return where the new seeds begin: elsewhere after each change of the code, the same wherever that code is."""
    if chosen := os.environ.get("MIZAN_SIMULATION_FROM"):
        return int(chosen)
    asked = ["git", "rev-parse", "HEAD^{tree}"]
    tree = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).stdout
    return _NEW_FROM + zlib.crc32(tree) % 1_000_000 * 1_000


FIRST: Final = _first_seed()

pytestmark = [pytest.mark.timeout(5400), pytest.mark.xdist_group("simulation")]


def _said(tally: Tally) -> str:
    return "\n".join(
        f"{violation}\n  replay: make simulate seed={outcome.seed}"
        for outcome in tally.failed
        for violation in outcome.violations
    )


def test_worlds_hold(simulation_server: Server) -> None:
    tally = Tally()
    seeds = [*regressions(), *range(FIRST, FIRST + SEEDS)]
    for outcome in run_many(simulation_server, ((seed, play_seed) for seed in seeds)):
        tally.add(outcome)
    assert not tally.failed, _said(tally)
    if SEEDS >= WORLDS // 2:
        assert never_met(tally, EXPECTED_OF_HALF) == [], f"seeds {FIRST} to {FIRST + SEEDS - 1}"


def test_the_same_seed_is_the_same_day(simulation_server: Server) -> None:
    digests = {outcome.digest for outcome in run_many(simulation_server, [(3, play_seed), (3, play_seed)])}
    assert len(digests) == 1


def test_a_kill_at_any_await_loses_nothing(simulation_server: Server) -> None:
    first = FIRST % KILL_EVERY
    parts = worlds(count_steps(simulation_server), every=KILL_EVERY, first=first)
    failed = [
        f"{outcome.violations}\n  replay: make sweep every={KILL_EVERY} from={first} seed={outcome.seed}"
        for outcome in sweep(simulation_server, parts)
        if outcome.violations
    ]
    assert not failed, "\n".join(failed)


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
