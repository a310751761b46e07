"""A circuit breaker as arithmetic: closed while a provider answers, open while it does not, half-open to find out.

One circuit a provider and operation. Everybody may call while it is closed. After several failures in a row it
opens: nobody calls until its pause is over. Then one call at a time may probe; its success closes the circuit, its
failure opens it for longer. A probe that is never heard of again ends by its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAILURES_MAX: Final = 5
"""After how many failures in a row, none of them long after the one before, a circuit opens."""

FAILURES_WITHIN: Final = timedelta(minutes=1)
FIRST_PAUSE: Final = timedelta(seconds=30)
PAUSE_MAX: Final = timedelta(minutes=5)
PROBE_DEADLINE: Final = timedelta(seconds=45)
"""Longer than any call may take; a process that dies with a probe in hand holds the others up no longer than this."""


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is remembered of one operation of one provider. `retry_at` is set exactly while it is not closed."""

    failures: int = 0
    failed_at: datetime | None = None
    openings: int = 0
    retry_at: datetime | None = None
    probe_until: datetime | None = None


CLEAN: Final = Circuit()


def state_of(circuit: Circuit, now: datetime) -> CircuitState:
    if circuit.retry_at is None:
        return CircuitState.CLOSED
    return CircuitState.OPEN if now < circuit.retry_at else CircuitState.HALF_OPEN


def admits(circuit: Circuit, now: datetime) -> bool:
    """Tell whether a call may be made: any while closed, one probe while half-open."""
    state = state_of(circuit, now)
    probing = circuit.probe_until is not None and now < circuit.probe_until
    return state is CircuitState.CLOSED or (state is CircuitState.HALF_OPEN and not probing)


def probing(circuit: Circuit, now: datetime) -> Circuit:
    """Return a half-open circuit with its one probe taken; its `probe_until` names the probe."""
    if circuit.retry_at is None or not admits(circuit, now):
        raise ValueError("this circuit takes no probe now")
    return replace(circuit, probe_until=now + PROBE_DEADLINE)


def after(circuit: Circuit, *, failed: bool, now: datetime, probe: datetime | None = None) -> Circuit:
    """Return the circuit after a call. `probe` is the `probe_until` under which a probe was made.

    While a circuit is not closed only its present probe is heard: a call that began before the outage tells nothing
    about what is now, and neither does a probe that was given up.
    """
    if circuit.retry_at is None:
        return _closed_after(circuit, now) if failed else CLEAN
    if probe is None or probe != circuit.probe_until:
        return circuit
    return _opened(circuit, now) if failed else CLEAN


def pause(openings: int) -> timedelta:
    """Return how long a circuit stays open: longer each time a probe fails, up to a bound."""
    doublings = min(max(openings, 1) - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), PAUSE_MAX)


def _closed_after(circuit: Circuit, now: datetime) -> Circuit:
    in_a_row = circuit.failed_at is not None and now - circuit.failed_at <= FAILURES_WITHIN
    failures = circuit.failures + 1 if in_a_row else 1
    counted = Circuit(failures=failures, failed_at=now)
    return _opened(counted, now) if failures >= FAILURES_MAX else counted


def _opened(circuit: Circuit, now: datetime) -> Circuit:
    openings = circuit.openings + 1
    return replace(circuit, failed_at=now, openings=openings, retry_at=now + pause(openings), probe_until=None)
