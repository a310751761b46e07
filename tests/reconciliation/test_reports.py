"""What finance reads in the morning, and that it ties to the ledger."""


import pytest

from adapters.contract import LineKind
from reconciliation.breaks import Language
from reconciliation.reports.catalogue import REPORTS, Format, build_report, render

from .conftest import SUNDAY, entry, line, settlement


@pytest.fixture
async def a_day(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "60.00"), ("health", "40.00"))
    await world.capture("pa_3", ("traffic", "25.00"))
    await world.refund("re_1", "traffic", "30.00")
    world.provider.put(
        settlement([
            line(1, "O-pa_1", "100.00", fee="1.50", vat="0.08"),
            line(2, "O-pa_2", "100.00", fee="1.50", vat="0.08"),
            line(3, "R-re_1", "-30.00", kind=LineKind.REFUND),
            line(4, "=cmd|' /C calc'!A0", "9.00"),
        ])
    )  # fmt: skip
    world.bank.state(entry("175.84", batch="BATCH-1"), entry("5.00", remittance="who knows"))
    await world.night()
    return world


async def written(world, name, *, language=Language.ENGLISH, form=Format.TEXT, day=SUNDAY, department=None):
    async with world.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, name, day, language, department=department)
        return b"".join([chunk async for chunk in render(report, form)])


async def test_the_daily_reconciliation_adds_up(a_day):
    for l in ("en", "ar"):
        for r in REPORTS:
            print((await written(a_day, r, language=Language(l), department="traffic")).decode())
    assert 0
