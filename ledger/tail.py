"""Following the journals in the order they were posted: for whoever must tell others what the books now say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.money import Money
from ledger.store import Connection


@dataclass(frozen=True, slots=True)
class TailPosting:
    """One posting of a journal, on an account that was asked for."""

    journal_id: int
    kind: str
    business_date: date
    account: str
    item: str | None
    amount: Money
    payment: str | None


@dataclass(frozen=True, slots=True)
class Tail:
    """What lies behind a journal, up to and with `until`; `journals` counts all that were passed, asked for or not."""

    until: int
    journals: int
    postings: Sequence[TailPosting]


async def follow_journals(
    connection: Connection, after: int, *, kinds: Sequence[str], accounts: Sequence[str], journals_max: int
) -> Tail:
    """Read up to `journals_max` journals behind `after`, and their postings on accounts like one of `accounts`.

    Journals are numbered under the lock of the books' head, which is held until they commit: none can appear later
    below a number that was seen, so that a reader who keeps `until` misses nothing and hears nothing twice.
    """
    passed = await connection.fetchrow(
        """SELECT max(id) AS until, count(*) AS journals, count(*) FILTER (WHERE kind = ANY ($3::text[])) AS wanted,
                  min(recorded_at) AS recorded_from, max(recorded_at) AS recorded_to
             FROM (SELECT id, kind, recorded_at FROM ledger.journal WHERE id > $1 ORDER BY id LIMIT $2) j""",
        after,
        journals_max,
        list(kinds),
    )
    if passed is None or passed["until"] is None:
        return Tail(after, 0, ())
    if not passed["wanted"]:
        return Tail(passed["until"], passed["journals"], ())
    # Postings are found by account and time, as they are kept.
    rows = await connection.fetch(
        """SELECT p.journal_id, j.kind, j.business_date, a.path, p.item, p.amount_minor, p.currency, j.payment
             FROM ledger.account a
             JOIN ledger.all_postings p ON p.account_id = a.id
             JOIN ledger.journal j ON j.id = p.journal_id
            WHERE a.path LIKE ANY ($4::text[]) AND p.recorded_at BETWEEN $5 AND $6
              AND p.journal_id > $1 AND p.journal_id <= $2 AND j.kind = ANY ($3::text[])
            ORDER BY p.journal_id, p.seq""",
        after,
        passed["until"],
        list(kinds),
        list(accounts),
        passed["recorded_from"],
        passed["recorded_to"],
    )
    found = [
        TailPosting(
            row["journal_id"], row["kind"], row["business_date"], row["path"], row["item"],
            Money(row["amount_minor"], row["currency"]), row["payment"],
        )
        for row in rows
    ]  # fmt: skip
    return Tail(passed["until"], passed["journals"], found)
