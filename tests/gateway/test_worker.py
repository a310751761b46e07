"""The worker's list, and what it tells operators."""

from __future__ import annotations

from gateway import metrics
from gateway.services.measure_backlog import measure_backlog
from gateway.worker import JOBS


def waiting(queue):
    return metrics.WAITING.labels(queue)._value.get(), metrics.OLDEST_SECONDS.labels(queue)._value.get()


def test_every_job_is_bounded_and_named():
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.batch_max > 0 and job.every_s > 0 for job in JOBS)


async def test_what_waits_has_a_number_and_an_age(town):
    intent = await town.intent()
    await town.start(intent)
    town.clock.advance(seconds=30)
    await measure_backlog(town.deps, 1)
    assert waiting("undecided_attempts") == (1, 30)
    await town.pay(intent)
    await town.work()
    await measure_backlog(town.deps, 1)
    assert waiting("undecided_attempts") == (0, 0)
    assert waiting("callbacks") == (0, 0)
