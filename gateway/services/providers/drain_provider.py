"""A provider taken out of service for maintenance: nothing new goes to it, what it was given is followed to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from adapters.contract import Method
from gateway.deps import Deps
from gateway.domain import circuit as circuits
from gateway.domain.circuit import CircuitState
from gateway.domain.errors import InvalidError
from gateway.store import attempts, switchboard
from gateway.store.switchboard import Drain, Switchboard


@dataclass(frozen=True, slots=True)
class Standing:
    """How a provider stands with all processes. `circuits` has only those that are not closed."""

    drain: Drain | None
    circuits: Mapping[str, tuple[CircuitState, datetime]]


async def drain_provider(deps: Deps, name: str, *, until: datetime | None, by: str) -> Sequence[Method]:
    """Give a provider nothing new; return the methods nobody is left for."""
    now = deps.clock()
    if until is not None and until <= now:
        raise InvalidError("the end of a drain lies in the future", pointer="until")
    async with deps.connection() as connection:
        await switchboard.set_drain(connection, name, drained=True, until=until, by=by, at=now)
        board = await switchboard.read(connection)
    deps.switchboard.forget()
    return [
        method
        for method, names in deps.routing.items()
        if name in names and all(board.drained(other, now) for other in names)
    ]


async def resume_provider(deps: Deps, name: str, *, by: str) -> None:
    async with deps.connection() as connection:
        await switchboard.set_drain(connection, name, drained=False, until=None, by=by, at=deps.clock())
    deps.switchboard.forget()


async def count_under_way(deps: Deps, name: str) -> int:
    """Count the payments a provider has not decided: when there are none, it may be switched off."""
    async with deps.connection() as connection:
        return await attempts.count_live(connection, name)


async def read_board(pool: asyncpg.Pool[Any]) -> Switchboard:
    """Read how everything stands, without anything else of the gateway."""
    async with pool.acquire() as connection:
        return await switchboard.read(connection)


def standing_of(board: Switchboard, name: str, now: datetime) -> Standing:
    drain = board.drains.get(name)
    moved = {
        operation: (circuits.state_of(circuit, now), circuit.retry_at)
        for (provider, operation), circuit in board.circuits.items()
        if provider == name and circuit.retry_at is not None
    }
    return Standing(
        drain if drain is not None and drain.holds(now) else None,
        {operation: (state, at) for operation, (state, at) in moved.items() if at is not None},
    )
