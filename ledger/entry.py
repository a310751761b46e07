"""A journal entry as it is asked for: two or more postings that balance per currency, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from ledger.accounts import Kept, check_path
from ledger.errors import EntryError
from ledger.money import AMOUNT_MINOR_MAX, Money

REFERENCE_MAX: Final = 200
ITEM_MAX: Final = 100
TEXT_MAX: Final = 500
POSTINGS_MAX: Final = 10_000
_NUMBER_MAX: Final = 2**31 - 1
_JOURNAL_MAX: Final = 2**63 - 1


def _check_text(name: str, text: object, longest: int, *, empty: bool = False) -> None:
    if not isinstance(text, str):
        raise EntryError(f"{name} must be text, not {type(text).__name__}")
    if not (empty or text) or len(text) > longest or not text.isprintable():
        raise EntryError(f"{name} must have {0 if empty else 1} to {longest} printable characters")


def _check_number(name: str, number: object, most: int) -> None:
    if type(number) is not int or not 0 < number <= most:
        raise EntryError(f"{name} must be a whole number from 1, got {number!r}")


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry. A positive amount is a debit, a negative one a credit.

    `item` names the open item on accounts that are cleared item by item (receivables, transits): the captured
    attempt, the settlement batch, the payout line. Two postings with one item that sum to zero close it. Such an
    account takes no posting without an item, and every other account none with.
    """

    account: str
    amount: Money
    item: str | None = None

    def __post_init__(self) -> None:
        kind = check_path(self.account)
        if not isinstance(self.amount, Money):
            raise EntryError(f"posting to {self.account} has a {type(self.amount).__name__} for an amount")
        if not self.amount.amount_minor:
            raise EntryError(f"posting to {self.account} has amount zero")
        if not -AMOUNT_MINOR_MAX <= self.amount.amount_minor <= AMOUNT_MINOR_MAX:
            raise EntryError(f"posting to {self.account} is beyond ±{AMOUNT_MINOR_MAX} minor units")
        if self.item is not None:
            _check_text(f"item of posting to {self.account}", self.item, ITEM_MAX)
        if (self.item is None) is (kind.kept is Kept.BY_ITEM):
            wants = "needs an item: it is" if self.item is None else "takes no item: it is not"
            raise EntryError(f"posting to {self.account} {wants} kept item by item")


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

    def __post_init__(self) -> None:
        for name in ("payment", "provider", "provider_reference", "file"):
            if (text := getattr(self, name)) is not None:
                _check_text(name, text, TEXT_MAX)
        if self.line is not None:
            _check_number("line", self.line, _NUMBER_MAX)


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal to post. The reference is its idempotency key: one reference is one journal, for ever.

    Raises `EntryError` when fewer than two postings, a currency that does not balance, or the same account and
    item on both sides make it no journal. `corrects` is the journal it puts right, `late_for` the closed business
    date it belonged to, `below_floor` the permission to take an account below its floor.
    """

    reference: str
    kind: str
    business_date: date
    effective_at: datetime
    postings: tuple[Posting, ...]
    source: Source = field(default_factory=Source)
    corrects: int | None = None
    description: str = ""
    late_for: date | None = None
    below_floor: bool = False

    def __post_init__(self) -> None:
        _check_text("reference", self.reference, REFERENCE_MAX)
        _check_text("kind", self.kind, REFERENCE_MAX)
        _check_text("description", self.description, TEXT_MAX, empty=True)
        if type(self.business_date) is not date:
            raise EntryError("business_date must be a date without a time")
        if not isinstance(self.effective_at, datetime) or self.effective_at.utcoffset() is None:
            raise EntryError("effective_at must be an instant with a time zone")
        # One instant has one form, else a repeat from another zone would look like other content.
        object.__setattr__(self, "effective_at", self.effective_at.astimezone(UTC))
        if not isinstance(self.source, Source):
            raise EntryError("source must be a Source")
        if self.corrects is not None:
            _check_number("corrects", self.corrects, _JOURNAL_MAX)
        if self.late_for is not None and (type(self.late_for) is not date or self.late_for >= self.business_date):
            raise EntryError("late_for must be a date before business_date")
        if type(self.below_floor) is not bool:
            raise EntryError("below_floor must be true or false")
        object.__setattr__(self, "postings", tuple(self.postings))
        if not 2 <= len(self.postings) <= POSTINGS_MAX:  # noqa: PLR2004 - double entry is the domain
            raise EntryError(f"entry {self.reference} has {len(self.postings)} postings, needs 2 to {POSTINGS_MAX}")
        self._check_balance()

    def _check_balance(self) -> None:
        sums: dict[str, int] = {}
        sides: dict[tuple[str, str, str | None], bool] = {}
        for posting in self.postings:
            if not isinstance(posting, Posting):
                raise EntryError(f"entry {self.reference} has a {type(posting).__name__} for a posting")
            currency, minor = posting.amount.currency, posting.amount.amount_minor
            sums[currency] = sums.get(currency, 0) + minor
            key = (posting.account, currency, posting.item)
            if sides.setdefault(key, minor > 0) != (minor > 0):
                raise EntryError(f"entry {self.reference} has {posting.account} on both sides")
        for currency, minor in sums.items():
            if minor:
                raise EntryError(f"entry {self.reference} is out of balance by {Money.of_total(minor, currency)}")

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


def into_open_period(entry: Entry, *, business_date: date, effective_at: datetime) -> Entry:
    """Return the entry as posted late: in the open period, referring back to the date it belonged to."""
    return replace(entry, business_date=business_date, effective_at=effective_at, late_for=entry.business_date)
