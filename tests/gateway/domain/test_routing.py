"""The choice of a provider: pure, and the same for the same draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Method
from gateway.domain.routing import Payment, Rule, Share, fits, order, tiers_for
from ledger.money import Money

NAMES = ("a", "b", "c", "d")
TIERS = st.lists(
    st.lists(st.builds(Share, st.sampled_from(NAMES), st.integers(0, 100)), max_size=4, unique_by=lambda s: s.provider),
    max_size=4,
)
DRAWS = st.integers(0, 2**64 - 1)
PAYMENT = Payment(Money(100_00, "AED"), frozenset({"roads"}), frozenset({"fine"}), "ar", "VISA")


@given(TIERS, st.frozensets(st.sampled_from(NAMES)), DRAWS)
def test_every_usable_provider_comes_once_and_nobody_else(tiers, usable, draw):
    chosen = order(tiers, usable, draw)
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) == {share.provider for tier in tiers for share in tier} & usable
    assert chosen == order(tiers, usable, draw)


@given(TIERS, st.frozensets(st.sampled_from(NAMES)), DRAWS)
def test_an_earlier_tier_comes_before_a_later_one(tiers, usable, draw):
    first: dict[str, int] = {}
    for number, tier in enumerate(tiers):
        for share in tier:
            first.setdefault(share.provider, number)
    places = [first[name] for name in order(tiers, usable, draw)]
    assert places == sorted(places)


@given(st.integers(0, 2**56))
def test_a_weight_of_nothing_stands_behind_the_others(draw):
    tier = (Share("spare", 0), Share("a", 3), Share("b", 1))
    assert order([tier], {"spare", "a", "b"}, draw)[-1] == "spare"
    assert order([tier], {"spare"}, draw) == ("spare",)


def test_shares_are_exact_over_a_whole_turn():
    tier = (Share("a", 90), Share("b", 9), Share("c", 1))
    firsts = Counter(order([tier], {"a", "b", "c"}, draw)[0] for draw in range(100))
    assert firsts == {"a": 90, "b": 9, "c": 1}


def test_a_provider_that_cannot_take_it_leaves_its_share_to_its_neighbours():
    tier = (Share("a", 50), Share("b", 30), Share("c", 20))
    firsts = Counter(order([tier], {"b", "c"}, draw)[0] for draw in range(50))
    assert firsts == {"b": 30, "c": 20}


FIELDS = {
    "department": "roads", "service": "fine", "currency": "AED", "amount_minor_min": 100_00,
    "amount_minor_max": 100_00, "scheme": "VISA", "language": "ar",
}  # fmt: skip
OTHERS = {
    "department": "economy", "service": "licence", "currency": "KWD", "amount_minor_min": 100_01,
    "amount_minor_max": 99_99, "scheme": "MASTERCARD", "language": "en",
}  # fmt: skip


@given(st.frozensets(st.sampled_from(sorted(FIELDS))))
def test_a_rule_fits_when_all_it_names_fit(named):
    rule = Rule(Method.CARD, (), **{name: FIELDS[name] for name in named})
    assert fits(rule, Method.CARD, PAYMENT)
    assert not fits(rule, Method.BANK, PAYMENT)
    for name in named:
        assert not fits(replace(rule, **{name: OTHERS[name]}), Method.CARD, PAYMENT)


def test_a_bundle_is_spoken_of_by_any_of_its_lines():
    bundle = replace(PAYMENT, departments=frozenset({"roads", "economy"}), services=frozenset({"fine", "licence"}))
    assert fits(Rule(Method.CARD, (), service="licence"), Method.CARD, bundle)


def test_the_first_rule_that_fits_decides_and_without_one_the_settings_do():
    one, two = ((Share("a"),),), ((Share("b"),),)
    rules = [Rule(Method.CARD, one, language="en"), Rule(Method.CARD, two), Rule(Method.CARD, one)]
    assert tiers_for(rules, Method.CARD, PAYMENT, ["c"]) == two
    assert tiers_for(rules, Method.MOBILE, PAYMENT, ["c", "d"]) == ((Share("c"),), (Share("d"),))


def test_a_draw_is_a_number_from_nothing_up():
    with pytest.raises(ValueError, match="negative"):
        order([(Share("a"),)], {"a"}, -1)
