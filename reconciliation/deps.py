"""What the night is given: database, clock, randomness, the providers that settle, and our bank."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import asyncpg

from adapters.contract import ConfirmsPayees, Pays, Settles, States
from ledger.money import Money
from reconciliation.business_days import Calendar
from reconciliation.revenue_accounts import RevenueCodes

LEASE_S: Final = 120.0


class Bank(States, Pays, Protocol):
    """A bank that gives statements and takes payment files."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to a department. `id` stays the same over retries, so that a mailbox shows a repeated one once."""

    id: str
    recipient: str
    subject: str
    text: str
    files: Sequence[AttachedFile]
    channel: str = "email"
    language: str = "ar"


class Departments(Protocol):
    """Knows which departments there are."""

    async def has(self, connection: asyncpg.Connection[Any], code: str) -> bool: ...


class Letters(Protocol):
    """Carries letters with files; raises when one is not known to be handed over."""

    async def send_with_files(self, message: Letter) -> None: ...


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Our own account. `code` is its name in the ledger: `bank:{code}:cash`."""

    code: str
    iban: str
    name: str
    currency: str = "AED"
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What finance decided once: how far files are looked for, what passes without a person, how long changes wait."""

    look_back_days: int = 7
    rematch_days: int = 90
    auto_approve_limit_minor: int = 0
    write_off_limits: tuple[Money, ...] = (Money(10_000, "AED"),)
    """The most that two people may write off at once, for each currency; of a currency not named, nothing."""
    payee_cooling_off_hours: int = 48
    confirm_days: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    pool: asyncpg.Pool[Any]
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    settling: Mapping[str, Settles]
    direct: frozenset[str] = frozenset()
    """Providers whose payers' money comes straight to our account, with no settlement file between."""
    bank: Bank
    confirming: ConfirmsPayees | None = None
    """Who asks a payee's bank whether an account belongs to a name; nobody does where no provider can."""
    account: BankAccount
    letters: Letters | None = None
    """Who carries remittance advices. Where nobody does, they wait."""
    revenue_codes: RevenueCodes | None = None
    """Who knows what payments were for. Where nobody does, a department is paid to its own account alone."""
    departments: Departments | None = None
    """Who knows which departments there are. Where nobody does, a code is believed."""
    calendar: Calendar = field(default_factory=Calendar)
    policy: Policy = field(default_factory=Policy)
    lease_s: float = LEASE_S
