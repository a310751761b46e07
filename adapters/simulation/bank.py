"""A provider's payment to the merchant's bank: one credit per batch, or per instant payment."""

from __future__ import annotations

from datetime import date
from typing import Final

import aiohttp

from ledger.money import Money

TIMEOUT_S: Final = 10.0


async def credit(
    session: aiohttp.ClientSession,
    bank_url: str,
    *,
    batch: str,
    amount: Money,
    booked_on: date,
    debtor: str,
    remittance: str | None = None,
    end_to_end_id: str | None = None,
) -> bool:
    """Ask the simulated bank to book the credit; it knows a batch by its reference, so asking again is once."""
    body = {
        "credit_id": batch,
        "amount_minor": amount.amount_minor,
        "currency": amount.currency,
        "remittance": remittance or batch,
        "booked_on": booked_on.isoformat(),
        "debtor": debtor,
        **({"end_to_end_id": end_to_end_id} if end_to_end_id else {}),
    }
    url = f"{bank_url.rstrip('/')}/simulator/credits"
    try:
        async with session.post(url, json=body, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
