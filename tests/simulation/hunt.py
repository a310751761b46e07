"""`python -m tests.simulation.hunt`: plant each mutant in turn and let worlds look for it; fails below nine in ten."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Final

import click

from tests.simulation.mutants import MUTANTS

_CAUGHT_SHARE_MIN: Final = 0.9
_HUNT_S_MAX: Final = 3600


def hunt(number: int, seeds: int, first: int) -> str:
    """Return the first line with which a world noticed the mutant, or nothing."""
    words = [f"mutant={number}", f"seeds={seeds}", f"from={first}", "until=first"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=_HUNT_S_MAX,
    )
    if done.returncode == 0:
        return ""
    found = [line for line in done.stdout.splitlines() if line.startswith("seed ")]
    if not found:
        raise RuntimeError(f"mutant {number} could not be hunted: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return found[0]


def main(arguments: list[str]) -> int:
    """Hunt all mutants, or those whose numbers are given (`only=3,4`)."""
    words = {"seeds": "200", "from": "1", "only": ""}
    words.update(argument.split("=", 1) for argument in arguments)  # type: ignore[misc]
    chosen = [int(number) for number in words["only"].split(",") if number] or list(range(1, len(MUTANTS) + 1))
    caught = 0
    for number in chosen:
        started_s = time.monotonic()
        found = hunt(number, int(words["seeds"]), int(words["from"]))
        caught += bool(found)
        verdict = f"caught: {found[:150]}" if found else "NOT CAUGHT"
        click.echo(f"{number:>2} {MUTANTS[number - 1].name}\n   {verdict} ({time.monotonic() - started_s:.0f} s)")
    click.echo(f"{caught} of {len(chosen)} mutants caught")
    return 0 if caught >= _CAUGHT_SHARE_MIN * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
