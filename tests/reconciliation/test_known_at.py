"""Any report as known at an instant gives the same bytes again, whatever happened since."""

import itertools
from datetime import timedelta

import pytest

from adapters.contract import LineKind, PayoutReport, PayoutStatus
from reconciliation.breaks import Action, Language
from reconciliation.errors import NotAllowedError
from reconciliation.nightly import run_night
from reconciliation.reports.catalogue import (
    NEED_A_DEPARTMENT,
    OF_A_PERIOD,
    REPORTS,
    Format,
    build_report,
    check_known_at,
    render,
)
from reconciliation.resolutions import decide_resolution, propose_resolution
from reconciliation.store import leases

from .conftest import MONDAY, SUNDAY, TUESDAY, entry, line, settlement


async def every_report(world, known_at, *, skip=()):
    found = {}
    async with (
        world.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        for name, form, language in itertools.product(REPORTS, Format, Language):
            if name in skip:
                continue
            department = "traffic" if name in NEED_A_DEPARTMENT else None
            report = await build_report(
                connection, name, SUNDAY, language, department=department, known_at=known_at,
                since=SUNDAY - timedelta(days=3) if name in OF_A_PERIOD else None,
            )  # fmt: skip
            found[name, form, language] = b"".join([chunk async for chunk in render(report, form)])
    return found


async def test_the_same_bytes_after_more_nights(world):
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
            line(4, "O-unknown", "9.00"),
        ])
    )  # fmt: skip
    world.bank.state(entry("5.00", remittance="who knows"))
    await world.night()
    world.clock.advance(minutes=10)
    known_at = world.clock()
    world.clock.advance(minutes=5)
    before = await every_report(world, known_at, skip={"certificate"})

    # Everything that can change a row: more payments and files, matches found later, people, payouts, returns.
    await world.capture("pa_unknown", ("courts", "9.00"), order="O-unknown", day=MONDAY)
    [(unknown,)] = await world.pool.fetch("SELECT id FROM reconciliation.break WHERE type = 'unknown_bank_credit'")
    proposal = await propose_resolution(world.deps, unknown, Action.WRITE_OFF, by="amal", reason="tiny")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)
    await world.capture("pa_told_late", ("traffic", "11.00"))
    await world.capture_late("pa_after_expiry", "12.00")
    (message_id,) = world.bank.files
    world.bank.reports[message_id] = PayoutReport(PayoutStatus.ACCEPTED)
    paid = next(iter(world.bank.instructed().items()))
    world.bank.state(
        entry("175.84", batch="BATCH-1", day=MONDAY),
        entry(f"-{paid[1].decimal()}", end_to_end=paid[0], day=MONDAY),
        day=MONDAY,
    )
    world.provider.put(settlement([line(1, "O-pa_3", "25.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    await world.night(MONDAY)
    world.bank.state(entry(paid[1].decimal(), end_to_end=paid[0], returned=True, day=TUESDAY), day=TUESDAY)
    world.provider.put(settlement([line(1, "O-nobody", "3.00")], batch="BATCH-OLD"))
    await run_night(world.deps, SUNDAY)
    await world.night(TUESDAY)
    await world.explain_all()

    after = await every_report(world, known_at, skip={"certificate"})
    assert [key for key in before if before[key] != after[key]] == []
    now = await every_report(world, None, skip={"certificate"})
    changed = {name for name, _, _ in before if before[name, Format.CSV, "en"] != now[name, Format.CSV, "en"]}
    assert changed >= {"breaks", "payouts", "files", "reconciliation", "suspense", "departments"}


async def test_a_certificate_is_the_same_bytes_after_more_nights(world):
    world.bank.state(entry("5.00", remittance="who knows"))
    await world.night()
    await world.close(SUNDAY)
    world.clock.advance(minutes=1)
    known_at = world.clock()

    async def written():
        async with world.pool.acquire() as connection, connection.transaction():
            report = await build_report(connection, "certificate", SUNDAY, Language.ARABIC, known_at=known_at)
            return b"".join([chunk async for chunk in render(report, Format.PDF)])

    before = await written()
    world.bank.state(entry("6.00", remittance="more"), day=MONDAY)
    await world.night(MONDAY)
    assert await written() == before


async def test_an_instant_that_may_still_be_written_is_refused(world):
    world.bank.state()
    await world.night()
    async with world.pool.acquire() as connection:
        with pytest.raises(NotAllowedError, match="at least a minute past"):
            await check_known_at(connection, world.clock(), world.clock())
        began = world.clock()
        fence = await leases.take(connection, "rn_x", now=began, duration_s=7200)
        await connection.execute(
            "UPDATE reconciliation.run SET fence = $1, started_at = $2, status = 'running'", fence, began
        )
        world.clock.advance(hours=1)
        with pytest.raises(NotAllowedError, match="a night is running"):
            await check_known_at(connection, began + timedelta(minutes=1), world.clock())
        await check_known_at(connection, began - timedelta(seconds=1), world.clock())
