"""The daily report, made from the account's list of payments.

The list has no fees: M-Pesa charges them apart, when the money is moved to the bank. The credit of a day is expected
under a text that is agreed with the provider (`batch_pattern`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.contract import LineKind, SettlementFile, SettlementLine
from adapters.daraja.mapping import read_instant
from adapters.daraja.wire import CURRENCY, WireMovement
from adapters.errors import OutcomeUnknownError
from ledger.money import Money, total

KINDS: Final[dict[str, LineKind]] = {
    "c2b-pay-bill-debit": LineKind.PAYMENT,
    "c2b-buy-goods-debit": LineKind.PAYMENT,
}


def day_of(business_date: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of the day and of the next."""
    start = datetime.combine(business_date, time(), zone)
    return start, datetime.combine(business_date + timedelta(days=1), time(), zone)


def settlement_file(
    movements: Sequence[WireMovement], business_date: date, zone: ZoneInfo, *, batch_pattern: str
) -> SettlementFile | None:
    """Make the report of a day; None when nothing moved. A payment that cannot be read is listed with its reason."""
    start, end = day_of(business_date, zone)
    lines: list[SettlementLine] = []
    refused: list[tuple[int, str]] = []
    kept: list[WireMovement] = []
    for number, movement in enumerate(movements, start=1):
        at = read_instant(movement.trx_date, zone)
        if at is not None and not start <= at < end:
            continue
        kept.append(movement)
        try:
            lines.append(_line(number, movement, at))
        except OutcomeUnknownError as error:
            refused.append((number, f"{movement.transaction_id}: {error}"))
    if not lines:
        return None
    content = b"\n".join(msgspec.json.encode(movement) for movement in kept)
    return SettlementFile(
        provider="daraja",
        name=f"payments_{business_date.isoformat()}_{CURRENCY}.json",
        sha256=hashlib.sha256(content).hexdigest(),
        business_date=business_date,
        batch_reference=batch_pattern.format(date=business_date, currency=CURRENCY),
        currency=CURRENCY,
        lines=tuple(lines),
        total_net=total((line.net for line in lines), CURRENCY),
        refused_lines=tuple(refused),
    )


def _line(number: int, movement: WireMovement, at: datetime | None) -> SettlementLine:
    gross = movement.money()
    nothing = Money(0, CURRENCY)
    return SettlementLine(
        number=number,
        kind=KINDS.get(movement.transactiontype, LineKind.OTHER),
        reference=None,  # twelve letters made from ours cannot be read back; the receipt is what the books have
        provider_reference=movement.transaction_id,
        gross=gross,
        fee=nothing,
        fee_vat=nothing,
        net=gross,
        transaction_at=at,
        raw_kind=movement.transactiontype,
    )
