"""Credits nobody could name are all looked at again, each night, when more files have come."""

from reconciliation.steps import bank_entries

from .conftest import MONDAY, entry, line, settlement


async def test_hc23_a_credit_is_looked_at_again_however_many_others_stand_before_it(world, monkeypatch):
    """Credits nobody will ever name stand for weeks; the one behind them is still found when its file comes."""
    monkeypatch.setattr(bank_entries, "CREDITS_A_CHUNK", 2)
    world.bank.state(*(entry(f"{number}.00", remittance="nobody knows") for number in range(1, 6)),
                     entry("100.00", batch="BATCH-9"))  # fmt: skip
    await world.night()
    assert (await world.balances())["suspense:unidentified"] == "-115.00"
    await world.capture("pa_1", ("traffic", "100.00"), day=MONDAY)
    world.provider.put(settlement([line(1, "O-pa_1", "100.00")], batch="BATCH-9", day=MONDAY), MONDAY)
    await world.night(MONDAY)
    assert (await world.balances())["suspense:unidentified"] == "-15.00"
    await world.assert_books_hold()
