"""`python -m tests.simulation seeds=200 from=1`, `seed=7` to replay one, `quiet=no` for every step of it."""

from __future__ import annotations

import sys
import time
from typing import Final

_WORDS: Final = {"seeds": "200", "from": "1", "seed": "", "at_once": "2", "quiet": "yes", "mutant": "", "until": "end"}


def main(arguments: list[str]) -> int:
    words = dict(_WORDS)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in words:
            print(f"{argument!r}: the words are {', '.join(f'{word}=' for word in words)}")
            return 2
        words[name] = value
    if words["mutant"]:
        from tests.simulation.mutants import plant_named

        plant_named(words["mutant"])
    return _simulate(words)


def _simulate(words: dict[str, str]) -> int:
    # Imported late, so that a mutant is planted before the product is.
    from tests.simulation.outcome import Tally
    from tests.simulation.runner import run_many
    from tests.simulation.server import running_server
    from tests.simulation.world.scenario import play_seed

    replay = bool(words["seed"])
    first = int(words["seed"] or words["from"])
    seeds = range(first, first + 1) if replay else range(first, first + int(words["seeds"]))
    started_s, tally = time.monotonic(), Tally()
    with running_server() as server:
        jobs = ((seed, play_seed) for seed in seeds)
        for outcome in run_many(server, jobs, at_once=int(words["at_once"]), keep_trace=replay):
            tally.add(outcome)
            if replay:
                print("\n".join(outcome.story))
                print(f"seed {outcome.seed}: {outcome.digest}")
            for violation in outcome.violations:
                print(f"seed {outcome.seed}: {violation}")
            if outcome.violations and not replay:
                print(f"  replay: make simulate seed={outcome.seed}", flush=True)
                if words["until"] == "first":
                    return 1
    print("\n".join(tally.lines(time.monotonic() - started_s)))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
