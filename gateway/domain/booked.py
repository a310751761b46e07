"""What a journal of the night means to a department."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.accounts import DISPUTES_RECEIVABLE
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class News:
    """One change: `item` names the attempt or the refund it is about, or, where a department stands, the payout."""

    subject: str
    word: str
    item: str
    amount: Money
    business_date: date
    department: str | None = None

    @property
    def kind(self) -> str:
        return f"{self.subject}.{self.word}"

    @property
    def part_word(self) -> str:
        """How the departments that share a payment hear of it."""
        return "settled" if self.subject == "settlement" else f"{self.subject}_{self.word}"


WORDS: Final = {
    "settlement": ("received",),
    "refund": ("settled",),
    "dispute": ("opened", "won", "lost"),
    "payout": ("instructed", "paid", "returned"),
}
"""Everything that can be news."""

_SETTLED: Final = frozenset({"payment_settled", "settled_line_identified", "transfer_received", "transfer_identified"})
_REFUNDED: Final = frozenset({"refund_settled", "settled_line_identified"})
_PAYOUTS: Final = {"payout_instructed": "instructed", "payout_paid": "paid", "payout_returned": "returned"}
_DISPUTES: Final = frozenset({"dispute_opened", "dispute_won", "dispute_lost", "settled_line_identified"})

KINDS: Final = tuple(sorted(_SETTLED | _REFUNDED | _DISPUTES | _PAYOUTS.keys()))
"""The kinds of journal that may be news. A correction by hand is between finance and the books."""


def news_of(kind: str, account: str, item: str, moved: Money, business_date: date) -> News | None:
    """Read one posting of a journal, on an account kept by item; None when it tells a department nothing."""
    amount = Money(abs(moved.amount_minor), moved.currency)
    head, _, rest = account.partition(":")
    if head == "department" and kind in _PAYOUTS:
        department = rest.partition(":")[0]
        return News("payout", _PAYOUTS[kind], item, amount, business_date, department)
    if account == DISPUTES_RECEIVABLE and kind in _DISPUTES:
        closed = "lost" if kind == "dispute_lost" else "won"
        return News("dispute", "opened" if moved.amount_minor > 0 else closed, item, amount, business_date)
    if head == "provider" and rest.endswith(":refunds_in_transit"):
        is_paid_back = moved.amount_minor > 0 and kind in _REFUNDED
        return News("refund", "settled", item, amount, business_date) if is_paid_back else None
    if head == "provider" and moved.amount_minor < 0 and kind in _SETTLED:
        return News("settlement", "received", item, amount, business_date)
    return None
