"""Which open items a break may be matched with by hand, or exchanged for: by its type, and of its own provider.

A late payment is its payer's until it is accepted or refunded, and a payout under way is its department's: neither is
ever what something else is matched with.
"""

from __future__ import annotations

from typing import Final

from reconciliation.breaks import BreakType
from reconciliation.errors import NotAllowedError
from reconciliation.matching import Leg
from reconciliation.store import Record

_SUSPENSE, _DISPUTES = "suspense:unidentified", "disputes:receivable"
_RECEIVABLE, _REFUNDS, _TRANSIT = "receivable", "refunds_in_transit", "in_transit"

TARGETS: Final[dict[BreakType, frozenset[str]]] = {
    BreakType.MISSING_AT_PROVIDER: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _TRANSIT}),
    BreakType.MISSING_IN_BOOKS: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _DISPUTES}),
    BreakType.MISSING_AT_BANK: frozenset({_SUSPENSE, _RECEIVABLE, _TRANSIT}),
    BreakType.AMOUNT: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _TRANSIT}),
    BreakType.CURRENCY: frozenset({_RECEIVABLE, _REFUNDS}),
    BreakType.DUPLICATE: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS}),
    BreakType.SETTLED_NOT_CAPTURED: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS}),
    BreakType.REFUND_NOT_SETTLED: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _TRANSIT}),
    BreakType.REFUND_BEYOND: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS}),
    BreakType.UNKNOWN_LINE: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _DISPUTES}),
    BreakType.UNKNOWN_BANK_CREDIT: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _TRANSIT, _DISPUTES}),
    BreakType.UNKNOWN_BANK_DEBIT: frozenset({_SUSPENSE, _RECEIVABLE, _REFUNDS, _TRANSIT}),
    BreakType.OTHER_CURRENCY: frozenset({_SUSPENSE, _RECEIVABLE, _TRANSIT}),
    BreakType.TRANSFER_WAITING: frozenset({_SUSPENSE, _RECEIVABLE}),
    BreakType.TRANSFER_EXCESS: frozenset({_SUSPENSE, _RECEIVABLE}),
    BreakType.OPENING_BALANCE: frozenset({_SUSPENSE, _RECEIVABLE, _TRANSIT}),
    BreakType.BANK_AMOUNT: frozenset({_SUSPENSE, _RECEIVABLE, _TRANSIT}),
    BreakType.PAID_AFTER_REJECTION: frozenset({_SUSPENSE}),
    BreakType.PAYOUT_NOT_CONFIRMED: frozenset({_SUSPENSE}),
}
"""By type: whole accounts, and the accounts of a provider by their last word."""


def check_target(found: Record, account: str) -> None:
    """Raise unless a break's type may be matched with an item of this account."""
    may = TARGETS.get(BreakType(found["type"]), frozenset())
    provider = _provider_of(account)
    if (account if provider is None else account.rsplit(":", 1)[1]) not in may:
        raise NotAllowedError(
            f"a break of type {found['type']} is not matched with an item of {account}; it may be with one of"
            f" {', '.join(sorted(may)) or 'no account'}"
        )
    own = found["provider"] if found["leg"] == Leg.PROVIDER else _provider_of(found["account"])
    if provider is not None and own is not None and provider != own:
        raise NotAllowedError(f"what is open at {own} is not matched with an item of {provider}")


def _provider_of(account: str) -> str | None:
    head, _, rest = account.partition(":")
    return rest.partition(":")[0] if head == "provider" else None
