"""A refund in the contract's words: what is ordered, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract.payments import Outcome
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund of a captured attempt. `reference` is the refund's own id and idempotency key.

    `refund_reference` is the provider's id of this very refund, once known. Some providers take no key with a refund;
    `other_refunds`, the provider's ids of this payment's other refunds, lets their adapters tell a refund whose answer
    was lost from one that was never made. None means the caller cannot say, and then nothing is inferred.
    """

    reference: str
    payment_reference: str
    provider_reference: str
    amount: Money
    reason: str = ""
    refund_reference: str | None = None
    other_refunds: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RefundReport:
    outcome: Outcome
    provider_reference: str | None = None
    amount: Money | None = None
    word: str = ""
    unrecognised: bool = False
