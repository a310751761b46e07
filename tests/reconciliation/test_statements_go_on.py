"""What a bank mistypes or leaves out stops its statements for no longer than two people need to look at it."""

from datetime import date, timedelta

import pytest

from reconciliation.breaks import Action
from reconciliation.errors import NotAllowedError
from reconciliation.resolutions import decide_resolution, propose_resolution

from .conftest import MONDAY, TUESDAY, aed, entry

WEDNESDAY = TUESDAY + timedelta(days=1)


async def statements(world):
    rows = await world.pool.fetch(
        "SELECT identifier, status, reason FROM reconciliation.statement ORDER BY statement_no"
    )
    return [tuple(row) for row in rows]


async def the_break(world, kind="file_sequence"):
    return await world.pool.fetchval(
        "SELECT id FROM reconciliation.break WHERE type = $1 AND closed_at IS NULL ORDER BY business_date LIMIT 1", kind
    )


async def decide(world, found, action):
    proposal = await propose_resolution(world.deps, found, action, by="amal", reason="the bank confirmed its numbers")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)


async def skip_a_number(world):
    world.bank.state(entry("5.00"))
    await world.night()
    world.bank.sequence += 1
    for day, amount in ((MONDAY, "6.00"), (TUESDAY, "7.00")):
        world.bank.state(entry(amount, day=day), day=day)
        await world.night(day)


async def test_a_number_the_bank_skipped_is_taken_by_two_people_and_the_statements_after_it_follow(world):
    await skip_a_number(world)
    assert [reason for _, _, reason in await statements(world)] == [None, "sequence_gap", "sequence_gap"]

    await decide(world, await the_break(world), Action.TAKE_STATEMENT)
    world.bank.state(entry("8.00", day=WEDNESDAY), day=WEDNESDAY)
    await world.night(WEDNESDAY)

    assert [status for _, status, _ in await statements(world)] == ["accepted"] * 4
    assert (await world.balances())["bank:main:cash"] == "26.00"
    assert "file_sequence" not in [kind for kind, _, _ in await world.breaks()]
    await world.assert_books_hold()


async def test_a_statement_whose_balances_follow_is_taken_and_not_accepted_to_wait_for_ever(world):
    await skip_a_number(world)

    with pytest.raises(NotAllowedError, match="take it"):
        await decide(world, await the_break(world), Action.ACCEPT)


async def test_a_statement_that_does_not_open_where_the_last_closed_is_not_taken(world):
    world.bank.state(entry("5.00"))
    await world.night()
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY)
    world.bank.days[MONDAY] = []
    world.bank.state(entry("7.00", day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)

    with pytest.raises(NotAllowedError, match="does not open where the last one closed"):
        await decide(world, await the_break(world), Action.TAKE_STATEMENT)


async def test_what_was_taken_still_waits_when_its_balances_no_longer_follow(world):
    """The missing statement comes between the decision and the night, and the one taken does not open there."""
    await skip_a_number(world)
    await decide(world, await the_break(world), Action.TAKE_STATEMENT)
    world.bank.days[MONDAY] = []
    world.bank.state(entry("1.00"), day=MONDAY, sequence=2, opening=aed("5.00"), closing=aed("6.00"))

    await world.night(TUESDAY)

    assert ("ST-0003", "quarantined", "opening_differs") in await statements(world)
    assert (await world.balances())["bank:main:cash"] == "6.00"


async def test_a_statement_closing_on_a_day_yet_to_come_is_refused_and_the_right_one_is_taken(world):
    world.bank.state(entry("5.00"))
    await world.night()
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY, closed_on=date(2062, 11, 23))
    await world.night(MONDAY)
    assert (await statements(world))[1] == ("ST-0002", "refused", "closes_later")
    assert "file_refused" in [kind for kind, _, _ in await world.breaks()]

    world.bank.sequence, world.bank.balance, world.bank.days[MONDAY] = 1, aed("5.00"), []
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY, sha256="0" * 64)
    world.bank.state(entry("7.00", day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)

    assert [status for _, status, _ in await statements(world)] == ["accepted", "refused", "accepted", "accepted"]
    assert "file_refused" not in [kind for kind, _, _ in await world.breaks()]
    assert (await world.balances())["bank:main:cash"] == "18.00"


async def test_the_next_statement_opens_where_the_one_accepted_last_closed_whatever_its_dates(world):
    """A closing date mistyped before it was refused for that stops nothing: the order is that of acceptance."""
    world.bank.state(entry("5.00"))
    await world.night()
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY, opened_on=date(1926, 11, 23), closed_on=date(1926, 11, 23))
    await world.night(MONDAY)
    world.bank.state(entry("7.00", day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)

    assert [status for _, status, _ in await statements(world)] == ["accepted"] * 3
    assert (await world.balances())["bank:main:cash"] == "18.00"


async def test_a_clock_that_was_wrong_when_a_statement_was_accepted_changes_nothing_of_the_order(world):
    world.bank.state(entry("5.00"))
    await world.night()
    world.clock.advance(hours=5)
    world.bank.state(entry("6.00", day=MONDAY), day=MONDAY)
    await world.night(MONDAY)
    await world.pool.execute("UPDATE reconciliation.statement SET accepted_at = $1 WHERE identifier = 'ST-0001'",
                             world.clock() + timedelta(days=9))  # fmt: skip
    world.bank.state(entry("7.00", day=TUESDAY), day=TUESDAY)
    await world.night(TUESDAY)

    assert [status for _, status, _ in await statements(world)] == ["accepted"] * 3
