import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats.swift_text import from_wire_reference, is_swift_reference, to_swift_text, to_wire_reference
from ledger.ids import mint


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("Roads & Transport", "Roads + Transport"),
        ("Société Générale", "Societe Generale"),
        ("a_b–c", "a-b-c"),
        ("  two\n lines  ", "two lines"),
        ("//BNF//x", "BNF/x"),
        ("-dash: first", "dash: first"),
        ("smile 😀 here", "smile here"),
        ("هيئة الطرق", None),
        ("北京", None),
        ("", None),
        ("😀", None),
    ],
)
def test_names_lose_marks_and_never_letters(text, carried):
    assert to_swift_text(text, length_max=70) == carried


@given(st.text(max_size=300), st.integers(1, 140))
def test_what_is_carried_is_of_the_alphabet(text, length_max):
    carried = to_swift_text(text, length_max=length_max)
    if carried is not None:
        assert 0 < len(carried) <= length_max
        assert carried.isascii()
        assert "//" not in carried


@pytest.mark.parametrize("prefix", ["pl", "po", "re"])
def test_our_ids_travel_and_come_back(prefix):
    ours = mint(prefix, datetime(2026, 11, 22, tzinfo=UTC), random.Random(1).randbytes)
    wire = to_wire_reference(ours)
    assert is_swift_reference(wire)
    assert not is_swift_reference(ours)
    assert from_wire_reference(wire) == ours
    assert from_wire_reference(wire.upper()) == ours


@pytest.mark.parametrize("foreign", ["NOTPROVIDED", "INV-2026-1", "po-short", "RF18539007547034", "a_b"])
def test_other_references_stay_as_they_are(foreign):
    assert from_wire_reference(foreign) == foreign
    assert to_wire_reference(foreign) == foreign
