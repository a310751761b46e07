"""`python -m tests.simulation.hunt`: plant each mutant in turn and let worlds look for it; fails below nine in ten.

The worlds are those of `make simulate seeds=200 from=1`. Of those the likely ones go first, by what their plan presses
on; a mutant is caught when one of them fails, and the rest are not played.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

import click

from tests.simulation.chance import Chance
from tests.simulation.mutants import MUTANTS
from tests.simulation.mutation import Mutant
from tests.simulation.server import Server, running_server
from tests.simulation.world.plan import Profile, draw_plan

_CAUGHT_SHARE_MIN: Final = 0.9
_HUNT_S_MAX: Final = 7200
_LIKELY_MAX: Final = 16
_CRASHED: Final = "the world itself failed"
_WORDS: Final = {"seeds": "200", "from": "1", "only": "", "at_once": "2"}


@dataclass(frozen=True, slots=True)
class Hunted:
    """How the hunt for one mutant ended. `sentence` is what the first world said that noticed it, or empty."""

    number: int
    sentence: str
    worlds: int
    took_s: float


def order_of(mutant: Mutant, profiles: Mapping[int, Profile]) -> list[int]:
    """Return all seeds, likely ones first: in turn of the mutant's profiles, then one of each other, then the rest."""
    by_profile = {profile: [seed for seed in profiles if profiles[seed] is profile] for profile in Profile}
    likely = [by_profile[profile] for profile in mutant.likely]
    turns = [seeds[turn] for turn in range(_LIKELY_MAX) for seeds in likely if turn < len(seeds)]
    others = [seed for seed in profiles if seed not in set(turns)]
    return [*turns, *others]


def hunt(number: int, seeds: Sequence[int], server: Server) -> Hunted:
    """Plant one mutant in a process of its own, and play seeds until one notices."""
    started_s = time.monotonic()
    words = [f"mutant={number}", f"order={','.join(map(str, seeds))}", "until=first", "at_once=1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *words, f"server={server.url} {server.socket_path}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_HUNT_S_MAX,
    )
    took_s = time.monotonic() - started_s
    if done.returncode == 0:
        return Hunted(number, "", len(seeds), took_s)
    found = [line for line in done.stdout.splitlines() if line.startswith("seed ")]
    if not found or _CRASHED in found[0]:  # a world that cannot even be played has found nothing
        raise RuntimeError(f"mutant {number} could not be hunted: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return Hunted(number, found[0], seeds.index(int(found[0].split()[1].rstrip(":"))) + 1, took_s)


def hunt_all(numbers: Sequence[int], profiles: Mapping[int, Profile], *, at_once: int) -> Iterator[Hunted]:
    """Hunt several at once, and yield each as its hunt ends."""
    with running_server() as server, ThreadPoolExecutor(at_once) as hunters:
        hunts = [hunters.submit(hunt, number, order_of(MUTANTS[number - 1], profiles), server) for number in numbers]
        for hunted in as_completed(hunts):
            yield hunted.result()


def main(arguments: list[str]) -> int:
    """Hunt all mutants, or those whose numbers are given (`only=3,4`)."""
    words = {**_WORDS, **dict(argument.split("=", 1) for argument in arguments)}
    first, count = int(words["from"]), int(words["seeds"])
    profiles = {seed: draw_plan(Chance(seed).stream("plan")).profile for seed in range(first, first + count)}
    chosen = [int(number) for number in words["only"].split(",") if number] or list(range(1, len(MUTANTS) + 1))
    caught = 0
    for hunted in hunt_all(chosen, profiles, at_once=int(words["at_once"])):
        caught += bool(hunted.sentence)
        verdict = f"caught by {hunted.sentence[:150]}" if hunted.sentence else "NOT CAUGHT"
        click.echo(f"{hunted.number:>2} {MUTANTS[hunted.number - 1].name}")
        click.echo(f"   {verdict} (worlds: {hunted.worlds}, {hunted.took_s:.0f} s)")
    click.echo(f"{caught} of {len(chosen)} mutants caught")
    return 0 if caught >= _CAUGHT_SHARE_MIN * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
