"""Every call to a provider goes through its circuit, which learns from what became of the call.

The state is shared by all processes, in PostgreSQL. A healthy provider costs nothing: a success is written down only
when there were failures before it, and whether there were is read from a copy of a second or two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

import asyncpg
import structlog

from adapters.errors import NotSentError, RejectedError
from gateway import metrics
from gateway.deps import Deps
from gateway.domain import circuit as rules
from gateway.domain.circuit import CircuitState
from gateway.domain.errors import GatewayError
from gateway.store import switchboard

_log: Final = structlog.get_logger(__name__)

T = TypeVar("T")

TURNS_US_AWAY: Final = frozenset({401, 403, 429})
"""Refusals of whoever asks, not of what is asked: our key is not taken, or we ask too often. Nothing moved."""

_DATABASE_TROUBLE: Final = (GatewayError, asyncpg.PostgresError)
_STATE_NUMBERS: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


class CircuitOpenError(NotSentError):
    """The provider has not been answering, so it was not asked."""

    code = "circuit_open"


async def ask(
    deps: Deps,
    provider: str,
    operation: str,
    call: Callable[[], Awaitable[T]],
    *,
    is_failure: Callable[[T], bool],
) -> T:
    """Make one call within its time, if the circuit lets it; `CircuitOpenError` when it does not.

    What the call raises passes through. `is_failure` tells which answers mean that the provider does not work.
    """
    probe = await _admit(deps, provider, operation)
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    failed = True
    try:
        async with asyncio.timeout(deps.limits.provider_call_s):
            answer = await call()
        failed = is_failure(answer)
    except RejectedError as error:
        failed = error.status in TURNS_US_AWAY  # any other refusal is an answer
        await _note(deps, provider, operation, failed=failed, probe=probe)
        raise
    except Exception:
        await _note(deps, provider, operation, failed=True, probe=probe)
        raise
    finally:
        metrics.PROVIDER_SECONDS.labels(provider, operation).observe(loop.time() - started_at)
    await _note(deps, provider, operation, failed=failed, probe=probe)
    return answer


async def _admit(deps: Deps, provider: str, operation: str) -> datetime | None:
    """Return None for an ordinary call, or what names this one as the circuit's probe."""
    try:
        circuit = (await deps.switchboard.get()).circuit(provider, operation)
        if circuit.retry_at is None:
            return None
        if rules.admits(circuit, deps.clock()):
            probe = await _take_probe(deps, provider, operation)
            if probe is not None:
                return probe
            circuit = deps.switchboard.last_seen.circuit(provider, operation)
            if circuit.retry_at is None:
                return None
    except _DATABASE_TROUBLE:
        return None  # a breaker that cannot be read must not be what stops payments
    metrics.PROVIDER_CALLS.labels(provider, operation, CircuitOpenError.code).inc()
    raise CircuitOpenError(f"{provider} {operation}: not asked, it has not been answering")


async def _take_probe(deps: Deps, provider: str, operation: str) -> datetime | None:
    async with deps.transaction() as connection:
        now = deps.clock()
        circuit = await switchboard.lock_circuit(connection, provider, operation, now)
        may = circuit.retry_at is not None and rules.admits(circuit, now)
        if may:
            circuit = rules.probing(circuit, now)
            await switchboard.save_circuit(connection, provider, operation, circuit, now)
    deps.switchboard.note(provider, operation, circuit)
    return circuit.probe_until if may else None


async def _note(deps: Deps, provider: str, operation: str, *, failed: bool, probe: datetime | None) -> None:
    """Let the circuit learn. What became of the money never hangs on this, so trouble here is only logged."""
    seen = deps.switchboard.last_seen.circuit(provider, operation)
    if not failed and probe is None and seen == rules.CLEAN:
        return
    try:
        async with deps.transaction() as connection:
            now = deps.clock()
            before = await switchboard.lock_circuit(connection, provider, operation, now)
            circuit = rules.after(before, failed=failed, now=now, probe=probe)
            if circuit != before:
                await switchboard.save_circuit(connection, provider, operation, circuit, now)
    except _DATABASE_TROUBLE as error:
        _log.warning("circuit_not_noted", provider=provider, operation=operation, error=type(error).__name__)
        return
    deps.switchboard.note(provider, operation, circuit)
    was, now_is = rules.state_of(before, now), rules.state_of(circuit, now)
    metrics.CIRCUIT.labels(provider, operation).set(_STATE_NUMBERS[now_is])
    if was is not now_is:
        level = _log.error if now_is is CircuitState.OPEN else _log.info
        level("circuit_moved", provider=provider, operation=operation, was=was.value, now=now_is.value)


async def measure_providers(deps: Deps, _limit: int) -> int:
    """Publish how each provider stands, as every process sees it."""
    board = await deps.switchboard.get()
    now = deps.clock()
    for name in deps.providers:
        metrics.DRAINED.labels(name).set(board.drained(name, now))
    for (name, operation), circuit in board.circuits.items():
        metrics.CIRCUIT.labels(name, operation).set(_STATE_NUMBERS[rules.state_of(circuit, now)])
    return 0
