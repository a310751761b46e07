"""The worker's loops: each job is run again and again, at once while it finds work, else at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

log = structlog.get_logger()

DONE: Final = Counter("mizan_job_items", "Items a job worked off", ["job"])
FAILED: Final = Counter("mizan_job_failures", "Runs of a job that ended in an error", ["job"])
LAST: Final = Gauge("mizan_job_last_success_timestamp_seconds", "When a job last ended without an error", ["job"])

_PAUSE_AFTER_ERROR_S_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """`run` works off one bounded batch and returns how many items it found; 0 lets the job rest for `every_s`."""

    name: str
    run: Callable[[], Awaitable[int]]
    every_s: float


async def run_job(job: Job, stopping: asyncio.Event, now: Callable[[], float]) -> None:
    """Repeat one job until told to stop. An error is logged and tried again later: no job may end another."""
    pause_after_error_s = 0.5
    while not stopping.is_set():
        try:
            found = await job.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            # Whatever went wrong, the rows are still there; only the pace changes.
            FAILED.labels(job.name).inc()
            log.exception("a job failed and will be tried again", job=job.name)
            await _rest(stopping, pause_after_error_s)
            pause_after_error_s = min(pause_after_error_s * 2, _PAUSE_AFTER_ERROR_S_MAX)
            continue
        pause_after_error_s = 0.5
        LAST.labels(job.name).set(now())
        if found:
            DONE.labels(job.name).inc(found)
        else:
            await _rest(stopping, job.every_s)


async def run_jobs(jobs: Sequence[Job], stopping: asyncio.Event, now: Callable[[], float]) -> None:
    """Run all jobs side by side until told to stop, and let each finish the batch it is in."""
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(run_job(job, stopping, now), name=f"job {job.name}")


async def _rest(stopping: asyncio.Event, duration_s: float) -> None:
    try:
        async with asyncio.timeout(duration_s):
            await stopping.wait()
    except TimeoutError:
        pass
