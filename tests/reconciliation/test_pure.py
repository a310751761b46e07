"""The pure centre: postings balance, payouts never exceed what is proven, matches need a reference, words are whole."""

import string
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import LineKind, PayoutReport, PayoutStatus
from ledger.entry import Entry
from ledger.money import Money
from reconciliation.ageing import age_band
from reconciliation.bank_matching import BankKind, BankLine, Expected, OpenBatch, OpenPayout, match_entry, names
from reconciliation.bank_postings import BankEvidence, Cleared, bank_entry
from reconciliation.break_words import REASONS, sentence
from reconciliation.breaks import ACTION_WORDS, MEANINGS, Action, BreakType, Language, suggestions, title
from reconciliation.matching import BREAK_OF, EXACT, RULES, Leg, MatchOutcome, Tolerance, explain
from reconciliation.payees import iban_is_sound
from reconciliation.payout_terms import HELD_WORDS, Held, PayoutTerms, Schedule, due
from reconciliation.postings import SETTLED_KINDS, Booking, LineEvidence, rematch_entry, settlement_entry
from reconciliation.provider_terms import FeeTerms
from reconciliation.reports.words import KINDS, STATUSES, WORDS
from reconciliation.steps.payout_answers import line_words

BOOKING = Booking(date(2026, 11, 22), datetime(2026, 11, 22, 20, 0, tzinfo=UTC))
MINOR = st.integers(-(10**12), 10**12)
WHOLE = st.integers(1, 10**12)
ARABIC_LETTERS = "\u0621-\u064a"


def evidence(**change):
    values = {
        "provider": "alpha", "file_no": 3, "file_name": "a.csv", "number": 7, "kind": "payment",
        "batch_reference": "B-1", "currency": "AED", "gross_minor": 10_000, "fee_minor": 150, "fee_vat_minor": 8,
        "net_minor": 9_842, "account": "provider:alpha:receivable", "item": "pa_1", "payment": "pi_1",
        "provider_reference": "O-1",
    }  # fmt: skip
    return LineEvidence(**{**values, **change})


def book(entry: Entry) -> list[str]:
    return [f"{posting.account} {posting.amount.decimal()} {posting.item or ''}".rstrip() for posting in entry.postings]


@pytest.mark.parametrize(
    ("change", "kind", "expected"),
    [
        ({}, "payment_settled", [
            "provider:alpha:in_transit 98.42 B-1", "treasury:provider_fees 1.50", "treasury:provider_fees_vat 0.08",
            "provider:alpha:receivable -100.00 pa_1"]),
        ({"fee_minor": 0, "fee_vat_minor": 0, "net_minor": 10_000}, "payment_settled", [
            "provider:alpha:in_transit 100.00 B-1", "provider:alpha:receivable -100.00 pa_1"]),
        ({"kind": "refund", "gross_minor": -3_000, "fee_minor": 0, "fee_vat_minor": 0, "net_minor": -3_000,
          "account": "provider:alpha:refunds_in_transit", "item": "re_1"}, "refund_settled", [
            "provider:alpha:in_transit -30.00 B-1", "provider:alpha:refunds_in_transit 30.00 re_1"]),
        ({"kind": "refund", "gross_minor": -3_000, "fee_minor": -45, "fee_vat_minor": -2, "net_minor": -2_953,
          "account": "provider:alpha:refunds_in_transit", "item": "re_1"}, "refund_settled", [
            "provider:alpha:in_transit -29.53 B-1", "treasury:provider_fees -0.45", "treasury:provider_fees_vat -0.02",
            "provider:alpha:refunds_in_transit 30.00 re_1"]),
        ({"net_minor": 9_843}, "payment_settled", [
            "provider:alpha:in_transit 98.43 B-1", "treasury:provider_fees 1.50", "treasury:provider_fees_vat 0.08",
            "treasury:rounding -0.01", "provider:alpha:receivable -100.00 pa_1"]),
        ({"kind": "chargeback", "gross_minor": -10_000, "fee_minor": 5_000, "fee_vat_minor": 0, "net_minor": -15_000,
          "account": "disputes:receivable"}, "dispute_opened", [
            "provider:alpha:in_transit -150.00 B-1", "treasury:provider_fees 50.00",
            "disputes:receivable 100.00 pa_1"]),
        ({"kind": "fee", "gross_minor": -200, "fee_minor": 0, "fee_vat_minor": 10, "net_minor": -210,
          "account": "treasury:provider_fees", "item": None}, "provider_fee_charged", [
            "provider:alpha:in_transit -2.10 B-1", "treasury:provider_fees 2.00", "treasury:provider_fees_vat 0.10"]),
        ({"account": "suspense:unidentified", "item": "alpha:3:7"}, "settled_unidentified", [
            "provider:alpha:in_transit 98.42 B-1", "treasury:provider_fees 1.50", "treasury:provider_fees_vat 0.08",
            "suspense:unidentified -100.00 alpha:3:7"]),
    ],
)  # fmt: skip
def test_a_settlement_line_becomes_this_journal(change, kind, expected):
    entry = settlement_entry(evidence(**change), BOOKING)
    assert (entry.reference, entry.kind) == ("settle:alpha:3:7", kind)
    assert book(entry) == expected


def test_a_line_of_nothing_is_no_journal():
    assert settlement_entry(evidence(gross_minor=0, fee_minor=0, fee_vat_minor=0, net_minor=0), BOOKING) is None


@given(kind=st.sampled_from(sorted(SETTLED_KINDS)), gross=MINOR, fee=MINOR, vat=MINOR, net=MINOR)
def test_whatever_a_line_says_its_journal_balances_and_clears_the_gross(kind, gross, fee, vat, net):
    line = evidence(kind=kind, gross_minor=gross, fee_minor=fee, fee_vat_minor=vat, net_minor=net)
    entry = settlement_entry(line, BOOKING)
    if entry is not None:
        assert sum(posting.amount.amount_minor for posting in entry.postings) == 0
        by_account = {posting.account: posting.amount.amount_minor for posting in entry.postings}
        assert by_account.get("provider:alpha:receivable", 0) == -gross
        assert by_account.get("provider:alpha:in_transit", 0) == net


@given(gross=MINOR.filter(bool))
def test_a_rematch_moves_exactly_what_waited_in_suspense(gross):
    held = settlement_entry(
        evidence(gross_minor=gross, fee_minor=0, fee_vat_minor=0, net_minor=gross, account="suspense:unidentified",
                 item="alpha:3:7"), BOOKING)  # fmt: skip
    moved = rematch_entry(evidence(gross_minor=gross), BOOKING)
    left = sum(
        posting.amount.amount_minor for posting in (*held.postings, *moved.postings) if posting.item == "alpha:3:7"
    )
    assert left == 0


@given(amount=MINOR.filter(bool), cleared=st.lists(WHOLE, min_size=1, max_size=4))
def test_a_bank_entry_always_moves_cash_by_what_the_bank_wrote(amount, cleared):
    parts = [Cleared("provider:alpha:in_transit", f"B-{place}", minor) for place, minor in enumerate(cleared)]
    line = BankEvidence(1, "st.xml", 2, "main", Money(amount, "AED"))
    entry = bank_entry(line, "settlement_received", parts, BOOKING)
    assert [p.amount.amount_minor for p in entry.postings if p.account == "bank:main:cash"] == [amount]


BATCH = OpenBatch("provider:alpha:in_transit", "alpha", "B-1", 10_000)
PAYOUT = OpenPayout("department:traffic:payout_in_transit", "pl_1", "po_1", "traffic", 5_000, -5_000, "accepted")


def expected(*batches, payouts=(PAYOUT,)):
    return Expected(list(batches or (BATCH,)), {one.line_id: one for one in payouts}, {"po_1": list(payouts)})


@pytest.mark.parametrize(
    ("line", "kind", "rule", "variance"),
    [
        (BankLine(10_000, batch_reference="B-1"), BankKind.SETTLEMENT_RECEIVED, "batch_reference", 0),
        (BankLine(9_999, batch_reference="B-1"), BankKind.SETTLEMENT_RECEIVED, "batch_reference", -1),
        (BankLine(9_998, batch_reference="B-1"), BankKind.SETTLEMENT_RECEIVED, "batch_other_amount", -2),
        (BankLine(10_000, remittance="PAYMENT B-1 OF TODAY"), BankKind.SETTLEMENT_RECEIVED, "batch_in_remittance", 0),
        (BankLine(10_000, remittance="B-11"), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(10_000, remittance="XB-1"), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(10_000), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(-5_000, end_to_end_id="pl_1"), BankKind.PAYOUT_PAID, "end_to_end", 0),
        (BankLine(-4_000, end_to_end_id="pl_1"), BankKind.PAYOUT_PAID, "end_to_end", 1_000),
        (BankLine(-5_000, batch_reference="po_1"), BankKind.PAYOUT_PAID, "payout_file", 0),
        (BankLine(-4_999, batch_reference="po_1"), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(-5_000), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(5_000, end_to_end_id="pl_1", returned=True), BankKind.PAYOUT_RETURN_RECEIVED, "payout_return", 0),
        (
            BankLine(4_000, end_to_end_id="pl_1", returned=True),
            BankKind.PAYOUT_RETURN_RECEIVED,
            "payout_return_less",
            -1_000,
        ),
        (BankLine(5_001, end_to_end_id="pl_1", returned=True), BankKind.UNIDENTIFIED, None, 0),
        (BankLine(5_000, end_to_end_id="pl_1"), BankKind.UNIDENTIFIED, None, 0),
    ],
)
def test_a_bank_entry_is_matched_by_this_rule(line, kind, rule, variance):
    found = match_entry(line, expected())
    assert (found.kind, found.rule, found.variance_minor) == (kind, rule, variance)


@given(
    amount=st.sampled_from([10_000, -5_000, 5_000]),
    text=st.text(string.ascii_letters + string.digits + " -/", max_size=30),
)
def test_an_entry_that_names_nothing_of_ours_is_never_matched(amount, text):
    if not names(text, "B-1") and not names(text, "po_1"):
        assert match_entry(BankLine(amount, remittance=text), expected()).kind is BankKind.UNIDENTIFIED


def test_two_providers_with_one_batch_reference_are_for_a_person():
    other = OpenBatch("provider:beta:in_transit", "beta", "B-1", 10_000)
    assert match_entry(BankLine(10_000, batch_reference="B-1"), expected(BATCH, other)).kind is BankKind.UNIDENTIFIED


@pytest.mark.parametrize(
    ("open_minor", "taken_minor", "kind"),
    [
        (-649, -649, BankKind.SETTLEMENT_RECEIVED),
        (-649, -651, BankKind.UNIDENTIFIED),
        (649, -649, BankKind.UNIDENTIFIED),
    ],
)
def test_a_batch_below_zero_is_taken_from_our_account_and_nothing_else_is(open_minor, taken_minor, kind):
    batch = OpenBatch("provider:alpha:in_transit", "alpha", "B-1", open_minor)
    for line in (BankLine(taken_minor, batch_reference="B-1"), BankLine(taken_minor, remittance="Net of B-1")):
        found = match_entry(line, expected(batch))
        assert found.kind is kind
        if kind is BankKind.SETTLEMENT_RECEIVED:
            assert [(one.item, one.amount_minor) for one in found.cleared] == [("B-1", -649)]


def test_one_wrong_sum_over_two_batches_is_for_a_person():
    other = OpenBatch("provider:alpha:in_transit", "alpha", "B-2", 5_000)
    assert match_entry(BankLine(15_000, remittance="B-1 B-2"), expected(BATCH, other)).outcome is MatchOutcome.MATCHED
    assert match_entry(BankLine(14_000, remittance="B-1 B-2"), expected(BATCH, other)).kind is BankKind.UNIDENTIFIED


@pytest.mark.parametrize(
    ("tolerance", "expected_minor", "actual_minor", "allowed"),
    [
        (EXACT, 100, 100, True), (EXACT, 100, 101, False), (EXACT, -100, -100, True),
        (Tolerance(above_minor=2), 100, 102, True), (Tolerance(above_minor=2), 100, 99, False),
        (Tolerance(below_minor=2), 100, 98, True), (Tolerance(below_minor=2), -100, -98, True),
        (Tolerance(above_basis_points=100), 10_000, 10_100, True),
        (Tolerance(above_basis_points=100), 10_000, 10_101, False),
        (Tolerance(above_minor=1, above_basis_points=100), 10, 11, True),
    ],
)  # fmt: skip
def test_a_tolerance_has_two_sides_and_two_measures(tolerance, expected_minor, actual_minor, allowed):
    assert tolerance.allows(expected_minor, actual_minor) is allowed


@pytest.mark.parametrize(
    ("gross", "expected_fee"), [(10_000, (150, 8)), (33, (0, 0)), (34, (1, 0)), (10_033, (150, 8)), (0, (0, 0))]
)
def test_a_contracts_fee_is_rounded_half_up(gross, expected_fee):
    assert FeeTerms(basis_points=150).expected(gross) == expected_fee


SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("payable", "unproven", "terms", "amount", "held"),
    [
        (10_000, 0, PayoutTerms(), 10_000, None),
        (10_000, 4_000, PayoutTerms(), 6_000, None),
        (10_000, 10_000, PayoutTerms(), 0, Held.NOTHING_DUE),
        (-500, 0, PayoutTerms(), 0, Held.NEGATIVE),
        (100, 300, PayoutTerms(), 0, Held.NEGATIVE),
        (10_000, 0, PayoutTerms(minimum_minor=10_001), 0, Held.BELOW_MINIMUM),
        (10_000, 0, PayoutTerms(holdback_minor=1_000), 9_000, None),
        (10_000, 9_500, PayoutTerms(holdback_minor=1_000), 0, Held.NOTHING_DUE),
        (10_000, 0, PayoutTerms(schedule=Schedule.WEEKLY, weekday=6), 10_000, None),
        (10_000, 0, PayoutTerms(schedule=Schedule.WEEKLY, weekday=0), 0, Held.NOT_TODAY),
        (10_000, 0, None, 0, Held.NO_ACCOUNT),
        (0, 0, None, 0, Held.NOTHING_DUE),
    ],
)
def test_what_a_department_is_paid(payable, unproven, terms, amount, held):
    found = due(payable, unproven, terms, SUNDAY)
    assert (found.amount_minor, found.held) == (amount, held)


@pytest.mark.parametrize(
    ("days_since_draft", "held"),
    [(None, Held.NOT_TODAY), (1, Held.NOT_TODAY), (2, Held.NOT_TODAY), (3, None), (6, None), (30, None)],
)
def test_a_payday_that_was_left_out_is_made_good_by_the_next_draft(days_since_draft, held):
    """It is Sunday; the payday was Friday."""
    before = days_since_draft and SUNDAY - timedelta(days=days_since_draft)
    assert due(10_000, 0, PayoutTerms(schedule=Schedule.WEEKLY, weekday=4), SUNDAY, before).held is held


@given(payable=MINOR, unproven=st.integers(0, 10**12), holdback=st.integers(0, 10**9), minimum=st.integers(1, 10**9))
def test_no_payout_exceeds_what_is_proven_or_leaves_less_than_held_back(payable, unproven, holdback, minimum):
    found = due(payable, unproven, PayoutTerms(minimum_minor=minimum, holdback_minor=holdback), SUNDAY)
    assert found.amount_minor >= 0
    assert (found.amount_minor > 0) == (found.held is None)
    if found.amount_minor:
        assert found.amount_minor >= minimum
        assert payable - found.amount_minor == unproven + holdback


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (PayoutReport(PayoutStatus.RECEIVED), {"a": PayoutStatus.RECEIVED, "b": PayoutStatus.RECEIVED}),
        (PayoutReport(PayoutStatus.ACCEPTED), {"a": PayoutStatus.ACCEPTED, "b": PayoutStatus.ACCEPTED}),
        (PayoutReport(PayoutStatus.REJECTED), {"a": PayoutStatus.REJECTED, "b": PayoutStatus.REJECTED}),
        (PayoutReport(PayoutStatus.ACCEPTED, {"b": PayoutStatus.REJECTED}),
         {"a": PayoutStatus.ACCEPTED, "b": PayoutStatus.REJECTED}),
    ],
)  # fmt: skip
def test_each_line_has_its_own_word_or_the_files(report, words):
    assert line_words(report, ["a", "b"]) == words


def test_every_break_says_itself_in_both_languages_with_the_same_words():
    fields = string.Formatter()
    for kind in BreakType:
        english, arabic = MEANINGS[kind].sentence
        assert {f for _, f, _, _ in fields.parse(english) if f} == {f for _, f, _, _ in fields.parse(arabic) if f}, kind
        assert MEANINGS[kind].suggested
        for language in Language:
            assert title(kind, language)
            assert suggestions(kind, language)
            assert sentence(kind, {}, language)


def test_arabic_sentences_isolate_what_is_written_left_to_right():
    said = sentence(BreakType.AMOUNT, {"theirs": "AED -1.00", "reference": "2026-0042-GP/7781"}, Language.ARABIC)
    assert "\u2066AED -1.00\u2069" in said
    assert "\u20662026-0042-GP/7781\u2069" in said


@pytest.mark.parametrize("table", [WORDS, KINDS, STATUSES, REASONS, ACTION_WORDS, HELD_WORDS])
def test_every_word_is_in_both_languages(table):
    for english, arabic in table.values():
        assert english.isascii()
        assert any("\u0621" <= letter <= "\u064a" for letter in arabic)
        assert not any("\u0621" <= letter <= "\u064a" for letter in english)


def test_every_rule_explains_itself_and_none_is_of_amount_alone():
    for rule in RULES:
        assert set(rule.keys) - {"amount"}
        assert rule.leg in Leg
        for language in Language:
            assert "X-1" in explain(rule.name, "X-1", language)


def test_every_kind_of_line_and_every_action_is_known():
    assert {*SETTLED_KINDS, "adjustment", "payout", "other"} == {kind.value for kind in LineKind}
    assert set(ACTION_WORDS) == set(Action)
    assert set(BREAK_OF) < set(MatchOutcome)


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, "0–1"), (1, "0–1"), (2, "2–3"), (7, "4–7"), (8, "8–14"), (30, "15–30"), (31, ">30"), (-3, "0–1")],
)
def test_ages_fall_into_bands(days, band):
    assert age_band(date(2026, 1, 1), date.fromordinal(date(2026, 1, 1).toordinal() + days)) == band


@given(st.text(string.ascii_uppercase + string.digits, max_size=34))
def test_an_iban_is_sound_only_by_its_check_digits(text):
    if iban_is_sound(text):
        changed = text[:-1] + ("0" if text[-1] != "0" else "1")
        assert not iban_is_sound(changed)
