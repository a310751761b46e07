"""A day that has a file may have another one later, and what was refused of it and made good is not told anew."""

from datetime import timedelta

from adapters.errors import FileRefusedError

from .conftest import MONDAY, SUNDAY, TUESDAY, line, settlement


async def test_a_second_batch_of_a_day_is_fetched_when_it_comes_within_the_days_looked_back_on(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    await world.capture("a2", ("traffic", "50.00"), order="O-2")
    world.provider.put(settlement([line(1, "O-1", "100.00")]))
    await world.night()
    await world.night(MONDAY)
    world.provider.put(settlement([line(1, "O-2", "50.00")], batch="BATCH-2"))

    summary = await world.night(TUESDAY)

    assert (summary.steps["settlements"]["files"], summary.steps["settlements"]["repeated"]) == (1, 1)
    assert "provider:alpha:receivable" not in await world.balances()
    assert (await world.balances())["provider:alpha:in_transit"] == "150.00"
    assert "missing_at_provider" not in [kind for kind, _, _ in await world.breaks()]


async def test_a_refused_file_that_was_made_good_is_no_break_again_while_it_still_lies_there(world):
    await world.capture("a1", ("traffic", "100.00"), order="O-1")
    world.provider.put(FileRefusedError("the row of totals is missing; the file is cut off"))
    await world.night()
    assert [kind for kind, _, _ in await world.breaks()] == ["file_refused"]
    world.provider.days[SUNDAY].insert(0, settlement([line(1, "O-1", "100.00")]))

    for day in (MONDAY, TUESDAY, TUESDAY + timedelta(days=1)):
        await world.night(day)
        assert "file_refused" not in [kind for kind, _, _ in await world.breaks()]
