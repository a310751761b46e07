"""Payments that a provider settled as expected stand together in one journal for a part of its file."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.audit import verify
from ledger.decisions import set_floor
from ledger.money import Money
from reconciliation import settled_lines
from reconciliation.breaks import Language
from reconciliation.matching import Leg
from reconciliation.nightly import run_night
from reconciliation.reports.catalogue import Format, build_report, render
from reconciliation.settled_lines import LINES_TOGETHER, SettledLines, lines_around, settled_lines_entry
from reconciliation.unmatch import decide_unmatch, propose_unmatch

from .conftest import MONDAY, SUNDAY, entry, line, settlement
from .killing import Deathbed, Killed, MortalPool
from .test_pure import BOOKING


@pytest.fixture
def by_threes(monkeypatch):
    monkeypatch.setattr(settled_lines, "LINES_TOGETHER", 3)


async def a_file_of_eight(world) -> None:
    """Eight lines: six as expected, one stranger in the middle, one short."""
    await world.payee("traffic")
    for number in (1, 2, 3, 5, 6, 7, 8):
        await world.capture(f"pa_{number}", ("traffic", "100.00"))
    world.provider.put(
        settlement([
            *(line(number, f"O-pa_{number}", "100.00", fee="1.00", vat="0.05") for number in (1, 2, 3)),
            line(4, "O-stranger", "7.00"),
            line(5, "O-pa_5", "100.00", fee="1.00", vat="0.05"),
            line(6, "O-pa_6", "90.00", fee="1.00", vat="0.05"),
            *(line(number, f"O-pa_{number}", "100.00", fee="1.00", vat="0.05") for number in (7, 8)),
        ])
    )  # fmt: skip
    world.bank.state(entry("689.65", batch="BATCH-1"))


AS_BOOKED = [
    "settle:alpha:1:1-3 | provider:alpha:in_transit | 296.85 | BATCH-1",
    "settle:alpha:1:1-3 | treasury:provider_fees | 3.00 |",
    "settle:alpha:1:1-3 | treasury:provider_fees_vat | 0.15 |",
    "settle:alpha:1:1-3 | provider:alpha:receivable | -100.00 | pa_1",
    "settle:alpha:1:1-3 | provider:alpha:receivable | -100.00 | pa_2",
    "settle:alpha:1:1-3 | provider:alpha:receivable | -100.00 | pa_3",
    "settle:alpha:1:4 | provider:alpha:in_transit | 7.00 | BATCH-1",
    "settle:alpha:1:4 | suspense:unidentified | -7.00 | alpha:1:4",
    "settle:alpha:1:5 | provider:alpha:in_transit | 98.95 | BATCH-1",
    "settle:alpha:1:5 | treasury:provider_fees | 1.00 |",
    "settle:alpha:1:5 | treasury:provider_fees_vat | 0.05 |",
    "settle:alpha:1:5 | provider:alpha:receivable | -100.00 | pa_5",
    "settle:alpha:1:6 | provider:alpha:in_transit | 88.95 | BATCH-1",
    "settle:alpha:1:6 | treasury:provider_fees | 1.00 |",
    "settle:alpha:1:6 | treasury:provider_fees_vat | 0.05 |",
    "settle:alpha:1:6 | provider:alpha:receivable | -90.00 | pa_6",
    "settle:alpha:1:7-9 | provider:alpha:in_transit | 197.90 | BATCH-1",
    "settle:alpha:1:7-9 | treasury:provider_fees | 2.00 |",
    "settle:alpha:1:7-9 | treasury:provider_fees_vat | 0.10 |",
    "settle:alpha:1:7-9 | provider:alpha:receivable | -100.00 | pa_7",
    "settle:alpha:1:7-9 | provider:alpha:receivable | -100.00 | pa_8",
]
KINDS = ("payment_settled", "settled_unidentified")


@pytest.mark.usefixtures("by_threes")
async def test_what_came_as_expected_stands_together_and_the_rest_line_by_line(world):
    await a_file_of_eight(world)

    summary = await world.night()

    assert await world.journals(*KINDS) == AS_BOOKED
    assert summary.steps["match"]["lines_posted"] == 8
    assert (await world.balances())["provider:alpha:receivable"] == "10.00"
    await world.assert_books_hold()
    async with world.pool.acquire() as connection:
        assert (await verify(connection)).findings == []


@pytest.mark.usefixtures("by_threes")
async def test_a_night_killed_between_or_within_the_parts_of_a_file_posts_each_of_them_once(world):
    await a_file_of_eight(world)
    world.clock.set(world.clock().replace(hour=22))
    deaths = 0
    for die_at in range(20, 1_000, 6):
        try:
            await run_night(replace(world.deps, pool=MortalPool(world.pool, Deathbed(die_at))), SUNDAY)
        except Killed:
            deaths += 1
            world.clock.advance(seconds=world.deps.lease_s + 1)  # nobody gave the lease back
        else:
            break
    assert deaths > 5
    assert await world.journals(*KINDS) == AS_BOOKED
    await world.assert_books_hold()


@pytest.mark.usefixtures("by_threes")
async def test_what_refuses_the_journal_is_told_to_each_line(world):
    """A floor that only the sum would break stands for those lines that break it, and not for their neighbours."""
    await a_file_of_eight(world)
    async with world.pool.acquire() as connection, connection.transaction():
        # After six and a half payments of a hundred are cleared, less than this would be left.
        await set_floor(
            connection, "provider:alpha:receivable", Money(45_000, "AED"), recorded_at=world.clock(), reason="a test",
            decided_by="an officer",
        )  # fmt: skip
    summary = await world.night()
    assert summary.steps["match"]["lines_posted"] == 3
    assert summary.steps["match"]["lines_refused"] == 5
    references = {text.split(" | ")[0] for text in await world.journals(*KINDS)}
    assert references == {"settle:alpha:1:1", "settle:alpha:1:2", "settle:alpha:1:4"}
    refused = [name for kind, name, _ in await world.breaks() if kind == "line_refused"]
    assert refused == [f"alpha:1:{number}" for number in (3, 5, 6, 7, 8)]


@pytest.mark.usefixtures("by_threes")
async def test_one_line_of_many_is_undone_alone(world):
    await a_file_of_eight(world)
    await world.night()

    proposal = await propose_unmatch(world.deps, Leg.PROVIDER, 1, 2, by="amal", reason="the wrong payment")
    await decide_unmatch(world.deps, proposal, by="bilal", approve=True)

    assert await world.journals("match_undone") == [
        f"unmatch:{proposal} | provider:alpha:receivable | 100.00 | pa_2",
        f"unmatch:{proposal} | suspense:unidentified | -100.00 | alpha:1:2",
    ]
    undone = await world.pool.fetchrow(
        "SELECT c.reference, j.payment, j.provider_reference, j.file, j.line FROM ledger.journal j"
        " JOIN ledger.journal c ON c.id = j.corrects WHERE j.reference = $1",
        f"unmatch:{proposal}",
    )
    assert tuple(undone) == ("settle:alpha:1:1-3", "pi_pa_2", "O-pa_2", "alpha-BATCH-1.csv", 2)
    await world.night(MONDAY)
    await world.assert_books_hold()


@pytest.mark.usefixtures("by_threes")
async def test_reports_count_lines_and_payments_however_they_were_posted(world):
    await a_file_of_eight(world)
    await world.night()
    async with world.pool.acquire() as connection, connection.transaction():
        texts = {}
        for name in ("reconciliation", "fees", "files"):
            report = await build_report(connection, name, SUNDAY, Language.ENGLISH)
            texts[name] = b"".join([chunk async for chunk in render(report, Format.CSV)]).decode()
    assert '"alpha","1","8"' in texts["reconciliation"]
    assert '"alpha","7"' in texts["fees"]
    for text in texts.values():
        assert "does not tie" not in text


@given(st.integers(-10_000, 2**31 - 1))
def test_every_line_lies_in_one_part_of_its_file(number):
    first, last = lines_around(number)
    assert first <= number <= last == first + LINES_TOGETHER - 1
    assert lines_around(first) == lines_around(last) == (first, last)
    assert (first - 1) % LINES_TOGETHER == 0


def test_the_journal_of_many_is_the_sum_of_what_each_would_post():
    entry = settled_lines_entry(
        SettledLines("alpha", 3, "a.csv", 5_001, "BATCH-1", "AED", 300, 15, 9_683, ["pa_1", "pa_2"], [4_000, 6_000]),
        BOOKING,
    )
    assert entry.whole.reference == "settle:alpha:3:5001-10000"
    assert [(one.account, one.amount.amount_minor, one.item) for one in entry.whole.postings] == [
        ("provider:alpha:in_transit", 9_683, "BATCH-1"),
        ("treasury:provider_fees", 300, None),
        ("treasury:provider_fees_vat", 15, None),
        ("treasury:rounding", 2, None),
        ("provider:alpha:receivable", -10_000, "pa_1"),
    ]
    assert (list(entry.items), list(entry.amounts_minor)) == (["pa_1", "pa_2"], [-4_000, -6_000])
    assert len(entry.fingerprint()) == hashlib.sha256().digest_size
