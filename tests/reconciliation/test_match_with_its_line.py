"""A match that is as expected stands with its line; any other is an entry of its own; one view shows both."""

from __future__ import annotations

import asyncpg
import pytest

from ledger.audit import verify
from reconciliation.breaks import Language
from reconciliation.matching import Leg
from reconciliation.nightly import run_night
from reconciliation.unmatch import read_match

from .conftest import SUNDAY, entry, line, settlement

MATCHES = "SELECT line, version, outcome, rule, account, item, payment, expected_minor, variance_minor, score"
RECEIVABLE = "provider:alpha:receivable"


async def matches(world, source: str = "match"):
    rows = await world.pool.fetch(
        f"{MATCHES} FROM reconciliation.{source} WHERE leg = 'provider' ORDER BY line, version"
    )
    return [tuple(row) for row in rows]


async def a_file_of_three(world) -> None:
    """One line by the provider's reference, one by ours, one short."""
    for item in ("pa_1", "pa_2", "pa_3"):
        await world.capture(item, ("traffic", "100.00"))
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00"),
            line(2, None, "100.00", reference="pa_2"),
            line(3, "O-pa_3", "90.00"),
        ])
    )  # fmt: skip
    world.bank.state(entry("290.00", batch="BATCH-1"))


AS_MATCHED = [
    (1, 1, "matched", "provider_reference", RECEIVABLE, "pa_1", "pi_pa_1", 10_000, 0, 100),
    (2, 1, "matched", "our_reference", RECEIVABLE, "pa_2", "pi_pa_2", 10_000, 0, 95),
    (3, 1, "amount", "provider_reference", RECEIVABLE, "pa_3", "pi_pa_3", 10_000, -1_000, 100),
]


async def test_one_view_shows_the_matches_of_lines_and_the_entries_of_their_own(world):
    await a_file_of_three(world)

    await world.night()

    assert await matches(world) == await matches(world, "current_match") == AS_MATCHED
    assert await matches(world, "match_entry") == AS_MATCHED[2:]
    (found,) = await read_match(world.deps, Leg.PROVIDER, 1, 2)
    assert found.sentence(Language.ENGLISH) == "The line carries our reference pa_2."


async def test_a_match_kept_apart_as_it_was_before_is_posted_alike(world, owner):
    await a_file_of_three(world)
    await run_night(world.deps, SUNDAY, step="settlements")
    await owner.execute("""
      INSERT INTO reconciliation.match_entry SELECT * FROM reconciliation.match m WHERE m.outcome = 'matched';
      UPDATE reconciliation.settlement_line SET rule = NULL, item = NULL, payment = NULL, score = NULL""")

    await world.night()

    assert await matches(world) == await matches(world, "match_entry") == AS_MATCHED
    assert (await world.balances())[RECEIVABLE] == "10.00"
    assert await world.journals("payment_settled") == [
        "settle:alpha:1:1-5000 | provider:alpha:in_transit | 200.00 | BATCH-1",
        "settle:alpha:1:1-5000 | provider:alpha:receivable | -100.00 | pa_1",
        "settle:alpha:1:1-5000 | provider:alpha:receivable | -100.00 | pa_2",
        "settle:alpha:1:3 | provider:alpha:in_transit | 90.00 | BATCH-1",
        "settle:alpha:1:3 | provider:alpha:receivable | -90.00 | pa_3",
    ]
    async with world.pool.acquire() as connection:
        assert (await verify(connection)).findings == []


async def test_of_lines_for_one_item_the_first_settles_it_however_it_was_found(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(
        settlement([
            line(1, None, "100.00", reference="pa_1"), line(2, "O-pa_1", "100.00"), line(3, "O-pa_1", "100.00"),
        ])
    )  # fmt: skip

    await world.night()

    assert [(number, outcome, rule) for number, _, outcome, rule, *_ in await matches(world)] == [
        (1, "matched", "our_reference"), (2, "duplicate", "provider_reference"), (3, "duplicate", "provider_reference"),
    ]  # fmt: skip


async def test_of_items_with_one_reference_the_amount_chooses(world):
    await world.capture("pa_1", ("traffic", "100.00"), order="O-7")
    await world.capture("pa_2", ("traffic", "60.00"), order="O-7")
    world.provider.put(settlement([line(1, "O-7", "60.00"), line(2, "O-stranger", "5.00")]))

    await world.night()

    assert [(one[0], one[2], one[5]) for one in await matches(world)] == [
        (1, "matched", "pa_2"), (2, "missing_in_books", "alpha:1:2"),
    ]  # fmt: skip


async def test_no_match_is_undone_that_there_is_not(world):
    await a_file_of_three(world)
    await world.night()
    propose = """
      INSERT INTO reconciliation.unmatch (id, leg, file_no, line, version, reason, maker, made_at)
      VALUES ($1, 'provider', 1, $2, $3, 'the wrong payment', 'huda', '2026-11-22T22:00Z')"""

    for number, version in ((1, 2), (4, 1)):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await world.pool.execute(propose, "um_1", number, version)
    for number in (1, 3):
        await world.pool.execute(propose, f"um_{number}", number, 1)
