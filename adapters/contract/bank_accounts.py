"""The part of the contract about bank accounts: the payer's bank, where a refund goes, who a payee is.

Seen from above as `adapters.contract`, like the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from adapters.contract import PaymentOrder


@dataclass(frozen=True, slots=True)
class PayerBank:
    """A bank the payer may choose; `code` travels in `PaymentOrder.payer_bank`."""

    code: str
    ar: str
    en: str


@runtime_checkable
class OffersBanks(Protocol):
    """A provider behind which stand many banks, of which the payer chooses one before the payment starts."""

    banks: Sequence[PayerBank]


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account and the name its bank has for it."""

    iban: str
    name: str


@runtime_checkable
class NamesRefundAccount(Protocol):
    """A provider that cannot refund, but says to which account of the payer's we may send the money ourselves."""

    async def refund_account(self, order: PaymentOrder) -> NamedAccount: ...


class PayeeMatch(StrEnum):
    """What a bank says when asked whether an account belongs to a name."""

    YES = "yes"
    PARTIAL = "partial"
    NO = "no"
    UNKNOWN_ACCOUNT = "unknown_account"


@dataclass(frozen=True, slots=True)
class PayeeCheck:
    match: PayeeMatch
    masked_name: str = ""


@runtime_checkable
class ConfirmsPayees(Protocol):
    """A provider that asks a payee's bank whether an IBAN belongs to a name, before money is sent there."""

    async def confirm_payee(self, iban: str, name: str) -> PayeeCheck: ...
