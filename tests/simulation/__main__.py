"""`python -m tests.simulation seeds=200 from=1`, `seed=7` to replay one, `sweep=yes every=10` to kill at each await."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from functools import partial
from typing import Final

import click

_WORDS: Final = {
    "seeds": "200",
    "from": "1",
    "seed": "",
    "at_once": "2",
    "until": "end",
    "mutant": "",
    "sweep": "",
    "every": "1",
    "order": "",
    "server": "",
}


def main(arguments: list[str]) -> int:
    words = dict(_WORDS)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in words:
            click.echo(f"{argument!r}: the words are {', '.join(f'{word}=' for word in words)}")
            return 2
        words[name] = value
    if words["sweep"]:
        return _sweep(words)
    if words["mutant"]:
        from tests.simulation.mutants import plant_named

        plant_named(words["mutant"])
    return _simulate(words)


def _simulate(words: dict[str, str]) -> int:
    # Imported late, so that a mutant is planted before the product is.
    from tests.simulation.expected import WORLDS, never_met
    from tests.simulation.outcome import Tally
    from tests.simulation.runner import run_many
    from tests.simulation.server import Server, running_server
    from tests.simulation.world.scenario import play_seed

    replay = bool(words["seed"])
    first = int(words["seed"] or words["from"])
    seeds = list(range(first, first + 1) if replay else range(first, first + int(words["seeds"])))
    if words["order"]:
        seeds = [int(seed) for seed in words["order"].split(",")]
    started_s, tally = time.monotonic(), Tally()
    with nullcontext(Server(*words["server"].split())) if words["server"] else running_server() as server:
        scenario = partial(play_seed, until_first=words["until"] == "first")
        jobs = ((seed, scenario) for seed in seeds)
        for outcome in run_many(server, jobs, at_once=int(words["at_once"]), keep_trace=replay):
            tally.add(outcome)
            if replay:
                click.echo("\n".join(outcome.story))
                click.echo(f"seed {outcome.seed}: {outcome.digest}")
            for violation in outcome.violations:
                click.echo(f"seed {outcome.seed}: {violation}")
            if outcome.violations and not replay:
                click.echo(f"  replay: make simulate seed={outcome.seed}")
                if words["until"] == "first":
                    return 1
    click.echo("\n".join(tally.lines(time.monotonic() - started_s)))
    missing = never_met(tally) if len(seeds) >= WORLDS else []
    for name in missing:
        click.echo(f"never met: {name}")
    return 1 if tally.failed or missing else 0


def _sweep(words: dict[str, str]) -> int:
    from tests.simulation.outcome import Tally
    from tests.simulation.server import running_server
    from tests.simulation.sweep import count_steps, sweep, worlds

    started_s, tally = time.monotonic(), Tally()
    every, replay = int(words["every"]), int(words["seed"] or 0)
    with running_server() as server:
        steps = count_steps(server)
        parts = worlds(steps, every=every, first=int(words["from"]))
        if replay:
            parts = [part for part in parts if part[0] == replay]
        kills = sum(steps.kills(days) for _, days in parts)
        click.echo(f"{kills} kills, of {steps.total} points {steps}, in {len(parts)} worlds")
        for outcome in sweep(server, parts, at_once=int(words["at_once"]), keep_trace=bool(replay)):
            tally.add(outcome)
            if replay:
                click.echo("\n".join(outcome.story))
            for violation in outcome.violations:
                click.echo(f"killed from step {outcome.seed} on: {violation}")
            if outcome.violations and not replay:
                click.echo(f"  replay: make sweep every={every} from={words['from']} seed={outcome.seed}")
    click.echo("\n".join(tally.lines(time.monotonic() - started_s)))
    click.echo(f"{kills} kills, {len(tally.failed)} worlds failed, {time.monotonic() - started_s:.0f} s")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
