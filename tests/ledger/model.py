"""The ledger as a page of pure Python: what any order of posts, repeats, closes and floors must lead to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from ledger.accounts import Side, check_path
from ledger.entry import Entry, Posting

Key = tuple[str, str]


@dataclass
class Model:
    journals: list[tuple[Entry, datetime]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    floors: dict[Key, int] = field(default_factory=dict)
    closed_until: date | None = None
    closed_before: datetime | None = None
    recorded_at: datetime | None = None

    def record(self, instant: datetime) -> datetime:
        self.recorded_at = instant if self.recorded_at is None else max(instant, self.recorded_at)
        return self.recorded_at

    def post(self, entry: Entry, instant: datetime) -> tuple[str, int | str]:
        """Return ("posted" | "repeated", number), or ("refused", the error's code)."""
        if known := self.numbers.get(entry.reference):
            return ("repeated", known) if self.journals[known - 1][0] == entry else ("refused", "reference_reused")
        if self.closed_until and (entry.business_date <= self.closed_until or entry.effective_at < self.closed_before):
            return ("refused", "period_closed")
        if entry.corrects is not None and entry.corrects > self.committed:
            return ("refused", "invalid_entry")
        if not entry.below_floor and self._passes_floor(entry):
            return ("refused", "below_floor")
        self.journals.append((entry, self.record(instant)))
        self.numbers[entry.reference] = len(self.journals)
        return ("posted", len(self.journals))

    def post_batch(self, batch: list[Entry], instant: datetime) -> list[tuple[str, int | str]]:
        """Post in order; a journal can only be corrected once it is committed, so not within its own batch."""
        self.committed = len(self.journals)
        return [self.post(entry, instant) for entry in batch]

    def _passes_floor(self, entry: Entry) -> bool:
        balances = self.balances()
        moves: dict[Key, int] = defaultdict(int)
        for posting in entry.postings:
            moves[posting.account, posting.amount.currency] += posting.amount.amount_minor
        for key, move in moves.items():
            sign = -1 if check_path(key[0]).side is Side.CREDIT else 1
            if key in self.floors and sign * move < 0 and sign * (balances.get(key, 0) + move) < self.floors[key]:
                return True
        return False

    def _postings(self, at: datetime | None, known_at: datetime | None) -> Iterator[tuple[Key, Posting]]:
        for entry, recorded_at in self.journals:
            if (at is None or entry.effective_at <= at) and (known_at is None or recorded_at <= known_at):
                for posting in entry.postings:
                    yield (posting.account, posting.amount.currency), posting

    def balances(self, at: datetime | None = None, known_at: datetime | None = None) -> dict[Key, int]:
        return {key: debits - owed for key, (debits, owed) in self.turnover(at, known_at).items()}

    def turnover(self, at: datetime | None = None, known_at: datetime | None = None) -> dict[Key, tuple[int, int]]:
        """Return total debits and credits of every account."""
        sums: dict[Key, tuple[int, int]] = defaultdict(lambda: (0, 0))
        for key, posting in self._postings(at, known_at):
            minor, (debits, owed) = posting.amount.amount_minor, sums[key]
            sums[key] = (debits + max(minor, 0), owed + max(-minor, 0))
        return dict(sums)

    def items(self, at: datetime | None = None) -> dict[tuple[Key, str], int]:
        """Return the items that do not sum to zero."""
        sums: dict[tuple[Key, str], int] = defaultdict(int)
        for key, posting in self._postings(at, None):
            if posting.item is not None:
                sums[key, posting.item] += posting.amount.amount_minor
        return {item: minor for item, minor in sums.items() if minor}

    def statement(self, key: Key, start: datetime, end: datetime) -> list[tuple[int, int, int]]:
        """Return (journal, amount, balance after) in order of effect."""
        lines, running = [], 0
        ordered = sorted(enumerate(self.journals, 1), key=lambda numbered: (numbered[1][0].effective_at, numbered[0]))
        for number, (entry, _) in ordered:
            for posting in entry.postings:
                if (posting.account, posting.amount.currency) == key and entry.effective_at < end:
                    running += posting.amount.amount_minor
                    if entry.effective_at >= start:
                        lines.append((number, posting.amount.amount_minor, running))
        return lines
