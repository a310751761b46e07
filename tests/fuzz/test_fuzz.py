"""Each reader takes its good files, refuses what is damaged, and holds against everything that was ever found."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from adapters import registry
from tests.fuzz.damage import damaged
from tests.fuzz.findings import FINDINGS
from tests.fuzz.target import BrokenRuleError, Target, hold
from tests.fuzz.targets import TARGETS

WITHOUT_A_GOOD_SEED = {
    "callback_template_headers",
    "event_altareq_raw",
    *(f"heard_{name}" for name in registry.PROVIDERS),
}
"""Theirs would have to be signed."""
SHORT = settings(
    max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", TARGETS)
def test_the_search_begins_with_good_files(name):
    target = TARGETS[name]
    accepted = [hold(target, seed) for seed in target.seeds()]
    assert any(accepted) or name in WITHOUT_A_GOOD_SEED


@pytest.mark.parametrize(("name", "data", "wrong"), FINDINGS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_was_found_stays_found(name, data, wrong):
    assert wrong
    hold(TARGETS[name], data)


@pytest.mark.parametrize("name", TARGETS)
def test_no_damage_breaks_a_reader(name):
    target = TARGETS[name]

    @SHORT
    @given(damaged(target.seeds(), target.words))
    def holds(data):
        hold(target, data)

    holds()


@SHORT
@given(st.data())
def test_every_rule_can_be_broken(data):
    """A search that cannot find is none: a reader of each fault is caught."""
    broken = data.draw(st.sampled_from([lambda _: "a\0b", lambda _: ["\ud800"], lambda _: {"a": ("\0",)}, _crashes]))
    with pytest.raises((BrokenRuleError, ZeroDivisionError)):
        hold(Target("broken", broken, (ValueError,), list), b"x")


def _crashes(data: bytes) -> object:
    return len(data) // 0


def test_a_provider_that_joins_is_searched_without_being_named_here():
    for name in registry.PROVIDERS:
        assert {f"heard_{name}", f"answer_{name}"} <= set(TARGETS)
