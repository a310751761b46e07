"""The demo's stage: database, simulators, web and worker as real processes, on one clock that can be moved forward."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp

from ops.clock import ShiftedClock
from ops.database import embedded
from ops.migrate import migrate
from ops.ports import free_run, is_free
from ops.postgres import EmbeddedPostgres
from ops.processes import Child, Supervisor
from ops.running import announced
from ops.settings import Settings, read_settings
from ops.simulators import addresses, simulator_environment

_READY_TIMEOUT_S: Final = 60.0
_PAYOUT_APPROVAL_LIMIT_MINOR: Final = 10**12
_CHILDREN: Final = (Child("simulators", ["simulators"]), Child("web", ["web"]), Child("worker", ["worker"]))


class StageError(RuntimeError):
    """The demo cannot be set up as asked."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the players need: where everything is, the clock, and the processes behind it."""

    settings: Settings
    database_url: str
    clock: ShiftedClock
    supervisor: Supervisor
    postgres: EmbeddedPostgres | None

    @property
    def web_url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def listener_port(self) -> int:
        return self.settings.simulators_port + len(addresses(self.settings))

    def simulator_url(self, name: str) -> str:
        return next(address.url for address in addresses(self.settings) if address.name == name)


@asynccontextmanager
async def set_stage(
    base: Settings, *, home: Path, extra: Mapping[str, str] | None = None, own_ports: bool = False
) -> AsyncIterator[Stage]:
    """Start everything and wait until it serves; stop it all at the end.

    With `own_ports`, free ports are looked for, so that it can run beside another Mizan.
    """
    settings = replace(base, home=home)
    if own_ports:
        first = free_run(4 + len(addresses(settings)))
        settings = replace(settings, port=first, operations_port=first + 1, simulators_port=first + 3)
    _refuse_taken_ports(settings)
    home.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    with contextlib.ExitStack() as stack:
        server = None
        if settings.database_url is None:
            server = embedded(settings)
            stack.callback(server.stop)
        url = settings.database_url or (server.start() if server else "")
        await migrate(url)
        environment = {**_environment(settings, url), **(extra or {})}
        stack.enter_context(announced(home, environment))
        supervisor = Supervisor(_CHILDREN, environment, server, log_file=home / "mizan.log")
        running = asyncio.create_task(supervisor.run())
        try:
            effective = read_settings(environment)
            await _until_ready(effective, running)
            yield Stage(effective, url, ShiftedClock(home / "clock"), supervisor, server)
        finally:
            supervisor.stop()
            await running


def _environment(settings: Settings, url: str) -> dict[str, str]:
    clock_file = settings.home / "clock"
    if not clock_file.exists():
        clock_file.write_text("0.0", "ascii")
    return {
        **simulator_environment(settings),
        "DATABASE_URL": url,
        "MIZAN_HOME": str(settings.home.absolute()),
        "MIZAN_HOST": settings.host,
        "MIZAN_PORT": str(settings.port),
        "MIZAN_OPERATIONS_PORT": str(settings.operations_port),
        "MIZAN_SIMULATORS_PORT": str(settings.simulators_port),
        "MIZAN_CLOCK_FILE": str(clock_file.absolute()),
        "MIZAN_DEMO": "yes",
        "MIZAN_PRIVATE_WEBHOOKS": "yes",
        "MIZAN_PAYOUT_APPROVAL_LIMIT_MINOR": str(_PAYOUT_APPROVAL_LIMIT_MINOR),
        "MIZAN_LOG_LEVEL": "warning",
    }


def _ports(settings: Settings) -> Iterator[tuple[str, int]]:
    yield "MIZAN_PORT", settings.port
    yield "MIZAN_OPERATIONS_PORT", settings.operations_port
    yield "MIZAN_OPERATIONS_PORT", settings.operations_port + 1
    for number in range(len(addresses(settings)) + 1):
        yield "MIZAN_SIMULATORS_PORT", settings.simulators_port + number


def _refuse_taken_ports(settings: Settings) -> None:
    for variable, port in _ports(settings):
        if not is_free(port):
            raise StageError(f"port {port} is in use; set {variable} to another, or stop what runs there")


async def _until_ready(settings: Settings, running: asyncio.Task[None]) -> None:
    """Wait until web and worker say they are ready and every simulator listens."""
    probes = [f"http://{settings.host}:{settings.operations_port + number}/readyz" for number in (0, 1)]
    deadline_s = asyncio.get_running_loop().time() + _READY_TIMEOUT_S
    async with aiohttp.ClientSession() as session:
        for probe in [*probes, *(address.url for address in addresses(settings))]:
            while not running.done():
                if asyncio.get_running_loop().time() > deadline_s:
                    raise StageError(f"{probe} does not answer; {settings.home}/mizan.log says why")
                try:
                    async with session.get(probe) as answer:
                        if answer.status == 200 or probe not in probes:  # noqa: PLR2004 - HTTP's own OK
                            break
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)
    if running.done():
        raise StageError(f"a process of the demo could not be started; {settings.home}/mizan.log says why")
