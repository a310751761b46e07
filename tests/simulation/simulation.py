"""One simulation: a loop, a network, a database and a trace, all born of one seed."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from tests.simulation.chance import Chance
from tests.simulation.loop import SimulatedLoop
from tests.simulation.network import Network
from tests.simulation.postgres_control import Control
from tests.simulation.postgres_faults import DatabaseFaults
from tests.simulation.postgres_link import PostgresBridge
from tests.simulation.processes import Process, current_name
from tests.simulation.server import Server
from tests.simulation.trace import Trace
from tests.simulation.virtual_time import VirtualClock, patched

T = TypeVar("T")
START: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class Simulation:
    """Build it in a child process (`isolation.in_child`): it seeds, patches and freezes without cleaning up."""

    def __init__(
        self,
        seed: int,
        server: Server,
        database: str,
        *,
        start: datetime = START,
        keep_trace: bool = False,
    ) -> None:
        self.seed = seed
        self.server = server
        self.database_url = server.database_url(database)
        self.chance = Chance(seed)
        now = [0.0]
        self.clock = VirtualClock(start, now)
        self.trace = Trace(start, lambda: now[0], keep_all=keep_trace)
        self.loop = SimulatedLoop(self.chance.stream("scheduler"), now)
        self.control = Control(server.socket_path, database)
        self.network = Network(self.loop, self.chance.stream("network"), self.trace)
        self.postgres = PostgresBridge(
            self.loop, self.control, DatabaseFaults(self.chance.stream("database")), self.trace
        )
        self.loop.trace = self.trace
        self.loop.wires = self.network
        self.loop.databases = self.postgres
        self.loop.set_exception_handler(self._unhandled)
        self._incarnations: dict[str, int] = {}
        self.unhandled: list[str] = []
        self.logged: list[str] = []

    def begin_at(self, start: datetime) -> None:
        """Set the world's clock before anything has happened."""
        self.clock.start = self.trace.start = start

    def process(self, name: str, *, skew_s: float = 0.0) -> Process:
        """Return a new incarnation of a process, and give its host an address."""
        number = self._incarnations[name] = self._incarnations.get(name, 0) + 1
        self.network.name(name)
        return Process(f"{name}#{number}" if number > 1 else name, skew_s)

    def spawn(self, process: Process | None, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return self.loop.spawn(process, coroutine, name)

    def kill(self, process: Process, *, planned: bool = False) -> None:
        self.loop.kill(process, planned=planned)

    def random_bytes(self, name: str) -> Callable[[int], bytes]:
        return self.chance.random_bytes(name)

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the world's own coroutine to its end. Whatever else still runs stays where it is."""
        # aiohttp picks the queue of a waiting connection by the global generator.
        random.seed(self.seed)
        asyncio.set_event_loop(self.loop)
        self._take_logs()
        try:
            with patched(self.clock, self.random_bytes("the machine")):
                task: asyncio.Task[T] = self.loop.spawn(None, main(), "world")
                return self.loop.run_until_complete(task)
        finally:
            for link in list(self.postgres.links):
                with suppress(Exception):
                    link.crash(unheard=True)
            self.control.close()

    def _take_logs(self) -> None:
        """Turn what the code under test logs into lines of the trace."""

        def keep(_logger: object, level: str, entry: Any) -> Any:
            known = {name: value for name, value in entry.items() if name not in ("event", "exc_info")}
            self._log(level, f"{entry.get('event')} {known or ''}")
            raise structlog.DropEvent

        structlog.configure(processors=[structlog.processors.format_exc_info, keep], cache_logger_on_first_use=False)
        root = logging.getLogger()
        for handler in list(root.handlers):
            root.removeHandler(handler)
        root.addHandler(_IntoTrace(self._log))
        root.setLevel(logging.WARNING)
        logging.getLogger("asyncio").setLevel(logging.ERROR)

    def _log(self, level: str, text: str) -> None:
        self.trace.add(current_name(), f"log:{level[:5]}", text)
        if level in ("error", "exception", "critical"):
            self.logged.append(f"{current_name()}: {text}"[:2000])

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        where = ""
        if isinstance(error, BaseException) and (frames := traceback.extract_tb(error.__traceback__)):
            where = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}"
        sentence = f"{context.get('message')}: {error!r}{where}"
        self.trace.add(current_name(), "unhandled", sentence)
        self.unhandled.append(f"{current_name()}: {sentence}")


class _IntoTrace(logging.Handler):
    def __init__(self, log: Callable[[str, str], None]) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += f" {record.exc_info[1]!r}"
        self._log(record.levelname.lower(), text)
