"""An asyncio event loop that never meets the machine: virtual time, a seeded scheduler, and death at any step.

When nothing is ready the loop moves its time to the next timer. Of the callbacks ready together only the steps of
tasks are put in seeded order; protocol callbacks stay in theirs, because a transport's promises depend on it. The
steps are first sorted by the age of their task, so that the order does not depend on how a set happened to iterate.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from itertools import count
from typing import Any, Protocol

from tests.simulation.processes import CURRENT, Process, current_name
from tests.simulation.trace import Trace


class StandstillError(RuntimeError):
    """Nothing is ready and no timer is set: whatever the simulation waits for can never come."""


class Wires(Protocol):
    """What the loop asks of the simulated network."""

    async def resolve(self, host: str, port: int) -> list[tuple[Any, ...]]: ...
    async def connect(self, sock: socket.socket, address: tuple[str, int]) -> None: ...
    def open(
        self, factory: Callable[[], asyncio.BaseProtocol], sock: socket.socket, tls: object
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]: ...
    def listen(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, tls: object = None) -> Any: ...
    def cut(self, process: Process) -> None: ...


class Databases(Protocol):
    """What the loop asks of the bridge to PostgreSQL."""

    async def open(
        self, factory: Callable[[], asyncio.BaseProtocol], path: str
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]: ...
    def cut(self, process: Process) -> None: ...


class _NoSelector:
    """A selector that never sees anything: there is no outside."""

    def select(self, _timeout: float | None = None) -> list[Any]:
        return []

    def close(self) -> None: ...

    def get_map(self) -> dict[Any, Any]:
        return {}


class SimulatedTask(asyncio.Task[Any]):
    """A task that knows when it was created, relative to all others."""

    serial: int


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop of one world. Its private names are asyncio's own and have stood since Python 3.7."""

    _selector: Any
    _ready: deque[Any]
    _scheduled: list[Any]
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(self, order: random.Random, now: list[float]) -> None:
        super().__init__()
        self._real_selector = self._selector
        self._selector = _NoSelector()
        self._order = order
        self._now = now
        self._serials = count(1)
        self.trace: Trace
        self.wires: Wires
        self.databases: Databases
        # What a killed process left behind. Were it let go, Python would run its `finally` blocks.
        self.frozen: list[object] = []
        self.set_task_factory(self._new_task)

    def _new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> SimulatedTask:
        task = SimulatedTask(coroutine, loop=loop, **options)
        task.serial = next(self._serials)
        return task

    def time(self) -> float:
        return self._now[0]

    def close(self) -> None:
        self._selector = self._real_selector
        super().close()

    def run_in_executor(self, _executor: Executor | None, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Run it here and now: a simulation has no threads."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on, as an executor does
            future.set_exception(error)
        return future

    def spawn(self, process: Process | None, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a coroutine as part of a process, or of the world itself."""
        context = Context()
        context.run(CURRENT.set, process)
        return self.create_task(coroutine, name=name, context=context)

    @staticmethod
    def _task_of(handle: Any) -> SimulatedTask | None:
        owner = getattr(handle._callback, "__self__", None)
        return owner if isinstance(owner, SimulatedTask) else None

    def _take_due_timers(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._timer_cancelled_count -= 1
        if not self._ready and not self._stopping:
            if not self._scheduled:
                raise StandstillError(f"nothing can happen any more at {self.time():.3f} s")
            self._now[0] = max(self._now[0], self._scheduled[0]._when)
        while self._scheduled and self._scheduled[0]._when <= self._now[0]:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _run_once(self) -> None:
        self._take_due_timers()
        batch = list(self._ready)
        self._ready.clear()
        places = [place for place, handle in enumerate(batch) if self._task_of(handle)]
        if len(places) > 1:
            steps = sorted((batch[place] for place in places), key=lambda handle: self._task_of(handle).serial)  # type: ignore[union-attr]
            self._order.shuffle(steps)
            for place, handle in zip(places, steps, strict=True):
                batch[place] = handle
        for handle in batch:
            if not handle._cancelled:
                self._step(handle)

    def _step(self, handle: Any) -> None:
        process = handle._context.get(CURRENT)
        task = self._task_of(handle)
        if process is not None:
            if task is not None and not process.dead:
                process.steps += 1
                if process.steps == process.kill_at_step:
                    process.killed_in = task.get_name()
                    self.kill(process)
            if process.dead:
                self.frozen.append(handle)
                return
        if task is not None:
            self.trace.add(process.name if process else "world", "step", str(task.serial))
        handle._run()

    def kill(self, process: Process, *, planned: bool = False) -> None:
        """End a process as SIGKILL does: no frame of it runs again, not even a `finally`."""
        if process.dead:
            return
        process.dead = True
        if planned:
            self.trace.add(process.name, "ended")
        else:
            self.trace.fault(process.name, "process killed", f"at its step {process.steps}")
        self.frozen.extend(asyncio.all_tasks(self))
        self.databases.cut(process)
        self.wires.cut(process)
        if process.on_death is not None:
            process.on_death()

    async def getaddrinfo(self, host: Any, port: Any, **_options: Any) -> Any:
        return await self.wires.resolve(str(host), int(port or 0))

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await self.wires.connect(sock, address)

    async def create_connection(self, protocol_factory: Any, *_address: Any, **options: Any) -> Any:
        sock = options.get("sock")
        if sock is None:
            raise NotSimulatedError("create_connection without a connected socket")
        return self.wires.open(protocol_factory, sock, options.get("ssl"))

    async def create_server(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        return self.wires.listen(protocol_factory, str(host), int(port), options.get("ssl"))

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **_options: Any) -> Any:
        return await self.databases.open(protocol_factory, str(path))

    def add_signal_handler(self, sig: int, _callback: Any, *_args: Any) -> None:  # type: ignore[override]
        """Accept and forget: a simulated process is ended by its world."""
        self.trace.add(current_name(), "signal", f"handler for {sig}")

    def remove_signal_handler(self, sig: int) -> bool:  # noqa: ARG002
        return False

    async def subprocess_exec(self, *_words: Any, **_options: Any) -> Any:
        raise NotSimulatedError("a subprocess")

    async def create_datagram_endpoint(self, *_words: Any, **_options: Any) -> Any:
        raise NotSimulatedError("a datagram socket")


class NotSimulatedError(RuntimeError):
    """The code under test reached for something outside that the simulation does not have."""
