"""Prices: exact, rounded once, never falling where they must not, and the terms a lawyer could get wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.domain.errors import InvalidError
from gateway.domain.rounding import half_up, vat_inside, vat_on_top
from gateway.domain.tariff import (
    AMOUNT_MINOR_MAX,
    Asked,
    Fixed,
    Measure,
    Percentage,
    Tariff,
    Terms,
    Tiers,
    in_force,
    price,
    takes_base,
    tiered,
)
from gateway.domain.tariff_terms import read_terms, terms_document
from ledger.money import Money

NAMES = {"ar": "كبار السن", "en": "Senior citizens"}
SENIOR = {
    "code": "senior", "names": NAMES, "when": {"senior": True}, "basis_points": 5_000,
    "legal_basis": "Resolution 5 of 2026, article 3", "approver": "The Executive Council",
}  # fmt: skip
WAIVER = {
    "code": "hardship", "names": NAMES, "when": {"support": "social"},
    "legal_basis": "Law 2 of 2025, article 9", "approver": "The Minister",
}  # fmt: skip

AMOUNTS = st.integers(0, 10**9)
RATES = st.integers(0, 10_000)


@st.composite
def bands(draw, *, over_base):
    ends = sorted(draw(st.sets(st.integers(1, 10**6 if over_base else 9_999), max_size=5)))
    per = "basis_points" if over_base else "unit_minor"
    rates = draw(st.lists(st.integers(0, 10_000), min_size=len(ends) + 1, max_size=len(ends) + 1))
    flats = draw(st.lists(st.integers(0, 5_000), min_size=len(ends) + 1, max_size=len(ends) + 1))
    return [
        {"up_to": end, per: rate, "flat_minor": flat}
        for end, rate, flat in zip([*ends, None], rates, flats, strict=True)
    ]


@st.composite
def prices(draw):
    """Every kind of price that can be written, valid ones only."""
    kind = draw(st.sampled_from(["fixed", "per_unit", "percentage", "quantity", "base", "open"]))
    least, span = draw(st.integers(1, 10**6)), draw(st.integers(0, 10**6))
    match kind:
        case "fixed":
            return {"kind": kind, "amount_minor": draw(AMOUNTS)}
        case "per_unit":
            unit = {"ar": "صفحة", "en": "page"}
            return {"kind": kind, "unit_minor": draw(st.integers(1, 10**6)), "unit": unit, "minimum_minor": least}
        case "percentage":
            rate = draw(st.integers(1, 10_000))
            return {"kind": kind, "basis_points": rate, "minimum_minor": least, "maximum_minor": least + span}
        case "open":
            return {"kind": kind, "minimum_minor": least, "maximum_minor": least + span}
        case _:
            over_base = kind == "base"
            return {
                "kind": "tiers", "measure": "base_amount" if over_base else "quantity", "whole": draw(st.booleans()),
                "bands": draw(bands(over_base=over_base)),
            }  # fmt: skip


@st.composite
def terms(draw):
    kind = draw(prices())
    document = {
        "price": kind, "vat_basis_points": draw(RATES), "round_to_minor": draw(st.sampled_from([1, 5, 25, 100])),
        "vat_included": True if kind["kind"] == "open" else draw(st.booleans()),
        "concessions": draw(st.sampled_from([[], [SENIOR], [SENIOR, WAIVER]])),
    }  # fmt: skip
    try:
        return read_terms(document)
    except InvalidError as error:
        assume(all("falls" not in fault.detail for fault in error.faults))
        raise


def asked_of(one, number):
    """Ask for something a tariff takes, larger for a larger number."""
    if takes_base(one.price):
        return Asked(base_minor=max(number, 1))
    match one.price:
        case Fixed():
            return Asked()
        case Tiers():
            return Asked(quantity=min(max(number, 1), 10_000))
        case _ if hasattr(one.price, "unit_minor"):
            return Asked(quantity=min(max(number, 1), 10_000))
        case _:
            low, high = one.price.minimum_minor, one.price.maximum_minor
            return Asked(amount_minor=min(max(number, low), high))


@given(terms(), st.integers(1, 10**6))
def test_a_price_adds_up_and_its_vat_is_within_half_a_unit(one, number):
    asked = asked_of(one, number)
    priced = price(one, asked)
    left = priced.fee_minor - priced.discount_minor
    rate = Fraction(one.vat_basis_points, 10_000)
    if one.vat_included:
        assert priced.amount_minor == left
        exact = left * rate / (1 + rate)
    else:
        assert priced.amount_minor == left + priced.vat_minor
        exact = left * rate
    assert abs(exact - priced.vat_minor) <= Fraction(1, 2)
    assert 0 <= priced.vat_minor <= priced.amount_minor


@given(terms(), st.integers(1, 10**6), st.integers(1, 10**6))
def test_who_asks_for_more_never_pays_less(one, first, second):
    less, more = sorted((first, second))
    assert price(one, asked_of(one, less)).amount_minor <= price(one, asked_of(one, more)).amount_minor


@given(terms(), st.integers(1, 10**6))
def test_a_concession_only_ever_helps(one, number):
    assume(one.concessions)
    asked = asked_of(one, number)
    plain = price(one, asked)
    senior = price(one, replace(asked, answers={"senior": True}))
    assert senior.concession == "senior"
    assert senior.amount_minor <= plain.amount_minor
    assert plain.concession is None
    assert price(one, replace(asked, answers={"senior": False})) == plain
    if len(one.concessions) > 1:
        waived = price(one, replace(asked, answers={"senior": True, "support": "social"}))
        assert waived.amount_minor == 0
        assert waived.concession == ("hardship" if waived.fee_minor > 1 else waived.concession)


@given(bands(over_base=False), st.booleans(), st.integers(1, 10_000))
def test_tiers_leave_no_gap_and_count_nothing_twice(rows, whole, quantity):
    """Each unit lies in exactly one band: counted one by one it comes to the same."""
    tiers = msgspec.convert({"kind": "tiers", "bands": rows, "whole": whole}, Tiers)

    def band_of(unit):
        return next(band for band in tiers.bands if band.up_to is None or unit <= band.up_to)

    if whole:
        band = band_of(quantity)
        expected = band.flat_minor + band.unit_minor * quantity
    else:
        entered = [band_of(unit) for unit in range(1, quantity + 1)]
        flats = {id(band): band.flat_minor for band in entered}
        expected = sum(flats.values()) + sum(band.unit_minor for band in entered)
    assert tiered(tiers, quantity) == expected * 10_000


@given(st.integers(0, 10**15), st.integers(1, 10**6), st.sampled_from([1, 5, 25, 100]))
def test_half_goes_up(numerator, denominator, step):
    rounded = half_up(numerator, denominator, step)
    assert rounded % step == 0
    assert -Fraction(step, 2) < rounded - Fraction(numerator, denominator) <= Fraction(step, 2)


@given(AMOUNTS, RATES)
def test_vat_taken_out_is_the_vat_put_on(net, rate):
    gross = net + vat_on_top(net, rate)
    assert abs(gross - vat_inside(gross, rate) - net) <= 1


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=12))
def test_splits_sum_exactly(amount, weights):
    assume(sum(weights))
    parts = Money(amount, "AED").allocate(weights)
    assert sum(part.amount_minor for part in parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount_minor - Fraction(amount * weight, sum(weights))) < 1


@given(terms())
def test_terms_are_read_back_as_they_were_written(one):
    assert read_terms(msgspec.json.decode(msgspec.json.encode(terms_document(one)))) == one


def test_worked_by_hand():
    transfer = read_terms(
        {"price": {"kind": "percentage", "basis_points": 400, "minimum_minor": 500_00, "maximum_minor": 9_000_00}}
    )
    assert [price(transfer, Asked(base_minor=base)).amount_minor for base in (1_00, 100_000_00, 10**9)] == [
        500_00, 4_000_00, 9_000_00,
    ]  # fmt: skip
    copies = read_terms(
        {
            "price": {"kind": "tiers", "bands": [{"up_to": 10, "unit_minor": 10_00}, {"unit_minor": 7_50}]},
            "vat_basis_points": 500, "vat_included": False, "concessions": [SENIOR],
        }
    )  # fmt: skip
    priced = price(copies, Asked(quantity=12, answers={"senior": True}))
    assert (priced.fee_minor, priced.discount_minor, priced.vat_minor, priced.amount_minor) == (
        115_00, 57_50, 2_88, 60_38,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"price": {"kind": "lottery"}}, "/terms/price/kind"),
        ({"price": {"kind": "fixed", "amount_minor": -1}}, "/terms/price/amount_minor"),
        ({"price": {"kind": "fixed", "amount_minor": 1.5}}, "/terms/price/amount_minor"),
        ({"price": {"kind": "fixed", "amount_minor": 1, "more": 1}}, "/terms/price"),
        ({"price": {"kind": "fixed", "amount_minor": 1}, "currency": "XYZ"}, "/terms/currency"),
        ({"price": {"kind": "fixed", "amount_minor": 1}, "vat_basis_points": 10_001}, "/terms/vat_basis_points"),
        ({"price": {"kind": "fixed", "amount_minor": 1}, "round_to_minor": 0}, "/terms/round_to_minor"),
        ({"price": {"kind": "percentage", "basis_points": 0}}, "/terms/price/basis_points"),
        (
            {"price": {"kind": "percentage", "basis_points": 1, "minimum_minor": 2, "maximum_minor": 1}},
            "/terms/price/maximum_minor",
        ),
        ({"price": {"kind": "open", "minimum_minor": 0, "maximum_minor": 5}}, "/terms/price/minimum_minor"),
        (
            {"price": {"kind": "open", "minimum_minor": 1, "maximum_minor": 5}, "vat_included": False},
            "/terms/vat_included",
        ),
        ({"price": {"kind": "tiers", "bands": []}}, "/terms/price/bands"),
        ({"price": {"kind": "tiers", "bands": [{}, {"up_to": 5}]}}, "/terms/price/bands/0/up_to"),
        ({"price": {"kind": "tiers", "bands": [{"up_to": 5}, {"up_to": 5}]}}, "/terms/price/bands/1/up_to"),
        (
            {"price": {"kind": "tiers", "whole": True, "bands": [{"up_to": 5, "unit_minor": 9}, {"unit_minor": 1}]}},
            "/terms/price/bands/1",
        ),
        ({"price": {"kind": "tiers", "bands": [{"basis_points": 5}]}}, "/terms/price/bands/0/basis_points"),
        ({"price": {"kind": "fixed", "amount_minor": 1}, "concessions": [SENIOR, SENIOR]}, "/terms/concessions/1/code"),
        (
            {"price": {"kind": "fixed", "amount_minor": 1}, "concessions": [{**SENIOR, "amount_minor": 5}]},
            "/terms/concessions/0/basis_points",
        ),
        (
            {"price": {"kind": "fixed", "amount_minor": 1}, "concessions": [{**SENIOR, "legal_basis": " "}]},
            "/terms/concessions/0/legal_basis",
        ),
        (
            {"price": {"kind": "fixed", "amount_minor": 1}, "concessions": [{**SENIOR, "when": {}}]},
            "/terms/concessions/0/when",
        ),
    ],
)
def test_bad_terms_are_refused_with_their_place(document, pointer):
    with pytest.raises(InvalidError) as refused:
        read_terms(document)
    assert pointer in [fault.pointer for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("one", "asked", "pointer"),
    [
        (Terms(Fixed(100)), Asked(quantity=2), "/quantity"),
        (Terms(Fixed(100)), Asked(base_minor=5), "/base_amount"),
        (Terms(Fixed(100)), Asked(answers={"age": "70"}), "/answers/age"),
        (Terms(Percentage(100)), Asked(), "/base_amount"),
        (read_terms({"price": {"kind": "tiers", "bands": [{"up_to": 5}]}}), Asked(quantity=6), "/quantity"),
        (
            read_terms({"price": {"kind": "tiers", "measure": "base_amount", "bands": [{"up_to": 5}]}}),
            Asked(base_minor=6),
            "/base_amount/amount",
        ),
        (read_terms({"price": {"kind": "open", "minimum_minor": 5, "maximum_minor": 9}}), Asked(), "/amount"),
        (
            read_terms({"price": {"kind": "open", "minimum_minor": 5, "maximum_minor": 9}}),
            Asked(amount_minor=10),
            "/amount/amount",
        ),
        (
            read_terms({"price": {"kind": "tiers", "bands": [{"unit_minor": AMOUNT_MINOR_MAX}]}}),
            Asked(quantity=2),
            "/quantity",
        ),
    ],
)
def test_what_a_tariff_cannot_price_names_the_field(one, asked, pointer):
    with pytest.raises(InvalidError) as refused:
        price(one, asked)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@given(st.lists(st.integers(0, 1_000), unique=True, max_size=6), st.integers(-5, 1_005))
def test_exactly_one_version_is_in_force_from_the_first_on(days, hours):
    epoch = datetime(2026, 1, 1, tzinfo=UTC)
    versions = tuple(
        Tariff(f"tf_{day}", "s", number, date(2026, 1, 1), epoch + timedelta(days=day), "law", Terms(Fixed(1)))
        for number, day in enumerate(sorted(days), 1)
    )
    at = epoch + timedelta(days=hours)
    begun = [one for one in versions if one.effective_at <= at]
    assert in_force(versions, at) == (begun[-1] if begun else None)


def test_measures_are_named_as_in_the_api():
    assert {one.value for one in Measure} == {"quantity", "base_amount"}
