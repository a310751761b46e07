"""HC-21: files twice, overlapping, out of order, truncated, empty, of the wrong account or currency, with gaps."""

from dataclasses import replace

import pytest

from adapters.errors import FileRefusedError, NotSentError, OutcomeUnknownError
from ledger.money import Money

from .conftest import MONDAY, SUNDAY, TUESDAY, aed, entry, line, settlement


async def reasons(world, table="settlement_file"):
    query = {
        "settlement_file": "SELECT name, status, reason FROM reconciliation.settlement_file ORDER BY file_no",
        "statement": "SELECT identifier, status, reason FROM reconciliation.statement ORDER BY statement_no",
    }[table]
    return [tuple(row) for row in await world.pool.fetch(query)]


async def test_hc21_the_same_settlement_file_twice_is_booked_once(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    file = settlement([line(1, "O-pa_1", "100.00")])
    world.provider.put(file)
    world.provider.put(replace(file, name="the same under another name.csv"))

    summary = await world.night()

    assert summary.steps["settlements"] == {
        "files": 1, "lines": 1, "repeated": 1, "refused": 0, "unreachable": 0, "breaks": 0,
    }  # fmt: skip
    assert await world.balances() == {"department:traffic:payable": "-100.00", "provider:alpha:in_transit": "100.00"}


async def test_hc21_a_batch_that_comes_again_with_other_lines_is_quarantined(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")]))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-x", "1.00")], name="overlap.csv"))

    await world.night()

    assert await reasons(world) == [
        ("alpha-BATCH-1.csv", "accepted", None),
        ("overlap.csv", "quarantined", "identifier_repeated"),
    ]
    assert [kind for kind, _, _ in await world.breaks()] == ["file_repeated"]
    assert await world.pool.fetchval("SELECT count(*) FROM reconciliation.settlement_line") == 1


async def test_hc21_a_total_that_is_not_the_lines_books_nothing(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], total_net="100.01"))

    await world.night()

    assert await reasons(world) == [("alpha-BATCH-1.csv", "quarantined", "total_not_lines")]
    assert [kind for kind, _, _ in await world.breaks()] == ["total_not_lines"]
    assert await world.pool.fetchval("SELECT count(*) FROM reconciliation.settlement_line") == 0
    assert await world.balances() == {"department:traffic:payable": "-100.00", "provider:alpha:receivable": "100.00"}


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (settlement([line(1, "O-1", "1.00")], provider="beta"), "other_provider"),
        (settlement([line(1, "O-1", "1.00"), line(2, "O-2", "1.00", currency="USD")]), "line_in_other_currency"),
        (settlement([line(1, "O-1", "1.00"), line(1, "O-2", "1.00")]), "line_numbered_twice"),
        (settlement([line(1, "O-\0", "1.00")]), "line_with_nul"),
    ],
)
async def test_hc21_a_file_that_cannot_be_ours_is_quarantined_whole(world, file, reason):
    world.provider.put(file)

    await world.night()

    assert [found[1:] for found in await reasons(world)] == [("quarantined", reason)]
    assert await world.pool.fetchval("SELECT count(*) FROM reconciliation.settlement_line") == 0
    assert await world.balances() == {}


async def test_hc21_a_truncated_file_is_a_break_until_the_whole_one_comes(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(FileRefusedError("the line of totals is missing; the report is cut off"))
    await world.night()
    assert [kind for kind, _, _ in await world.breaks()] == ["file_refused"]

    world.provider.days[SUNDAY] = [settlement([line(1, "O-pa_1", "100.00")])]
    world.clock.advance(hours=1)
    await world.night()

    assert await world.breaks() == []
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"


async def test_hc21_good_lines_load_and_bad_ones_are_listed(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(
        settlement([line(1, "O-pa_1", "100.00")], total_net="107.00", refused=[(2, "'7,x0' is not a decimal amount")])
    )

    await world.night()

    assert [(kind, value) for kind, _, value in await world.breaks()] == [
        ("line_refused", ""),
        ("total_not_lines", "7.00"),
    ]
    assert (await world.balances())["provider:alpha:in_transit"] == "100.00"
    listed = await world.pool.fetch("SELECT number, reason FROM reconciliation.settlement_line_refused")
    assert [tuple(row) for row in listed] == [(2, "'7,x0' is not a decimal amount")]


async def test_hc21_an_empty_file_is_a_file(world):
    world.provider.put(settlement([]))

    summary = await world.night()

    assert summary.steps["settlements"]["files"] == 1
    assert await world.breaks() == []


async def test_hc21_an_unreachable_provider_is_asked_again_and_is_no_break(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.provider.put(NotSentError("connection refused"))
    world.bank.days[SUNDAY] = [OutcomeUnknownError("timed out")]
    summary = await world.night()
    assert summary.steps["settlements"]["unreachable"] == 1
    assert await world.breaks() == []

    world.provider.days[SUNDAY] = [settlement([line(1, "O-pa_1", "100.00")])]
    world.bank.days[SUNDAY] = []
    world.bank.state(entry("100.00", batch="BATCH-1"))
    world.clock.advance(hours=1)
    await world.night()

    assert await world.balances() == {"bank:main:cash": "100.00", "department:traffic:payable": "-100.00"}


async def test_hc21_the_same_statement_twice_is_booked_once(world):
    statement = world.bank.state(entry("5.00"))
    world.bank.days[SUNDAY].append(statement)

    summary = await world.night()

    assert summary.steps["statements"]["repeated"] == 1
    assert (await world.balances())["bank:main:cash"] == "5.00"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account_iban": "AE840261001015033304101"}, "other_account"),
        ({"currency": "USD"}, "other_currency"),
        ({"closing": aed("9.99")}, "closing_not_proven"),
        ({"opened_on": MONDAY}, "closes_before_it_opens"),
        ({"opening": Money(0, "USD")}, "other_currency"),
    ],
)
async def test_hc21_a_statement_that_does_not_stand_is_refused_with_the_reason(world, change, reason):
    world.bank.state(entry("5.00"), **change)

    await world.night()

    assert await reasons(world, "statement") == [("ST-0001", "refused", reason)]
    assert [kind for kind, _, _ in await world.breaks()] == ["file_refused"]
    assert await world.pool.fetchval("SELECT count(*) FROM reconciliation.statement_entry") == 0
    assert await world.balances() == {}


async def test_hc21_a_statement_number_used_again_is_refused(world):
    world.bank.state(entry("5.00"))
    world.bank.state(entry("6.00"), identifier="ST-0001")

    await world.night()

    assert await reasons(world, "statement") == [
        ("ST-0001", "accepted", None),
        ("ST-0001", "refused", "identifier_repeated"),
    ]


async def test_hc21_a_gap_waits_and_the_missing_statement_heals_it(world):
    world.bank.state(entry("5.00"))
    await world.night()
    monday = world.bank.state(entry("6.00", day=MONDAY), day=MONDAY)
    world.bank.days[MONDAY] = []
    world.bank.state(entry("7.00", day=TUESDAY), day=TUESDAY)

    await world.night(TUESDAY)

    assert await reasons(world, "statement") == [
        ("ST-0001", "accepted", None),
        ("ST-0003", "quarantined", "sequence_gap"),
    ]
    assert (await world.balances())["bank:main:cash"] == "5.00"
    assert ("file_sequence", "main:2", "0.00") in await world.breaks()

    world.bank.days[MONDAY] = [monday]
    world.clock.advance(hours=1)
    await world.night(TUESDAY)

    assert (await world.balances())["bank:main:cash"] == "18.00"
    assert "file_sequence" not in [kind for kind, _, _ in await world.breaks()]
    await world.assert_books_hold()


async def test_hc21_a_statement_that_does_not_open_where_the_last_closed_waits(world):
    world.bank.state(entry("5.00"))
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY, opening=aed("4.00"), closing=aed("10.00"))

    await world.night(MONDAY)

    assert await reasons(world, "statement") == [
        ("ST-0001", "accepted", None),
        ("ST-0002", "quarantined", "opening_differs"),
    ]
    assert (await world.balances())["bank:main:cash"] == "5.00"


async def test_hc21_what_the_account_held_before_us_goes_to_suspense(world):
    world.bank.balance = aed("1000.00")
    world.bank.state(entry("5.00", batch="nobody's"))

    await world.night()

    assert await world.balances() == {"bank:main:cash": "1005.00", "suspense:unidentified": "-1005.00"}
    assert await world.breaks() == [
        ("opening_balance", "1:opening", "1000.00"),
        ("unknown_bank_credit", "1:1", "5.00"),
    ]
    await world.assert_books_hold()
