"""A payout batch is decided by somebody other than its maker; approved, it leaves with the next payouts step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.people import same_person
from reconciliation.deps import Deps
from reconciliation.errors import NotAllowedError, NotFoundError, SamePersonError
from reconciliation.store import audits, payouts


@dataclass(frozen=True, slots=True)
class PendingPayout:
    """A batch that waits for a person."""

    batch_id: str
    business_date: date
    lines: int
    total: Money
    maker: str


async def payouts_to_decide(deps: Deps) -> list[PendingPayout]:
    """Read the batches waiting for approval, oldest first."""
    async with deps.pool.acquire() as connection:
        rows = await payouts.in_status(connection, ["submitted"])
    return [
        PendingPayout(
            row["id"], row["business_date"], row["line_count"], Money(row["total_minor"], row["currency"]), row["maker"]
        )
        for row in rows
    ]


async def decide_payout(deps: Deps, batch_id: str, *, by: str, approve: bool, reason: str = "") -> None:
    """Approve or refuse a batch. A refused one is computed anew by the next payouts step of its date."""
    async with deps.pool.acquire() as connection, connection.transaction():
        batch = await payouts.read_locked(connection, batch_id)
        if batch is None:
            raise NotFoundError(f"there is no payout {batch_id}")
        if batch["status"] != "submitted":
            raise NotAllowedError(f"payout {batch_id} is {batch['status']} and no longer to be decided")
        if same_person(batch["maker"], by):
            raise SamePersonError
        if same_person(by, "policy"):
            raise NotAllowedError("the policy decides by its limit when a batch is drafted, never afterwards")
        decision = "approved" if approve else "refused"
        await payouts.decide(connection, batch_id, decision, by, deps.clock(), reason)
        await audits.insert(connection, deps, by, f"payout_{decision}", batch_id)
