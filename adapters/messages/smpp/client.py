"""One bound connection to an SMS centre, opened when the first text goes out and again whenever it was lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from typing import Final

import structlog

from adapters.errors import NotSentError, OutcomeUnknownError, ProviderError, RejectedError
from adapters.messages.message import Message
from adapters.messages.smpp.pdu import (
    RESPONSE,
    Command,
    Pdu,
    Receipt,
    Status,
    WireError,
    bind_body,
    carrier_reference,
    read_pdu,
    read_receipt,
    submit_body,
)
from adapters.messages.smpp.segments import segments

_log: Final = structlog.get_logger(__name__)
_NOT_NOW: Final = frozenset({Status.THROTTLED, Status.QUEUE_FULL})
RECEIPTS_KEPT_MAX: Final = 10_000
_SEQUENCE_MAX: Final = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class SmsCentre:
    """Where texts are handed in, and under which name they arrive."""

    host: str
    port: int = 2775
    user: str = ""
    password: str = ""
    sender: str = "GovPay"
    timeout_s: float = 10.0
    enquire_s: float = 30.0
    in_flight_max: int = 10


@dataclass(frozen=True, slots=True)
class _Owed:
    """The answer we owe the centre for a receipt: on which connection, to which of its requests."""

    bind: int
    sequence: int


class SmppSender:
    """Sends texts and hands on delivery receipts. One per process; `close` it at the end.

    A receipt is answered only once it is stored, so that one which a crash takes from us is sent again.
    """

    def __init__(self, centre: SmsCentre) -> None:
        self._centre = centre
        self._receipts: deque[tuple[_Owed, Receipt]] = deque()
        self._owed: dict[Receipt, _Owed] = {}
        self._opening = asyncio.Lock()
        self._window = asyncio.Semaphore(centre.in_flight_max)
        self._answers: dict[int, asyncio.Future[Pdu]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._sequence = 0
        self._links = 0
        self._binds = 0

    async def send(self, message: Message) -> str:
        """Send a text, all its parts; return the centre's reference of the last, whose delivery it reports.

        A repeat after a doubt may reach the phone twice: SMPP has no key against it.
        """
        await self._open()
        self._links += 1
        parts = segments(message.text, self._links)
        reference = ""
        for number, part in enumerate(parts, 1):
            body = submit_body(self._centre.sender, message.recipient, part, wants_receipt=number == len(parts))
            answer = await self._ask(Command.SUBMIT_SM, body)
            _judge(answer.status)
            reference = carrier_reference(answer.body)
        _log.info("sms_taken", message=message.id, parts=len(parts), carrier_reference=reference)
        return reference

    def take_receipts(self, limit: int) -> list[Receipt]:
        """Hand over what the centre has reported since the last time. It keeps each until `confirm_receipt`."""
        taken = [self._receipts.popleft() for _ in range(min(limit, len(self._receipts)))]
        self._owed.update({receipt: owed for owed, receipt in taken})
        return [receipt for _, receipt in taken]

    async def confirm_receipt(self, receipt: Receipt) -> None:
        """Tell the centre that a receipt is kept for good. On another connection than its own it tells it again."""
        owed = self._owed.pop(receipt, None)
        if owed is None or owed.bind != self._binds or self._writer is None:
            return
        self._writer.write(Pdu(Command.DELIVER_SM | RESPONSE, Status.OK, owed.sequence, b"\0").pack())
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def close(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(ProviderError):
                await self._ask(Command.UNBIND, b"")
        await self._drop()

    async def _open(self) -> None:
        async with self._opening:
            if self._writer is not None and not self._writer.is_closing():
                return
            await self._drop()
            try:
                async with asyncio.timeout(self._centre.timeout_s):
                    reader, self._writer = await asyncio.open_connection(self._centre.host, self._centre.port)
            except (OSError, TimeoutError) as error:
                raise NotSentError("the SMS centre cannot be reached") from error
            self._tasks = [asyncio.create_task(self._listen(reader))]
            try:
                answer = await self._ask(Command.BIND_TRANSCEIVER, bind_body(self._centre.user, self._centre.password))
            except OutcomeUnknownError as error:
                await self._drop()
                raise NotSentError("the SMS centre does not answer") from error
            if answer.status != Status.OK:
                await self._drop()
                raise NotSentError(f"the SMS centre does not let us in: {answer.status:#x}")
            self._binds += 1
            self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def _ask(self, command: Command, body: bytes) -> Pdu:
        async with self._window:
            writer = self._writer
            if writer is None:
                raise NotSentError("the connection to the SMS centre is closed")
            self._sequence = self._sequence % _SEQUENCE_MAX + 1
            sequence = self._sequence
            answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
            self._answers[sequence] = answer
            try:
                writer.write(Pdu(command, Status.OK, sequence, body).pack())
                async with asyncio.timeout(self._centre.timeout_s):
                    await writer.drain()
                    return await answer
            except (OSError, TimeoutError) as error:
                raise OutcomeUnknownError("the SMS centre did not answer") from error
            finally:
                self._answers.pop(sequence, None)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                await self._take(await read_pdu(reader))
        except (asyncio.IncompleteReadError, WireError, OSError) as error:
            _log.warning("sms_centre_lost", error=type(error).__name__)
        finally:
            if self._writer is not None:
                self._writer.close()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the connection to the SMS centre was lost"))

    async def _take(self, pdu: Pdu) -> None:
        if pdu.command & RESPONSE:
            answer = self._answers.get(pdu.sequence)
            if answer is not None and not answer.done():
                answer.set_result(pdu)
            return
        if pdu.command == Command.DELIVER_SM:
            receipt = read_receipt(pdu.body)
            if receipt is not None and len(self._receipts) < RECEIPTS_KEPT_MAX:
                self._receipts.append((_Owed(self._binds, pdu.sequence), receipt))
                return
        if self._writer is not None:
            body = b"\0" if pdu.command == Command.DELIVER_SM else b""
            self._writer.write(Pdu(pdu.command | RESPONSE, Status.OK, pdu.sequence, body).pack())
            await self._writer.drain()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._centre.enquire_s)
            try:
                await self._ask(Command.ENQUIRE_LINK, b"")
            except ProviderError:
                if self._writer is not None:
                    self._writer.close()
                return

    async def _drop(self) -> None:
        writer, self._writer = self._writer, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._receipts.clear()  # not answered, so that the centre sends them again
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _judge(status: int) -> None:
    """Tell a refusal for good from one for now. A centre that cannot say is taken at its word: nothing was sent."""
    if status == Status.OK:
        return
    if status == Status.INVALID_DESTINATION:
        raise RejectedError("the SMS centre does not know this number")
    if status in _NOT_NOW:
        raise NotSentError("the SMS centre is busy")
    raise NotSentError(f"the SMS centre did not take the text: {status:#x}")
