"""One world: the days and nights of one Mizan, and everyone it deals with."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.services.callers.api_keys import issue_key
from gateway.services.catalogue.import_catalogue import import_catalogue
from ops.demo.city import sign_contracts
from reconciliation.business_days import Calendar
from reconciliation.payees import PayeeDetails, decide_payee_change, propose_payee_change
from tests.simulation.network_faults import Route, Weights
from tests.simulation.simulation import Simulation
from tests.simulation.world.chaos import Chaos
from tests.simulation.world.citizens import Citizen
from tests.simulation.world.counter import Counter
from tests.simulation.world.departments import Department, Mood
from tests.simulation.world.outside import Outside
from tests.simulation.world.plan import Plan, ScriptedDay
from tests.simulation.world.product import URL, Product
from tests.simulation.world.script import Script
from tests.simulation.world.street import Street

ZONE: Final = ZoneInfo("Asia/Dubai")
_ACTIVE_S: Final = 1500.0
_QUIET_S: Final = 1200.0
_NIGHT_HOUR: Final = 2
_BUSY_IDLE_S: Final = 35.0
_QUIET_IDLE_S: Final = 150.0
_SCRIPT_IDLE_S: Final = 20.0
_SCRIPT_QUIET_S: Final = 150.0
_WAITS_MAX: Final = 12
_NIGHT_IDLE_S: Final = 6 * 3600.0
_MORNING_S: Final = 150.0
_ROUGH_NIGHT_S: Final = 180.0
_IBANS: Final = ("AE580260001000000230064", "AE170460090000000123456", "AE670030010123456789012")


class World:
    """Plays a plan from its first morning to its last proof."""

    def __init__(self, simulation: Simulation, plan: Plan) -> None:
        self.simulation = simulation
        self.plan = plan
        self.outside = Outside(simulation, plan.providers, callbacks_url=f"{URL}/callbacks")
        self.product = Product(simulation, plan, simulation.chance.stream("product"))
        self.departments: dict[str, Department] = {}
        self.citizens: list[Citizen] = []
        self.violations: list[str] = []
        self.noticed = asyncio.Event()  # something is violated
        self.nights: list[date] = []
        self.chaos = Chaos(self, simulation.chance.stream("chaos"))
        self.street = Street(self, simulation.chance.stream("street"))
        self.script = Script(self)
        self.counter = Counter(self, simulation.chance.stream("counter"))
        self.calendar = Calendar()
        simulation.network.faults.weights = self._weights

    def _weights(self, route: Route) -> Weights:
        """Faults of the network: none on the world's own errands, none in quiet times."""
        return self.plan.network_weights if self.chaos.on and route.caller != "world" else {}

    def today(self) -> date:
        return self.simulation.clock().astimezone(ZONE).date()

    def note(self, sentence: str) -> None:
        """Record a violation, once."""
        if sentence not in self.violations:
            self.simulation.trace.add("world", "VIOLATION", sentence)
            self.violations.append(sentence)
            self.noticed.set()

    async def play(self) -> None:
        await self._begin()
        for day in range(self.plan.active_days):
            await (self._scripted_day(self.plan.script[day]) if self.plan.script else self._day())
            await self._night(rough=True)
            if day + 1 < self.plan.active_days:
                await self._until(self.today(), 9)
        while len(self.nights) < self.plan.nights:
            await self._night(rough=len(self.nights) < self.plan.nights - 2)
        await self._hear_again()
        await self._quiet(_QUIET_S)

    async def _begin(self) -> None:
        await self.outside.start()
        async with AsyncExitStack() as stack:
            parts = await self.product.assemble(stack)
            await self._fill_catalogue(parts)
            await sign_contracts(parts)
            if self.plan.counter:
                await self.counter.found(parts)
            for number in range(self.plan.departments):
                await self._open_department(parts, number)
        self.product.start()
        await asyncio.sleep(5)
        for department in self.departments.values():
            secret = await department.open_endpoint()
            department.listener.secrets[department.code] = secret
            if self.plan.silent:
                department.mood = Mood.SILENT

    async def _fill_catalogue(self, parts: Any) -> None:
        codes = [f"dept{number}" for number in range(self.plan.departments)]
        names = [{"code": code, "name_ar": f"دائرة {code}", "name_en": f"Department {code}"} for code in codes]
        services = [
            {
                "code": f"{code}.permit", "department": code, "name_ar": "تصريح", "name_en": "Permit",
                "revenue_code": "1001", "currency": "AED", "amount_minor": 12_345, "vat_basis_points": 500,
            }
            for code in codes
        ]  # fmt: skip
        bundles = [
            {
                "code": f"{code}.bundle", "department": code, "name_ar": "باقة", "name_en": "Bundle",
                "services": [f"{each}.permit" for each in codes],
            }
            for code in codes
        ]  # fmt: skip
        imported = await import_catalogue(parts.gateway, names, services, bundles)
        if imported.faults:
            raise RuntimeError(f"the catalogue was refused: {imported.faults}")

    async def _open_department(self, parts: Any, number: int) -> None:
        code = f"dept{number}"
        key, _ = await issue_key(parts.gateway, code, "simulation")
        details = PayeeDetails(code, "AED", f"Department {number}", _IBANS[number])
        change = await propose_payee_change(parts.night, details, by="maker", reason="opening")
        # The simulated banks know no department by name: a second person says that the account is right all the same.
        await decide_payee_change(parts.night, change, by="checker", approve=True, despite_bank=True)
        department = Department(code, self.simulation, URL, key, self.simulation.chance.stream(code))
        department.promised = self._promised
        self.departments[code] = department
        await self.simulation.spawn(self.simulation.process(department.host), department.listen(), f"listen {code}")

    def _promised(self, kind: str, identifier: str) -> None:
        """Hold a promise against the database at the very moment it was given."""
        table = {"intent": "gateway.intent", "refund": "gateway.refund"}.get(kind)
        if table and not self.simulation.control.value(f"SELECT count(*) FROM {table} WHERE id = '{identifier}'"):
            self.note(f"{kind} {identifier} was acknowledged and is not stored")

    async def _day(self) -> None:
        """A busy half hour, with whatever goes wrong in it, and a quiet while after it."""
        self.product.pace(_BUSY_IDLE_S)
        self.chaos.begin()
        self.counter.open()
        await self.street.fill(_ACTIVE_S)
        await self.chaos.end()
        await self._quiet(_QUIET_S)
        await self.counter.close()

    async def _scripted_day(self, day: ScriptedDay) -> None:
        """Two payments and their refunds; the web process dies in the first, the worker in the second."""
        self.product.pace(_SCRIPT_IDLE_S)
        for part, kill_at in (("web-1", day.web), ("worker-1", day.worker)):
            await asyncio.sleep(_SCRIPT_IDLE_S)
            process = self.product.running[part]
            before = process.steps
            process.kill_at_step = None if kill_at is None else before + kill_at
            await self.script.pay_and_give_back()
            if not process.dead:
                process.kill_at_step = None
                self.product.steps_of_script[part] = max(
                    self.product.steps_of_script.get(part, 0), process.steps - before
                )
        await self._quiet(_SCRIPT_QUIET_S)
        self.product.night_dies_at = day.night

    async def _hear_again(self) -> None:
        """Let silent endpoints answer at last, and wait until everything that was put off has been tried again."""
        if not self.plan.silent:
            return
        for department in self.departments.values():
            department.mood = Mood.WELL
        for _ in range(_WAITS_MAX):
            due = self.simulation.control.value(
                "SELECT extract(epoch FROM max(next_try_at))::bigint FROM gateway.webhook_delivery"
                " WHERE status = 'waiting'"
            )
            if due is None:
                return
            await asyncio.sleep(max(0.0, due - self.simulation.clock().timestamp()))
            await self._quiet(_MORNING_S)

    async def _quiet(self, duration_s: float) -> None:
        """Nothing goes wrong for a while, so that all that was left behind is taken up."""
        await self.chaos.end()
        self.product.pace(_QUIET_IDLE_S)
        await asyncio.sleep(duration_s)
        self.product.pace(_NIGHT_IDLE_S)

    async def _until(self, day: date, hour: int) -> None:
        target = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=hour)
        await asyncio.sleep(max(0.0, (target - self.simulation.clock()).total_seconds()))

    async def _night(self, *, rough: bool) -> None:
        """Wait for the small hours and run the night of the day that has ended, in two processes at once."""
        business_date = self.today()
        await self._until(business_date + timedelta(days=1), _NIGHT_HOUR)
        self.nights.append(business_date)
        if not self.calendar.is_working_day(business_date):
            self.simulation.trace.happened("night of a weekend or a holiday")
        if rough and not self.plan.script:
            self.chaos.begin_night()
        running = self.simulation.spawn(None, self.product.run_nights(business_date), f"night of {business_date}")
        await asyncio.wait({running}, timeout=_ROUGH_NIGHT_S)
        await self.chaos.end()
        await running
        await self._quiet(_MORNING_S)
        self.street.next_morning()
