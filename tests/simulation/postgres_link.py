"""asyncpg on virtual time, PostgreSQL for real: one blocking exchange at a time.

What asyncpg writes is kept, sent at a seeded moment in one go, answered while the world stands still, and handed back
at a later seeded moment. So PostgreSQL is a pure function of the order of exchanges. A backend that waits for a lock
does not answer: its link is parked, and looked at again after every exchange of another.
"""

from __future__ import annotations

import asyncio
import contextvars
import select
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.simulation.loop import SimulatedLoop
from tests.simulation.postgres_control import Control
from tests.simulation.postgres_faults import DatabaseFault, DatabaseFaults
from tests.simulation.postgres_wire import Answer, Request, read_request, read_startup
from tests.simulation.processes import CURRENT, Process, current_name
from tests.simulation.trace import Trace

_real_sleep = time.sleep
_ANSWER_S: Final = 0.02
_RECEIVE_BYTES: Final = 1 << 16


class PostgresLink(asyncio.Transport):
    """The transport asyncpg believes to be a Unix socket."""

    def __init__(self, bridge: PostgresBridge, path: str, protocol: Any) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        super().__init__({"socket": self.socket})
        self.bridge = bridge
        self.loop = bridge.loop
        self.protocol = protocol
        self.context = contextvars.copy_context()
        self.process = CURRENT.get()
        self.actor = current_name()
        self.answer = Answer()
        self.closed = False
        self._greeted = False
        self._unsent = bytearray()
        self._scheduled = False
        self._fault: DatabaseFault | None = None
        self._at_commit = False
        self._last_arrival_s = 0.0

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.closed:
            return
        self._unsent += data
        if not self._scheduled:
            self._scheduled = True
            when_s = self.loop.time() + self.bridge.faults.latency_s()
            self.loop.call_at(when_s, self._exchange, context=self.context)

    def _next_request(self) -> tuple[Request, bytes]:
        data = bytes(self._unsent)
        self._unsent.clear()
        self._scheduled = False
        return (read_request(data) if self._greeted else read_startup(data)), data

    def _exchange(self) -> None:
        if self.closed:
            return
        request, data = self._next_request()
        if request.is_farewell:
            self.crash()
            return
        self.bridge.trace.add(self.actor, "sql", f"{request.kinds} {request.fingerprint:08x} {_one_line(request.sql)}")
        if request.is_cancel:
            self._cancel(data)
            return
        if self._greeted:
            self._fault, self._at_commit = self.bridge.faults.draw(request), request.is_commit
        self._greeted = True
        if self._fault is DatabaseFault.LOST_BEFORE:
            self._note_fault()
            self.crash(ConnectionResetError("connection to the database lost (simulated)"))
            return
        self.answer.expect(request)
        self.socket.sendall(data)
        self.wait()
        self.bridge.look_at_parked()

    def _note_fault(self) -> None:
        if self._fault:
            self.bridge.trace.fault(self.actor, f"{self._fault}{' COMMIT' if self._at_commit else ''}")

    def _cancel(self, data: bytes) -> None:
        self.socket.sendall(data)
        while self.socket.recv(_RECEIVE_BYTES):
            pass
        self.closed = True
        self.loop.call_soon(self.protocol.connection_lost, None, context=self.context)
        self.bridge.trace.happened("database request cancelled")
        self.bridge.look_at_parked()

    def wait(self) -> None:
        """Block until the backend has answered, has died, or is known to wait for a lock."""
        while self.answer.waits:
            if self.answer.complete:
                break
            if not select.select([self.socket], [], [], _ANSWER_S)[0]:
                if self.answer.pid and self.bridge.is_blocked(self.answer.pid):
                    self.bridge.park(self)
                    return
                continue
            received = self.socket.recv(_RECEIVE_BYTES)
            if not received:
                if self.answer.data:
                    self._deliver()  # the backend's last words
                self.crash(ConnectionResetError("the backend ended"))
                return
            self.answer.feed(received)
        self._deliver()

    def _deliver(self) -> None:
        error, rows = self.answer.error, self.answer.rows
        data = self.answer.take()
        if not data:
            return
        if error:
            self.bridge.seen_error(self.actor, error)
        self.bridge.trace.add(self.actor, "rows", f"{rows:08x} {error}".rstrip())
        fault, self._fault = self._fault, None
        if fault:
            self._fault = fault
            self._note_fault()
            self._fault = None
        if fault is DatabaseFault.REPLY_LOST:
            self.crash(ConnectionResetError("connection to the database lost (simulated)"))
            return
        arrival_s = self.loop.time() + self.bridge.faults.reply_latency_s()
        if fault is DatabaseFault.SLOW:
            arrival_s += self.bridge.faults.slow_s()
        self._last_arrival_s = max(self._last_arrival_s, arrival_s)
        self.loop.call_at(self._last_arrival_s, self._receive, data, context=self.context)
        if fault is DatabaseFault.LOST_AFTER:
            error_after = ConnectionResetError("connection to the database lost (simulated)")
            self.loop.call_at(self._last_arrival_s + 0.0001, self.crash, error_after, context=self.context)

    def _receive(self, data: bytes) -> None:
        if not self.closed:
            self.protocol.data_received(data)

    def crash(self, error: Exception | None = None, *, unheard: bool = False) -> None:
        """Close the connection, end its backend, and tell asyncpg, unless nobody is left to be told."""
        if self.closed:
            return
        self.closed = True
        self.socket.close()
        self.bridge.forget(self)
        if not unheard:
            self.loop.call_at(self.loop.time() + 0.001, self.protocol.connection_lost, error, context=self.context)
        self.bridge.look_at_parked()

    def finish_unheard(self) -> None:
        """Let the backend do what was written before its client died, and tell nobody."""
        if self._unsent and self._greeted and not self.closed:
            request, data = self._next_request()
            if request.is_farewell or request.is_cancel:
                return
            self.bridge.trace.fault(self.actor, "killed with a statement under way", _one_line(request.sql))
            if request.is_commit:
                self.bridge.trace.happened("killed with a COMMIT under way")
            self.answer.expect(request)
            self.socket.sendall(data)
            while not self.answer.complete:
                if not select.select([self.socket], [], [], _ANSWER_S)[0]:
                    if self.bridge.is_blocked(self.answer.pid):
                        return
                    continue
                received = self.socket.recv(_RECEIVE_BYTES)
                if not received:
                    return
                self.answer.feed(received)

    def close(self) -> None:
        self.crash()

    def abort(self) -> None:
        self.crash(ConnectionAbortedError("aborted"))


class PostgresBridge:
    """All connections of one world to its database."""

    def __init__(self, loop: SimulatedLoop, control: Control, faults: DatabaseFaults, trace: Trace) -> None:
        self.loop = loop
        self.control = control
        self.faults = faults
        self.trace = trace
        self.links: list[PostgresLink] = []
        self.parked: list[PostgresLink] = []
        self.down_until_s = -1.0
        self.errors_seen: list[tuple[str, str]] = []
        self.on_error: Callable[[str, str], None] = lambda _actor, _code: None

    async def open(self, factory: Callable[[], asyncio.BaseProtocol], path: str) -> tuple[Any, Any]:
        await asyncio.sleep(self.faults.latency_s())
        if self.loop.time() < self.down_until_s:
            raise ConnectionRefusedError(111, "PostgreSQL is down (simulated)")
        protocol: Any = factory()
        link = PostgresLink(self, path, protocol)
        self.links.append(link)
        protocol.connection_made(link)
        return link, protocol

    def is_blocked(self, pid: int) -> bool:
        return bool(self.control.value(f"SELECT cardinality(pg_blocking_pids({pid})) > 0"))

    def park(self, link: PostgresLink) -> None:
        self.trace.add(link.actor, "waits", "for a lock")
        self.trace.happened("waited for a row lock")
        self.parked.append(link)

    def look_at_parked(self) -> None:
        """Finish every parked exchange whose lock has become free."""
        progress = True
        while self.parked and progress:
            progress = False
            for link in list(self.parked):
                if link in self.parked and not self.is_blocked(link.answer.pid):
                    self.parked.remove(link)
                    link.wait()
                    progress = link not in self.parked

    def seen_error(self, actor: str, code: str) -> None:
        self.errors_seen.append((actor, code))
        self.on_error(actor, code)

    def forget(self, link: PostgresLink) -> None:
        """End the backend of a closed link and wait until its locks are gone: the order of things is the world's."""
        if link in self.links:
            self.links.remove(link)
        if link in self.parked:
            self.parked.remove(link)
        if not link.answer.pid:
            return
        self.control.rows(f"SELECT pg_terminate_backend({link.answer.pid})")
        while self.control.value(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {link.answer.pid}"):
            _real_sleep(0.0005)

    def cut(self, process: Process) -> None:
        """Drop what a killed process held; what it had written may or may not have reached the server."""
        for link in [link for link in self.links if link.process is process]:
            if self.faults.stream.random() < 0.5:
                link.finish_unheard()
            link.crash(unheard=True)

    def go_down(self, duration_s: float) -> None:
        """Cut every session, as a restart of PostgreSQL does, and refuse new ones for a while."""
        self.trace.fault("postgres", "PostgreSQL down", f"for {duration_s:.1f} s")
        self.down_until_s = self.loop.time() + duration_s
        for link in list(self.links):
            link.crash(ConnectionResetError("PostgreSQL went down (simulated)"))

    def terminate_one(self) -> None:
        """End one session, as an administrator or an out-of-memory killer does."""
        if self.links:
            self.trace.fault("postgres", "one backend terminated")
            self.faults.stream.choice(self.links).crash(ConnectionResetError("terminated (simulated)"))


def _one_line(sql: str) -> str:
    return " ".join(sql.split())[:200]
