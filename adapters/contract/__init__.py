"""What Mizan asks of a provider, and the only words in which it is answered.

A provider is `Provider` plus the capabilities it implements (`Captures`, `Voids`, `Refunds`, `Restricts`, `Settles`,
`Announces`, `Pays`, `States`, `Finishes`, `OffersBanks`, `NamesRefundAccount`, `ConfirmsPayees`). An adapter is a
stateless translation: no database, no posting, no retry of money. It raises only errors of `adapters.errors`; every
answer it gives is compared in amount and currency with the request by its caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from adapters.contract.bank_accounts import (
    ConfirmsPayees,
    NamedAccount,
    NamesRefundAccount,
    OffersBanks,
    PayeeCheck,
    PayeeMatch,
    PayerBank,
)
from adapters.contract.callbacks import CallbackNotice
from adapters.contract.payments import (
    RECEIVED_MINOR,
    ApproveOnPhone,
    DeclineReason,
    Method,
    NextStep,
    Outcome,
    PaymentOrder,
    PaymentReport,
    PayReference,
    Redirect,
)
from adapters.contract.payouts import PayoutFile, PayoutLine, PayoutReport, PayoutStatus
from adapters.contract.refunds import RefundOrder, RefundReport
from adapters.contract.settlement import LineKind, SettlementFile, SettlementLine
from adapters.contract.statements import Statement, StatementEntry
from ledger.money import Money

__all__ = [
    "RECEIVED_MINOR", "Announcement", "Announces", "ApproveOnPhone", "CallbackNotice", "Captures", "ConfirmsPayees",
    "DeclineReason", "Finishes", "Health", "LineKind", "Method", "NamedAccount", "NamesRefundAccount", "NextStep",
    "OffersBanks", "Outcome", "PayReference", "PayeeCheck", "PayeeMatch", "PayerBank", "PaymentOrder",
    "PaymentReport", "PayoutFile", "PayoutLine", "PayoutReport", "PayoutStatus", "Pays", "Provider", "Redirect",
    "RefundOrder", "RefundReport", "Refunds", "Restricts", "SettlementFile", "SettlementLine", "Settles", "Statement",
    "StatementEntry", "States", "Voids",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the provider answers, and how long it took."""

    available: bool
    detail: str = ""


@runtime_checkable
class Provider(Protocol):
    """Every provider takes payments: start one, ask about one, read a callback."""

    name: str
    methods: frozenset[Method]

    async def start(self, order: PaymentOrder) -> PaymentReport:
        """Ask the provider to collect. Raises `NotSentError` or `OutcomeUnknownError` when no answer can be trusted."""
        ...

    async def query(self, order: PaymentOrder, provider_reference: str | None) -> PaymentReport:
        """Read the provider's truth. "Not found" is pending, never declined: the request may still be under way."""
        ...

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Sequence[CallbackNotice]:
        """Verify and read a callback, purely. Raises `CallbackRefusedError`; there is no default that accepts."""
        ...

    async def check(self) -> Health: ...


@runtime_checkable
class Captures(Protocol):
    async def capture(self, reference: str, provider_reference: str, amount: Money) -> PaymentReport: ...


@runtime_checkable
class Voids(Protocol):
    async def void(self, order: PaymentOrder, provider_reference: str) -> PaymentReport:
        """Give up an uncaptured payment. Succeeded means proven dead: nothing can be captured any more.

        Such a report has `reversed` set and no `captured`. Raises `RejectedError` when the payment is captured already.
        """
        ...


@runtime_checkable
class Finishes(Protocol):
    """A provider whose payer only consents on the provider's page: the payment is made by us once they are back.

    Such a provider knows its attempts by our reference alone: `void` is called with an empty provider reference too.
    """

    def read_return(self, query: Mapping[str, str]) -> CallbackNotice:
        """Verify and read what the payer's browser brought back, purely. Raises `CallbackRefusedError`.

        It decides nothing: it names the attempt and, where the payer consented, holds the continuation.
        """
        ...

    async def finish(self, order: PaymentOrder, continuation: str) -> PaymentReport:
        """Make the payment the payer consented to; with the same order and continuation again it is the same payment.

        Raises `OutcomeUnknownError` where no answer can be trusted, and is then called again.
        """
        ...


@runtime_checkable
class Refunds(Protocol):
    async def refund(self, order: RefundOrder) -> RefundReport: ...

    async def query_refund(self, order: RefundOrder) -> RefundReport: ...


@runtime_checkable
class Restricts(Protocol):
    """A provider that cannot take every amount: it is not chosen for one that it would have to refuse."""

    def refusal(self, amount: Money) -> str | None:
        """Return why this amount cannot be asked for, in plain words; None when it can."""
        ...


@runtime_checkable
class Settles(Protocol):
    def settlement_files(self, business_date: date) -> AsyncIterator[SettlementFile]:
        """Yield the reports for one business date; none yet is an empty stream, not an error."""
        ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """One paper of the bank and the payments it speaks of. `identifier` is the paper's own, the same for ever."""

    identifier: str
    notices: Sequence[CallbackNotice]


@runtime_checkable
class Announces(Protocol):
    """A provider that never calls back: its word lies at the bank, and is fetched."""

    def announcements(self, known: Container[str]) -> AsyncIterator[Announcement]:
        """Yield the papers of these days that are not known yet. Their notices are hints, as those of callbacks."""
        ...


@runtime_checkable
class States(Protocol):
    """A bank that gives statements of our accounts."""

    def statements(self, account_iban: str, business_date: date) -> AsyncIterator[Statement]: ...


@runtime_checkable
class Pays(Protocol):
    """A bank that takes payment files. The same `message_id` sent twice is one file."""

    async def send_payout(self, file: PayoutFile) -> PayoutReport: ...

    async def query_payout(self, message_id: str) -> PayoutReport: ...
