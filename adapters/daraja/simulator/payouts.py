"""The till's end of day: what was paid goes to the bank, once; and the list, spoiled where a fault says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import aiohttp

from adapters.daraja.simulator.till import NAIROBI, Row, Till
from adapters.simulation.bank import credit
from adapters.simulation.faults import Fault, Faults
from ledger.money import Money


class Payouts:
    """Pays days that are over, and lists their payments, spoiled where a fault says so."""

    def __init__(
        self,
        till: Till,
        faults: Faults,
        clock: Callable[[], datetime],
        *,
        bank_url: str | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self._till = till
        self._faults = faults
        self._clock = clock
        self._bank_url = bank_url
        self._session = session
        self._spoiled: dict[date, Fault] = {}

    def listed(self, start: datetime, end: datetime) -> list[Row]:
        """Return payments; the fault taken when a whole day is first listed stays with that day."""
        rows = self._till.paid(start, end)
        whole_day = end - start == timedelta(days=1)
        day = start.date()
        if rows and whole_day and day not in self._spoiled and (fault := self._faults.take("settlement")) is not None:
            self._spoiled[day] = fault
        return _spoil(rows, self._spoiled[day]) if rows and whole_day and day in self._spoiled else rows

    async def pay(self, business_date: date) -> None:
        """Credit what was paid on a day that is over."""
        start = datetime.combine(business_date, time(), NAIROBI)
        end = start + timedelta(days=1)
        if self._bank_url is None or self._clock() < end:
            return
        batch = f"MPESA-{business_date:%Y%m%d}-KES"
        paid = self._till.paid(start, end - timedelta(milliseconds=1))
        net_minor = sum(row["shillings"] for row in paid) * 100
        if net_minor == 0 or self._till.is_paid_out(batch):
            return
        amount = Money(net_minor, "KES")
        if await credit(
            self._session(), self._bank_url, batch=batch, amount=amount, booked_on=business_date, debtor="M-PESA"
        ):
            self._till.write_payout(batch, business_date.isoformat(), net_minor)


def _spoil(rows: list[Row], fault: Fault) -> list[Row]:
    first = rows[0]
    stranger = f"X{first['receipt'][1:]}"
    match fault.name:
        case "omit":
            return rows[1:]
        case "duplicate":
            return [first, *rows]
        case "extra":
            return [*rows, {**first, "receipt": stranger, "account": "WALKIN"}]
        case "unknown_type":
            return [*rows, {**first, "receipt": stranger, "kind": "loyalty-clawback", "shillings": 1}]
        case _:
            return rows
