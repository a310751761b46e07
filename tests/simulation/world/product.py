"""Mizan's own processes, as its own supervisor starts them: web, worker and night, through the composition root.

Nothing of the product is replaced but the two things the composition root takes from the machine, its clock and its
randomness. What is slowed down is the worker's idleness: in a quiet night it looks for work every few minutes.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from adapters.errors import ProviderError
from gateway.deps import OutgoingMessage
from gateway.store.connections import DATABASE_DOWN
from ops import web as web_process
from ops import wiring
from ops.jobs import Job, run_jobs
from ops.settings import Settings
from ops.wiring import Parts
from ops.worker import jobs_of
from reconciliation.errors import LeaseLostError, NightRunningError
from reconciliation.nightly import run_night
from tests.simulation.processes import CURRENT, Process
from tests.simulation.simulation import Simulation
from tests.simulation.world import outside
from tests.simulation.world.plan import Plan

HOST: Final = "pay.example"
URL: Final = f"https://{HOST}"
_NIGHT_TRIES: Final = 40
_LOOK_S: Final = 5.0
_SKEW_NOTED_S: Final = 0.2
_SELDOM_S: Final = 10.0  # jobs that rest as long in production may rest longer here
_SELDOM: Final = 4

Main = Callable[[Process], Coroutine[Any, Any, None]]


class Postman:
    """Carries messages to payers, and remembers how often each was handed over."""

    def __init__(self) -> None:
        self.carried: Counter[str] = Counter()

    async def send(self, message: OutgoingMessage) -> None:
        await asyncio.sleep(0.05)
        self.carried[message.id] += 1


class Product:
    """All processes of one Mizan. A process that dies is started again, unless the world is told to leave it dead."""

    def __init__(self, simulation: Simulation, plan: Plan, stream: random.Random) -> None:
        self.simulation = simulation
        self.plan = plan
        self._stream = stream
        self._idle_s = _LOOK_S
        self._paced = asyncio.Event()
        self.running: dict[str, Process] = {}
        self.steps_of_script: dict[str, int] = {}  # how many steps a part of a scripted day takes at most
        self._keepers: list[asyncio.Task[None]] = []
        self.nights_failed: list[str] = []
        self._workers_may_live = asyncio.Event()
        self._workers_may_live.set()
        self.night_dies_at: int | None = None  # at which of its steps the next night process is killed
        self.postman = Postman()
        self.settings = Settings(
            database_url=simulation.database_url,
            home=Path("/nonexistent"),
            host=simulation.network.name(HOST),
            port=443,
            public_url=URL,
            secret="a secret of the simulation, long enough",
            bank_iban=outside.OUR_IBAN,
            payout_approval_limit_minor=10**12,
            providers=outside.settings(plan.providers),
        )
        wiring.clock_of = self._clock_of  # type: ignore[assignment]

    def _clock_of(self, _settings: Settings) -> Callable[[], datetime]:
        process = CURRENT.get()
        return self.simulation.clock.of(process) if process else self.simulation.clock

    def _skew_s(self) -> float:
        return self._stream.uniform(-self.plan.skew_s_max, self.plan.skew_s_max)

    def pace(self, idle_s: float) -> None:
        """Let idle workers look for work this often from now on, and look at once."""
        self._idle_s = idle_s
        self._paced.set()
        self._paced = asyncio.Event()

    async def _idle(self, least_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(least_s, self._idle_s * (_SELDOM if least_s >= _SELDOM_S else 1))):
                await self._paced.wait()

    def start(self) -> None:
        """Start two web processes and two workers, each kept running from now on."""
        for number in range(1, self.plan.processes + 1):
            for name, main in ((f"web-{number}", self._web), (f"worker-{number}", self._work)):
                self._keepers.append(self.simulation.spawn(None, self._keep(name, main), f"keep {name}"))

    def stop_workers(self) -> None:
        """Kill all workers and leave them dead, so that everything they do waits for them."""
        self.simulation.trace.fault("world", "backlog: no worker lives")
        self._workers_may_live.clear()
        for name, process in list(self.running.items()):
            if name.startswith("worker"):
                self.simulation.kill(process)

    def release_workers(self) -> None:
        self._workers_may_live.set()

    async def _keep(self, name: str, main: Main) -> None:
        skew_s = self._skew_s()  # a machine's clock stays wrong over restarts
        while True:
            if name.startswith("worker"):
                await self._workers_may_live.wait()
            await self._live(name, main, skew_s)
            self.simulation.trace.happened("process started again")
            await asyncio.sleep(self._stream.uniform(0.2, 3.0))

    async def _live(
        self, name: str, main: Main, skew_s: float, expected: tuple[type[BaseException], ...] = DATABASE_DOWN
    ) -> Process:
        """Run one incarnation to its end, whatever ends it."""
        process = self.simulation.process(name, skew_s=skew_s)
        if abs(skew_s) > _SKEW_NOTED_S:
            self.simulation.trace.fault(process.name, "clock of a process is wrong", f"by {skew_s:.1f} s")
        if name.startswith("night"):
            process.kill_at_step, self.night_dies_at = self.night_dies_at, None
        over = asyncio.Event()
        process.on_death = over.set
        task = self.simulation.spawn(process, main(process), name)
        task.add_done_callback(lambda _: over.set())
        self.running[name] = process
        await over.wait()
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            self.simulation.trace.add(name, "ended", repr(error)[:200])
            if not isinstance(error, expected):
                self.simulation.unhandled.append(f"{name} ended with {error!r}")
        self.simulation.kill(process, planned=True)
        del self.running[name]
        if name.startswith("night"):
            self.steps_of_script["night-1"] = max(self.steps_of_script.get("night-1", 0), process.steps)
        return process

    async def _web(self, process: Process) -> None:
        settings = replace(self.settings, operations_port=9000 + len(process.name))
        await web_process.serve(settings, asyncio.Event())

    async def assemble(self, stack: AsyncExitStack) -> Parts:
        parts = await stack.enter_async_context(wiring.assemble(self.settings, self.simulation.database_url))
        senders = {"email": self.postman, "sms": self.postman}
        gateway = replace(parts.gateway, refund_late_payments=self.plan.refund_late_payments, senders=senders)
        return replace(parts, gateway=gateway)

    async def _work(self, _process: Process) -> None:
        async with AsyncExitStack() as stack:
            parts = await self.assemble(stack)

            def paced(job: Job) -> Job:
                async def run() -> int:
                    found = await job.run()
                    if not found:
                        await self._idle(job.every_s)
                    return found

                return Job(job.name, run, every_s=0.001)

            jobs = [paced(job) for job in jobs_of(parts)]
            await run_jobs(jobs, asyncio.Event(), lambda: parts.clock().timestamp())

    async def run_nights(self, business_date: date) -> None:
        """Run the night of a date in several processes at once, each until it has seen it through."""
        async with asyncio.TaskGroup() as group:
            for number in range(1, self.plan.processes + 1):
                group.create_task(self._see_through(f"night-{number}", business_date))

    async def _see_through(self, name: str, business_date: date) -> None:
        skew_s = self._skew_s()
        for _ in range(_NIGHT_TRIES):
            finished: list[bool] = []

            async def night(_process: Process, finished: list[bool] = finished) -> None:
                async with AsyncExitStack() as stack:
                    parts = await self.assemble(stack)
                    try:
                        await run_night(parts.night, business_date)
                    except (NightRunningError, LeaseLostError):
                        self.simulation.trace.happened("a second night stood back")
                    else:
                        finished.append(True)

            before = len(self.simulation.unhandled)
            process = await self._live(name, night, skew_s, (*DATABASE_DOWN, ProviderError))
            if finished and process.dead:
                return
            if len(self.simulation.unhandled) > before:
                break  # it will not go better the next time
            await asyncio.sleep(self._stream.uniform(30, 90))
        self.nights_failed.append(f"{name} never finished {business_date}")
