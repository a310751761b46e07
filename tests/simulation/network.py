"""An in-memory internet: names, addresses, listeners, and connections that fail in every way TCP allows."""

from __future__ import annotations

import asyncio
import contextvars
import random
import socket
import zlib
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from tests.simulation.loop import SimulatedLoop
from tests.simulation.network_faults import ON_CONNECT, ON_REPLY, ON_REQUEST, NetworkFault, NetworkFaults, Route
from tests.simulation.processes import CURRENT, Process, current_name
from tests.simulation.trace import Trace
from tests.simulation.transport import MemoryTransport

_RETRANSMIT_S_MAX: Final = 40.0
_DUPLICATED_BYTES_MAX: Final = 65536
_STALL_S: Final = 86400.0
_ENDS_KEPT: Final = 500
_TLS_PORT: Final = 443
_LINE_BYTES_MAX: Final = 1000  # an acquirer's addresses are long
_FIRST_FREE_PORT: Final = 20_000


class _Shown:
    """What a server sees of a client that had to show its certificate: TLS itself is not simulated."""

    @staticmethod
    def getpeercert(binary_form: bool = False) -> bytes:  # noqa: ARG004, FBT001, FBT002 - as ssl.SSLObject has it
        return b"the certificate of the only client"


class Listener:
    """What `create_server` returns: a process waiting for connections at an address."""

    def __init__(
        self,
        network: Network,
        factory: Callable[[], asyncio.BaseProtocol],
        host: str,
        port: int,
        context: contextvars.Context,
        tls: object = None,
    ) -> None:
        self.factory = factory
        self.tls = tls
        self.context = context
        self.process = context.get(CURRENT)
        self.address = (host, port)
        self._network = network
        self.sockets = [self]

    def getsockname(self) -> tuple[str, int]:
        return self.address

    def is_serving(self) -> bool:
        return self in self._network.listeners

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._network.loop

    async def start_serving(self) -> None: ...

    def close(self) -> None:
        if self in self._network.listeners:
            self._network.listeners.remove(self)

    async def wait_closed(self) -> None: ...


class _Deaf(asyncio.Protocol):
    """The sender of a duplicate, who does not wait for the answer."""


class Network:
    """All hosts of one world. `name` gives a host an address; `TCPSite` on that address makes it answer."""

    def __init__(self, loop: SimulatedLoop, stream: random.Random, trace: Trace) -> None:
        self.loop = loop
        self.trace = trace
        self.faults = NetworkFaults(stream)
        self.listeners: list[Listener] = []
        self._stream = stream
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._dialled: dict[socket.socket, tuple[str, int]] = {}
        self._ends: list[MemoryTransport] = []
        self._ports = count()
        self._free_ports = count(_FIRST_FREE_PORT)
        self.sealed: set[str] = set()  # hosts whose messages are encrypted or signed with the machine's randomness
        self.watch: Callable[[Process, str], None] | None = None  # is told of each request a process sends
        self.repeated: list[str] = []  # the first lines of requests that arrived twice

    def name(self, host: str) -> str:
        """Return the public address of a host, giving it one when it is new."""
        if host not in self._addresses:
            number = len(self._addresses) + 1
            self._addresses[host] = f"20.{number // 250}.0.{number % 250 + 1}"
            self._names[self._addresses[host]] = host
        return self._addresses[host]

    def host_of(self, address: str) -> str:
        return self._names.get(address, address)

    async def resolve(self, host: str, port: int) -> list[tuple[Any, ...]]:
        await asyncio.sleep(0.001)
        address = self._addresses.get(host, host if host in self._names else None)
        route = Route(current_name(), host)
        if address is None or self.faults.draw(route, frozenset({NetworkFault.UNRESOLVED})):
            self.trace.fault(current_name(), NetworkFault.UNRESOLVED, host)
            raise socket.gaierror(socket.EAI_NONAME, "name not known (simulated)")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    async def connect(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Reach a listener, or fail as TCP does."""
        await asyncio.sleep(self.faults.latency_s())
        route = Route(current_name(), self.host_of(address[0]))
        fault = self.faults.draw(route, ON_CONNECT - {NetworkFault.UNRESOLVED})
        if fault is NetworkFault.CONNECT_STALLED:
            self.trace.fault(route.caller, fault, route.host)
            await asyncio.sleep(_STALL_S)
        if fault is NetworkFault.REFUSED:
            self.trace.fault(route.caller, fault, route.host)
        if fault or not self._listeners_at(address):
            self.trace.add(route.caller, "refused", route.host)
            raise ConnectionRefusedError(111, "connection refused (simulated)")
        self._dialled[sock] = address

    def _listeners_at(self, address: tuple[str, int]) -> list[Listener]:
        return [listener for listener in self.listeners if listener.address == address]

    def listen(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, tls: object = None) -> Listener:
        address, number = self._addresses.get(host, host), port or next(self._free_ports)
        listener = Listener(self, factory, address, number, contextvars.copy_context(), tls)
        self.listeners.append(listener)
        return listener

    def open(
        self, factory: Callable[[], asyncio.BaseProtocol], sock: socket.socket, tls: object
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Join a dialled socket to a listener; the socket itself was only a token and is closed."""
        address = self._dialled.pop(sock)
        sock.close()
        listeners = self._listeners_at(address)
        if not listeners:
            raise ConnectionRefusedError(111, "connection refused (simulated)")
        client = self._pair(self._stream.choice(listeners), current_name(), CURRENT.get(), tls)
        client.protocol = factory()
        client.protocol.connection_made(client)
        return client, client.protocol

    def _pair(self, listener: Listener, caller: str, process: Process | None, tls: object = None) -> MemoryTransport:
        route = Route(caller, self.host_of(listener.address[0]))
        client_address = (self.name(caller.partition("#")[0]), 40000 + next(self._ports) % 20000)
        client = MemoryTransport(
            self,
            route,
            process,
            contextvars.copy_context(),
            {"peername": listener.address, "sockname": client_address, "sslcontext": tls},
        )
        server = MemoryTransport(
            self,
            route,
            listener.process,
            listener.context.copy(),
            # TLS itself is not simulated; a server on its port only has to know that it speaks it.
            {
                "peername": client_address,
                "sockname": listener.address,
                "sslcontext": listener.tls or listener.address[1] == _TLS_PORT,
                "ssl_object": _Shown() if listener.tls else None,
            },
        )
        client.peer, server.peer, client.is_client = server, client, True
        if len(self._ends) > _ENDS_KEPT:
            self._ends = [end for end in self._ends if not end.closed]
        self._ends += [client, server]
        server.protocol = server.context.run(listener.factory)
        server.context.run(server.protocol.connection_made, server)
        return client

    def carry(self, sender: MemoryTransport, data: bytes) -> None:
        """Move one message to the other end, or meet its fault."""
        occasion = ON_REQUEST if sender.is_client else ON_REPLY
        route, now = sender.route, self.loop.time()
        actor = sender.process.name if sender.process else "world"
        fault = self.faults.draw(route, occasion)
        if fault:
            self.trace.fault(actor, fault, f"{route.caller} -> {route.host}")
        self._note(actor, sender, data)
        if not sender.is_client and sender.peer.duplicate:
            self._send_again(sender.peer)
        if sender.silent:
            return
        if fault in (NetworkFault.STALLED, NetworkFault.REPLY_STALLED):
            sender.silent = True
            return
        if fault in (NetworkFault.RESET_BEFORE, NetworkFault.REPLY_RESET):
            sender.silent = True
            sender.reset(now + 0.001)
            return
        arrival = now + self.faults.latency_s() + self.faults.late_by_s(fault)
        if fault is NetworkFault.FRAGMENTED and len(data) > 1:
            cut = self._stream.randrange(1, len(data))
            sender.peer.schedule(arrival, sender.peer.receive, data[:cut])
            data, arrival = data[cut:], arrival + self.faults.latency_s()
        sender.peer.schedule(arrival, sender.peer.receive, data)
        if fault is NetworkFault.RESET_AFTER:
            sender.reset(sender.peer.last_arrival_s + 0.0005)
        if fault is NetworkFault.DUPLICATED:
            sender.duplicate = True

    def _note(self, actor: str, sender: MemoryTransport, data: bytes) -> None:
        first_line = data[:_LINE_BYTES_MAX].partition(b"\r\n")[0].decode("latin-1")
        if sender.is_client:
            if first_line.endswith("HTTP/1.1"):
                sender.request.clear()
                self.trace.add(actor, "http", f"{sender.route.host} <- {first_line[:-9]}")
                if self.watch is not None and sender.process is not None:
                    self.watch(sender.process, first_line)
            if len(sender.request) < _DUPLICATED_BYTES_MAX:
                sender.request += data
        elif first_line.startswith("HTTP/1.1 "):
            self.trace.add(actor, "http", f"{sender.route.caller} <- {first_line[9:]}")
        sealed = sender.route.host in self.sealed or sender.route.caller.partition("#")[0] in self.sealed
        self.trace.add(actor, "bytes", f"{len(data)} {'sealed' if sealed else f'{zlib.crc32(data):08x}'}")

    def _send_again(self, client: MemoryTransport) -> None:
        """Let a whole request arrive once more on a connection of its own, as a proxy or a stuck queue would."""
        client.duplicate = False
        listeners = self._listeners_at(client.get_extra_info("peername"))
        request = bytes(client.request)
        self.repeated.append(request.partition(b"\r\n")[0].decode("latin-1"))
        if not listeners:
            return
        listener = self._stream.choice(listeners)
        when_s = self.loop.time() + self._stream.choice((0.0, 0.05, self._stream.uniform(0, _RETRANSMIT_S_MAX)))

        def again() -> None:
            if listener in self.listeners:
                ghost = self._pair(listener, "world", None)
                ghost.protocol = _Deaf()
                ghost.peer.schedule(self.loop.time() + 0.001, ghost.peer.receive, request)

        self.loop.call_at(when_s, again, context=contextvars.Context())

    def cut(self, process: Process) -> None:
        """Close what a killed process held: the other ends hear a reset, or, when the machine went too, nothing."""
        self.listeners = [listener for listener in self.listeners if listener.process is not process]
        unheard = self._stream.random() < 0.2  # one death in five takes the machine along
        for end in [end for end in self._ends if end.process is process and not end.closed]:
            end.closed = True
            if self._stream.random() < 0.5:  # what the kernel had not sent is lost as often as not
                end.peer.severed = True
            if not unheard:
                end.peer.schedule(
                    self.loop.time() + 0.001, end.peer.end, ConnectionResetError("the other side died (simulated)")
                )
        self._ends = [end for end in self._ends if not end.closed]
