"""The wire of SMPP 3.4, as much of it as a sender of texts needs: pack and read, nothing else."""

from __future__ import annotations

import asyncio
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from adapters.messages.smpp.segments import Segment

_HEADER: Final = struct.Struct(">IIII")
PDU_BYTES_MAX: Final = 64 * 1024
RESPONSE: Final = 0x80000000
_VERSION: Final = 0x34
_INTERNATIONAL, _ALPHANUMERIC, _ISDN = 1, 5, 1
_LINKED_HEADER: Final = 0x40
_RECEIPT: Final = 0x04
_RECEIPT_FIELDS: Final = re.compile(rb"id:(?P<id>[!-~]+).*?stat:(?P<state>\w+)(?:.*?err:(?P<error>\w+))?", re.DOTALL)


class Command(IntEnum):
    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    BIND_TRANSCEIVER = 0x00000009
    ENQUIRE_LINK = 0x00000015


class Status(IntEnum):
    """The answers that mean something of their own to us."""

    OK = 0x00
    INVALID_DESTINATION = 0x0B
    BIND_FAILED = 0x0D
    INVALID_PASSWORD = 0x0E
    QUEUE_FULL = 0x14
    SUBMIT_FAILED = 0x45
    THROTTLED = 0x58


class WireError(ValueError):
    """What arrived is not SMPP."""


@dataclass(frozen=True, slots=True)
class Pdu:
    command: int
    status: int
    sequence: int
    body: bytes = b""

    def pack(self) -> bytes:
        return _HEADER.pack(_HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one short message: `DELIVRD`, `UNDELIV`, `EXPIRED`, `REJECTD` …, in the carrier's words."""

    carrier_reference: str
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """One short message as a carrier receives it."""

    sender: str
    recipient: str
    wants_receipt: bool
    segment: Segment


async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
    """Read one PDU; `IncompleteReadError` when the other side is gone."""
    length, command, status, sequence = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if not _HEADER.size <= length <= PDU_BYTES_MAX:
        raise WireError(f"a PDU of {length} bytes")
    return Pdu(command, status, sequence, await reader.readexactly(length - _HEADER.size))


def _text(value: str, octets_max: int) -> bytes:
    return value.encode("ascii")[: octets_max - 1] + b"\0"


def bind_body(user: str, password: str) -> bytes:
    return _text(user, 16) + _text(password, 9) + _text("", 13) + bytes([_VERSION, 0, 0]) + b"\0"


def submit_body(sender: str, recipient: str, segment: Segment, *, wants_receipt: bool) -> bytes:
    """One segment to one phone. The sender is a name of at most 11 letters, or a number."""
    kind = _INTERNATIONAL if sender.lstrip("+").isdigit() else _ALPHANUMERIC
    return b"".join(
        (
            b"\0",
            bytes([kind, _ISDN if kind == _INTERNATIONAL else 0]) + _text(sender.lstrip("+"), 21),
            bytes([_INTERNATIONAL, _ISDN]) + _text(recipient.lstrip("+"), 21),
            bytes([_LINKED_HEADER if segment.linked else 0, 0, 0]),
            b"\0\0",
            bytes([1 if wants_receipt else 0, 0, segment.coding, 0, len(segment.octets)]),
            segment.octets,
        )
    )


def _fields(body: bytes) -> tuple[str, str, int, int, int, bytes]:
    """Read what submit_sm and deliver_sm share: source, destination, class, receipt wanted, coding, text."""
    try:
        _service, rest = body.split(b"\0", 1)
        source, rest = rest[2:].split(b"\0", 1)
        destination, rest = rest[2:].split(b"\0", 1)
        message_class, rest = rest[0], rest[3:]
        _scheduled, rest = rest.split(b"\0", 1)
        _validity, rest = rest.split(b"\0", 1)
        receipt, coding, length = rest[0], rest[2], rest[4]
        text = rest[5 : 5 + length]
        return source.decode("ascii"), destination.decode("ascii"), message_class, receipt, coding, text
    except (ValueError, IndexError) as error:
        raise WireError("a message whose fields do not add up") from error


def read_submitted(body: bytes) -> Submitted:
    source, destination, message_class, receipt, coding, text = _fields(body)
    segment = Segment(coding, linked=bool(message_class & _LINKED_HEADER), octets=text)
    return Submitted(source, destination, bool(receipt), segment)


def receipt_body(submitted: Submitted, carrier_reference: str, state: str) -> bytes:
    """What a carrier sends when it knows what became of a message."""
    text = f"id:{carrier_reference} sub:001 dlvrd:001 stat:{state} err:000 text:".encode()
    return b"".join(
        (
            b"\0",
            bytes([_INTERNATIONAL, _ISDN]) + _text(submitted.recipient, 21),
            bytes([_ALPHANUMERIC, 0]) + _text(submitted.sender, 21),
            bytes([_RECEIPT, 0, 0]),
            b"\0\0",
            bytes([0, 0, 0, 0, len(text)]),
            text,
        )
    )


def read_receipt(body: bytes) -> Receipt | None:
    """Read a delivery receipt; None for a text that a person sent us."""
    _source, _destination, message_class, _receipt, _coding, text = _fields(body)
    found = _RECEIPT_FIELDS.search(text)
    if not message_class & _RECEIPT or found is None:
        return None
    return Receipt(found["id"].decode("ascii"), found["state"].decode("ascii"), (found["error"] or b"").decode("ascii"))


def carrier_reference(body: bytes) -> str:
    return body.split(b"\0", 1)[0].decode("ascii", errors="replace")
