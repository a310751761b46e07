"""The rarer actors do what they are there for: worlds full of them, and what they did is counted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from tests.simulation.chance import Chance
from tests.simulation.outcome import Tally
from tests.simulation.runner import run_many
from tests.simulation.server import Server
from tests.simulation.world.habits import Habit
from tests.simulation.world.plan import Plan, Profile, draw_plan
from tests.simulation.world.scenario import play_plan

pytestmark = [pytest.mark.timeout(3600), pytest.mark.xdist_group("simulation")]

_COUNTERS: Final = Plan(
    profile=Profile.CALM,
    providers=("adyen",),
    departments=1,
    counter=True,
    terminals=True,
    citizens_a_day=8,
    habits=(Habit.PLAIN, Habit.TWO_TABS),
    refund_share=1.0,
    refund_return_share=1.0,
)
_ROUGH: Final = replace(_COUNTERS, profile=Profile.STORM, network=0.05, database=0.02, kills=5, mischief=8)
_MET: Final = (
    "a bill was paid at a card terminal",
    "a bill was paid in cash",
    "a refund that came back was given again",
    "cash was handed out by two people",
    "provider: refund failed after it was done",
)


def test_counters_take_cards_hand_out_cash_and_refunds_come_back(simulation_server: Server) -> None:
    tally = Tally()
    plans = [(1, _COUNTERS), (2, _COUNTERS), (3, _COUNTERS), (11, _ROUGH), (12, _ROUGH)]
    for outcome in run_many(simulation_server, ((seed, partial(play_plan, plan=plan)) for seed, plan in plans)):
        tally.add(outcome)
    assert [(outcome.seed, outcome.violations) for outcome in tally.failed] == []
    assert [name for name in _MET if not tally.sometimes[name]] == []


def test_drawn_worlds_have_them_often_enough() -> None:
    """Of any hundred worlds some have card terminals, and in some a card scheme returns refunds."""
    plans = [draw_plan(Chance(seed).stream("plan")) for seed in range(1_000)]
    assert sum(plan.counter for plan in plans) > 200
    assert sum(plan.terminals for plan in plans) > 100
    assert sum(plan.refund_return_share > 0 for plan in plans) > 100
    assert all("adyen" in plan.providers for plan in plans if plan.terminals or plan.refund_return_share)
