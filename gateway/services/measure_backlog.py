"""Telling operators what waits and how long the oldest of it has: every state that must end has its number."""

from __future__ import annotations

from gateway import metrics
from gateway.deps import Deps
from gateway.store import backlog


async def measure_backlog(deps: Deps, limit: int) -> int:  # noqa: ARG001 - a job's shape; there is nothing to bound
    """Set the gauges of every queue; there is never anything left over to do."""
    now = deps.clock()
    async with deps.connection() as connection:
        for queue in await backlog.read(connection, now):
            metrics.WAITING.labels(queue.queue).set(queue.waiting)
            age_s = (now - queue.oldest).total_seconds() if queue.oldest else 0
            metrics.OLDEST_SECONDS.labels(queue.queue).set(max(age_s, 0))
    return 0
