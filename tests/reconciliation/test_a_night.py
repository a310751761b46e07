"""One plain day and its night, as a bookkeeper would write it."""

from adapters.contract import LineKind

from .conftest import MONDAY, SUNDAY, aed, entry, line, settlement


async def test_a_night_settles_receives_and_pays(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"),
            line(2, "O-pa_2", "100.00", fee="1.50", vat="0.08"),
            line(3, "R-re_1", "-30.00", kind=LineKind.REFUND),
        ])
    )  # fmt: skip
    world.bank.state(entry("166.84", batch="BATCH-1"))

    summary = await world.night()

    assert await world.journals("payment_settled", "refund_settled", "settlement_received") == [
        "settle:alpha:1:1-5000 | provider:alpha:in_transit | 196.84 | BATCH-1",
        "settle:alpha:1:1-5000 | treasury:provider_fees | 3.00 |",
        "settle:alpha:1:1-5000 | treasury:provider_fees_vat | 0.16 |",
        "settle:alpha:1:1-5000 | provider:alpha:receivable | -100.00 | pa_1",
        "settle:alpha:1:1-5000 | provider:alpha:receivable | -100.00 | pa_2",
        "settle:alpha:1:3 | provider:alpha:in_transit | -30.00 | BATCH-1",
        "settle:alpha:1:3 | provider:alpha:refunds_in_transit | 30.00 | re_1",
        "bank:1:1 | bank:main:cash | 166.84 |",
        "bank:1:1 | provider:alpha:in_transit | -166.84 | BATCH-1",
    ]
    assert await world.balances() == {
        "bank:main:cash": "166.84",
        "department:health:payout_in_transit": "-40.00",
        "department:traffic:payout_in_transit": "-130.00",
        "treasury:provider_fees": "3.00",
        "treasury:provider_fees_vat": "0.16",
    }
    assert await world.breaks() == []
    assert sorted(str(amount) for amount in world.bank.instructed().values()) == ["AED 130.00", "AED 40.00"]
    assert summary.steps["match"]["lines_posted"] == 3
    await world.assert_books_hold()


async def test_the_next_mornings_statement_confirms_each_payout(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    (line_id,) = world.bank.instructed()
    world.bank.state(entry("-100.00", end_to_end=line_id, day=MONDAY), day=MONDAY)

    await world.night(MONDAY)

    assert await world.journals("payout_instructed", "payout_paid") == [
        f"payout:{line_id} | department:traffic:payable | 100.00 |",
        f"payout:{line_id} | department:traffic:payout_in_transit | -100.00 | {line_id}",
        "bank:2:1 | bank:main:cash | -100.00 |",
        f"bank:2:1 | department:traffic:payout_in_transit | 100.00 | {line_id}",
    ]
    assert await world.balances() == {}
    statuses = await world.pool.fetch(
        "SELECT b.status AS batch, l.status, l.paid_on FROM reconciliation.payout_line l"
        " JOIN reconciliation.payout_batch b ON b.id = l.batch_id"
    )
    assert [tuple(row) for row in statuses] == [("confirmed", "paid", MONDAY)]
    await world.assert_books_hold()


async def test_running_the_night_again_changes_nothing(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "50.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-stranger", "7.00")]))
    world.bank.state(entry("107.00", batch="BATCH-1"), entry("3.00", remittance="hello"))
    await world.night()
    before = await world.everything()

    for step in (None, "settlements", "statements", "match", "breaks", "payouts", "confirm", None):
        world.clock.advance(minutes=5)
        await world.night(step=step)

    assert await world.everything() == before
    assert aed("100.00") in world.bank.instructed().values()
    assert SUNDAY in world.provider.asked


async def test_a_day_of_refunds_is_taken_from_our_account(world):
    """More given back than paid: the provider's batch is below zero, and the bank shows a debit under its reference."""
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))
    await world.night()
    await world.refund("re_1", "traffic", "30.00")
    day = settlement([line(1, "R-re_1", "-30.00", kind=LineKind.REFUND)], batch="BATCH-2", day=MONDAY)
    world.provider.put(day, day=MONDAY)
    world.bank.state(entry("-30.00", batch="BATCH-2", day=MONDAY), day=MONDAY)

    await world.night(MONDAY)

    assert (await world.journals("settlement_received"))[-2:] == [
        "bank:2:1 | bank:main:cash | -30.00 |",
        "bank:2:1 | provider:alpha:in_transit | 30.00 | BATCH-2",
    ]
    assert "unknown_bank_debit" not in [kind for kind, _, _ in await world.breaks()]
    await world.assert_books_hold()
