"""The circuit breaker, held to a few sentences under any sequence of calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.circuit import (
    CLEAN,
    FAILURES_MAX,
    FAILURES_WITHIN,
    FIRST_PAUSE,
    PAUSE_MAX,
    PROBE_DEADLINE,
    Circuit,
    CircuitState,
    admits,
    after,
    pause,
    probing,
    state_of,
)

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def opened(now: datetime = NOW) -> Circuit:
    circuit = CLEAN
    for _ in range(FAILURES_MAX):
        circuit = after(circuit, failed=True, now=now)
    return circuit


def test_it_opens_after_failures_in_a_row_and_not_before():
    circuit = CLEAN
    for _ in range(FAILURES_MAX - 1):
        circuit = after(circuit, failed=True, now=NOW)
        assert admits(circuit, NOW)
    circuit = after(circuit, failed=True, now=NOW)
    assert state_of(circuit, NOW) is CircuitState.OPEN
    assert not admits(circuit, NOW)


def test_a_success_between_or_a_long_silence_begins_anew():
    circuit = CLEAN
    for _ in range(10 * FAILURES_MAX):
        circuit = after(after(circuit, failed=True, now=NOW), failed=False, now=NOW)
        assert circuit == CLEAN
    now = NOW
    for _ in range(10 * FAILURES_MAX):
        now += FAILURES_WITHIN + timedelta(seconds=1)
        circuit = after(circuit, failed=True, now=now)
        assert circuit.failures == 1


def test_one_probe_at_a_time_and_its_answer_decides():
    now = NOW + FIRST_PAUSE
    half_open = opened()
    assert state_of(half_open, now) is CircuitState.HALF_OPEN
    probed = probing(half_open, now)
    assert not admits(probed, now)
    with pytest.raises(ValueError, match="no probe"):
        probing(probed, now)
    assert after(probed, failed=False, now=now, probe=probed.probe_until) == CLEAN
    failed = after(probed, failed=True, now=now, probe=probed.probe_until)
    assert failed.retry_at == now + 2 * FIRST_PAUSE


def test_a_probe_never_heard_of_again_makes_room_for_another_and_counts_no_more():
    now = NOW + FIRST_PAUSE
    lost = probing(opened(), now)
    later = now + PROBE_DEADLINE
    second = probing(lost, later)
    assert after(second, failed=False, now=later, probe=lost.probe_until) == second


def test_calls_from_before_the_outage_change_nothing_while_it_is_open():
    circuit = opened()
    assert after(circuit, failed=False, now=NOW) == circuit
    assert after(circuit, failed=True, now=NOW) == circuit


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 400)), max_size=60))
def test_any_history_ends_where_calls_are_made_again(history):
    circuit, now = CLEAN, NOW
    for failed, wait_s in history:
        now += timedelta(seconds=wait_s)
        if not admits(circuit, now):
            assert circuit.retry_at is not None
            assert circuit.retry_at - now <= PAUSE_MAX
            continue
        probe = None
        if circuit.retry_at is not None:
            circuit = probing(circuit, now)
            probe = circuit.probe_until
        circuit = after(circuit, failed=failed, now=now, probe=probe)
        assert failed or circuit == CLEAN
    now += PAUSE_MAX + PROBE_DEADLINE
    assert admits(circuit, now)


def test_pauses_grow_to_a_bound():
    pauses = [pause(number) for number in range(1, 30)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE, PAUSE_MAX)
