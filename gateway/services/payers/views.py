"""What pages show of a payment: data only, both languages, no markup and no row of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from adapters.contract import DeclineReason, Method, NextStep, PayerBank
from gateway.domain.attempt import AttemptStatus
from gateway.domain.department import Names
from gateway.domain.intent import IntentStatus
from ledger.money import Money


@dataclass(frozen=True, slots=True)
class TariffView:
    """By which version of a tariff a line was priced, and what was taken off it on which ground."""

    version: int
    effective_on: date
    discount: Money
    concession: Names | None = None


@dataclass(frozen=True, slots=True)
class PartView:
    """What of a payment goes to one department, where several share it."""

    department: Names
    amount: Money
    vat: Money
    vat_registration: str | None


@dataclass(frozen=True, slots=True)
class LineView:
    """One thing that is paid for, with the VAT already inside its amount."""

    department: Names
    service: Names
    amount: Money
    vat: Money
    quantity: int = 1
    tariff: TariffView | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """The payer's last try. `next_step` is set while it waits for them; `decline` once it is dead.

    `received` is what has come of a payment that may come in parts: less than asked, all of it, or too much.
    """

    attempt_id: str
    status: AttemptStatus
    method: Method
    started_at: datetime
    decline: DeclineReason | None = None
    next_step: NextStep | None = None
    received: Money | None = None


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """One intent as its payer sees it, before and after paying."""

    intent_id: str
    token: str
    status: IntentStatus
    department_code: str
    department: Names
    lines: tuple[LineView, ...]
    total: Money
    reference: str
    language: str
    expires_at: datetime
    methods: tuple[Method, ...]
    return_url: str | None
    live: bool
    resting: tuple[Method, ...] = ()
    """Ways to pay that would be offered, were their providers not at rest for maintenance or an outage."""
    late_payment: bool = False
    payer_email: str | None = None
    payer_mobile: str | None = None
    last_attempt: AttemptView | None = None
    paid_at: datetime | None = None
    receipt_number: str | None = None
    already_paid_elsewhere: bool = False
    """Another intent for the same bill (department and reference) is paid or being paid: warn before paying again."""
    banks: tuple[PayerBank, ...] = ()
    """The banks a payer by bank account chooses from; none where the provider asks for no choice."""
    payer_bank: str | None = None
    parts: tuple[PartView, ...] = ()
    bundle: Names | None = None
    """What the department calls the whole, where several services are sold as one."""


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Proof of one payment. `card` holds what may be shown: scheme, masked number, authorisation code, RRN."""

    intent_id: str
    token: str
    receipt_number: str
    department_code: str
    department: Names
    vat_registration: str | None
    lines: tuple[LineView, ...]
    total: Money
    vat: Money
    refunded: Money
    reference: str
    method: Method
    paid_at: datetime
    language: str
    return_url: str | None
    live: bool
    payer_email: str | None = None
    card: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[PartView, ...] = ()
    bundle: Names | None = None
