"""The number on an identity card: its form and its check digit."""

from datetime import date

import pytest

from gateway.domain.emirates_id import read_emirates_id

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("typed", ["784-1990-1234567-6", "784199012345676", " 784 1990 1234567 6 "])
def test_a_card_is_read_as_people_type_it(typed):
    assert read_emirates_id(typed, TODAY) == "784199012345676"


@pytest.mark.parametrize("wrong", range(10))
def test_one_wrong_digit_is_seen(wrong):
    digits = "784199012345676"
    for place in range(3, 15):
        if digits[place] != str(wrong):
            assert read_emirates_id(digits[:place] + str(wrong) + digits[place + 1 :], TODAY) is None


@pytest.mark.parametrize(
    "typed", ["", "784", "785-1990-1234567-6", "784-2190-1234567-4", "784-1990-1234567", "٧٨٤-1990-1234567-6", "x" * 15]
)
def test_what_is_no_card_is_none(typed):
    assert read_emirates_id(typed, TODAY) is None
