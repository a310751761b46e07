"""A finance person follows a payment to its bank lines, and a payout line to its own, with one command."""

import pytest

from adapters.contract import PayoutReport, PayoutStatus
from reconciliation.breaks import Language
from reconciliation.errors import NotFoundError
from reconciliation.follow import follow
from reconciliation.store.following import LINES_OF_ITEMS

from .conftest import MONDAY, TUESDAY, entry, line, settlement

RECEIVABLES, ITEMS = "ARRAY['provider:alpha:receivable']", "ARRAY['pa_1']"


async def told(world, asked, language=Language.ENGLISH):
    return [
        "  ".join(one for one in (step.label, step.words, step.evidence) if one)
        for step in await follow(world.deps, asked, language)
    ]


@pytest.fixture
async def paid(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "7.00"), day=MONDAY)
    world.provider.put(settlement([line(1, "O-pa_0", "1.00"), line(2, "O-pa_1", "100.00", fee="2.00")]))
    await world.night()
    (line_id,) = world.bank.instructed()
    world.bank.state(
        entry("99.00", batch="BATCH-1", day=MONDAY), entry("-100.00", end_to_end=line_id, day=MONDAY), day=MONDAY
    )
    await world.night(MONDAY)
    return world, line_id


async def test_a_payment_is_followed_to_its_bank_line_and_its_payouts_bank_line(paid):
    world, line_id = paid
    found = await told(world, "pi_pa_1")
    in_order = [
        "Payment  pi_pa_1",
        "capture:pa_1",
        "Debit  AED 100.00  provider:alpha:receivable pa_1",
        "Credit  AED 100.00  department:traffic:payable",
        "Settled  File, Line  alpha 1 alpha-BATCH-1.csv:2  AED 100.00",
        "BATCH-1",
        "Bank line  1 camt053-0001.xml:1  2026-11-23  AED 99.00",
        f"{line_id}  AED 100.00  traffic",
        "mizan report remittance --department traffic --date 2026-11-22",
        f"payout:{line_id}",
        "Bank line  1 camt053-0001.xml:2  2026-11-23  AED -100.00",
    ]
    at = -1
    for part in in_order:
        at = next(number for number in range(at + 1, len(found)) if part in found[number])
    assert await told(world, "pa_1") == found
    assert await told(world, line_id) == found[next(n for n, one in enumerate(found) if line_id in one) :]


async def test_what_has_not_come_yet_is_said(paid):
    world, _ = paid
    found = await told(world, "pi_pa_2")
    assert found[-1].startswith("Payout  Held back or not proven yet")
    assert not any("Bank line" in one for one in found)
    with pytest.raises(NotFoundError, match="the books know no payment"):
        await told(world, "pi_none")


async def test_a_payout_that_was_rejected_is_followed_to_the_one_that_paid_it(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    await world.night()
    (first,) = world.bank.instructed()
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.ACCEPTED, {first: PayoutStatus.REJECTED}, "AM05")
    await world.night(step="confirm")
    await world.night(TUESDAY)
    (second,) = set(world.bank.instructed()) - {first}

    found = await told(world, "pi_pa_1", Language.ARABIC)
    payouts = [one for one in found if one.startswith("\u0627\u0644\u062a\u062d\u0648\u064a\u0644")]
    assert [first in payouts[0], second in payouts[1], len(payouts)] == [True, True, 2]
    assert "\u0627\u0644\u0628\u0646\u0643" in payouts[0]


async def test_lines_are_found_by_keys_however_many_there_are(paid):
    """Whatever the planner thinks of tables this small, there is a way that walks none of them."""
    world, _ = paid
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch(
            f"EXPLAIN {LINES_OF_ITEMS.replace('$1::text[]', RECEIVABLES).replace('$2::text[]', ITEMS)}"
        )
    text = "\n".join(row[0] for row in plan)
    for name in ("settlement_line_provider_reference", "settlement_line_by_our_reference", "match_entry_item"):
        assert name in text
    assert "Seq Scan on settlement_line" not in text
    assert "Seq Scan on match_entry" not in text


@pytest.mark.parametrize("reference", ["O-pa_3", None], ids=["theirs", "ours"])
async def test_a_line_is_found_whoever_s_reference_it_carries(paid, reference):
    world, _ = paid
    await world.capture("pa_3", ("traffic", "3.00"), day=MONDAY)
    late = line(1, reference, "3.00", reference=None if reference else "pa_3")
    world.provider.put(settlement([late], day=TUESDAY, batch="BATCH-2"), TUESDAY)
    await world.night(TUESDAY)
    assert "Settled  File, Line  alpha 2 alpha-BATCH-2.csv:1  AED 3.00" in await told(world, "pi_pa_3")


async def test_a_line_found_later_is_followed_too(paid):
    world, _ = paid
    await world.capture("pa_0", ("traffic", "1.00"), day=MONDAY)
    await world.night(TUESDAY)
    assert "Settled  File, Line  alpha 1 alpha-BATCH-1.csv:1  AED 1.00" in await told(world, "pi_pa_0")
