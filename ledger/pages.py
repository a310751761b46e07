"""Where a page of journals ends: one journal may have two postings or ten thousand, so both are counted."""

from __future__ import annotations

from typing import Final

from ledger.store import Connection

# In the order of the postings' key, so that no more of it is read than the page will hold.
_IN_ROOM: Final = """
SELECT count(*) AS postings, max(journal_id) AS journal_id FROM (
  SELECT journal_id FROM ledger.all_postings WHERE journal_id > $1 AND journal_id <= $2 ORDER BY journal_id LIMIT $3) p
"""


async def page_end(connection: Connection, after: int, until: int, postings: int) -> int:
    """Return the last journal of a page that begins after one: `until`, or as many as `postings` leaves room for.

    A journal is never cut in two, so one that is larger than a page is a page of its own.
    """
    read = await connection.fetchrow(_IN_ROOM, after, until, postings + 1)
    if read is None or read["postings"] <= postings:
        return until
    last: int = read["journal_id"]
    return max(last - 1, after + 1)
