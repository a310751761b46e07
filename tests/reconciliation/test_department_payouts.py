"""What a department reads of its payouts is what the night paid, to the fils."""

from ledger.money import Money
from reconciliation.department_payouts import DepartmentPayouts

from .conftest import MONDAY, SUNDAY, line, settlement

READER = DepartmentPayouts()


def aed(text):
    return Money.parse(text, "AED")


async def test_a_payout_holds_its_payments_and_no_one_else_s(world):
    await world.payee("traffic")
    await world.payee("health")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await world.capture("pa_3", ("traffic", "25.00"))  # not settled: it waits for Monday
    world.provider.put(settlement([line(1, "O-pa_1", "100.00"), line(2, "O-pa_2", "100.00")]))
    await world.night()
    world.provider.put(settlement([line(1, "O-pa_3", "25.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    await world.night(MONDAY)

    async with world.pool.acquire() as connection:
        monday, sunday = await READER.list_payouts(connection, "traffic", before=None, limit=10)
        assert [(one.business_date, one.amount) for one in (sunday, monday)] == [
            (SUNDAY, aed("160.00")),
            (MONDAY, aed("25.00")),
        ]
        assert await READER.list_payouts(connection, "traffic", before=monday.id, limit=10) == [sunday]
        first = await READER.read_payout(connection, "traffic", sunday.id, after=0, limit=1)
        rest = await READER.read_payout(connection, "traffic", sunday.id, after=first.parts[0].journal, limit=10)
        assert [(one.reference, one.amount) for one in (*first.parts, *rest.parts)] == [
            ("capture:pa_1", aed("100.00")),
            ("capture:pa_2", aed("60.00")),
        ]
        assert first.not_itemised == aed("0.00")
        late = await READER.read_payout(connection, "traffic", monday.id, after=0, limit=10)
        assert [(one.reference, one.amount) for one in late.parts] == [("capture:pa_3", aed("25.00"))]
        assert await READER.read_payout(connection, "health", sunday.id, after=0, limit=10) is None
