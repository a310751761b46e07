"""The night as a shipped process has it: put together from settings and tables alone, with real adapters over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestServer

from adapters.bank_host import simulator as bank_simulator
from adapters.http import open_session
from adapters.ngenius import simulator as acquirer_simulator
from ledger.money import Money
from ops import wiring
from ops.demo.city import found_city
from ops.settings import Settings, read_settings
from ops.wiring import Parts, assemble
from reconciliation.contracts import list_contracts
from reconciliation.holidays import remove_holiday, set_holiday
from reconciliation.nightly import run_night
from reconciliation.provider_terms import FeeTerms, ProviderTerms
from tests.reconciliation.conftest import (
    OUR_IBAN,
    SUNDAY,
    ScriptedBank,
    ScriptedProvider,
    World,
    line,
    settlement,
    sign,
)
from tests.reconciliation.test_over_http import Outside, Town

MONDAY = SUNDAY + timedelta(days=1)


@pytest.fixture
def installation(database_url, clock, tmp_path, monkeypatch):
    """Assemble a process over the database, on the test's clock."""
    monkeypatch.setattr(wiring, "clock_of", lambda _settings: clock)

    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[Parts]:
        async with assemble(replace(Settings(), home=tmp_path, **settings), database_url, pool_size_max=4) as parts:
            yield parts

    return opened


async def test_what_the_demos_acquirer_keeps_too_much_is_a_fee_break(installation, clock, random_bytes):
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        bank_app = bank_simulator.build_app(
            clock=clock, random_bytes=random_bytes, book_path=":memory:", account_iban=OUR_IBAN
        )
        bank_server = await stack.enter_async_context(TestServer(bank_app))
        bank_url = str(bank_server.make_url("")).rstrip("/")
        acquirer_app = acquirer_simulator.build_app(clock=clock, random_bytes=random_bytes, bank_url=bank_url)
        acquirer_server = await stack.enter_async_context(TestServer(acquirer_app))
        acquirer_url = str(acquirer_server.make_url("")).rstrip("/")
        parts = await stack.enter_async_context(
            installation(
                bank_iban=OUR_IBAN,
                providers={
                    "ngenius": {**acquirer_simulator.SETTINGS, "base_url": acquirer_url},
                    "bank_host": {**bank_simulator.SETTINGS, "url": bank_url},
                },
            )
        )
        await found_city(parts, [])
        assert await list_contracts(parts.night) == [
            "ngenius  from 2026-01-01  file 1, settled 2, credited 2 working days; fee 1.20 % and VAT of 5.00 % on it"
        ]
        outside = Outside(session, acquirer_url, bank_url)
        town = Town(parts.pool, clock, parts.night, parts.providers["ngenius"], parts.night.bank, outside=outside)
        await outside.spoil_settlement("fee_changed")
        await town.pay("pa_1", ("traffic", "100.00"))
        await town.pay("pa_2", ("traffic", "50.00"))

        await town.night()

        # Twice the fee and a fils, and the VAT on it: 2.53 for 1.26.
        assert [(kind, value) for kind, _, value in await town.breaks()] == [("fee", "1.27")]


async def test_a_file_is_held_against_the_contract_of_its_own_day(installation, clock):
    async with installation() as parts:
        provider, bank = ScriptedProvider(), ScriptedBank()
        deps = replace(parts.night, settling={"alpha": provider}, bank=bank)
        world = World(parts.pool, clock, deps, provider, bank)
        await sign(deps, "alpha", ProviderTerms(fees=FeeTerms(basis_points=100)))
        await sign(deps, "alpha", ProviderTerms(fees=FeeTerms(basis_points=200, fixed_minor=50)), MONDAY)
        for attempt, day in (("pa_1", SUNDAY), ("pa_2", MONDAY), ("pa_3", MONDAY)):
            await world.capture(attempt, ("traffic", "100.00"), day=day)
        one = line(1, "O-pa_1", "100.00", fee="1.00", vat="0.05")
        provider.put(settlement([one]), SUNDAY)
        both = [
            line(1, "O-pa_2", "100.00", fee="1.00", vat="0.05"),
            line(2, "O-pa_3", "100.00", fee="2.50", vat="0.13"),
        ]
        provider.put(settlement(both, batch="BATCH-2", day=MONDAY), MONDAY)

        await world.night()
        await world.night(MONDAY)

        assert await world.breaks() == [("fee", "alpha:2:1", "-1.58")]


async def test_the_night_lives_in_the_zone_and_country_of_its_settings(installation, clock):
    clock.set(datetime(2026, 11, 22, 22, 0, tzinfo=UTC))  # 23:00 in Lagos, two in the morning of the next day in Dubai
    async with installation(time_zone=ZoneInfo("Africa/Lagos"), holidays_of="NG") as parts:
        calendar = parts.night.calendar
        assert calendar.business_date(clock()) == SUNDAY
        assert calendar.closing_instant(SUNDAY) == datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC)
        assert not calendar.is_working_day(date(2026, 10, 1))  # Nigeria's independence


async def test_what_finance_decided_once_comes_from_the_settings(installation):
    settings = read_settings({
        "MIZAN_WRITE_OFF_LIMITS": "KWD 10.000, AED 25.50", "MIZAN_PAYEE_COOLING_OFF_HOURS": "72",
        "MIZAN_LOOK_BACK_DAYS": "3", "MIZAN_REMATCH_DAYS": "30", "MIZAN_CONFIRM_DAYS": "2",
        "MIZAN_PAYOUT_APPROVAL_LIMIT_MINOR": "5", "MIZAN_BANK_CURRENCY": "KWD",
    })  # fmt: skip
    names = ("write_off_limits", "payee_cooling_off_hours", "look_back_days", "rematch_days", "confirm_days",
             "payout_approval_limit_minor", "bank_currency")  # fmt: skip
    async with installation(**{name: getattr(settings, name) for name in names}) as parts:
        policy = parts.night.policy
        assert policy.write_off_limits == (Money(10_000, "KWD"), Money(25_50, "AED"))
        assert (policy.payee_cooling_off_hours, policy.look_back_days, policy.rematch_days) == (72, 3, 30)
        assert (policy.confirm_days, policy.auto_approve_limit_minor) == (2, 5)
        assert parts.night.account.currency == "KWD"


async def test_a_holiday_of_one_provider_moves_what_is_due_of_it_alone(installation, clock):
    async with installation() as parts:
        bank = ScriptedBank()
        alpha, beta = ScriptedProvider(), ScriptedProvider()
        deps = replace(parts.night, settling={"alpha": alpha, "beta": beta}, bank=bank)
        world = World(parts.pool, clock, deps, alpha, bank)
        friday = date(2026, 11, 20)
        for name in ("alpha", "beta"):
            await sign(deps, name, ProviderTerms(file_days=1, settlement_days=1))
        await world.capture("pa_1", ("traffic", "100.00"), day=friday)
        await set_holiday(deps, MONDAY, worked=False, provider="alpha", names=("", ""), by="amal")

        await world.night(MONDAY)
        assert await world.breaks() == []

        await remove_holiday(deps, MONDAY, provider="alpha", by="amal")
        await run_night(deps, MONDAY)
        assert [kind for kind, _, _ in await world.breaks()] == ["file_missing", "missing_at_provider"]
        audit = await world.pool.fetch(
            "SELECT actor, action, subject FROM reconciliation.audit WHERE action LIKE 'holiday%' ORDER BY action DESC"
        )
        assert [tuple(row) for row in audit] == [
            ("amal", "holiday_set", "AE alpha 2026-11-23"),
            ("amal", "holiday_removed", "AE alpha 2026-11-23"),
        ]
