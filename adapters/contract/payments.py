"""A payment in the contract's words: what is ordered, what the payer does next, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from ledger.money import Money


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
