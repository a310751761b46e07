"""A day is closed by two people when its sources are complete and explained; then nothing of it moves any more."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from ledger.money import Money
from reconciliation.breaks import Action, Language
from reconciliation.day_close import (
    Lack,
    day_status,
    days_to_decide,
    decide_day,
    explain_break,
    propose_day,
    read_certificate_of,
)
from reconciliation.errors import NightRunningError, NotAllowedError, NotFoundError, SamePersonError
from reconciliation.reports.catalogue import build_report
from reconciliation.resolutions import decide_resolution, propose_resolution
from reconciliation.store import leases

from .conftest import MONDAY, SEAL_KEY, SUNDAY, TUESDAY, entry, line, settlement

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_certificate.py"
PUBLIC_KEY = SEAL_KEY.public_key().public_bytes_raw().hex()


@pytest.fixture
async def a_day(world):
    await world.payee("traffic")
    await world.capture("pa_1", ("traffic", "100.00"))
    await world.capture("pa_2", ("traffic", "50.00"))
    world.provider.put(settlement([line(1, "O-pa_1", "100.00", fee="1.00", vat="0.05")]))
    world.bank.state(entry("98.95", batch="BATCH-1"), entry("5.00", remittance="who knows"))
    await world.night()
    return world


async def lacks(world, day=SUNDAY):
    return [one.lack for one in (await day_status(world.deps, day)).obstacles]


async def test_a_day_closes_by_two_people_and_is_sealed(a_day):
    assert await lacks(a_day) == [Lack.BREAK]
    await a_day.explain_all()
    assert await lacks(a_day) == []

    close_id = await propose_day(a_day.deps, SUNDAY, by="amal", note="quiet day")
    assert await days_to_decide(a_day.deps) == [(close_id, SUNDAY, "amal")]
    with pytest.raises(SamePersonError):
        await decide_day(a_day.deps, close_id, by="amal", approve=True, key=SEAL_KEY)
    with pytest.raises(NotAllowedError, match="waits for a decision already"):
        await propose_day(a_day.deps, SUNDAY, by="bilal")
    seal = await decide_day(a_day.deps, close_id, by="bilal", approve=True, key=SEAL_KEY)

    assert seal.number == 1
    assert seal.is_authentic()
    status = await day_status(a_day.deps, SUNDAY)
    assert (status.seal_number, status.proposed_by, status.closed_by) == (1, "amal", "bilal")
    with pytest.raises(NotAllowedError, match="closed already"):
        await propose_day(a_day.deps, SUNDAY, by="amal")
    with pytest.raises(NotAllowedError, match="approved already"):
        await decide_day(a_day.deps, close_id, by="huda", approve=True, key=SEAL_KEY)
    trail = await a_day.pool.fetch(
        "SELECT actor, action FROM reconciliation.audit WHERE action LIKE 'day_%' ORDER BY actor"
    )
    assert [tuple(row) for row in trail] == [("amal", "day_close_proposed"), ("bilal", "day_close_approved")]


async def test_hc27_the_database_itself_refuses_one_person_and_a_second_decision(a_day, owner):
    await a_day.explain_all()
    await propose_day(a_day.deps, SUNDAY, by="amal")
    with pytest.raises(asyncpg.CheckViolationError, match="day_maker_is_not_checker"):
        await owner.execute(
            "UPDATE reconciliation.day_close SET checker = maker, decision = 'refused', checked_at = made_at"
        )
    with pytest.raises(asyncpg.CheckViolationError):  # approved without a seal
        await owner.execute(
            "UPDATE reconciliation.day_close SET checker = 'x', decision = 'approved', checked_at = made_at"
        )
    await owner.execute("UPDATE reconciliation.day_close SET checker = 'x', decision = 'refused', checked_at = made_at")
    with pytest.raises(asyncpg.RestrictViolationError, match="stays as it is"):
        await owner.execute("UPDATE reconciliation.day_close SET decision = NULL, checker = NULL, checked_at = NULL")
    for statement in (
        "UPDATE reconciliation.day_close SET maker = 'x'",
        "DELETE FROM reconciliation.day_close",
        "UPDATE reconciliation.break_explanation SET reason = 'x'",
        "UPDATE reconciliation.break SET owner = 'x'",
        "UPDATE reconciliation.payout_line_history SET status = 'paid'",
        "INSERT INTO reconciliation.payout_line_history VALUES ('x', 1, now(), 'paid', NULL, '')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await a_day.pool.execute(statement)


async def test_a_refused_close_leaves_the_day_open_and_may_be_proposed_again(a_day):
    await a_day.explain_all()
    close_id = await propose_day(a_day.deps, SUNDAY, by="amal")
    assert await decide_day(a_day.deps, close_id, by="bilal", approve=False, key=SEAL_KEY) is None
    assert (await day_status(a_day.deps, SUNDAY)).proposal is None
    assert await propose_day(a_day.deps, SUNDAY, by="amal") != close_id


async def test_what_is_missing_is_named(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    assert await lacks(world) == [Lack.NOT_OVER]
    world.bank.state(entry("1.00", remittance="?"))
    await world.night()
    await world.explain_all()
    assert await lacks(world) == []  # the provider's file is due on Monday, and not before
    await world.close(SUNDAY)

    await world.night(MONDAY)
    found = await day_status(world.deps, MONDAY)
    said = [one.sentence(Language.ENGLISH) for one in found.obstacles]
    assert said[:2] == [
        "alpha 2026-11-22: the settlement file has not come",
        "the bank statement of 2026-11-23 has not come",
    ]
    await world.explain_all()
    assert await lacks(world, MONDAY) == [Lack.FILE, Lack.STATEMENT]  # an owner and a reason are no file
    with pytest.raises(NotAllowedError, match="settlement file has not come"):
        await propose_day(world.deps, MONDAY, by="amal")
    assert await lacks(world, TUESDAY) == [Lack.NOT_OVER]


async def test_two_people_may_accept_that_a_file_never_comes(world):
    await world.capture("pa_1", ("traffic", "100.00"))
    world.bank.state()
    world.bank.state(day=MONDAY)
    await world.night()
    await world.night(MONDAY)
    await world.explain_all()
    assert await lacks(world, MONDAY) == [Lack.DAY_BEFORE, Lack.FILE]
    missing = await world.pool.fetchval("SELECT id FROM reconciliation.break WHERE type = 'file_missing'")
    proposal = await propose_resolution(world.deps, missing, Action.ACCEPT, by="amal", reason="the provider closed")
    await decide_resolution(world.deps, proposal, by="bilal", approve=True)
    assert await lacks(world, MONDAY) == [Lack.DAY_BEFORE]


async def test_days_close_in_their_order_and_only_after_their_night(a_day):
    a_day.bank.state(day=MONDAY)
    a_day.provider.put(settlement([line(1, "O-pa_2", "50.00")], batch="BATCH-2", day=MONDAY), MONDAY)
    a_day.clock.advance(days=1)
    assert await lacks(a_day, MONDAY) == [Lack.DAY_BEFORE, Lack.NIGHT, Lack.STATEMENT, Lack.BREAK]
    await a_day.night(MONDAY)
    await a_day.explain_all()
    assert await lacks(a_day, MONDAY) == [Lack.DAY_BEFORE]
    await a_day.close(SUNDAY)
    await a_day.close(MONDAY)


async def test_no_day_closes_while_a_night_runs(a_day):
    await a_day.explain_all()
    close_id = await propose_day(a_day.deps, SUNDAY, by="amal")
    async with a_day.pool.acquire() as connection:
        await leases.take(connection, "rn_other", now=a_day.clock(), duration_s=60)
    with pytest.raises(NightRunningError):
        await decide_day(a_day.deps, close_id, by="bilal", approve=True, key=SEAL_KEY)


async def test_a_file_for_a_closed_day_is_booked_on_the_open_day_and_refers_back(a_day):
    await a_day.close(SUNDAY)
    a_day.provider.put(settlement([line(1, "O-pa_2", "50.00")], batch="BATCH-LATE"))
    a_day.clock.advance(hours=1)

    await a_day.night(SUNDAY)

    row = await a_day.pool.fetchrow(
        "SELECT j.business_date, j.late_for FROM ledger.journal j WHERE j.reference LIKE 'settle:alpha:2:%'"
    )
    assert tuple(row) == (MONDAY, SUNDAY)
    await a_day.assert_books_hold()


async def test_a_break_nobody_knows_or_that_is_over_cannot_be_explained(a_day):
    with pytest.raises(NotFoundError):
        await explain_break(a_day.deps, "br_none", owner="huda", reason="x", by="amal")
    found = await a_day.pool.fetchval("SELECT min(id) FROM reconciliation.break")
    with pytest.raises(NotAllowedError, match="owner and a reason"):
        await explain_break(a_day.deps, found, owner=" ", reason="x", by="amal")


def check(path, key=PUBLIC_KEY):
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), key], capture_output=True, text=True, check=False
    )


async def test_the_certificate_is_verified_by_a_stranger_with_the_public_key_alone(a_day, tmp_path):
    await a_day.capture("pa_9", ("traffic", "7.00"), day=MONDAY)  # before the seal, after the day
    await a_day.close(SUNDAY)
    text = await read_certificate_of(a_day.deps, SUNDAY)
    path = tmp_path / "certificate.jsonl"
    path.write_text(text, encoding="utf-8")

    done = check(path)
    assert done.stdout.startswith("VERIFIED: 2026-11-22, seal 1"), done.stdout
    assert "closed by amal and bilal" in done.stdout
    assert check(path, "00" * 32).stdout.startswith("BROKEN: the certificate is not signed")

    lines = text.splitlines()
    for number, one in enumerate(lines):
        for changed in ([], [one[:-1] + ' ,"more":1}'], [one, one]):
            path.write_text("\n".join([*lines[:number], *changed, *lines[number + 1 :]]) + "\n")
            assert check(path).returncode == 1, changed

    record = next(one for one in map(json.loads, lines) if one.get("account") == "provider:alpha:receivable")
    assert (record["opening_minor"], record["debit_minor"], record["credit_minor"]) == (0, 15_000, 10_000)
    assert (record["closing_minor"], record["after_minor"]) == (5_000, 700)


async def test_the_certificate_ties_to_the_ledger(a_day):
    await a_day.close(SUNDAY)
    balances = await a_day.balances()
    async with a_day.pool.acquire() as connection, connection.transaction():
        report = await build_report(connection, "certificate", SUNDAY, Language.ENGLISH)
        with pytest.raises(NotFoundError, match="not closed"):
            await build_report(connection, "certificate", MONDAY, Language.ENGLISH)
        earlier = a_day.clock() - timedelta(minutes=5)
        with pytest.raises(NotFoundError, match="not closed"):
            await build_report(connection, "certificate", SUNDAY, Language.ENGLISH, known_at=earlier)
    sums, accounts = report.tables[0], report.tables[1]
    closings = {row[0]: row[4].decimal() for row in accounts.rows if row[4]}
    assert closings == balances
    for row in sums.rows:
        assert row[1] + row[2] - row[3] == row[4]
    assert sums.total[4] == Money(0, "AED")
    assert report.notes[0].startswith("Every total")
    assert isinstance(report.business_date, date)
