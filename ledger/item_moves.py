"""What moved single items of an account, however long ago they were closed: open items say only what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.store import Connection

_KNOWN: Final = """
SELECT EXISTS (SELECT FROM ledger.account a JOIN ledger.item i ON i.account_id = a.id AND i.item = ANY ($2::text[])
                WHERE a.path = $1)
"""
# An item's postings lie between the first and the last effect it had.
_MOVED: Final = """
SELECT i.item, sum(p.amount_minor)::bigint AS amount_minor
  FROM ledger.account a
  JOIN ledger.item i ON i.account_id = a.id
  JOIN ledger.all_postings p ON p.account_id = a.id AND p.effective_at BETWEEN i.opened_at AND i.moved_at
   AND p.item = i.item
  JOIN ledger.journal j ON j.id = p.journal_id
 WHERE a.path = $1 AND i.item = ANY ($2::text[]) AND j.kind <> ALL ($3::text[]) GROUP BY i.item
"""


async def moved(
    connection: Connection, account: str, items: Sequence[str], *, kinds_except: Sequence[str]
) -> dict[str, int]:
    """Sum what moved each item, in minor units with debit above zero, without the journals of some kinds.

    Items that were never posted to are not in the answer, and most often none was: that costs one look-up by key.
    """
    if not items or not await connection.fetchval(_KNOWN, account, list(items)):
        return {}
    rows = await connection.fetch(_MOVED, account, list(items), list(kinds_except))
    return {row["item"]: row["amount_minor"] for row in rows}
