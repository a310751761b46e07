"""The adapters' benchmark runs from end to end; what it measures is for a quiet machine to say."""

from ops.bench import adapters
from ops.bench.figures import Options
from ops.commands.bench import names


async def test_the_benchmark_measures_every_figure(postgres_server):
    said = []
    figures = await adapters.run(Options(url=postgres_server, rounds=1, seconds=0.2, say=said.append))
    listed = " | ".join(figure.name for figure in figures)
    for part in ("question", "click", "bare client", "idle providers", "1 in flight", "16 in flight", "64 in flight"):
        assert part in listed
    assert all(figure.value > 0 for figure in figures)
    assert [figure.bar for figure in figures].count("<= 5") == 3
    assert len(said) == 12


def test_it_is_one_of_the_benchmarks():
    assert "adapters" in names()
    assert "slow_provider" not in names()
