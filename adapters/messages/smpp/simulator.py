"""A simulated SMS centre: binds, takes texts, keeps a book, sends receipts, and misbehaves on command."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Self

from adapters.messages.smpp.pdu import RESPONSE, Command, Pdu, Status, Submitted, read_pdu, read_submitted, receipt_body
from adapters.messages.smpp.segments import Segment, join

_USER: Final = b"mizan"
DROP: Final = -1
"""A fault: the connection breaks instead of an answer."""
SILENT: Final = -2
"""A fault: the text is taken and no answer comes."""


@dataclass
class Centre:
    """`async with Centre() as centre:` listens on a free port; `texts` is what phones would show."""

    user: bytes = _USER
    faults: deque[int] = field(default_factory=deque)
    submitted: list[Submitted] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    """The receipts that were answered, by number."""
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    def texts(self) -> list[tuple[str, str]]:
        """Return (recipient, text) with the parts of a long text put together, as each phone does by their link."""
        found: list[tuple[str, str]] = []
        parts: dict[tuple[str, int], list[Segment]] = {}
        for each in self.submitted:
            link, total, number = each.segment.octets[3:6] if each.segment.linked else (0, 1, 1)
            parts.setdefault((each.recipient, link), []).append(each.segment)
            if number == total:
                found.append((each.recipient, join(parts.pop((each.recipient, link)))))
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._answer(await read_pdu(reader), writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, pdu: Pdu, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False ends the connection."""
        if pdu.command & RESPONSE:
            self.confirmed.append(pdu.sequence)
            return True
        status, body = Status.OK.value, b""
        if pdu.command == Command.BIND_TRANSCEIVER:
            status = Status.OK if pdu.body.startswith(self.user + b"\0") else Status.BIND_FAILED
        elif pdu.command == Command.SUBMIT_SM:
            fault = self.faults.popleft() if self.faults else 0
            if fault == DROP:
                return False
            if fault > 0:
                status = fault
            else:
                self.submitted.append(read_submitted(pdu.body))
                body = f"{len(self.submitted):08X}\0".encode()
            if fault == SILENT:
                return True
        writer.write(Pdu(pdu.command | RESPONSE, status, pdu.sequence, body).pack())
        if pdu.command == Command.SUBMIT_SM and status == Status.OK and self.submitted[-1].wants_receipt:
            receipt = receipt_body(self.submitted[-1], body.rstrip(b"\0").decode(), "DELIVRD")
            writer.write(Pdu(Command.DELIVER_SM, Status.OK, len(self.submitted), receipt).pack())
        return pdu.command != Command.UNBIND
