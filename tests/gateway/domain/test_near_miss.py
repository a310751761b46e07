"""How close a payer's text comes to a reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.near_miss import DIFFERENT_MAX, difference

REFERENCE = "RF14GRKF3XDBK8G5"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("licence rf14 grkf 3xdb k8g5", 0),
        ("RF14GRKF3XDB8KG5", 2),
        ("RF14GRKF3XDBK85G", 1),
        ("RF14GRKF3XDBK8GS thanks", 1),
        ("RF14 GRKF 3XDB K8G", 1),
        ("RF14 GRKFF 3XDB K8G5", 1),
        ("RF81 9999 3XDB K8G5", None),
        ("trade licence", None),
        ("", None),
    ],
)
def test_marks_swapped_left_out_or_doubled_are_counted(text, wrong):
    assert difference(text, REFERENCE) == wrong


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    found = difference(text, REFERENCE)
    assert found is None or 0 <= found <= DIFFERENT_MAX
