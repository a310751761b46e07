"""One scripted day of the city: departments ask, citizens pay or do not, the night runs, the books are proven."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from ops.demo import catalogue
from ops.demo.catalogue import DemoService
from ops.demo.city import found_city, open_account
from ops.demo.department_system import DepartmentSystem, Listener
from ops.demo.night import watch_night
from ops.demo.proofs import prove, show_proofs
from ops.demo.saboteur import Saboteur
from ops.demo.stage import Stage, StageError, set_stage
from ops.demo.visits import Day, Visit, clear_faults, order_fault, plan_of
from ops.settings import Settings
from ops.wiring import Parts, assemble
from reconciliation.breaks import Language
from reconciliation.reports.catalogue import Format, build_report, render

Say = Callable[[str], None]

_ROUNDS: Final = 6
_ROUND_HOURS: Final = 2
_OPENS: Final = time(8, 0)
_AT_ONCE: Final = 6
_DEPARTMENTS: Final = 10
_SETTLE_LOOKS: Final = 60
_BUNDLING: Final = "economy"
_BUNDLED_EVERY: Final = 20
_PROVIDER_TIMEOUT_S: Final = "4"


async def play_day(settings: Settings, *, payments: int, kills: int = 0, keep: bool = False, say: Say) -> int:
    """Play the day in a Mizan of its own; return 0 when every proof holds, else 1."""
    home = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="mizan-day-"))
    await asyncio.to_thread(home.chmod, 0o755)
    say(f"A day with {payments} payments, in {home}")
    try:
        extra = {"MIZAN_PROVIDER_NGENIUS__TIMEOUT_S": _PROVIDER_TIMEOUT_S}
        async with set_stage(settings, home=home, extra=extra, own_ports=True) as stage:
            broken = await _play(stage, payments, kills, say)
    except BaseException:
        say(f"The day was cut short; its data and logs stay in {home}")
        raise
    if broken or keep:
        say(f"The day's data and logs stay in {home}")
    else:
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
    return broken


async def _play(stage: Stage, payments: int, kills: int, say: Say) -> int:
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(assemble(stage.settings, stage.database_url, pool_size_max=4))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        listener = Listener(stage.clock)
        runner = web.AppRunner(listener.app(), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", stage.listener_port).start()
        if not await found_city(parts, [f"http://127.0.0.1:{stage.listener_port}"]):
            raise StageError("this database already holds a city; a scripted day needs an empty one")
        say(f"  {len(catalogue.departments())} departments, {len(catalogue.services()):,} services")
        day = Day(stage, parts, session, await _open_departments(stage, parts, session, listener), listener)
        saboteur = Saboteur(stage, kills)
        sabotage = asyncio.create_task(saboteur.run())
        await _live(day, payments, say)
        first = day.local_now.date()
        await watch_night(stage.settings, stage.database_url, say)
        say("The next morning's statement:")
        await watch_night(stage.settings, stage.database_url, say)
        if kills:
            await sabotage
            await _settle(day)
            say("Killed meanwhile: " + ", ".join(f"{n} x {who}" for who, n in sorted(saboteur.killed.items())))
        await _show_report(parts, first, say)
        return show_proofs(await prove(day), say)


async def _open_departments(
    stage: Stage, parts: Parts, session: aiohttp.ClientSession, listener: Listener
) -> list[DepartmentSystem]:
    systems = []
    for department in catalogue.departments()[:_DEPARTMENTS]:
        url = f"http://127.0.0.1:{stage.listener_port}/{department.code}"
        account = await open_account(parts, department.code, url)
        listener.secrets[department.code] = account.webhook_secret
        systems.append(DepartmentSystem(department.code, stage.web_url, account.api_key, session))
    return systems


async def _live(day: Day, payments: int, say: Say) -> None:
    """Play the rounds: citizens come, the clock moves on, those who come late come late, departments refund."""
    opens = datetime.combine(day.local_now.date(), _OPENS, day.stage.settings.time_zone)
    day.stage.clock.move_to(opens if opens > day.stage.clock() else opens + timedelta(days=1))
    prices = _prices(day.systems)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def visit(number: int) -> None:
        async with slots:
            system = day.systems[number % len(day.systems)]
            lines = prices[system.code][number % 5 : number % 5 + (2 if number % 9 == 0 else 1)]
            one = Visit(number, plan_of(number), system, "ar" if number % 3 else "en")
            day.visits.append(one)
            basket: dict[str, Any] = {"lines": [{"service": line.code} for line in lines]}
            if system.code == _BUNDLING and number % _BUNDLED_EVERY == 0:
                basket = {"bundle": "start-a-restaurant"}
            await one.begin(day.session, basket, now=day.stage.clock(), stage=day.stage)

    for round_number in range(_ROUNDS):
        first, last = (payments * (round_number + step) // _ROUNDS for step in (0, 1))
        await asyncio.gather(*(visit(number) for number in range(first, last)))
        done = Counter(one.seen for one in day.visits)
        counts = ", ".join(f"{count} {word}" for word, count in sorted(done.items()))
        say(f"  {day.local_now:%H:%M}  {last} of {payments}: {counts}")
        dawdlers = [one for one in day.visits if one.seen == "dawdling"]
        if dawdlers:
            # Mizan closes an order at the provider before it lets an intent expire. A payer can come too late only
            # where the provider could not be told.
            await order_fault(day.session, day.stage, call="void", fault="http", status=503, times=50)
        day.stage.clock.move_to(day.stage.clock() + timedelta(hours=_ROUND_HOURS))
        await asyncio.gather(*(one.come_late(day.session) for one in dawdlers))
        await clear_faults(day.session, day.stage)
    await asyncio.gather(*(one.ask_for_refund() for one in day.visits))
    await _settle(day)
    say(f"  {day.local_now:%H:%M}  the day is over: {await _outcomes(day)}")


def _prices(systems: list[DepartmentSystem]) -> dict[str, list[DemoService]]:
    wanted = {system.code for system in systems}
    found: dict[str, list[DemoService]] = {code: [] for code in wanted}
    for service in catalogue.services():
        if service.department in wanted and service.amount_minor is not None:
            found[service.department].append(service)
    return found


async def _settle(day: Day) -> None:
    """Wait until nothing is undecided: every visit has come to the end its plan leads to."""
    waiting = list(day.visits)
    for _ in range(_SETTLE_LOOKS):
        waiting = [one for one in waiting if not await one.is_settled()]
        if not waiting:
            return
        # Deadlines are on the clock, not on the wall: minutes pass while we wait a moment.
        await asyncio.sleep(1.0)
        day.stage.clock.move_to(day.stage.clock() + timedelta(minutes=2))
    stuck = "; ".join(f"{one.intent['id']} {one.plan}: {one.final}" for one in waiting[:5])
    raise StageError(f"{len(waiting)} payments never came to an end: {stuck}")


async def _outcomes(day: Day) -> str:
    counts = Counter(one.final for one in day.visits)
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())


async def _show_report(parts: Parts, business_date: Any, say: Say) -> None:
    async with (
        parts.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        report = await build_report(connection, "reconciliation", business_date, Language.ENGLISH)
        say("")
        say("".join([chunk.decode() async for chunk in render(report, Format.TEXT)]))
