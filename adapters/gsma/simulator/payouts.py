"""The wallet's end of day: the net of each currency goes to the organisation's bank, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from adapters.gsma.simulator.wallet import Row, Wallet
from adapters.simulation.bank import credit
from adapters.simulation.faults import Fault, Faults
from ledger.money import Money

ZONE: Final = ZoneInfo("Asia/Dubai")


class Payouts:
    """Pays days that are over, and lists their transactions, spoiled where a fault says so."""

    def __init__(
        self,
        wallet: Wallet,
        faults: Faults,
        clock: Callable[[], datetime],
        *,
        bank_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self._wallet = wallet
        self._faults = faults
        self._clock = clock
        self._bank_url = bank_url
        self._session = session
        self._spoiled: dict[date, Fault] = {}

    @staticmethod
    def day_at(instant: datetime) -> date:
        return instant.astimezone(ZONE).date()

    def listed(self, start: str, end: str, *, day: date) -> list[Row]:
        """Return the day's transactions; the fault taken when the day is first listed stays with it."""
        rows = self._wallet.completed(start, end)
        if rows and day not in self._spoiled and (fault := self._faults.take("settlement")) is not None:
            self._spoiled[day] = fault
        return _spoil(rows, self._spoiled[day]) if rows and day in self._spoiled else rows

    async def pay(self, business_date: date) -> None:
        """Credit every currency's net of a day that is over."""
        start = datetime.combine(business_date, time(), ZONE)
        end = start + timedelta(days=1)
        if self._bank_url is None or self._clock() < end:
            return
        nets: dict[str, int] = defaultdict(int)
        for row in self._wallet.completed(_text(start), _text(end - timedelta(milliseconds=1))):
            sign = -1 if row["kind"] == "reversal" else 1
            nets[row["currency"]] += sign * row["amount_minor"] - row["fee_minor"] - row["vat_minor"]
        for currency, net_minor in sorted(nets.items()):
            batch = f"MM-{business_date:%Y%m%d}-{currency}"
            if net_minor == 0 or self._wallet.is_paid_out(batch):
                continue
            if await credit(
                self._session(),
                self._bank_url,
                batch=batch,
                amount=Money(net_minor, currency),
                booked_on=business_date,
                debtor="Mobile Wallet LLC",
            ):
                self._wallet.write_payout(batch, business_date.isoformat(), currency, net_minor)


def _spoil(rows: list[Row], fault: Fault) -> list[Row]:
    first = rows[0]
    stranger = f"X{first['reference'][1:]}"
    match fault.name:
        case "omit":
            return rows[1:]
        case "duplicate":
            return [first, *rows]
        case "extra":
            return [*rows, {**first, "reference": stranger, "our_reference": "unknown-reference"}]
        case "unknown_type":
            return [*rows, {**first, "reference": stranger, "kind": "loyaltyClawback", "amount_minor": 1}]
        case "fee_changed":
            return [{**first, "fee_minor": first["fee_minor"] * 2 + 1}, *rows[1:]]
        case _:
            return rows


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
