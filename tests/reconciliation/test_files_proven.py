"""What a file states is held against what could be booked of it, line by line and as a whole."""

import pytest

from adapters.contract import LineKind
from reconciliation.break_words import sentence
from reconciliation.breaks import Action, BreakType, Language
from reconciliation.reports.files import missing_files
from reconciliation.reports.report import Asked
from reconciliation.resolutions import decide_resolution, propose_resolution

from .conftest import MONDAY, SUNDAY, entry, line, settlement


async def test_what_a_file_with_an_unreadable_line_states_beyond_its_lines_stands_as_a_break(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    lines = [line(1, "O-1", "100.00", reference="a1")]
    world.provider.put(settlement(lines, total_net="5000.00", refused=[(2, "'4x' is not an amount")]))
    world.bank.state(entry("100.00", batch="BATCH-1"))

    await world.night()
    world.bank.state(day=MONDAY)
    await world.night(MONDAY)

    found = await world.breaks()
    assert [(kind, value) for kind, _, value in found] == [("line_refused", ""), ("total_not_lines", "4900.00")]
    assert (await world.balances())["bank:main:cash"] == "100.00"


async def test_what_two_people_accept_of_it_is_its_value_and_not_the_line_alone(world):
    world.provider.put(settlement([line(1, "O-1", "1.00")], total_net="3.00", refused=[(2, "'4x' is not an amount")]))
    await world.night()

    row = await world.pool.fetchrow("SELECT id, detail->>'booked' AS b FROM reconciliation.break WHERE type = $1",
                                    "line_refused")  # fmt: skip
    proposal = await propose_resolution(world.deps, row["id"], Action.ACCEPT, by="amal", reason="the provider said so")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)

    assert ("total_not_lines", "2.00") in [(kind, value) for kind, _, value in await world.breaks()]


async def test_a_file_with_an_unreadable_line_that_states_what_was_booked_is_whole(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    world.provider.put(settlement([line(1, "O-1", "100.00")], refused=[(2, "'4x' is not an amount")]))

    await world.night()

    assert [kind for kind, _, _ in await world.breaks()] == ["line_refused"]


async def test_a_line_whose_net_is_not_its_gross_less_its_fees_is_refused(world):
    await world.capture("a1", ("traffic", "1000.00"), order="O-1")
    await world.capture("a2", ("traffic", "50.00"), order="O-2")
    world.provider.put(
        settlement([line(1, "O-1", "1000.00", net="400.00"), line(2, "O-2", "50.00", fee="1.00", vat="0.05")])
    )

    await world.night()

    listed = await world.pool.fetch("SELECT number, reason FROM reconciliation.settlement_line_refused")
    assert [tuple(row) for row in listed] == [(1, "line_not_its_parts")]
    assert [(kind, value) for kind, _, value in await world.breaks()] == [
        ("line_refused", ""),
        ("total_not_lines", "400.00"),
    ]
    balances = await world.balances()
    assert "treasury:rounding" not in balances
    assert (balances["provider:alpha:receivable"], balances["provider:alpha:in_transit"]) == ("1000.00", "48.95")


@pytest.mark.parametrize(("net", "rounding"), [("9.98", "0.02"), ("10.02", "-0.02"), ("9.97", None), ("10.03", None)])
async def test_a_line_may_be_off_by_what_rounding_explains_and_by_no_more(world, net, rounding):
    await world.capture("a1", ("traffic", "10.00"), order="O-1")
    world.provider.put(settlement([line(1, "O-1", "10.00", net=net)]))

    await world.night()

    assert (await world.balances()).get("treasury:rounding") == rounding
    assert [kind for kind, _, _ in await world.breaks()] == ([] if rounding else ["line_refused", "total_not_lines"])


async def test_a_line_of_the_payout_itself_moves_nothing_and_is_not_held_against_its_parts(world):
    await world.capture("a1", ("traffic", "10.00"), order="O-1")
    lines = [line(1, "O-1", "10.00"), line(2, None, "0.00", kind=LineKind.PAYOUT, net="-10.00")]
    world.provider.put(settlement(lines, total_net="10.00"))

    await world.night()

    assert await world.breaks() == []


async def test_a_file_of_lines_that_do_not_add_up_is_refused_whole(world):
    lines = [line(number, f"O-{number}", "10.00", net="4.00") for number in range(1, 1002)]
    world.provider.put(settlement(lines))

    await world.night()

    assert [kind for kind, _, _ in await world.breaks()] == ["file_refused"]
    assert await world.pool.fetchval("SELECT reason FROM reconciliation.settlement_file") == "line_not_its_parts"


async def test_the_report_of_files_ties_once_the_rest_is_a_break(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    world.provider.put(settlement([line(1, "O-1", "100.00")], total_net="107.00", refused=[(2, "'7,x0' is no amount")]))
    await world.night()

    asked = Asked(business_date=SUNDAY, language=Language.ENGLISH)
    async with world.pool.acquire() as connection, connection.transaction():
        report = await missing_files(connection, asked)

    assert "do not use" not in " ".join(report.notes)


def test_the_break_says_whether_anything_was_booked():
    detail = {"file": "f.csv", "provider": "alpha", "theirs": "AED 5000.00", "ours": "AED 100.00"}
    assert sentence(BreakType.TOTAL_NOT_LINES, detail, Language.ENGLISH).endswith("Nothing of it was booked.")
    read = {**detail, "booked": "read"}
    assert sentence(BreakType.TOTAL_NOT_LINES, read, Language.ENGLISH).endswith("What could be read of it was booked.")
