"""The ledger's benchmark runs from end to end; what it measures is for a quiet machine to say."""

import math

from ops.bench import ledger
from ops.bench.figures import Figure, Options, Rounds, absolute, show


async def test_the_benchmark_measures_every_figure(postgres_server):
    said = []
    figures = await ledger.run(Options(url=postgres_server, rounds=1, seconds=0.2, size=400, say=said.append))
    names = " | ".join(figure.name for figure in figures)
    for part in (
        *("limit A", "limit B", "1 callers", "16 callers", "64 callers", "256 callers", "open loop", "memory"),
        *("caller's transaction", "verify", "balance at T, 400 postings", "trial balance at T", "bytes a posting"),
    ):
        assert part in names
    assert all(figure.value > 0 or not figure.unit or "memory" in figure.name for figure in figures)
    assert said


def test_ratios_are_taken_round_by_round():
    rounds = Rounds()
    for ours, limit in ((10, 20), (30, 100), (8, 10)):
        rounds.add("ours", ours)
        rounds.add("limit", limit)
    figure = rounds.figure("ours over limit", "ours", "payments/s", limit="limit", at_least=0.6)
    assert (figure.value, figure.limit, figure.ratio, figure.met) == (10, 20, 0.5, False)
    assert math.isnan(rounds.figure("unknown", "unknown", "us").value)


def test_the_table_says_whether_a_bar_is_met(capsys):
    show("figures", [absolute("fast", 2, "ms", at_most=1), absolute("sound", 130_000, "postings/s", at_least=120_000)])
    show("figures", [Figure("no bar", 1.5, "MB")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[-1] == "NO"
    assert lines[3].split()[-1] == "yes"
