"""A journal entry as it is asked for: two or more postings that balance per currency, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec

from ledger.accounts import check_path
from ledger.errors import EntryError
from ledger.money import Money

REFERENCE_MAX = 200
ITEM_MAX = 100


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry. A positive amount is a debit, a negative one a credit.

    `item` names the open item on accounts that are cleared item by item (receivables, transits): the captured
    attempt, the settlement batch, the payout line. Two postings with one item that sum to zero close it.
    """

    account: str
    amount: Money
    item: str | None = None

    def __post_init__(self) -> None:
        check_path(self.account)
        if not self.amount:
            raise EntryError(f"posting to {self.account} has amount zero")
        if self.item is not None and not 0 < len(self.item) <= ITEM_MAX:
            raise EntryError(f"item of posting to {self.account} must have 1 to {ITEM_MAX} characters")


def debit(account: str, amount: Money, item: str | None = None) -> Posting:
    """Post a positive amount to the debit side."""
    if amount.amount_minor <= 0:
        raise EntryError(f"a debit to {account} must be positive, got {amount}")
    return Posting(account, amount, item)


def credit(account: str, amount: Money, item: str | None = None) -> Posting:
    """Post a positive amount to the credit side."""
    if amount.amount_minor <= 0:
        raise EntryError(f"a credit to {account} must be positive, got {amount}")
    return Posting(account, -amount, item)


@dataclass(frozen=True, slots=True)
class Source:
    """The evidence an entry rests on: what a finance officer opens to see why it was posted."""

    payment: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal to post. The reference is its idempotency key: one reference is one journal, for ever.

    Raises `EntryError` when fewer than two postings, a currency that does not balance, or the same account and
    item on both sides make it no journal.
    """

    reference: str
    kind: str
    business_date: date
    effective_at: datetime
    postings: tuple[Posting, ...]
    source: Source = field(default_factory=Source)
    corrects: int | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.reference) <= REFERENCE_MAX or not self.reference.isprintable():
            raise EntryError(f"reference must have 1 to {REFERENCE_MAX} printable characters")
        if type(self.business_date) is not date:
            raise EntryError("business_date must be a date without a time")
        if not isinstance(self.effective_at, datetime) or self.effective_at.utcoffset() is None:
            raise EntryError("effective_at must be an instant with a time zone")
        if len(self.postings) < 2:  # noqa: PLR2004 - double entry is the domain, not a magic number
            raise EntryError(f"entry {self.reference} has {len(self.postings)} postings, needs two or more")
        self._check_balance()

    def _check_balance(self) -> None:
        sums: dict[str, int] = {}
        sides: dict[tuple[str, str, str | None], bool] = {}
        for posting in self.postings:
            currency, minor = posting.amount.currency, posting.amount.amount_minor
            sums[currency] = sums.get(currency, 0) + minor
            key = (posting.account, currency, posting.item)
            if sides.setdefault(key, minor > 0) != (minor > 0):
                raise EntryError(f"entry {self.reference} has {posting.account} on both sides")
        for currency, minor in sums.items():
            if minor:
                raise EntryError(f"entry {self.reference} is out of balance by {Money(minor, currency)}")

    def fingerprint(self) -> bytes:
        """Return the SHA-256 of the whole content, which tells a repeat from a reused reference."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


def reversal(entry: Entry, *, reference: str, corrects: int, business_date: date, effective_at: datetime) -> Entry:
    """Return the entry that undoes another: same postings, other side, pointing at what it corrects."""
    postings: Iterable[Posting] = (Posting(p.account, -p.amount, p.item) for p in entry.postings)
    return Entry(
        reference=reference,
        kind=f"{entry.kind}_reversed",
        business_date=business_date,
        effective_at=effective_at,
        postings=tuple(postings),
        source=entry.source,
        corrects=corrects,
    )
