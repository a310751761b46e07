"""Routing, drained providers and circuits: small tables, read whole, kept in the process for a second or two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec

from gateway.domain.circuit import CLEAN, Circuit
from gateway.domain.routing import Rule
from gateway.store.connections import Connection, Row, to_json

AGE_MAX: Final = timedelta(seconds=2)
"""How long a drain or an opened circuit may go unnoticed by another process."""


@dataclass(frozen=True, slots=True)
class Drain:
    """A provider that takes no new payments, until an instant or until it is resumed."""

    until: datetime | None
    changed_by: str
    changed_at: datetime

    def holds(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class RoutingVersion:
    """A routing table as it was put in force."""

    version: int
    rules: tuple[Rule, ...]
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Everything but the payment itself that a choice of provider depends on, as it stood at one instant."""

    routing: RoutingVersion | None = None
    drains: Mapping[str, Drain] = field(default_factory=dict)
    circuits: Mapping[tuple[str, str], Circuit] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.routing.rules if self.routing else ()

    def drained(self, provider: str, now: datetime) -> bool:
        return provider in self.drains and self.drains[provider].holds(now)

    def circuit(self, provider: str, operation: str) -> Circuit:
        return self.circuits.get((provider, operation), CLEAN)


async def read(connection: Connection) -> Switchboard:
    drains = await connection.fetch(
        "SELECT provider, until, changed_by, changed_at FROM gateway.provider_drain WHERE drained"
    )
    circuits = await connection.fetch(
        """SELECT provider, operation, failures, failed_at, openings, retry_at, probe_until FROM gateway.circuit
            WHERE failures > 0 OR retry_at IS NOT NULL"""
    )
    return Switchboard(
        await latest_routing(connection),
        {row["provider"]: Drain(row["until"], row["changed_by"], row["changed_at"]) for row in drains},
        {(row["provider"], row["operation"]): _circuit(row) for row in circuits},
    )


async def latest_routing(connection: Connection) -> RoutingVersion | None:
    row = await connection.fetchrow(
        "SELECT version, rules, made_by, made_at FROM gateway.routing ORDER BY version DESC LIMIT 1"
    )
    if row is None:
        return None
    rules = msgspec.json.decode(row["rules"], type=tuple[Rule, ...])
    return RoutingVersion(row["version"], rules, row["made_by"], row["made_at"])


async def add_routing(connection: Connection, version: int, rules: Sequence[Rule], by: str, at: datetime) -> bool:
    """Put a routing table in force as the given version; False when somebody has just made that version."""
    try:
        await connection.execute(
            "INSERT INTO gateway.routing (version, rules, made_by, made_at) VALUES ($1, $2::jsonb, $3, $4)",
            version,
            to_json(rules),
            by,
            at,
        )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def set_drain(
    connection: Connection, provider: str, *, drained: bool, until: datetime | None, by: str, at: datetime
) -> None:
    await connection.execute(
        """INSERT INTO gateway.provider_drain (provider, drained, until, changed_by, changed_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (provider) DO UPDATE SET
             drained = excluded.drained, until = excluded.until, changed_by = excluded.changed_by,
             changed_at = excluded.changed_at""",
        provider,
        drained,
        until,
        by,
        at,
    )


async def lock_circuit(connection: Connection, provider: str, operation: str, at: datetime) -> Circuit:
    """Lock the circuit of an operation, which is made closed when it was never heard of."""
    await connection.execute(
        """INSERT INTO gateway.circuit (provider, operation, failures, openings, changed_at) VALUES ($1, $2, 0, 0, $3)
           ON CONFLICT DO NOTHING""",
        provider,
        operation,
        at,
    )
    row = await connection.fetchrow(
        """SELECT failures, failed_at, openings, retry_at, probe_until FROM gateway.circuit
            WHERE provider = $1 AND operation = $2 FOR UPDATE""",
        provider,
        operation,
    )
    return _circuit(row)


async def save_circuit(connection: Connection, provider: str, operation: str, circuit: Circuit, at: datetime) -> None:
    await connection.execute(
        """UPDATE gateway.circuit SET failures = $3, failed_at = $4, openings = $5, retry_at = $6, probe_until = $7,
                  changed_at = $8
            WHERE provider = $1 AND operation = $2""",
        provider,
        operation,
        circuit.failures,
        circuit.failed_at,
        circuit.openings,
        circuit.retry_at,
        circuit.probe_until,
        at,
    )


def _circuit(row: Row) -> Circuit:
    return Circuit(row["failures"], row["failed_at"], row["openings"], row["retry_at"], row["probe_until"])


class SwitchboardCache:
    """The switchboard at most two seconds old; callers that find it stale together read it once."""

    def __init__(
        self, connect: Callable[[], AbstractAsyncContextManager[Connection]], clock: Callable[[], datetime]
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = asyncio.Lock()
        self._board = Switchboard()
        self._read_at: datetime | None = None

    async def get(self) -> Switchboard:
        if not self._fresh():
            async with self._lock:
                if not self._fresh():
                    async with self._connect() as connection:
                        self._board = await read(connection)
                    self._read_at = self._clock()
        return self._board

    @property
    def last_seen(self) -> Switchboard:
        """The switchboard as last read, however old: for deciding whether anything need be written."""
        return self._board

    def note(self, provider: str, operation: str, circuit: Circuit) -> None:
        """Take over what this process has just written itself."""
        circuits = {**self._board.circuits, (provider, operation): circuit}
        self._board = Switchboard(self._board.routing, self._board.drains, circuits)

    def forget(self) -> None:
        """Read again at the next use: something has just been changed."""
        self._read_at = None

    def _fresh(self) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < AGE_MAX
