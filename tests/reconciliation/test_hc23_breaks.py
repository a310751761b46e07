"""HC-18, HC-23, HC-24: each difference is one typed break; a timing difference is none until it is due."""

from datetime import timedelta

import pytest

from adapters.contract import LineKind
from ledger.accounts import SUSPENSE_UNIDENTIFIED
from ledger.entry import Entry, credit, debit
from reconciliation.payout_terms import Proof
from reconciliation.provider_terms import FeeTerms, ProviderTerms

from .conftest import MONDAY, SUNDAY, TUESDAY, aed, entry, line, settlement, sign


async def test_hc23_settled_what_we_never_saw(world):
    world.provider.put(settlement([line(7, "O-stranger", "50.00", fee="1.00")]))
    world.bank.state(entry("49.00", batch="BATCH-1"))

    await world.night()

    assert await world.breaks() == [("missing_in_books", "alpha:1:7", "50.00")]
    assert await world.balances() == {
        "bank:main:cash": "49.00",
        "suspense:unidentified": "-50.00",
        "treasury:provider_fees": "1.00",
    }


async def test_hc23_what_we_learn_of_later_leaves_suspense(world):
    world.provider.put(settlement([line(7, "O-pa_late", "50.00")]))
    await world.night()
    await world.capture("pa_late", ("traffic", "50.00"))

    world.clock.advance(hours=1)
    await world.night()

    assert await world.breaks() == []
    assert await world.journals("settled_line_identified") == [
        "rematch:alpha:1:7 | suspense:unidentified | 50.00 | alpha:1:7",
        "rematch:alpha:1:7 | provider:alpha:receivable | -50.00 | pa_late",
    ]
    versions = await world.pool.fetch("SELECT version, outcome, rule, score FROM reconciliation.match ORDER BY version")
    assert [tuple(row) for row in versions] == [(1, "missing_in_books", None, 0), (2, "matched", "found_later", 90)]
    assert await world.balances() == {"department:traffic:payable": "-50.00", "provider:alpha:in_transit": "50.00"}


async def test_hc23_never_settled_is_timing_until_it_is_due(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([]))
    await world.night()
    assert await world.breaks() == []

    world.provider.put(settlement([], day=MONDAY, batch="BATCH-2"), MONDAY)
    await world.night(MONDAY)
    assert await world.breaks() == [("missing_at_provider", "pa_1", "100.00")]

    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], day=TUESDAY, batch="BATCH-3"), TUESDAY)
    await world.night(TUESDAY)
    assert ("missing_at_provider", "pa_1", "100.00") not in await world.breaks()
    assert ("missing_at_provider", "pa_1", "100.00") in await world.breaks(standing=False)


async def test_hc23_settled_twice_in_one_file_and_in_a_later_one(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_1", "100.00")]))
    await world.night()
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], batch="BATCH-2", day=MONDAY), MONDAY)

    await world.night(MONDAY)

    duplicates = [found for found in await world.breaks() if found[0] == "duplicate"]
    assert duplicates == [("duplicate", "alpha:1:2", "100.00"), ("duplicate", "alpha:2:1", "100.00")]
    assert await world.balances() == {
        "department:traffic:payable": "-100.00",
        "provider:alpha:in_transit": "300.00",
        "suspense:unidentified": "-200.00",
    }


@pytest.mark.parametrize(("settled", "left", "value"), [("99.00", "1.00", "-1.00"), ("101.00", "-1.00", "1.00")])
async def test_hc23_another_amount_clears_what_came_and_leaves_the_rest_open(world, settled, left, value):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", settled)]))

    await world.night()

    assert await world.breaks() == [("amount", "pa_1", value)]
    assert await world.balances() == {
        "department:traffic:payable": "-100.00",
        "provider:alpha:in_transit": settled,
        "provider:alpha:receivable": left,
    }


async def test_hc23_another_currency_is_never_matched(world):
    await world.capture("pa_1", ("traffic", "100.00"), currency="USD")
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))

    await world.night()

    assert await world.breaks() == [
        ("currency", "alpha:1:1", "100.00"),
        ("owed_in_other_currency", "traffic:USD", "100.00"),
    ]
    detail = await world.pool.fetchval("SELECT detail::text FROM reconciliation.break WHERE type = 'currency'")
    assert '"ours": "USD 100.00"' in detail
    assert '"theirs": "AED 100.00"' in detail
    assert (await world.balances("USD"))["provider:alpha:receivable"] == "100.00"


async def test_hc23_a_fee_that_is_not_the_contracts(world):
    fees = FeeTerms(basis_points=150, fixed_minor=0, vat_basis_points=500, tolerance_minor=1)
    await sign(world.deps, "alpha", ProviderTerms(settlement_days=1, fees=fees), SUNDAY)
    for attempt in ("pa_1", "pa_2", "pa_3"):
        await world.capture(attempt, ("traffic", "100.00"))
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"),
            line(2, "O-pa_2", "100.00", fee="1.50", vat="0.09"),  # off by one, within the tolerance
            line(3, "O-pa_3", "100.00", fee="2.50", vat="0.13"),
        ])
    )  # fmt: skip

    await world.night()

    assert await world.breaks() == [("fee", "alpha:1:3", "1.05")]


async def test_hc23_a_line_off_by_one_goes_to_rounding(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00", fee="1.00", net="99.01")]))

    await world.night()

    assert await world.balances() == {
        "department:traffic:payable": "-100.00",
        "provider:alpha:in_transit": "99.01",
        "treasury:provider_fees": "1.00",
        "treasury:rounding": "-0.01",
    }


async def test_hc23_a_refund_the_provider_never_settles(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    assert await world.breaks() == []

    await world.night(MONDAY)

    assert ("refund_not_settled", "re_1", "-30.00") in await world.breaks()


async def test_hc23_two_refunds_of_one_order_are_told_apart(world):
    await world.refund("re_1", "traffic", "30.00")
    await world.refund("re_2", "traffic", "20.00")
    world.provider.put(
        settlement([
            line(1, None, "-20.00", kind=LineKind.REFUND, reference="re_2"),
            line(2, "R-re_1", "-30.00", kind=LineKind.REFUND),
        ])
    )  # fmt: skip

    await world.night()

    assert await world.breaks() == []
    matched = await world.pool.fetch("SELECT line, item, rule FROM reconciliation.match ORDER BY line")
    assert [tuple(row) for row in matched] == [(1, "re_2", "our_reference"), (2, "re_1", "provider_reference")]


async def test_hc23_a_chargeback_is_a_dispute_and_its_department_waits(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "50.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "50.00")]))
    world.provider.put(
        settlement([line(1, "O-pa_1", "-100.00", kind=LineKind.CHARGEBACK)], batch="BATCH-2", name="second.csv")
    )

    await world.night()

    assert await world.breaks() == [("chargeback", "pa_1", "-100.00")]
    assert (await world.balances())["disputes:receivable"] == "100.00"
    assert [str(amount) for amount in world.bank.instructed().values()] == ["AED 50.00"]


async def test_hc23_a_word_nobody_knows_is_a_break_and_never_skipped(world):
    world.provider.put(
        settlement([
            line(1, None, "-3.00", kind=LineKind.OTHER, raw_kind="SURPRISE"),
            line(2, None, "0", fee="2.00", kind=LineKind.FEE),
        ])
    )  # fmt: skip

    await world.night()

    assert await world.breaks() == [("unknown_line", "alpha:1:1", "-3.00")]
    assert await world.balances() == {
        "provider:alpha:in_transit": "-5.00",
        "suspense:unidentified": "3.00",
        "treasury:provider_fees": "2.00",
    }


async def test_hc23_reported_as_paid_and_not_at_the_bank(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], credit_on=MONDAY))
    world.bank.state()
    await world.night()
    assert await world.breaks() == []
    world.bank.state(day=MONDAY)

    await world.night(MONDAY)
    assert await world.breaks() == [("missing_at_bank", "BATCH-1", "100.00")]

    world.bank.state(entry("100.00", batch="BATCH-1", day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)
    assert "missing_at_bank" not in [kind for kind, _, _ in await world.breaks()]


async def test_hc24_a_credit_nobody_expected_waits_in_suspense(world):
    world.bank.state(entry("12.34", remittance="rent?"), entry("-5.00", remittance="monthly charge"))

    await world.night()

    assert await world.breaks() == [("unknown_bank_credit", "1:1", "12.34"), ("unknown_bank_debit", "1:2", "-5.00")]
    assert await world.balances() == {"bank:main:cash": "7.34", "suspense:unidentified": "-7.34"}
    await world.assert_books_hold()


async def test_hc24_never_on_the_amount_alone(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", remittance="the very same amount"))

    await world.night()

    assert [kind for kind, _, _ in await world.breaks()] == ["unknown_bank_credit"]
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"


async def test_hc24_a_credit_that_is_not_the_batchs_total_leaves_the_rest_open(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("60.00", remittance="SETTLEMENT BATCH-1 MERCHANT 42"))
    await world.night()
    assert await world.breaks() == [("bank_amount", "BATCH-1", "-40.00")]
    assert (await world.balances())["provider:alpha:in_transit"] == "40.00"

    world.bank.state(entry("40.00", batch="BATCH-1", day=MONDAY), day=MONDAY)
    await world.night(MONDAY)

    assert "bank_amount" not in [kind for kind, _, _ in await world.breaks()]
    assert "provider:alpha:in_transit" not in await world.balances()


async def test_hc24_net_off_by_one_is_rounding_and_said(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("99.99", batch="BATCH-1"))

    await world.night()

    assert await world.breaks() == [("rounding", "1:1", "-0.01")]
    assert await world.balances() == {
        "bank:main:cash": "99.99",
        "department:traffic:payable": "-100.00",
        "treasury:rounding": "0.01",
    }


async def test_hc24_one_credit_for_two_batches(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "50.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], batch="B-1"))
    world.provider.put(settlement([line(1, "O-pa_2", "50.00")], batch="B-2", name="second.csv"))
    world.bank.state(entry("150.00", remittance="B-1 and B-2, not B-11"))

    await world.night()

    assert await world.breaks() == []
    assert await world.balances() == {"bank:main:cash": "150.00", "department:traffic:payable": "-150.00"}


async def test_hc24_a_credit_that_came_before_its_file_is_named_when_the_file_comes(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    assert [kind for kind, _, _ in await world.breaks()] == ["unknown_bank_credit"]

    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night(MONDAY)

    assert await world.journals("bank_credit_identified") == [
        "rematch:bank:1:1 | suspense:unidentified | 100.00 | 1:1",
        "rematch:bank:1:1 | provider:alpha:in_transit | -100.00 | BATCH-1",
    ]
    assert "unknown_bank_credit" not in [kind for kind, _, _ in await world.breaks()]


async def test_hc18_a_refund_of_one_line_moves_only_that_departments_money(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "33.34"), ("health", "33.33"), ("courts", "33.33"))
    await world.refund("re_1", "health", "33.33")
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "R-re_1", "-33.33", kind=LineKind.REFUND)]))

    await world.night()

    assert [str(amount) for amount in world.bank.instructed().values()] == ["AED 33.34"]
    assert await world.breaks(payees=True) == [("payee_missing", "courts:AED", "33.33")]


async def test_a_late_payment_is_somebodys_work_until_it_is_accepted_and_then_it_is_paid_out(world):
    await world.payee("traffic")
    await world.capture_late("pa_1", "80.00")
    world.provider.put(settlement([line(1, "O-pa_1", "80.00")]))
    await world.night()
    assert await world.breaks() == [("late_payment", "pa_1", "-80.00")]
    assert world.bank.instructed() == {}

    await world.accept_late("pa_1", "traffic", "80.00", day=MONDAY)
    await world.night(MONDAY)

    assert "late_payment" not in [kind for kind, _, _ in await world.breaks()]
    assert [str(amount) for amount in world.bank.instructed().values()] == ["AED 80.00"]


async def test_a_late_payment_accepted_before_it_is_settled_is_not_paid_out_yet(world):
    await world.payee("traffic")
    await world.capture_late("pa_1", "80.00")
    await world.accept_late("pa_1", "traffic", "80.00")

    await world.night()

    assert world.bank.instructed() == {}
    assert SUNDAY in world.provider.asked


async def test_hc23_more_settled_than_was_collected_and_learned_of_later(world):
    world.provider.put(settlement([line(1, "O-pa_1", "110.00")]))
    await world.night()
    await world.capture("pa_1", ("traffic", "100.00"), day=MONDAY)

    await world.night(MONDAY)

    assert ("amount", "pa_1", "10.00") in await world.breaks()
    assert (await world.balances())["provider:alpha:receivable"] == "-10.00"


async def test_hc21_cash_that_is_not_the_statements_is_a_break(world):
    await world.post(
        Entry(
            "adjustment:1", "manual_adjustment", SUNDAY, world.clock(),
            (debit("bank:main:cash", aed("3.00")), credit(SUSPENSE_UNIDENTIFIED, aed("3.00"), "adjustment:1")),
        )
    )  # fmt: skip
    world.bank.state(opening=aed("3.00"), closing=aed("3.00"))
    world.bank.balance = aed("3.00")
    await world.night()
    assert await world.breaks() == [("unknown_bank_credit", "adjustment:1", "3.00")]  # cash agrees; whose is it?
    await world.post(
        Entry(
            "adjustment:2", "manual_adjustment", MONDAY, world.clock(),
            (debit("bank:main:cash", aed("4.00")), credit(SUSPENSE_UNIDENTIFIED, aed("4.00"), "adjustment:2")),
        )
    )  # fmt: skip
    world.bank.state(day=MONDAY)
    await world.night(MONDAY)
    assert ("bank_balance", "main:2", "-4.00") in await world.breaks()


async def test_hc24_a_payout_no_statement_shows_is_a_break_when_it_is_due(world):
    await world.payee("traffic", proof=Proof.CAPTURED)
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state()
    await world.night()
    (line_id,) = world.bank.instructed()
    for day in (MONDAY, TUESDAY):
        world.bank.state(day=day)
        await world.night(day)
    assert ("payout_not_confirmed", line_id, "100.00") not in await world.breaks()
    day = TUESDAY + timedelta(days=1)
    world.bank.state(day=day)
    await world.night(day)
    assert ("payout_not_confirmed", line_id, "100.00") in await world.breaks()
