"""One end of a connection in memory, as asyncio's protocols expect a transport to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, Protocol

from tests.simulation.network_faults import Route
from tests.simulation.processes import Process


class Carrier(Protocol):
    """Whoever moves bytes from one end to the other, and loses them."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def carry(self, sender: MemoryTransport, data: bytes) -> None: ...


class MemoryTransport(asyncio.Transport):
    """Bytes written here arrive at `peer`, in order, when and if the carrier lets them."""

    peer: MemoryTransport

    def __init__(
        self,
        carrier: Carrier,
        route: Route,
        process: Process | None,
        context: Context,
        extra: dict[str, Any],
    ) -> None:
        super().__init__(extra)
        self.carrier = carrier
        self.loop = carrier.loop
        self.route = route
        self.process = process
        self.context = context
        self.is_client = False
        self.protocol: Any = None
        self.closed = False
        self.severed = False  # nothing more arrives here
        self.silent = False  # nothing written here arrives any more
        self.last_arrival_s = 0.0
        self.duplicate = False  # the request now being written is to arrive once more
        self.request = bytearray()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]

    def is_closing(self) -> bool:
        return self.closed

    def is_reading(self) -> bool:
        return not self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self.closed:
            self.carrier.carry(self, bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def schedule(self, when_s: float, act: Callable[..., None], *args: object) -> None:
        """Let something happen at this end, never before what is already on its way to it, nor at its very moment.

        Who has received something gets a turn before the next thing happens, as with a real socket.
        """
        self.last_arrival_s = max(self.last_arrival_s + 0.000001, when_s)
        self.loop.call_at(self.last_arrival_s, act, *args, context=self.context)

    def receive(self, data: bytes) -> None:
        if not self.closed and not self.severed:
            self.protocol.data_received(data)

    def end(self, error: Exception | None) -> None:
        """Learn that the other end is gone."""
        if self.closed:
            return
        self.closed = True
        if error is None:
            self.protocol.eof_received()
        self.protocol.connection_lost(error)

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.loop.call_soon(self.protocol.connection_lost, None, context=self.context)
        if not self.silent:
            self.peer.schedule(self.loop.time() + 0.001, self.peer.end, None)

    def abort(self) -> None:
        self.close()

    def reset(self, when_s: float) -> None:
        """Break the connection at both ends."""
        for end in (self, self.peer):
            end.schedule(when_s, end.end, ConnectionResetError("connection reset (simulated)"))
