"""Step 6: ask the bank about every file that is not final; only a statement's debit makes a line paid."""

from __future__ import annotations

from typing import Final

from adapters.errors import ProviderError
from reconciliation.night import Counts, Night
from reconciliation.steps.payout_answers import apply_answer
from reconciliation.store import payouts

STEP: Final = "confirm"


async def confirm_payouts(night: Night) -> Counts:
    """Read the bank's status of each file under way."""
    counts: Counts = {"asked": 0, "answered": 0, "unreachable": 0}
    async with night.transaction() as connection:
        under_way = await payouts.in_status(connection, ["released", "unknown", "sent", "accepted"])
    for batch in under_way:
        if batch["sends"] == 0:
            continue
        counts["asked"] += 1
        try:
            report = await night.deps.bank.query_payout(batch["id"])
        except ProviderError:
            counts["unreachable"] += 1
            continue
        counts["answered"] += await apply_answer(night, batch["id"], report)
        night.tell(STEP, counts)
    return counts
