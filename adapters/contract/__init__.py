"""What Mizan asks of a provider, and the only words in which it is answered.

A provider is `Provider` plus the capabilities it implements (`Captures`, `Voids`, `Refunds`, `Restricts`, `Settles`,
`Announces`, `Pays`, `States`, `Finishes`, `OffersBanks`, `NamesRefundAccount`, `ConfirmsPayees`). An adapter is a
stateless translation: no database, no posting, no retry of money. It raises only errors of `adapters.errors`; every
answer it gives is compared in amount and currency with the request by its caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from adapters.contract.bank_accounts import (
    ConfirmsPayees,
    NamedAccount,
    NamesRefundAccount,
    OffersBanks,
    PayeeCheck,
    PayeeMatch,
    PayerBank,
)
from adapters.contract.payouts import PayoutFile, PayoutLine, PayoutReport, PayoutStatus
from adapters.contract.settlement import LineKind, SettlementFile, SettlementLine
from ledger.money import Money

__all__ = [
    "RECEIVED_MINOR", "Announcement", "Announces", "ApproveOnPhone", "CallbackNotice", "Captures", "ConfirmsPayees",
    "DeclineReason", "Finishes", "Health", "LineKind", "Method", "NamedAccount", "NamesRefundAccount", "NextStep",
    "OffersBanks", "Outcome", "PayReference", "PayeeCheck", "PayeeMatch", "PayerBank", "PaymentOrder",
    "PaymentReport", "PayoutFile", "PayoutLine", "PayoutReport", "PayoutStatus", "Pays", "Provider", "Redirect",
    "RefundOrder", "RefundReport", "Refunds", "Restricts", "SettlementFile", "SettlementLine", "Settles", "Statement",
    "StatementEntry", "States", "Voids",
]  # fmt: skip


class Method(StrEnum):
    CARD = "card"
    MOBILE = "mobile"
    BANK = "bank"
    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"  # at a counter of ours: no provider takes it
    CARD_TERMINAL = "card_terminal"  # a card held to a terminal at a counter


class Outcome(StrEnum):
    """The five outcomes of asking a provider for money."""

    SUCCEEDED = "succeeded"  # the provider says the money moved
    DECLINED = "declined"  # the provider says, explicitly, that none moved
    PENDING = "pending"  # the provider will tell later; every word we do not know is pending, and counted
    NOT_SENT = "not_sent"  # the request never left
    UNKNOWN = "unknown"  # everything else; query only, never resend, never fail over


class DeclineReason(StrEnum):
    """Why no money moved, in words a citizen may read. The pages hold the sentences, in both languages."""

    DECLINED_BY_BANK = "declined_by_bank"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    AUTHENTICATION_FAILED = "authentication_failed"
    CANCELLED_BY_PAYER = "cancelled_by_payer"
    LIMIT_EXCEEDED = "limit_exceeded"
    NOT_SUPPORTED = "not_supported"
    TIMED_OUT = "timed_out"
    RISK_REFUSED = "risk_refused"
    INVALID_DETAILS = "invalid_details"
    PROVIDER_OUTAGE = "provider_outage"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """One attempt at a payment. `reference` is ours: merchant reference and idempotency key at the provider.

    `landing_url` is the one fixed address at which a provider that must be told our addresses in advance sends its
    payers back; what they bring there is read by `Finishes.read_return`. With `capture_later` the amount is reserved
    and taken when `Captures.capture` says so; only a provider that captures and voids is given such an order.
    """

    reference: str
    amount: Money
    description: str
    language: str
    return_url: str
    cancel_url: str
    callback_url: str
    expires_at: datetime
    payer_email: str | None = None
    payer_mobile: str | None = None
    payer_bank: str | None = None
    landing_url: str = ""
    started_at: datetime | None = None
    capture_later: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the payer's browser to the provider's own page.

    Where the address is good only until `expires_at`, starting the same order again gives a fresh one.
    """

    url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApproveOnPhone:
    """The payer's phone shows a prompt."""

    mobile: str


@dataclass(frozen=True, slots=True)
class PayReference:
    """The payer sends a transfer that carries this reference, or, where it is empty, to this account of its own."""

    iban: str
    beneficiary: str
    reference: str


NextStep = Redirect | ApproveOnPhone | PayReference

RECEIVED_MINOR: Final = "received_minor"
"""The fact under which a payment that may come in parts says how much has come: minor units, as text."""


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """A provider's truth about one attempt, as far as it is known.

    `reference` is ours when the provider returned it. `captured` is set exactly when the outcome is succeeded, and is
    what the provider says it captured. `refunded` is the sum of settled and requested refunds. `word` is the
    provider's own status, kept for people; `facts` holds what may be shown and stored (scheme, masked card,
    authorisation code, RRN), never account data. `unrecognised` marks a word this adapter does not know: the outcome is
    pending, and whoever applies the report counts it.
    """

    outcome: Outcome
    provider_reference: str | None = None
    reference: str | None = None
    captured: Money | None = None
    authorised: Money | None = None
    refunded: Money | None = None
    word: str = ""
    decline: DeclineReason | None = None
    next_step: NextStep | None = None
    occurred_at: datetime | None = None
    reversed: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    unrecognised: bool = False


@dataclass(frozen=True, slots=True)
class CallbackNotice:
    """What a callback says of itself. Unless `proven` it is a hint: the payment is queried before anything moves.

    `continuation` is set only by `Finishes.read_return`: what the payer brought back, without which the payment
    cannot be made. It is kept until the payment has been finished with it. `refund` is set where the callback proves
    what became of a refund: `reference` and its own `provider_reference` then name the refund.
    """

    event_id: str
    reference: str | None
    provider_reference: str | None
    word: str
    proven: bool = False
    report: PaymentReport | None = None
    unrecognised: bool = False
    continuation: str | None = None
    refund: RefundReport | None = None


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


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the provider answers, and how long it took."""

    available: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked entry of a bank statement; a credit is positive, a debit negative.

    `references` are those the entry names anywhere and that prove themselves by check digits or by shape: creditor
    references (ISO 11649), a virtual account that was credited, ids of ours in a payer's free text. They stand here
    without spaces and in capitals, or in our own spelling.
    """

    number: int
    amount: Money
    booked_on: date
    value_on: date
    bank_reference: str | None
    end_to_end_id: str | None
    batch_reference: str | None
    remittance: str
    counterparty: str | None = None
    counterparty_iban: str | None = None
    code: str | None = None
    returned: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account; opening + entries = closing is proven by whoever read it."""

    account_iban: str
    identifier: str
    sequence: int | None
    currency: str
    opened_on: date
    closed_on: date
    opening: Money
    closing: Money
    entries: Sequence[StatementEntry]
    file_name: str
    sha256: str
    warnings: Sequence[str] = ()


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
