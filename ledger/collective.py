"""A collective entry: one journal that moves thousands of items of one account, as a provider's settlement does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from ledger import store
from ledger.entry import ITEM_MAX, POSTINGS_MAX, Entry
from ledger.errors import EntryError
from ledger.journal import Posted, answer
from ledger.money import AMOUNT_MINOR_MAX
from ledger.store import Connection

ITEMS_MAX: Final = POSTINGS_MAX // 2
"""As many items as one journal takes: the ledger's one lock is held for all of them."""


@dataclass(frozen=True, slots=True)
class CollectiveEntry:
    """One journal with a posting for each of many items, checked and packed without an object for every one.

    `whole` is the journal as it would be if all the items were one: its last posting, with the sum of the amounts and
    the first item, stands for all of them. The books it leaves are those of the entry with every posting spelled out.
    """

    whole: Entry
    items: Sequence[str]
    amounts_minor: Sequence[int]

    def __post_init__(self) -> None:
        last, items, amounts = self.whole.postings[-1], self.items, self.amounts_minor
        if not 1 <= len(items) == len(amounts) <= ITEMS_MAX:
            raise EntryError(f"{len(items)} items with {len(amounts)} amounts are not 1 to {ITEMS_MAX} of both")
        if last.item != items[0] or last.amount.amount_minor != sum(amounts):
            raise EntryError(f"the last posting of {self.whole.reference} is not the sum of its items")
        if len(set(items)) < len(items) or any(
            (one.account, one.amount.currency) == (last.account, last.amount.currency)
            for one in self.whole.postings[:-1]
        ):
            raise EntryError(f"entry {self.whole.reference} names an item of {last.account} twice")
        if 0 in amounts or max(amounts) > AMOUNT_MINOR_MAX or min(amounts) < -AMOUNT_MINOR_MAX:
            raise EntryError(f"entry {self.whole.reference} has an item of zero or beyond ±{AMOUNT_MINOR_MAX}")
        if not all(items) or max(map(len, items)) > ITEM_MAX or not all(map(str.isprintable, items)):
            raise EntryError(f"items of {self.whole.reference} must have 1 to {ITEM_MAX} printable characters")

    def fingerprint(self) -> bytes:
        """Return the fingerprint of the entry spelled out, which is its JSON with a posting for each item."""
        last = self.whole.postings[-1]
        currency = last.amount.currency
        each = msgspec.json.encode([
            {"account": last.account, "amount": {"amount_minor": minor, "currency": currency}, "item": item}
            for item, minor in zip(self.items, self.amounts_minor, strict=True)
        ])  # fmt: skip
        before, _, after = msgspec.json.encode(self.whole).rpartition(msgspec.json.encode(last))
        return hashlib.sha256(before + each[1:-1] + after).digest()


async def post_collective(connection: Connection, entry: CollectiveEntry, *, recorded_at: datetime) -> Posted:
    """Post inside the caller's READ COMMITTED transaction, holding the ledger's one lock until it ends."""
    verdict, journal_id = await store.post_collective(
        connection, entry.whole, entry.fingerprint(), entry.items, entry.amounts_minor, recorded_at
    )
    return answer(entry.whole, verdict, journal_id)
