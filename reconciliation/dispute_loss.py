"""A dispute that is lost: the money is gone, and whoever received it gives it back, or the treasury by contract.

No more is ever taken than the payment was credited with; and where a lost dispute is won after all, whoever bore it
has it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ledger import accounts
from ledger.entry import Entry, Posting, Source
from ledger.money import Money
from reconciliation.errors import NotAllowedError
from reconciliation.postings import Booking
from reconciliation.store import Connection, Record, payees, resolutions

LOST_KIND: Final = "dispute_lost"
RETURNED_KIND: Final = "dispute_loss_returned"


def dispute_lost_entry(
    break_id: str, item: str, lost: Money, shares: Sequence[tuple[str, int]], payment: str | None, booking: Booking
) -> Entry:
    """Post a loss against the accounts the payment was credited to, each in its proportion; parts sum to the whole.

    `shares` are account and minor units as the capture credited them, the treasury's in place of a department's it
    spares; without any the treasury bears the loss.
    """
    weights: dict[str, int] = {}
    for account, minor in shares or [(accounts.CHARGEBACK_LOSSES, 1)]:
        weights[account] = weights.get(account, 0) + minor
    parts = lost.allocate(list(weights.values()))
    return Entry(
        reference=f"resolution:{break_id}",
        kind=LOST_KIND,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=(
            *(Posting(account, part) for account, part in zip(weights, parts, strict=True) if part),
            Posting(accounts.DISPUTES_RECEIVABLE, -lost, item),
        ),
        source=Source(payment=payment, file=break_id),
        # What a department must give back it may not have any more: the balance is carried forward.
        below_floor=True,
    )


def loss_returned_entry(
    break_id: str, item: str, won: Money, borne: Mapping[str, int], before: Record, booking: Booking
) -> Entry:
    """Give back what came after a loss to those who bore it, each in its proportion."""
    parts = won.allocate(list(borne.values()))
    return Entry(
        reference=f"resolution:{break_id}",
        kind=RETURNED_KIND,
        business_date=booking.business_date,
        effective_at=booking.effective_at,
        postings=(
            Posting(accounts.DISPUTES_RECEIVABLE, won, item),
            *(Posting(account, -part) for account, part in zip(borne, parts, strict=True) if part),
        ),
        source=Source(payment=before["payment"], file=break_id),
        corrects=before["journal_id"],
    )


async def loss_now(connection: Connection, found: Record, open_minor: int, booking: Booking) -> Entry:
    """Say what of an open dispute is lost by one break, and who bears it as the books stand.

    A break takes what it says and no more, whatever else is open under its item; all losses of a payment together take
    from nobody more than it was credited.
    """
    if found["account"] != accounts.DISPUTES_RECEIVABLE or open_minor < 0:
        raise NotAllowedError("only an open dispute can be lost")
    lost_minor, item, currency = min(open_minor, abs(found["amount_minor"])), found["item"], found["currency"]
    credited = await resolutions.credited(connection, item, currency)
    by_treasury = await payees.spared_chargebacks(connection, currency)
    spared = {accounts.department_payable(department) for department in by_treasury}
    rest: dict[str, int] = {}
    for row in credited:
        account = accounts.CHARGEBACK_LOSSES if row["account"] in spared else row["account"]
        rest[account] = rest.get(account, 0) + row["amount_minor"]
    if rest:
        borne = await resolutions.borne(connection, item, currency)
        left_minor = sum(rest.values()) - sum(row["amount_minor"] for row in borne)
        if left_minor <= 0:
            raise NotAllowedError("all the payment was credited with is lost already; ask the provider about the rest")
        lost_minor = min(lost_minor, left_minor)
        for row in borne:
            if row["account"] in rest:
                rest[row["account"]] = max(0, rest[row["account"]] - row["amount_minor"])
    payment = credited[0]["payment"] if credited else None
    shares = [(account, minor) for account, minor in rest.items() if minor]
    return dispute_lost_entry(found["id"], item, Money(lost_minor, currency), shares, payment, booking)


async def loss_returned_now(connection: Connection, found: Record, open_minor: int, booking: Booking) -> Entry:
    """Say who has back what came after a dispute was lost: whoever bore it, and never more than was borne."""
    item, currency = found["item"], found["currency"]
    if found["account"] != accounts.DISPUTES_RECEIVABLE or open_minor > 0:
        raise NotAllowedError("only what came after a dispute was lost can be given back")
    borne = [row for row in await resolutions.borne(connection, item, currency) if row["amount_minor"] > 0]
    won_minor = min(-open_minor, sum(row["amount_minor"] for row in borne))
    if not won_minor:
        raise NotAllowedError("no loss of this dispute is in the books, so there is nobody to give it back to")
    by_account = {row["account"]: row["amount_minor"] for row in borne}
    last = max(borne, key=lambda row: row["journal_id"])
    return loss_returned_entry(found["id"], item, Money(won_minor, currency), by_account, last, booking)
