"""What a night books, posted with the night's own functions."""

from __future__ import annotations

from ledger.journal import PostStatus, post_within
from ledger.money import Money
from reconciliation.dispute_loss import dispute_lost_entry
from reconciliation.postings import Booking, LineEvidence, settlement_entry


class Night:
    """The night of a town."""

    def __init__(self, town):
        self.town = town
        self.number = 0

    @property
    def booking(self):
        return Booking(self.town.clock().date(), self.town.clock())

    async def post(self, *entries):
        pool = self.town.deps.pool
        async with pool.acquire() as connection, connection.transaction():
            posted = await post_within(connection, entries, recorded_at=self.town.clock())
        assert {one.status for one in posted} == {PostStatus.POSTED}, posted

    async def line(self, kind, attempt, gross_minor, account):
        self.number += 1
        evidence = LineEvidence(
            "ngenius", 1, "file.csv", self.number, kind, "B-1", "AED", gross_minor, 0, 0, gross_minor, account,
            attempt["id"], attempt["intent"],
        )  # fmt: skip
        await self.post(settlement_entry(evidence, self.booking))

    async def dispute(self, attempt, minor, *, ends=None):
        """Let the payer's bank take money back, and end that as `won` or `lost`."""
        await self.line("chargeback", attempt, -minor, "disputes:receivable")
        if ends == "won":
            await self.line("chargeback_reversed", attempt, minor, "disputes:receivable")
        elif ends == "lost":
            shares = [("department:economy:payable", 100), ("tax:vat_payable", 5)]
            lost = Money(minor, "AED")
            self.number += 1
            await self.post(
                dispute_lost_entry(f"br_{self.number}", attempt["id"], lost, shares, attempt["intent"], self.booking)
            )
