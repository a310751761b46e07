"""References that prove themselves, found in whatever a payer typed around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN

from adapters.formats.creditor_reference import creditor_reference, iban, in_fours, is_valid, references_in

KNOWN = "RF18539007547034"  # the example of the standard
BODIES = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=21)


def test_the_standards_own_example_is_valid():
    assert creditor_reference("539007547034") == KNOWN
    assert in_fours(KNOWN) == "RF18 5390 0754 7034"


@pytest.mark.parametrize(
    "text",
    [
        KNOWN,
        "rf18 5390 0754 7034",
        "licence RF18-5390-0754-7034, thank you",
        "INV:RF18539007547034.",
        "رخصة RF18 5390 0754 7034 شكرا",
        "\u2066RF18\u00a05390\u00a00754\u00a07034\u2069",
        "RF18 5390 07\n54 7034",
        "ref=xRF18539007547034 paid",
    ],
)
def test_a_reference_is_found_however_it_was_typed(text):
    assert KNOWN in references_in(text)


@pytest.mark.parametrize("text", ["RF18 5390 0754 7043", "RF81539007547034", "5390 0754 7034", "RF18", "", "RF"])
def test_a_near_miss_is_no_reference(text):
    assert references_in(text) == ()


@given(BODIES, st.data())
def test_one_wrong_character_is_always_caught(body, data):
    whole = creditor_reference(body)
    assert is_valid(whole)
    at = data.draw(st.integers(4, len(whole) - 1))
    other = data.draw(st.sampled_from("0123456789").filter(lambda mark: mark != whole[at]))
    if whole[at].isdigit():
        assert not is_valid(whole[:at] + other + whole[at + 1 :])


def test_two_references_in_one_text_are_both_found():
    other = creditor_reference("2026ABC")
    assert references_in(f"bills {in_fours(KNOWN)} and {other}") == (KNOWN, other)


def test_a_virtual_account_and_an_id_of_ours_are_found():
    account = iban("AE", "0339001000000000042"[:19])
    assert IBAN(account).is_valid
    assert account in references_in(f"VIRTUAL ACCOUNT {account} FATIMA")
    ours = "pa_01jd3x2k8v7m4n5p6q7r8s9t0w"
    assert references_in(f"/ROC/{ours.replace('_', '-').upper()}//") == (ours,)


@given(st.text(max_size=300))
def test_no_text_breaks_the_search(text):
    for found in references_in(text):
        assert is_valid(found) or "_" in found
