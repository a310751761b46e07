"""One running night: its date, its lease, and the only way its steps open a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from reconciliation.business_days import Calendar, Calendars
from reconciliation.deps import Deps
from reconciliation.postings import Booking
from reconciliation.provider_terms import Contracts, ProviderTerms
from reconciliation.store import Connection, leases

Counts: TypeAlias = dict[str, int]
Progress: TypeAlias = Callable[[str, Mapping[str, int]], None]


@dataclass(slots=True)
class Night:
    """`book_date` is the open day its postings belong to: its own, or a later one when this night is run again."""

    deps: Deps
    business_date: date
    book_date: date
    calendars: Calendars
    contracts: Contracts
    fence: int
    closed_until: date | None = None
    progress: Progress | None = None

    @property
    def calendar(self) -> Calendar:
        """The days that everybody keeps: our own and the bank's."""
        return self.calendars.everybody

    @property
    def last_date(self) -> date:
        """The last date anything that exists can be of: its own, or a later one when this night is run again."""
        return max(self.business_date, self.book_date)

    def terms_of(self, provider: str, day: date | None = None) -> ProviderTerms:
        """Return what is agreed with a provider for a day, the night's own by default."""
        return self.contracts.terms_of(provider, day or self.business_date)

    @asynccontextmanager
    async def transaction(self, isolation: str | None = None) -> AsyncIterator[Connection]:
        """Open a transaction that can only commit while this night holds the lease."""
        async with self.deps.pool.acquire() as connection, connection.transaction(isolation=isolation):
            await leases.hold(connection, self.fence, now=self.deps.clock(), duration_s=self.deps.lease_s)
            yield connection

    def booking(self, now: datetime, belongs_to: date | None = None, *, late: bool = False) -> Booking:
        """Fix the day and instant at which evidence stored now takes effect, and what day it came too late for."""
        effective_at = min(now, self.calendar.closing_instant(self.book_date))
        if belongs_to is not None and self.closed_until is not None and belongs_to <= self.closed_until:
            late = True  # its day is closed: whenever it came, it was too late for it
        late_for = belongs_to if late and belongs_to is not None and belongs_to < self.book_date else None
        return Booking(self.book_date, effective_at, late_for)

    def tell(self, step: str, counts: Mapping[str, int]) -> None:
        if self.progress is not None:
            self.progress(step, counts)
